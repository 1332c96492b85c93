//! Drugs together: independence after Bliss, additivity after Loewe, and an interaction that can be fitted.

use crate::check::{not_negative, positive, within};
use twin_core::{CoreError, Proportion};

/// The joint effect of independent `effects`: `1 - Π (1 - E)`. Bliss 1939, doi:10.1111/j.1744-7348.1939.tb06990.x.
///
/// ```
/// use twin_core::Proportion;
/// use twin_models::effect::bliss;
/// assert_eq!(bliss(&[Proportion::new(0.5)?, Proportion::new(0.5)?]), 0.75);
/// # Ok::<(), twin_core::CoreError>(())
/// ```
#[must_use]
pub fn bliss(effects: &[Proportion]) -> f64 {
    1.0 - effects.iter().map(|effect| 1.0 - effect.value()).product::<f64>()
}

/// The sigmoid effect of one drug, a share of the greatest effect: `C^h / (EC50^h + C^h)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HillEffect {
    half: f64,
    steepness: f64,
}

impl HillEffect {
    /// The effect that is half at `half_concentration` and has the Hill exponent `steepness`.
    ///
    /// # Errors
    /// [`CoreError`] unless both are finite and above 0.
    pub fn new(half_concentration: f64, steepness: f64) -> Result<Self, CoreError> {
        Ok(Self {
            half: positive("concentration of half effect", half_concentration)?,
            steepness: positive("Hill exponent", steepness)?,
        })
    }

    /// The effect of `concentration`, in the unit of the half concentration.
    ///
    /// # Errors
    /// [`CoreError`] for a concentration that is negative or not finite.
    pub fn of(self, concentration: f64) -> Result<f64, CoreError> {
        let concentration = not_negative("concentration", concentration)?;
        Ok(1.0 / (1.0 + (self.half / concentration).powf(self.steepness)))
    }
}

/// Two drugs with the same greatest effect: additive after Loewe, or with the interaction of Greco, Park and Rustum 1990:
/// `1 = a/A(E) + b/B(E) + α √(a b / (A(E) B(E)))`, where `A(E)` and `B(E)` alone have the effect `E`; `α = 0` is additive, above it
/// synergistic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Combination {
    drugs: [HillEffect; 2],
    interaction: f64,
}

impl Combination {
    /// The combination of two drugs with `interaction`, 0 for additivity.
    ///
    /// # Errors
    /// [`CoreError`] unless `interaction` is finite and above `-4 √(h₁ h₂) / (h₁ + h₂)`, with the Hill exponents `h`: -2 for equal ones. At
    /// or below it, more than one effect solves the equation for some concentrations, or none.
    pub fn new(drugs: [HillEffect; 2], interaction: f64) -> Result<Self, CoreError> {
        let [first, second] = drugs.map(|drug| drug.steepness);
        // 2 √(h₁ h₂) / (h₁ + h₂) by the ratio, which squares nothing.
        let root = (first / second).sqrt();
        let least = -4.0 / (root + root.recip());
        let valid = "above -4 √(h1 h2)/(h1 + h2), with the Hill exponents h1 and h2";
        let interaction = within("interaction of two drugs", interaction, interaction > least, valid)?;
        Ok(Self { drugs, interaction })
    }

    /// The effect of the two `concentrations` together.
    ///
    /// # Errors
    /// [`CoreError`] for a concentration that is negative or not finite.
    pub fn effect(&self, concentrations: [f64; 2]) -> Result<f64, CoreError> {
        let [first, second] = self.drugs;
        let [a, b] = concentrations;
        let (alone_a, alone_b) = (first.of(a)?, second.of(b)?);
        if a <= 0.0 || b <= 0.0 {
            return Ok(alone_a + alone_b); // one of them alone
        }
        // The parts of the sum at the odds L of an effect, in logarithms: ln a/A = ln a/EC50 - L/h, and so for b.
        let (ln_a, ln_b) = (a.ln() - first.half.ln(), b.ln() - second.half.ln());
        let excess = |ln_odds: f64| {
            let (part_a, part_b) = (ln_a - ln_odds / first.steepness, ln_b - ln_odds / second.steepness);
            let (most, least) = if part_a > part_b { (part_a, part_b) } else { (part_b, part_a) };
            // The larger part taken out, so that nothing overflows.
            let apart = least - most;
            most + (1.0 + apart.exp() + self.interaction * (0.5 * apart).exp()).ln()
        };
        // The excess falls with the odds. Near the effect of the stronger drug alone is a place to start.
        let start = (first.steepness * ln_a).max(second.steepness * ln_b);
        let (mut low, mut high, mut step) = (start, start, 1.0);
        while excess(low) < 0.0 && step < 1e300 {
            low -= step;
            step *= 2.0;
        }
        step = 1.0;
        while excess(high) > 0.0 && step < 1e300 {
            high += step;
            step *= 2.0;
        }
        for _ in 0..2000 {
            let middle = 0.5 * (low + high);
            if middle <= low || middle >= high {
                break;
            }
            if excess(middle) > 0.0 { low = middle } else { high = middle }
        }
        Ok(1.0 / (1.0 + (-0.5 * (low + high)).exp()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drug_with_itself_is_its_sum_of_doses() {
        let drug = HillEffect::new(2.0, 1.7).unwrap();
        let pair = Combination::new([drug, drug], 0.0).unwrap();
        for (a, b) in [(1.0, 3.0), (0.01, 0.02), (50.0, 0.0)] {
            assert!((pair.effect([a, b]).unwrap() - drug.of(a + b).unwrap()).abs() < 1e-12);
        }
    }

    #[test]
    fn interaction_orders_the_effects() {
        let drugs = [HillEffect::new(1.0, 1.0).unwrap(), HillEffect::new(5.0, 2.0).unwrap()];
        let effect = |interaction: f64| Combination::new(drugs, interaction).unwrap().effect([0.5, 2.0]).unwrap();
        assert!(effect(-1.0) < effect(0.0) && effect(0.0) < effect(1.0));
        assert!(Combination::new(drugs, -2.0).is_err());
    }

    #[test]
    fn antagonism_with_several_solutions_is_refused() {
        let of = |exponents: [f64; 2], interaction: f64| {
            Combination::new(exponents.map(|exponent| HillEffect::new(1.0, exponent).unwrap()), interaction)
        };
        for (exponents, interaction) in [([0.5, 5.0], -1.9), ([1.0, 3.0], -1.9), ([0.5, 5.0], -1.5), ([1.0, 1.0], -2.0)] {
            assert!(of(exponents, interaction).is_err(), "{exponents:?}");
        }
        // Above the bound, the effect has no jump.
        let bound = -4.0 * (0.5_f64 * 5.0).sqrt() / 5.5;
        assert!(of([0.5, 5.0], bound + 1e-9).is_ok());
        let pair = of([0.5, 5.0], 0.8 * bound).unwrap();
        let effects: Vec<f64> = (1..2000).map(|step| pair.effect([0.01 * f64::from(step), 1.5]).unwrap()).collect();
        assert!(effects.windows(2).all(|pair| (pair[1] - pair[0]).abs() < 0.1));
    }

    #[test]
    fn extreme_numbers_have_an_effect() {
        let of = |exponent: f64, interaction: f64, concentrations: [f64; 2]| {
            let drug = HillEffect::new(1.0, exponent).unwrap();
            Combination::new([drug, drug], interaction).unwrap().effect(concentrations).unwrap()
        };
        // Of equal parts u of equal drugs, (2 + α) u = 1: the effect of 1/u times one.
        let odds = |effect: f64| effect / (1.0 - effect);
        assert!((odds(of(1.0, 1e300, [1e-300, 1e-300])) - 1.0).abs() < 1e-9);
        assert!((odds(of(1.0, 6.0, [0.25, 0.25])) - 2.0).abs() < 1e-12);
        assert!((odds(of(0.001, -1.0, [1.0, 1.0])) - 1.0).abs() < 1e-12);
        let most = of(0.001, -1.0, [1e300, 1e300]);
        assert!((odds(most) - 1e300_f64.powf(0.001)).abs() < 1e-9, "{most}");
        assert!(of(5.0, 0.0, [1e300, 1e300]) > 0.999 && of(5.0, 0.0, [1e-300, 1e-300]) < 1e-300);
    }
}
