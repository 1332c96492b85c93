//! Repair of sublethal damage, during delivery and between fractions.

use crate::check::positive;
use twin_core::{CoreError, Span};

/// The half-time of repair of sublethal damage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RepairHalfTime(f64);

impl RepairHalfTime {
    /// A half-time of `hours`.
    ///
    /// # Errors
    /// [`CoreError`] unless it is finite and above 0.
    pub fn from_hours(hours: f64) -> Result<Self, CoreError> {
        positive("half-time of repair in hours", hours).map(Self)
    }

    /// The half-time in hours.
    #[must_use]
    pub const fn hours(self) -> f64 {
        self.0
    }

    /// The share of damage that is not repaired after `gap`; a gap in the past counts as its length.
    #[must_use]
    pub fn unrepaired(self, gap: Span) -> f64 {
        (-std::f64::consts::LN_2 * gap.days().abs() * 24.0 / self.0).exp()
    }
}

/// The factor of Lea and Catcheside that delivery at a constant rate over `duration` puts before `β d²`:
/// `G = 2 (x - 1 + exp(-x)) / x²` with `x = ln 2 · duration / half-time`; 1 for a delivery that takes no time.
///
/// Lea and Catcheside 1942, doi:10.1007/BF02982830.
///
/// ```
/// use twin_core::Span;
/// use twin_models::radiation::{RepairHalfTime, lea_catcheside};
/// let factor = lea_catcheside(RepairHalfTime::from_hours(1.5)?, Span::from_hours(1.0)?)?;
/// assert!((factor - 0.862_236).abs() < 1e-6);
/// # Ok::<(), twin_core::CoreError>(())
/// ```
///
/// # Errors
/// [`CoreError`] for a duration that is negative.
pub fn lea_catcheside(half_time: RepairHalfTime, duration: Span) -> Result<f64, CoreError> {
    let hours = crate::check::not_negative("duration of delivery in hours", duration.days() * 24.0)?;
    let x = std::f64::consts::LN_2 * hours / half_time.0;
    if x < 1e-2 {
        // The series: the closed form loses its digits to cancellation here.
        return Ok(1.0 - x / 3.0 * (1.0 - x / 4.0 * (1.0 - x / 5.0 * (1.0 - x / 6.0))));
    }
    // Where the quotient overflows, the limit is 0.
    Ok(2.0 / x * (1.0 + (-x).exp_m1() / x))
}

/// The factor of Thames for `sessions` of one day, `gap` apart, with complete repair overnight: a fraction counts
/// `1 + (1 + h) d / (α/β)` in the biologically effective dose, with
/// `h = 2/m · (φ / (1 - φ)) · (m - (1 - φ^m) / (1 - φ))`, `φ` the share that stays unrepaired in the gap.
///
/// Thames 1985, International Journal of Radiation Biology 47:319.
///
/// # Errors
/// [`CoreError`] unless there are 1 to 1440 sessions and the gap is above 0, and for sessions that take more than a day, gap by gap: no
/// night would be left.
pub fn thames(half_time: RepairHalfTime, sessions: u32, gap: Span) -> Result<f64, CoreError> {
    if !(1..=1440).contains(&sessions) {
        return Err(CoreError::Count { what: "sessions of a day", count: sessions as usize, valid: "1 to 1440" });
    }
    let hours = f64::from(sessions) * positive("gap between sessions in hours", gap.days() * 24.0)?;
    // A rounding beyond, so that three sessions eight hours apart pass.
    crate::check::within("sessions times the gap between them in hours", hours, hours <= 24.0 + 1e-9, "24 or less")?;
    let (left, m) = (half_time.unrepaired(gap), f64::from(sessions));
    // The sum over pairs, which the closed form is; it keeps its digits when nearly nothing is repaired.
    let pairs: f64 = (1..sessions).map(|apart| (m - f64::from(apart)) * left.powi(apart as i32)).sum();
    Ok(2.0 * pairs / m)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_series_meets_the_closed_form() {
        let half_time = RepairHalfTime::from_hours(std::f64::consts::LN_2).unwrap();
        let of = |x: f64| lea_catcheside(half_time, Span::from_hours(x).unwrap()).unwrap();
        assert!((of(0.009_999_99) - of(0.010_000_01)).abs() < 1e-8);
        assert_eq!(of(0.0), 1.0);
        let longest = lea_catcheside(RepairHalfTime::from_hours(1e-305).unwrap(), Span::from_days(1e8).unwrap()).unwrap();
        assert_eq!(longest, 0.0);
    }

    #[test]
    fn the_sum_over_pairs_is_the_closed_form_of_thames() {
        let half_time = RepairHalfTime::from_hours(4.0).unwrap();
        let gap = Span::from_hours(4.5).unwrap();
        let (m, left) = (5.0_f64, half_time.unrepaired(gap));
        let closed = 2.0 / m * (left / (1.0 - left)) * (m - (1.0 - left.powf(m)) / (1.0 - left));
        assert!((thames(half_time, 5, gap).unwrap() - closed).abs() < 1e-14);
        assert_eq!(thames(half_time, 1, gap).unwrap(), 0.0);
        assert!(thames(half_time, 0, gap).is_err());
        assert!(thames(half_time, 30_000_000, gap).is_err());
        assert!(thames(half_time, 3, Span::from_hours(8.0).unwrap()).is_ok());
        assert!(thames(half_time, 4, Span::from_hours(8.0).unwrap()).is_err());
    }
}
