#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::super::tests::Writer;
use super::super::{parse_frames, tag};
use crate::{IoError, Limits};
use proptest::prelude::*;

const LOSSLESS: &str = "1.2.840.10008.1.2.4.70";
const BASELINE: &str = "1.2.840.10008.1.2.4.50";
const LS: &str = "1.2.840.10008.1.2.4.80";
const J2K: &str = "1.2.840.10008.1.2.4.90";

/// An image of frames of `rows` by `columns` with these fragments.
fn file(syntax: &str, (rows, columns, frames): (u16, u16, usize), (bits, signed): (u16, bool), fragments: &[Vec<u8>]) -> Vec<u8> {
    let writer = Writer::default()
        .text(tag::FRAMES, "IS", &frames.to_string())
        .short(tag::ROWS, rows)
        .short(tag::COLUMNS, columns)
        .short(tag::BITS_ALLOCATED, if bits > 8 { 16 } else { 8 })
        .short(tag::BITS_STORED, bits)
        .short(tag::HIGH_BIT, bits - 1)
        .short(tag::PIXEL_REPRESENTATION, signed.into());
    let mut bytes = writer.file(syntax);
    bytes.extend([0xe0, 0x7f, 0x10, 0, b'O', b'B', 0, 0, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xff, 0, 0xe0, 0, 0, 0, 0]);
    for fragment in fragments {
        let mut fragment = fragment.clone();
        fragment.resize(fragment.len().next_multiple_of(2), 0);
        bytes.extend([0xfe, 0xff, 0, 0xe0]);
        bytes.extend(u32::try_from(fragment.len()).unwrap().to_le_bytes());
        bytes.extend(fragment);
    }
    bytes.extend([0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0]);
    bytes
}

fn values(bytes: &[u8]) -> Result<Vec<f64>, IoError> {
    parse_frames(bytes, "frame.dcm", &Limits::default()).map(|frames| frames.values)
}

/// Bits from the highest on, with a zero byte behind each byte of ones.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    held: u32,
    count: u32,
}

impl Bits {
    fn push(&mut self, value: u32, count: u32) {
        for bit in (0..count).rev() {
            self.held = self.held << 1 | (value >> bit & 1);
            self.count += 1;
            if self.count == 8 {
                self.bytes.push(self.held as u8);
                if self.held == 0xff {
                    self.bytes.push(0);
                }
                (self.held, self.count) = (0, 0);
            }
        }
    }

    fn padded(mut self) -> Vec<u8> {
        while self.count != 0 {
            self.push(1, 1);
        }
        self.bytes
    }
}

/// A lossless frame whose pixels are predicted from the left, by the code of five bits for each size of a difference.
fn lossless(pixels: &[u16], columns: usize, bits: u8) -> Vec<u8> {
    let rows = pixels.len() / columns;
    let mut bytes = vec![0xff, 0xd8, 0xff, 0xc3, 0, 11, bits];
    bytes.extend([(rows >> 8) as u8, rows as u8, (columns >> 8) as u8, columns as u8, 1, 1, 0x11, 0]);
    bytes.extend([0xff, 0xc4, 0, 36, 0, 0, 0, 0, 0, 17]);
    bytes.extend([0; 11]);
    bytes.extend(0..17);
    bytes.extend([0xff, 0xda, 0, 8, 1, 1, 0, 1, 0, 0]);
    let mut coded = Bits::default();
    for (at, pixel) in pixels.iter().enumerate() {
        let before = match (at % columns, at) {
            (_, 0) => 1 << (bits - 1),
            (0, _) => pixels[at - columns],
            _ => pixels[at - 1],
        };
        let difference = i32::from(pixel.wrapping_sub(before).cast_signed());
        let size = 32 - difference.unsigned_abs().leading_zeros();
        coded.push(size, 5);
        if size < 16 {
            let magnitude = if difference < 0 { difference - 1 } else { difference };
            coded.push(magnitude.cast_unsigned() & ((1 << size) - 1), size);
        }
    }
    bytes.extend(coded.padded());
    bytes.extend([0xff, 0xd9]);
    bytes
}

/// A baseline frame of 8 by 8 pixels that are all the same.
fn baseline(level: i32) -> Vec<u8> {
    let mut bytes = vec![0xff, 0xd8, 0xff, 0xdb, 0, 67, 0];
    bytes.extend([1; 64]);
    bytes.extend([0xff, 0xc0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0]);
    bytes.extend([0xff, 0xc4, 0, 31, 0, 0, 0, 0, 12]);
    bytes.extend([0; 12]);
    bytes.extend(0..12);
    bytes.extend([0xff, 0xc4, 0, 20, 0x10, 1]);
    bytes.extend([0; 15]);
    bytes.extend([0]);
    bytes.extend([0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0]);
    let mut coded = Bits::default();
    let difference = (level - 128) * 8;
    let size = 32 - difference.unsigned_abs().leading_zeros();
    coded.push(size, 4);
    let magnitude = if difference < 0 { difference - 1 } else { difference };
    coded.push(magnitude.cast_unsigned() & ((1 << size) - 1), size);
    coded.push(0, 1); // the end of the block
    bytes.extend(coded.padded());
    bytes.extend([0xff, 0xd9]);
    bytes
}

fn in_jpeg_ls(pixels: &[u16], columns: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    jpegls::encode(pixels, columns as u32, (pixels.len() / columns) as u32, &mut bytes).unwrap();
    bytes
}

#[test]
fn baseline_frames_are_read() {
    for level in [0, 17, 128, 255] {
        let read = values(&file(BASELINE, (8, 8, 1), (8, false), &[baseline(level)])).unwrap();
        assert_eq!(read, vec![f64::from(level); 64]);
    }
}

#[test]
fn a_frame_may_be_cut_into_fragments() {
    let frame = lossless(&[5, 6, 7, 4000, 0, 9], 3, 12);
    let (first, second) = frame.split_at(frame.len() / 4 * 2);
    let whole = values(&file(LOSSLESS, (2, 3, 1), (12, false), std::slice::from_ref(&frame))).unwrap();
    assert_eq!(whole, [5.0, 6.0, 7.0, 4000.0, 0.0, 9.0]);
    assert_eq!(values(&file(LOSSLESS, (2, 3, 1), (12, false), &[first.to_vec(), second.to_vec()])).unwrap(), whole);
    assert_eq!(values(&file(LOSSLESS, (2, 3, 2), (12, false), &[frame.clone(), frame.clone()])).unwrap().len(), 12);
    assert!(
        values(&file(LOSSLESS, (2, 3, 3), (12, false), &[frame.clone(), frame])).unwrap_err().to_string().contains("2 fragments")
    );
}

#[test]
fn a_frame_of_another_size_is_refused_before_it_is_decoded() {
    let message = |syntax: &str, frame: Vec<u8>, bits: u16| {
        values(&file(syntax, (2, 3, 1), (bits, false), &[frame])).unwrap_err().to_string()
    };
    let other = "of the rows, columns and bits of the image";
    assert!(message(LOSSLESS, lossless(&[1; 8], 4, 12), 12).contains(other));
    assert!(message(BASELINE, baseline(3), 8).contains(other));
    assert!(message(LS, in_jpeg_ls(&[1; 8], 4), 16).contains(other));
    assert!(message(LOSSLESS, lossless(&[1; 6], 3, 16), 8).contains(other));
    assert!(message(LOSSLESS, lossless(&[4095; 6], 3, 12), 11).contains("needs more bits than are stored"));
    // The header of a codestream of 65,535 x 65,535.
    let mut huge = vec![0xff, 0x4f, 0xff, 0x51, 0, 41, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff];
    huge.extend([0; 8]);
    huge.extend([0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff]);
    huge.extend([0; 8]);
    huge.extend([0, 1, 15, 1, 1]);
    assert!(message(J2K, huge, 16).contains(other));
    assert!(message(J2K, vec![1, 2, 3, 4], 16).contains("begin as its compression does"));
}

proptest! {
    #[test]
    fn lossless_frames_come_back(pixels in prop::collection::vec(any::<u16>(), 12), signed in any::<bool>()) {
        let expected: Vec<f64> = pixels.iter().map(|pixel| if signed { f64::from(pixel.cast_signed()) } else { f64::from(*pixel) }).collect();
        for (syntax, frame) in [(LOSSLESS, lossless(&pixels, 4, 16)), (LS, in_jpeg_ls(&pixels, 4))] {
            prop_assert_eq!(&values(&file(syntax, (3, 4, 1), (16, signed), &[frame])).unwrap(), &expected);
        }
    }

    /// Rows with runs and few values, within the distance that the encoder was allowed.
    #[test]
    fn runs_of_jpeg_ls_come_back(pixels in prop::collection::vec(prop_oneof![9 => 0_u16..2, 1 => 0_u16..4096], 120), near in 0_u8..4) {
        let mut frame = Vec::new();
        let mut options = jpegls::EncodeOptions::default();
        (options.near, options.precision) = (near, Some(12));
        jpegls::encode_with_options(&pixels, 20, 6, &options, &mut frame).unwrap();
        let read = values(&file(LS, (6, 20, 1), (12, false), &[frame])).unwrap();
        for (ours, pixel) in read.iter().zip(&pixels) {
            prop_assert!((ours - f64::from(*pixel)).abs() <= f64::from(near), "{} of {}", ours, pixel);
        }
    }

    #[test]
    fn damaged_frames_are_read_or_refused(pixels in prop::collection::vec(any::<u16>(), 12), cut in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        for (syntax, frame) in [(LOSSLESS, lossless(&pixels, 4, 16)), (LS, in_jpeg_ls(&pixels, 4)), (BASELINE, baseline(77))] {
            let _ = values(&file(syntax, (3, 4, 1), (16, false), &[frame[..cut.index(frame.len())].to_vec()]));
            let mut changed = frame;
            let at = at.index(changed.len());
            changed[at] = byte;
            let _ = values(&file(syntax, (3, 4, 1), (16, false), &[changed.clone()]));
            let _ = values(&file(syntax, (8, 8, 1), (8, false), &[changed]));
        }
    }
}
