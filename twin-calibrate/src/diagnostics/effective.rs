//! The measures, for one coordinate at a time.

use statrs::distribution::{Beta, ContinuousCDF};
use statrs::function::erf::erfc_inv;

use crate::CalibrationError;

/// The fewest draws per chain for which anything can be said: three in each half.
const FEWEST: usize = 6;

/// The draws of one coordinate, (groups × members × draws).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Draws<'a> {
    values: &'a [f64],
    groups: usize,
    members: usize,
}

impl<'a> Draws<'a> {
    /// Draws of `groups` independent groups of `members` chains that may depend on each other, as the walkers of an ensemble do.
    ///
    /// # Errors
    ///
    /// [`CalibrationError::Length`] when the values do not divide into so many chains, or there are none.
    pub fn grouped(values: &'a [f64], groups: usize, members: usize) -> Result<Self, CalibrationError> {
        let chains = groups * members;
        if chains == 0 || values.is_empty() || !values.len().is_multiple_of(chains) {
            let (what, expected) = ("the number of values, a multiple of the chains,", chains.max(1));
            return Err(CalibrationError::Length { method: "diagnostics", what, expected, actual: values.len() });
        }
        Ok(Self { values, groups, members })
    }

    /// Draws (chains × draws) of independent chains.
    ///
    /// # Errors
    ///
    /// [`CalibrationError::Length`] when the values do not divide into so many chains, or there are none.
    pub fn independent(values: &'a [f64], chains: usize) -> Result<Self, CalibrationError> {
        Self::grouped(values, chains, 1)
    }

    /// The number of groups that do not depend on each other.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.groups
    }

    fn length(&self) -> usize {
        self.values.len() / (self.groups * self.members)
    }

    /// Whether there is anything to judge: enough draws, all finite, not all the same.
    fn judgeable(&self) -> bool {
        let first = self.values.first().copied().unwrap_or(f64::NAN);
        self.length() >= FEWEST
            && self.values.iter().all(|v| v.is_finite())
            && self.values.iter().any(|v| v.to_bits() != first.to_bits())
    }

    /// Every chain cut in two halves of its own, the middle draw of an odd number left out; `f` is applied to every value.
    fn halves(&self, f: impl Fn(f64) -> f64) -> Halves {
        let (length, half) = (self.length(), self.length() / 2);
        let mut values = Vec::with_capacity(2 * half * self.groups * self.members);
        for group in self.values.chunks_exact(length * self.members) {
            for skip in [0, length - half] {
                for chain in group.chunks_exact(length) {
                    values.extend(chain.iter().skip(skip).take(half).map(|v| f(*v)));
                }
            }
        }
        Halves { values, members: self.members, length: half }
    }
}

/// Sequences after splitting: (sequences × members × length).
struct Halves {
    values: Vec<f64>,
    members: usize,
    length: usize,
}

impl Halves {
    /// The within-sequence variance and the variance of the target that sequences and their spread suggest.
    fn variances(&self) -> (f64, f64) {
        let size = self.members * self.length;
        let (means, variances): (Vec<f64>, Vec<f64>) = self.values.chunks_exact(size).map(moments).unzip();
        let within = variances.iter().sum::<f64>() / variances.len() as f64;
        let n = size as f64;
        (within, within * (n - 1.0) / n + moments(&means).1)
    }

    fn r_hat(&self) -> f64 {
        let (within, pooled) = self.variances();
        (pooled / within).sqrt()
    }

    /// The effective number of draws for the mean of these values.
    fn ess(&self) -> f64 {
        let total = self.values.len() as f64;
        let (_, variance) = self.variances();
        let course = self.course();
        let size = course.values.len() as f64;
        let (_, course_variance) = course.variances();
        let ess = variance / course_variance * size / course.autocorrelation_time();
        ess.min(total * total.log10())
    }

    /// The course of the mean over the members.
    fn course(&self) -> Self {
        let mut values = Vec::with_capacity(self.values.len() / self.members);
        for sequence in self.values.chunks_exact(self.members * self.length) {
            for t in 0..self.length {
                values.push(sequence.iter().skip(t).step_by(self.length).sum::<f64>() / self.members as f64);
            }
        }
        Self { values, members: 1, length: self.length }
    }

    /// Geyer's initial monotone estimate of `1 + 2 (rho_1 + rho_2 + …)` over all sequences (section 3.2 of the paper), one member each.
    fn autocorrelation_time(&self) -> f64 {
        let n = self.length as f64;
        let centered: Vec<Vec<f64>> = self
            .values
            .chunks_exact(self.length)
            .map(|chain| {
                let mean = chain.iter().sum::<f64>() / n;
                chain.iter().map(|v| v - mean).collect()
            })
            .collect();
        let covariance = |lag: usize| {
            let one = |c: &Vec<f64>| c.iter().zip(c.iter().skip(lag)).map(|(a, b)| a * b).sum::<f64>() / n;
            centered.iter().map(one).sum::<f64>() / centered.len() as f64
        };
        let (within, pooled) = self.variances();
        let rho = |lag: usize| if lag == 0 { 1.0 } else { 1.0 - (within - covariance(lag)) / pooled };
        let mut pairs: f64 = 0.0;
        let mut last = f64::INFINITY;
        let mut tail = 0.0;
        let mut lag = 0;
        loop {
            let (even, odd) = (rho(lag), rho(lag + 1));
            if lag > 0 && (even + odd <= 0.0 || lag + 3 >= self.length) {
                tail = even.max(0.0);
                break;
            }
            last = last.min(even + odd);
            pairs += last;
            lag += 2;
            if lag + 1 >= self.length {
                break;
            }
        }
        (2.0 * pairs - 1.0 + tail).max(1.0 / (self.values.len() as f64).log10())
    }

    /// The values replaced by the normal scores of their ranks, equal values by that of their mean rank.
    fn normal_scores(mut self) -> Self {
        let mut order: Vec<usize> = (0..self.values.len()).collect();
        let at = |values: &[f64], i: usize| values.get(i).copied().unwrap_or(f64::NAN);
        order.sort_by(|a, b| at(&self.values, *a).total_cmp(&at(&self.values, *b)));
        let total = self.values.len() as f64;
        let mut scores = vec![0.0; self.values.len()];
        let mut before = 0;
        for ties in order.chunk_by(|a, b| at(&self.values, *a).to_bits() == at(&self.values, *b).to_bits()) {
            let rank = before as f64 + (ties.len() as f64 + 1.0) / 2.0;
            let score = -std::f64::consts::SQRT_2 * erfc_inv(2.0 * (rank - 0.375) / (total + 0.25));
            for i in ties {
                if let Some(slot) = scores.get_mut(*i) {
                    *slot = score;
                }
            }
            before += ties.len();
        }
        self.values = scores;
        self
    }
}

/// Mean and variance (divisor n - 1).
fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0))
}

/// Rank-normalized split R-hat, the larger of that of the values and that of their distances to the median.
///
/// About 1 for chains that agree; NaN where nothing can be said: fewer than 6 draws per chain, draws that are not finite, or all equal.
/// Beyond all bounds where every chain stands still at a place of its own. Of a single group only drift can be seen.
#[must_use]
pub fn r_hat(draws: &Draws<'_>) -> f64 {
    if !draws.judgeable() {
        return f64::NAN;
    }
    let median = quantile(draws, 0.5);
    let bulk = draws.halves(|v| v).normal_scores().r_hat();
    let folded = draws.halves(|v| (v - median).abs()).normal_scores().r_hat();
    // Two values only, such as 0 and 1, may lie equally far from their median.
    if folded.is_nan() { bulk } else { bulk.max(folded) }
}

/// The effective number of draws for the middle of the distribution: that of the normal scores. NaN where [`r_hat`] is.
#[must_use]
pub fn bulk_ess(draws: &Draws<'_>) -> f64 {
    if draws.judgeable() { draws.halves(|v| v).normal_scores().ess() } else { f64::NAN }
}

/// The effective number of draws for the tails: the lesser of those for the 5 % and the 95 % quantile. NaN where [`r_hat`] is.
#[must_use]
pub fn tail_ess(draws: &Draws<'_>) -> f64 {
    let (low, high) = (quantile_ess(draws, 0.05), quantile_ess(draws, 0.95));
    if low.is_nan() || high.is_nan() { f64::NAN } else { low.min(high) }
}

fn quantile_ess(draws: &Draws<'_>, probability: f64) -> f64 {
    if !draws.judgeable() {
        return f64::NAN;
    }
    let bound = quantile(draws, probability);
    draws.halves(|v| if v <= bound { 1.0 } else { 0.0 }).ess()
}

/// The mean of all draws.
#[must_use]
pub fn mean(draws: &Draws<'_>) -> f64 {
    moments(draws.values).0
}

/// The standard deviation of all draws.
#[must_use]
pub fn standard_deviation(draws: &Draws<'_>) -> f64 {
    moments(draws.values).1.sqrt()
}

/// The quantile of all draws at `probability` in [0, 1], interpolated between the two nearest (type 7 of Hyndman and Fan 1996,
/// doi:10.2307/2684934). NaN for a draw that is NaN and for a probability outside [0, 1].
#[must_use]
pub fn quantile(draws: &Draws<'_>, probability: f64) -> f64 {
    if !(0.0..=1.0).contains(&probability) || draws.values.iter().any(|v| v.is_nan()) {
        return f64::NAN;
    }
    let sorted = sorted(draws);
    let place = probability * (sorted.len() as f64 - 1.0);
    let at = |place: f64| sorted.get(place as usize).copied().unwrap_or(f64::NAN);
    let (low, high) = (at(place.floor()), at(place.ceil()));
    // Equal ends first, so that two infinities do not make a NaN.
    if low >= high { low } else { low + (high - low) * place.fract() }
}

fn sorted(draws: &Draws<'_>) -> Vec<f64> {
    let mut sorted = draws.values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// The Monte Carlo standard error of the mean. NaN where [`r_hat`] is.
#[must_use]
pub fn mcse_mean(draws: &Draws<'_>) -> f64 {
    if draws.judgeable() { standard_deviation(draws) / draws.halves(|v| v).ess().sqrt() } else { f64::NAN }
}

/// The Monte Carlo standard error of the quantile at `probability` in (0, 1): half the width of the central 68 % interval of the
/// order statistics that the quantile may be (appendix of the paper). NaN where [`r_hat`] is.
#[must_use]
pub fn mcse_quantile(draws: &Draws<'_>, probability: f64) -> f64 {
    if !(probability > 0.0 && probability < 1.0) {
        return f64::NAN;
    }
    let ess = quantile_ess(draws, probability);
    let Ok(beta) = Beta::new(ess * probability + 1.0, ess * (1.0 - probability) + 1.0) else { return f64::NAN };
    let sorted = sorted(draws);
    let total = sorted.len() as f64;
    let at = |rank: f64| sorted.get(rank.clamp(1.0, total) as usize - 1).copied().unwrap_or(f64::NAN);
    // The normal probabilities of one standard deviation to either side.
    let (low, high) = (beta.inverse_cdf(0.158_655_253_931_457_05), beta.inverse_cdf(0.841_344_746_068_542_9));
    (at((high * total).ceil()) - at((low * total).floor())) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use twin_core::Random;

    /// (chains × draws) of an autoregression of lag-one correlation `rho`, of variance 1.
    fn autoregression(rho: f64, chains: usize, draws: usize, seed: u64) -> Vec<f64> {
        let root = Random::new(seed);
        let chain = |c: usize| {
            let mut random = root.stream(c as u64);
            let mut x = random.normal();
            let next = move |_| {
                let now = x;
                x = rho * x + (1.0 - rho * rho).sqrt() * random.normal();
                now
            };
            (0..draws).map(next).collect::<Vec<_>>()
        };
        (0..chains).flat_map(chain).collect()
    }

    fn close(value: f64, expected: f64, relative: f64) {
        assert!((value / expected - 1.0).abs() <= relative, "{value} against {expected}");
    }

    /// Four chains of an autoregression made of the 64-bit congruential numbers of Knuth, so that any language repeats them.
    fn portable() -> Vec<f64> {
        let mut state = 42u64;
        let mut values = Vec::new();
        for chain in 0..4 {
            let mut x = 0.0;
            for _ in 0..501 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                x = 0.6 * x + ((state >> 11) as f64 / 9_007_199_254_740_992.0 - 0.5);
                values.push(x + 0.02 * f64::from(chain));
            }
        }
        values
    }

    #[test]
    fn arviz_stats_0_8_agrees() {
        let values = portable();
        let draws = Draws::independent(&values, 4).unwrap();
        close(r_hat(&draws), 1.003_556_639_320_308_1, 1e-9);
        close(bulk_ess(&draws), 544.274_117_49, 1e-6);
        close(tail_ess(&draws), 873.889_999_74, 1e-6);
        close(mcse_mean(&draws), 0.015_064_04, 1e-5);
        close(mcse_quantile(&draws, 0.1), 0.016_741_9, 1e-4);
        close(quantile(&draws, 0.1), -0.444_935_871_916_037_3, 1e-10);
        close(standard_deviation(&draws), 0.353_730_415_128_162_67, 1e-10);
    }

    #[test]
    fn independent_draws_count_in_full() {
        let values = autoregression(0.0, 4, 5000, 1);
        let draws = Draws::independent(&values, 4).unwrap();
        assert!((r_hat(&draws) - 1.0).abs() < 2e-3);
        close(bulk_ess(&draws), 20_000.0, 0.08);
        close(tail_ess(&draws), 20_000.0, 0.1);
        close(mcse_mean(&draws), 1.0 / 20_000f64.sqrt(), 0.05);
        // The standard error of a quantile: sqrt(p (1 - p) / n) over the density.
        close(mcse_quantile(&draws, 0.5), (0.25f64 / 20_000.0).sqrt() / 0.398_942, 0.15);
    }

    #[test]
    fn autocorrelated_draws_count_by_their_known_factor() {
        for (seed, rho) in [(2, 0.5), (3, 0.9), (4, -0.3)] {
            let values = autoregression(rho, 4, 20_000, seed);
            let draws = Draws::independent(&values, 4).unwrap();
            close(bulk_ess(&draws), 80_000.0 * (1.0 - rho) / (1.0 + rho), 0.15);
        }
    }

    #[test]
    fn a_shifted_chain_shows() {
        let mut values = autoregression(0.0, 4, 1000, 5);
        values[..1000].iter_mut().for_each(|v| *v += 1.5);
        assert!(r_hat(&Draws::independent(&values, 4).unwrap()) > 1.1);
    }

    #[test]
    fn a_chain_of_another_width_shows() {
        let mut values = autoregression(0.0, 4, 1000, 6);
        values[..1000].iter_mut().for_each(|v| *v *= 4.0);
        let draws = Draws::independent(&values, 4).unwrap();
        assert!(draws.halves(|v| v).normal_scores().r_hat() < 1.01, "the values alone do not tell");
        assert!(r_hat(&draws) > 1.05);
    }

    #[test]
    fn a_drift_shows_in_a_single_chain() {
        let mut values = autoregression(0.0, 1, 1000, 7);
        values.iter_mut().enumerate().for_each(|(t, v)| *v += t as f64 / 300.0);
        assert!(r_hat(&Draws::independent(&values, 1).unwrap()) > 1.1);
    }

    #[test]
    fn nothing_is_said_where_nothing_can_be() {
        let constant = vec![3.0; 400];
        let few = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0];
        let mut broken = autoregression(0.0, 4, 100, 8);
        broken[17] = f64::NAN;
        for (values, chains) in [(&constant[..], 4), (&few[..], 2), (&broken[..], 4)] {
            let draws = Draws::independent(values, chains).unwrap();
            for measure in [r_hat, bulk_ess, tail_ess, mcse_mean] {
                assert!(measure(&draws).is_nan());
            }
            assert!(mcse_quantile(&draws, 0.5).is_nan());
        }
        assert!(
            Draws::independent(&few, 3).is_err() && Draws::independent(&[], 1).is_err() && Draws::independent(&few, 0).is_err()
        );
    }

    #[test]
    fn chains_that_stand_still_disagree() {
        let values: Vec<f64> = (0..400).map(|i| f64::from(i / 100)).collect();
        assert!(r_hat(&Draws::independent(&values, 4).unwrap()) > 1e6);
        let mut one = autoregression(0.0, 4, 100, 9);
        one[..100].fill(0.1);
        assert!(r_hat(&Draws::independent(&one, 4).unwrap()) > 1.05);
    }

    #[test]
    fn members_that_repeat_each_other_count_once() {
        // Two groups of ten members: independent members count ten times as much as copies of one.
        let alone = autoregression(0.5, 2, 4000, 10);
        let copied: Vec<f64> = alone.chunks(4000).flat_map(|chain| std::iter::repeat_n(chain, 10).flatten().copied()).collect();
        let independent = autoregression(0.5, 20, 4000, 11);
        let one = bulk_ess(&Draws::independent(&alone, 2).unwrap());
        close(bulk_ess(&Draws::grouped(&copied, 2, 10).unwrap()), one, 0.01);
        close(bulk_ess(&Draws::grouped(&independent, 2, 10).unwrap()), 80_000.0 / 3.0, 0.2);
        // Taken for independent chains, the copies would boast ten times as much.
        assert!(bulk_ess(&Draws::independent(&copied, 20).unwrap()) > 8.0 * one);
    }

    #[test]
    fn quantiles_interpolate() {
        let draws = Draws::independent(&[4.0, 1.0, 3.0, 2.0], 1).unwrap();
        assert_eq!([quantile(&draws, 0.0), quantile(&draws, 0.5), quantile(&draws, 1.0)], [1.0, 2.5, 4.0]);
        assert!(quantile(&draws, 1.5).is_nan());
    }
}
