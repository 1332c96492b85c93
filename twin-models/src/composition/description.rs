//! Composed models from a description: what a file can name.

use super::any::{AnyGrowth, AnyPart, AnyResponse};
use super::{Coupled, Drug, DrugPair, JointRule, Marker, NoTumor, Radiotherapy, Signal, TumorGrowth, TumorModel, UpTo};
use crate::growth;
use crate::kinetics::{Kinetics, drugs};
use crate::{Model, SimulationError, effect, toxicity};
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use std::sync::Arc;
use twin_core::{Agent, Observable, Target};

/// The most states of a model made from a description.
const MOST_STATES: usize = 48;

/// A composed model in words: a growth law, radiotherapy, and drugs with their responses.
///
/// It reads and writes as a record (serde), and reads as a sum:
///
/// ```
/// use twin_models::composition::Description;
/// let description: Description = "gompertz + lq + simeoni(paclitaxel) + friberg(paclitaxel)".parse()?;
/// let model = description.build("example")?;
/// assert_eq!(model.spec().title, "gompertz + lq + paclitaxel with simeoni + friberg");
/// let wrong: Result<Description, _> = "gompertz + simeoni(aspirin)".parse();
/// let error = wrong.and_then(|description| description.build("wrong")).map(|_| ()).unwrap_err();
/// assert!(error.to_string().contains("aspirin"));
/// # Ok::<(), twin_models::SimulationError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// The id of the growth law; none for a body without a tumor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub growth: Option<String>,
    /// Radiotherapy, if it is understood.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub radiotherapy: Option<RadiotherapyDescription>,
    /// The target of its fractions; none for `tumor`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub radiotherapy_target: Option<Target>,
    /// Drugs, in order. One with a response `pathway` is integrated on its own scale, see [`Coupled`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drugs: Vec<DrugDescription>,
    /// Pairs of these drugs with joint effects, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pairs: Vec<PairDescription>,
    /// Markers that the tumor sheds, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub markers: Vec<MarkerDescription>,
}

/// What fractions do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RadiotherapyDescription {
    /// Linear-quadratic; what is killed vanishes at once.
    Lq,
    /// Linear-quadratic; what is killed is cleared with a half-time.
    LqClearing,
    /// Linear-quadratic; sublethal damage is repaired with a half-time, so that sessions that follow closely share some.
    LqRepairing,
}

const RADIOTHERAPY: [(&str, RadiotherapyDescription); 3] = [
    ("lq", RadiotherapyDescription::Lq),
    ("lq_clearing", RadiotherapyDescription::LqClearing),
    ("lq_repairing", RadiotherapyDescription::LqRepairing),
];

/// Two drugs and what no interaction between them means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PairDescription {
    /// The rule.
    pub rule: JointRule,
    /// The names of two of the drugs.
    pub drugs: [String; 2],
}

const RULES: [(&str, JointRule); 2] = [("loewe", JointRule::Loewe), ("bliss", JointRule::Bliss)];

/// A marker in the blood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkerDescription {
    /// [`Marker::ca125`].
    Ca125,
    /// [`Marker::circulating_tumor_dna`].
    Ctdna,
}

const MARKERS: [(&str, MarkerDescription); 2] = [("ca125", MarkerDescription::Ca125), ("ctdna", MarkerDescription::Ctdna)];

/// A drug and what its concentration does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrugDescription {
    /// One of [`drugs`].
    pub drug: String,
    /// Its responses, in order.
    #[serde(default)]
    pub responses: Vec<ResponseDescription>,
}

/// A response to a concentration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseDescription {
    /// [`effect::LogKill`].
    LogKill,
    /// [`effect::Emax`].
    Emax,
    /// [`effect::NortonSimon`].
    NortonSimon,
    /// [`effect::Simeoni`].
    Simeoni,
    /// [`toxicity::Friberg`], for a drug that it has values for: paclitaxel, docetaxel.
    Friberg,
    /// [`effect::Pathway`], which drives the growth of the tumor through a [`Signal`], each on its own scale.
    Pathway,
}

const RESPONSES: [(&str, ResponseDescription); 6] = [
    ("log_kill", ResponseDescription::LogKill),
    ("emax", ResponseDescription::Emax),
    ("norton_simon", ResponseDescription::NortonSimon),
    ("simeoni", ResponseDescription::Simeoni),
    ("friberg", ResponseDescription::Friberg),
    ("pathway", ResponseDescription::Pathway),
];

fn fault(detail: String) -> SimulationError {
    SimulationError::Specification { model: "description".to_owned(), detail }
}

/// The growth law `id`.
fn law(id: &str) -> Result<AnyGrowth, SimulationError> {
    let laws = [
        AnyGrowth::of::<growth::Exponential>(),
        AnyGrowth::of::<growth::Logistic>(),
        AnyGrowth::of::<growth::GeneralizedLogistic>(),
        AnyGrowth::of::<growth::Gompertz>(),
        AnyGrowth::of::<growth::Bertalanffy>(),
        AnyGrowth::of::<growth::BertalanffyPutter>(),
        AnyGrowth::of::<growth::PowerLaw>(),
        AnyGrowth::of::<growth::ExponentialLinear>(),
        AnyGrowth::of::<growth::SmoothExponentialLinear>(),
        AnyGrowth::of::<growth::ReducedGompertz>(),
    ];
    let known = || laws.iter().map(TumorGrowth::name).collect::<Vec<_>>().join(", ");
    let found = laws.iter().find(|law| law.name() == id);
    found.cloned().ok_or_else(|| fault(format!("no growth law `{id}`; there are: {}", known())))
}

impl DrugDescription {
    fn part(&self) -> Result<AnyPart, SimulationError> {
        let mut responses = Vec::with_capacity(self.responses.len());
        for response in &self.responses {
            responses.push(match response {
                ResponseDescription::LogKill => AnyResponse::new(effect::LogKill),
                ResponseDescription::Emax => AnyResponse::new(effect::Emax),
                ResponseDescription::NortonSimon => AnyResponse::new(effect::NortonSimon),
                ResponseDescription::Simeoni => AnyResponse::new(effect::Simeoni),
                ResponseDescription::Friberg => AnyResponse::new(self.friberg()?),
                ResponseDescription::Pathway => AnyResponse::new(effect::Pathway),
            });
        }
        let all = responses.into_iter().reduce(|before, next| AnyResponse::new((before, next)));
        let all = all.unwrap_or_else(|| AnyResponse::new(()));
        match self.drug.as_str() {
            "temozolomide" => Ok(with(drugs::temozolomide()?, all)),
            "nivolumab" => Ok(with(drugs::nivolumab()?, all)),
            "paclitaxel" => Ok(with(drugs::paclitaxel()?, all)),
            "docetaxel" => Ok(with(drugs::docetaxel()?, all)),
            "carboplatin" => Ok(with(drugs::carboplatin()?, all)),
            "abiraterone" => Ok(with(drugs::abiraterone()?, all)),
            "fluorouracil" => Ok(with(drugs::fluorouracil()?, all)),
            "galunisertib" => Ok(with(drugs::galunisertib()?, all)),
            other => Err(fault(format!(
                "no kinetics of `{other}`; there are: temozolomide, nivolumab, paclitaxel, docetaxel, carboplatin, abiraterone, fluorouracil, galunisertib"
            ))),
        }
    }

    fn friberg(&self) -> Result<toxicity::Friberg, SimulationError> {
        match self.drug.as_str() {
            "paclitaxel" => Ok(toxicity::Friberg::paclitaxel()?),
            "docetaxel" => Ok(toxicity::Friberg::docetaxel()?),
            other => Err(fault(format!("no myelosuppression of `{other}` is known; there is that of paclitaxel and docetaxel"))),
        }
    }
}

fn with(kinetics: impl Kinetics, responses: AnyResponse) -> AnyPart {
    AnyPart::new(Drug::new(kinetics, responses))
}

impl Description {
    /// The model `id` of this description.
    ///
    /// # Errors
    /// [`SimulationError::Specification`] that names what does not exist or does not fit, and what would.
    pub fn build(&self, id: &str) -> Result<Arc<dyn Model>, SimulationError> {
        let is_fast = |drug: &&DrugDescription| drug.responses.contains(&ResponseDescription::Pathway);
        let (fast, slow): (Vec<_>, Vec<_>) = self.drugs.iter().partition(is_fast);
        let [fast] = fast.as_slice() else {
            if fast.is_empty() {
                return self.model(id, self.parts(&slow)?);
            }
            return Err(fault("two pathways, but a tumor is driven by one signal".to_owned()));
        };
        if let Some(pair) = self.pairs.iter().find(|pair| pair.drugs.contains(&fast.drug)) {
            let [first, second] = &pair.drugs;
            return Err(fault(format!(
                "`{}` drives a pathway, so it has no joint effect as one of `{first}, {second}`",
                fast.drug
            )));
        }
        let mut parts = self.parts(&slow)?;
        let (drive, signal) = (Agent::new("pathway inhibition")?, Observable::new(&effect::Pathway::signal(&fast.drug))?);
        parts.push(AnyPart::new(Signal::new(drive.clone())));
        let pathway = TumorModel::<_, _, UpTo<MOST_STATES>>::model(id, NoTumor, fast.part()?)?;
        Ok(Arc::new(Coupled::new(id, Arc::new(pathway), self.model(id, parts)?, &signal, &drive)?))
    }

    /// The parts on the scale of the tumor, with these of the drugs.
    fn parts(&self, drugs: &[&DrugDescription]) -> Result<Vec<AnyPart>, SimulationError> {
        let mut parts: Vec<AnyPart> = Vec::new();
        if let Some(radiotherapy) = self.radiotherapy {
            let part = match radiotherapy {
                RadiotherapyDescription::Lq => Radiotherapy::default(),
                RadiotherapyDescription::LqClearing => Radiotherapy::clearing(),
                RadiotherapyDescription::LqRepairing => Radiotherapy::default().repairing(),
            };
            parts.push(AnyPart::new(part.aimed_at(self.radiotherapy_target.clone().unwrap_or(Target::TUMOR))));
        } else if let Some(target) = &self.radiotherapy_target {
            return Err(fault(format!("a target of radiotherapy, `{target}`, but no radiotherapy")));
        }
        let paired = |name: &str| self.pairs.iter().filter(|pair| pair.drugs.iter().any(|drug| drug == name)).count();
        for drug in drugs {
            match paired(&drug.drug) {
                0 => parts.push(drug.part()?),
                1 => {}
                _ => return Err(fault(format!("`{}` is in two pairs, but a drug has one joint effect", drug.drug))),
            }
        }
        for PairDescription { rule, drugs: [first, second] } in &self.pairs {
            let part = |name: &str| {
                let found = drugs.iter().find(|drug| drug.drug == *name);
                found.ok_or_else(|| fault(format!("a pair with `{name}`, which is not among the drugs")))?.part()
            };
            if first == second {
                return Err(fault(format!("a pair of `{first}` with itself")));
            }
            parts.push(AnyPart::new(DrugPair::new((part(first)?, first), (part(second)?, second), *rule)));
        }
        for marker in &self.markers {
            parts.push(AnyPart::new(match marker {
                MarkerDescription::Ca125 => Marker::ca125()?,
                MarkerDescription::Ctdna => Marker::circulating_tumor_dna()?,
            }));
        }
        Ok(parts)
    }

    /// The growth law with `parts`, as one system of equations.
    fn model(&self, id: &str, parts: Vec<AnyPart>) -> Result<Arc<dyn Model>, SimulationError> {
        let all = parts.into_iter().reduce(|before, next| AnyPart::new((before, next)));
        let all = all.unwrap_or_else(|| AnyPart::new(()));
        match &self.growth {
            Some(law) => Ok(Arc::new(TumorModel::<_, _, UpTo<MOST_STATES>>::model(id, self::law(law)?, all)?)),
            None => Ok(Arc::new(TumorModel::<_, _, UpTo<MOST_STATES>>::model(id, NoTumor, all)?)),
        }
    }
}

impl FromStr for Description {
    type Err = SimulationError;

    /// Reads a sum: a growth law; `lq`, `lq_clearing` or `lq_repairing`, with a target in brackets if it is not `tumor`; terms `response(drug)`
    /// or `drug()`, `loewe(drug, drug)` or `bliss(drug, drug)`; and markers. Drugs keep the order in which they first come.
    fn from_str(text: &str) -> Result<Self, SimulationError> {
        let mut description = Self::default();
        for term in text.split('+').map(str::trim) {
            match term.strip_suffix(')').and_then(|rest| rest.split_once('(')) {
                Some((response, drug)) => description.respond(response.trim(), drug.trim())?,
                None => description.take(term)?,
            }
        }
        Ok(description)
    }
}

impl Description {
    fn take(&mut self, term: &str) -> Result<(), SimulationError> {
        if let Some((_, radiotherapy)) = RADIOTHERAPY.iter().find(|(name, _)| *name == term) {
            if self.radiotherapy.replace(*radiotherapy).is_some() {
                return Err(fault(format!("`{term}` is a second radiotherapy")));
            }
        } else if let Some((_, marker)) = MARKERS.iter().find(|(name, _)| *name == term) {
            self.markers.push(*marker);
        } else if let Some(law) = &self.growth {
            return Err(fault(format!("`{term}` is a second growth law beside `{law}`, or no term that is known")));
        } else {
            law(term)?;
            self.growth = Some(term.to_owned());
        }
        Ok(())
    }

    /// The place of the drug `name`, which is added if it is new.
    fn drug(&mut self, name: &str) -> usize {
        let known = self.drugs.iter().position(|known| known.drug == name);
        known.unwrap_or_else(|| {
            self.drugs.push(DrugDescription { drug: name.to_owned(), responses: Vec::new() });
            self.drugs.len() - 1
        })
    }

    fn respond(&mut self, response: &str, drug: &str) -> Result<(), SimulationError> {
        if RADIOTHERAPY.iter().any(|(name, _)| *name == response) {
            self.radiotherapy_target = Some(Target::new(drug)?);
            return self.take(response);
        }
        if let Some((_, rule)) = RULES.iter().find(|(name, _)| *name == response) {
            let two = drug.split_once(',').map(|(first, second)| [first.trim(), second.trim()].map(str::to_owned));
            let drugs =
                two.ok_or_else(|| fault(format!("`{response}({drug})` needs two drugs: `{response}(paclitaxel, carboplatin)`")))?;
            for name in &drugs {
                self.drug(name);
            }
            self.pairs.push(PairDescription { rule: *rule, drugs });
            return Ok(());
        }
        let (name, responses) = match (response, drug) {
            (drug, "") => (drug, None),
            (response, drug) => (drug, Some(response)),
        };
        let response = responses.map(|name| {
            let known = || RESPONSES.map(|(name, _)| name).join(", ");
            let found = RESPONSES.iter().find(|(known, _)| *known == name).map(|(_, response)| *response);
            found.ok_or_else(|| fault(format!("no response `{name}`; there are: {}", known())))
        });
        let response = response.transpose()?;
        let place = self.drug(name);
        if let Some(known) = self.drugs.get_mut(place) {
            known.responses.extend(response);
        }
        Ok(())
    }
}
