//! Search along slopes: derivatives by the doses of a plan, and the descent that uses them.

use crate::TrialError;
use nalgebra::{DMatrix, DVector};
use twin_core::{AbsorbedDose, Fraction, Observable, Quantity, Random, Time, TimedTreatment, Treatment};
use twin_models::{Direction, Model, Parameters, Simulation};

/// What an observable comes to under a plan, and how it changes with each dose.
#[derive(Debug, Clone, PartialEq)]
pub struct DoseSlopes {
    /// The observable, in the unit of the model.
    pub value: f64,
    /// Its derivative by the dose of each treatment of the plan, in their order: per Gy, or per unit of the drug.
    pub slopes: Vec<f64>,
}

/// `observable` at `at` of a course that begins at `start` under `plan`, with its derivatives by the dose of every fraction and bolus.
///
/// A dose moves the state at once, and what a moved state comes to is known from the sensitivities of one course to its initial state: with `Φ`
/// those of the state just after the dose, and `r` those of the observable at the end, the derivative is `r Φ⁻¹ ∂x/∂dose`. Where the state forgets
/// its past so fast that `Φ` cannot be inverted to eight digits, as after the washout of a drug, the course is forked at the dose instead, with
/// slightly more of it, and lived through; that is good to about three digits.
///
/// # Errors
/// [`TrialError::NoSlope`] for a model without sensitivities or a state, or a treatment that is no fraction or bolus;
/// [`TrialError::PastOrder`] for a plan out of order; [`TrialError::Simulation`] if the course cannot go on.
pub fn dose_slopes(
    model: &dyn Model,
    parameters: &Parameters,
    start: Time,
    plan: &[TimedTreatment],
    observable: &Observable,
    at: Time,
) -> Result<DoseSlopes, TrialError> {
    let no_slope = |detail: &str| TrialError::NoSlope { detail: detail.to_owned() };
    let (spec, states) = (model.spec(), model.spec().states.len());
    let (place, observables) = (spec.index_of(observable)?, spec.observables.len());
    let differentiable = model.differentiable().ok_or_else(|| no_slope("the model carries no sensitivities"))?;
    let by: Vec<Direction> = (0..states).map(Direction::InitialState).collect();
    let mut course = differentiable.start_differentiated(parameters, start, &by)?;
    let mut plain = model.start(parameters, start, &mut Random::new(0))?;
    // For each dose either how the initial state would have had to move, or two forks with more of it.
    let (mut moved, mut forks) = (Vec::<Option<DVector<f64>>>::with_capacity(plan.len()), Vec::<Fork>::new());
    let mut last = start;
    for (index, given) in plan.iter().enumerate() {
        if given.time < last || given.time > at {
            return Err(TrialError::PastOrder { what: "treatment", index, at: given.time, from: last, until: at });
        }
        last = given.time;
        let (more, step) = more(&given.treatment)?;
        for course in forks.iter_mut().flat_map(|fork| &mut fork.courses).chain([&mut course, &mut plain]) {
            course.expect_stop(given.time);
            course.advance(given.time)?;
        }
        let jump = jump(plain.as_ref(), &given.treatment, &more, step, states)?;
        let courses = more.iter().map(|treatment| treated(plain.as_ref(), treatment)).collect::<Result<Vec<_>, _>>()?;
        for course in forks.iter_mut().flat_map(|fork| &mut fork.courses).chain([&mut course, &mut plain]) {
            course.treat(&given.treatment)?;
        }
        let (transition, _) = derivatives(course.as_ref(), states, observables, place)?;
        let inverse = transition.clone().try_inverse().filter(|inverse| inverse.norm() * transition.norm() < 1e8);
        if inverse.is_none() {
            forks.push(Fork { dose: index, step, courses });
        }
        moved.push(inverse.map(|inverse| inverse * jump));
    }
    let shown = |course: &mut dyn Simulation| -> Result<f64, TrialError> {
        course.advance(at)?;
        let mut values = vec![0.0; observables];
        course.observe(&mut values);
        Ok(values.get(place).copied().unwrap_or(f64::NAN))
    };
    let value = shown(course.as_mut())?;
    let (_, row) = derivatives(course.as_ref(), states, observables, place)?;
    let mut slopes: Vec<f64> = moved.into_iter().map(|moved| moved.map_or(f64::NAN, |moved| row.dot(&moved))).collect();
    let base = if forks.is_empty() { value } else { shown(plain.as_mut())? };
    for Fork { dose, step, mut courses } in forks {
        let values = courses.iter_mut().map(|course| shown(course.as_mut())).collect::<Result<Vec<_>, _>>()?;
        if let (Some(slope), [first, second]) = (slopes.get_mut(dose), values.as_slice()) {
            *slope = (4.0 * first - 3.0 * base - second) / (2.0 * step);
        }
    }
    Ok(DoseSlopes { value, slopes })
}

/// A course with more of one dose, by once and twice a step.
struct Fork {
    dose: usize,
    step: f64,
    courses: Vec<Box<dyn Simulation>>,
}

/// The derivatives of the state (states × states) and of one observable by the initial state.
fn derivatives(
    course: &dyn Simulation,
    states: usize,
    observables: usize,
    place: usize,
) -> Result<(DMatrix<f64>, DVector<f64>), TrialError> {
    let none = || TrialError::NoSlope { detail: "the course carries no sensitivities".to_owned() };
    let sensitivities = course.sensitivities().ok_or_else(none)?;
    let (mut dx, mut dy) = (vec![0.0; states * states], vec![0.0; observables * states]);
    sensitivities.state(&mut dx);
    sensitivities.observe(&mut dy);
    let row: Vec<f64> = dy.into_iter().skip(place * states).take(states).collect();
    Ok((DMatrix::from_row_slice(states, states, &dx), DVector::from_vec(row)))
}

/// A step in which a course changes by more than the error of its integration: a fiftieth of the dose, or of 1 where there is none.
fn step(dose: f64) -> f64 {
    0.02 * if dose > 0.0 { dose } else { 1.0 }
}

/// `treatment` with its dose raised by once and twice a step, and the step: a dose below 0 does not exist, so none is lowered.
fn more(treatment: &Treatment) -> Result<([Treatment; 2], f64), TrialError> {
    match treatment {
        Treatment::Fraction(Fraction { dose, target }) => {
            let step = step(dose.gray());
            let with = |times: f64| {
                Ok::<_, TrialError>(Treatment::fraction(AbsorbedDose::from_gray(dose.gray() + times * step)?, target.clone()))
            };
            Ok(([with(1.0)?, with(2.0)?], step))
        }
        Treatment::Bolus { agent, dose, .. } => {
            let step = step(dose.value());
            let with = |times: f64| {
                let dose = Quantity::new(dose.value() + times * step, dose.unit().clone())?;
                Ok::<_, TrialError>(Treatment::bolus(agent.clone(), dose)?)
            };
            Ok(([with(1.0)?, with(2.0)?], step))
        }
        other => Err(TrialError::NoSlope { detail: format!("`{other}` is neither a fraction nor a bolus") }),
    }
}

fn treated(course: &dyn Simulation, treatment: &Treatment) -> Result<Box<dyn Simulation>, TrialError> {
    let mut fork = course.fork();
    fork.treat(treatment)?;
    Ok(fork)
}

/// How the state moves with a dose, by the parabola through this one and two higher ones.
fn jump(
    course: &dyn Simulation,
    treatment: &Treatment,
    more: &[Treatment; 2],
    step: f64,
    states: usize,
) -> Result<DVector<f64>, TrialError> {
    let after = |treatment: &Treatment| {
        let fork = treated(course, treatment)?;
        match fork.state() {
            Some(state) if state.len() == states => Ok(DVector::from_column_slice(&state)),
            _ => Err(TrialError::NoSlope { detail: "the course does not show its state".to_owned() }),
        }
    };
    let [once, twice] = more;
    Ok((after(once)? * 4.0 - after(treatment)? * 3.0 - after(twice)?) / (2.0 * step))
}

/// Descent along slopes within bounds and, if there is one, a budget: spectral projected gradients (Birgin, Martínez and Raydan 2000,
/// doi:10.1137/S1052623497330963).
///
/// For doses that may take any value: a few tens of costs with their slopes, whatever the number of doses. It finds a minimum nearby, so start
/// it from several plans; it takes no whole numbers and no choices, and knows no limit but these.
///
/// ```
/// use twin_trials::planning::Descent;
/// // Nearest to (3, 1, -1) with coordinates from 0 to 2 that sum up to at most 2.
/// let away = [3.0, 1.0, -1.0];
/// let cost = |x: &[f64]| {
///     let slopes = x.iter().zip(&away).map(|(x, a)| 2.0 * (x - a)).collect();
///     Ok((x.iter().zip(&away).map(|(x, a)| (x - a) * (x - a)).sum(), slopes))
/// };
/// let method = Descent { budget: Some(2.0), ..Descent::within(vec![(0.0, 2.0); 3]) };
/// let found = method.minimize(&[0.5, 0.5, 0.5], &cost)?;
/// assert!(found.converged && (found.doses[0] - 2.0).abs() < 1e-6 && found.doses[1].abs() < 1e-6);
/// # Ok::<(), twin_trials::TrialError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Descent {
    /// The least and the greatest value of each dose.
    pub bounds: Vec<(f64, f64)>,
    /// What the doses may sum up to; `None` for no such limit.
    pub budget: Option<f64>,
    /// Steps at most.
    pub iterations: usize,
    /// It has converged when the projected slope would move no dose by more than this.
    pub tolerance: f64,
}

/// Where a [`Descent`] ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Descended {
    /// The doses; they keep the bounds and the budget.
    pub doses: Vec<f64>,
    /// Their cost.
    pub cost: f64,
    /// How often the cost was computed.
    pub evaluations: usize,
    /// Whether no step within the limits lowers the cost any more.
    pub converged: bool,
}

/// A cost with its derivatives by each dose.
pub type Slope<'a> = dyn Fn(&[f64]) -> Result<(f64, Vec<f64>), TrialError> + 'a;

impl Descent {
    /// A descent within `bounds`: 200 steps at most, to a millionth.
    #[must_use]
    pub fn within(bounds: Vec<(f64, f64)>) -> Self {
        Self { bounds, budget: None, iterations: 200, tolerance: 1e-6 }
    }

    /// Descends from `start`, which is first moved into the limits.
    ///
    /// # Errors
    /// [`TrialError::Length`] for lists that do not match; [`TrialError::OutOfRange`] for bounds the wrong way round, or a budget below the
    /// least doses; [`TrialError::NotFinite`] for a cost or slope that is not finite; what the cost itself returns.
    pub fn minimize(&self, start: &[f64], cost: &Slope<'_>) -> Result<Descended, TrialError> {
        self.check(start)?;
        let mut evaluations = 0;
        let mut at = |x: &[f64]| {
            evaluations += 1;
            let (value, slopes) = cost(x)?;
            let lengths = (slopes.len(), x.len());
            if lengths.0 != lengths.1 {
                let (what, reference) = ("the list of slopes", "the list of doses");
                return Err(TrialError::Length { what, found: lengths.0, reference, expected: lengths.1 });
            }
            match std::iter::once(&value).chain(&slopes).position(|number| !number.is_finite()) {
                Some(index) => Err(TrialError::NotFinite { what: "cost or slope", index, value }),
                None => Ok((value, slopes)),
            }
        };
        let mut x = self.projected(start);
        let (mut value, mut slopes) = at(&x)?;
        let (mut recent, mut length, mut converged) = (vec![value], 1.0, false);
        for _ in 0..self.iterations {
            let unit = self.step(&x, &slopes, 1.0);
            if unit.iter().all(|step| step.abs() <= self.tolerance) {
                converged = true;
                break;
            }
            let step = self.step(&x, &slopes, length);
            let falls: f64 = step.iter().zip(&slopes).map(|(step, slope)| step * slope).sum();
            let highest = recent.iter().rev().take(10).copied().fold(f64::NEG_INFINITY, f64::max);
            let (mut share, mut next) = (1.0_f64, None);
            while share > 1e-12 {
                let trial: Vec<f64> = x.iter().zip(&step).map(|(x, step)| x + share * step).collect();
                let (there, slopes_there) = at(&trial)?;
                if there <= highest + 1e-4 * share * falls {
                    next = Some((trial, there, slopes_there));
                    break;
                }
                share *= 0.5;
            }
            let Some((trial, there, slopes_there)) = next else { break };
            let moved: Vec<f64> = trial.iter().zip(&x).map(|(new, old)| new - old).collect();
            let bent: f64 = moved.iter().zip(slopes_there.iter().zip(&slopes)).map(|(moved, (new, old))| moved * (new - old)).sum();
            let squared: f64 = moved.iter().map(|moved| moved * moved).sum();
            length = if bent > 0.0 { (squared / bent).clamp(1e-8, 1e4) } else { 1e4 };
            (x, value, slopes) = (trial, there, slopes_there);
            recent.push(value);
        }
        Ok(Descended { doses: x, cost: value, evaluations, converged })
    }

    fn check(&self, start: &[f64]) -> Result<(), TrialError> {
        let (found, expected) = (start.len(), self.bounds.len());
        if found != expected {
            return Err(TrialError::Length { what: "the list of doses", found, reference: "the list of bounds", expected });
        }
        crate::statistics::finite("dose to start from", start)?;
        if let Some((index, &(low, _))) =
            self.bounds.iter().enumerate().find(|(_, (low, high))| !(low <= high && low.is_finite() && high.is_finite()))
        {
            let (what, valid) = ("lower bound of a dose", "finite, and at most the upper bound");
            return Err(TrialError::OutOfRange { what, index, value: low, valid });
        }
        let least: f64 = self.bounds.iter().map(|(low, _)| low).sum();
        match self.budget {
            Some(value) if !(value >= least && value.is_finite()) => Err(TrialError::OutOfRange {
                what: "budget",
                index: 0,
                value,
                valid: "finite, and at least the sum of the least doses",
            }),
            _ => Ok(()),
        }
    }

    /// From `x` along the slopes by `length`, and back into the limits.
    fn step(&self, x: &[f64], slopes: &[f64], length: f64) -> Vec<f64> {
        let there: Vec<f64> = x.iter().zip(slopes).map(|(x, slope)| x - length * slope).collect();
        self.projected(&there).iter().zip(x).map(|(new, old)| new - old).collect()
    }

    /// The nearest doses within the limits: all are lowered by the same amount, as far as their bounds let them, until the budget holds.
    fn projected(&self, x: &[f64]) -> Vec<f64> {
        let lowered =
            |by: f64| -> Vec<f64> { x.iter().zip(&self.bounds).map(|(x, (low, high))| (x - by).clamp(*low, *high)).collect() };
        let sum = |by: f64| lowered(by).iter().sum::<f64>();
        let Some(budget) = self.budget.filter(|budget| sum(0.0) > *budget) else { return lowered(0.0) };
        let (mut enough, mut less) = (x.iter().zip(&self.bounds).map(|(x, (low, _))| x - low).fold(0.0, f64::max), 0.0);
        for _ in 0..200 {
            let middle = f64::midpoint(less, enough);
            if sum(middle) > budget { less = middle } else { enough = middle }
        }
        lowered(enough)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use twin_core::{Agent, Target};
    use twin_models::composition::Description;
    use twin_models::{Scenario, simulate};

    fn fractions(doses: &[f64]) -> Vec<TimedTreatment> {
        let fraction = |gray: f64| Treatment::fraction(AbsorbedDose::from_gray(gray).unwrap(), Target::new("tumor").unwrap());
        let at = |(day, gray): (usize, &f64)| TimedTreatment::new(Time::from_days(day as f64).unwrap(), fraction(*gray));
        doses.iter().enumerate().map(at).collect()
    }

    fn slopes(description: &str, plan: &[TimedTreatment]) -> (DoseSlopes, Vec<f64>) {
        let model = description.parse::<Description>().unwrap().build("tumor").unwrap();
        let (mut p, at) = (model.spec().defaults().unwrap(), Time::from_days(40.0).unwrap());
        if description.contains("log_kill") {
            p = p.with("paclitaxel_log_kill_kill_rate", 0.5).unwrap(); // enough to be seen
        }
        let found = dose_slopes(model.as_ref(), &p, Time::ORIGIN, plan, &Observable::TUMOR_VOLUME, at).unwrap();
        let value = |plan: &[TimedTreatment]| {
            let scenario = Scenario::starting(Time::ORIGIN).treated(plan.to_vec()).sampled([at]);
            simulate(model.as_ref(), &p, &scenario, &mut Random::new(0)).unwrap().column(&Observable::TUMOR_VOLUME).unwrap()[0]
        };
        let scaled = |given: &Treatment, by: f64| match given {
            Treatment::Fraction(fraction) => {
                Treatment::fraction(AbsorbedDose::from_gray(fraction.dose.gray() * by).unwrap(), fraction.target.clone())
            }
            Treatment::Bolus { agent, dose, .. } => {
                Treatment::bolus(agent.clone(), Quantity::new(dose.value() * by, dose.unit().clone()).unwrap()).unwrap()
            }
            other => other.clone(),
        };
        let amount = |given: &Treatment| match given {
            Treatment::Fraction(fraction) => fraction.dose.gray(),
            Treatment::Bolus { dose, .. } => dose.value(),
            _ => f64::NAN,
        };
        let by_difference = (0..plan.len()).map(|place| {
            let with = |by: f64| {
                let mut other = plan.to_vec();
                other[place].treatment = scaled(&plan[place].treatment, by);
                value(&other)
            };
            (with(1.05) - with(0.95)) / (0.1 * amount(&plan[place].treatment))
        });
        assert!((found.value / value(plan) - 1.0).abs() < 1e-6);
        (found.clone(), by_difference.collect())
    }

    #[test]
    fn slopes_by_dose_are_those_of_differences() {
        let drug = Agent::new("paclitaxel").unwrap();
        let bolus = |day: f64| {
            let dose = Treatment::bolus(drug.clone(), Quantity::new(100.0, "mg").unwrap()).unwrap();
            TimedTreatment::new(Time::from_days(day).unwrap(), dose)
        };
        let mut mixed = fractions(&[2.0, 1.0, 3.0]);
        mixed.extend([bolus(5.0), bolus(12.0)]);
        for (description, plan) in
            [("logistic + lq", fractions(&[2.0, 1.5, 3.0, 0.5])), ("gompertz + lq + log_kill(paclitaxel)", mixed)]
        {
            let (found, expected) = slopes(description, &plan);
            for (slope, expected) in found.slopes.iter().zip(&expected) {
                assert!((slope / expected - 1.0).abs() < 2e-3, "{description}: {found:?} {expected:?}");
            }
        }
    }

    #[test]
    fn what_has_no_slope_is_refused() {
        let model = "logistic + lq".parse::<Description>().unwrap().build("tumor").unwrap();
        let p = model.spec().defaults().unwrap();
        let at = Time::from_days(10.0).unwrap();
        let slopes = |plan: &[TimedTreatment]| dose_slopes(model.as_ref(), &p, Time::ORIGIN, plan, &Observable::TUMOR_VOLUME, at);
        let on = TimedTreatment::new(Time::ORIGIN, Treatment::on(Agent::new("x").unwrap()));
        assert!(matches!(slopes(&[on]), Err(TrialError::NoSlope { .. })));
        let mut late = fractions(&[2.0, 2.0]);
        late.reverse();
        assert!(matches!(slopes(&late), Err(TrialError::PastOrder { .. })));
    }

    #[test]
    fn the_best_doses_against_harm_are_those_of_the_closed_form() {
        // Of exponential growth, the logarithm of the volume falls by Σ α d + β d². An organ with the ratio a that is worth w per Gy pays
        // w Σ d + d² / a. Where w / a > β the least of both is at d = (α - w) / (2 (w / a - β)), for every fraction.
        let model = "exponential + lq".parse::<Description>().unwrap().build("tumor").unwrap();
        let p = model.spec().defaults().unwrap();
        let p = p.with("radiation_alpha", 0.3).unwrap().with("radiation_alpha_beta_ratio", 10.0).unwrap();
        let (alpha, beta, w, a) = (0.3, 0.03, 0.15, 3.0);
        let at = Time::from_days(30.0).unwrap();
        let cost = |doses: &[f64]| {
            let found = dose_slopes(model.as_ref(), &p, Time::ORIGIN, &fractions(doses), &Observable::TUMOR_VOLUME, at)?;
            let harm: f64 = doses.iter().map(|d| w * (d + d * d / a)).sum();
            let slopes = found.slopes.iter().zip(doses).map(|(slope, d)| slope / found.value + w * (1.0 + 2.0 * d / a));
            Ok((found.value.ln() + harm, slopes.collect()))
        };
        let best = (alpha - w) / (2.0 * (w / a - beta));
        let found = Descent::within(vec![(0.0, 10.0); 6]).minimize(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &cost).unwrap();
        assert!(found.converged && found.evaluations < 60, "{found:?}");
        assert!(found.doses.iter().all(|dose| (dose - best).abs() < 1e-3), "{best} {found:?}");
        // A budget below the optimum is used up, in equal parts.
        let tight = Descent { budget: Some(12.0), ..Descent::within(vec![(0.0, 10.0); 6]) };
        let found = tight.minimize(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &cost).unwrap();
        assert!(
            found.doses.iter().all(|dose| (dose - 2.0).abs() < 1e-3) && found.doses.iter().sum::<f64>() <= 12.0 + 1e-9,
            "{found:?}"
        );
        assert!(tight.minimize(&[1.0], &cost).is_err());
        assert!(Descent { budget: Some(-1.0), ..tight }.minimize(&[1.0; 6], &cost).is_err());
    }
}
