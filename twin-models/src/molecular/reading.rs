//! From a patient's molecular profile to parameters: every link read, and what it moved.

use super::{Correlate, Datum, Effect, LogNormal, ResistanceFinding, ResistantShare, Sign};
use crate::{Parameters, SimulationError, Source};
use std::collections::BTreeSet;
use std::fmt;
use twin_core::{AlterationKind, Biomarker, BiomarkerResult, CoreError, GeneSymbol, GenomicProfile, Quantity, Significance};

/// A link from molecular data to a parameter.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Link {
    /// From a finding that is there or not.
    Finding(Effect),
    /// From a measured quantity.
    Measurement(Correlate),
    /// From a resistance mutation before treatment.
    Resistance(ResistantShare),
}

/// Which datum moved which parameter by how much.
#[derive(Debug, Clone, PartialEq)]
pub struct Movement {
    /// The datum, in words.
    pub datum: &'static str,
    /// What was found; nothing if it is not known.
    pub finding: Option<String>,
    /// The parameter.
    pub parameter: &'static str,
    /// UCUM unit of the distributions.
    pub unit: &'static str,
    /// The parameter among patients of whom nothing is known.
    pub population: LogNormal,
    /// The parameter given the datum.
    pub given: LogNormal,
    /// Where the link comes from.
    pub source: Source,
}

impl Movement {
    /// By which factor the datum moved the median.
    #[must_use]
    pub fn factor(&self) -> f64 {
        (self.given.ln_median() - self.population.ln_median()).exp()
    }
}

impl fmt::Display for Movement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let finding = self.finding.as_deref().unwrap_or("unknown");
        write!(
            f,
            "{} {finding}: {} by a factor of {:.3} to {:.4} (standard deviation of its logarithm {:.3}, {:.3} if unknown)",
            self.datum,
            self.parameter,
            self.factor(),
            self.given.median(),
            self.given.ln_deviation(),
            self.population.ln_deviation()
        )
    }
}

/// What a molecular profile says of parameters, link by link. Printed, it is the explanation, one line for each link.
///
/// ```
/// use twin_core::{Biomarker, BiomarkerResult, BiomarkerStatus, GenomicProfile, Provenance, Recorded};
/// use twin_models::molecular::{Effect, Link, Reading};
/// let links: Vec<Link> = Effect::low_grade_glioma().map(Link::Finding).into();
/// let mut profile = GenomicProfile::default();
/// let unknown = Reading::of(&links, &profile)?;
/// let codeleted = BiomarkerStatus::new(Biomarker::new("1p/19q codeletion")?, BiomarkerResult::Positive);
/// profile.biomarkers.push(Recorded::new(codeleted, Provenance::measured("FISH")));
/// let known = Reading::of(&links, &profile)?;
/// let width = |reading: &Reading| reading.distribution("repair_rate").map(|it| it.map(|it| it.ln_deviation()));
/// assert!(width(&known)? < width(&unknown)?);
/// assert!(known.to_string().starts_with("1p/19q codeletion present: repair_rate by a factor of 0.89"));
/// # Ok::<(), twin_core::CoreError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// One for each link, in their order, also where nothing is known.
    pub movements: Vec<Movement>,
}

impl Reading {
    /// Reads every one of `links` in `profile`.
    ///
    /// A binary datum is known by a biomarker of its name, or by an alteration of its gene; that no alteration is listed says nothing, for a
    /// profile does not tell what was not tested. A measurement is the value of a biomarker of its name. A resistance mutation is read
    /// from its alteration (with allele fraction and depth), or, as a value, the detection limit, from a biomarker `EGFR T790M limit`.
    ///
    /// # Errors
    /// [`CoreError::Conflict`] for results that contradict each other; [`CoreError`] for values that the links refuse or whose units do not
    /// convert.
    pub fn of(links: &[Link], profile: &GenomicProfile) -> Result<Self, CoreError> {
        let movement = |link: &Link| match link {
            Link::Finding(effect) => effect.movement(finding(effect, profile)?),
            Link::Measurement(correlate) => correlate.movement(value(correlate.datum, correlate.unit, profile)?),
            Link::Resistance(share) => share.movement(resistance(share, profile)?),
        };
        Ok(Self { movements: links.iter().map(movement).collect::<Result<_, _>>()? })
    }

    /// What all links together say of `parameter`; nothing if none is about it.
    ///
    /// # Errors
    /// [`CoreError::Conflict`] if links start from different distributions of the same parameter.
    pub fn distribution(&self, parameter: &str) -> Result<Option<LogNormal>, CoreError> {
        let about: Vec<&Movement> = self.movements.iter().filter(|movement| movement.parameter == parameter).collect();
        let Some(first) = about.first() else { return Ok(None) };
        let same = |a: f64, b: f64| (a - b).abs() <= 1e-9 * (1.0 + b.abs());
        let apart = about.iter().find(|other| {
            let (a, b) = (other.population, first.population);
            !(same(a.ln_median(), b.ln_median()) && same(a.ln_deviation(), b.ln_deviation()))
        });
        if let Some(other) = apart {
            let detail = format!("`{}` and `{}` start from different distributions of `{parameter}`", first.datum, other.datum);
            return Err(CoreError::Conflict { what: "links to one parameter", detail });
        }
        let given: Vec<LogNormal> = about.iter().map(|movement| movement.given).collect();
        first.population.given_all(&given).map(Some)
    }

    /// `parameters` with the median of every parameter that the links are about and the model has, converted to its unit.
    ///
    /// Links know parameters by their names: hand over those that were made for this model and disease.
    ///
    /// # Errors
    /// [`SimulationError`] for a median outside the range of its parameter or a unit that does not convert, and as
    /// [`Reading::distribution`].
    pub fn apply(&self, parameters: Parameters) -> Result<Parameters, SimulationError> {
        let names: BTreeSet<(&str, &str)> = self.movements.iter().map(|movement| (movement.parameter, movement.unit)).collect();
        let mut moved = parameters;
        for (name, unit) in names {
            let Some(into) = moved.spec().parameters.iter().find(|spec| spec.name == name).map(|spec| spec.unit.to_string()) else {
                continue;
            };
            if let Some(distribution) = self.distribution(name)? {
                moved = moved.with(name, Quantity::new(distribution.median(), unit)?.value_in(&into)?)?;
            }
        }
        Ok(moved)
    }
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, movement) in self.movements.iter().enumerate() {
            if place > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{movement}")?;
        }
        Ok(())
    }
}

fn contradiction(datum: &str) -> CoreError {
    let detail = format!("the profile has results of `{datum}` that contradict each other");
    CoreError::Conflict { what: "molecular profile", detail }
}

fn finding(effect: &Effect, profile: &GenomicProfile) -> Result<Datum, CoreError> {
    let altered = match effect.sign {
        Sign::Biomarker => false,
        Sign::Alteration(gene) => {
            let gene = GeneSymbol::new(gene)?;
            let counts = |it: &AlterationKind| !matches!(it, AlterationKind::Methylation { .. });
            profile.alterations_of(&gene).any(|it| it.value.significance != Significance::Passenger && counts(&it.value.kind))
        }
        Sign::Methylation(gene) => {
            let gene = GeneSymbol::new(gene)?;
            profile.alterations_of(&gene).any(|it| matches!(it.value.kind, AlterationKind::Methylation { .. }))
        }
    };
    let (mut present, mut absent) = (altered, false);
    for result in profile.results_of(&Biomarker::new(effect.datum)?) {
        match result.value.status {
            BiomarkerResult::Positive => present = true,
            BiomarkerResult::Negative => absent = true,
            _ => {}
        }
    }
    match (present, absent) {
        (true, true) => Err(contradiction(effect.datum)),
        (true, false) => Ok(Datum::Present),
        (false, true) => Ok(Datum::Absent),
        (false, false) => Ok(Datum::Unknown),
    }
}

/// The last value of the biomarker `name` in the record, in `unit`.
fn value(name: &str, unit: &str, profile: &GenomicProfile) -> Result<Option<f64>, CoreError> {
    let mut last = None;
    for result in profile.results_of(&Biomarker::new(name)?) {
        if let BiomarkerResult::Value(quantity) = &result.value.status {
            last = Some(quantity.value_in(unit)?);
        }
    }
    Ok(last)
}

fn resistance(share: &ResistantShare, profile: &GenomicProfile) -> Result<ResistanceFinding, CoreError> {
    let (gene, change) = share.datum.split_once(' ').unwrap_or((share.datum, ""));
    let long = three_letters(change);
    let names = |protein: &str| {
        let protein = protein.trim_start_matches("p.").trim_matches(['(', ')']);
        protein == change || long.as_deref() == Some(protein)
    };
    for alteration in profile.alterations_of(&GeneSymbol::new(gene)?) {
        let alteration = &alteration.value;
        let AlterationKind::SmallVariant { protein: Some(protein), .. } = &alteration.kind else { continue };
        if !names(protein.as_str()) {
            continue;
        }
        return match (alteration.allele_fraction, alteration.depth) {
            (Some(allele_fraction), Some(depth)) => Ok(ResistanceFinding::Measured { allele_fraction, depth }),
            _ => {
                let detail =
                    format!("`{}` is listed without its allele fraction and depth, which tell the share of cells", share.datum);
                Err(CoreError::Conflict { what: "molecular profile", detail })
            }
        };
    }
    match value(&format!("{} limit", share.datum), "1", profile)? {
        Some(limit) => Ok(ResistanceFinding::Undetected { limit: twin_core::Proportion::new(limit)? }),
        None => Ok(ResistanceFinding::Unknown),
    }
}

/// `T790M` as `Thr790Met`.
fn three_letters(change: &str) -> Option<String> {
    let (first, last) = (change.chars().next()?, change.chars().next_back()?);
    let middle: String = change.chars().filter(char::is_ascii_digit).collect();
    Some(format!("{}{middle}{}", residue(first)?, residue(last)?))
}

fn residue(letter: char) -> Option<&'static str> {
    const RESIDUES: [(char, &str); 20] = [
        ('A', "Ala"),
        ('R', "Arg"),
        ('N', "Asn"),
        ('D', "Asp"),
        ('C', "Cys"),
        ('Q', "Gln"),
        ('E', "Glu"),
        ('G', "Gly"),
        ('H', "His"),
        ('I', "Ile"),
        ('L', "Leu"),
        ('K', "Lys"),
        ('M', "Met"),
        ('F', "Phe"),
        ('P', "Pro"),
        ('S', "Ser"),
        ('T', "Thr"),
        ('W', "Trp"),
        ('Y', "Tyr"),
        ('V', "Val"),
    ];
    RESIDUES.iter().find(|(one, _)| *one == letter).map(|(_, three)| *three)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Model;
    use twin_core::{Alteration, BiomarkerStatus, Proportion, ProteinChange, Provenance, Recorded};

    fn links() -> Vec<Link> {
        let [codeletion, tp53] = Effect::low_grade_glioma();
        let growth = Correlate::ki67_and_growth_of_breast_cancer(0.5).unwrap();
        let uptake = Correlate::fluorothymidine_and_ki67_of_lung_cancer().unwrap().through(&growth).unwrap();
        vec![
            Link::Finding(codeletion),
            Link::Finding(tp53),
            Link::Finding(Effect::mgmt_methylation().unwrap()),
            Link::Measurement(growth),
            Link::Measurement(uptake),
            Link::Measurement(Correlate::index_and_radiosensitivity(-0.4).unwrap()),
            Link::Resistance(ResistantShare::egfr_t790m().unwrap()),
        ]
    }

    fn recorded<T>(value: T) -> Recorded<T> {
        Recorded::new(value, Provenance::measured("panel"))
    }

    fn biomarker(profile: &mut GenomicProfile, name: &str, result: BiomarkerResult) {
        profile.biomarkers.push(recorded(BiomarkerStatus::new(Biomarker::new(name).unwrap(), result)));
    }

    fn number(value: f64, unit: &str) -> BiomarkerResult {
        BiomarkerResult::Value(Quantity::new(value, unit).unwrap())
    }

    fn variant(gene: &str, protein: &str) -> Alteration {
        let protein = Some(ProteinChange::new(protein).unwrap());
        Alteration::new(GeneSymbol::new(gene).unwrap(), AlterationKind::SmallVariant { coding: None, protein })
    }

    fn full() -> GenomicProfile {
        let mut profile = GenomicProfile::default();
        biomarker(&mut profile, "1p/19q codeletion", BiomarkerResult::Negative);
        biomarker(&mut profile, "MGMT promoter methylation", BiomarkerResult::Positive);
        biomarker(&mut profile, "Ki-67", number(45.0, "%"));
        biomarker(&mut profile, "FLT SUVmax", number(6.0, "1"));
        biomarker(&mut profile, "RSI", number(0.2, "1"));
        profile.alterations.push(recorded(variant("TP53", "p.R175H")));
        let mut t790m = variant("EGFR", "p.(Thr790Met)");
        (t790m.allele_fraction, t790m.depth) = (Some(Proportion::new(0.004).unwrap()), Some(5000));
        profile.alterations.push(recorded(t790m));
        profile
    }

    #[test]
    fn without_data_every_parameter_has_the_populations_distribution_and_with_data_a_narrower_one() {
        let (nothing, all) = (Reading::of(&links(), &GenomicProfile::default()).unwrap(), Reading::of(&links(), &full()).unwrap());
        for (unknown, known) in nothing.movements.iter().zip(&all.movements) {
            assert_eq!((unknown.given, unknown.finding.as_ref()), (unknown.population, None), "{unknown}");
            assert!((unknown.factor() - 1.0).abs() < 1e-12);
            assert!(known.finding.is_some() && known.given.ln_deviation() < known.population.ln_deviation(), "{known}");
        }
        for parameter in ["repair_rate", "damage", "growth_rate", "radiation_alpha", "initial_resistance"] {
            let width = |reading: &Reading| reading.distribution(parameter).unwrap().unwrap().ln_deviation();
            assert!(width(&all) < width(&nothing), "{parameter}");
        }
        assert_eq!(nothing.to_string().lines().count(), links().len());
        assert!(nothing.to_string().contains("EGFR T790M unknown: initial_resistance by a factor of 1.000"));
    }

    #[test]
    fn two_findings_on_one_parameter_are_joined() {
        let all = Reading::of(&links(), &full()).unwrap();
        let joined = all.distribution("growth_rate").unwrap().unwrap();
        let each: Vec<LogNormal> = all.movements.iter().filter(|it| it.parameter == "growth_rate").map(|it| it.given).collect();
        assert_eq!(each.len(), 2);
        assert!(each.iter().all(|one| joined.ln_deviation() < one.ln_deviation() && joined.median() > one.median()));
        assert_eq!(all.distribution("volume").unwrap(), None);
    }

    #[test]
    fn parameters_of_a_model_move_to_the_medians() {
        let model = crate::effect::low_grade_glioma().unwrap();
        let before = model.spec().defaults().unwrap();
        let genotype: Vec<Link> = Effect::low_grade_glioma().map(Link::Finding).into();
        let after = Reading::of(&genotype, &full()).unwrap().apply(before.clone()).unwrap();
        assert!((after.get("damage").unwrap() - 0.143).abs() < 1e-12);
        assert_eq!(after.get("growth_rate").unwrap(), before.get("growth_rate").unwrap());
    }

    #[test]
    fn a_median_is_converted_to_the_unit_of_the_model_or_refused() {
        // Growth per day in a model that counts months: converted, and below that model's range.
        let model = crate::effect::low_grade_glioma().unwrap();
        let growth = [Link::Measurement(Correlate::ki67_and_growth_of_breast_cancer(0.5).unwrap())];
        let reading = Reading::of(&growth, &GenomicProfile::default()).unwrap();
        let moved = reading.apply(model.spec().defaults().unwrap()).unwrap();
        let per_month = std::f64::consts::LN_2 / 164.0 * 30.4375;
        assert!((moved.get("growth_rate").unwrap() - per_month).abs() < 1e-12);
        let mut wrong = Correlate::ki67_and_growth_of_breast_cancer(0.5).unwrap();
        wrong.parameter_unit = "mm";
        let reading = Reading::of(&[Link::Measurement(wrong)], &GenomicProfile::default()).unwrap();
        assert!(reading.apply(model.spec().defaults().unwrap()).is_err());
    }

    #[test]
    fn what_is_not_tested_is_unknown_and_what_contradicts_is_refused() {
        let datum = |profile: &GenomicProfile| Reading::of(&links(), profile).map(|reading| reading.movements[1].finding.clone());
        let mut profile = GenomicProfile::default();
        let mut passenger = variant("TP53", "p.P72R");
        passenger.significance = Significance::Passenger;
        profile.alterations.push(recorded(passenger));
        assert_eq!(datum(&profile).unwrap(), None);
        biomarker(&mut profile, "TP53 mutation", BiomarkerResult::Negative);
        assert_eq!(datum(&profile).unwrap().as_deref(), Some("absent"));
        profile.alterations.push(recorded(variant("TP53", "p.R175H")));
        assert!(datum(&profile).unwrap_err().to_string().contains("TP53 mutation"));
    }

    #[test]
    fn resistance_needs_its_share_or_the_limit_of_the_test() {
        let t790m = |profile: &GenomicProfile| Reading::of(&links(), profile).map(|reading| reading.movements[6].clone());
        let mut profile = GenomicProfile::default();
        biomarker(&mut profile, "EGFR T790M limit", number(0.1, "%"));
        assert!(t790m(&profile).unwrap().factor() < 1.0);
        profile.alterations.push(recorded(variant("EGFR", "p.L858R")));
        assert!(t790m(&profile).unwrap().finding.unwrap().contains("not found"));
        profile.alterations.push(recorded(variant("EGFR", "p.T790M")));
        assert!(t790m(&profile).unwrap_err().to_string().contains("depth"));
    }
}
