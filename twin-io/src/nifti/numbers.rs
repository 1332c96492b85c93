//! The numbers of an image.

use super::{Image, Kind};
use crate::IoError;

impl Image {
    pub(super) fn numbers(&self, from: usize, count: usize) -> Result<Vec<f64>, IoError> {
        let size = self.kind().bytes();
        let start = self.header.data_at + from * size;
        let data = self.bytes.get(start..start + count * size).unwrap_or_default();
        let mut values = match self.kind() {
            Kind::U8 => data.iter().map(|byte| f64::from(*byte)).collect(),
            Kind::I8 => data.iter().map(|byte| f64::from(byte.cast_signed())).collect(),
            Kind::Rgb => data.chunks_exact(3).map(|color| color.iter().map(|part| f64::from(*part)).sum()).collect(),
            Kind::U16 => self.decoded(data, |bytes| f64::from(u16::from_le_bytes(bytes))),
            Kind::I16 => self.decoded(data, |bytes| f64::from(i16::from_le_bytes(bytes))),
            Kind::U32 => self.decoded(data, |bytes| f64::from(u32::from_le_bytes(bytes))),
            Kind::I32 => self.decoded(data, |bytes| f64::from(i32::from_le_bytes(bytes))),
            Kind::F32 => self.decoded(data, |bytes| f64::from(f32::from_le_bytes(bytes))),
            Kind::F64 => self.decoded(data, f64::from_le_bytes),
            Kind::I64 => self.whole(data, start, |bytes| i64::from_le_bytes(bytes).into())?,
            Kind::U64 => self.whole(data, start, |bytes| u64::from_le_bytes(bytes).into())?,
        };
        if let Some((slope, intercept)) = self.header.scale {
            values.iter_mut().for_each(|value| *value = *value * slope + intercept);
        }
        Ok(values)
    }

    fn decoded<const N: usize>(&self, data: &[u8], number: impl Fn([u8; N]) -> f64) -> Vec<f64> {
        let (chunks, _) = data.as_chunks::<N>();
        let swapped = |bytes: &[u8; N]| {
            let mut bytes = *bytes;
            bytes.reverse();
            bytes
        };
        if self.big {
            chunks.iter().map(|bytes| number(swapped(bytes))).collect()
        } else {
            chunks.iter().map(|bytes| number(*bytes)).collect()
        }
    }

    fn whole(&self, data: &[u8], start: usize, number: impl Fn([u8; 8]) -> i128) -> Result<Vec<f64>, IoError> {
        let (chunks, _) = data.as_chunks::<8>();
        let exact = |(index, bytes): (usize, &[u8; 8])| {
            let mut bytes = *bytes;
            if self.big {
                bytes.reverse();
            }
            let value = number(bytes);
            let place = || self.place.clone().byte(start + 8 * index);
            if value.unsigned_abs() > 1 << 53 {
                Err(place().invalid("a whole number of more than 53 bits"))
            } else {
                Ok(value as f64)
            }
        };
        chunks.iter().enumerate().map(exact).collect()
    }
}
