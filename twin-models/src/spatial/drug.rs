//! Drugs that kill in proportion to what is in the body, evenly over the anatomy.

use super::number::Number;
use crate::TreatmentKind;
use twin_core::Agent;

/// A drug of a spatial model.
///
/// Its kill rate is the same in every voxel and proportional to the amount in the body, which is eliminated at a constant rate (a
/// bolus or an infusion), or to the intensity of continuous therapy. It brings the parameters `kill_rate_<agent>` and, as a bolus or an infusion,
/// `elimination_rate_<agent>`.
#[derive(Debug, Clone, PartialEq)]
pub struct Drug {
    pub(super) agent: Agent,
    pub(super) kind: TreatmentKind,
    pub(super) unit: Option<&'static str>,
}

impl Drug {
    /// A drug given as a bolus, whose dose the model takes in the UCUM `unit`.
    #[must_use]
    pub fn bolus(agent: Agent, unit: &'static str) -> Self {
        Self { agent, kind: TreatmentKind::Bolus, unit: Some(unit) }
    }

    /// A drug given as infusions, whose doses the model takes in the UCUM `unit`.
    #[must_use]
    pub fn infusion(agent: Agent, unit: &'static str) -> Self {
        Self { agent, kind: TreatmentKind::Infusion, unit: Some(unit) }
    }

    /// A drug given continuously at an intensity between 0 and 1.
    #[must_use]
    pub fn continuous(agent: Agent) -> Self {
        Self { agent, kind: TreatmentKind::Continuous, unit: None }
    }

    /// The agent's name as part of the name of a parameter.
    pub(super) fn suffix(&self) -> String {
        let fits = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
        self.agent.as_str().chars().map(fits).collect()
    }

    /// Whether there is an amount of it in the body, which is eliminated.
    pub(super) fn is_eliminated(&self) -> bool {
        self.kind != TreatmentKind::Continuous
    }
}

/// What one drug does over an interval: the kill rate is `kill_rate × (level + amount)` per day, with
/// `amount′ = rate − elimination × amount`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Acting<N> {
    pub(super) kill_rate: N,
    pub(super) elimination: N,
    pub(super) amount: N,
    pub(super) level: f64,
    /// What infusions bring, per day.
    pub(super) rate: f64,
}

impl<N: Number> Acting<N> {
    /// The share of an amount that is eliminated within `days`, times the mean time it takes: the days over which a unit acts.
    fn cleared(&self, days: f64) -> N {
        if self.elimination.value() > 0.0 {
            -(-(self.elimination * N::constant(days))).exponential_less_one() / self.elimination
        } else {
            N::constant(days)
        }
    }

    /// The amount after `days`.
    pub(super) fn amount_after(&self, days: f64) -> N {
        self.amount * (-(self.elimination * N::constant(days))).exponential() + N::constant(self.rate) * self.cleared(days)
    }

    /// The integral of the amount over the first `days` of an interval that begins at `from`.
    fn amount_over(&self, from: f64, days: f64) -> N {
        let (start, cleared) = (self.amount_after(from), self.cleared(days));
        let brought = if self.rate > 0.0 && self.elimination.value() > 0.0 {
            N::constant(self.rate) * (N::constant(days) - cleared) / self.elimination
        } else {
            N::constant(0.5 * self.rate * days * days)
        };
        start * cleared + brought
    }
}

/// What all drugs do over an interval that begins at 0.
#[derive(Debug, Clone, Copy)]
pub struct Kill<'a, N> {
    pub(super) drugs: &'a [Acting<N>],
    pub(super) from: f64,
}

/// Nodes and weights of the Gauss-Legendre rule with five points on [0, 1].
const GAUSS: [(f64, f64); 5] = [
    (0.046_910_077_030_668_004, 0.118_463_442_528_094_54),
    (0.230_765_344_947_158_45, 0.239_314_335_249_683_23),
    (0.5, 0.284_444_444_444_444_44),
    (0.769_234_655_052_841_5, 0.239_314_335_249_683_23),
    (0.953_089_922_969_332, 0.118_463_442_528_094_54),
];

impl<N: Number> Kill<'_, N> {
    /// The kill rate integrated over the first `days` of the interval: minus the logarithm of the share that survives.
    pub fn over(&self, days: f64) -> N {
        self.drugs.iter().fold(N::constant(0.0), |sum, drug| {
            sum + drug.kill_rate * (N::constant(drug.level * days) + drug.amount_over(self.from, days))
        })
    }

    /// The integral of `f(t, kill over t)` over the `days` of the interval, on panels that refine towards its beginning, where a drug
    /// that is cleared fast does all it does.
    pub fn integral(&self, days: f64, f: impl Fn(f64, N) -> N) -> N {
        let fastest =
            self.drugs.iter().filter(|drug| drug.amount.value() > 0.0 || drug.rate > 0.0).map(|drug| drug.elimination.value());
        let fastest = fastest.fold(0.0, f64::max);
        let mut sum = N::constant(0.0);
        let mut end = days;
        loop {
            let last = fastest * end <= 1.0 || end < f64::MIN_POSITIVE;
            let begin = if last { 0.0 } else { 0.5 * end };
            for (node, weight) in GAUSS {
                let t = begin + (end - begin) * node;
                sum = sum + N::constant(weight * (end - begin)) * f(t, self.over(t));
            }
            if last {
                return sum;
            }
            end = begin;
        }
    }
}
