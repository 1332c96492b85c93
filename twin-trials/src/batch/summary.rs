//! What a trial of any size came to, in little memory.

use crate::outcomes::Assessment;
use crate::{Outcome, Trial, TrialError};
use std::collections::BTreeMap;

/// What the outcomes of one endpoint in one arm came to.
///
/// Made one patient at a time, in memory that depends on how many different times and sizes of values there are, not on how many patients.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tally {
    /// Patients whose course failed.
    pub failed: usize,
    /// Patients in whom the endpoint could not be evaluated.
    pub not_evaluable: usize,
    /// By time in days, as the bits of a number that is not negative: events, and patients censored.
    times: BTreeMap<u64, (usize, usize)>,
    values: Values,
}

/// Numbers counted by size.
#[derive(Debug, Clone, PartialEq, Default)]
struct Values {
    count: usize,
    mean: f64,
    /// The sum of the squared distances from the mean.
    squares: f64,
    /// How many lie in each interval, by the interval's place in the order of numbers.
    counts: BTreeMap<i64, usize>,
}

/// The bits of the mantissa that tell intervals apart: the middle of one is within 1/512 of every number in it.
const MANTISSA_BITS: u32 = 8;

impl Values {
    fn take(&mut self, value: f64) {
        self.count += 1;
        // Welford 1962, doi:10.1080/00401706.1962.10490022.
        let distance = value - self.mean;
        self.mean += distance / self.count as f64;
        self.squares += distance * (value - self.mean);
        let size = (value.abs().to_bits() >> (f64::MANTISSA_DIGITS - 1 - MANTISSA_BITS)) as i64;
        *self.counts.entry(if value < 0.0 { -1 - size } else { size }).or_default() += 1;
    }

    fn quantile(&self, probability: f64) -> Option<f64> {
        let rank = (probability.clamp(0.0, 1.0) * self.count.checked_sub(1)? as f64).round() as usize;
        let mut below = 0;
        let (place, _) = self.counts.iter().find(|(_, count)| {
            below += **count;
            below > rank
        })?;
        let size = if *place < 0 { -1 - *place } else { *place } as u64;
        let shift = f64::MANTISSA_DIGITS - 1 - MANTISSA_BITS;
        // The interval of the numbers too small for a normal mantissa begins at nothing.
        let middle = if size == 0 { 0.0 } else { f64::from_bits((size << shift) | (1 << (shift - 1))) };
        Some(if *place < 0 { -middle } else { middle })
    }
}

impl Tally {
    fn take(&mut self, outcome: Outcome) {
        // Times are not negative, so that their bits have their order; adding nothing turns -0 into 0.
        let bits = |time: f64| (time + 0.0).to_bits();
        match outcome {
            Outcome::Event(time) if time >= 0.0 => self.times.entry(bits(time)).or_default().0 += 1,
            Outcome::Censored(time) if time >= 0.0 => self.times.entry(bits(time)).or_default().1 += 1,
            Outcome::Value(value) => self.values.take(value),
            _ => self.not_evaluable += 1,
        }
    }

    /// How many events there were.
    #[must_use]
    pub fn events(&self) -> usize {
        self.times.values().map(|(events, _)| events).sum()
    }

    /// How many patients were censored.
    #[must_use]
    pub fn censored(&self) -> usize {
        self.times.values().map(|(_, censored)| censored).sum()
    }

    /// The steps of the Kaplan-Meier estimate: each time of an event, in days, with the share without the event from then on.
    #[must_use]
    pub fn survival(&self) -> Vec<(f64, f64)> {
        let (mut at_risk, mut share, mut steps) = (self.events() + self.censored(), 1.0, Vec::new());
        for (bits, (events, censored)) in &self.times {
            if *events > 0 {
                share *= 1.0 - *events as f64 / at_risk as f64;
                steps.push((f64::from_bits(*bits), share));
            }
            at_risk -= events + censored;
        }
        steps
    }

    /// The first time, in days, at which the share without the event is a half or less; `None` if it never is.
    #[must_use]
    pub fn median_time(&self) -> Option<f64> {
        self.survival().into_iter().find(|(_, share)| *share <= 0.5).map(|(time, _)| time)
    }

    /// How many values there were.
    #[must_use]
    pub fn values(&self) -> usize {
        self.values.count
    }

    /// The mean of the values; `None` without any.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.values.count > 0).then_some(self.values.mean)
    }

    /// The standard error of that mean; `None` with fewer than two values.
    #[must_use]
    pub fn standard_error(&self) -> Option<f64> {
        let count = self.values.count as f64;
        (count > 1.0).then(|| (self.values.squares / (count - 1.0) / count).sqrt())
    }

    /// The value at a rank, within 0.2 % of it; `None` without values.
    #[must_use]
    pub fn quantile(&self, probability: f64) -> Option<f64> {
        self.values.quantile(probability)
    }
}

/// What a trial came to, endpoint by endpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// How many patients went through the arms.
    pub size: usize,
    arms: Vec<String>,
    endpoints: Vec<String>,
    /// Arms × endpoints.
    tallies: Vec<Tally>,
}

impl Summary {
    /// The summary of `assessments` of `trial`, taken one at a time.
    ///
    /// # Errors
    /// The first error among `assessments`.
    pub fn of(trial: &Trial, assessments: impl IntoIterator<Item = Result<Assessment, TrialError>>) -> Result<Self, TrialError> {
        let arms: Vec<String> = trial.arms.iter().map(|arm| arm.name.clone()).collect();
        let endpoints: Vec<String> = trial.endpoints.iter().map(|endpoint| endpoint.name().to_owned()).collect();
        let tallies = vec![Tally::default(); arms.len() * endpoints.len()];
        let mut summary = Self { size: 0, arms, endpoints, tallies };
        for assessment in assessments {
            let arms = assessment?.arms.ok();
            summary.size += 1;
            for (place, tallies) in summary.tallies.chunks_exact_mut(summary.endpoints.len().max(1)).enumerate() {
                match arms.as_ref().and_then(|arms| arms.get(place)?.as_ref().ok()) {
                    Some(outcomes) => tallies.iter_mut().zip(outcomes).for_each(|(tally, outcome)| tally.take(*outcome)),
                    None => tallies.iter_mut().for_each(|tally| tally.failed += 1),
                }
            }
        }
        Ok(summary)
    }

    /// What `endpoint` came to in `arm`.
    ///
    /// # Errors
    /// [`TrialError::UnknownName`], listing the names there are.
    pub fn tally(&self, arm: &str, endpoint: &str) -> Result<&Tally, TrialError> {
        let place = |name: &str, known: &[String]| {
            let unknown = || TrialError::UnknownName { name: name.to_owned(), known: known.to_vec() };
            known.iter().position(|candidate| candidate == name).ok_or_else(unknown)
        };
        let place = place(arm, &self.arms)? * self.endpoints.len() + place(endpoint, &self.endpoints)?;
        self.tallies.get(place).ok_or(TrialError::Empty { what: "the summary" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::{FollowUp, KaplanMeier, quantile};
    use twin_core::Random;

    #[test]
    fn times_agree_with_kaplan_and_meier() {
        let (mut random, mut tally, mut follow_ups) = (Random::new(4), Tally::default(), Vec::new());
        for _ in 0..3000 {
            let time = 28.0 * (20.0 * random.uniform()).floor();
            if random.uniform() < 0.6 {
                tally.take(Outcome::Event(time));
                follow_ups.push(FollowUp::event(time));
            } else {
                tally.take(Outcome::Censored(time));
                follow_ups.push(FollowUp::censored(time));
            }
        }
        let reference = KaplanMeier::estimate(&follow_ups).unwrap();
        for (time, share) in tally.survival() {
            assert!((reference.survival_at(time).unwrap().survival - share).abs() < 1e-12, "{time}");
        }
        assert_eq!(tally.median_time(), reference.median().time);
        assert_eq!(tally.events() + tally.censored(), 3000);
    }

    #[test]
    fn values_agree_with_the_exact_moments_and_quantiles() {
        let (mut random, mut tally, mut values) = (Random::new(5), Tally::default(), Vec::new());
        for _ in 0..4001 {
            let value = random.normal() * (3.0 * random.normal()).exp();
            tally.take(Outcome::Value(value));
            values.push(value);
        }
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        assert!((tally.mean().unwrap() / mean - 1.0).abs() < 1e-10);
        for probability in [0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0] {
            let (ours, exact) = (tally.quantile(probability).unwrap(), quantile(&values, probability).unwrap());
            assert!((ours / exact - 1.0).abs() < 2e-3, "{ours} against {exact} at {probability}");
        }
        assert_eq!((Tally::default().mean(), Tally::default().quantile(0.5)), (None, None));
    }

    #[test]
    fn nothing_is_a_value_too() {
        let mut tally = Tally::default();
        [0.0, -0.0, 0.0].map(Outcome::Value).into_iter().for_each(|outcome| tally.take(outcome));
        assert_eq!((tally.mean(), tally.quantile(0.5), tally.values()), (Some(0.0), Some(0.0), 3));
    }
}
