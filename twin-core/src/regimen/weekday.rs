//! Days of the week, for prescriptions; no calendar stands behind them.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Weekday {
    /// Monday.
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}

impl Weekday {
    /// The whole week, from Monday on.
    pub const ALL: [Self; 7] =
        [Self::Monday, Self::Tuesday, Self::Wednesday, Self::Thursday, Self::Friday, Self::Saturday, Self::Sunday];

    /// Monday to Friday.
    pub const WORKING: [Self; 5] = [Self::Monday, Self::Tuesday, Self::Wednesday, Self::Thursday, Self::Friday];

    /// The weekday `days` days later, or earlier if negative.
    ///
    /// ```
    /// use twin_core::Weekday;
    /// assert_eq!(Weekday::Friday.plus_days(3), Weekday::Monday);
    /// assert_eq!(Weekday::Monday.plus_days(-1), Weekday::Sunday);
    /// ```
    #[must_use]
    pub fn plus_days(self, days: i64) -> Self {
        match (self as i64 + days.rem_euclid(7)) % 7 {
            0 => Self::Monday,
            1 => Self::Tuesday,
            2 => Self::Wednesday,
            3 => Self::Thursday,
            4 => Self::Friday,
            5 => Self::Saturday,
            _ => Self::Sunday,
        }
    }

    /// Days from this weekday on until the next `other`, 0 to 6.
    #[must_use]
    pub fn days_until(self, other: Self) -> u32 {
        (other as u32 + 7 - self as u32) % 7
    }
}

impl fmt::Display for Weekday {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_and_sum_agree() {
        for (i, from) in Weekday::ALL.into_iter().enumerate() {
            for (j, to) in Weekday::ALL.into_iter().enumerate() {
                assert_eq!(from.plus_days(from.days_until(to).into()), to);
                assert_eq!(Weekday::Monday.plus_days(j as i64), to);
                assert_eq!(from.days_until(to), (j as i64 - i as i64).rem_euclid(7) as u32);
            }
        }
        assert_eq!(Weekday::Sunday.plus_days(i64::MIN), Weekday::Sunday.plus_days(i64::MIN.rem_euclid(7)));
    }
}
