//! The compact protocol of Thrift, as far as the metadata of Parquet needs it.

use std::collections::BTreeMap;

/// A value out of the metadata.
#[derive(Debug, Clone)]
pub(super) enum Thrift<'a> {
    Integer(i64),
    /// A number with a point, of which the metadata that is read here has none.
    Double,
    Boolean(bool),
    Bytes(&'a [u8]),
    List(Vec<Thrift<'a>>),
    Struct(BTreeMap<i16, Thrift<'a>>),
}

impl<'a> Thrift<'a> {
    /// The field of a structure.
    pub(super) fn field(&self, id: i16) -> Option<&Thrift<'a>> {
        match self {
            Self::Struct(fields) => fields.get(&id),
            _ => None,
        }
    }

    pub(super) fn integer(&self, id: i16) -> Option<i64> {
        match self.field(id) {
            Some(Self::Integer(value)) => Some(*value),
            _ => None,
        }
    }

    /// A number that counts or measures bytes.
    pub(super) fn size(&self, id: i16) -> Option<usize> {
        self.integer(id).and_then(|value| usize::try_from(value).ok())
    }

    pub(super) fn boolean(&self, id: i16) -> Option<bool> {
        match self.field(id) {
            Some(Self::Boolean(value)) => Some(*value),
            _ => None,
        }
    }

    pub(super) fn bytes(&self, id: i16) -> Option<&'a [u8]> {
        match self.field(id) {
            Some(Self::Bytes(bytes)) => Some(bytes),
            _ => None,
        }
    }

    pub(super) fn text(&self, id: i16) -> Option<&'a str> {
        self.bytes(id).and_then(|bytes| std::str::from_utf8(bytes).ok())
    }

    pub(super) fn list(&self, id: i16) -> &[Thrift<'a>] {
        match self.field(id) {
            Some(Self::List(values)) => values,
            _ => &[],
        }
    }
}

/// Why metadata cannot be read.
pub(super) type Fault = &'static str;

pub(super) struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
    /// How many values may still be read.
    left: usize,
}

/// Structures and lists inside each other; Parquet's own metadata has fewer than ten.
const DEPTH: usize = 16;
const CUT: Fault = "the metadata end early";

impl<'a> Parser<'a> {
    pub(super) fn new(bytes: &'a [u8], most: usize) -> Self {
        Self { bytes, at: 0, left: most }
    }

    /// How many bytes have been read.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// A structure at the present place.
    pub(super) fn structure(&mut self) -> Result<Thrift<'a>, Fault> {
        self.fields(0)
    }

    fn byte(&mut self) -> Result<u8, Fault> {
        let byte = self.bytes.get(self.at).copied().ok_or(CUT)?;
        self.at += 1;
        Ok(byte)
    }

    fn taken(&mut self, length: usize) -> Result<&'a [u8], Fault> {
        let taken = self.bytes.get(self.at..).and_then(|rest| rest.get(..length)).ok_or(CUT)?;
        self.at += length;
        Ok(taken)
    }

    fn unsigned(&mut self) -> Result<u64, Fault> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err("a number of the metadata has too many bytes")
    }

    fn signed(&mut self) -> Result<i64, Fault> {
        let raw = self.unsigned()?;
        Ok((raw >> 1).cast_signed() ^ -(raw & 1).cast_signed())
    }

    fn length(&mut self) -> Result<usize, Fault> {
        usize::try_from(self.unsigned()?).ok().filter(|length| *length <= self.bytes.len() - self.at).ok_or(CUT)
    }

    fn fields(&mut self, depth: usize) -> Result<Thrift<'a>, Fault> {
        if depth > DEPTH {
            return Err("the metadata are nested too deeply");
        }
        let (mut fields, mut id) = (BTreeMap::new(), 0_i16);
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Ok(Thrift::Struct(fields));
            }
            id = match head >> 4 {
                0 => i16::try_from(self.signed()?).map_err(|_| "the id of a field is too large")?,
                step => id.checked_add(step.into()).ok_or("the id of a field is too large")?,
            };
            let value = match head & 0x0f {
                // In a field, unlike in a list, the kind is the value.
                kind @ (1 | 2) => {
                    self.count()?;
                    Thrift::Boolean(kind == 1)
                }
                kind => self.value(kind, depth)?,
            };
            fields.insert(id, value);
        }
    }

    fn count(&mut self) -> Result<(), Fault> {
        self.left = self.left.checked_sub(1).ok_or("the metadata have too many values")?;
        Ok(())
    }

    fn value(&mut self, kind: u8, depth: usize) -> Result<Thrift<'a>, Fault> {
        self.count()?;
        match kind {
            1 | 2 => Ok(Thrift::Boolean(self.byte()? == 1)),
            3 => Ok(Thrift::Integer(i64::from(self.byte()?.cast_signed()))),
            4..=6 => Ok(Thrift::Integer(self.signed()?)),
            7 => self.taken(8).map(|_| Thrift::Double),
            8 => {
                let length = self.length()?;
                Ok(Thrift::Bytes(self.taken(length)?))
            }
            9 | 10 => {
                let head = self.byte()?;
                // Each element takes a byte at least.
                let count = if head >> 4 == 15 { self.length()? } else { usize::from(head >> 4) };
                if depth > DEPTH {
                    return Err("the metadata are nested too deeply");
                }
                (0..count).map(|_| self.value(head & 0x0f, depth + 1)).collect::<Result<_, _>>().map(Thrift::List)
            }
            12 => self.fields(depth + 1),
            _ => Err("the metadata hold a value of a kind that Parquet does not have"),
        }
    }
}

/// Writes structures, field by field in the order of their ids.
#[derive(Default)]
pub(super) struct Writer {
    pub(super) bytes: Vec<u8>,
    ids: Vec<i16>,
}

impl Writer {
    pub(super) fn unsigned(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    fn signed(&mut self, value: i64) {
        self.unsigned(((value << 1) ^ (value >> 63)).cast_unsigned());
    }

    fn head(&mut self, id: i16, kind: u8) {
        let last = self.ids.last_mut().map_or(0, |last| std::mem::replace(last, id));
        // Ids grow by 1 to 15 in all that is written here.
        self.bytes.push(((id - last) as u8) << 4 | kind);
    }

    pub(super) fn begin(&mut self) {
        self.ids.push(0);
    }

    pub(super) fn end(&mut self) {
        self.ids.pop();
        self.bytes.push(0);
    }

    pub(super) fn i32(&mut self, id: i16, value: i64) {
        self.head(id, 5);
        self.signed(value);
    }

    pub(super) fn i64(&mut self, id: i16, value: i64) {
        self.head(id, 6);
        self.signed(value);
    }

    pub(super) fn text(&mut self, id: i16, text: &str) {
        self.head(id, 8);
        self.element(text);
    }

    /// A text in a list.
    pub(super) fn element(&mut self, text: &str) {
        self.unsigned(text.len() as u64);
        self.bytes.extend(text.as_bytes());
    }

    /// A whole number in a list.
    pub(super) fn number(&mut self, value: i64) {
        self.signed(value);
    }

    pub(super) fn structure(&mut self, id: i16) {
        self.head(id, 12);
        self.begin();
    }

    /// A list of `count` elements of a kind: 5 for whole numbers, 8 for texts, 12 for structures.
    pub(super) fn list(&mut self, id: i16, kind: u8, count: usize) {
        self.head(id, 9);
        if count < 15 {
            self.bytes.push((count as u8) << 4 | kind);
        } else {
            self.bytes.push(0xf0 | kind);
            self.unsigned(count as u64);
        }
    }
}
