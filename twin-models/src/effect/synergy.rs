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

    /// The concentration of the effect at the odds `E/(1 - E)`, relative to the half concentration.
    fn relative_concentration(self, ln_odds: f64) -> f64 {
        (ln_odds / self.steepness).exp()
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
    /// [`CoreError`] unless `interaction` is finite and above -2, below which no effect solves the equation for equal parts.
    pub fn new(drugs: [HillEffect; 2], interaction: f64) -> Result<Self, CoreError> {
        let interaction = within("interaction of two drugs", interaction, interaction > -2.0, "above -2")?;
        Ok(Self { drugs, interaction })
    }

    /// The effect of the two `concentrations` together.
    ///
    /// # Errors
    /// [`CoreError`] for a concentration that is negative or not finite.
    pub fn effect(&self, concentrations: [f64; 2]) -> Result<f64, CoreError> {
        let [first, second] = self.drugs;
        let (effect_a, effect_b) = (first.of(concentrations[0])?, second.of(concentrations[1])?);
        if effect_a <= 0.0 || effect_b <= 0.0 {
            return Ok(effect_a + effect_b); // one of them alone
        }
        let [a, b] = [concentrations[0] / first.half, concentrations[1] / second.half];
        let excess = |ln_odds: f64| {
            let (a, b) = (a / first.relative_concentration(ln_odds), b / second.relative_concentration(ln_odds));
            a + b + self.interaction * (a * b).sqrt() - 1.0
        };
        // The excess is above 0 at little effect and -1 at full effect. Above additivity the effect exceeds that of each alone.
        let (mut low, mut high) = (-1.0, 1.0);
        while excess(low) < 0.0 && low > -700.0 {
            low *= 2.0;
        }
        while excess(high) > 0.0 && high < 700.0 {
            high *= 2.0;
        }
        for _ in 0..200 {
            let middle = 0.5 * (low + high);
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
}
