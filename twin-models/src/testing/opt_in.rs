//! Laws that not every model has to obey.

use super::case::{Case, Dose, for_each};
use super::course::{Course, Fault};
use super::{Settings, Violation};
use crate::{Model, Parameters, SimulationError, TreatmentKind};
use twin_core::{Observable, Time};

/// The shares that a schedule is weakened to.
const WEAKER: [f64; 3] = [0.75, 0.5, 0.0];

/// A stronger schedule never leaves more of `observable` than the same schedule at a share of every dose.
///
/// A model in which sensitive cells hold resistant ones down breaks this law, and should.
///
/// # Errors
/// The [`Violation`]; also if the model has no such observable, or understands no treatment.
pub fn more_dose_never_more_tumor(model: &dyn Model, settings: &Settings, observable: &Observable) -> Result<usize, Violation> {
    for_each("more_dose_never_more_tumor", model, settings, |case| {
        if case.spec.treatments.is_empty() {
            return Err(Fault("the model understands no treatment, so there is no dose to compare".to_owned()));
        }
        let (place, days) = (case.spec.index_of(observable)?, case.looks());
        let burden = |share: f64| -> Result<Vec<f64>, Fault> {
            let doses: Vec<_> = case.doses.iter().map(|dose| Dose { share: share * dose.share, ..*dose }).collect();
            let looks = case.live(Time::ORIGIN, &case.schedule_of(&doses)?, &days)?;
            Ok(looks.iter().filter_map(|look| look.values.get(place).copied()).collect())
        };
        let full = burden(1.0)?;
        for share in WEAKER {
            let weak = burden(share)?;
            let scale = full.iter().chain(&weak).fold(0.0_f64, |scale, value| scale.max(value.abs()));
            for ((more, less), day) in full.iter().zip(&weak).zip(&days) {
                if more - less > settings.agreement * scale {
                    let what = format!("after {day} days `{observable}` is {more:?}, but {less:?} at {share} of every dose");
                    return Err(what.into());
                }
            }
        }
        Ok(())
    })
}

/// What `conserved` makes of the states stays as it is between treatments (those that act over time are left out).
///
/// # Errors
/// The [`Violation`]; also if the model does not offer its state.
pub fn mass_balance(model: &dyn Model, settings: &Settings, conserved: impl Fn(&[f64]) -> f64) -> Result<usize, Violation> {
    for_each("mass_balance", model, settings, |case| {
        let at_once = |dose: &&Dose| {
            let kind = case.spec.treatments.get(dose.place).map(|known| known.kind);
            !matches!(kind, Some(TreatmentKind::Infusion | TreatmentKind::Continuous))
        };
        let doses: Vec<_> = case.doses.iter().filter(at_once).copied().collect();
        let schedule = case.schedule_of(&doses)?;
        let mut course = Course::begin(case, Time::ORIGIN, &[])?;
        let mut days: Vec<(f64, Option<usize>)> = case.looks().into_iter().map(|day| (day, None)).collect();
        days.extend(schedule.iter().enumerate().map(|(index, dose)| (dose.day, Some(index))));
        days.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut before = balance(&course, &conserved)?;
        for (day, treatment) in days {
            course.go(day)?;
            let after = balance(&course, &conserved)?;
            let scale = before.0.abs().max(after.0.abs()).max(before.1).max(after.1);
            let gap = after.0 - before.0;
            if gap.is_nan() || gap.abs() > settings.agreement * scale {
                return Err(format!("the balance was {:?}, but is {:?} after {day} days", before.0, after.0).into());
            }
            if let Some(dose) = treatment.and_then(|index| schedule.get(index)) {
                course.simulation.treat(&dose.treatment)?;
                before = balance(&course, &conserved)?;
            }
        }
        Ok(())
    })
}

/// The balance, and the largest magnitude among the states.
fn balance(course: &Course<'_>, conserved: impl Fn(&[f64]) -> f64) -> Result<(f64, f64), Fault> {
    match course.simulation.state() {
        Some(state) => Ok((conserved(&state), state.iter().fold(0.0, |largest, value| value.abs().max(largest)))),
        None => Err(Fault("the course does not offer its state".to_owned())),
    }
}

/// The untreated course of `parameters` is the one that is known in closed form: `expected` gives `observable` some days after the
/// start; `tolerance` is relative to the expected value.
///
/// ```
/// use twin_core::Observable;
/// use twin_models::{Model, growth, testing};
/// let model = growth::exponential();
/// let parameters = model.spec().defaults()?.with("growth_rate", 0.01)?.with("initial_volume", 50.0)?;
/// let expected = |days: f64| 50.0 * (0.01 * days).exp();
/// let settings = testing::Settings::default();
/// let looks = testing::analytic_limit(&model, &settings, &parameters, &Observable::TUMOR_VOLUME, expected, 1e-6);
/// assert!(looks.is_ok_and(|looks| looks > 10));
/// # Ok::<(), twin_models::SimulationError>(())
/// ```
///
/// # Errors
/// The [`Violation`]; also if the model has no such observable.
pub fn analytic_limit(
    model: &dyn Model,
    settings: &Settings,
    parameters: &Parameters,
    observable: &Observable,
    expected: impl Fn(f64) -> f64,
    tolerance: f64,
) -> Result<usize, Violation> {
    let law = "analytic_limit";
    let mut case = Case::defaults(law, model, settings)?;
    case.parameters = parameters.clone();
    let fail = |fault: Fault| case.violation(law, &[], fault);
    let seen =
        || -> Result<_, SimulationError> { Ok((case.spec.index_of(observable)?, case.live(Time::ORIGIN, &[], &case.looks())?)) };
    let (place, looks) = seen().map_err(|error| fail(error.into()))?;
    for look in &looks {
        let (found, wanted) = (look.values.get(place).copied().unwrap_or(f64::NAN), expected(look.day));
        let gap = found - wanted;
        if gap.is_nan() || gap.abs() > tolerance * wanted.abs() {
            return Err(fail(Fault(format!("after {} days `{observable}` is {found:?}, but {wanted:?} in closed form", look.day))));
        }
    }
    Ok(looks.len())
}
