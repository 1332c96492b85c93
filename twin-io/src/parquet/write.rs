//! From a data frame to the bytes of a file.

use super::encoding::runs;
use super::thrift::Writer;
use super::{MAGIC, UNIT};
use crate::dataframe::{Column, DataFrame, Values};
use crate::{IoError, Place};
use std::ops::Range;

/// Rows of a group; each column of a group is one page.
const GROUP: usize = 100_000;

/// Where a column of a group stands, and how large it is.
struct Chunk {
    offset: usize,
    inflated: usize,
    size: usize,
}

pub(super) fn bytes(frame: &DataFrame) -> Result<Vec<u8>, IoError> {
    let mut bytes = MAGIC.to_vec();
    let mut groups = Vec::new();
    for start in (0..frame.rows()).step_by(GROUP) {
        let rows = start..frame.rows().min(start + GROUP);
        let mut chunks = Vec::with_capacity(frame.columns().len());
        for column in frame.columns() {
            chunks.push(page(column, rows.clone(), &mut bytes)?);
        }
        groups.push((rows.len(), chunks));
    }
    let footer = footer(frame, &groups);
    let length = u32::try_from(footer.len()).map_err(|_| too_large("the table"))?;
    bytes.extend(footer);
    bytes.extend(length.to_le_bytes());
    bytes.extend(MAGIC);
    Ok(bytes)
}

fn too_large(column: &str) -> IoError {
    Place::default().field(column).invalid("has a page of more than 2 GiB, which Parquet cannot hold")
}

/// The physical type, and whether it is a text.
fn kind(values: &Values) -> (i64, bool) {
    match values {
        Values::Boolean(_) => (0, false),
        Values::Integer(_) => (2, false),
        Values::Number(_) => (5, false),
        Values::Text(_) => (6, true),
    }
}

/// What is there, plainly, behind the runs of what is there and what is missing.
fn body(values: &Values, rows: Range<usize>) -> Vec<u8> {
    fn there<T>(values: &[Option<T>], rows: &Range<usize>) -> (Vec<u8>, impl Iterator<Item = T>)
    where
        T: Clone,
    {
        let rows: Vec<Option<T>> = values.get(rows.clone()).unwrap_or_default().to_vec();
        (runs(rows.iter().map(Option::is_some)), rows.into_iter().flatten())
    }
    let (levels, plain): (Vec<u8>, Vec<u8>) = match values {
        Values::Boolean(values) => {
            let (levels, values) = there(values, &rows);
            let bits: Vec<bool> = values.collect();
            let byte = |bits: &[bool]| bits.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
            (levels, bits.chunks(8).map(byte).collect())
        }
        Values::Integer(values) => {
            let (levels, values) = there(values, &rows);
            (levels, values.flat_map(i64::to_le_bytes).collect())
        }
        Values::Number(values) => {
            let (levels, values) = there(values, &rows);
            (levels, values.flat_map(f64::to_le_bytes).collect())
        }
        Values::Text(values) => {
            let (levels, values) = there(values, &rows);
            // A text of more than 4 GiB makes its page too large, which is refused.
            let text = |text: String| (text.len() as u32).to_le_bytes().into_iter().chain(text.into_bytes());
            (levels, values.flat_map(text).collect())
        }
    };
    (levels.len() as u32).to_le_bytes().into_iter().chain(levels).chain(plain).collect()
}

fn page(column: &Column, rows: Range<usize>, bytes: &mut Vec<u8>) -> Result<Chunk, IoError> {
    let offset = bytes.len();
    let count = rows.len();
    let plain = body(&column.values, rows);
    let fits = |length: usize| i32::try_from(length).map(i64::from).map_err(|_| too_large(&column.name));
    let inflated = fits(plain.len())?;
    let packed = snap::raw::Encoder::new().compress_vec(&plain).map_err(|_| too_large(&column.name))?;
    let mut header = Writer::default();
    header.begin();
    header.i32(1, 0);
    header.i32(2, inflated);
    header.i32(3, fits(packed.len())?);
    header.structure(5);
    for (id, value) in [(1, count as i64), (2, 0), (3, 3), (4, 3)] {
        header.i32(id, value);
    }
    header.end();
    header.end();
    let inflated = header.bytes.len() + plain.len();
    bytes.extend(header.bytes);
    bytes.extend(packed);
    Ok(Chunk { offset, inflated, size: bytes.len() - offset })
}

fn schema(w: &mut Writer, columns: &[Column]) {
    w.list(2, 12, columns.len() + 1);
    w.begin();
    w.text(4, "schema");
    w.i32(5, columns.len() as i64);
    w.end();
    for column in columns {
        let (physical, is_text) = kind(&column.values);
        w.begin();
        w.i32(1, physical);
        w.i32(3, 1);
        w.text(4, &column.name);
        if is_text {
            w.i32(6, 0);
        }
        w.end();
    }
}

fn footer(frame: &DataFrame, groups: &[(usize, Vec<Chunk>)]) -> Vec<u8> {
    let columns = frame.columns();
    let mut w = Writer::default();
    w.begin();
    w.i32(1, 1);
    schema(&mut w, columns);
    w.i64(3, frame.rows() as i64);
    w.list(4, 12, groups.len());
    for (rows, chunks) in groups {
        w.begin();
        w.list(1, 12, chunks.len());
        for (column, chunk) in columns.iter().zip(chunks) {
            w.begin();
            w.i64(2, chunk.offset as i64);
            w.structure(3);
            w.i32(1, kind(&column.values).0);
            w.list(2, 5, 2);
            w.number(0);
            w.number(3);
            w.list(3, 8, 1);
            w.element(&column.name);
            w.i32(4, 1);
            w.i64(5, *rows as i64);
            w.i64(6, chunk.inflated as i64);
            w.i64(7, chunk.size as i64);
            w.i64(9, chunk.offset as i64);
            w.end();
            w.end();
        }
        w.i64(2, chunks.iter().map(|chunk| chunk.inflated as i64).sum());
        w.i64(3, *rows as i64);
        w.end();
    }
    let units: Vec<_> = columns.iter().filter_map(|column| Some((&column.name, column.unit.as_ref()?))).collect();
    if !units.is_empty() {
        w.list(5, 12, units.len());
        for (name, unit) in units {
            w.begin();
            w.text(1, &format!("{UNIT}{name}"));
            w.text(2, unit.code());
            w.end();
        }
    }
    w.text(6, "twin-io");
    w.end();
    w.bytes
}
