//! How the values of a page are written: bits, runs, plain values and places in a dictionary.

/// The physical types of Parquet that are read (the `Type` of its metadata).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Physical {
    Boolean,
    Int32,
    Int64,
    Float,
    Double,
    Bytes,
}

/// The values of a page or a dictionary, without those that are missing.
#[derive(Debug, Clone)]
pub(super) enum Decoded<'a> {
    Boolean(Vec<bool>),
    Integer(Vec<i64>),
    Number(Vec<f64>),
    Bytes(Vec<&'a [u8]>),
}

pub(super) type Fault = &'static str;

const SHORT: Fault = "a page holds fewer values than it declares";

/// `count` plain values.
pub(super) fn plain(bytes: &[u8], physical: Physical, count: usize) -> Result<Decoded<'_>, Fault> {
    fn fixed<const N: usize, T>(bytes: &[u8], count: usize, of: impl Fn([u8; N]) -> T) -> Result<Vec<T>, Fault> {
        let values = bytes.as_chunks::<N>().0.get(..count).ok_or(SHORT)?;
        Ok(values.iter().map(|value| of(*value)).collect())
    }
    Ok(match physical {
        Physical::Boolean => {
            if bytes.len() < count.div_ceil(8) {
                return Err(SHORT);
            }
            Decoded::Boolean(bytes.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1)).take(count).collect())
        }
        Physical::Int32 => Decoded::Integer(fixed(bytes, count, |raw| i32::from_le_bytes(raw).into())?),
        Physical::Int64 => Decoded::Integer(fixed(bytes, count, i64::from_le_bytes)?),
        Physical::Float => Decoded::Number(fixed(bytes, count, |raw| f32::from_le_bytes(raw).into())?),
        Physical::Double => Decoded::Number(fixed(bytes, count, f64::from_le_bytes)?),
        Physical::Bytes => {
            // A text takes four bytes at least.
            if bytes.len() / 4 < count {
                return Err(SHORT);
            }
            let (mut rest, mut texts) = (bytes, Vec::with_capacity(count));
            for _ in 0..count {
                let (length, after) = rest.split_first_chunk().ok_or(SHORT)?;
                let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| SHORT)?;
                let (text, after) = after.split_at_checked(length).ok_or(SHORT)?;
                texts.push(text);
                rest = after;
            }
            Decoded::Bytes(texts)
        }
    })
}

/// `count` whole numbers of `width` bits in runs and packed groups (the RLE and bit-packing hybrid).
pub(super) fn hybrid(bytes: &[u8], width: u32, count: usize) -> Result<Vec<u32>, Fault> {
    if width > 32 {
        return Err("a number has more than 32 bits");
    }
    let (mut rest, mut values) = (bytes, Vec::with_capacity(count));
    while values.len() < count {
        let mut head = 0_u64;
        for shift in (0..=28).step_by(7) {
            let (byte, after) = rest.split_first().ok_or(SHORT)?;
            rest = after;
            head |= u64::from(byte & 0x7f) << shift;
            if *byte < 0x80 {
                break;
            }
            if shift == 28 {
                return Err("the length of a run has too many bytes");
            }
        }
        let length = usize::try_from(head >> 1).map_err(|_| SHORT)?;
        let wanted = count - values.len();
        if length == 0 {
            return Err("a run is empty");
        }
        if head & 1 == 0 {
            let (raw, after) = rest.split_at_checked(width.div_ceil(8) as usize).ok_or(SHORT)?;
            rest = after;
            let value = raw.iter().rev().fold(0_u32, |value, byte| value << 8 | u32::from(*byte));
            values.resize(values.len() + length.min(wanted), value);
        } else {
            // Writers may cut the last group short.
            let size = length.saturating_mul(width as usize).min(rest.len());
            let (packed, after) = rest.split_at(size);
            rest = after;
            let most = length.saturating_mul(8).min(wanted);
            if (packed.len() * 8) < most * width as usize {
                return Err(SHORT);
            }
            values.extend(unpacked(packed, width, most));
        }
    }
    Ok(values)
}

/// Numbers of `width` bits, from the lowest bit on.
fn unpacked(bytes: &[u8], width: u32, count: usize) -> impl Iterator<Item = u32> {
    (0..count).map(move |index| {
        let start = index * width as usize;
        let spread =
            (0..5).fold(0_u64, |value, byte| value | u64::from(bytes.get(start / 8 + byte).copied().unwrap_or(0)) << (8 * byte));
        (spread >> (start % 8) & ((1_u64 << width) - 1)) as u32
    })
}

/// The values at places of a dictionary; the first byte says how many bits a place has.
pub(super) fn looked_up<'a>(bytes: &[u8], dictionary: &Decoded<'a>, count: usize) -> Result<Decoded<'a>, Fault> {
    fn at<T: Copy>(values: &[T], places: &[u32]) -> Result<Vec<T>, Fault> {
        let value = |place: &u32| values.get(usize::try_from(*place).ok()?).copied();
        places.iter().map(value).collect::<Option<_>>().ok_or("a value is not in the dictionary")
    }
    let places = match bytes.split_first() {
        _ if count == 0 => Vec::new(),
        Some((width, rest)) => hybrid(rest, u32::from(*width), count)?,
        None => return Err(SHORT),
    };
    Ok(match dictionary {
        Decoded::Boolean(values) => Decoded::Boolean(at(values, &places)?),
        Decoded::Integer(values) => Decoded::Integer(at(values, &places)?),
        Decoded::Number(values) => Decoded::Number(at(values, &places)?),
        Decoded::Bytes(values) => Decoded::Bytes(at(values, &places)?),
    })
}

/// Yes and no in runs, as [`hybrid`] reads them.
pub(super) fn runs(flags: impl Iterator<Item = bool>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut push = |length: u64, flag: bool| {
        let mut head = length << 1;
        while head >= 0x80 {
            bytes.push((head & 0x7f) as u8 | 0x80);
            head >>= 7;
        }
        bytes.extend([head as u8, u8::from(flag)]);
    };
    let mut run: Option<(u64, bool)> = None;
    for flag in flags {
        run = match run {
            Some((length, last)) if last == flag => Some((length + 1, last)),
            Some((length, last)) => {
                push(length, last);
                Some((1, flag))
            }
            None => Some((1, flag)),
        };
    }
    if let Some((length, last)) = run {
        push(length, last);
    }
    bytes
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_packed_as_the_format_says() {
        // The example of the format: 0 to 7 in three bits are 10001000 11000110 11111010.
        assert_eq!(hybrid(&[0b11, 0b1000_1000, 0b1100_0110, 0b1111_1010], 3, 8).unwrap(), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(hybrid(&[10, 7], 3, 5).unwrap(), [7; 5]);
        assert_eq!(hybrid(&[4, 0x34, 0x12, 3, 1, 0], 16, 2).unwrap(), [0x1234; 2]);
        assert!(hybrid(&[0b11, 0b1000_1000], 3, 8).is_err());
        assert!(hybrid(&[0, 1], 1, 1).is_err());
        assert!(hybrid(&[0xff; 8], 1, 1).is_err());
        assert!(hybrid(&[2, 0], 33, 1).is_err());
    }

    #[test]
    fn runs_come_back() {
        let flags = [true, true, false, true];
        assert_eq!(hybrid(&runs(flags.into_iter()), 1, 4).unwrap(), [1, 1, 0, 1]);
        let many = std::iter::repeat_n(true, 300);
        assert_eq!(hybrid(&runs(many), 1, 300).unwrap(), [1; 300]);
    }

    #[test]
    fn a_place_outside_of_the_dictionary_is_refused() {
        let dictionary = Decoded::Integer(vec![5, 6]);
        assert!(matches!(looked_up(&[1, 4, 1], &dictionary, 2), Ok(Decoded::Integer(values)) if values == [6, 6]));
        assert!(looked_up(&[2, 4, 2], &dictionary, 2).is_err());
        assert!(plain(&[255, 255, 255, 255, 1], Physical::Bytes, 1).is_err());
    }
}
