//! Composed models from a description: what a file can name.

use super::any::{AnyGrowth, AnyPart, AnyResponse};
use super::{Drug, NoTumor, Radiotherapy, TumorGrowth, TumorModel, UpTo};
use crate::growth;
use crate::kinetics::{Kinetics, drugs};
use crate::{Model, SimulationError, effect, toxicity};
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use std::sync::Arc;

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
    /// Drugs, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drugs: Vec<DrugDescription>,
}

/// What fractions do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RadiotherapyDescription {
    /// Linear-quadratic; what is killed vanishes at once.
    Lq,
    /// Linear-quadratic; what is killed is cleared with a half-time.
    LqClearing,
}

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
}

const RESPONSES: [(&str, ResponseDescription); 5] = [
    ("log_kill", ResponseDescription::LogKill),
    ("emax", ResponseDescription::Emax),
    ("norton_simon", ResponseDescription::NortonSimon),
    ("simeoni", ResponseDescription::Simeoni),
    ("friberg", ResponseDescription::Friberg),
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
            other => Err(fault(format!(
                "no kinetics of `{other}`; there are: temozolomide, nivolumab, paclitaxel, docetaxel, carboplatin, abiraterone, fluorouracil"
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
        let mut parts: Vec<AnyPart> = Vec::new();
        match self.radiotherapy {
            None => {}
            Some(RadiotherapyDescription::Lq) => parts.push(AnyPart::new(Radiotherapy::default())),
            Some(RadiotherapyDescription::LqClearing) => parts.push(AnyPart::new(Radiotherapy::clearing())),
        }
        for drug in &self.drugs {
            parts.push(drug.part()?);
        }
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

    /// Reads a sum: a growth law, `lq` or `lq_clearing`, and terms `response(drug)` or `drug()`; drugs keep the order in which they
    /// first come.
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
        let radiotherapy = match term {
            "lq" => Some(RadiotherapyDescription::Lq),
            "lq_clearing" => Some(RadiotherapyDescription::LqClearing),
            _ => None,
        };
        match (radiotherapy, &self.radiotherapy, &self.growth) {
            (Some(_), Some(_), _) => Err(fault(format!("`{term}` is a second radiotherapy"))),
            (Some(radiotherapy), None, _) => {
                self.radiotherapy = Some(radiotherapy);
                Ok(())
            }
            (None, _, Some(law)) => Err(fault(format!("`{term}` is a second growth law beside `{law}`, or no term that is known"))),
            (None, _, None) => {
                law(term)?;
                self.growth = Some(term.to_owned());
                Ok(())
            }
        }
    }

    fn respond(&mut self, response: &str, drug: &str) -> Result<(), SimulationError> {
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
        let place = match self.drugs.iter().position(|known| known.drug == name) {
            Some(place) => place,
            None => {
                self.drugs.push(DrugDescription { drug: name.to_owned(), responses: Vec::new() });
                self.drugs.len() - 1
            }
        };
        if let Some(known) = self.drugs.get_mut(place) {
            known.responses.extend(response);
        }
        Ok(())
    }
}
