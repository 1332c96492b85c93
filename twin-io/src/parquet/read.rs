//! From the bytes of a file to a data frame.

use super::encoding::{Decoded, Physical, hybrid, looked_up, plain};
use super::schema::{Field, Meaning, schema};
use super::thrift::{Parser, Thrift};
use super::{MAGIC, UNIT};
use crate::dataframe::{Column, DataFrame, Values};
use crate::{IoError, Limits, Place, inflate};
use std::borrow::Cow;
use std::cell::OnceCell;

/// What a file may still be inflated to and hold, shared by all its columns.
struct Budget<'a> {
    inflated: usize,
    decoded: usize,
    limits: &'a Limits,
}

impl Budget<'_> {
    fn inflate(&mut self, bytes: usize, place: &Place) -> Result<(), IoError> {
        let over = || place.clone().over("bytes once inflated", self.limits.max_bytes, "max_bytes");
        self.inflated = self.inflated.checked_sub(bytes).ok_or_else(over)?;
        Ok(())
    }

    fn decode(&mut self, bytes: usize, place: &Place) -> Result<(), IoError> {
        let over = || place.clone().over("bytes as values", self.limits.max_bytes, "max_bytes");
        self.decoded = self.decoded.checked_sub(bytes).ok_or_else(over)?;
        Ok(())
    }
}

pub(super) fn frame(bytes: &[u8], place: &Place, limits: &Limits) -> Result<DataFrame, IoError> {
    let is_parquet = bytes.len() >= 12 && bytes.starts_with(MAGIC) && bytes.ends_with(MAGIC);
    let tail = is_parquet.then(|| bytes.len() - 8);
    let Some(tail) = tail else { return Err(IoError::Format { place: place.clone(), expected: "Parquet" }) };
    let length = bytes.get(tail..tail + 4).and_then(|length| length.first_chunk()).map_or(0, |length| u32::from_le_bytes(*length));
    let start = usize::try_from(length).ok().and_then(|length| tail.checked_sub(length)).filter(|start| *start >= 4);
    let start = start.ok_or_else(|| place.clone().byte(tail).truncated("metadata longer than the file"))?;
    let damaged = |rule: &str| place.clone().byte(start).syntax(rule);
    let footer = bytes.get(start..tail).unwrap_or_default();
    let metadata = Parser::new(footer, limits.max_records.saturating_mul(4)).structure().map_err(damaged)?;
    let fields = schema(metadata.list(2), place)?;
    let rows = metadata.size(3).ok_or_else(|| damaged("the number of rows is missing"))?;
    if rows > limits.max_records {
        return Err(place.clone().over("rows", limits.max_records, "max_records"));
    }
    let mut budget = Budget { inflated: limits.max_bytes, decoded: limits.max_bytes, limits };
    let mut columns = Vec::with_capacity(fields.len());
    for (index, field) in fields.into_iter().enumerate() {
        let at = place.clone().field(&field.name);
        // A missing value costs as much as one that is there.
        budget.decode(rows.saturating_mul(8), &at)?;
        let mut values = field.empty();
        for group in metadata.list(4) {
            let count = group.size(3).ok_or_else(|| damaged("a group of rows without their number"))?;
            if values.len().saturating_add(count) > rows {
                return Err(at.syntax("the groups have more rows than the file"));
            }
            let chunk = group.list(1).get(index).and_then(|chunk| chunk.field(3));
            let chunk = chunk.ok_or_else(|| damaged("a group of rows lacks a column"))?;
            Chunk { bytes, field: &field, chunk, place: &at }.read(count, &mut values, &mut budget)?;
        }
        if values.len() != rows {
            return Err(at.syntax("the groups have fewer rows than the file"));
        }
        let unit =
            unit(&metadata, &field.name).map(|code| code.parse().map_err(|_| at.invalid("the unit is not UCUM"))).transpose()?;
        columns.push(Column { name: field.name, unit, values });
    }
    DataFrame::new(columns).map_err(|error| match error {
        IoError::RepeatedColumn { place: column } => {
            IoError::RepeatedColumn { place: Place { field: column.field, ..place.clone() } }
        }
        IoError::Invalid { rule, .. } => place.clone().invalid(rule),
        other => other,
    })
}

/// The unit of a column, as this crate writes it into the metadata of the file.
fn unit<'a>(metadata: &Thrift<'a>, column: &str) -> Option<&'a str> {
    let stated = |pair: &Thrift<'a>| pair.text(1).and_then(|key| key.strip_prefix(UNIT)) == Some(column);
    metadata.list(5).iter().find(|pair| stated(pair)).and_then(|pair| pair.text(2))
}

/// The values of a column in a group of rows.
struct Chunk<'a, 'b> {
    bytes: &'a [u8],
    field: &'b Field,
    chunk: &'b Thrift<'a>,
    place: &'b Place,
}

impl Chunk<'_, '_> {
    fn damaged(&self, at: usize, rule: &str) -> IoError {
        self.place.clone().byte(at).syntax(rule)
    }

    fn read(&self, rows: usize, values: &mut Values, budget: &mut Budget<'_>) -> Result<(), IoError> {
        if rows == 0 {
            return Ok(());
        }
        let (start, end) = self.range()?;
        let codec = self.chunk.integer(4).unwrap_or(-1);
        let wanted = values.len() + rows;
        let mut at = start;
        // Written once, since what is decoded borrows it.
        let dictionary_page = OnceCell::new();
        let mut dictionary = None;
        while values.len() < wanted {
            let rest = self.bytes.get(at..end).unwrap_or_default();
            let mut parser = Parser::new(rest, 10_000);
            let header = parser.structure().map_err(|rule| self.damaged(at, rule))?;
            let body = at + parser.at();
            let (size, inflated) = (header.size(3), header.size(2));
            let (Some(size), Some(inflated)) = (size, inflated) else { return Err(self.damaged(at, "a page without its size")) };
            let next = body.checked_add(size).filter(|next| *next <= end);
            let next = next.ok_or_else(|| self.place.clone().byte(body).truncated("a page longer than its column"))?;
            let page = self.bytes.get(body..next).unwrap_or_default();
            let place = self.place.clone().byte(body);
            match header.integer(1) {
                Some(2) if dictionary_page.get().is_none() && self.field.physical != Physical::Boolean => {
                    budget.inflate(inflated, &place)?;
                    let count = header.field(7).and_then(|page| page.size(1)).unwrap_or(usize::MAX);
                    if !matches!(header.field(7).and_then(|page| page.integer(2)), Some(0 | 2)) {
                        return Err(self.damaged(at, "a dictionary must be written plainly"));
                    }
                    let page = self.inflated(page, codec, inflated, &place)?.into_owned();
                    dictionary_page.get_or_init(|| (page, count));
                }
                Some(2) => return Err(self.damaged(at, "a column has two dictionaries, or one of yes and no")),
                Some(0 | 3) => {
                    if dictionary.is_none() {
                        let decoded = dictionary_page.get().map(|(bytes, count)| plain(bytes, self.field.physical, *count));
                        dictionary = decoded.transpose().map_err(|rule| self.damaged(at, rule))?;
                    }
                    let page = Page { chunk: self, header: &header, bytes: page, codec, inflated, place };
                    page.read(wanted, dictionary.as_ref(), values, budget)?;
                }
                // An index says nothing of its own.
                Some(1) => {}
                _ => return Err(self.damaged(at, "a page of a kind that Parquet does not have")),
            }
            at = next;
        }
        Ok(())
    }

    /// Where the pages begin and end.
    fn range(&self) -> Result<(usize, usize), IoError> {
        let data = self.chunk.size(9);
        let start = match self.chunk.size(11) {
            Some(dictionary) if dictionary > 0 && data.is_some_and(|data| dictionary < data) => Some(dictionary),
            _ => data,
        };
        let end = start.zip(self.chunk.size(7)).and_then(|(start, size)| start.checked_add(size));
        match (start, end) {
            (Some(start), Some(end)) if start >= 4 && end <= self.bytes.len() => Ok((start, end)),
            _ => Err(self.place.clone().truncated("a column that lies outside of the file")),
        }
    }

    /// The bytes of a page, `size` of them, as they were before they were compressed.
    fn inflated<'c>(&self, page: &'c [u8], codec: i64, size: usize, place: &Place) -> Result<Cow<'c, [u8]>, IoError> {
        const READ: &str = "pages plain, in Snappy and in gzip";
        const NAMES: [&str; 8] = ["plain", "Snappy", "gzip", "LZO", "Brotli", "LZ4", "Zstandard", "LZ4 without frames"];
        let wrong = || place.clone().syntax("a page is not of the size that it declares");
        let bytes = match codec {
            0 => Cow::Borrowed(page),
            1 => {
                let declared =
                    snap::raw::decompress_len(page).map_err(|_| place.clone().syntax("the compressed data are damaged"))?;
                if declared != size {
                    return Err(wrong());
                }
                let bytes = snap::raw::Decoder::new().decompress_vec(page);
                Cow::Owned(bytes.map_err(|_| place.clone().syntax("the compressed data are damaged"))?)
            }
            2 => Cow::Owned(inflate::gunzip(page, size, place)?.0),
            other => {
                let name = usize::try_from(other).ok().and_then(|other| NAMES.get(other)).unwrap_or(&"an unknown compression");
                return Err(place.clone().unsupported(format!("a column in {name}"), READ));
            }
        };
        if bytes.len() == size { Ok(bytes) } else { Err(wrong()) }
    }
}

/// Which values of a page are there, where some may be missing, and the bytes of those.
type Parts<'a> = (Option<Vec<u32>>, Cow<'a, [u8]>);

/// A page of values.
struct Page<'a, 'b> {
    chunk: &'b Chunk<'a, 'b>,
    header: &'b Thrift<'a>,
    bytes: &'a [u8],
    codec: i64,
    inflated: usize,
    place: Place,
}

impl Page<'_, '_> {
    /// The levels and the values of a page of the first version, compressed together.
    fn first(&self, header: &Thrift<'_>, count: usize) -> Result<Parts<'_>, IoError> {
        let damaged = |rule: &str| self.place.clone().syntax(rule);
        let page = self.chunk.inflated(self.bytes, self.codec, self.inflated, &self.place)?;
        if !self.chunk.field.optional {
            return Ok((None, page));
        }
        if header.integer(3) != Some(3) {
            return Err(self.place.clone().unsupported("an encoding of levels that is out of use", "levels in runs"));
        }
        let length = page.first_chunk().map(|length| u32::from_le_bytes(*length) as usize);
        let bits =
            length.and_then(|length| page.get(4..)?.get(..length)).ok_or_else(|| damaged("the levels of a page are cut off"))?;
        let levels = hybrid(bits, 1, count).map_err(damaged)?;
        let rest = page.get(4 + bits.len()..).unwrap_or_default().to_vec();
        Ok((Some(levels), Cow::Owned(rest)))
    }

    /// As [`Self::first`], of the second version, whose levels stand before what is compressed.
    fn second(&self, header: &Thrift<'_>, count: usize) -> Result<Parts<'_>, IoError> {
        let damaged = |rule: &str| self.place.clone().syntax(rule);
        const LONG: &str = "the levels of a page are longer than the page";
        let (levels, repeated) = (header.size(5).unwrap_or(0), header.size(6).unwrap_or(0));
        let before = self.bytes.split_at_checked(repeated).and_then(|(_, rest)| rest.split_at_checked(levels));
        let (bits, rest) = before.ok_or_else(|| damaged(LONG))?;
        let codec = if header.boolean(7) == Some(false) { 0 } else { self.codec };
        let size = self.inflated.checked_sub(repeated + levels).ok_or_else(|| damaged(LONG))?;
        let body = self.chunk.inflated(rest, codec, size, &self.place)?;
        Ok((self.chunk.field.optional.then(|| hybrid(bits, 1, count)).transpose().map_err(damaged)?, body))
    }

    fn read(
        &self,
        wanted: usize,
        dictionary: Option<&Decoded<'_>>,
        values: &mut Values,
        budget: &mut Budget<'_>,
    ) -> Result<(), IoError> {
        let damaged = |rule: &str| self.place.clone().syntax(rule);
        let second = self.header.integer(1) == Some(3);
        let header = self.header.field(if second { 8 } else { 5 }).ok_or_else(|| damaged("a page without its header"))?;
        let count = header.size(1).filter(|count| *count > 0 && *count <= wanted - values.len());
        let count = count.ok_or_else(|| damaged("a page must have values, and no more than its column"))?;
        budget.inflate(self.inflated, &self.place)?;
        let encoding = header.integer(if second { 4 } else { 2 }).unwrap_or(-1);
        let (levels, body) = if second { self.second(header, count)? } else { self.first(header, count)? };
        let there = levels.as_ref().map_or(count, |levels| levels.iter().filter(|level| **level == 1).count());
        let decoded = match (encoding, dictionary) {
            (0, _) => plain(&body, self.chunk.field.physical, there),
            (2 | 8, Some(dictionary)) => looked_up(&body, dictionary, there),
            (2 | 8, None) => Err("a column without the dictionary that it refers to"),
            (3, _) if self.chunk.field.physical == Physical::Boolean => {
                let bits = body.get(4..).unwrap_or_default();
                hybrid(bits, 1, there).map(|bits| Decoded::Boolean(bits.into_iter().map(|bit| bit == 1).collect()))
            }
            _ => return Err(self.place.clone().unsupported("this encoding of values", "plain values and dictionaries")),
        };
        let decoded = decoded.map_err(damaged)?;
        if let Decoded::Bytes(texts) = &decoded {
            budget.decode(texts.iter().map(|text| text.len()).sum(), &self.place)?;
        }
        self.chunk.field.append(&decoded, levels.as_deref(), values).map_err(|rule| self.place.clone().invalid(rule))
    }
}

impl Field {
    fn empty(&self) -> Values {
        match self.meaning {
            Meaning::Boolean => Values::Boolean(Vec::new()),
            Meaning::Number => Values::Number(Vec::new()),
            Meaning::Integer | Meaning::Unsigned32 | Meaning::Unsigned64 => Values::Integer(Vec::new()),
            Meaning::Text | Meaning::Date | Meaning::Timestamp { .. } => Values::Text(Vec::new()),
        }
    }

    /// Appends what was decoded, with what is missing between.
    fn append(&self, decoded: &Decoded<'_>, levels: Option<&[u32]>, values: &mut Values) -> Result<(), &'static str> {
        fn spread<T, U>(
            there: &[T],
            levels: Option<&[u32]>,
            values: &mut Vec<Option<U>>,
            of: impl Fn(&T) -> Result<U, &'static str>,
        ) -> Result<(), &'static str> {
            let mut there = there.iter();
            let Some(levels) = levels else {
                return there.try_for_each(|value| of(value).map(|value| values.push(Some(value))));
            };
            for level in levels {
                let value = if *level == 1 { there.next().map(&of).transpose()? } else { None };
                values.push(value);
            }
            Ok(())
        }
        match (values, decoded) {
            (Values::Boolean(values), Decoded::Boolean(there)) => spread(there, levels, values, |value| Ok(*value)),
            (Values::Number(values), Decoded::Number(there)) => spread(there, levels, values, |value| Ok(*value)),
            (Values::Integer(values), Decoded::Integer(there)) => {
                spread(there, levels, values, |value| self.meaning.integer(*value))
            }
            (Values::Text(values), Decoded::Integer(there)) => spread(there, levels, values, |value| self.meaning.date(*value)),
            (Values::Text(values), Decoded::Bytes(there)) => spread(there, levels, values, |bytes| {
                std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| "must be UTF-8 text")
            }),
            _ => Err("the values are not of the type of their column"),
        }
    }
}
