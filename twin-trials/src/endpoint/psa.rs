//! Progression and response of prostate-specific antigen.

use crate::{Course, Endpoint, Outcome};
use serde::{Deserialize, Serialize};
use twin_core::Observable;

/// The thresholds by which a series of PSA is judged, as versioned data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PsaCriteria {
    /// The name of the criteria.
    pub name: String,
    /// Their version.
    pub version: String,
    /// Where they are written down.
    pub source: String,
    /// Progression needs a rise over the reference by at least this share,
    pub rise: f64,
    /// and by at least this many ng/mL.
    pub rise_ng_per_ml: f64,
    /// After a decline, the rise must still be there at least this many days later.
    pub confirmation_days: f64,
    /// Without a decline, rises before this many days do not count.
    pub without_decline_days: f64,
    /// A response is a decline from baseline by at least this share, confirmed.
    pub decline: f64,
}

impl PsaCriteria {
    /// Prostate Cancer Working Group 3 (Scher 2016, doi:10.1200/JCO.2015.64.2702): a rise by 25 % and 2 ng/mL over the nadir, confirmed
    /// three weeks later; without a decline from baseline, over the baseline and after 12 weeks.
    #[must_use]
    pub fn pcwg3() -> Self {
        Self {
            name: "PCWG".to_owned(),
            version: "3".to_owned(),
            source: "Scher 2016, doi:10.1200/JCO.2015.64.2702".to_owned(),
            rise: 0.25,
            rise_ng_per_ml: 2.0,
            confirmation_days: 21.0,
            without_decline_days: 84.0,
            decline: 0.5,
        }
    }

    fn risen(&self, value: f64, reference: f64) -> bool {
        let rise = value - reference;
        rise >= self.rise * reference - 1e-9 * reference && rise >= self.rise_ng_per_ml - 1e-9
    }

    /// The time of progression in a series of times in days and values in ng/mL, baseline first; a rise that must be confirmed is dated
    /// by its first value.
    #[must_use]
    pub fn progression(&self, series: &[(f64, f64)]) -> Option<f64> {
        let &(start, baseline) = series.first()?;
        let mut nadir = baseline;
        for (place, &(time, value)) in series.iter().enumerate().skip(1) {
            if nadir < baseline {
                let later = series.get(place + 1..).unwrap_or_default();
                let mut confirming = later.iter().take_while(|(_, later)| self.risen(*later, nadir));
                if self.risen(value, nadir) && confirming.any(|(later, _)| later - time >= self.confirmation_days) {
                    return Some(time);
                }
            } else if time - start >= self.without_decline_days && self.risen(value, baseline) {
                return Some(time);
            }
            nadir = nadir.min(value);
        }
        None
    }

    /// The time of the first decline that counts as a response and is still there at the confirmation.
    #[must_use]
    pub fn response(&self, series: &[(f64, f64)]) -> Option<f64> {
        let &(_, baseline) = series.first()?;
        let declined = |value: f64| value <= (1.0 - self.decline) * baseline + 1e-9 * baseline;
        series.iter().enumerate().skip(1).find_map(|(place, &(time, value))| {
            let mut later = series.get(place + 1..).unwrap_or_default().iter().take_while(|(_, later)| declined(*later));
            (declined(value) && later.any(|(later, _)| later - time >= self.confirmation_days)).then_some(time)
        })
    }
}

/// Days to progression of the observed PSA, after the policy took over; censored at the last observation.
#[derive(Debug, Clone, PartialEq)]
pub struct PsaProgression {
    /// Its name.
    pub name: String,
    /// The thresholds.
    pub criteria: PsaCriteria,
}

impl PsaProgression {
    /// Progression by the Prostate Cancer Working Group 3.
    #[must_use]
    pub fn pcwg3() -> Self {
        Self { name: "time to PSA progression, PCWG3".to_owned(), criteria: PsaCriteria::pcwg3() }
    }
}

impl Endpoint for PsaProgression {
    fn name(&self) -> &str {
        &self.name
    }

    fn assess(&self, course: &Course) -> Outcome {
        let seen = course.seen(&Observable::PSA);
        let series: Vec<(f64, f64)> = seen.into_iter().map(|(time, value)| ((time - course.since).days(), value)).collect();
        match (self.criteria.progression(&series), series.last()) {
            (Some(day), _) => Outcome::Event(day),
            (None, Some(&(last, _))) => Outcome::Censored(last),
            (None, None) => Outcome::NotEvaluable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_worked_series() {
        let criteria = PsaCriteria::pcwg3();
        // Down to 4, up to 6.5 (more than 25 % and 2 ng/mL), and still up three weeks later.
        assert_eq!(criteria.progression(&[(0.0, 20.0), (28.0, 4.0), (56.0, 6.5), (84.0, 7.0)]), Some(56.0));
        // Not confirmed: back at 5.
        assert_eq!(criteria.progression(&[(0.0, 20.0), (28.0, 4.0), (56.0, 6.5), (84.0, 5.0)]), None);
        // Confirmed too early, then again late enough.
        assert_eq!(criteria.progression(&[(0.0, 20.0), (28.0, 4.0), (56.0, 6.5), (70.0, 6.6)]), None);
        assert_eq!(criteria.progression(&[(0.0, 20.0), (28.0, 4.0), (56.0, 6.5), (70.0, 6.6), (77.0, 6.7)]), Some(56.0));
        // 25 % of 4 is only 1 ng/mL: 5.5 is no progression.
        assert_eq!(criteria.progression(&[(0.0, 20.0), (28.0, 4.0), (56.0, 5.5), (84.0, 5.6)]), None);
        // No decline: an early rise does not count, one at 12 weeks does.
        assert_eq!(criteria.progression(&[(0.0, 20.0), (28.0, 30.0), (56.0, 31.0)]), None);
        assert_eq!(criteria.progression(&[(0.0, 20.0), (28.0, 30.0), (84.0, 25.0)]), Some(84.0));
        assert_eq!(criteria.progression(&[]), None);
    }

    #[test]
    fn a_response_is_a_confirmed_decline() {
        let criteria = PsaCriteria::pcwg3();
        assert_eq!(criteria.response(&[(0.0, 20.0), (28.0, 10.0), (56.0, 9.0)]), Some(28.0));
        assert_eq!(criteria.response(&[(0.0, 20.0), (28.0, 10.0), (56.0, 11.0)]), None);
    }
}
