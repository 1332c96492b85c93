//! Which model to believe: expected predictive density of readings left out, and mixtures of models.

use crate::diagnostics::Smoothed;
use crate::numeric::ln_sum_exp;
use crate::{CalibrationError, Posterior, Problem, Target};

/// The logarithm of the likelihood of each reading under each draw of a posterior.
///
/// ```
/// use twin_calibrate::comparison::Pointwise;
/// // Two draws, three readings.
/// let pointwise = Pointwise::new(vec![-1.0, -2.0, -1.5, -1.2, -1.8, -1.4], 3)?;
/// assert_eq!(pointwise.waic().pointwise.len(), 3);
/// # Ok::<(), twin_calibrate::CalibrationError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Pointwise {
    values: Vec<f64>,
    readings: usize,
}

/// How well a model predicts readings that it has not seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictive {
    /// The expected logarithm of the predictive density, summed over the readings. Higher is better.
    pub elpd: f64,
    /// Its standard error over readings.
    pub standard_error: f64,
    /// How many parameters the data determined, in effect.
    pub effective_parameters: f64,
    /// The terms of the sum, by reading.
    pub pointwise: Vec<f64>,
    /// By reading, the shape of the importance weights: 0.7 or more means that the term cannot be trusted. Empty for [`Pointwise::waic`].
    pub pareto_k: Vec<f64>,
}

impl Predictive {
    /// Whether every term can be trusted; for WAIC unknown, hence false.
    #[must_use]
    pub fn is_reliable(&self) -> bool {
        !self.pareto_k.is_empty() && self.pareto_k.iter().all(|k| *k < crate::diagnostics::RELIABLE_PARETO_K)
    }
}

impl Pointwise {
    /// From values (draws × readings).
    ///
    /// # Errors
    /// [`CalibrationError::Length`] if the values do not divide into so many readings, or there are none.
    pub fn new(values: Vec<f64>, readings: usize) -> Result<Self, CalibrationError> {
        if readings == 0 || values.is_empty() || !values.len().is_multiple_of(readings) {
            let (method, what) = ("model comparison", "the number of values");
            return Err(CalibrationError::Length { method, what, expected: readings.max(1), actual: values.len() });
        }
        Ok(Self { values, readings })
    }

    /// Of the readings of `problem` under `count` draws of `posterior`, evenly spread over all of them.
    ///
    /// # Errors
    /// As [`Target::new`]; [`CalibrationError::TooManyFailures`] if a draw cannot be evaluated, which none of the problem's own can.
    pub fn of(problem: &Problem<'_>, posterior: &Posterior, count: usize) -> Result<Self, CalibrationError> {
        let target = Target::new(problem)?;
        let count = count.clamp(1, posterior.count());
        let (mut values, mut terms, mut readings) = (Vec::new(), Vec::new(), 0);
        for k in 0..count {
            if !target.ln_likelihoods(posterior.draw(k * posterior.count() / count)?, &mut terms) {
                let source = target.failure().map(|(_, source)| Box::new(source));
                return Err(CalibrationError::NoneExplains { draws: count, source });
            }
            readings = terms.len();
            values.extend_from_slice(&terms);
        }
        Self::new(values, readings)
    }

    fn column(&self, reading: usize) -> Vec<f64> {
        self.values.iter().skip(reading).step_by(self.readings).copied().collect()
    }

    fn sum(&self, terms: Vec<(f64, f64, Option<f64>)>) -> Predictive {
        let pointwise: Vec<f64> = terms.iter().map(|(elpd, _, _)| *elpd).collect();
        let (n, elpd) = (pointwise.len() as f64, pointwise.iter().sum::<f64>());
        let variance = pointwise.iter().map(|term| (term - elpd / n).powi(2)).sum::<f64>() / (n - 1.0);
        Predictive {
            elpd,
            standard_error: (n * variance).sqrt(),
            effective_parameters: terms.iter().map(|(_, penalty, _)| penalty).sum(),
            pointwise,
            pareto_k: terms.iter().filter_map(|(_, _, k)| *k).collect(),
        }
    }

    /// The widely applicable information criterion on the scale of log densities (Watanabe 2010; Vehtari, Gelman and Gabry 2017,
    /// doi:10.1007/s11222-016-9696-4).
    #[must_use]
    pub fn waic(&self) -> Predictive {
        let term = |reading| {
            let column = self.column(reading);
            let n = column.len() as f64;
            let density = ln_sum_exp(column.iter().copied()) - n.ln();
            let mean = column.iter().sum::<f64>() / n;
            let penalty = column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
            (density - penalty, penalty, None)
        };
        self.sum((0..self.readings).map(term).collect())
    }

    /// Leave-one-out cross-validation by Pareto-smoothed importance weights (Vehtari, Gelman and Gabry 2017,
    /// doi:10.1007/s11222-016-9696-4).
    ///
    /// One reading is left out at a time, so readings must be independent given the parameters. A forecast is a harder task.
    #[must_use]
    pub fn leave_one_out(&self) -> Predictive {
        let term = |reading| {
            let column = self.column(reading);
            let smoothed = Smoothed::of(&column.iter().map(|x| -x).collect::<Vec<f64>>());
            let weighted: Vec<f64> = smoothed.ln_weights.iter().zip(&column).map(|(w, x)| w + x).collect();
            let elpd = ln_sum_exp(weighted.iter().copied());
            let density = ln_sum_exp(column.iter().copied()) - (column.len() as f64).ln();
            (elpd, density - elpd, Some(smoothed.pareto_k))
        };
        self.sum((0..self.readings).map(term).collect())
    }
}

/// The weights, of sum 1, with which a mixture of `models` predicts best what each left out (stacking of predictive distributions; Yao et al. 2018,
/// doi:10.1214/17-BA1091). Unlike weights by evidence they do not run to one model when none is right.
///
/// # Errors
/// [`CalibrationError::Length`] without models, or for models of different readings.
pub fn stack(models: &[&Predictive]) -> Result<Vec<f64>, CalibrationError> {
    let length = |what, expected, actual| CalibrationError::Length { method: "stacking", what, expected, actual };
    let first = models.first().ok_or_else(|| length("the number of models", 1, 0))?;
    let readings = first.pointwise.len();
    if let Some(other) = models.iter().find(|model| model.pointwise.len() != readings) {
        return Err(length("the number of readings", readings, other.pointwise.len()));
    }
    let mut weights = vec![1.0 / models.len() as f64; models.len()];
    // The mixture's likelihood is concave in the weights, and each round of expectation and maximization raises it.
    for _ in 0..5000 {
        let mut next = vec![0.0; models.len()];
        for reading in 0..readings {
            let terms: Vec<f64> = models.iter().zip(&weights).map(|(m, w)| w.ln() + m.pointwise[reading]).collect();
            let total = ln_sum_exp(terms.iter().copied());
            next.iter_mut().zip(&terms).for_each(|(sum, term)| *sum += (term - total).exp() / readings as f64);
        }
        let moved = next.iter().zip(&weights).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        weights = next;
        if moved < 1e-10 {
            break;
        }
    }
    Ok(weights)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Growing, READINGS};
    use crate::{Calibrator, Laplace};
    use twin_core::Random;

    #[test]
    fn leaving_out_agrees_with_refitting() {
        let growing = Growing::new(&READINGS);
        let posterior = Laplace { draws: 4000, ..Laplace::default() }.calibrate(&growing.problem(), &mut Random::new(1)).unwrap();
        let loo = Pointwise::of(&growing.problem(), &posterior, 4000).unwrap().leave_one_out();
        // The density of a reading given the others is a ratio of evidences.
        let (_, _, all) = growing.exact();
        for (left_out, term) in loo.pointwise.iter().enumerate() {
            let others: Vec<(f64, f64)> =
                READINGS.iter().enumerate().filter(|(place, _)| *place != left_out).map(|(_, reading)| *reading).collect();
            let expected = all - Growing::new(&others).exact().2;
            assert!((term - expected).abs() < 0.05, "reading {left_out}: {term} against {expected}");
        }
        assert!(loo.is_reliable() && (0.1..2.2).contains(&loo.effective_parameters), "{loo:?}");
    }

    #[test]
    fn criterion_and_leaving_out_agree_where_no_reading_is_influential() {
        let growing = Growing::new(&READINGS);
        let posterior = Laplace::default().calibrate(&growing.problem(), &mut Random::new(2)).unwrap();
        let pointwise = Pointwise::of(&growing.problem(), &posterior, 2000).unwrap();
        let (waic, loo) = (pointwise.waic(), pointwise.leave_one_out());
        assert!((waic.elpd - loo.elpd).abs() < 0.3 && !waic.is_reliable(), "{} {}", waic.elpd, loo.elpd);
    }

    #[test]
    fn stacking_prefers_what_predicts_and_mixes_what_complements() {
        let model = |pointwise: [f64; 4]| Predictive {
            elpd: pointwise.iter().sum(),
            standard_error: 0.0,
            effective_parameters: 0.0,
            pointwise: pointwise.to_vec(),
            pareto_k: vec![0.0; 4],
        };
        let (good, bad) = (model([-1.0; 4]), model([-3.0; 4]));
        assert!(stack(&[&good, &bad]).unwrap()[0] > 0.999);
        let (left, right) = (model([-1.0, -1.0, -5.0, -5.0]), model([-5.0, -5.0, -1.0, -1.0]));
        let weights = stack(&[&left, &right]).unwrap();
        assert!((weights[0] - 0.5).abs() < 1e-6);
        assert!(stack(&[]).is_err());
    }
}
