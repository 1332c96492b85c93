//! Units of the laboratory: from mass to amount of substance and back, where the substance is known.
//!
//! ```
//! use twin_core::{Observable, Quantity};
//! use twin_io::lab;
//! let reading = Quantity::new(300.0, "ng/dL")?;
//! let testosterone = lab::convert(&Observable::TESTOSTERONE, &reading, &"nmol/L".parse()?)?;
//! assert!((testosterone.value() - 10.40).abs() < 0.01);
//! // What PSA weighs depends on what is bound to it.
//! assert!(lab::convert(&Observable::PSA, &Quantity::new(4.0, "ng/mL")?, &"nmol/L".parse()?).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use crate::{IoError, Place};
use twin_core::{Entry, Event, Finding, Observable, Observation, Patient, Quantity, Timeline, Unit};

/// Analytes by the names of their observables, with the atoms of carbon, hydrogen, nitrogen, oxygen and calcium of a molecule. Proteins
/// are not among them: what they weigh depends on what is bound to them. Urea is the whole molecule, not its nitrogen.
const ANALYTES: [(&str, [f64; 5]); 10] = [
    ("testosterone", [19.0, 28.0, 0.0, 2.0, 0.0]),
    ("creatinine", [4.0, 7.0, 3.0, 1.0, 0.0]),
    ("bilirubin", [33.0, 36.0, 4.0, 6.0, 0.0]),
    ("glucose", [6.0, 12.0, 0.0, 6.0, 0.0]),
    ("urea", [1.0, 4.0, 2.0, 1.0, 0.0]),
    ("uric_acid", [5.0, 4.0, 4.0, 3.0, 0.0]),
    ("estradiol", [18.0, 24.0, 0.0, 2.0, 0.0]),
    ("cortisol", [21.0, 30.0, 0.0, 5.0, 0.0]),
    ("cholesterol", [27.0, 46.0, 0.0, 1.0, 0.0]),
    ("calcium", [0.0, 0.0, 0.0, 0.0, 1.0]),
];

/// Standard atomic weights of these elements, abridged to five digits (IUPAC 2021, doi:10.1515/pac-2019-0603; the values are recalled).
const WEIGHTS: [f64; 5] = [12.011, 1.008, 14.007, 15.999, 40.078];

/// Grams per mole of an analyte; `None` for one that is not known.
#[must_use]
pub fn molar_mass(analyte: &Observable) -> Option<f64> {
    let (_, atoms) = ANALYTES.iter().find(|(name, _)| *name == analyte.as_str())?;
    Some(atoms.iter().zip(WEIGHTS).map(|(count, weight)| count * weight).sum())
}

/// A reading of `analyte` in the unit `to`.
///
/// # Errors
/// [`IoError::Invalid`] with the name of the analyte as its field, if the units measure different things: also mass and amount of
/// substance, for an analyte whose molar mass is not known.
pub fn convert(analyte: &Observable, reading: &Quantity, to: &Unit) -> Result<Quantity, IoError> {
    let converted = match molar_mass(analyte) {
        Some(mass) => reading.unit().convert_with_molar_mass(reading.value(), to, mass),
        None => reading.unit().convert(reading.value(), to),
    };
    converted.and_then(|value| Quantity::new(value, to.clone())).map_err(|_| {
        let known: Vec<&str> = ANALYTES.iter().map(|(name, _)| *name).collect();
        let rule = format!(
            "does not convert to {to}; between mass and amount of substance these convert, whose molar mass is known: {}",
            known.join(", ")
        );
        Place::default().field(analyte.as_str()).invalid(rule)
    })
}

/// The same patient with every number of `analyte` in the unit `to`, standard errors and limits of quantification included.
///
/// # Errors
/// As [`convert`].
pub fn harmonized(patient: &Patient, analyte: &Observable, to: &Unit) -> Result<Patient, IoError> {
    let finding = |finding: &Finding| match finding {
        Finding::Measured { quantity, standard_error: Some(error), .. } => {
            let error = convert(analyte, &Quantity::new(*error, quantity.unit().clone()).map_err(|_| fault(analyte))?, to)?;
            Finding::measured_with_error(convert(analyte, quantity, to)?, error.value()).map_err(|_| fault(analyte))
        }
        Finding::Measured { quantity, .. } => convert(analyte, quantity, to).map(Finding::measured),
        Finding::Below(limit) => convert(analyte, limit, to).map(Finding::Below),
        Finding::Above(limit) => convert(analyte, limit, to).map(Finding::Above),
        other => Ok(other.clone()),
    };
    let entry = |entry: &Entry| match &entry.event {
        Event::Observation(observation) if observation.observable == *analyte => {
            let event = Event::Observation(Observation::new(analyte.clone(), finding(&observation.finding)?));
            Ok(Entry { time: entry.time, event, provenance: entry.provenance.clone() })
        }
        _ => Ok(entry.clone()),
    };
    let timeline: Result<Timeline, IoError> = patient.timeline.entries().iter().map(entry).collect();
    Ok(Patient { timeline: timeline?, ..patient.clone() })
}

fn fault(analyte: &Observable) -> IoError {
    Place::default().field(analyte.as_str()).invalid("the standard error does not convert: the scale is not linear")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use twin_core::{Provenance, SubjectId, Time};

    fn converted(analyte: &str, value: f64, from: &str, to: &str) -> f64 {
        let reading = Quantity::new(value, from).unwrap();
        convert(&Observable::new(analyte).unwrap(), &reading, &to.parse().unwrap()).unwrap().value()
    }

    #[test]
    fn laboratories_agree() {
        for (analyte, value, from, to, expected, digit) in [
            ("creatinine", 1.0, "mg/dL", "umol/L", 88.4, 0.05),
            ("testosterone", 1.0, "ng/mL", "nmol/L", 3.467, 0.0005),
            ("bilirubin", 1.0, "mg/dL", "umol/L", 17.1, 0.05),
            ("glucose", 100.0, "mg/dL", "mmol/L", 5.55, 0.005),
            ("calcium", 10.0, "mg/dL", "mmol/L", 2.495, 0.0005),
            ("cortisol", 27.59, "nmol/L", "ug/dL", 1.0, 0.0005),
            ("estradiol", 1.0, "pg/mL", "pmol/L", 3.671, 0.0005),
        ] {
            let ours = converted(analyte, value, from, to);
            assert!((ours - expected).abs() <= digit, "{analyte}: {ours}");
        }
        // Without a change of kind no molar mass is needed.
        assert!((converted("psa", 4.0, "ng/mL", "ug/L") - 4.0).abs() < 1e-12);
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for (analyte, from, to) in [("psa", "ng/mL", "nmol/L"), ("testosterone", "ng/mL", "mm3"), ("hemoglobin", "g/dL", "mmol/L")]
        {
            let error = convert(&Observable::new(analyte).unwrap(), &Quantity::new(4.25, from).unwrap(), &to.parse().unwrap());
            let message = error.unwrap_err().to_string();
            assert!(message.contains(analyte) && message.contains("creatinine") && !message.contains("4.25"), "{message}");
        }
    }

    #[test]
    fn a_record_is_brought_to_one_unit() {
        let at = |unit: &str, value, make: fn(Quantity) -> Finding| {
            Event::Observation(Observation::new(Observable::TESTOSTERONE, make(Quantity::new(value, unit).unwrap())))
        };
        let with_error = |quantity| Finding::measured_with_error(quantity, 10.0).unwrap();
        let patient = [at("ng/dL", 300.0, with_error), at("nmol/L", 0.5, Finding::Below), at("ng/mL", 15.0, Finding::Above)]
            .into_iter()
            .fold(Patient::new(SubjectId::new("S").unwrap()), |patient, event| {
                patient.with(Time::ORIGIN, event, Provenance::measured("lab"))
            });
        let patient = harmonized(&patient, &Observable::TESTOSTERONE, &"nmol/L".parse().unwrap()).unwrap();
        let findings: Vec<_> = patient.timeline.observations().map(|(_, observation)| observation.finding.clone()).collect();
        let Finding::Measured { quantity, standard_error: Some(error), .. } = &findings[0] else { panic!("{findings:?}") };
        assert!((quantity.value() / error - 30.0).abs() < 1e-9);
        assert_eq!(findings[1], Finding::Below(Quantity::new(0.5, "nmol/L").unwrap()));
        assert!(matches!(&findings[2], Finding::Above(limit) if (limit.value() - 52.01).abs() < 0.01));
        assert!(harmonized(&patient, &Observable::TESTOSTERONE, &"mm".parse().unwrap()).is_err());
    }
}
