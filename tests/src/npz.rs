//! Arrays of numpy (`.npz`, `.npy`), as far as the reference data need them.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

/// An array: its shape, and its values with the last axis fastest.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// Length of each axis.
    pub shape: Vec<usize>,
    /// The values, last axis fastest.
    pub values: Vec<f64>,
}

impl Array {
    /// The values of a three-dimensional array with its first axis fastest.
    #[must_use]
    pub fn first_axis_fastest(&self) -> Vec<f64> {
        let [nx, ny, nz] = [0, 1, 2].map(|axis| self.shape.get(axis).copied().unwrap_or(1));
        let place = |index: usize| (index % nx * ny + index / nx % ny) * nz + index / (nx * ny);
        (0..nx * ny * nz).map(|index| self.values[place(index)]).collect()
    }
}

fn little(bytes: &[u8]) -> usize {
    bytes.iter().rev().fold(0, |sum, byte| (sum << 8) | usize::from(*byte))
}

/// The arrays of an `.npz` file, by name.
///
/// # Errors
/// In words, if the file cannot be read.
pub fn read(path: &Path) -> Result<BTreeMap<String, Array>, String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let end = bytes.windows(4).rposition(|window| window == b"PK\x05\x06").ok_or("no end of the central directory")?;
    let (count, mut at) = (little(&bytes[end + 10..end + 12]), little(&bytes[end + 16..end + 20]));
    let mut arrays = BTreeMap::new();
    for _ in 0..count {
        let entry = bytes.get(at..at + 46).ok_or("a cut entry")?;
        let (name, extra, comment) = (little(&entry[28..30]), little(&entry[30..32]), little(&entry[32..34]));
        let (packed, local) = (little(&entry[20..24]), little(&entry[42..46]));
        let file = String::from_utf8_lossy(&bytes[at + 46..at + 46 + name]).into_owned();
        let data = local + 30 + little(&bytes[local + 26..local + 28]) + little(&bytes[local + 28..local + 30]);
        let mut plain = Vec::new();
        let packed = bytes.get(data..data + packed).ok_or("a cut file")?;
        flate2::read::DeflateDecoder::new(packed).read_to_end(&mut plain).map_err(|error| error.to_string())?;
        arrays.insert(file.trim_end_matches(".npy").to_owned(), array(&plain)?);
        at += 46 + name + extra + comment;
    }
    Ok(arrays)
}

/// What stands between `from` and `to` in `text`.
fn between<'a>(text: &'a str, from: &str, to: &str) -> Option<&'a str> {
    text.split_once(from)?.1.split_once(to).map(|(found, _)| found)
}

fn array(bytes: &[u8]) -> Result<Array, String> {
    let length = little(bytes.get(8..10).ok_or("no header")?);
    let header = String::from_utf8_lossy(bytes.get(10..10 + length).ok_or("a cut header")?).into_owned();
    let shape = between(&header, "'shape': (", ")").ok_or("no shape")?;
    let shape: Vec<usize> = shape.split(',').filter_map(|n| n.trim().parse().ok()).collect();
    let data = &bytes[10 + length..];
    let values = match between(&header, "'descr': '", "'").ok_or("no type")? {
        "|u1" | "|b1" => data.iter().map(|byte| f64::from(*byte)).collect(),
        "|i1" => data.iter().map(|byte| f64::from(i8::from_le_bytes([*byte]))).collect(),
        "<f4" => data.as_chunks().0.iter().map(|chunk| f64::from(f32::from_le_bytes(*chunk))).collect(),
        "<f8" => data.as_chunks().0.iter().map(|chunk| f64::from_le_bytes(*chunk)).collect(),
        "<i8" => data.as_chunks().0.iter().map(|chunk| i64::from_le_bytes(*chunk) as f64).collect(),
        other => return Err(format!("type {other} is not read")),
    };
    Ok(Array { shape, values })
}
