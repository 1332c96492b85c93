//! Two drugs whose effects on the tumor are joint: additive after Loewe, independent after Bliss, with an interaction that can be fitted.

use super::outline::Outline;
use super::part::{Both, Part, RunningPart, Tumor};
use crate::{Exposure, Given, Input, ParameterSet, Scalar, Source, parameters};
use serde::{Deserialize, Serialize};

const FIT: Source = Source::assumed("a mid-range value; fit it to the combination");

parameters! {
    /// Parameters of [`DrugPair`].
    pub(crate) struct PairParameters {
        max_kill: "/d" in 1e-3..=1.0, default 0.1, "Greatest rate of kill, of each drug and of both", FIT;
        first_half_concentration: "mg/L" in 1e-3..=1e3, default 1.0, "Concentration of half the effect of the first drug alone", FIT;
        second_half_concentration: "mg/L" in 1e-3..=1e3, default 1.0, "Concentration of half the effect of the second drug alone", FIT;
        steepness: "1" in 0.5..=5.0, default 1.0, "Hill exponent of both drugs", FIT;
        interaction: "1" in -0.9..=20.0, default 0.0, "Interaction: 0 for none, above it synergy, below it antagonism", Source::assumed("no interaction");
    }
}

/// What no interaction means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JointRule {
    /// The drugs are doses of each other (Loewe): with the parts `a = C₁/EC₁` and `b = C₂/EC₂` and the interaction `α` of Greco, Park and
    /// Rustum 1990, `u = a + b + α √(a b)`, the effect is `u^h / (1 + u^h)`.
    Loewe,
    /// The drugs act independently (Bliss): with the effects `e₁` and `e₂` alone, `1 - (1 - e₁)(1 - e₂)(1 - e₁ e₂)^α`; the factor with the
    /// interaction `α` is this library's, and keeps the effect a share.
    Bliss,
}

/// Two drugs, each with its own kinetics and responses, that share a kill `Emax E(C₁, C₂)`; see [`JointRule`].
///
/// Both have the same greatest effect and Hill exponent, for which the equation of Greco has a closed form; for others see
/// [`Combination`](crate::effect::Combination). Each may have responses of its own besides (toxicities, say), which add.
#[derive(Debug, Clone)]
pub struct DrugPair<A, B> {
    drugs: (A, B),
    names: (String, String),
    rule: JointRule,
}

impl<A: Part, B: Part> DrugPair<A, B> {
    /// The pair of two [`Drug`](super::Drug)s, of the names that their parameters begin with.
    #[must_use]
    pub fn new((first, first_name): (A, &str), (second, second_name): (B, &str), rule: JointRule) -> Self {
        Self { drugs: (first, second), names: (first_name.to_owned(), second_name.to_owned()), rule }
    }
}

/// [`DrugPair`] with the values of its parameters.
#[derive(Debug, Clone)]
pub struct RunningDrugPair<A, B, T = f64> {
    drugs: Both<A, B>,
    p: PairParameters<T>,
    rule: JointRule,
}

impl<A: Part, B: Part> Part for DrugPair<A, B> {
    type Running<T: Scalar> = RunningDrugPair<A::Running<T>, B::Running<T>, T>;

    fn outline(&self) -> Outline {
        let mut outline = self.drugs.outline();
        let rule = match self.rule {
            JointRule::Loewe => "loewe",
            JointRule::Bliss => "bliss",
        };
        let prefix = format!("{}_{}_{rule}", self.names.0, self.names.1);
        outline = outline.and(Outline::new(rule).parameters::<PairParameters>(&prefix));
        outline.needs_tumor = true;
        outline
    }

    fn bind<T: Scalar>(&self, values: &[T], inputs: &[Input]) -> Option<Self::Running<T>> {
        let of_drugs = values.len().checked_sub(PairParameters::specs().len())?;
        let (of_drugs, of_pair) = values.split_at_checked(of_drugs)?;
        Some(RunningDrugPair {
            drugs: self.drugs.bind(of_drugs, inputs)?,
            p: PairParameters::from_values(of_pair)?,
            rule: self.rule,
        })
    }
}

impl<A: RunningPart<T>, B: RunningPart<T>, T: Scalar> RunningDrugPair<A, B, T> {
    /// The joint effect, a share of the greatest.
    #[inline(always)]
    fn effect(&self, x: &[T]) -> T {
        let (nothing, whole) = (T::from(0.0), T::from(1.0));
        let (first, second) = self.drugs.concentrations(x);
        let part = |concentration: T, half: T| (concentration.max(nothing) / half).min(T::from(1e100));
        let (a, b) = (part(first, self.p.first_half_concentration), part(second, self.p.second_half_concentration));
        // The share that is not affected; it keeps its digits where nearly all is.
        let spared = |part: T| whole / (whole + part.powf(self.p.steepness).min(T::from(1e300)));
        match self.rule {
            JointRule::Loewe => {
                // The root has no slope at 0, where it has no effect either.
                let both = (a * b).if_positive(|| (a * b).sqrt(), || nothing);
                whole - spared(a + b + self.p.interaction * both)
            }
            JointRule::Bliss => {
                let (one, other) = (spared(a), spared(b));
                let not_both = one + other - one * other;
                whole - one * other * (self.p.interaction * not_both.ln()).exp()
            }
        }
    }
}

impl<A: RunningPart<T>, B: RunningPart<T>, T: Scalar> RunningPart<T> for RunningDrugPair<A, B, T> {
    fn start(&self, x: &mut [T]) {
        self.drugs.start(x);
    }

    #[inline(always)]
    fn loss(&self, x: &[T], exposure: &Exposure<T>, tumor: &Tumor<T>) -> T {
        self.p.max_kill * self.effect(x) + self.drugs.loss(x, exposure, tumor)
    }

    #[inline(always)]
    fn dying(&self, x: &[T]) -> T {
        self.drugs.dying(x)
    }

    #[inline(always)]
    fn rates(&self, x: &[T], exposure: &Exposure<T>, tumor: &Tumor<T>, dx: &mut [T]) {
        self.drugs.rates(x, exposure, tumor, dx);
    }

    fn treat(&self, given: Given<T>, ln_living: &mut T, x: &mut [T]) {
        self.drugs.treat(given, ln_living, x);
    }

    fn observe(&self, x: &[T], y: &mut [T]) {
        self.drugs.observe(x, y);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::composition::Drug;
    use crate::effect::{Combination, HillEffect, bliss};
    use crate::kinetics::{Compartments, Elimination, Route};
    use twin_core::{Agent, Proportion};

    fn drug(name: &str) -> Compartments<0> {
        Compartments::new(Agent::new(name).unwrap(), Route::Intravenous, Elimination::Linear)
    }

    /// The joint effect at two concentrations, with half concentrations of 2 and 5 mg/L.
    fn effect(rule: JointRule, (steepness, interaction): (f64, f64), concentrations: [f64; 2]) -> f64 {
        let pair = DrugPair::new((Drug::new(drug("one"), ()), "one"), (Drug::new(drug("two"), ()), "two"), rule);
        let mut values: Vec<f64> = pair.outline().parameters.iter().map(|spec| spec.default).collect();
        let own = values.len() - PairParameters::specs().len();
        values[own..].copy_from_slice(&[1.0, 2.0, 5.0, steepness, interaction]);
        let inputs: Vec<Input> = (0..4).map(Input::new).collect();
        let running = pair.bind::<f64>(&values, &inputs).unwrap();
        let amounts = concentrations.map(|concentration| 20.0 * concentration);
        running.loss(&amounts, &Exposure::default(), &Tumor { ln_living: 0.0, growth_rate: 0.0 })
    }

    #[test]
    fn additivity_and_interaction_are_those_of_the_general_equation() {
        for (steepness, interaction) in [(1.0, 0.0), (2.5, 0.0), (1.0, 1.5), (0.7, -0.9), (3.0, 20.0)] {
            let alone = |half: f64| HillEffect::new(half, steepness).unwrap();
            let general = Combination::new([alone(2.0), alone(5.0)], interaction).unwrap();
            for concentrations in [[1.0, 1.0], [0.01, 30.0], [0.0, 3.0], [4.0, 0.0], [0.0, 0.0]] {
                let (found, expected) =
                    (effect(JointRule::Loewe, (steepness, interaction), concentrations), general.effect(concentrations).unwrap());
                assert!(
                    (found - expected).abs() < 1e-12,
                    "{steepness}, {interaction}, {concentrations:?}: {found} is not {expected}"
                );
            }
        }
    }

    #[test]
    fn independence_is_that_of_bliss_and_its_interaction_keeps_a_share() {
        let alone = |half: f64, concentration: f64| HillEffect::new(half, 1.3).unwrap().of(concentration).unwrap();
        let of = |interaction: f64| effect(JointRule::Bliss, (1.3, interaction), [1.0, 4.0]);
        let expected = bliss(&[Proportion::new(alone(2.0, 1.0)).unwrap(), Proportion::new(alone(5.0, 4.0)).unwrap()]);
        assert!((of(0.0) - expected).abs() < 1e-14);
        let effects: Vec<f64> = [-0.9, -0.3, 0.0, 1.0, 20.0].map(of).into();
        assert!(
            effects.windows(2).all(|pair| pair[0] < pair[1]) && effects.iter().all(|effect| (0.0..=1.0).contains(effect)),
            "{effects:?}"
        );
        // One drug alone has no interaction.
        assert!((effect(JointRule::Bliss, (1.3, 5.0), [1.0, 0.0]) - alone(2.0, 1.0)).abs() < 1e-14);
        let most = effect(JointRule::Bliss, (5.0, 20.0), [1e9, 1e9]);
        assert!(most <= 1.0 && most > 0.999_999, "{most}");
    }
}
