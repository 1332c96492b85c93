//! How an observation scatters around a prediction.

use statrs::function::erf::erfc;
use std::borrow::Cow;
use std::f64::consts::{PI, SQRT_2};
use twin_core::Random;

/// A scalar finding, in the unit of the model's observable.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reading {
    /// A number, with the standard error that the instrument states, if any.
    Value {
        /// The number.
        value: f64,
        /// Its standard error.
        standard_error: Option<f64>,
    },
    /// Below the lower limit of quantification.
    Below(f64),
    /// Above the upper limit of quantification.
    Above(f64),
}

/// A parameter of an error model that is estimated with those of the model.
#[derive(Debug, Clone, PartialEq)]
pub struct ErrorParameter {
    /// Name, unique among model and error parameters.
    pub name: Cow<'static, str>,
    /// Value where the prior does not name it; above 0.
    pub default: f64,
}

/// How an observation scatters around a prediction.
pub trait ErrorModel: Send + Sync {
    /// The parameters that may be estimated, in the order in which their values are handed to the other methods.
    fn parameters(&self) -> &[ErrorParameter];

    /// The logarithm of the likelihood of `observed`; for a censored reading of the probability beyond the limit.
    fn ln_likelihood(&self, predicted: f64, observed: &Reading, parameters: &[f64]) -> f64;

    /// The logarithms of the probabilities of a lower and of a higher reading than `observed`. By default those of censored readings at
    /// its value; a model whose scatter depends on the standard error that a reading states says so here.
    fn ln_tails(&self, predicted: f64, observed: &Reading, parameters: &[f64]) -> [f64; 2] {
        let (Reading::Value { value, .. } | Reading::Below(value) | Reading::Above(value)) = *observed;
        [Reading::Below(value), Reading::Above(value)].map(|side| self.ln_likelihood(predicted, &side, parameters))
    }

    /// The distance of `observed` from the prediction in standard deviations, for least squares; 0 for a censored reading on the
    /// right side of its limit.
    fn residual(&self, predicted: f64, observed: &Reading, parameters: &[f64]) -> f64;

    /// The information that `observed` is expected to give about the prediction: the mean square of the slope of the logarithm of the likelihood, and of
    /// a censored reading minus its second derivative.
    ///
    /// By default the square of the slope of the residual, which is exact where the spread of the residual does not depend on the prediction.
    fn information(&self, predicted: f64, observed: &Reading, parameters: &[f64]) -> f64 {
        let step = 1e-5 * predicted.abs().max(1e-6);
        let residual = |at: f64| self.residual(at, observed, parameters);
        if matches!(observed, Reading::Value { .. }) {
            return ((residual(predicted + step) - residual(predicted - step)) / (2.0 * step)).powi(2);
        }
        // Over a tenth of the standard deviation, which the residual of a number at the limit tells.
        let (Reading::Value { value, .. } | Reading::Below(value) | Reading::Above(value)) = *observed;
        let exact = Reading::Value { value, standard_error: None };
        let slope = (self.residual(predicted + step, &exact, parameters) - self.residual(predicted - step, &exact, parameters))
            / (2.0 * step);
        let wide = 0.1 / slope.abs();
        let at = |predicted: f64| self.ln_likelihood(predicted, observed, parameters);
        let curvature = (2.0 * at(predicted) - at(predicted + wide) - at(predicted - wide)) / (wide * wide);
        if curvature.is_finite() { curvature.max(0.0) } else { 0.0 }
    }

    /// A draw of what would be observed.
    fn draw(&self, predicted: f64, parameters: &[f64], random: &mut Random) -> f64;
}

/// The logarithm of the standard normal distribution function, accurate far into the lower tail.
fn ln_normal_below(u: f64) -> f64 {
    if u > -30.0 {
        return (0.5 * erfc(-u / SQRT_2)).ln();
    }
    // Asymptotic series of Mills' ratio (Abramowitz and Stegun 26.2.12).
    let v = u * u;
    -0.5 * v - (-u).ln() - 0.5 * (2.0 * PI).ln() + (-1.0 / v + 2.5 / (v * v)).ln_1p()
}

fn ln_normal(u: f64, sd: f64) -> f64 {
    -0.5 * u * u - sd.ln() - 0.5 * (2.0 * PI).ln()
}

/// Normal error with a constant and a proportional part: `sd² = additive² + (proportional · prediction)² + standard error²`.
#[derive(Debug, Clone, PartialEq)]
pub struct NormalError {
    parameters: [ErrorParameter; 2],
}

impl NormalError {
    /// An error with the given defaults of its two parameters, `additive_error` (in the unit of the observable) and
    /// `proportional_error` (a share). A default of 0 leaves a part out, as long as the prior does not name it.
    #[must_use]
    pub fn new(additive: f64, proportional: f64) -> Self {
        let parameter = |name: &'static str, default| ErrorParameter { name: name.into(), default };
        Self { parameters: [parameter("additive_error", additive), parameter("proportional_error", proportional)] }
    }

    /// The same with `prefix` before the names of its parameters, for a problem with errors on several observables.
    #[must_use]
    pub fn prefixed(mut self, prefix: &str) -> Self {
        self.parameters.iter_mut().for_each(|parameter| parameter.name = format!("{prefix}{}", parameter.name).into());
        self
    }

    fn sd(predicted: f64, observed: Option<&Reading>, parameters: &[f64]) -> f64 {
        let stated = match observed {
            Some(Reading::Value { standard_error: Some(error), .. }) => *error,
            _ => 0.0,
        };
        let part = |i: usize| parameters.get(i).copied().filter(|part| *part >= 0.0).unwrap_or(f64::NAN);
        part(0).hypot(part(1) * predicted).hypot(stated)
    }
}

impl ErrorModel for NormalError {
    fn parameters(&self) -> &[ErrorParameter] {
        &self.parameters
    }

    fn ln_likelihood(&self, predicted: f64, observed: &Reading, parameters: &[f64]) -> f64 {
        let sd = Self::sd(predicted, Some(observed), parameters);
        match observed {
            Reading::Value { value, .. } => ln_normal((value - predicted) / sd, sd),
            Reading::Below(limit) => ln_normal_below((limit - predicted) / sd),
            Reading::Above(limit) => ln_normal_below((predicted - limit) / sd),
        }
    }

    fn ln_tails(&self, predicted: f64, observed: &Reading, parameters: &[f64]) -> [f64; 2] {
        let (Reading::Value { value, .. } | Reading::Below(value) | Reading::Above(value)) = *observed;
        let u = (value - predicted) / Self::sd(predicted, Some(observed), parameters);
        [ln_normal_below(u), ln_normal_below(-u)]
    }

    fn residual(&self, predicted: f64, observed: &Reading, parameters: &[f64]) -> f64 {
        let sd = Self::sd(predicted, Some(observed), parameters);
        match observed {
            Reading::Value { value, .. } => (predicted - value) / sd,
            Reading::Below(limit) => ((predicted - limit) / sd).max(0.0),
            Reading::Above(limit) => ((predicted - limit) / sd).min(0.0),
        }
    }

    fn information(&self, predicted: f64, observed: &Reading, parameters: &[f64]) -> f64 {
        let sd = Self::sd(predicted, Some(observed), parameters);
        let proportional = parameters.get(1).copied().unwrap_or(f64::NAN);
        // The variance, and its slope over itself.
        let (variance, slope) = (sd * sd, 2.0 * proportional * proportional * predicted / (sd * sd));
        match observed {
            Reading::Value { .. } => 1.0 / variance + 0.5 * slope * slope,
            Reading::Below(_) | Reading::Above(_) => {
                let step = 0.1 * sd;
                let at = |predicted: f64| self.ln_likelihood(predicted, observed, parameters);
                ((2.0 * at(predicted) - at(predicted + step) - at(predicted - step)) / (step * step)).max(0.0)
            }
        }
    }

    fn draw(&self, predicted: f64, parameters: &[f64], random: &mut Random) -> f64 {
        predicted + Self::sd(predicted, None, parameters) * random.normal()
    }
}

/// Error on the logarithm: `ln(observed + offset)` scatters around `ln(predicted + offset)` with one standard deviation, normally or
/// with the heavier tails of a Student-t distribution.
///
/// The offset keeps readings near zero from ruling the fit. Predictions at or below `-offset` have no likelihood.
#[derive(Debug, Clone, PartialEq)]
pub struct LogError {
    offset: f64,
    degrees: Option<f64>,
    parameters: [ErrorParameter; 1],
}

impl LogError {
    /// A normal error whose parameter `log_error` has the default `sd`.
    #[must_use]
    pub fn new(sd: f64, offset: f64) -> Self {
        Self { offset, degrees: None, parameters: [ErrorParameter { name: "log_error".into(), default: sd }] }
    }

    /// The same with the tails of a Student-t distribution of `degrees` of freedom, for data with outliers.
    #[must_use]
    pub fn with_student_tails(mut self, degrees: f64) -> Self {
        self.degrees = Some(degrees);
        self
    }

    /// The same with `prefix` before the names of its parameters, for a problem with errors on several observables.
    #[must_use]
    pub fn prefixed(mut self, prefix: &str) -> Self {
        self.parameters.iter_mut().for_each(|parameter| parameter.name = format!("{prefix}{}", parameter.name).into());
        self
    }

    fn deviation(&self, predicted: f64, value: f64, sd: f64) -> f64 {
        ((value + self.offset) / (predicted + self.offset)).ln() / sd
    }

    fn ln_below(&self, u: f64) -> f64 {
        match self.degrees {
            None => ln_normal_below(u),
            Some(degrees) => {
                let tail = 0.5 * statrs::function::beta::beta_reg(0.5 * degrees, 0.5, degrees / (degrees + u * u));
                if u < 0.0 { tail.ln() } else { (1.0 - tail).ln() }
            }
        }
    }
}

impl ErrorModel for LogError {
    fn parameters(&self) -> &[ErrorParameter] {
        &self.parameters
    }

    fn ln_likelihood(&self, predicted: f64, observed: &Reading, parameters: &[f64]) -> f64 {
        let sd = parameters.first().copied().unwrap_or(f64::NAN);
        // A comparison that is false for NaN too: no prediction, no likelihood.
        if !(predicted + self.offset > 0.0 && sd > 0.0) {
            return f64::NEG_INFINITY;
        }
        match observed {
            Reading::Value { value, .. } => {
                let u = self.deviation(predicted, *value, sd);
                let jacobian = (value + self.offset).ln();
                match self.degrees {
                    None => ln_normal(u, sd) - jacobian,
                    Some(v) => {
                        let ln_gamma = statrs::function::gamma::ln_gamma;
                        let constant = ln_gamma(0.5 * (v + 1.0)) - ln_gamma(0.5 * v) - 0.5 * (v * PI).ln() - sd.ln();
                        constant - 0.5 * (v + 1.0) * (u * u / v).ln_1p() - jacobian
                    }
                }
            }
            Reading::Below(limit) => self.ln_below(self.deviation(predicted, *limit, sd)),
            Reading::Above(limit) => self.ln_below(-self.deviation(predicted, *limit, sd)),
        }
    }

    fn residual(&self, predicted: f64, observed: &Reading, parameters: &[f64]) -> f64 {
        let sd = parameters.first().copied().unwrap_or(f64::NAN);
        match observed {
            Reading::Value { value, .. } => -self.deviation(predicted, *value, sd),
            Reading::Below(limit) => (-self.deviation(predicted, *limit, sd)).max(0.0),
            Reading::Above(limit) => (-self.deviation(predicted, *limit, sd)).min(0.0),
        }
    }

    fn draw(&self, predicted: f64, parameters: &[f64], random: &mut Random) -> f64 {
        let sd = parameters.first().copied().unwrap_or(f64::NAN);
        let u = match self.degrees {
            None => random.normal(),
            Some(degrees) => random.student_t(degrees),
        };
        (predicted + self.offset) * (sd * u).exp() - self.offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODELS: [fn() -> Box<dyn ErrorModel>; 3] = [
        || Box::new(NormalError::new(0.3, 0.1)),
        || Box::new(LogError::new(0.3, 0.1)),
        || Box::new(LogError::new(0.3, 0.1).with_student_tails(4.0)),
    ];

    fn values(model: &dyn ErrorModel) -> Vec<f64> {
        model.parameters().iter().map(|parameter| parameter.default).collect()
    }

    #[test]
    fn likelihoods_integrate_to_one_and_censoring_is_their_integral() {
        for make in MODELS {
            let model = make();
            let p = values(model.as_ref());
            let step = 1e-3;
            let density = |k: i32| {
                let value = -0.0999 + (f64::from(k) + 0.5) * step;
                (value, model.ln_likelihood(2.0, &Reading::Value { value, standard_error: None }, &p).exp() * step)
            };
            let points: Vec<(f64, f64)> = (0..400_000).map(density).collect();
            let mass: f64 = points.iter().map(|(_, density)| density).sum();
            assert!((mass - 1.0).abs() < 2e-3, "{mass}");
            let below: f64 = points.iter().filter(|(value, _)| *value < 1.5).map(|(_, density)| density).sum();
            assert!((model.ln_likelihood(2.0, &Reading::Below(1.5), &p).exp() - below).abs() < 2e-3);
            assert!((model.ln_likelihood(2.0, &Reading::Above(1.5), &p).exp() - (1.0 - below)).abs() < 2e-3);
            let mut random = Random::new(2);
            let drawn = (0..50_000).filter(|_| model.draw(2.0, &p, &mut random) < 1.5).count() as f64 / 5e4;
            assert!((drawn - below).abs() < 1e-2, "{drawn} against {below}");
        }
    }

    #[test]
    fn the_information_is_the_mean_square_of_the_slope() {
        for make in [MODELS[0], MODELS[1]] {
            let model = make();
            let p = values(model.as_ref());
            let mut random = Random::new(4);
            let mut sum = 0.0;
            for _ in 0..40_000 {
                let seen = Reading::Value { value: model.draw(2.0, &p, &mut random), standard_error: None };
                let at = |predicted: f64| model.ln_likelihood(predicted, &seen, &p);
                sum += ((at(2.0 + 1e-4) - at(2.0 - 1e-4)) / 2e-4).powi(2) / 4e4;
            }
            let told = model.information(2.0, &Reading::Value { value: 2.1, standard_error: None }, &p);
            assert!((told / sum - 1.0).abs() < 0.03, "{told} against {sum}");
            // Far beyond its limit a censored reading tells nothing, near it about as much as a number.
            assert!(model.information(2.0, &Reading::Below(20.0), &p) < 1e-3 * told);
            let near = model.information(2.0, &Reading::Below(2.0), &p);
            assert!(0.3 * told < near && near < told, "{near} against {told}");
        }
    }

    #[test]
    fn the_far_tail_does_not_underflow() {
        // ln Φ(-30) and ln Φ(-40) by arbitrary-precision arithmetic.
        assert!((ln_normal_below(-30.0) + 454.321_243_9).abs() < 1e-5);
        assert!((ln_normal_below(-40.0) + 804.608_442_0).abs() < 1e-5);
        assert!((ln_normal_below(-29.999_999) - ln_normal_below(-30.000_001)).abs() < 1e-3);
    }

    #[test]
    fn a_stated_standard_error_widens_the_scatter() {
        let model = NormalError::new(0.3, 0.0);
        let p = values(&model);
        let exact = Reading::Value { value: 4.0, standard_error: None };
        let vague = Reading::Value { value: 4.0, standard_error: Some(1.0) };
        assert!(model.residual(2.0, &vague, &p).abs() < model.residual(2.0, &exact, &p).abs());
        // Two off, with an error of 0.3 and a stated one of 1: the tails are those of 2/hypot(0.3, 1).
        let [_, above] = model.ln_tails(2.0, &vague, &p);
        assert!((above - ln_normal_below(-2.0 / 1.09_f64.sqrt())).abs() < 1e-12);
        assert!(model.ln_tails(2.0, &exact, &p)[1] < -20.0);
        assert!(NormalError::new(0.0, 0.0).ln_tails(2.0, &vague, &[0.0, 0.0])[1] > -5.0);
    }

    #[test]
    fn a_prediction_that_is_not_a_number_has_no_likelihood() {
        let reading = Reading::Value { value: 1.0, standard_error: None };
        assert_eq!(LogError::new(0.3, 0.0).ln_likelihood(f64::NAN, &reading, &[0.3]), f64::NEG_INFINITY);
        assert!(!NormalError::new(0.3, 0.0).ln_likelihood(f64::NAN, &reading, &[0.3, 0.0]).is_finite());
    }
}
