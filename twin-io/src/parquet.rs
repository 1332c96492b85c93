//! Data frames as Parquet, in and out.
//!
//! ```
//! use twin_io::dataframe::{Column, DataFrame, Values};
//! use twin_io::{Limits, parquet};
//! let volumes = Column::new("volume", Values::Number(vec![Some(120.5), None, Some(98.0)])).in_unit("mm3".parse()?);
//! let frame = DataFrame::new(vec![volumes])?;
//! let bytes = parquet::to_bytes(&frame)?;
//! assert_eq!(parquet::parse(&bytes, "volumes.parquet", &Limits::default())?, frame);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **In**: flat tables of booleans, whole and real numbers, texts, dates and timestamps, required or optional; pages of both versions,
//! plain or by a dictionary, uncompressed, in Snappy or in gzip: what pyarrow, Spark, DuckDB and R write unless told otherwise. Lists, decimals,
//! numbers of 96 bits, other encodings and compressions are refused by name. Dates come in as `yyyy-mm-dd`, timestamps as
//! `yyyy-mm-ddThh:mm:ss` with a fraction where there is one.
//!
//! **Out**: one page in Snappy for each column and 100,000 rows; units stand in the metadata of the file, key `unit.NAME`.
//!
//! The reader is this crate's own: each length is held against the bytes that are left, and what the file inflates and decodes to against
//! [`Limits`], before memory is taken for it. Its tests compare it with the crate `parquet`.

mod encoding;
mod read;
mod schema;
mod thrift;
mod write;

use crate::dataframe::DataFrame;
use crate::{IoError, Limits, Place, file};
use std::path::Path;

const MAGIC: &[u8] = b"PAR1";
/// Begins the key of a column's unit in the metadata.
const UNIT: &str = "unit.";

/// Reads a table from a file.
///
/// # Errors
/// [`IoError::Read`], [`IoError::Limit`], and as [`parse`].
pub fn read(path: impl AsRef<Path>, limits: &Limits) -> Result<DataFrame, IoError> {
    let path = path.as_ref();
    read::frame(&file::read_bytes(path, limits)?, &Place::of(Some(path)), limits)
}

/// Reads a table from the bytes of a file named `name`.
///
/// # Errors
/// [`IoError::Format`], [`IoError::Truncated`], [`IoError::Syntax`], [`IoError::Limit`], [`IoError::Unsupported`], and [`IoError::Invalid`]
/// for a text that is not UTF-8, a day outside of 1800 to 2200, or a unit that is not UCUM.
pub fn parse(bytes: &[u8], name: &str, limits: &Limits) -> Result<DataFrame, IoError> {
    let path = Path::new(name);
    file::checked_size(bytes.len(), Some(path), limits)?;
    read::frame(bytes, &Place::of(Some(path)), limits)
}

/// The bytes of a file with this table.
///
/// # Errors
/// [`IoError::Invalid`] for a column with more than 2 GiB in 100,000 rows.
pub fn to_bytes(frame: &DataFrame) -> Result<Vec<u8>, IoError> {
    write::bytes(frame)
}

/// Writes a file that is not there yet.
///
/// # Errors
/// [`IoError::Exists`], [`IoError::Write`], and as [`to_bytes`].
pub fn write(path: impl AsRef<Path>, frame: &DataFrame) -> Result<(), IoError> {
    file::create(path.as_ref(), &to_bytes(frame)?)
}

#[cfg(test)]
mod tests;
