//! What the data can tell: profiles, information, and which measurement would help most.

mod contraction;

pub use contraction::{Contraction, contractions};

use crate::numeric::ln_sum_exp;
use crate::optimize::NelderMead;
use crate::{CalibrationError, ErrorModel, Posterior, Target};
use nalgebra::DMatrix;
use rayon::prelude::*;
use twin_core::{Observable, Random, Time};
use twin_models::{Model, Scenario, SimulationError, simulate};

/// A profile of the likelihood along one parameter (Raue et al. 2009, doi:10.1093/bioinformatics/btp358).
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// The parameter.
    pub parameter: String,
    /// Its values in increasing order, each with the logarithm of the likelihood, all other parameters being at their best.
    pub points: Vec<(f64, f64)>,
    /// The ends of the interval; `None` where the likelihood never falls far enough: the data do not bound the parameter on that side.
    pub interval: [Option<f64>; 2],
}

/// How profiles are drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Profiling {
    /// By how much the logarithm of the likelihood falls at the ends of the interval: 1.92 for 95 %.
    pub fall: f64,
    /// The first step on the real line; it adapts to the fall.
    pub step: f64,
    /// Points at most on either side.
    pub points: usize,
    /// The farthest that is looked at on either side, on the real line: 5 is a factor of 150 for a parameter on a logarithmic scale.
    pub reach: f64,
    /// The search over the other parameters.
    pub simplex: NelderMead,
}

impl Default for Profiling {
    fn default() -> Self {
        let simplex = NelderMead { max_iterations: 2000, cost_tolerance: 1e-5, restarts: 1 };
        Self { fall: 1.920_729, step: 0.05, points: 40, reach: 5.0, simplex }
    }
}

impl Profiling {
    /// The profile of `parameter` (its place in the prior) around `point`, a maximum of the likelihood on the real line. The prior is not
    /// in it, but for the map to the real line.
    ///
    /// # Errors
    /// [`CalibrationError::NoSuchDraw`] for a place that does not exist; [`CalibrationError::Start`] if the point has no likelihood.
    pub fn run(&self, target: &Target<'_>, point: &[f64], parameter: usize) -> Result<Profile, CalibrationError> {
        let names = target.problem().prior.names();
        let missing = CalibrationError::NoSuchDraw { index: parameter, count: names.len() };
        let (Some(name), Some(center)) = (names.get(parameter), point.get(parameter)) else { return Err(missing) };
        let ln_likelihood = |z: &[f64]| target.problem().weight * target.ln_likelihood(&target.parameters_at(z));
        let top = ln_likelihood(point);
        if !top.is_finite() {
            return Err(CalibrationError::Start { method: "profile", start: 0, value: top, point: point.to_vec() });
        }
        let mut points = vec![(*center, top)];
        let mut interval = [None, None];
        for (side, sign) in [(0, -1.0), (1, 1.0)] {
            let (mut others, mut z, mut step, mut last) = (point.to_vec(), *center, self.step, (*center, top));
            for _ in 0..self.points {
                z += sign * step;
                if (z - center).abs() > self.reach {
                    break;
                }
                let best = self.best(&ln_likelihood, &mut others, parameter, z)?;
                let Some(best) = best else { break };
                points.push((z, best));
                if top - best >= self.fall {
                    let share = (top - self.fall - last.1) / (best - last.1);
                    interval[side] = Some(last.0 + share * (z - last.0));
                    break;
                }
                // Steps aim at a tenth of the fall each.
                let fallen = last.1 - best;
                step *= if fallen > 0.2 * self.fall {
                    0.5
                } else if fallen < 0.05 * self.fall {
                    1.6
                } else {
                    1.0
                };
                last = (z, best);
            }
        }
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let transform = target.problem().prior.transforms().get(parameter).copied().unwrap_or(crate::Transform::Identity);
        points.iter_mut().for_each(|(z, _)| *z = transform.from_real(*z));
        Ok(Profile { parameter: name.clone(), points, interval: interval.map(|end| end.map(|z| transform.from_real(z))) })
    }

    /// The highest likelihood with one coordinate held at `z`, the others starting from `point`, which goes along; `None` where there is none.
    fn best(
        &self,
        ln_likelihood: &(dyn Fn(&[f64]) -> f64 + Sync),
        point: &mut Vec<f64>,
        held: usize,
        z: f64,
    ) -> Result<Option<f64>, CalibrationError> {
        if let Some(x) = point.get_mut(held) {
            *x = z;
        }
        let here = ln_likelihood(point);
        if !here.is_finite() {
            return Ok(None);
        }
        if point.len() == 1 {
            return Ok(Some(here));
        }
        let whole = |part: &[f64]| {
            let mut rest = part.iter();
            let pick = |(place, own): (usize, &f64)| if place == held { *own } else { rest.next().copied().unwrap_or(*own) };
            point.iter().enumerate().map(pick).collect::<Vec<f64>>()
        };
        let start: Vec<f64> = point.iter().enumerate().filter(|(place, _)| *place != held).map(|(_, x)| *x).collect();
        let cost = |part: &[f64]| -ln_likelihood(&whole(part));
        let fit = self.simplex.minimize(&cost, &start, &vec![0.1; start.len()], &())?;
        let found = whole(&fit.point);
        *point = found;
        Ok(Some(-fit.cost))
    }
}

/// The Fisher information of the readings about the parameters of the model, on the real line.
#[derive(Debug, Clone, PartialEq)]
pub struct Information {
    /// The parameters.
    pub parameters: Vec<String>,
    /// The matrix (parameters × parameters, row by row).
    pub matrix: Vec<f64>,
    /// Its eigenvalues from the largest to the smallest: each the inverse square of a standard error along its direction. Sloppy models spread
    /// them evenly over many decades (Gutenkunst et al. 2007, doi:10.1371/journal.pcbi.0030189).
    pub eigenvalues: Vec<f64>,
    /// The direction of each eigenvalue (eigenvalues × parameters, row by row).
    pub directions: Vec<f64>,
}

impl Information {
    /// The information at the point `z` of the real line, from the derivatives of standardized residuals. A censored reading counts only
    /// where the prediction lies on the wrong side of its limit; the spread's dependence on the prediction is in it only as far as residuals are not zero.
    ///
    /// # Errors
    /// [`CalibrationError::Derivative`] where residuals cannot be computed on both sides of the point.
    pub fn at(target: &Target<'_>, z: &[f64]) -> Result<Self, CalibrationError> {
        const STEP: f64 = 1e-3;
        let of_model = target.of_model();
        let free: Vec<usize> = of_model.iter().enumerate().filter_map(|(place, own)| own.then_some(place)).collect();
        let residuals = |coordinate: usize, by: f64| {
            let mut moved = z.to_vec();
            if let Some(x) = moved.get_mut(coordinate) {
                *x += by;
            }
            let mut all = Vec::new();
            let judged = target.residuals(&target.parameters_at(&moved), &mut all) && all.iter().all(|r| r.is_finite());
            judged.then_some(all).ok_or(CalibrationError::Derivative { method: "information", coordinate, point: z.to_vec() })
        };
        let mut columns = Vec::with_capacity(free.len());
        for &coordinate in &free {
            let (up, down) = (residuals(coordinate, STEP)?, residuals(coordinate, -STEP)?);
            columns.push(up.iter().zip(&down).map(|(a, b)| (a - b) / (2.0 * STEP)).collect::<Vec<f64>>());
        }
        let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>() * target.problem().weight;
        let matrix = DMatrix::from_fn(free.len(), free.len(), |i, j| product(&columns[i], &columns[j]));
        let eigen = matrix.clone().symmetric_eigen();
        let mut order: Vec<usize> = (0..free.len()).collect();
        order.sort_by(|a, b| eigen.eigenvalues[*b].total_cmp(&eigen.eigenvalues[*a]));
        let names = target.problem().prior.names();
        Ok(Self {
            parameters: free.iter().filter_map(|place| names.get(*place).cloned()).collect(),
            matrix: matrix.transpose().iter().copied().collect(),
            // Rounding can leave a zero a little below zero.
            eigenvalues: order.iter().map(|place| eigen.eigenvalues[*place].max(0.0)).collect(),
            directions: order
                .iter()
                .flat_map(|place| eigen.eigenvectors.column(*place).iter().copied().collect::<Vec<f64>>())
                .collect(),
        })
    }

    /// How many directions the readings determine to a standard error below `within` on the real line.
    #[must_use]
    pub fn determined(&self, within: f64) -> usize {
        self.eigenvalues.iter().filter(|value| value.sqrt() * within >= 1.0).count()
    }
}

/// A measurement that might be made.
#[derive(Clone)]
pub struct Candidate<'a> {
    /// What would be measured.
    pub observable: Observable,
    /// With which error.
    pub error: &'a dyn ErrorModel,
    /// When.
    pub time: Time,
}

impl std::fmt::Debug for Candidate<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Candidate({} at {})", self.observable, self.time)
    }
}

/// What one draw predicts of each candidate, and the parameters of the error there.
type Predicted = Vec<(f64, Vec<f64>)>;

/// How much each of `candidates` is expected to tell about the parameters, in nats: the mutual information of parameters and measurement under
/// `posterior`, by nested Monte Carlo over `count` draws (Ryan 2003, doi:10.1198/1061860032012).
///
/// `scenario` gives start and treatments; its sampling times are ignored. Draws with which the model cannot go on are left out.
///
/// # Errors
/// [`CalibrationError::Simulation`] for an observable that the model lacks; [`CalibrationError::TooManyFailures`] if more than one draw
/// in twenty fails; [`CalibrationError::Setting`] for fewer than 10 draws.
pub fn information_gain(
    posterior: &Posterior,
    model: &dyn Model,
    scenario: &Scenario,
    candidates: &[Candidate<'_>],
    count: usize,
    random: &Random,
) -> Result<Vec<f64>, CalibrationError> {
    let count = count.min(posterior.count());
    if count < 10 {
        let (method, setting, valid) = ("information gain", "draws", "at least 10");
        return Err(CalibrationError::Setting { method, setting, value: count as f64, valid });
    }
    let mut times: Vec<Time> = candidates.iter().map(|candidate| candidate.time).collect();
    times.sort();
    times.dedup();
    let scenario = Scenario { sampling: times.clone(), ..scenario.clone() };
    let outputs = candidates.iter().map(|c| model.spec().index_of(&c.observable)).collect::<Result<Vec<_>, _>>()?;
    // By draw: the prediction of every candidate with its error's parameters.
    let predict = |k: usize| -> Result<Result<Predicted, SimulationError>, CalibrationError> {
        let index = k * posterior.count() / count;
        let parameters = posterior.parameters(index)?;
        let course = match simulate(model, &parameters, &scenario, &mut random.stream(index as u64)) {
            Ok(course) => course,
            Err(failure) => return Ok(Err(failure)),
        };
        let one = |(candidate, output): (&Candidate<'_>, &usize)| {
            let row = times.iter().position(|time| *time == candidate.time).and_then(|place| course.row(place));
            let predicted = row.and_then(|row| row.get(*output)).copied().unwrap_or(f64::NAN);
            Ok((predicted, posterior.error_values(index, candidate.error)?))
        };
        candidates.iter().zip(&outputs).map(one).collect::<Result<Vec<_>, CalibrationError>>().map(Ok)
    };
    let all = (0..count).into_par_iter().map(predict).collect::<Vec<_>>().into_iter().collect::<Result<Vec<_>, _>>()?;
    let failed = all.iter().filter(|one| one.is_err()).count();
    if let Some(Err(source)) = all.iter().find(|one| one.is_err())
        && failed * 20 > count
    {
        return Err(CalibrationError::TooManyFailures { failed, of: count, source: Box::new(source.clone()) });
    }
    let all: Vec<Predicted> = all.into_iter().flatten().collect();
    let gain = |(place, candidate): (usize, &Candidate<'_>)| {
        let known: Vec<&(f64, Vec<f64>)> = all.iter().filter_map(|draw| draw.get(place)).collect();
        let term = |(k, (predicted, values)): (usize, &&(f64, Vec<f64>))| {
            let mut own = random.stream(u64::MAX).stream(place as u64).stream(k as u64);
            let value = candidate.error.draw(*predicted, values, &mut own);
            let seen = crate::Reading::Value { value, standard_error: None };
            let others = known.iter().map(|(predicted, values)| candidate.error.ln_likelihood(*predicted, &seen, values));
            let others: Vec<f64> = others.collect();
            let marginal = ln_sum_exp(others.iter().copied()) - (others.len() as f64).ln();
            candidate.error.ln_likelihood(*predicted, &seen, values) - marginal
        };
        known.iter().enumerate().map(term).sum::<f64>() / known.len() as f64
    };
    Ok(candidates.par_iter().enumerate().map(gain).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Growing, READINGS, SCATTER};
    use crate::{Calibrator, Laplace, Search};

    /// The maximum of the likelihood, and its covariance: a regression of the logarithms.
    fn regression() -> (Vec<f64>, DMatrix<f64>) {
        let design = DMatrix::from_fn(READINGS.len(), 2, |i, j| if j == 0 { READINGS[i].0 } else { 1.0 });
        let seen = nalgebra::DVector::from_fn(READINGS.len(), |i, _| READINGS[i].1.ln());
        let inverse = (design.transpose() * &design).try_inverse().unwrap();
        ((&inverse * design.transpose() * seen).as_slice().to_vec(), inverse * SCATTER * SCATTER)
    }

    #[test]
    fn profiles_end_where_the_regression_says() {
        let growing = Growing::new(&READINGS);
        let problem = growing.problem();
        let target = Target::new(&problem).unwrap();
        let (best, covariance) = regression();
        let profiling = Profiling { step: 1e-3, ..Profiling::default() };
        for parameter in 0..2 {
            let profile = profiling.run(&target, &best, parameter).unwrap();
            let half = 1.959_964 * covariance[(parameter, parameter)].sqrt();
            for (end, sign) in profile.interval.iter().zip([-1.0, 1.0]) {
                let end = if parameter == 1 { end.unwrap().ln() } else { end.unwrap() };
                let expected = best[parameter] + sign * half;
                assert!((end - expected).abs() < 0.05 * half, "parameter {parameter}: {end} against {expected}");
            }
        }
    }

    #[test]
    fn a_parameter_that_the_data_do_not_bound_is_said_so() {
        let growing = Growing::new(&READINGS[..1]);
        let problem = growing.problem();
        let target = Target::new(&problem).unwrap();
        let profile = Profiling { reach: 0.05, step: 1e-3, ..Profiling::default() }.run(&target, &[0.03, 95_f64.ln()], 0).unwrap();
        assert_eq!(profile.interval, [None, None], "{profile:?}");
        assert!(matches!(
            Profiling::default().run(&target, &[0.03, 4.5], 2),
            Err(CalibrationError::NoSuchDraw { index: 2, count: 2 })
        ));
    }

    #[test]
    fn the_information_is_that_of_the_regression() {
        let growing = Growing::new(&READINGS);
        let problem = growing.problem();
        let target = Target::new(&problem).unwrap();
        let (best, covariance) = regression();
        let information = Information::at(&target, &best).unwrap();
        let expected = covariance.try_inverse().unwrap();
        for (ours, expected) in information.matrix.iter().zip(expected.iter()) {
            assert!((ours / expected - 1.0).abs() < 1e-4, "{ours} against {expected}");
        }
        assert!(information.eigenvalues[0] >= information.eigenvalues[1]);
        assert_eq!((information.determined(1.0), information.determined(1e-6)), (2, 0));
        let short = Growing::new(&READINGS[..1]);
        let problem = short.problem();
        let one = Information::at(&Target::new(&problem).unwrap(), &best).unwrap();
        assert_eq!(one.determined(1e3), 1, "{:?}", one.eigenvalues);
    }

    #[test]
    fn a_late_reading_tells_most_about_growth() {
        let growing = Growing::new(&READINGS[..2]);
        let laplace = Laplace { search: Search { starts: 2, polished: 1, ..Search::default() }, ..Laplace::default() };
        let posterior = laplace.calibrate(&growing.problem(), &mut Random::new(1)).unwrap();
        let at = |day: f64| Candidate {
            observable: Observable::TUMOR_VOLUME,
            error: &growing.error,
            time: Time::from_days(day).unwrap(),
        };
        let days = [0.0, 30.0, 60.0];
        let candidates = days.map(at);
        let start = Scenario::starting(Time::ORIGIN);
        let gains = information_gain(&posterior, growing.model.as_ref(), &start, &candidates, 1000, &Random::new(2)).unwrap();
        let (_, covariance, _) = growing.exact();
        for (day, gain) in days.iter().zip(&gains) {
            let variance = covariance[(0, 0)] * day * day + 2.0 * covariance[(0, 1)] * day + covariance[(1, 1)];
            let expected = 0.5 * (variance / SCATTER.powi(2)).ln_1p();
            assert!((gain - expected).abs() < 0.08, "day {day}: {gain} against {expected}");
        }
        assert!(gains[2] > gains[1] && gains[1] > gains[0], "{gains:?}");
    }
}
