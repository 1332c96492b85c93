//! Laws of what a dose does.

use super::case::{Case, Dose, all, for_each};
use super::course::{Fault, Planned};
use super::{Settings, Violation};
use crate::{Model, ModelSpec, SimulationError, TreatmentKind};
use twin_core::Time;

/// Looks follow a dose after these shares of the horizon, so that an effect that passes quickly is seen.
const SOON: [f64; 4] = [1e-9, 1e-6, 1e-4, 1e-2];
/// The length of a course of doses in which each must count.
const COURSE: usize = 5;

/// A dose of nothing is no dose, whatever else is done and when.
///
/// # Errors
/// The [`Violation`].
pub fn zero_dose_is_no_dose(model: &dyn Model, settings: &Settings) -> Result<usize, Violation> {
    for_each("zero_dose_is_no_dose", model, settings, |case| {
        let mut doses: Vec<Dose> = Vec::new();
        for (place, known) in case.spec.treatments.iter().enumerate() {
            // Continuous therapy at none is off, which is nothing only before it was on.
            let slots = if known.kind == TreatmentKind::Continuous { vec![0.0] } else { vec![0.0, 4.0, 7.5, 15.0] };
            doses.extend(slots.into_iter().map(|slot| Dose { share: 0.0, ..Dose::full(place, slot) }));
        }
        let zeros = case.schedule_of(&doses)?;
        let without = case.schedule()?;
        let mut with: Vec<Planned> = zeros.iter().chain(&without).cloned().collect();
        with.sort_by(|a, b| a.day.total_cmp(&b.day));
        let days = case.looks();
        let (one, other) = (case.live(Time::ORIGIN, &without, &days)?, case.live(Time::ORIGIN, &with, &days)?);
        case.agree(["without doses of nothing", "with them"], &one, &other)
    })
}

/// Every treatment understood does something with the default parameters, at full dose: at the start, between looks and at a look.
///
/// # Errors
/// The [`Violation`].
pub fn treatments_act(model: &dyn Model, settings: &Settings) -> Result<usize, Violation> {
    let law = "treatments_act";
    let case = Case::defaults(law, model, settings)?;
    let mut count = 0;
    for place in 0..case.spec.treatments.len() {
        for slot in [0.0, 5.0, 5.3, 6.0] {
            let dose = [Dose::full(place, slot)];
            let fail = |fault: Fault| case.violation(law, &case.schedule_of(&dose).unwrap_or_default(), fault);
            if !dose_matters(&case, &dose, &[]).map_err(fail)? {
                return Err(fail(Fault("the course is as without it, at every later look".to_owned())));
            }
            count += 1;
        }
    }
    Ok(count)
}

/// Every dose of several counts, with some parameters of the ranges at least: the second of two at one time, of one treatment or of two
/// (continuous therapy set to full twice is set once, so it is left out), and each in a course.
///
/// # Errors
/// The [`Violation`].
pub fn every_dose_acts(model: &dyn Model, settings: &Settings) -> Result<usize, Violation> {
    let law = "every_dose_acts";
    let mut count = 0;
    for (with, without) in pairs_of_doses(model.spec()) {
        let mut found = false;
        for case in all(law, model, settings)? {
            let fail = |fault: Fault| case.violation(law, &case.schedule_of(&with).unwrap_or_default(), fault);
            if dose_matters(&case, &with, &without).map_err(fail)? {
                found = true;
                break;
            }
        }
        if !found {
            let case = Case::defaults(law, model, settings)?;
            let schedule = case.schedule_of(&with).unwrap_or_default();
            let (with, without) = (with.len(), without.len());
            let detail =
                format!("of these {with} doses {} is dropped, with any parameters: {without} of them do the same", with - without);
            return Err(case.violation(law, &schedule, Fault(detail)));
        }
        count += 1;
    }
    Ok(count)
}

/// Lists of doses that must differ in effect: with one dose, and without it.
fn pairs_of_doses(spec: &ModelSpec) -> Vec<(Vec<Dose>, Vec<Dose>)> {
    let mut pairs = Vec::new();
    let level = |place: usize| spec.treatments.get(place).is_some_and(|known| known.kind == TreatmentKind::Continuous);
    let count = spec.treatments.len();
    // Half a dose, so that a second one has something left to do.
    let half = |place: usize, slot: f64| Dose { share: 0.5, ..Dose::full(place, slot) };
    for first in 0..count {
        for second in (0..count).filter(|&second| !(second == first && level(first))) {
            for slot in [0.0, 6.0, 6.5] {
                let both = vec![half(first, slot), half(second, slot)];
                pairs.push((both, vec![half(first, slot)]));
            }
        }
        if !level(first) {
            // The last dose of every beginning of a course, so that a dose dropped by its number is missed once.
            let course: Vec<_> = (0..COURSE).map(|number| half(first, 2.0 + 1.5 * number as f64)).collect();
            pairs.extend(course.iter().enumerate().map(|(before, _)| (course[..=before].to_vec(), course[..before].to_vec())));
        }
    }
    pairs
}

/// Whether the course with the doses `with` differs from that with the doses `without`.
fn dose_matters(case: &Case<'_>, with: &[Dose], without: &[Dose]) -> Result<bool, Fault> {
    let (with, without) = (case.schedule_of(with)?, case.schedule_of(without)?);
    let mut days = case.looks();
    days.extend(with.iter().flat_map(|dose| SOON.map(|share| dose.day + share * case.horizon())));
    days.retain(|day| *day <= case.horizon());
    days.sort_by(f64::total_cmp);
    let live = |schedule: &[Planned]| -> Result<_, SimulationError> { case.live(Time::ORIGIN, schedule, &days) };
    Ok(case.differs(&live(&with)?, &live(&without)?))
}
