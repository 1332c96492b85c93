//! Pixels as they are stored: native, in run lengths or compressed, of 1 to 32 bits.

use super::parse::{Coding, Dataset, Loaded, Value};
use super::tag;
use crate::{IoError, Limits, Place};

/// The layout of the pixels of an image (PS3.3, C.7.6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) frames: usize,
    pub(super) samples: usize,
    planar: bool,
    allocated: usize,
    stored: usize,
    high: usize,
    signed: bool,
}

impl Layout {
    pub(super) fn of(dataset: &Dataset<'_>, limits: &Limits, place: &Place) -> Result<Self, IoError> {
        let short = |tag| dataset.needed_short(tag, place);
        let frames = dataset.count(tag::FRAMES, place)?.unwrap_or(1);
        let allocated = short(tag::BITS_ALLOCATED)?;
        let layout = Self {
            rows: short(tag::ROWS)?,
            columns: short(tag::COLUMNS)?,
            frames,
            samples: dataset.short(tag::SAMPLES, place)?.unwrap_or(1),
            planar: dataset.short(tag::PLANAR, place)? == Some(1),
            allocated,
            stored: dataset.short(tag::BITS_STORED, place)?.unwrap_or(allocated),
            high: dataset.short(tag::HIGH_BIT, place)?.unwrap_or(allocated.saturating_sub(1)),
            signed: dataset.short(tag::PIXEL_REPRESENTATION, place)? == Some(1),
        };
        let at = |tag| dataset.place(tag, place);
        if layout.rows == 0 || layout.columns == 0 || frames == 0 {
            return Err(at(tag::ROWS).invalid("rows, columns and frames must be 1 or more"));
        }
        if frames > limits.max_frames {
            return Err(at(tag::FRAMES).over("frames", limits.max_frames, "max_frames"));
        }
        if !matches!(layout.samples, 1 | 3) {
            return Err(at(tag::SAMPLES).invalid("must be 1 or 3"));
        }
        if !matches!(allocated, 1 | 8 | 16 | 32) {
            return Err(at(tag::BITS_ALLOCATED).unsupported(format!("{allocated} bits a pixel"), "1, 8, 16 and 32 bits"));
        }
        if layout.stored == 0 || layout.stored > allocated || layout.high >= allocated || layout.high + 1 < layout.stored {
            return Err(at(tag::BITS_STORED).invalid("bits stored and high bit must lie in the bits allocated"));
        }
        match layout.frame_values().checked_mul(frames) {
            Some(voxels) if voxels <= limits.max_voxels => Ok(layout),
            _ => Err(at(tag::ROWS).over("voxels", limits.max_voxels, "max_voxels")),
        }
    }

    /// Numbers in a frame.
    pub(super) fn frame_values(&self) -> usize {
        self.rows * self.columns * self.samples // three numbers of 16 bits
    }
}

/// The stored numbers of every frame: row by row, the samples of a pixel together. Zeros after the last frame, fewer than a frame, pad.
pub(super) fn stored(dataset: &Dataset<'_>, loaded: &Loaded, layout: &Layout) -> Result<Vec<f64>, IoError> {
    let place = dataset.place(tag::PIXEL_DATA, &loaded.place);
    let mut values = Vec::with_capacity(layout.frame_values() * layout.frames);
    match (dataset.elements.get(&tag::PIXEL_DATA), loaded.syntax.coding.checked(&loaded.place)?) {
        (Some((_, Value::Bytes(bytes))), Coding::Native) => {
            let needed = (layout.frame_values() * layout.frames * layout.allocated).div_ceil(8);
            let padding = bytes
                .get(needed..)
                .filter(|padding| padding.iter().all(|byte| *byte == 0) && padding.len() * layout.frames <= needed + 1);
            if padding.is_none() {
                return Err(place.invalid(format!("holds {} bytes, but rows, columns, frames and bits need {needed}", bytes.len())));
            }
            numbers(bytes, layout, loaded.syntax.big, &mut values);
        }
        (Some((_, Value::Fragments(fragments))), Coding::RunLength) => {
            if fragments.len() != layout.frames {
                return Err(place.invalid(format!("holds {} frames, but {} are declared", fragments.len(), layout.frames)));
            }
            for fragment in fragments {
                let frame = super::rle::decode(fragment, layout.rows * layout.columns, layout.samples, layout.allocated / 8)
                    .map_err(|rule| place.clone().syntax(rule))?;
                let by_pixel = Layout { planar: true, frames: 1, ..*layout };
                numbers(&frame, &by_pixel, false, &mut values);
            }
        }
        #[cfg(feature = "jpeg")]
        (Some((_, Value::Fragments(fragments))), Coding::Other(name)) => {
            let whole = [fragments.concat()];
            let frames: Vec<&[u8]> = match layout.frames {
                // One frame may be cut into several fragments.
                1 => whole.iter().map(Vec::as_slice).collect(),
                frames if frames == fragments.len() => fragments.clone(),
                frames => {
                    return Err(place.invalid(format!("holds {} fragments, but {frames} frames are declared", fragments.len())));
                }
            };
            for frame in frames {
                let samples = super::jpeg::decode(frame, name, layout).map_err(|rule| place.clone().syntax(rule))?;
                for sample in samples {
                    values.push(
                        layout.number(sample).ok_or_else(|| place.clone().invalid("a number needs more bits than are stored"))?,
                    );
                }
            }
        }
        (None, _) => return Err(place.invalid("there are no pixels")),
        _ => return Err(place.syntax("the pixels are not written as the transfer syntax says")),
    }
    Ok(values)
}

/// Appends the numbers of native frames.
fn numbers(bytes: &[u8], layout: &Layout, big: bool, values: &mut Vec<f64>) {
    let start = values.len();
    let count = layout.frame_values() * layout.frames;
    let shift = 32 - layout.stored;
    let extract = |raw: u32| {
        let upper = raw >> (layout.high + 1 - layout.stored) << shift;
        if layout.signed { f64::from(upper.cast_signed() >> shift) } else { f64::from(upper >> shift) }
    };
    match layout.allocated {
        1 => values.extend((0..count).map(|at| f64::from(bytes.get(at / 8).map_or(0, |byte| byte >> (at % 8) & 1)))),
        8 => values.extend(bytes.iter().take(count).map(|byte| extract((*byte).into()))),
        16 => values.extend(
            bytes
                .as_chunks::<2>()
                .0
                .iter()
                .map(|raw| extract(if big { u16::from_be_bytes(*raw) } else { u16::from_le_bytes(*raw) }.into())),
        ),
        _ => values.extend(
            bytes
                .as_chunks::<4>()
                .0
                .iter()
                .map(|raw| extract(if big { u32::from_be_bytes(*raw) } else { u32::from_le_bytes(*raw) })),
        ),
    }
    values.truncate(start + count);
    if layout.planar && layout.samples > 1 {
        let pixels = layout.rows * layout.columns;
        let planes: Vec<f64> = values.drain(start..).collect();
        for frame in planes.chunks(layout.frame_values()) {
            values.extend(
                (0..frame.len())
                    .map(|at| frame.get(at % layout.samples * pixels + at / layout.samples).copied().unwrap_or_default()),
            );
        }
    }
}

#[cfg(feature = "jpeg")]
impl Layout {
    /// Whether samples of so many bits fit what is allocated.
    pub(super) fn holds(&self, bits: usize) -> bool {
        (1..=self.allocated.min(16)).contains(&bits)
    }

    /// The number that a decoded sample stands for. Encoders may have taken numbers with a sign for such without, and the reverse: the
    /// bits are the same. `None` for a sample of more bits than are stored.
    fn number(&self, sample: i32) -> Option<f64> {
        let stored = self.stored.min(31);
        let (least, most) = (-(1_i64 << (stored - 1)), (1_i64 << stored) - 1);
        if !(least..=most).contains(&i64::from(sample)) || (!self.signed && sample < 0) {
            return None;
        }
        let wraps = self.signed && i64::from(sample) >= 1 << (stored - 1);
        Some(if wraps { f64::from(sample) - (1_i64 << stored) as f64 } else { f64::from(sample) })
    }
}

impl Layout {
    /// Refuses colors.
    pub(super) fn gray(self, dataset: &Dataset<'_>, place: &Place) -> Result<Self, IoError> {
        if self.samples == 1 {
            Ok(self)
        } else {
            Err(dataset.place(tag::SAMPLES, place).unsupported("a color image", "images of one value a pixel"))
        }
    }
}
