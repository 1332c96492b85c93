//! Run lengths (PS3.5, annex G): each byte of a pixel in a segment of its own, the most significant first.

/// A frame of `samples` planes of `pixels`, each of `width` bytes in little-endian order.
///
/// The segments are the bytes of the first sample from the most significant on, then those of the next.
pub(super) fn decode(fragment: &[u8], pixels: usize, samples: usize, width: usize) -> Result<Vec<u8>, &'static str> {
    let (header, _) = fragment.split_at_checked(64).ok_or("the header of the run lengths is cut off")?;
    let mut words = header.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word) as usize);
    let segments = words.next().unwrap_or_default();
    if segments != samples * width || segments == 0 || segments > 15 {
        return Err("the number of segments does not fit the bits of a pixel");
    }
    let offsets: Vec<usize> = words.take(segments).collect();
    if offsets.first() != Some(&64) || !offsets.is_sorted() || offsets.last().is_some_and(|last| *last > fragment.len()) {
        return Err("the segments must follow each other after the header");
    }
    let ends = offsets.iter().skip(1).copied().chain([fragment.len()]);
    let planes: Vec<Vec<u8>> = offsets
        .iter()
        .zip(ends)
        .map(|(start, end)| unpacked(fragment.get(*start..end).unwrap_or_default(), pixels))
        .collect::<Result<_, _>>()?;
    Ok(interleaved(&planes, pixels, width))
}

/// PackBits: exactly `length` bytes; a byte that pads the segment may follow.
fn unpacked(mut packed: &[u8], length: usize) -> Result<Vec<u8>, &'static str> {
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        let (&control, rest) = packed.split_first().ok_or("a segment ends before its last pixel")?;
        packed = rest;
        match control {
            0..=127 => {
                let (literal, rest) = packed.split_at_checked(usize::from(control) + 1).ok_or("a segment ends inside a run")?;
                bytes.extend(literal);
                packed = rest;
            }
            128 => {}
            129..=255 => {
                let (&byte, rest) = packed.split_first().ok_or("a segment ends inside a run")?;
                bytes.resize(bytes.len() + 257 - usize::from(control), byte);
                packed = rest;
            }
        }
    }
    if bytes.len() > length { Err("a segment has more bytes than the frame has pixels") } else { Ok(bytes) }
}

fn interleaved(planes: &[Vec<u8>], pixels: usize, width: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(pixels * planes.len());
    for sample in planes.chunks(width) {
        for pixel in 0..pixels {
            bytes.extend(sample.iter().rev().map(|plane| plane.get(pixel).copied().unwrap_or_default()));
        }
    }
    bytes
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn frame(segments: &[&[u8]]) -> Vec<u8> {
        let mut offset = 64_u32;
        let mut header = vec![u32::try_from(segments.len()).unwrap()];
        for segment in segments {
            header.push(offset);
            offset += u32::try_from(segment.len()).unwrap();
        }
        header.resize(16, 0);
        header.iter().flat_map(|word| word.to_le_bytes()).chain(segments.concat()).collect()
    }

    #[test]
    fn runs_and_literals_of_two_bytes() {
        // High bytes 1 1 1 2, low bytes 9 8 7 6.
        let fragment = frame(&[&[0xfe, 1, 0, 2], &[3, 9, 8, 7, 6, 0]]);
        assert_eq!(decode(&fragment, 4, 1, 2).unwrap(), [9, 1, 8, 1, 7, 1, 6, 2]);
        assert_eq!(decode(&frame(&[&[1, 1, 2], &[1, 3, 4], &[1, 5, 6]]), 2, 3, 1).unwrap(), [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn damaged_run_lengths_are_refused() {
        let good = frame(&[&[0xfe, 1, 0, 2]]);
        assert!(decode(&good, 4, 1, 1).is_ok());
        assert!(decode(&good, 5, 1, 1).unwrap_err().contains("before its last pixel"));
        assert!(decode(&good, 2, 1, 1).unwrap_err().contains("more bytes"));
        assert!(decode(&good, 4, 1, 2).unwrap_err().contains("number of segments"));
        assert!(decode(&good[..67], 4, 1, 1).unwrap_err().contains("inside a run"));
        assert!(decode(&good[..60], 4, 1, 1).unwrap_err().contains("header"));
        let mut many = good.clone();
        many[0] = 200;
        assert!(decode(&many, 4, 1, 200).is_err());
        let mut astray = good;
        astray[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(decode(&astray, 4, 1, 1).is_err());
    }
}
