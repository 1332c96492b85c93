//! Summaries of draws, and how sure they are.

use super::{finite, normal_deviate, open_unit, student_deviate};
use crate::TrialError;
use serde::{Deserialize, Serialize};
use twin_core::Random;

/// The value below which a share `probability` of `values` lies; see [`quantiles`].
///
/// # Errors
/// As [`quantiles`].
pub fn quantile(values: &[f64], probability: f64) -> Result<f64, TrialError> {
    let mut found = quantiles(values, &[probability])?;
    found.pop().ok_or(TrialError::Empty { what: "the list of probabilities" })
}

/// The values below which the shares `probabilities` of `values` lie, in the order of `probabilities`.
///
/// Linear interpolation between order statistics, with the smallest value at 0 and the largest at 1: type 7 of Hyndman and Fan
/// (1996, doi:10.1080/00031305.1996.10473566), the default of R and NumPy.
///
/// ```
/// use twin_trials::statistics::quantiles;
/// assert_eq!(quantiles(&[4.0, 1.0, 3.0, 2.0], &[0.0, 0.5, 1.0])?, [1.0, 2.5, 4.0]);
/// # Ok::<(), twin_trials::TrialError>(())
/// ```
///
/// # Errors
/// [`TrialError::Empty`] without values, [`TrialError::NotFinite`] for NaN or infinity among them, [`TrialError::OutOfRange`] for a
/// probability outside 0 to 1.
pub fn quantiles(values: &[f64], probabilities: &[f64]) -> Result<Vec<f64>, TrialError> {
    finite("value", values)?;
    if let Some((index, &value)) = probabilities.iter().enumerate().find(|(_, p)| !(0.0..=1.0).contains(*p)) {
        return Err(TrialError::OutOfRange { what: "probability of a quantile", index, value, valid: "from 0 to 1" });
    }
    let mut ordered = values.to_vec();
    ordered.sort_by(f64::total_cmp);
    Ok(probabilities.iter().map(|&probability| interpolate(&ordered, probability)).collect())
}

/// The type-7 quantile of values in ascending order, of which there is at least one.
fn interpolate(ordered: &[f64], probability: f64) -> f64 {
    let place = probability * (ordered.len().saturating_sub(1)) as f64;
    let below = place.floor();
    let at = |index: usize| ordered.get(index).or(ordered.last()).copied().unwrap_or(f64::NAN);
    let (low, high) = (at(below as usize), at(below as usize + 1));
    let (weight, gap) = (place - below, high - low);
    // a gap between two huge numbers of opposite sign overflows, their weighted sum does not
    if gap.is_finite() { low + weight * gap } else { low * (1.0 - weight) + high * weight }
}

/// The median of a sample with its central 50 % and 90 % intervals (type-7 quantiles, see [`quantiles`]).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The 50 % quantile.
    pub median: f64,
    /// The 25 % and 75 % quantiles.
    pub half: (f64, f64),
    /// The 5 % and 95 % quantiles.
    pub ninety: (f64, f64),
}

impl Spread {
    /// Summarizes `values`.
    ///
    /// # Errors
    /// [`TrialError::Empty`] without values, [`TrialError::NotFinite`] for NaN or infinity among them.
    pub fn of(values: &[f64]) -> Result<Self, TrialError> {
        match quantiles(values, &[0.05, 0.25, 0.5, 0.75, 0.95])?.as_slice() {
            &[p5, p25, median, p75, p95] => Ok(Self { median, half: (p25, p75), ninety: (p5, p95) }),
            _ => Err(TrialError::Empty { what: "value" }),
        }
    }
}

/// A mean over simulated patients or draws, with its Monte-Carlo standard error.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Mean {
    /// The number of values.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation (divisor `count - 1`).
    pub standard_deviation: f64,
    /// The standard error of the mean: how far it would move if the simulation were repeated with another seed.
    pub standard_error: f64,
}

impl Mean {
    /// Summarizes independent `values`.
    ///
    /// # Errors
    /// [`TrialError::Empty`] and [`TrialError::Count`] for fewer than two values, [`TrialError::NotFinite`] for NaN or infinity among
    /// them.
    pub fn of(values: &[f64]) -> Result<Self, TrialError> {
        finite("value", values)?;
        if values.len() < 2 {
            return Err(TrialError::Count { what: "number of values", count: values.len(), valid: "2 or more" });
        }
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let standard_deviation = (squares / (count - 1.0)).sqrt();
        Ok(Self { count: values.len(), mean, standard_deviation, standard_error: standard_deviation / count.sqrt() })
    }

    /// The confidence interval of the mean, by Student's law, at `level` between 0 and 1.
    ///
    /// # Errors
    /// [`TrialError::OutOfRange`] for a level not strictly between 0 and 1.
    pub fn interval(&self, level: f64) -> Result<(f64, f64), TrialError> {
        open_unit("confidence level", level)?;
        let half_width = student_deviate(level, self.count as f64 - 1.0) * self.standard_error;
        Ok((self.mean - half_width, self.mean + half_width))
    }
}

/// A share of simulated patients or draws, with its Monte-Carlo standard error.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// How many had the property.
    pub successes: usize,
    /// Of how many.
    pub trials: usize,
    /// Their share.
    pub share: f64,
    /// The standard error of the share; 0 when all or none had the property, where only [`Share::interval`] is informative.
    pub standard_error: f64,
}

impl Share {
    /// The share of `successes` among independent `trials`.
    ///
    /// # Errors
    /// [`TrialError::Count`] for no trial, or more successes than trials.
    pub fn of(successes: usize, trials: usize) -> Result<Self, TrialError> {
        if trials == 0 {
            return Err(TrialError::Count { what: "number of trials", count: 0, valid: "1 or more" });
        }
        if successes > trials {
            return Err(TrialError::Count { what: "number of successes", count: successes, valid: "at most the number of trials" });
        }
        let share = successes as f64 / trials as f64;
        Ok(Self { successes, trials, share, standard_error: (share * (1.0 - share) / trials as f64).sqrt() })
    }

    /// The confidence interval of Wilson (1927, doi:10.1080/01621459.1927.10502953), at `level` between 0 and 1.
    ///
    /// # Errors
    /// [`TrialError::OutOfRange`] for a level not strictly between 0 and 1.
    pub fn interval(&self, level: f64) -> Result<(f64, f64), TrialError> {
        open_unit("confidence level", level)?;
        let (n, z) = (self.trials as f64, normal_deviate(level));
        let scale = 1.0 + z * z / n;
        let center = (self.share + z * z / (2.0 * n)) / scale;
        let half_width = z / scale * (self.share * (1.0 - self.share) / n + z * z / (4.0 * n * n)).sqrt();
        // exactly 0 and 1 at the ends, where the formula gives them only up to rounding
        let lower = if self.successes == 0 { 0.0 } else { center - half_width };
        let upper = if self.successes == self.trials { 1.0 } else { center + half_width };
        Ok((lower, upper))
    }
}

/// The difference of two arms that treat the same patients, patient by patient.
///
/// Pairing removes the spread between patients from the comparison: two policies tried on the same virtual patients need far fewer
/// of them than two independent arms.
///
/// ```
/// use twin_trials::statistics::PairedDifference;
/// let (adaptive, standard) = ([410.0, 980.0, 615.0, 700.0], [300.0, 900.0, 500.0, 610.0]);
/// let gain = PairedDifference::of(&adaptive, &standard)?;
/// assert_eq!(gain.difference.mean, 98.75);
/// assert!(gain.difference.standard_error < 10.0);
/// assert_eq!(gain.better, 4);
/// # Ok::<(), twin_trials::TrialError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PairedDifference {
    /// The mean of the differences, first arm less second, with its standard error.
    pub difference: Mean,
    /// Patients with a larger value in the first arm.
    pub better: usize,
    /// Patients with the same value in both.
    pub equal: usize,
    /// The correlation between the arms; `None` when one of them does not vary.
    pub correlation: Option<f64>,
}

impl PairedDifference {
    /// Compares `first` with `second`, which list the same patients in the same order.
    ///
    /// # Errors
    /// [`TrialError::Length`] for lists of different length; otherwise as [`Mean::of`].
    pub fn of(first: &[f64], second: &[f64]) -> Result<Self, TrialError> {
        let differences = paired(first, second)?;
        let difference = Mean::of(&differences)?;
        let (a, b) = (Mean::of(first)?, Mean::of(second)?);
        let product: f64 = first.iter().zip(second).map(|(x, y)| (x - a.mean) * (y - b.mean)).sum();
        let scale = a.standard_deviation * b.standard_deviation * (a.count as f64 - 1.0);
        Ok(Self {
            difference,
            better: differences.iter().filter(|&&gain| gain > 0.0).count(),
            equal: differences.iter().filter(|gain| gain.abs() <= 0.0).count(),
            correlation: (scale > 0.0).then(|| product / scale),
        })
    }
}

/// Differences patient by patient.
fn paired(first: &[f64], second: &[f64]) -> Result<Vec<f64>, TrialError> {
    if first.len() != second.len() {
        return Err(TrialError::Length {
            what: "the second arm",
            found: second.len(),
            reference: "the first arm",
            expected: first.len(),
        });
    }
    finite("value of the first arm", first)?;
    finite("value of the second arm", second)?;
    Ok(first.iter().zip(second).map(|(a, b)| a - b).collect())
}

/// The bootstrap distribution of a statistic of paired differences, first arm less second: one value per replicate.
///
/// Patients are drawn with replacement, both arms together. Summarize the result with [`Spread::of`] or [`quantiles`] for a
/// percentile interval (Efron and Tibshirani 1993, chapter 13). `statistic` is shown the differences of one replicate, at least one.
///
/// # Errors
/// [`TrialError::Length`] for lists of different length, [`TrialError::Empty`] and [`TrialError::NotFinite`] as [`Mean::of`],
/// [`TrialError::Count`] for no replicates, and what `statistic` returns.
pub fn bootstrap_paired(
    first: &[f64],
    second: &[f64],
    replicates: usize,
    random: &mut Random,
    statistic: impl Fn(&[f64]) -> Result<f64, TrialError>,
) -> Result<Vec<f64>, TrialError> {
    let differences = paired(first, second)?;
    if replicates == 0 {
        return Err(TrialError::Count { what: "number of replicates", count: 0, valid: "1 or more" });
    }
    let mut drawn = Vec::with_capacity(differences.len());
    (0..replicates)
        .map(|_| {
            drawn.clear();
            drawn.extend(differences.iter().filter_map(|_| differences.get(random.below(differences.len()))));
            statistic(&drawn)
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64, tolerance: f64) {
        assert!((found - expected).abs() <= tolerance, "{found} is not {expected}");
    }

    #[test]
    fn quantiles_are_type_seven() {
        // numpy.quantile([1, 2, 4, 8, 16], [...]), whose default is type 7
        let values = [16.0, 1.0, 8.0, 2.0, 4.0];
        for (probability, expected) in [(0.0, 1.0), (0.05, 1.2), (0.25, 2.0), (0.5, 4.0), (0.95, 14.4), (1.0, 16.0)] {
            close(quantile(&values, probability).unwrap(), expected, 1e-14);
        }
        assert_eq!(quantile(&[7.0], 0.3).unwrap(), 7.0);
        assert_eq!(quantile(&[-f64::MAX, f64::MAX], 0.5).unwrap(), 0.0);
    }

    #[test]
    fn quantiles_refuse_what_has_no_order() {
        assert!(matches!(quantile(&[], 0.5), Err(TrialError::Empty { .. })));
        assert!(matches!(quantile(&[1.0, f64::NAN], 0.5), Err(TrialError::NotFinite { index: 1, .. })));
        assert!(matches!(quantile(&[1.0], 1.1), Err(TrialError::OutOfRange { .. })));
        assert!(quantile(&[1.0], f64::NAN).is_err());
    }

    #[test]
    fn a_mean_with_its_standard_error() {
        let mean = Mean::of(&[2.0, 4.0, 6.0, 8.0]).unwrap();
        assert_eq!(mean.mean, 5.0);
        close(mean.standard_deviation, (20.0_f64 / 3.0).sqrt(), 1e-15);
        close(mean.standard_error, (5.0_f64 / 3.0).sqrt(), 1e-15);
        // the two-sided 95 % deviate of Student's law with 3 degrees of freedom is 3.182446
        let (lower, upper) = mean.interval(0.95).unwrap();
        close((upper - lower) / 2.0, 3.182_446 * mean.standard_error, 1e-5);
        assert!(matches!(Mean::of(&[1.0]), Err(TrialError::Count { count: 1, .. })));
        assert!(mean.interval(1.0).is_err() && mean.interval(f64::NAN).is_err());
    }

    #[test]
    fn wilson1927_interval_as_in_newcombe1998() {
        // Newcombe 1998 (doi:10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E), table I, method 3
        for (successes, trials, lower, upper) in
            [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
        {
            let (low, high) = Share::of(successes, trials).unwrap().interval(0.95).unwrap();
            close(low, lower, 5e-5);
            close(high, upper, 5e-5);
        }
        assert_eq!(Share::of(5, 5).unwrap().interval(0.95).unwrap().1, 1.0);
        close(Share::of(25, 100).unwrap().standard_error, 0.043_301_27, 1e-8);
        assert!(Share::of(0, 0).is_err() && Share::of(2, 1).is_err());
    }

    #[test]
    fn pairing_removes_the_spread_between_patients() {
        let standard: Vec<f64> = (0..50).map(|i| 100.0 + 20.0 * f64::from(i)).collect();
        let adaptive: Vec<f64> = standard.iter().enumerate().map(|(i, x)| x + if i % 2 == 0 { 9.0 } else { 11.0 }).collect();
        let gain = PairedDifference::of(&adaptive, &standard).unwrap();
        close(gain.difference.mean, 10.0, 1e-12);
        assert!(gain.difference.standard_error < 0.15);
        assert_eq!((gain.better, gain.equal), (50, 0));
        assert!(gain.correlation.unwrap() > 0.999);
        assert_eq!(PairedDifference::of(&[1.0, 1.0], &[1.0, 2.0]).unwrap().correlation, None);
        assert!(matches!(PairedDifference::of(&[1.0], &[]), Err(TrialError::Length { .. })));
    }

    #[test]
    fn the_bootstrap_agrees_with_the_standard_error_and_repeats_itself() {
        let mut random = Random::new(1);
        let first: Vec<f64> = (0..200).map(|_| 5.0 + random.normal()).collect();
        let second: Vec<f64> = (0..200).map(|_| random.normal()).collect();
        let average = |values: &[f64]| Mean::of(values).map(|mean| mean.mean);
        let draws = bootstrap_paired(&first, &second, 2000, &mut Random::new(2), average).unwrap();
        let gain = PairedDifference::of(&first, &second).unwrap();
        let spread = Mean::of(&draws).unwrap().standard_deviation;
        close(spread / gain.difference.standard_error, 1.0, 0.1);
        assert_eq!(draws, bootstrap_paired(&first, &second, 2000, &mut Random::new(2), average).unwrap());
        assert!(bootstrap_paired(&first, &second, 0, &mut random, average).is_err());
    }
}
