//! Laws of the time to an event.

use crate::SimulationError;
use statrs::function::erf::{erfc, erfc_inv};
use statrs::function::gamma::{checked_gamma_lr, checked_gamma_ur, ln_gamma};
use std::f64::consts::{LN_2, PI, SQRT_2};
use twin_core::{CoreError, Random};

/// The law of `W` in `ln T = location + scale · W`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum TimeLaw {
    /// `W` has the smallest extreme value law, and `T` a Weibull law of shape `1 / scale` and characteristic time `exp(location)`.
    Weibull,
    /// `W` is standard normal.
    LogNormal,
    /// `W` is standard logistic, and `T` log-logistic with shape `1 / scale` and median `exp(location)`.
    LogLogistic,
    /// The generalized gamma law (Prentice 1974, doi:10.1093/biomet/61.3.539): `W = ln(Q² G) / Q`, with `G` of a gamma law of shape `1 / Q²`.
    /// It is the Weibull law at a `Q` of 1 and the log-normal law at 0; at -1 it is the inverse of a Weibull law.
    GeneralizedGamma {
        /// `Q`, from -5 to 5.
        shape: f64,
    },
}

/// Between this and its negative, survival of the generalized gamma law is interpolated in `Q`; off by less than 1e-6 there.
const NEARLY_NORMAL: f64 = 0.01;

impl TimeLaw {
    /// The logarithm of the probability that `W` exceeds `w`, with its first and second derivative.
    #[must_use]
    pub fn ln_survival(self, w: f64) -> [f64; 3] {
        match self {
            Self::Weibull => [-w.exp(); 3],
            Self::LogNormal => {
                let value = ln_normal_survival(w);
                let hazard = (-0.5 * w * w - 0.5 * (2.0 * PI).ln() - value).exp();
                [value, -hazard, -hazard * (hazard - w)]
            }
            Self::LogLogistic => {
                let share = logistic(w);
                [-softplus(w), -share, -share * (1.0 - share)]
            }
            Self::GeneralizedGamma { shape } => {
                let value = ln_generalized_survival(w, shape);
                let [ln_density, slope, _] = self.ln_density(w);
                let hazard = (ln_density - value).exp();
                [value, -hazard, -hazard * (slope + hazard)]
            }
        }
    }

    /// The logarithm of the density of `W` at `w`, with its first and second derivative.
    #[must_use]
    pub fn ln_density(self, w: f64) -> [f64; 3] {
        match self {
            Self::Weibull => [w - w.exp(), 1.0 - w.exp(), -w.exp()],
            Self::LogNormal => [-0.5 * w * w - 0.5 * (2.0 * PI).ln(), -w, -1.0],
            Self::LogLogistic => {
                let share = logistic(w);
                [w - 2.0 * softplus(w), 1.0 - 2.0 * share, -2.0 * share * (1.0 - share)]
            }
            Self::GeneralizedGamma { shape } => {
                let x = shape * w;
                // exp(x) - 1 - x over x², and exp(x) - 1 over x, from their series where x is small.
                let (bend, slope) = if x.abs() < 1e-3 {
                    (0.5 + x / 6.0 + x * x / 24.0, 1.0 + 0.5 * x + x * x / 6.0)
                } else {
                    ((x.exp_m1() - x) / (x * x), x.exp_m1() / x)
                };
                [-0.5 * (2.0 * PI).ln() - stirling(shape) - w * w * bend, -w * slope, -x.exp()]
            }
        }
    }

    /// The value that `W` exceeds with probability `survival`, strictly between 0 and 1.
    fn quantile(self, survival: f64) -> f64 {
        match self {
            Self::Weibull => (-survival.ln()).ln(),
            Self::LogNormal => SQRT_2 * erfc_inv(2.0 * survival),
            Self::LogLogistic => (-survival).ln_1p() - survival.ln(),
            Self::GeneralizedGamma { .. } => self.search(survival),
        }
    }

    /// [`TimeLaw::quantile`] by halving.
    fn search(self, survival: f64) -> f64 {
        let above = |w: f64| self.ln_survival(w)[0] > survival.ln();
        let mut reach = 1.0_f64;
        while reach < 1e6 && (above(reach) || !above(-reach)) {
            reach *= 2.0;
        }
        let (mut low, mut high) = (-reach, reach);
        for _ in 0..80 {
            let middle = 0.5 * (low + high);
            if above(middle) { low = middle } else { high = middle }
        }
        0.5 * (low + high)
    }
}

/// What Stirling's formula lacks of the logarithm of the gamma function at `1 / Q²`.
fn stirling(shape: f64) -> f64 {
    let inverse = shape * shape;
    if inverse < 0.01 {
        return inverse / 12.0 - inverse.powi(3) / 360.0 + inverse.powi(5) / 1260.0;
    }
    let a = 1.0 / inverse;
    ln_gamma(a) - ((a - 0.5) * a.ln() - a + 0.5 * (2.0 * PI).ln())
}

/// The logarithm of the probability that `W` of the generalized gamma law exceeds `w`.
fn ln_generalized_survival(w: f64, shape: f64) -> f64 {
    if shape.abs() < NEARLY_NORMAL {
        // A parabola through the laws at the ends and the normal law between them.
        let (low, middle, high) =
            (ln_generalized_survival(w, -NEARLY_NORMAL), ln_normal_survival(w), ln_generalized_survival(w, NEARLY_NORMAL));
        let at = shape / NEARLY_NORMAL;
        return middle + 0.5 * at * (high - low) + 0.5 * at * at * (high + low - 2.0 * middle);
    }
    let a = 1.0 / (shape * shape);
    let x = a * (shape * w).exp();
    let share = if shape > 0.0 { checked_gamma_ur(a, x) } else { checked_gamma_lr(a, x) };
    match share {
        Ok(share) if share > 0.0 => share.ln(),
        // So far out that the share is below the smallest number: the first term of its series in the tail.
        _ => {
            let [ln_density, slope, _] = TimeLaw::GeneralizedGamma { shape }.ln_density(w);
            if slope < 0.0 { ln_density - (-slope).ln() } else { 0.0 }
        }
    }
}

fn logistic(w: f64) -> f64 {
    if w >= 0.0 { 1.0 / (1.0 + (-w).exp()) } else { w.exp() / (1.0 + w.exp()) }
}

/// `ln(1 + exp(w))` without overflow.
fn softplus(w: f64) -> f64 {
    w.max(0.0) + (-w.abs()).exp().ln_1p()
}

/// `ln Φ(-w)`: by `erfc` where that is not too small, else by the asymptotic series of Mills' ratio.
fn ln_normal_survival(w: f64) -> f64 {
    if w < 30.0 {
        return erfc(w / SQRT_2).ln() - LN_2;
    }
    let inverse = 1.0 / (w * w);
    let series = 1.0 - inverse * (1.0 - 3.0 * inverse * (1.0 - 5.0 * inverse * (1.0 - 7.0 * inverse)));
    -0.5 * w * w - 0.5 * (2.0 * PI).ln() - w.ln() + series.ln()
}

/// A law of the time `T` to an event: `ln T = location + scale · W`, with `W` of a [`TimeLaw`].
///
/// ```
/// use twin_models::survival::Lifetime;
/// // Weibull: survival exp(-(t / 400)^1.5).
/// let law = Lifetime::weibull(400.0, 1.5)?;
/// assert!((law.survival(400.0) - (-1.0_f64).exp()).abs() < 1e-12);
/// assert!((law.survival(law.median()) - 0.5).abs() < 1e-12);
/// # Ok::<(), twin_models::SimulationError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lifetime {
    law: TimeLaw,
    location: f64,
    scale: f64,
}

impl Lifetime {
    /// The law of `ln T = location + scale · W`, times in the unit of `exp(location)`.
    ///
    /// # Errors
    /// [`SimulationError::Core`] for a location that is not finite or a scale that is not finite and above 0.
    pub fn new(law: TimeLaw, location: f64, scale: f64) -> Result<Self, SimulationError> {
        if !location.is_finite() {
            return Err(CoreError::NotFinite { what: "location of a lifetime", value: location }.into());
        }
        if !(scale.is_finite() && scale > 0.0) {
            return Err(CoreError::OutOfRange { what: "scale of a lifetime", value: scale, valid: "above 0 and finite" }.into());
        }
        match law {
            TimeLaw::GeneralizedGamma { shape } if !(-5.0..=5.0).contains(&shape) => {
                Err(CoreError::OutOfRange { what: "shape of a generalized gamma law", value: shape, valid: "from -5 to 5" }.into())
            }
            _ => Ok(Self { law, location, scale }),
        }
    }

    /// Weibull: survival `exp(-(t / characteristic)^shape)`.
    ///
    /// # Errors
    /// As [`Lifetime::new`]: both numbers must be finite and above 0.
    pub fn weibull(characteristic: f64, shape: f64) -> Result<Self, SimulationError> {
        Self::new(TimeLaw::Weibull, characteristic.ln(), 1.0 / shape)
    }

    /// Log-normal: `ln T` normal with mean `ln(median)` and standard deviation `scale`.
    ///
    /// # Errors
    /// As [`Lifetime::new`]: both numbers must be finite and above 0.
    pub fn log_normal(median: f64, scale: f64) -> Result<Self, SimulationError> {
        Self::new(TimeLaw::LogNormal, median.ln(), scale)
    }

    /// Log-logistic: survival `1 / (1 + (t / median)^shape)`.
    ///
    /// # Errors
    /// As [`Lifetime::new`]: both numbers must be finite and above 0.
    pub fn log_logistic(median: f64, shape: f64) -> Result<Self, SimulationError> {
        Self::new(TimeLaw::LogLogistic, median.ln(), 1.0 / shape)
    }

    /// Generalized gamma: [`TimeLaw::GeneralizedGamma`] of `shape`, with the given location and scale of `ln T`.
    ///
    /// # Errors
    /// As [`Lifetime::new`]; [`SimulationError::Core`] also for a shape that is not between -5 and 5.
    pub fn generalized_gamma(location: f64, scale: f64, shape: f64) -> Result<Self, SimulationError> {
        Self::new(TimeLaw::GeneralizedGamma { shape }, location, scale)
    }

    fn standardized(&self, time: f64) -> f64 {
        (time.ln() - self.location) / self.scale
    }

    /// The probability that the event comes after `time`; 1 at times of 0 and below, NaN for NaN.
    #[must_use]
    pub fn survival(&self, time: f64) -> f64 {
        if time <= 0.0 { 1.0 } else { self.law.ln_survival(self.standardized(time))[0].exp() }
    }

    /// The density at `time`, per unit of time; NaN for times that are not above 0.
    #[must_use]
    pub fn density(&self, time: f64) -> f64 {
        self.law.ln_density(self.standardized(time))[0].exp() / (self.scale * time)
    }

    /// The hazard at `time`, per unit of time; NaN for times that are not above 0.
    #[must_use]
    pub fn hazard(&self, time: f64) -> f64 {
        let w = self.standardized(time);
        (self.law.ln_density(w)[0] - self.law.ln_survival(w)[0]).exp() / (self.scale * time)
    }

    /// The time by which a `share` had the event; NaN for a share that is not strictly between 0 and 1.
    #[must_use]
    pub fn quantile(&self, share: f64) -> f64 {
        if share > 0.0 && share < 1.0 { (self.location + self.scale * self.law.quantile(1.0 - share)).exp() } else { f64::NAN }
    }

    /// The time by which half had the event.
    #[must_use]
    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// A time drawn from the law.
    pub fn draw(&self, random: &mut Random) -> f64 {
        (self.location + self.scale * self.law.quantile(random.uniform())).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAWS: [TimeLaw; 7] = [
        TimeLaw::Weibull,
        TimeLaw::LogNormal,
        TimeLaw::LogLogistic,
        TimeLaw::GeneralizedGamma { shape: 1.7 },
        TimeLaw::GeneralizedGamma { shape: 0.3 },
        TimeLaw::GeneralizedGamma { shape: 0.004 },
        TimeLaw::GeneralizedGamma { shape: -0.8 },
    ];

    #[test]
    fn derivatives_are_those_of_the_values() {
        let step = 1e-5;
        for law in LAWS {
            // Near the normal law the incomplete gamma function has eleven digits, which a difference over 1e-5 leaves five of.
            let bound = if law == (TimeLaw::GeneralizedGamma { shape: 0.004 }) { 1e-5 } else { 1e-7 };
            for w in [-3.0, -0.5, 0.0, 0.7, 2.5] {
                for function in [TimeLaw::ln_survival, TimeLaw::ln_density] {
                    let (above, at, below) = (function(law, w + step), function(law, w), function(law, w - step));
                    assert!(((above[0] - below[0]) / (2.0 * step) - at[1]).abs() < bound, "{law:?} {w}");
                    assert!(((above[1] - below[1]) / (2.0 * step) - at[2]).abs() < bound, "{law:?} {w}");
                }
            }
        }
    }

    #[test]
    fn the_generalized_gamma_law_holds_the_others() {
        for w in [-6.0, -2.0, -0.3, 0.0, 0.8, 1.9] {
            let near = |q: f64, other: TimeLaw, bound: f64| {
                let law = TimeLaw::GeneralizedGamma { shape: q };
                for function in [TimeLaw::ln_survival, TimeLaw::ln_density] {
                    for (ours, theirs) in function(law, w).into_iter().zip(function(other, w)) {
                        assert!((ours - theirs).abs() < bound * (1.0 + theirs.abs()), "{q} {w}: {ours} {theirs}");
                    }
                }
            };
            near(1.0, TimeLaw::Weibull, 1e-9);
            near(0.0, TimeLaw::LogNormal, 1e-9);
            // The parabola at the middle of its range, against the incomplete gamma function there.
            let (law, a) = (TimeLaw::GeneralizedGamma { shape: 0.005 }, 4e4);
            let exact = checked_gamma_ur(a, a * (0.005 * w).exp()).unwrap().ln();
            assert!((law.ln_survival(w)[0] - exact).abs() < 1e-6, "{w}: {} {exact}", law.ln_survival(w)[0]);
        }
        assert!(Lifetime::generalized_gamma(1.0, 1.0, 6.0).is_err() && Lifetime::generalized_gamma(1.0, 1.0, f64::NAN).is_err());
    }

    #[test]
    fn the_tail_of_the_normal_law_joins_its_series() {
        // ln Φ(-30) and ln Φ(-40), 12 digits, by mpmath.
        assert!((ln_normal_survival(30.0) + 454.321_243_956_343).abs() < 1e-9);
        assert!((ln_normal_survival(30.0 - 1e-9) - ln_normal_survival(30.0)).abs() < 1e-6);
        assert!((ln_normal_survival(40.0) + 804.608_442_013_754).abs() < 1e-9);
    }

    #[test]
    fn hazard_is_density_over_survival_and_quantiles_invert() {
        for law in LAWS {
            let lifetime = Lifetime::new(law, 5.0, 0.6).unwrap();
            for time in [60.0, 150.0, 400.0] {
                let ratio = lifetime.density(time) / lifetime.survival(time);
                assert!((lifetime.hazard(time) / ratio - 1.0).abs() < 1e-10);
                assert!((lifetime.quantile(1.0 - lifetime.survival(time)) / time - 1.0).abs() < 1e-7, "{law:?} {time}");
            }
        }
    }

    #[test]
    fn draws_have_the_median_of_the_law() {
        let (lifetime, mut random) = (Lifetime::weibull(300.0, 1.7).unwrap(), Random::new(3));
        let below = (0..10_000).filter(|_| lifetime.draw(&mut random) < lifetime.median()).count();
        assert!((4_800..5_200).contains(&below), "{below}");
    }

    #[test]
    fn wrong_numbers_are_refused() {
        for (first, second) in [(0.0, 1.0), (-1.0, 1.0), (1.0, 0.0), (1.0, -2.0), (f64::NAN, 1.0), (1.0, f64::INFINITY)] {
            assert!(Lifetime::weibull(first, second).is_err(), "{first} {second}");
        }
    }
}
