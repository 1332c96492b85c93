//! Variance-based sensitivity for independent inputs.

use super::Share;
use crate::TrialError;
use rayon::prelude::*;

/// Independent scrambles of the design, from whose spread the errors come.
const SCRAMBLES: usize = 8;
/// The longest sequence that one scramble has.
const LONGEST: usize = 1 << 16;
/// The most inputs that the sequence has dimensions for, two for each.
const MOST_INPUTS: usize = 128;
/// More failures than one row in so many end the analysis.
const TOLERATED: usize = 20;

/// How much of the variance of an outcome each of several independent inputs explains.
#[derive(Debug, Clone, PartialEq)]
pub struct SobolIndices {
    /// The share that each input explains alone.
    pub first: Vec<Share>,
    /// The share that each input explains alone and together with others.
    pub total: Vec<Share>,
    /// The mean of the outcome.
    pub mean: f64,
    /// Its variance.
    pub variance: f64,
    /// Rows of the design that were left out because the outcome could not be computed in one of their points.
    pub failures: usize,
}

/// One row of the design.
struct Row {
    /// The outcome at a point.
    here: f64,
    /// The outcome at another, independent of it.
    there: f64,
    /// The outcome at the first with one input after the other taken from the second.
    mixed: Vec<f64>,
}

/// First-order and total Sobol indices of `outcome`, a function of `inputs` independent numbers uniform on (0, 1), from a design of
/// `points` rows; each row costs `inputs + 2` evaluations. Inputs of another distribution are their quantile functions of these.
///
/// Scrambled Sobol points; the estimators of Saltelli et al. 2010, doi:10.1016/j.cpc.2009.09.018 (first order, formula b of its table 2),
/// and of Jansen 1999, doi:10.1016/S0010-4655(98)00154-4 (total). The same bits at any number of threads.
///
/// # Errors
/// [`TrialError::Count`] for no or more than 128 inputs, and for `points` other than a power of 2 from 64 to 2^19;
/// [`TrialError::TooManyFailures`] if more than one row in twenty fails, else failed rows are left out and counted;
/// [`TrialError::OutOfRange`] for an outcome that does not vary.
pub fn sobol_indices(
    inputs: usize,
    points: usize,
    seed: u32,
    outcome: impl Fn(&[f64]) -> Result<f64, TrialError> + Sync,
) -> Result<SobolIndices, TrialError> {
    if inputs == 0 || inputs > MOST_INPUTS {
        return Err(TrialError::Count { what: "number of inputs", count: inputs, valid: "1 to 128" });
    }
    if !points.is_power_of_two() || !(64..=SCRAMBLES * LONGEST).contains(&points) {
        return Err(TrialError::Count { what: "number of points", count: points, valid: "a power of 2 from 64 to 524288" });
    }
    let per_scramble = points / SCRAMBLES;
    let row = |place: usize| {
        let key = seed.wrapping_mul(0x9E37_79B9).wrapping_add((place / per_scramble) as u32);
        // The generator gives multiples of 2^-24; half a step keeps both ends out.
        let number = |dimension: usize| {
            f64::from(sobol_burley::sample((place % per_scramble) as u32, dimension as u32, key)) + 1.0 / f64::from(1 << 25)
        };
        let [mut point, other] = [0, inputs].map(|first| (first..first + inputs).map(number).collect::<Vec<f64>>());
        let finite = |point: &[f64]| match outcome(point)? {
            value if value.is_finite() => Ok(value),
            value => Err(TrialError::NotFinite { what: "outcome", index: place, value }),
        };
        let (here, there) = (finite(&point)?, finite(&other)?);
        let mut mixed = Vec::with_capacity(inputs);
        for (input, replacement) in other.into_iter().enumerate() {
            let kept = std::mem::replace(&mut point[input], replacement);
            mixed.push(finite(&point)?);
            point[input] = kept;
        }
        Ok(Row { here, there, mixed })
    };
    let rows: Vec<Result<Row, TrialError>> = (0..points).into_par_iter().map(row).collect();
    let failures = rows.iter().filter(|row| row.is_err()).count();
    if failures * TOLERATED > points {
        let first = rows.into_iter().find_map(Result::err).map_or(TrialError::Stopped, |error| error);
        return Err(TrialError::TooManyFailures { failed: failures, of: points, source: Box::new(first) });
    }
    estimate(&rows, per_scramble, inputs, failures)
}

fn estimate(
    rows: &[Result<Row, TrialError>],
    per_scramble: usize,
    inputs: usize,
    failures: usize,
) -> Result<SobolIndices, TrialError> {
    let (mean, variance) = moments(rows.iter().flatten().flat_map(|row| [row.here, row.there]));
    if variance <= 1e-24 * mean * mean || variance <= 0.0 {
        return Err(TrialError::OutOfRange { what: "variance of the outcome", index: 0, value: variance, valid: "above 0" });
    }
    // Around the mean, products have the least spread.
    let alone = |row: &Row, mixed: f64| (row.there - mean) * (mixed - row.here) / variance;
    let together = |row: &Row, mixed: f64| (row.here - mixed).powi(2) / (2.0 * variance);
    let share = |input: usize, term: &dyn Fn(&Row, f64) -> f64| {
        let scrambles = rows.chunks(per_scramble).map(|rows| {
            let terms = rows.iter().flatten().filter_map(|row| Some(term(row, *row.mixed.get(input)?)));
            moments(terms).0
        });
        let (value, spread) = moments(scrambles);
        Share { value, standard_error: (spread / (SCRAMBLES - 1) as f64).sqrt() }
    };
    Ok(SobolIndices {
        first: (0..inputs).map(|input| share(input, &alone)).collect(),
        total: (0..inputs).map(|input| share(input, &together)).collect(),
        mean,
        variance,
        failures,
    })
}

/// The mean and the variance (divided by the number of values) of some values.
fn moments(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let count = values.clone().count().max(1) as f64;
    let mean = values.clone().sum::<f64>() / count;
    (mean, values.map(|value| (value - mean).powi(2)).sum::<f64>() / count)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::f64::consts::PI;

    fn ishigami(u: &[f64]) -> Result<f64, TrialError> {
        let x = [u[0], u[1], u[2]].map(|u| PI * (2.0 * u - 1.0));
        Ok(x[0].sin() + 7.0 * x[1].sin().powi(2) + 0.1 * x[2].powi(4) * x[0].sin())
    }

    #[test]
    fn the_errors_tell_how_far_the_indices_are_off() {
        let truth = ([0.313_905, 0.442_411, 0.0], [0.557_589, 0.442_411, 0.243_684]);
        for seed in 0..4 {
            let found = sobol_indices(3, 2048, seed, ishigami).unwrap();
            for (shares, truth) in [(&found.first, truth.0), (&found.total, truth.1)] {
                for (share, truth) in shares.iter().zip(truth) {
                    assert!((share.value - truth).abs() < 5.0 * share.standard_error + 0.002, "{seed}: {share:?} {truth}");
                    assert!(share.standard_error < 0.03, "{share:?}");
                }
            }
        }
    }

    #[test]
    fn failed_rows_are_left_out_and_counted_up_to_a_limit() {
        let failing_above = |limit: f64| move |u: &[f64]| if u[0] > limit { Err(TrialError::Stopped) } else { Ok(u[0] + u[1]) };
        let few = sobol_indices(2, 1024, 1, failing_above(0.99)).unwrap();
        assert!((10..40).contains(&few.failures), "{}", few.failures);
        assert!(matches!(sobol_indices(2, 1024, 1, failing_above(0.9)), Err(TrialError::TooManyFailures { of: 1024, .. })));
        assert!(matches!(sobol_indices(1, 64, 1, |_| Ok(f64::NAN)), Err(TrialError::TooManyFailures { failed: 64, .. })));
    }

    #[test]
    fn what_cannot_be_analyzed_is_refused() {
        assert!(matches!(sobol_indices(0, 64, 1, |_| Ok(1.0)), Err(TrialError::Count { count: 0, .. })));
        assert!(matches!(sobol_indices(2, 100, 1, |_| Ok(1.0)), Err(TrialError::Count { count: 100, .. })));
        assert!(matches!(sobol_indices(2, 64, 1, |_| Ok(1.0)), Err(TrialError::OutOfRange { .. })));
    }
}
