//! A table of typed columns, with names, units and missing values: what goes out as CSV, Parquet and Arrow, and what tables come in as.
//!
//! ```
//! use twin_io::dataframe::{Column, DataFrame, Values};
//! let frame = DataFrame::new(vec![
//!     Column::new("patient", Values::Integer(vec![Some(0), Some(1)])),
//!     Column::new("volume", Values::Number(vec![Some(120.5), None])).in_unit("mm3".parse()?),
//! ])?;
//! assert_eq!(frame.to_csv(), "patient,volume [mm3]\n0,120.5\n1,\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use crate::{IoError, Place};
use std::collections::HashSet;
use std::fmt::Write as _;
use twin_core::Unit;

/// The values of a column, `None` where one is missing.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Numbers.
    Number(Vec<Option<f64>>),
    /// Whole numbers.
    Integer(Vec<Option<i64>>),
    /// Texts; dates are texts as `yyyy-mm-dd`.
    Text(Vec<Option<String>>),
    /// Yes and no.
    Boolean(Vec<Option<bool>>),
}

impl Values {
    /// How many there are, the missing ones counted.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Number(values) => values.len(),
            Self::Integer(values) => values.len(),
            Self::Text(values) => values.len(),
            Self::Boolean(values) => values.len(),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of a row as text, as CSV holds it; `None` where it is missing or there is no such row.
    #[must_use]
    pub fn text(&self, row: usize) -> Option<String> {
        match self {
            Self::Number(values) => values.get(row).copied().flatten().map(|value| value.to_string()),
            Self::Integer(values) => values.get(row).copied().flatten().map(|value| value.to_string()),
            Self::Text(values) => values.get(row).cloned().flatten(),
            Self::Boolean(values) => values.get(row).copied().flatten().map(|value| value.to_string()),
        }
    }
}

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// The unit of its numbers.
    pub unit: Option<Unit>,
    /// Its values.
    pub values: Values,
}

impl Column {
    /// A column without a unit.
    #[must_use]
    pub fn new(name: impl Into<String>, values: Values) -> Self {
        Self { name: name.into(), unit: None, values }
    }

    /// The same column, its numbers being in `unit`.
    #[must_use]
    pub fn in_unit(mut self, unit: Unit) -> Self {
        self.unit = Some(unit);
        self
    }
}

/// Columns of one length, each with a name of its own.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DataFrame {
    columns: Vec<Column>,
}

impl DataFrame {
    /// A table of `columns`.
    ///
    /// # Errors
    /// [`IoError::Invalid`] for a name that is empty, has a control character or is there twice, and for columns of different lengths.
    pub fn new(columns: Vec<Column>) -> Result<Self, IoError> {
        let mut names = HashSet::new();
        let rows = columns.first().map_or(0, |column| column.values.len());
        for column in &columns {
            let place = || Place::default().field(&column.name);
            if column.name.is_empty() || column.name.chars().any(char::is_control) {
                return Err(Place::default().invalid("a column needs a name without control characters"));
            }
            if !names.insert(&column.name) {
                return Err(IoError::RepeatedColumn { place: place() });
            }
            if column.values.len() != rows {
                return Err(place().invalid(format!("has {} rows where the first column has {rows}", column.values.len())));
            }
        }
        Ok(Self { columns })
    }

    /// The columns, in order.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The column of a name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |column| column.values.len())
    }

    /// As CSV (RFC 4180, lines end in LF). A unit stands in brackets behind the name of its column; what is missing is empty, and an empty
    /// text is `""`. Numbers are written so that they can be read back bit for bit.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut text = String::new();
        for (index, column) in self.columns.iter().enumerate() {
            text.push_str(if index == 0 { "" } else { "," });
            match &column.unit {
                Some(unit) => push_field(&mut text, &format!("{} [{}]", column.name, unit.code())),
                None => push_field(&mut text, &column.name),
            }
        }
        text.push('\n');
        for row in 0..self.rows() {
            for (index, column) in self.columns.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { "," });
                match &column.values {
                    Values::Text(values) => {
                        if let Some(Some(value)) = values.get(row) {
                            push_field(&mut text, value);
                        }
                    }
                    other => {
                        // Writing to a text does not fail.
                        let _ = write!(text, "{}", other.text(row).unwrap_or_default());
                    }
                }
            }
            text.push('\n');
        }
        text
    }
}

fn push_field(text: &mut String, field: &str) {
    if field.is_empty() || field.contains([',', '"', '\n', '\r']) {
        text.push('"');
        text.push_str(&field.replace('"', "\"\""));
        text.push('"');
    } else {
        text.push_str(field);
    }
}

#[cfg(feature = "table")]
mod read {
    use super::{Column, DataFrame, Values};
    use crate::table::records::Records;
    use crate::{IoError, Limits, Place, file};
    use std::path::Path;

    impl DataFrame {
        /// Reads a table of texts: CSV with a header line, in UTF-8, fields parted by `delimiter` (a tab in the vocabularies of OMOP). An
        /// empty field is missing.
        ///
        /// # Errors
        /// [`IoError::Read`], [`IoError::Limit`], [`IoError::Encoding`], and as [`DataFrame::parse_csv`].
        pub fn read_csv(path: impl AsRef<Path>, delimiter: char, limits: &Limits) -> Result<Self, IoError> {
            let path = path.as_ref();
            Self::of_csv(&file::read(path, limits)?, path, delimiter, limits)
        }

        /// As [`DataFrame::read_csv`], from the text of a file named `name`.
        ///
        /// # Errors
        /// [`IoError::Empty`] without a header; [`IoError::Syntax`] for what is not CSV; [`IoError::Limit`]; [`IoError::RepeatedColumn`].
        pub fn parse_csv(text: &str, name: &str, delimiter: char, limits: &Limits) -> Result<Self, IoError> {
            file::checked_size(text.len(), Some(Path::new(name)), limits)?;
            Self::of_csv(text, Path::new(name), delimiter, limits)
        }

        fn of_csv(text: &str, path: &Path, delimiter: char, limits: &Limits) -> Result<Self, IoError> {
            let mut records = Records::new(text, delimiter, Some(path), limits);
            let header = records.next_record()?;
            let header = header.ok_or_else(|| IoError::Empty { place: Place::of(Some(path)), what: "is no header" })?;
            let mut columns: Vec<Vec<Option<String>>> = vec![Vec::new(); header.fields.len()];
            let (mut count, mut cells) = (0, 0_usize);
            while let Some(record) = records.next_record()? {
                let place = || Place::of(Some(path)).line(record.line);
                count += 1;
                if count > limits.max_records {
                    return Err(place().over("rows", limits.max_records, "max_records"));
                }
                if record.fields.len() != columns.len() {
                    return Err(place().syntax(format!("{} fields, but the header has {}", record.fields.len(), columns.len())));
                }
                cells += columns.len();
                if cells > limits.max_bytes {
                    return Err(place().over("fields", limits.max_bytes, "max_bytes"));
                }
                for (column, field) in columns.iter_mut().zip(record.fields) {
                    column.push((!field.is_empty()).then(|| field.into_owned()));
                }
            }
            let named = header.fields.into_iter().zip(columns);
            let frame = Self::new(named.map(|(name, values)| Column::new(name, Values::Text(values))).collect());
            frame.map_err(|error| match error {
                IoError::RepeatedColumn { place } => IoError::RepeatedColumn { place: Place { file: Some(path.into()), ..place } },
                IoError::Invalid { place, rule } => IoError::Invalid { place: Place { file: Some(path.into()), ..place }, rule },
                other => other,
            })
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn columns_must_fit_each_other() {
        let column = |name: &str, rows: usize| Column::new(name, Values::Integer(vec![Some(1); rows]));
        assert_eq!(DataFrame::new(vec![column("a", 2), column("b", 2)]).unwrap().rows(), 2);
        assert!(DataFrame::new(vec![column("a", 2), column("b", 3)]).unwrap_err().to_string().contains("field `b`"));
        assert!(matches!(DataFrame::new(vec![column("a", 1), column("a", 1)]), Err(IoError::RepeatedColumn { .. })));
        assert!(DataFrame::new(vec![column("", 1)]).is_err());
    }

    #[cfg(feature = "table")]
    #[test]
    fn csv_comes_back() {
        let texts = [Some("a,b"), None, Some("\"x\"\n"), Some("plain")].map(|text| text.map(str::to_owned));
        let numbers = [Some(0.1 + 0.2), None, Some(f64::MIN_POSITIVE), Some(-1e300)];
        let frame = DataFrame::new(vec![
            Column::new("text", Values::Text(texts.to_vec())),
            Column::new("number", Values::Number(numbers.to_vec())).in_unit("mg/L".parse().unwrap()),
            Column::new("flag", Values::Boolean(vec![Some(true), None, Some(false), None])),
        ])
        .unwrap();
        let limits = crate::Limits::default();
        let again = DataFrame::parse_csv(&frame.to_csv(), "frame.csv", ',', &limits).unwrap();
        assert_eq!(again.column("text"), frame.column("text"));
        let read = |row| again.column("number [mg/L]").unwrap().values.text(row).map(|text| text.parse::<f64>().unwrap());
        assert_eq!((0..4).map(read).collect::<Vec<_>>(), numbers);
        assert!(DataFrame::parse_csv("a,b\n1\n", "x", ',', &limits).unwrap_err().to_string().contains("x, line 2"));
        assert!(matches!(DataFrame::parse_csv("a,a\n", "x", ',', &limits), Err(IoError::RepeatedColumn { .. })));
        assert!(matches!(DataFrame::parse_csv("", "x", ',', &limits), Err(IoError::Empty { .. })));
    }
}
