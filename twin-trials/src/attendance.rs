//! How well visits are kept.

use crate::TrialError;
use twin_core::Random;

/// How well visits are kept. At a missed visit nothing is measured and nothing decided; what was scheduled for it is given all the same. The
/// first visit is always kept, and on its day.
///
/// A course ends with its last visit that is kept; a late last visit may come after the horizon, by less than half the time between visits.
/// All arms of a patient share the same misses and shifts, so that they stay comparable.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Attendance {
    /// The probability that a visit is missed.
    pub missed: f64,
    /// By how much a visit is early or late at most, as a share of the time between visits, evenly drawn; below a half, so that visits stay
    /// in order.
    pub jitter: f64,
}

impl Attendance {
    pub(crate) fn check(self) -> Result<(), TrialError> {
        if !(0.0..1.0).contains(&self.missed) {
            let valid = "at least 0 and below 1";
            return Err(TrialError::OutOfRange { what: "probability of a missed visit", index: 0, value: self.missed, valid });
        }
        if !(0.0..0.5).contains(&self.jitter) {
            let valid = "at least 0 and below a half";
            return Err(TrialError::OutOfRange { what: "jitter of visits", index: 0, value: self.jitter, valid });
        }
        Ok(())
    }

    /// Whether visit `number` is kept, and by what share of the interval it is shifted.
    pub(crate) fn of(self, number: usize, random: &mut Random) -> (bool, f64) {
        if number == 0 || self == Self::default() {
            return (true, 0.0);
        }
        let (kept, shift) = (random.uniform() >= self.missed, self.jitter * (2.0 * random.uniform() - 1.0));
        (kept, shift)
    }
}
