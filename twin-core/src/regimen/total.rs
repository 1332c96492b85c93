//! Totals of what is given.

use crate::{AbsorbedDose, Agent, CoreError, Fraction, Quantity, Target, TimedTreatment, Treatment};

/// The sum of the absorbed doses of all fractions to `target`; nothing is said of its biological effect.
///
/// ```
/// use twin_core::{AbsorbedDose, Regimen, Target, Time, Weekday, total_absorbed_dose};
/// let target = Target::new("prostate")?;
/// let plan = Regimen::fractions(20, AbsorbedDose::from_gray(3.0)?, target.clone()).on_weekdays(Weekday::Tuesday);
/// assert_eq!(total_absorbed_dose(&plan.starting(Time::ORIGIN)?, &target)?.gray(), 60.0);
/// # Ok::<(), twin_core::CoreError>(())
/// ```
///
/// # Errors
/// [`CoreError`] if the sum is not an absorbed dose.
pub fn total_absorbed_dose(treatments: &[TimedTreatment], target: &Target) -> Result<AbsorbedDose, CoreError> {
    let grays = treatments.iter().filter_map(|timed| match &timed.treatment {
        Treatment::Fraction(Fraction { dose, target: other }) if other == target => Some(dose.gray()),
        _ => None,
    });
    AbsorbedDose::from_gray(grays.fold(0.0, |sum, gray| sum + gray))
}

/// The sum of all doses of `agent`, by whichever route, in the UCUM unit `unit`.
///
/// # Errors
/// [`CoreError::Incommensurable`] if a dose is in another kind of unit (mg/m2 is not mg), [`CoreError::Unit`] for an unknown unit,
/// [`CoreError::Conflict`] if the agent is given continuously, for that is an intensity and no dose.
pub fn total_drug_dose(treatments: &[TimedTreatment], agent: &Agent, unit: &str) -> Result<Quantity, CoreError> {
    let mut total = 0.0;
    for timed in treatments.iter().filter(|timed| timed.treatment.agent() == Some(agent)) {
        total += match &timed.treatment {
            Treatment::Bolus { dose, .. } | Treatment::Infusion { dose, .. } | Treatment::Oral { dose, .. } => {
                dose.value_in(unit)?
            }
            other => {
                let detail = format!("`{other}` is not a dose, so it has no total in {unit}");
                return Err(CoreError::Conflict { what: "total dose of an agent", detail });
            }
        };
    }
    Quantity::new(total, unit)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::{Span, Time};

    fn agent(name: &str) -> Agent {
        Agent::new(name).unwrap()
    }

    fn quantity(value: f64, unit: &str) -> Quantity {
        Quantity::new(value, unit).unwrap()
    }

    #[test]
    fn sums_over_routes_and_units() {
        let treatments = [
            Treatment::bolus(agent("a"), quantity(250.0, "mg")).unwrap(),
            Treatment::oral(agent("a"), quantity(1.0, "g")).unwrap(),
            Treatment::infusion(agent("a"), quantity(750.0, "mg"), Span::DAY).unwrap(),
            Treatment::oral(agent("b"), quantity(5.0, "g")).unwrap(),
        ]
        .map(|treatment| TimedTreatment::new(Time::ORIGIN, treatment));
        let total = |unit| total_drug_dose(&treatments, &agent("a"), unit).map(|total| total.value());
        assert!((total("mg").unwrap() - 2000.0).abs() < 1e-9);
        assert!((total("g").unwrap() - 2.0).abs() < 1e-12);
        assert!(matches!(total("mg/m2"), Err(CoreError::Incommensurable { .. })));
        assert_eq!(total_drug_dose(&treatments, &agent("c"), "mg").unwrap().value(), 0.0);
        assert!(total_drug_dose(&treatments, &agent("c"), "no_unit").is_err());
    }

    #[test]
    fn continuous_therapy_has_no_total() {
        let treatments = [TimedTreatment::new(Time::ORIGIN, Treatment::on(agent("a")))];
        assert!(matches!(total_drug_dose(&treatments, &agent("a"), "mg"), Err(CoreError::Conflict { .. })));
    }
}
