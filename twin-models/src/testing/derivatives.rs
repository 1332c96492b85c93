//! The law of courses that carry their derivatives.

use super::case::{Case, for_each};
use super::course::{Course, Fault, Look};
use super::{Settings, Violation};
use crate::{Differentiable, Direction, Model, SimulationError};
use std::cell::Cell;
use twin_core::Time;

/// How closely derivatives must agree with central differences, as a share of the largest magnitudes that the value and its derivative by
/// the logarithm of the parameter reach in the course, together.
pub const SENSITIVITY_AGREEMENT: f64 = 1e-6;

/// The widest step of a difference as a share of the parameter, and how many there are, each half as wide as the one before.
const WIDEST: f64 = 4e-3;
const LEVELS: usize = 5;
/// The widest step for a model that cannot be refined: the tolerance of its integrator over the step must stay below what is asked for.
const WIDEST_UNREFINED: f64 = 4e-2;
/// How much finer than usual the integrator works for a difference: its error over the step must not drown the derivative.
const FINER: f64 = 1e-5;
/// One case in so many is compared with differences, which cost ten fine courses; the bits of values are compared in all.
const SPARSE: usize = 8;
/// The directions carried along: more than one pass of the differentiated course.
const CARRIED: usize = 5;

/// A course that carries its derivatives shows the same bits as one that does not, and they agree with central differences by parameters, extrapolated
/// to a step of nothing, to [`SENSITIVITY_AGREEMENT`], across treatments. Each case takes another parameter. A model that is not
/// [`Differentiable`](crate::Differentiable) must not start courses that claim to be; one that cannot be [refined](Model::refined) is held
/// to [`Settings::agreement`]. What the absolute tolerance of an observable makes of the narrowest step is not held against it.
///
/// Where rates have a corner (a greater or lesser of two), derivatives are exact only to about the square root of the integrator's tolerance: a model
/// that has one does not obey this law.
///
/// # Errors
/// The [`Violation`].
pub fn sensitivities_agree(model: &dyn Model, settings: &Settings) -> Result<usize, Violation> {
    let Some(differentiable) = model.differentiable() else {
        return for_each("sensitivities_agree", model, settings, |case| match case.start(Time::ORIGIN)?.sensitivities() {
            None => Ok(()),
            Some(_) => Err(Fault("the course carries derivatives, but the model says that it has none".to_owned())),
        });
    };
    let count = model.spec().parameters.len();
    let (refined, number) = (model.refined(FINER), Cell::new(0));
    for_each("sensitivities_agree", model, settings, |case| {
        let turn = number.replace(number.get() + 1);
        let by: Vec<usize> = (0..count.min(CARRIED)).map(|offset| (turn + offset) % count).collect();
        same_values(case, differentiable, &by)?;
        if count == 0 || turn % SPARSE > 0 {
            return Ok(());
        }
        let place = (turn / SPARSE) % count;
        match refined.as_deref() {
            Some(fine) => compare(case, fine, place, (WIDEST, SENSITIVITY_AGREEMENT, FINER)),
            None => compare(case, case.model, place, (WIDEST_UNREFINED, settings.agreement, 1.0)),
        }
    })
}

/// The course with its derivatives by the parameters at `by`, at each look; values, and rows of derivatives.
fn differentiated(
    case: &Case<'_>,
    differentiable: &dyn Differentiable,
    by: &[usize],
) -> Result<(Vec<Look>, Vec<Vec<f64>>), SimulationError> {
    let schedule = case.schedule()?;
    let by: Vec<Direction> = by.iter().map(|&place| Direction::Parameter(place)).collect();
    let simulation = differentiable.start_differentiated(&case.parameters, Time::ORIGIN, &by)?;
    let mut course = Course::of(case, Time::ORIGIN, &schedule, simulation);
    let mut slopes = Vec::new();
    for day in case.looks() {
        course.look(day)?;
        let mut row = vec![f64::NAN; case.spec.observables.len() * by.len()];
        if let Some(sensitivities) = course.simulation.sensitivities() {
            sensitivities.observe(&mut row);
        }
        slopes.push(row);
    }
    Ok((course.looks, slopes))
}

fn same_values(case: &Case<'_>, differentiable: &dyn Differentiable, by: &[usize]) -> Result<(), Fault> {
    let plain = case.live(Time::ORIGIN, &case.schedule()?, &case.looks())?;
    let (carried, _) = differentiated(case, differentiable, by)?;
    case.same_bits(["in a plain course", "in one that carries its derivatives"], &plain, &carried)
}

/// Compares the derivatives by the parameter at `place` with extrapolated central differences of at most `widest`.
fn compare(case: &Case<'_>, model: &dyn Model, place: usize, (widest, agreement, finer): (f64, f64, f64)) -> Result<(), Fault> {
    let Some(parameter) = case.spec.parameters.get(place) else { return Ok(()) };
    let Some(differentiable) = model.differentiable() else { return Err(Fault("refined, it has no derivatives".to_owned())) };
    let value = case.parameters.values().get(place).copied().unwrap_or(parameter.default);
    let middle = inside(value, widest, parameter.low, parameter.high);
    let at = |value: f64| -> Result<Case<'_>, SimulationError> {
        let mut parameters = case.parameters.clone();
        parameters.set(place, value)?;
        let (settings, spec, doses) = (case.settings, case.spec.clone(), case.doses.clone());
        Ok(Case { model, settings, spec, parameters, doses, seed: case.seed })
    };
    let seen = |share: f64| -> Result<Vec<Look>, SimulationError> {
        let moved = at(middle + share * middle.abs())?;
        moved.live(Time::ORIGIN, &moved.schedule()?, &moved.looks())
    };
    let (values, slopes) = differentiated(&at(middle)?, differentiable, &[place])?;
    let steps: [f64; LEVELS] = std::array::from_fn(|level| widest * 0.5_f64.powi(level as i32));
    let pairs = steps.map(|step| Ok::<_, SimulationError>((seen(-step)?, seen(step)?)));
    let pairs = pairs.into_iter().collect::<Result<Vec<_>, _>>()?;
    for (observable, known) in case.spec.observables.iter().enumerate() {
        let value =
            |looks: &[Look], look: usize| looks.get(look).and_then(|look| look.values.get(observable)).copied().unwrap_or(f64::NAN);
        // By the logarithm of the parameter, so that all are of the size of the value.
        let slope = |row: &[f64]| row.get(observable).copied().unwrap_or(f64::NAN) * middle;
        let of_values = (0..slopes.len()).map(|look| value(&values, look).abs()).fold(0.0, f64::max);
        let of_slopes = slopes.iter().map(|row| slope(row).abs()).fold(0.0, f64::max);
        let noise = known.absolute_tolerance * finer / steps.last().copied().unwrap_or(widest);
        let limit = agreement * (of_slopes + of_values) + noise;
        for (look, row) in slopes.iter().enumerate() {
            let mut differences = [f64::NAN; LEVELS];
            for ((difference, (below, above)), step) in differences.iter_mut().zip(&pairs).zip(steps) {
                *difference = (value(above, look) - value(below, look)) / (2.0 * step) * middle.signum();
            }
            let (slope, difference) = (slope(row), extrapolated(differences));
            if (slope - difference).abs() > limit || (slope - difference).is_nan() {
                let (what, name) = (&known.observable, &parameter.name);
                let day = case.looks().get(look).copied().unwrap_or(f64::NAN);
                return Err(Fault(format!(
                    "after {day} days the derivative of `{what}` by the logarithm of `{name}` at {middle:?} is {slope:?}, but the difference is \
                     {difference:?}; at most {limit:e} between them is explained",
                )));
            }
        }
    }
    Ok(())
}

/// The limit of central differences whose steps halve from one to the next: of all extrapolations the one that differs least from those that it is
/// made of (Ridders 1982, doi:10.1016/S0141-1195(82)80057-0).
fn extrapolated(differences: [f64; LEVELS]) -> f64 {
    let (mut column, mut best, mut least) = (differences, f64::NAN, f64::INFINITY);
    for order in 1..LEVELS {
        let (factor, before) = (4.0_f64.powi(order as i32), column);
        for level in order..LEVELS {
            let (wide, narrow) = (before[level - 1], before[level]);
            column[level] = (factor * narrow - wide) / (factor - 1.0);
            let apart = (column[level] - narrow).abs().max((column[level] - wide).abs());
            if apart < least {
                (best, least) = (column[level], apart);
            }
        }
    }
    best
}

/// `value`, moved so that differences around it stay in the range and away from 0.
fn inside(value: f64, step: f64, low: f64, high: f64) -> f64 {
    let width = high - low;
    let value =
        if value.abs() < 1e-3 * width && low <= 0.0 { if high >= -low { 1e-3 * width } else { -1e-3 * width } } else { value };
    let margin = 1.5 * step * value.abs();
    value.min(high - margin).max(low + margin)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Registry;
    use crate::composition::Description;
    use twin_core::Span;

    #[test]
    fn differences_are_extrapolated_to_a_step_of_nothing() {
        let f = |x: f64| (30.0 * x).exp();
        let differences = std::array::from_fn(|level| {
            let step = 0.04 * 0.5_f64.powi(level as i32);
            (f(step) - f(-step)) / (2.0 * step)
        });
        assert!((extrapolated(differences) - 30.0).abs() < 1e-9, "{}", extrapolated(differences));
        assert!((differences[LEVELS - 1] - 30.0).abs() > 1e-3 && extrapolated([f64::NAN; LEVELS]).is_nan());
    }

    #[test]
    fn registered_and_composed_models_have_the_derivatives_of_their_differences() {
        let settings = Settings { cases: 2, horizon: Span::from_weeks(12.0).unwrap(), ..Settings::default() };
        let mut broken = Vec::new();
        for model in Registry::standard().unwrap().iter().filter(|model| model.spec().id != "exponential_linear") {
            broken.extend(sensitivities_agree(model.as_ref(), &settings).err().map(|violation| violation.to_string()));
        }
        let short = Settings { cases: 0, horizon: Span::from_weeks(2.0).unwrap(), drug_dose: 200.0, ..settings };
        for text in ["gompertz + lq_clearing + simeoni(paclitaxel) + friberg(paclitaxel)", "logistic + lq + emax(nivolumab)"] {
            let model = text.parse::<Description>().unwrap().build("composed").unwrap();
            broken.extend(sensitivities_agree(model.as_ref(), &short).err().map(|violation| violation.to_string()));
        }
        assert!(broken.is_empty(), "{}", broken.join("\n"));
    }
}
