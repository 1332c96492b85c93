//! What it would be worth to know more before deciding.

use super::sums::mean;

/// What knowing something before the decision would be worth.
#[derive(Debug, Clone, PartialEq)]
pub struct Worth {
    /// What would be known.
    pub what: Knowledge,
    /// By how much the expected regret would shrink, in the unit of the objective. It is estimated from the draws, and what is worth nothing
    /// may come out a little below 0.
    pub gain: f64,
    /// The same as a share of the expected regret, which is what knowing everything would be worth.
    pub share: f64,
}

/// Something that could be known.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Knowledge {
    /// The exact value of a parameter of the model: a bound on what any measurement of it can be worth.
    Parameter(String),
    /// One reading, with its error: the observable and the day after now.
    Reading(String),
}

impl std::fmt::Display for Knowledge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Parameter(name) => write!(f, "the exact value of {name}"),
            Self::Reading(name) => write!(f, "a reading of {name}"),
        }
    }
}

/// How many draws share a bin at least.
const LEAST_IN_BIN: usize = 25;

/// The expected gain of choosing among plans when `known` (one number for each draw) is known before, over choosing now, where `gains`
/// (plans × draws) are such that more is better.
///
/// The draws are sorted by what is known and cut into bins of equal count. In each bin one half of the draws chooses the plan and the other
/// half says what it gains, both ways, so that chance is not taken for knowledge (the value of partial information by regression, Strong
/// and Oakley 2013, doi:10.1177/0272989X12465123, with bins for the regression). It is a little too low rather than too high.
#[must_use]
pub fn worth_of_knowing(gains: &[&[f64]], known: &[f64]) -> f64 {
    let mut order: Vec<usize> = (0..known.len()).collect();
    order.sort_by(|a, b| {
        let at = |index: &usize| known.get(*index).copied().unwrap_or(f64::NAN);
        at(a).total_cmp(&at(b)).then(a.cmp(b))
    });
    let bins = (known.len() / LEAST_IN_BIN).clamp(1, 10);
    let informed: f64 = (0..bins).map(|bin| crossed(gains, &order, bin * order.len() / bins..(bin + 1) * order.len() / bins)).sum();
    let now = crossed(gains, &order, 0..order.len());
    (informed - now) / known.len().max(1) as f64
}

/// The sum over some draws of the gain of the plan that the other half of them chooses.
fn crossed(gains: &[&[f64]], order: &[usize], range: std::ops::Range<usize>) -> f64 {
    let part = order.get(range).unwrap_or_default();
    let half = |parity: usize| part.iter().copied().skip(parity).step_by(2);
    let sum = |plan: &[f64], parity: usize| half(parity).filter_map(|draw| plan.get(draw)).fold(0.0, |sum, gain| sum + gain);
    let one = |parity: usize| {
        let chosen = gains.iter().max_by(|a, b| sum(a, 1 - parity).total_cmp(&sum(b, 1 - parity)));
        chosen.map_or(0.0, |plan| sum(plan, parity))
    };
    one(0) + one(1)
}

/// The expected regret of the best plan: what knowing everything would be worth.
#[must_use]
pub fn worth_of_knowing_all(gains: &[&[f64]]) -> f64 {
    let best_of_all = gains.iter().map(|plan| mean(plan)).fold(f64::NEG_INFINITY, f64::max);
    let draws = gains.first().map_or(0, |plan| plan.len());
    let best: Vec<f64> = (0..draws)
        .map(|draw| gains.iter().filter_map(|plan| plan.get(draw)).fold(f64::NEG_INFINITY, |best, gain| best.max(*gain)))
        .collect();
    mean(&best) - best_of_all
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use twin_core::Random;

    #[test]
    fn what_decides_is_worth_knowing_and_nothing_else_is() {
        // One plan gains z, the other nothing: knowing z is worth E max(z, 0) = 1/√(2π); knowing half of its variance 1/√(4π).
        let mut random = Random::new(3);
        let n = 20_000;
        let seen: Vec<f64> = (0..n).map(|_| random.normal()).collect();
        let rest: Vec<f64> = (0..n).map(|_| random.normal()).collect();
        let idle: Vec<f64> = (0..n).map(|_| random.normal()).collect();
        let z: Vec<f64> = seen.iter().zip(&rest).map(|(a, b)| (a + b) / 2.0_f64.sqrt()).collect();
        let nothing = vec![0.0; n];
        let gains: [&[f64]; 2] = [&z, &nothing];
        let whole = 1.0 / (2.0 * std::f64::consts::PI).sqrt();
        assert!((worth_of_knowing_all(&gains) - whole).abs() < 0.02);
        let half = 1.0 / (4.0 * std::f64::consts::PI).sqrt();
        assert!((worth_of_knowing(&gains, &seen) - half).abs() < 0.02);
        assert!(worth_of_knowing(&gains, &idle).abs() < 0.02);
    }
}
