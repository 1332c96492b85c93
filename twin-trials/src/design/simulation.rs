//! Power and sample size by simulation, with their Monte-Carlo error.

use crate::TrialError;
use crate::statistics::{FollowUp, Share, log_rank, open_unit};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use twin_core::Random;
use twin_models::survival::Lifetime;

/// The share of `trials` simulated trials that succeed, with its Monte-Carlo error.
///
/// Trial `i` draws from stream `i` of `random`, so the result is the same at any number of threads.
///
/// ```
/// use twin_core::Random;
/// use twin_trials::design::simulate_power;
/// // A trial that succeeds if 8 of 10 patients respond, at a rate of 0.6: probability 0.167.
/// let trial = |random: &mut Random| Ok((0..10).filter(|_| random.uniform() < 0.6).count() >= 8);
/// let power = simulate_power(2000, &Random::new(1), trial)?;
/// assert!((power.share - 0.167).abs() < 4.0 * power.standard_error);
/// # Ok::<(), twin_trials::TrialError>(())
/// ```
///
/// # Errors
/// [`TrialError::Count`] for no trial, and the error of the first trial, by index, that could not be carried out.
pub fn simulate_power(
    trials: usize,
    random: &Random,
    trial: impl Fn(&mut Random) -> Result<bool, TrialError> + Sync,
) -> Result<Share, TrialError> {
    let verdicts: Vec<Result<bool, TrialError>> =
        (0..trials).into_par_iter().map(|index| trial(&mut random.stream(index as u64))).collect();
    let mut successes = 0;
    for verdict in verdicts {
        successes += usize::from(verdict?);
    }
    Share::of(successes, trials)
}

/// The least sample size in `sizes` (ascending) whose simulated power is at least `power`, with that power.
///
/// Looks by halving, which takes for granted that power rises with size; each size uses the same streams, so that sizes are compared on
/// the same chances.
///
/// # Errors
/// [`TrialError::NoDesign`] if even the largest size does not do; [`TrialError::OutOfRange`] for a power not strictly between 0 and 1;
/// [`TrialError::Empty`] for no sizes; and as [`simulate_power`].
pub fn sample_size(
    sizes: &[usize],
    power: f64,
    trials: usize,
    random: &Random,
    trial: impl Fn(usize, &mut Random) -> Result<bool, TrialError> + Sync,
) -> Result<(usize, Share), TrialError> {
    open_unit("power", power)?;
    let Some(&largest) = sizes.last() else { return Err(TrialError::Empty { what: "the list of sizes" }) };
    let of = |size: usize| simulate_power(trials, random, |random: &mut Random| trial(size, random));
    let mut best = (largest, of(largest)?);
    if best.1.share < power {
        return Err(TrialError::NoDesign { what: "sample size", bound: format!("{largest} patients") });
    }
    let (mut low, mut high) = (0, sizes.len() - 1);
    while low < high {
        let middle = (low + high) / 2;
        let size = sizes.get(middle).copied().unwrap_or(largest);
        let found = of(size)?;
        if found.share >= power {
            (best, high) = ((size, found), middle);
        } else {
            low = middle + 1;
        }
    }
    Ok(best)
}

/// A two-arm trial of survival that is analyzed by a log-rank test once a number of events has happened.
///
/// ```
/// use twin_core::Random;
/// use twin_models::survival::Lifetime;
/// use twin_trials::design::{SurvivalTrial, simulate_power};
/// let control = Lifetime::weibull(12.0, 1.0)?;
/// let treated = Lifetime::weibull(24.0, 1.0)?; // hazard ratio 0.5
/// let trial = SurvivalTrial { control, treated, patients: 120, events: 66, accrual: 6.0, alpha: 0.05 };
/// let power = simulate_power(200, &Random::new(1), |random: &mut Random| trial.succeeds(random))?;
/// assert!((power.share - 0.8).abs() < 5.0 * power.standard_error);
/// # Ok::<(), twin_trials::TrialError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SurvivalTrial {
    /// Times to the event under the control.
    pub control: Lifetime,
    /// Times to the event under the treatment.
    pub treated: Lifetime,
    /// Patients of both arms together, one to one.
    pub patients: usize,
    /// After how many events the trial is analyzed.
    pub events: usize,
    /// How long patients are recruited, uniformly, in the unit of the times.
    pub accrual: f64,
    /// The two-sided level of the test.
    pub alpha: f64,
}

/// The data of one simulated [`SurvivalTrial`] at its analysis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SurvivalData {
    /// The follow-ups under the control.
    pub control: Vec<FollowUp>,
    /// The follow-ups under the treatment.
    pub treated: Vec<FollowUp>,
    /// When the trial was analyzed, after its first patient could enter.
    pub analyzed: f64,
}

impl SurvivalTrial {
    /// Simulates the trial up to its analysis: at the event that completes the number, everybody still free of it is censored.
    ///
    /// # Errors
    /// [`TrialError::Count`] for fewer than two patients, or fewer patients than events; [`TrialError::OutOfRange`] for an accrual that is
    /// not finite and 0 or more.
    pub fn simulate(&self, random: &mut Random) -> Result<SurvivalData, TrialError> {
        if self.patients < 2 {
            return Err(TrialError::Count { what: "number of patients", count: self.patients, valid: "2 or more" });
        }
        if self.events == 0 || self.events > self.patients {
            return Err(TrialError::Count {
                what: "number of events",
                count: self.events,
                valid: "from 1 to the number of patients",
            });
        }
        if !(self.accrual.is_finite() && self.accrual >= 0.0) {
            let valid = "0 or more and finite";
            return Err(TrialError::OutOfRange { what: "accrual", index: 0, value: self.accrual, valid });
        }
        let course = |patient: usize| {
            let law = if patient.is_multiple_of(2) { &self.control } else { &self.treated };
            (self.accrual * random.uniform(), law.draw(random))
        };
        let courses: Vec<(f64, f64)> = (0..self.patients).map(course).collect();
        let mut ends: Vec<f64> = courses.iter().map(|(entry, time)| entry + time).collect();
        ends.sort_by(f64::total_cmp);
        let analyzed = ends.get(self.events - 1).copied().unwrap_or(f64::NAN);
        let mut arms = [Vec::new(), Vec::new()];
        for (patient, &(entry, time)) in courses.iter().enumerate().filter(|(_, (entry, _))| *entry <= analyzed) {
            let seen = if entry + time <= analyzed { FollowUp::event(time) } else { FollowUp::censored(analyzed - entry) };
            if let Some(arm) = arms.get_mut(patient % 2) {
                arm.push(seen);
            }
        }
        let [control, treated] = arms;
        Ok(SurvivalData { control, treated, analyzed })
    }

    /// Simulates the trial, and says whether its log-rank test rejects.
    ///
    /// # Errors
    /// As [`SurvivalTrial::simulate`] and [`log_rank`], and [`TrialError::OutOfRange`] for an alpha not strictly between 0 and 1.
    pub fn succeeds(&self, random: &mut Random) -> Result<bool, TrialError> {
        open_unit("alpha", self.alpha)?;
        let data = self.simulate(random)?;
        Ok(log_rank(&[&data.control, &data.treated])?.p_value < self.alpha)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn trial(ratio: f64, events: usize) -> SurvivalTrial {
        let (control, treated) = (Lifetime::weibull(12.0, 1.0).unwrap(), Lifetime::weibull(12.0 / ratio, 1.0).unwrap());
        SurvivalTrial { control, treated, patients: 2 * events, events, accrual: 12.0, alpha: 0.05 }
    }

    #[test]
    fn the_analysis_comes_with_the_event_that_completes_the_number() {
        let data = trial(0.7, 40).simulate(&mut Random::new(3)).unwrap();
        let events = data.control.iter().chain(&data.treated).filter(|seen| seen.event).count();
        assert_eq!(events, 40);
        assert!(data.control.iter().chain(&data.treated).all(|seen| seen.time <= data.analyzed));
    }

    #[test]
    fn a_sample_size_is_the_least_that_will_do() {
        let binomial = |size: usize, random: &mut Random| Ok((0..size).filter(|_| random.uniform() < 0.6).count() * 2 > size);
        let sizes: Vec<usize> = (1..=100).map(|k| 2 * k + 1).collect();
        let (size, power) = sample_size(&sizes, 0.9, 2000, &Random::new(4), binomial).unwrap();
        assert!(power.share >= 0.9);
        // Exact: 0.9 is passed at 41 patients (0.9035; 39 give 0.8979).
        assert!((35..=47).contains(&size), "{size}");
        assert!(matches!(sample_size(&[3, 5], 0.9, 200, &Random::new(4), binomial), Err(TrialError::NoDesign { .. })));
    }

    #[test]
    fn nonsense_is_refused() {
        let mut random = Random::new(1);
        for bad in [
            SurvivalTrial { patients: 1, ..trial(0.7, 10) },
            SurvivalTrial { events: 0, ..trial(0.7, 10) },
            SurvivalTrial { events: 21, ..trial(0.7, 10) },
            SurvivalTrial { alpha: f64::NAN, ..trial(0.7, 10) },
            SurvivalTrial { accrual: f64::NAN, ..trial(0.7, 10) },
        ] {
            assert!(bad.succeeds(&mut random).is_err(), "{bad:?}");
        }
        assert!(simulate_power(0, &random, |_: &mut Random| Ok(true)).is_err());
    }
}
