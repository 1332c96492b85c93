//! Shares of a variance for inputs that depend on each other, from draws.

use super::Share;
use crate::TrialError;
use rayon::prelude::*;

/// The neighbors whose outcomes are averaged.
const NEIGHBORS: usize = 3;
/// Above it, the number of subsets is too large.
const MOST_INPUTS: usize = 12;
/// Below it, nearest neighbors are not near.
const FEWEST_DRAWS: usize = 50;

/// How the variance of an outcome is shared among inputs that may depend on each other: for each input its Shapley value, what it adds
/// to the explained variance on the average over all orders in which the inputs become known.
#[derive(Debug, Clone, PartialEq)]
pub struct ShapleyEffects {
    /// The inputs, in order.
    pub names: Vec<String>,
    /// The share of each; together they come to what all inputs explain.
    pub effects: Vec<Share>,
    /// What all inputs explain together. What is missing to 1 is chance, measurement error, and what neighbors are too far apart to tell:
    /// the more inputs and the fewer draws, the more.
    pub explained: Share,
}

/// The Shapley effects of `inputs` on `outcome`: for each input its name and one value for each draw, and one outcome for each draw.
///
/// The variance explained by a set of inputs is estimated from nearest neighbors in the ranks of these inputs (Broto, Bachoc and Depecker
/// 2020, doi:10.1137/18M1234631), and shared after Owen 2014, doi:10.1137/130936233. Standard errors take the draws as independent.
///
/// # Errors
/// [`TrialError::Count`] for fewer than 50 draws, or for no or more than 12 inputs; [`TrialError::Length`] for an input with another number
/// of values; [`TrialError::NotFinite`]; [`TrialError::OutOfRange`] for an outcome that does not vary.
pub fn shapley_effects(inputs: &[(String, Vec<f64>)], outcome: &[f64]) -> Result<ShapleyEffects, TrialError> {
    let (names, draws): (Vec<String>, _) = (inputs.iter().map(|(name, _)| name.clone()).collect(), outcome.len());
    if draws < FEWEST_DRAWS {
        return Err(TrialError::Count { what: "number of draws", count: draws, valid: "at least 50" });
    }
    if names.is_empty() || names.len() > MOST_INPUTS {
        return Err(TrialError::Count { what: "number of inputs", count: names.len(), valid: "1 to 12" });
    }
    if let Some((_, values)) = inputs.iter().find(|(_, values)| values.len() != draws) {
        let (found, expected) = (values.len(), draws);
        return Err(TrialError::Length {
            what: "the list of values of an input",
            found,
            reference: "the list of outcomes",
            expected,
        });
    }
    for (what, values) in inputs.iter().map(|(_, values)| ("value of an input", values.as_slice())).chain([("outcome", outcome)]) {
        if let Some((index, &value)) = values.iter().enumerate().find(|(_, value)| !value.is_finite()) {
            return Err(TrialError::NotFinite { what, index, value });
        }
    }
    let mean = outcome.iter().sum::<f64>() / draws as f64;
    let centered: Vec<f64> = outcome.iter().map(|value| value - mean).collect();
    let variance = centered.iter().map(|value| value * value).sum::<f64>() / draws as f64;
    if variance <= 1e-24 * mean * mean || variance <= 0.0 {
        return Err(TrialError::OutOfRange { what: "variance of the outcome", index: 0, value: variance, valid: "above 0" });
    }
    let ranks: Vec<Vec<f64>> = inputs.iter().map(|(_, values)| ranked(values)).collect();
    let sets = 1_usize << names.len();
    // For each set of inputs, one term for each draw, whose mean is the share of the variance that the set explains.
    let explained: Vec<Vec<f64>> = (0..sets)
        .into_par_iter()
        .map(|set| {
            let known: Vec<&[f64]> =
                ranks.iter().enumerate().filter(|(input, _)| set >> input & 1 == 1).map(|(_, ranks)| ranks.as_slice()).collect();
            if known.is_empty() { vec![0.0; draws] } else { terms(&known, &centered, variance) }
        })
        .collect();
    let share = |weights: &[(usize, f64)]| {
        let term = |draw: usize| weights.iter().map(|&(set, weight)| weight * explained[set][draw]).sum::<f64>();
        let terms: Vec<f64> = (0..draws).map(term).collect();
        let value = terms.iter().sum::<f64>() / draws as f64;
        let spread = terms.iter().map(|term| (term - value).powi(2)).sum::<f64>() / (draws - 1) as f64;
        Share { value, standard_error: (spread / draws as f64).sqrt() }
    };
    let effects = (0..names.len()).map(|input| share(&weights(input, names.len()))).collect();
    Ok(ShapleyEffects { names, effects, explained: share(&[(sets - 1, 1.0)]) })
}

/// What each set of inputs weighs in the Shapley value of `input`: those with it for, those without it against.
fn weights(input: usize, inputs: usize) -> Vec<(usize, f64)> {
    let mut weights = Vec::with_capacity(1 << inputs);
    for others in (0..1_usize << inputs).filter(|set| set >> input & 1 == 0) {
        let size = others.count_ones() as usize;
        // 1 / (inputs * binomial(inputs - 1, size))
        let binomial = (0..size).fold(1.0, |product, k| product * (inputs - 1 - k) as f64 / (k + 1) as f64);
        let weight = 1.0 / (inputs as f64 * binomial);
        weights.extend([(others | 1 << input, weight), (others, -weight)]);
    }
    weights
}

/// For each draw, its centered outcome times the mean of those of its nearest neighbors in the known inputs, over the variance.
fn terms(known: &[&[f64]], centered: &[f64], variance: f64) -> Vec<f64> {
    let nearest = |draw: usize| {
        let mut best = [(f64::INFINITY, 0); NEIGHBORS];
        for other in (0..centered.len()).filter(|other| *other != draw) {
            let distance: f64 = known.iter().map(|ranks| (ranks[other] - ranks[draw]).powi(2)).sum();
            if distance < best[NEIGHBORS - 1].0 {
                best[NEIGHBORS - 1] = (distance, other);
                best.sort_by(|a, b| a.0.total_cmp(&b.0));
            }
        }
        best.iter().map(|&(_, other)| centered[other]).sum::<f64>() / NEIGHBORS as f64
    };
    (0..centered.len()).map(|draw| centered[draw] * nearest(draw) / variance).collect()
}

/// The rank of each value as a share; equal values share the mean of their ranks.
fn ranked(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    for equal in order.chunk_by(|&a, &b| values[a].total_cmp(&values[b]).is_eq()) {
        let first = order.partition_point(|&other| values[other].total_cmp(&values[equal[0]]).is_lt());
        let middle = first as f64 + (equal.len() - 1) as f64 / 2.0;
        equal.iter().for_each(|&place| ranks[place] = middle / values.len() as f64);
    }
    ranks
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use twin_core::Random;

    /// Draws of two standard normal numbers with a correlation.
    fn inputs(correlation: f64, draws: usize) -> [(String, Vec<f64>); 2] {
        let mut random = Random::new(5);
        let one: Vec<f64> = (0..draws).map(|_| random.normal()).collect();
        let rest = (1.0 - correlation * correlation).sqrt();
        let two = one.iter().map(|one| correlation * one + rest * random.normal()).collect();
        [("one".to_owned(), one), ("two".to_owned(), two)]
    }

    fn effects(correlation: f64, outcome: impl Fn(f64, f64) -> f64) -> ShapleyEffects {
        let inputs = inputs(correlation, 2000);
        let outcome: Vec<f64> = inputs[0].1.iter().zip(&inputs[1].1).map(|(one, two)| outcome(*one, *two)).collect();
        shapley_effects(&inputs, &outcome).unwrap()
    }

    #[test]
    fn independent_inputs_share_the_variance_as_their_squares() {
        let found = effects(0.0, |one, two| one + 2.0 * two);
        assert!((found.effects[0].value - 0.2).abs() < 0.05 && (found.effects[1].value - 0.8).abs() < 0.06, "{found:?}");
        assert!(found.explained.value > 0.93, "{found:?}");
    }

    #[test]
    fn an_input_that_only_follows_another_is_given_what_it_tells() {
        // Owen and Prieur 2017, doi:10.1137/16M1097717: for Y = X1, X2 of correlation r has the Shapley effect r^2 / 2.
        let found = effects(0.8, |one, _| one);
        assert!((found.effects[1].value - 0.32).abs() < 0.06 && (found.effects[0].value - 0.68).abs() < 0.06, "{found:?}");
    }

    #[test]
    fn chance_is_explained_by_nothing() {
        let mut random = Random::new(9);
        let inputs = inputs(0.3, 1000);
        let noise: Vec<f64> = (0..1000).map(|_| random.normal()).collect();
        let found = shapley_effects(&inputs, &noise).unwrap();
        for share in found.effects.iter().chain([&found.explained]) {
            assert!(share.value.abs() < 5.0 * share.standard_error + 0.01, "{found:?}");
        }
    }

    #[test]
    fn the_effects_add_up_and_misfits_are_refused() {
        let found = effects(0.5, |one, two| one * two);
        let sum: f64 = found.effects.iter().map(|share| share.value).sum();
        assert!((sum - found.explained.value).abs() < 1e-12);
        let inputs = inputs(0.0, 100);
        assert!(matches!(shapley_effects(&inputs, &[1.0; 60]), Err(TrialError::Length { found: 100, expected: 60, .. })));
        assert!(matches!(shapley_effects(&inputs, &[1.0; 100]), Err(TrialError::OutOfRange { .. })));
        assert!(matches!(shapley_effects(&inputs, &[f64::NAN; 100]), Err(TrialError::NotFinite { .. })));
        assert!(matches!(shapley_effects(&[], &[1.0; 100]), Err(TrialError::Count { count: 0, .. })));
    }

    #[test]
    fn equal_values_share_a_rank() {
        assert_eq!(ranked(&[3.0, 1.0, 3.0, 2.0]), [0.625, 0.0, 0.625, 0.25]);
    }
}
