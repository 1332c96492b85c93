//! The columns of a file and what their numbers mean.

use super::encoding::Physical;
use super::thrift::Thrift;
use crate::{Date, IoError, Place};

/// A column.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) physical: Physical,
    pub(super) meaning: Meaning,
    /// Whether values may be missing.
    pub(super) optional: bool,
}

/// What the stored values stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Boolean,
    Number,
    Integer,
    Unsigned32,
    Unsigned64,
    Text,
    Date,
    /// Time since 1970 in steps of which a second has `per_second`.
    Timestamp {
        per_second: i64,
    },
}

/// The columns that the elements of a schema stand for.
pub(super) fn schema(elements: &[Thrift<'_>], place: &Place) -> Result<Vec<Field>, IoError> {
    const FLAT: &str = "tables of single values";
    let Some((root, leaves)) = elements.split_first() else { return Err(place.clone().syntax("the schema is missing")) };
    let mut fields = Vec::with_capacity(leaves.len());
    for leaf in leaves {
        let name = leaf.text(4).ok_or_else(|| place.clone().syntax("a column without its name"))?.to_owned();
        let at = place.clone().field(&name);
        if leaf.integer(5).unwrap_or(0) > 0 || leaf.integer(3) == Some(2) {
            return Err(at.unsupported("a column of columns or of lists", FLAT));
        }
        let physical = match leaf.integer(1) {
            Some(0) => Physical::Boolean,
            Some(1) => Physical::Int32,
            Some(2) => Physical::Int64,
            Some(4) => Physical::Float,
            Some(5) => Physical::Double,
            Some(6) => Physical::Bytes,
            _ => return Err(at.unsupported("a column of 96 bits or of texts of fixed length", FLAT)),
        };
        let meaning =
            meaning(leaf, physical).ok_or_else(|| at.unsupported("a column of this logical type", "numbers, texts, dates"))?;
        fields.push(Field { name, physical, meaning, optional: leaf.integer(3) == Some(1) });
    }
    if root.size(5) != Some(fields.len()) {
        return Err(place.clone().syntax("the schema has another number of columns than it declares"));
    }
    Ok(fields)
}

fn meaning(leaf: &Thrift<'_>, physical: Physical) -> Option<Meaning> {
    // The fields of the union of logical types, and the older converted types.
    let logical = leaf.field(10);
    let is = |id: i16| logical.is_some_and(|logical| logical.field(id).is_some());
    let converted = leaf.integer(6);
    let integer = logical.and_then(|logical| logical.field(10));
    match physical {
        Physical::Boolean => Some(Meaning::Boolean),
        Physical::Float | Physical::Double => Some(Meaning::Number),
        Physical::Bytes if is(1) || matches!(converted, None | Some(0 | 4)) => (!is(5)).then_some(Meaning::Text),
        Physical::Bytes => None,
        Physical::Int32 if is(6) || converted == Some(6) => Some(Meaning::Date),
        Physical::Int64 if is(8) => {
            let unit = logical?.field(8)?.field(2)?;
            let per_second = [(1, 1_000), (2, 1_000_000), (3, 1_000_000_000)];
            per_second
                .into_iter()
                .find(|(id, _)| unit.field(*id).is_some())
                .map(|(_, per_second)| Meaning::Timestamp { per_second })
        }
        Physical::Int64 if converted == Some(9) => Some(Meaning::Timestamp { per_second: 1_000 }),
        Physical::Int64 if converted == Some(10) => Some(Meaning::Timestamp { per_second: 1_000_000 }),
        // Decimals and times of a day.
        _ if is(5) || is(7) || matches!(converted, Some(5 | 7 | 8)) => None,
        Physical::Int32 | Physical::Int64 => {
            let unsigned = integer.is_some_and(|integer| integer.boolean(2) == Some(false)) || matches!(converted, Some(11..=14));
            Some(match (unsigned, physical) {
                (true, Physical::Int32) => Meaning::Unsigned32,
                (true, _) => Meaning::Unsigned64,
                _ => Meaning::Integer,
            })
        }
    }
}

impl Meaning {
    pub(super) fn integer(self, stored: i64) -> Result<i64, &'static str> {
        match self {
            // Stored in 32 bits with a sign.
            Self::Unsigned32 => Ok(stored & 0xffff_ffff),
            Self::Unsigned64 if stored < 0 => Err("must be at most 2^63 - 1"),
            _ => Ok(stored),
        }
    }

    /// A day as `yyyy-mm-dd`, or a time as `yyyy-mm-ddThh:mm:ss` with a fraction where there is one.
    pub(super) fn date(self, stored: i64) -> Result<String, &'static str> {
        let day = |days: i64| {
            let epoch = Date::parse("1970-01-01").ok();
            epoch.and_then(|epoch| epoch.plus_days(days)).map(Date::to_text).ok_or("must be a day from 1800 to 2200")
        };
        let Self::Timestamp { per_second } = self else { return day(stored) };
        let (seconds, fraction) = (stored.div_euclid(per_second), stored.rem_euclid(per_second));
        let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let mut text = format!("{}T{:02}:{:02}:{:02}", day(days)?, second / 3600, second / 60 % 60, second % 60);
        if fraction > 0 {
            let digits = format!("{:0width$}", fraction, width = per_second.ilog10() as usize);
            text.push('.');
            text.push_str(digits.trim_end_matches('0'));
        }
        Ok(text)
    }
}
