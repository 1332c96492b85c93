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

/// The step of a difference as a share of the parameter: at order 4 its own error is below 1e-8 of most derivatives.
const STEP: f64 = 1e-4;
/// The step for a model that cannot be refined: the tolerance of its integrator over the step must stay below what is asked for.
const COARSE_STEP: f64 = 1e-2;
/// How much finer than usual the integrator works for a difference: its error over the step must not drown the derivative.
const FINER: f64 = 1e-5;
/// One case in so many is compared with differences, which cost five fine courses; the bits of values are compared in all.
const SPARSE: usize = 4;
/// The directions carried along: more than one pass of the differentiated course.
const CARRIED: usize = 5;

/// A course that carries its derivatives shows the same bits as one that does not, and they agree with central differences by parameters
/// to [`SENSITIVITY_AGREEMENT`], across treatments. Each case takes another parameter. A model that is not
/// [`Differentiable`](crate::Differentiable) must not start courses that claim to be; one that cannot be [refined](Model::refined) is held
/// to [`Settings::agreement`].
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
        match (by.first(), refined.as_deref()) {
            (Some(&place), Some(fine)) if turn % SPARSE == 0 => compare(case, fine, place, (STEP, SENSITIVITY_AGREEMENT)),
            (Some(&place), None) if turn % SPARSE == 0 => compare(case, case.model, place, (COARSE_STEP, settings.agreement)),
            _ => Ok(()),
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

/// Compares the derivatives by the parameter at `place` with central differences of order 4.
fn compare(case: &Case<'_>, model: &dyn Model, place: usize, (step, agreement): (f64, f64)) -> Result<(), Fault> {
    let Some(parameter) = case.spec.parameters.get(place) else { return Ok(()) };
    let Some(differentiable) = model.differentiable() else { return Err(Fault("refined, it has no derivatives".to_owned())) };
    let value = case.parameters.values().get(place).copied().unwrap_or(parameter.default);
    let middle = inside(value, step, parameter.low, parameter.high);
    let by = step * middle.abs();
    let at = |value: f64| -> Result<Case<'_>, SimulationError> {
        let mut parameters = case.parameters.clone();
        parameters.set(place, value)?;
        let (settings, spec, doses) = (case.settings, case.spec.clone(), case.doses.clone());
        Ok(Case { model, settings, spec, parameters, doses, seed: case.seed })
    };
    let seen = |offset: f64| -> Result<Vec<Look>, SimulationError> {
        let moved = at(middle + offset * by)?;
        moved.live(Time::ORIGIN, &moved.schedule()?, &moved.looks())
    };
    let (values, slopes) = differentiated(&at(middle)?, differentiable, &[place])?;
    let [far_below, below, above, far_above] = [seen(-2.0)?, seen(-1.0)?, seen(1.0)?, seen(2.0)?];
    for observable in 0..case.spec.observables.len() {
        let value =
            |looks: &[Look], look: usize| looks.get(look).and_then(|look| look.values.get(observable)).copied().unwrap_or(f64::NAN);
        let mut pairs = Vec::new();
        let (mut of_slopes, mut of_values) = (0.0_f64, 0.0_f64);
        for (look, row) in slopes.iter().enumerate() {
            let near = value(&above, look) - value(&below, look);
            let far = value(&far_above, look) - value(&far_below, look);
            // By the logarithm of the parameter, so that both are of the size of the value.
            let difference = (8.0 * near - far) / (12.0 * step) * middle.signum();
            let slope = row.get(observable).copied().unwrap_or(f64::NAN) * middle;
            of_slopes = of_slopes.max(slope.abs());
            of_values = of_values.max(value(&values, look).abs());
            pairs.push((look, slope, difference));
        }
        let limit = agreement * (of_slopes + of_values);
        if let Some((look, slope, difference)) =
            pairs.into_iter().find(|(_, slope, difference)| (slope - difference).abs() > limit || (slope - difference).is_nan())
        {
            let (what, name) = (case.spec.observables.get(observable).map(|known| known.observable.to_string()), &parameter.name);
            let day = case.looks().get(look).copied().unwrap_or(f64::NAN);
            return Err(Fault(format!(
                "after {day} days the derivative of `{}` by the logarithm of `{name}` at {middle:?} is {slope:?}, but the difference is \
                 {difference:?}; at most {limit:e} between them is explained",
                what.unwrap_or_default()
            )));
        }
    }
    Ok(())
}

/// `value`, moved so that differences around it stay in the range and away from 0.
fn inside(value: f64, step: f64, low: f64, high: f64) -> f64 {
    let width = high - low;
    let value =
        if value.abs() < 1e-3 * width && low <= 0.0 { if high >= -low { 1e-3 * width } else { -1e-3 * width } } else { value };
    let margin = 3.0 * step * value.abs();
    value.min(high - margin).max(low + margin)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Registry;
    use crate::composition::Description;
    use twin_core::Span;

    #[test]
    fn registered_and_composed_models_have_the_derivatives_of_their_differences() {
        let settings = Settings { cases: 2, horizon: Span::from_weeks(12.0).unwrap(), ..Settings::default() };
        let mut broken = Vec::new();
        for model in Registry::standard().unwrap().iter() {
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
