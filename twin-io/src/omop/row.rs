//! A row of a table, and its fields by type.

use super::Tables;
use crate::dataframe::{DataFrame, Values};
use crate::{Date, IoError, Place};
use std::path::Path;
use twin_core::Time;

/// A row.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) table: &'static str,
    frame: &'a DataFrame,
    index: usize,
}

/// The rows of a table; none if there is no such table, but for the persons.
pub(super) fn rows<'a>(tables: &'a Tables, table: &'static str) -> Result<Vec<Row<'a>>, IoError> {
    let place = || Place::of(Some(Path::new(table)));
    let missing = |present: Vec<String>| IoError::MissingColumns { place: place(), missing: vec!["person_id".to_owned()], present };
    let Some(frame) = tables.table(table) else {
        return if table == "person" { Err(missing(Vec::new())) } else { Ok(Vec::new()) };
    };
    // An event of an episode belongs to its episode and names no person.
    if table != "episode_event" && frame.column("person_id").is_none() {
        return Err(missing(frame.columns().iter().map(|column| column.name.clone()).collect()));
    }
    Ok((0..frame.rows()).map(|index| Row { table, frame, index }).collect())
}

impl Row<'_> {
    /// Where it stands, as `measurement row 3`.
    pub(super) fn path(&self) -> String {
        format!("{} row {}", self.table, self.index + 1)
    }

    pub(super) fn place(&self, column: &str) -> Place {
        Place::of(Some(Path::new(self.table))).field(&format!("row {}, {column}", self.index + 1))
    }

    /// The columns that hold something in this row.
    pub(super) fn filled(&self) -> impl Iterator<Item = &str> {
        self.frame.columns().iter().filter(|column| column.values.text(self.index).is_some()).map(|column| column.name.as_str())
    }

    /// A text, without spaces around it; `None` where it is missing or empty.
    pub(super) fn text(&self, column: &str) -> Option<String> {
        let text = self.frame.column(column)?.values.text(self.index)?;
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// A whole number.
    pub(super) fn integer(&self, column: &str) -> Result<Option<i64>, IoError> {
        let wrong = || self.place(column).invalid("must be a whole number");
        // Whole numbers that can be missing often arrive as real ones: `8507.0`.
        let whole = |value: f64| (value.fract().abs() < f64::MIN_POSITIVE && value.abs() < 9e15).then_some(value as i64);
        match (self.frame.column(column).map(|column| &column.values), self.text(column)) {
            (_, None) => Ok(None),
            (Some(Values::Number(values)), _) => {
                values.get(self.index).copied().flatten().map(|value| whole(value).ok_or_else(wrong)).transpose()
            }
            (_, Some(text)) => {
                let parsed = text.parse::<i64>().ok().or_else(|| text.parse().ok().and_then(whole));
                parsed.map(Some).ok_or_else(wrong)
            }
        }
    }

    /// A whole number that must be there.
    pub(super) fn needed(&self, column: &str) -> Result<i64, IoError> {
        self.integer(column)?.ok_or_else(|| self.place(column).invalid("must not be empty"))
    }

    /// A concept; 0 stands for none.
    pub(super) fn concept(&self, column: &str) -> Result<Option<i64>, IoError> {
        Ok(self.integer(column)?.filter(|id| *id != 0))
    }

    /// A finite number.
    pub(super) fn number(&self, column: &str) -> Result<Option<f64>, IoError> {
        let Some(text) = self.text(column) else { return Ok(None) };
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
        number.map(Some).ok_or_else(|| self.place(column).invalid("must be a finite number"))
    }

    /// A day, as days from `origin`.
    pub(super) fn day(&self, column: &str, origin: Date) -> Result<Option<Time>, IoError> {
        let Some(text) = self.text(column) else { return Ok(None) };
        self.split(column, &text, origin).map(|(day, _)| Some(day))
    }

    /// A time: that of `exact` where it is there, which must be of the day in `day`, else the beginning of that day.
    pub(super) fn time(&self, day: &str, exact: &str, origin: Date) -> Result<Option<Time>, IoError> {
        let stated = self.day(day, origin)?;
        let Some(text) = self.text(exact) else { return Ok(stated) };
        let (whole, second) = self.split(exact, &text, origin)?;
        if stated.is_some_and(|stated| stated != whole) {
            return Err(self.place(exact).invalid(format!("must be of the day in {day}")));
        }
        let days = (whole.days() * 86_400.0 + second) / 86_400.0;
        Time::from_days(days).map(Some).map_err(|_| self.place(exact).invalid("is too far from the origin"))
    }

    /// The day of a date or a date with its time, and the seconds since its beginning.
    fn split(&self, column: &str, text: &str, origin: Date) -> Result<(Time, f64), IoError> {
        let wrong =
            || self.place(column).invalid("must be a day of the calendar, as yyyy-mm-dd, with or without a time, as hh:mm:ss");
        let (date, rest) = text.split_at_checked(10).unwrap_or((text, ""));
        let day = Date::parse(date).map_err(|_| wrong())?.time_since(origin).map_err(|_| wrong())?;
        let rest = rest.strip_suffix('Z').unwrap_or(rest);
        if rest.is_empty() {
            return Ok((day, 0.0));
        }
        let parts: Vec<&str> = rest.strip_prefix(['T', ' ']).ok_or_else(wrong)?.split(':').collect();
        let (hour, minute, second) = match parts[..] {
            [hour, minute] => (hour, minute, "0"),
            [hour, minute, second] => (hour, minute, second),
            _ => return Err(wrong()),
        };
        let whole =
            |text: &str, below: u32| text.parse::<u32>().ok().filter(|value| *value < below && text.len() == 2).ok_or_else(wrong);
        let is_second = second.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let second = second.parse::<f64>().ok().filter(|second| is_second && *second < 60.0).ok_or_else(wrong)?;
        Ok((day, f64::from(whole(hour, 24)? * 3600 + whole(minute, 60)? * 60) + second))
    }
}
