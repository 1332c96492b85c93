//! Calendar dates, which exist in this crate alone: everywhere else time is days from an origin.

use crate::{IoError, Place};
use twin_core::Time;

/// A day of the Gregorian calendar, from 1800 to 2200. Neither `Debug` nor `Display` shows it: a date can identify a person.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// Days since 1970-01-01.
    day: i64,
}

impl std::fmt::Debug for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Date(…)")
    }
}

impl Date {
    /// A date as `yyyy-mm-dd` or `yyyymmdd`.
    ///
    /// # Errors
    /// [`IoError::Invalid`] for another form, a day that the calendar does not have, or a year outside 1800 to 2200.
    pub fn parse(text: &str) -> Result<Self, IoError> {
        Self::of(text)
            .ok_or_else(|| Place::default().invalid("a date must be a day of the calendar from 1800 to 2200, as yyyy-mm-dd"))
    }

    fn of(text: &str) -> Option<Self> {
        let digits: String = match text.len() {
            8 => text.to_owned(),
            10 if text.as_bytes().get(4) == Some(&b'-') && text.as_bytes().get(7) == Some(&b'-') => text.replace('-', ""),
            _ => return None,
        };
        if digits.len() != 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let part = |from, to| digits.get(from..to)?.parse::<i64>().ok();
        Self::from_civil(part(0, 4)?, part(4, 6)?, part(6, 8)?)
    }

    fn from_civil(year: i64, month: i64, day: i64) -> Option<Self> {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let lengths = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let length = *lengths.get(usize::try_from(month).ok()?.checked_sub(1)?)?;
        if !(1800..=2200).contains(&year) || !(1..=length).contains(&day) {
            return None;
        }
        // Years begin in March, so that the leap day is the last.
        let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
        let day = 365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (153 * month + 2) / 5 + day - 1;
        Some(Self { day: day - 719_468 })
    }

    /// The date as `yyyy-mm-dd`, for a file that the caller answers for.
    #[must_use]
    pub fn to_text(self) -> String {
        let shifted = self.day + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month + 2) / 5 + 1;
        let (year, month) =
            if month >= 10 { (year_of_era + era * 400 + 1, month - 9) } else { (year_of_era + era * 400, month + 3) };
        format!("{year:04}-{month:02}-{day:02}")
    }

    /// Days from `origin` to this date.
    #[must_use]
    pub fn days_since(self, origin: Self) -> i64 {
        self.day - origin.day
    }

    /// The time of the date for a twin with that origin: whole days. With one origin for all that is known of a subject, every interval
    /// is kept and no date is.
    ///
    /// # Errors
    /// None for dates that this type holds; the door of [`Time`] is asked all the same.
    pub fn time_since(self, origin: Self) -> Result<Time, IoError> {
        Time::from_days(self.days_since(origin) as f64).map_err(|error| Place::default().invalid(error.to_string()))
    }

    /// The date `days` later, if it is one that this type holds.
    #[must_use]
    pub fn plus_days(self, days: i64) -> Option<Self> {
        let later = Self { day: self.day.checked_add(days)? };
        let (first, last) = (Self::from_civil(1800, 1, 1)?, Self::from_civil(2200, 12, 31)?);
        (first <= later && later <= last).then_some(later)
    }
}
