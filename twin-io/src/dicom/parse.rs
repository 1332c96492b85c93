//! The structure of a DICOM file: elements, sequences and fragments, each length held against the bytes that are left.

use super::tag;
use crate::{IoError, Limits, Place, inflate};
use std::collections::BTreeMap;

/// A tag: the group in the upper 16 bits, the element in the lower.
pub(super) type Tag = u32;

/// How a data set is written (PS3.5, annex A).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Native,
    RunLength,
    /// Another compression, by its place in [`NAMED`].
    Other(&'static str),
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Syntax {
    pub(super) explicit: bool,
    pub(super) big: bool,
    pub(super) coding: Coding,
}

const LITTLE: Syntax = Syntax { explicit: true, big: false, coding: Coding::Native };
const IMPLICIT: Syntax = Syntax { explicit: false, big: false, coding: Coding::Native };
const DEFLATED: &str = "1.2.840.10008.1.2.1.99";

/// Transfer syntaxes of compressed pixels that are known by name; those of the JPEG family are read with the feature `jpeg`.
const NAMED: [(&str, &str); 9] = [
    ("1.2.840.10008.1.2.4.50", "JPEG baseline"),
    ("1.2.840.10008.1.2.4.51", "JPEG extended"),
    ("1.2.840.10008.1.2.4.57", "JPEG lossless"),
    ("1.2.840.10008.1.2.4.70", "JPEG lossless, first-order prediction"),
    ("1.2.840.10008.1.2.4.80", "JPEG-LS lossless"),
    ("1.2.840.10008.1.2.4.81", "JPEG-LS near-lossless"),
    ("1.2.840.10008.1.2.4.90", "JPEG 2000 lossless"),
    ("1.2.840.10008.1.2.4.91", "JPEG 2000"),
    ("1.2.840.10008.1.2.4.201", "high-throughput JPEG 2000 lossless"),
];
const READ: &str = if cfg!(feature = "jpeg") {
    "implicit and explicit little endian, explicit big endian, deflated, RLE, JPEG, JPEG-LS, JPEG 2000"
} else {
    "implicit and explicit little endian, explicit big endian, deflated, RLE (with the feature `jpeg` also JPEG, JPEG-LS, JPEG 2000)"
};

fn syntax(uid: &str, place: &Place) -> Result<Syntax, IoError> {
    match uid {
        "1.2.840.10008.1.2" => Ok(IMPLICIT),
        "1.2.840.10008.1.2.1" | DEFLATED => Ok(LITTLE),
        "1.2.840.10008.1.2.2" => Ok(Syntax { big: true, ..LITTLE }),
        "1.2.840.10008.1.2.5" => Ok(Syntax { coding: Coding::RunLength, ..LITTLE }),
        other => match NAMED.iter().find(|(known, _)| *known == other) {
            Some((_, name)) => Ok(Syntax { coding: Coding::Other(name), ..LITTLE }),
            None => Err(place.clone().field("(0002,0010)").unsupported("a transfer syntax that is not known", READ)),
        },
    }
}

impl Coding {
    /// Refuses the compressions that are not read.
    pub(super) fn checked(self, place: &Place) -> Result<Self, IoError> {
        match self {
            #[cfg(feature = "jpeg")]
            Self::Other(name) if super::jpeg::is_read(name) => Ok(self),
            Self::Other(name) => Err(place.clone().field("(7FE0,0010)").unsupported(format!("pixels in {name}"), READ)),
            read => Ok(read),
        }
    }
}

/// What an element holds.
#[derive(Debug, Clone)]
pub(super) enum Value<'a> {
    Bytes(&'a [u8]),
    Items(Vec<Dataset<'a>>),
    Fragments(Vec<&'a [u8]>),
}

/// The elements of a file or an item, by tag, each with the byte where its value begins.
#[derive(Debug, Clone, Default)]
pub(super) struct Dataset<'a> {
    pub(super) elements: BTreeMap<Tag, (usize, Value<'a>)>,
    pub(super) big: bool,
}

/// The bytes of a file, inflated, and how its data set is written.
#[derive(Debug)]
pub(super) struct Loaded {
    bytes: Vec<u8>,
    start: usize,
    pub(super) syntax: Syntax,
    pub(super) place: Place,
}

impl Loaded {
    /// Finds the data set of a file. A file without file meta information, which PS3.10 requires, is read in the default transfer
    /// syntax (implicit little endian) if it begins with an element of group 8.
    pub(super) fn new(bytes: Vec<u8>, place: Place, limits: &Limits) -> Result<Self, IoError> {
        if bytes.get(128..132) != Some(b"DICM") {
            let bare = bytes.first_chunk::<8>().is_some_and(|start| {
                let length = u32::from_le_bytes([start[4], start[5], start[6], start[7]]);
                start[..2] == [8, 0] && usize::try_from(length).is_ok_and(|length| length <= bytes.len())
            });
            if !bare {
                return Err(IoError::Format { place: place.byte(128), expected: "DICOM" });
            }
            return Ok(Self { bytes, start: 0, syntax: IMPLICIT, place });
        }
        let mut parser = Parser { bytes: &bytes, syntax: LITTLE, limits, place: &place, count: 0 };
        let (meta, start) = parser.meta(132)?;
        let uid = meta
            .text(tag::TRANSFER_SYNTAX)
            .ok_or_else(|| place.clone().field("(0002,0010)").invalid("the transfer syntax is missing"))?;
        let syntax = syntax(uid, &place)?;
        if uid != DEFLATED {
            return Ok(Self { start, syntax, place, bytes });
        }
        let deflated = bytes.get(start..).unwrap_or_default();
        let most = limits.max_bytes.min(deflated.len().saturating_mul(limits.max_ratio));
        let (inflated, ended) = inflate::inflate(deflated, most, &place)?;
        if !ended {
            return Err(place.over("bytes once inflated", most, "max_bytes` and `Limits::max_ratio"));
        }
        Ok(Self { bytes: inflated, start: 0, syntax, place })
    }

    /// The transfer syntax that this data set, inflated as it is, is written in.
    #[cfg(feature = "governance")]
    pub(super) fn syntax_uid(&self) -> &'static str {
        match self.syntax {
            Syntax { coding: Coding::RunLength, .. } => "1.2.840.10008.1.2.5",
            Syntax { coding: Coding::Other(name), .. } => NAMED.iter().find(|(_, known)| *known == name).map_or("", |(uid, _)| uid),
            Syntax { big: true, .. } => "1.2.840.10008.1.2.2",
            Syntax { explicit: true, .. } => "1.2.840.10008.1.2.1",
            _ => "1.2.840.10008.1.2",
        }
    }

    pub(super) fn dataset(&self, limits: &Limits) -> Result<Dataset<'_>, IoError> {
        let mut parser = Parser { bytes: &self.bytes, syntax: self.syntax, limits, place: &self.place, count: 0 };
        let mut at = self.start;
        parser.elements(&mut at, self.bytes.len(), false, 0)
    }
}

struct Parser<'a, 'b> {
    bytes: &'a [u8],
    syntax: Syntax,
    limits: &'b Limits,
    place: &'b Place,
    count: usize,
}

const ITEM: Tag = 0xFFFE_E000;
const ITEM_END: Tag = 0xFFFE_E00D;
const SEQUENCE_END: Tag = 0xFFFE_E0DD;
const UNDEFINED: u32 = u32::MAX;
/// Value representations whose length has 32 bits (PS3.5, table 7.1-1).
const LONG: [&[u8; 2]; 13] = [b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"];

/// A tag as the standard writes it.
pub(super) fn shown(tag: Tag) -> String {
    format!("({:04X},{:04X})", tag >> 16, tag & 0xFFFF)
}

impl<'a> Parser<'a, '_> {
    fn take<const N: usize>(&self, at: &mut usize, end: usize) -> Result<[u8; N], IoError> {
        let taken = self.bytes.get(*at..end).and_then(|rest| rest.first_chunk()).copied();
        *at += N;
        taken.ok_or_else(|| self.place.clone().byte(*at - N).truncated("an element"))
    }

    fn short(&self, at: &mut usize, end: usize) -> Result<u16, IoError> {
        let bytes = self.take(at, end)?;
        Ok(if self.syntax.big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }

    fn long(&self, at: &mut usize, end: usize) -> Result<u32, IoError> {
        let bytes = self.take(at, end)?;
        Ok(if self.syntax.big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    fn tag(&self, at: &mut usize, end: usize) -> Result<Tag, IoError> {
        Ok(Tag::from(self.short(at, end)?) << 16 | Tag::from(self.short(at, end)?))
    }

    /// `length` bytes, if there are as many before `end`.
    fn value(&self, at: &mut usize, end: usize, length: u32, tag: Tag) -> Result<&'a [u8], IoError> {
        let start = *at;
        let stop = usize::try_from(length).ok().and_then(|length| start.checked_add(length)).filter(|stop| *stop <= end);
        let left = end.saturating_sub(start);
        let place = || self.place.clone().byte(start).field(&shown(tag));
        let stop = stop.ok_or_else(|| place().truncated(format!("an element of {length} bytes where {left} are left")))?;
        *at = stop;
        Ok(self.bytes.get(start..stop).unwrap_or_default())
    }

    /// The elements of group 2, and where the data set begins.
    fn meta(&mut self, start: usize) -> Result<(Dataset<'a>, usize), IoError> {
        let mut meta = Dataset::default();
        let mut at = start;
        while self.bytes.get(at..at + 2) == Some(&[2, 0]) {
            self.element(&mut at, self.bytes.len(), &mut meta, 0)?;
        }
        Ok((meta, at))
    }

    /// The elements up to `end`, or up to the delimiter of an item of undefined length.
    fn elements(&mut self, at: &mut usize, end: usize, delimited: bool, depth: usize) -> Result<Dataset<'a>, IoError> {
        if depth > self.limits.max_depth {
            return Err(self.place.clone().byte(*at).over("sequences inside each other", self.limits.max_depth, "max_depth"));
        }
        let mut dataset = Dataset { elements: BTreeMap::new(), big: self.syntax.big };
        while *at < end {
            if delimited {
                let mut ahead = *at;
                if self.tag(&mut ahead, end)? == ITEM_END {
                    self.long(&mut ahead, end)?;
                    *at = ahead;
                    return Ok(dataset);
                }
            }
            self.element(at, end, &mut dataset, depth)?;
        }
        if delimited { Err(self.place.clone().byte(*at).truncated("an item without its delimiter")) } else { Ok(dataset) }
    }

    fn element(&mut self, at: &mut usize, end: usize, dataset: &mut Dataset<'a>, depth: usize) -> Result<(), IoError> {
        self.count += 1;
        let begin = *at;
        if self.count > self.limits.max_records {
            return Err(self.place.clone().byte(begin).over("elements", self.limits.max_records, "max_records"));
        }
        let tag = self.tag(at, end)?;
        let here = || self.place.clone().byte(begin).field(&shown(tag));
        if tag >> 16 == 0xFFFE || tag >> 16 == 0 {
            return Err(here().syntax("a delimiter or a command where an element should stand"));
        }
        let (representation, length) = self.header(at, end, tag)?;
        let start = *at;
        let is_sequence = representation.map_or_else(|| tag::SEQUENCES.contains(&tag), |letters| &letters == b"SQ");
        let value = match (length, representation) {
            (UNDEFINED, _) if tag == tag::PIXEL_DATA => Value::Fragments(self.fragments(at, end)?),
            // PS3.5, 6.2.2 note 2: an unknown element of undefined length is a sequence in implicit little endian.
            (UNDEFINED, Some(letters)) if &letters == b"UN" => self.unknown(at, end, depth)?,
            (UNDEFINED, Some(letters)) if &letters != b"SQ" => return Err(here().syntax("only a sequence may have no length")),
            (UNDEFINED, _) => Value::Items(self.items(at, end, true, depth)?),
            (_, _) if is_sequence => {
                self.value(at, end, length, tag)?;
                let stop = std::mem::replace(at, start);
                Value::Items(self.items(at, stop, false, depth)?)
            }
            _ => Value::Bytes(self.value(at, end, length, tag)?),
        };
        match dataset.elements.insert(tag, (start, value)) {
            Some(_) => Err(here().syntax("the element is there twice")),
            None => Ok(()),
        }
    }

    fn header(&self, at: &mut usize, end: usize, tag: Tag) -> Result<(Option<[u8; 2]>, u32), IoError> {
        if !self.syntax.explicit {
            return Ok((None, self.long(at, end)?));
        }
        let letters: [u8; 2] = self.take(at, end)?;
        if !letters.iter().all(u8::is_ascii_uppercase) {
            return Err(self
                .place
                .clone()
                .byte(*at - 2)
                .field(&shown(tag))
                .syntax("a value representation must be two capital letters"));
        }
        if LONG.contains(&&letters) {
            *at += 2;
            return Ok((Some(letters), self.long(at, end)?));
        }
        Ok((Some(letters), self.short(at, end)?.into()))
    }

    fn unknown(&mut self, at: &mut usize, end: usize, depth: usize) -> Result<Value<'a>, IoError> {
        let outer = self.syntax;
        self.syntax = Syntax { coding: outer.coding, ..IMPLICIT };
        let items = self.items(at, end, true, depth);
        self.syntax = outer;
        Ok(Value::Items(items?))
    }

    fn items(&mut self, at: &mut usize, end: usize, delimited: bool, depth: usize) -> Result<Vec<Dataset<'a>>, IoError> {
        let mut items = Vec::new();
        while *at < end {
            let begin = *at;
            let (tag, length) = (self.tag(at, end)?, self.long(at, end)?);
            match (tag, length) {
                (SEQUENCE_END, _) if delimited => return Ok(items),
                (ITEM, UNDEFINED) => items.push(self.elements(at, end, true, depth + 1)?),
                (ITEM, _) => {
                    let mut start = *at;
                    self.value(at, end, length, tag)?;
                    items.push(self.elements(&mut start, *at, false, depth + 1)?);
                }
                _ => return Err(self.place.clone().byte(begin).syntax("a sequence must be made of items")),
            }
            self.count += 1;
            if self.count > self.limits.max_records {
                return Err(self.place.clone().byte(begin).over("elements", self.limits.max_records, "max_records"));
            }
        }
        if delimited { Err(self.place.clone().byte(*at).truncated("a sequence without its delimiter")) } else { Ok(items) }
    }

    /// The pieces of compressed pixels, without the table of offsets that comes first.
    fn fragments(&self, at: &mut usize, end: usize) -> Result<Vec<&'a [u8]>, IoError> {
        let mut fragments = Vec::new();
        loop {
            let begin = *at;
            let (tag, length) = (self.tag(at, end)?, self.long(at, end)?);
            match tag {
                SEQUENCE_END => break,
                ITEM => fragments.push(self.value(at, end, length, tag)?),
                _ => return Err(self.place.clone().byte(begin).syntax("compressed pixels must be made of items")),
            }
            if fragments.len() > self.limits.max_frames.saturating_add(1) {
                return Err(self.place.clone().byte(begin).over("fragments", self.limits.max_frames, "max_frames"));
            }
        }
        if fragments.is_empty() {
            return Err(self.place.clone().byte(*at).syntax("the table of offsets is missing"));
        }
        fragments.remove(0);
        Ok(fragments)
    }
}
