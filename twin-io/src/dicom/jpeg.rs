//! Frames in JPEG and JPEG 2000, by decoders of others written in Rust, and in JPEG-LS.
//!
//! The headers of a frame are read here first: a decoder sees only a frame of one gray component and of the size that the image declares,
//! so that it takes no more memory than the pixels do.

use super::jpeg_ls::Parameters;
use super::pixels::Layout;

/// How a frame is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    /// ISO 10918-1: processes 1, 2 (of 8 bits) and 14.
    Jpeg,
    /// ISO 14495-1.
    JpegLs,
    /// ISO 15444-1.
    Jpeg2000,
}

/// The transfer syntaxes, by the names they have in messages.
const READ: [(&str, Family); 8] = [
    ("JPEG baseline", Family::Jpeg),
    ("JPEG extended", Family::Jpeg),
    ("JPEG lossless", Family::Jpeg),
    ("JPEG lossless, first-order prediction", Family::Jpeg),
    ("JPEG-LS lossless", Family::JpegLs),
    ("JPEG-LS near-lossless", Family::JpegLs),
    ("JPEG 2000 lossless", Family::Jpeg2000),
    ("JPEG 2000", Family::Jpeg2000),
];

/// Whether a coding is read.
pub(super) fn is_read(name: &str) -> bool {
    READ.iter().any(|(known, _)| *known == name)
}

type Fault = &'static str;

const DAMAGED: Fault = "the compressed data are damaged, or of a kind that is not read";
const HEADER: Fault = "the header of a compressed frame is cut off";
const OTHER: Fault = "a compressed frame must be of one component, and of the rows, columns and bits of the image";

/// The samples of a frame as they are stored: whole numbers, of which an image with a sign has the lowest bits.
pub(super) fn decode(frame: &[u8], name: &str, layout: &Layout) -> Result<Vec<i32>, Fault> {
    let (_, family) = READ.iter().find(|(known, _)| *known == name).ok_or(DAMAGED)?;
    let samples = match family {
        Family::Jpeg => {
            let head = head(frame)?;
            check(&head, layout)?;
            if !matches!(head.process, 0xc0 | 0xc1 | 0xc3) || head.process != 0xc3 && head.bits != 8 {
                return Err("the frame is of a process of JPEG that is not read: sequential in 8 bits, or lossless");
            }
            let mut decoder = jpeg_decoder::Decoder::new(frame);
            decoder.set_color_transform(jpeg_decoder::ColorTransform::None);
            decoder.set_max_decoding_buffer_size(layout.frame_values() * 2);
            let bytes = decoder.decode().map_err(|_| DAMAGED)?;
            if bytes.len() == layout.frame_values() {
                bytes.into_iter().map(i32::from).collect()
            } else {
                bytes.as_chunks::<2>().0.iter().map(|raw| u16::from_ne_bytes(*raw).into()).collect::<Vec<i32>>()
            }
        }
        Family::JpegLs => {
            let head = head(frame)?;
            check(&head, layout)?;
            if head.process != 0xf7 {
                return Err(DAMAGED);
            }
            let most = (1 << head.bits) - 1; // at most 16 bits, as checked
            let [stated, thresholds @ .., reset] = head.presets;
            let most = if stated > 0 { stated.min(most) } else { most };
            let reset = if reset > 0 { reset } else { 64 };
            let parameters = Parameters { most, near: head.near, thresholds, reset };
            super::jpeg_ls::decode(head.scan, layout.columns, layout.rows, parameters)?
        }
        Family::Jpeg2000 => jpeg_2000(frame, layout)?,
    };
    if samples.len() == layout.frame_values() { Ok(samples) } else { Err(OTHER) }
}

/// What the marker segments before the first scan say, and the scan.
struct Head<'a> {
    process: u8,
    bits: u8,
    rows: usize,
    columns: usize,
    components: u8,
    /// Of JPEG-LS: the largest sample, three thresholds, the count at which sums are halved; 0 for the usual.
    presets: [i64; 5],
    /// Of JPEG-LS: how far a sample may be from what was encoded.
    near: i64,
    scan: &'a [u8],
}

fn check(head: &Head<'_>, layout: &Layout) -> Result<(), Fault> {
    let fits = head.rows == layout.rows && head.columns == layout.columns && head.components == 1 && layout.samples == 1;
    if fits && layout.holds(head.bits.into()) { Ok(()) } else { Err(OTHER) }
}

/// Reads the marker segments up to the first scan, and refuses a second frame or scan behind it.
fn head(frame: &[u8]) -> Result<Head<'_>, Fault> {
    let mut rest = frame.strip_prefix(&[0xff, 0xd8]).ok_or("a frame must begin as its compression does")?;
    let (mut head, mut presets) = (None, [0; 5]);
    loop {
        let (&[mark, marker, high, low], _) = rest.split_first_chunk::<4>().ok_or(HEADER)?;
        let length = usize::from(u16::from_be_bytes([high, low]));
        let segment = rest.get(4..).and_then(|after| after.get(..length.checked_sub(2)?)).ok_or(HEADER)?;
        if mark != 0xff || !matches!(marker, 0xc0..=0xfe) || matches!(marker, 0xd0..=0xd9) {
            return Err(DAMAGED);
        }
        rest = rest.get(2 + length..).ok_or(HEADER)?;
        match marker {
            // The frame: all processes, and JPEG-LS.
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf | 0xf7 => {
                let &[bits, rows_high, rows_low, columns_high, columns_low, components, ..] = segment else { return Err(HEADER) };
                let size = |high, low| usize::from(u16::from_be_bytes([high, low]));
                let (rows, columns) = (size(rows_high, rows_low), size(columns_high, columns_low));
                if head.is_some() || segment.len() != 6 + 3 * usize::from(components) {
                    return Err(DAMAGED);
                }
                head = Some(Head { process: marker, bits, rows, columns, components, presets, near: 0, scan: &[] });
            }
            0xf8 => {
                let numbers = segment.get(1..).unwrap_or_default().as_chunks::<2>().0;
                match (segment, numbers) {
                    ([1, ..], [_, _, _, _, _]) => {
                        presets.iter_mut().zip(numbers).for_each(|(preset, raw)| *preset = u16::from_be_bytes(*raw).into());
                    }
                    _ => return Err("parameters of JPEG-LS that are not read"),
                }
            }
            0xda => {
                let head = head.ok_or(DAMAGED)?;
                let &[1, _, _, near, interleaved, approximation] = segment else { return Err(DAMAGED) };
                // The point transform of a lossless scan.
                if approximation & 0x0f >= head.bits.max(1) || head.process == 0xf7 && (interleaved > 0 || approximation > 0) {
                    return Err(DAMAGED);
                }
                let is_end = |pair: &&[u8; 2]| pair[0] == 0xff && pair[1] >= 0x80 && !matches!(pair[1], 0xd0..=0xd7 | 0xff);
                return match rest.array_windows::<2>().find(is_end) {
                    Some([_, 0xd9]) => Ok(Head { presets, near: near.into(), scan: rest, ..head }),
                    _ => Err("a frame must have one scan and end behind it"),
                };
            }
            _ => {}
        }
    }
}

fn jpeg_2000(frame: &[u8], layout: &Layout) -> Result<Vec<i32>, Fault> {
    // The size segment comes first: the grid, the offsets of image and tiles, the components.
    let header = frame.strip_prefix(&[0xff, 0x4f, 0xff, 0x51]).ok_or("a frame must begin as its compression does")?;
    let word = |at: usize| header.get(at..at + 4).and_then(|raw| raw.first_chunk()).map(|raw| u32::from_be_bytes(*raw) as usize);
    let words: Vec<usize> = (0..8).filter_map(|index| word(4 + 4 * index)).collect();
    let (&[columns, rows, left, top, wide, high, tile_left, tile_top], Some(&[0, 1, depth, 1, 1])) =
        (&words[..], header.get(36..41).and_then(|raw| raw.first_chunk()))
    else {
        return Err(OTHER);
    };
    let (bits, signed) = (usize::from(depth & 0x7f) + 1, depth >= 0x80);
    if (columns, rows) != (layout.columns, layout.rows) || layout.samples != 1 || !layout.holds(bits) || bits > 16 {
        return Err(OTHER);
    }
    let tiles = columns.div_ceil(wide.max(1)).saturating_mul(rows.div_ceil(high.max(1)));
    if left + top + tile_left + tile_top > 0 || wide == 0 || high == 0 || tiles > 1024 {
        return Err("an offset grid or more than 1,024 tiles in JPEG 2000");
    }
    let settings = hayro_jpeg2000::DecodeSettings { resolve_palette_indices: false, strict: true, target_resolution: None };
    let image = hayro_jpeg2000::Image::new(frame, &settings).map_err(|_| DAMAGED)?;
    let mut context = hayro_jpeg2000::DecoderContext::default();
    let decoded = image.decode(&mut context).map_err(|_| DAMAGED)?;
    let [component] = decoded.components() else { return Err(OTHER) };
    // The decoder takes every component for one without a sign.
    let shift = if signed { 1_i32 << (bits - 1) } else { 0 };
    let sample = |sample: &f32| sample.is_finite().then(|| sample.round() as i32 - shift);
    component.samples().iter().map(sample).collect::<Option<_>>().ok_or(DAMAGED)
}

#[cfg(test)]
mod tests;
