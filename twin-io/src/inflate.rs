//! Inflating gzip, blocks of gzip and raw deflate, never beyond a size that was set before.

use crate::{IoError, Place};
use std::io::Read;

/// Whether bytes begin as gzip does.
#[cfg(any(feature = "nifti", feature = "genomics"))]
pub(crate) fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// The first `most` bytes at most of a gzip file of one or more members, and whether it ended there, its checksums being right.
#[cfg(any(feature = "nifti", feature = "genomics", feature = "parquet"))]
pub(crate) fn gunzip(bytes: &[u8], most: usize, place: &Place) -> Result<(Vec<u8>, bool), IoError> {
    inflated(flate2::bufread::MultiGzDecoder::new(bytes), most, place)
}

/// As [`gunzip`], of a deflated stream without a header.
#[cfg(feature = "dicom")]
pub(crate) fn inflate(bytes: &[u8], most: usize, place: &Place) -> Result<(Vec<u8>, bool), IoError> {
    inflated(flate2::bufread::DeflateDecoder::new(bytes), most, place)
}

/// All of a gzip text that inflates to at most `max_bytes`, and `max_ratio` times its own size.
#[cfg(feature = "genomics")]
pub(crate) fn gunzip_text(bytes: &[u8], limits: &crate::Limits, place: &Place) -> Result<Vec<u8>, IoError> {
    let ratio = bytes.len().saturating_mul(limits.max_ratio);
    let (inflated, ended) = gunzip(bytes, limits.max_bytes.min(ratio), place)?;
    match ended {
        true => Ok(inflated),
        false if ratio < limits.max_bytes => {
            Err(place.clone().over("times its own size once inflated", limits.max_ratio, "max_ratio"))
        }
        false => Err(place.clone().over("bytes once inflated", limits.max_bytes, "max_bytes")),
    }
}

fn inflated(mut decoder: impl Read, most: usize, place: &Place) -> Result<(Vec<u8>, bool), IoError> {
    let failed = |error: &std::io::Error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => place.clone().truncated("the compressed data end early"),
        std::io::ErrorKind::OutOfMemory => place.clone().syntax("the compressed data become more than there is memory for"),
        _ => place.clone().syntax("the compressed data are damaged"),
    };
    let mut bytes = Vec::new();
    let limit = u64::try_from(most).unwrap_or(u64::MAX);
    decoder.by_ref().take(limit).read_to_end(&mut bytes).map_err(|error| failed(&error))?;
    // One byte more: at the end of the stream this is what compares the checksum.
    let ended = decoder.read(&mut [0]).map_err(|error| failed(&error))? == 0;
    Ok((bytes, ended))
}
