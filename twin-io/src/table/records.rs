//! The rows of a CSV text, strictly by RFC 4180.

use crate::{IoError, Limits, Place};
use std::borrow::Cow;
use std::path::Path;

/// One row.
pub(crate) struct Record<'t> {
    /// The line it begins in, from 1.
    pub(crate) line: usize,
    pub(crate) fields: Vec<Cow<'t, str>>,
}

impl Record<'_> {
    /// The index of the first field with this text.
    pub(crate) fn position(&self, text: &str) -> Option<usize> {
        self.fields.iter().position(|field| field == text)
    }
}

/// What ends a field.
enum End {
    Field,
    Row,
}

/// Hands out the rows of a text, one after the other.
pub(crate) struct Records<'t> {
    rest: &'t str,
    line: usize,
    delimiter: char,
    file: Option<&'t Path>,
    max_line: usize,
}

impl<'t> Records<'t> {
    pub(crate) fn new(text: &'t str, delimiter: char, file: Option<&'t Path>, limits: &Limits) -> Self {
        let rest = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self { rest, line: 1, delimiter, file, max_line: limits.max_line }
    }

    /// The next row that is not blank.
    pub(crate) fn next_record(&mut self) -> Result<Option<Record<'t>>, IoError> {
        while let Some(rest) = self.rest.strip_prefix("\r\n").or_else(|| self.rest.strip_prefix('\n')) {
            self.rest = rest;
            self.line += 1;
        }
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (line, length) = (self.line, self.rest.len());
        let mut fields = Vec::new();
        loop {
            let (field, end) = self.field()?;
            fields.push(field);
            if length - self.rest.len() > self.max_line {
                let place = Place::of(self.file).line(line);
                return Err(IoError::Limit { place, what: "bytes in one row", limit: self.max_line, raise: "max_line" });
            }
            if matches!(end, End::Row) {
                return Ok(Some(Record { line, fields }));
            }
        }
    }

    fn field(&mut self) -> Result<(Cow<'t, str>, End), IoError> {
        match self.rest.strip_prefix('"') {
            Some(inner) => self.quoted(inner),
            None => self.plain(),
        }
    }

    fn plain(&mut self) -> Result<(Cow<'t, str>, End), IoError> {
        let end = self.rest.find([self.delimiter, '\n', '\r', '"']).unwrap_or(self.rest.len());
        let (field, rest) = self.rest.split_at(end);
        if rest.starts_with('"') {
            return Err(self.syntax(self.line, "a quote inside a field that does not begin with one"));
        }
        self.rest = rest;
        Ok((Cow::Borrowed(field), self.end()?))
    }

    /// A quoted field, from behind its first quote.
    fn quoted(&mut self, mut inner: &'t str) -> Result<(Cow<'t, str>, End), IoError> {
        let opened = self.line;
        let mut field = Cow::Borrowed("");
        loop {
            let Some((text, rest)) = inner.split_once('"') else {
                return Err(self.syntax(opened, "a quoted field is not closed"));
            };
            self.line += text.matches('\n').count();
            field += text;
            match rest.strip_prefix('"') {
                Some(rest) => {
                    field += "\"";
                    inner = rest;
                }
                None => {
                    self.rest = rest;
                    return Ok((field, self.end()?));
                }
            }
        }
    }

    /// Passes over what ends a field.
    fn end(&mut self) -> Result<End, IoError> {
        if let Some(rest) = self.rest.strip_prefix(self.delimiter) {
            self.rest = rest;
            return Ok(End::Field);
        }
        if let Some(rest) = self.rest.strip_prefix("\r\n").or_else(|| self.rest.strip_prefix('\n')) {
            self.rest = rest;
            self.line += 1;
            return Ok(End::Row);
        }
        match self.rest.chars().next() {
            None => Ok(End::Row),
            Some('\r') => Err(self.syntax(self.line, "a carriage return without a line feed")),
            Some(_) => Err(self.syntax(self.line, "text after the closing quote of a field")),
        }
    }

    fn syntax(&self, line: usize, rule: &str) -> IoError {
        IoError::Syntax { place: Place::of(self.file).line(line), rule: rule.to_owned() }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(text: &str, delimiter: char) -> Result<Vec<(usize, Vec<String>)>, IoError> {
        let mut records = Records::new(text, delimiter, None, &Limits::default());
        let mut found = Vec::new();
        while let Some(record) = records.next_record()? {
            found.push((record.line, record.fields.into_iter().map(Cow::into_owned).collect()));
        }
        Ok(found)
    }

    fn line_of(text: &str) -> u32 {
        match all(text, ',') {
            Err(IoError::Syntax { place, .. }) => place.line.unwrap(),
            other => unreachable!("{other:?}"),
        }
    }

    #[test]
    fn counts_lines_through_blank_ones_and_quotes() {
        for newline in ["\n", "\r\n"] {
            let text = ["a,b", "", "\"1", "x\",2", "", "", "3,\"\"\"4\"\"\""].join(newline);
            let expected = [(1, ["a", "b"]), (3, [&format!("1{newline}x"), "2"]), (7, ["3", "\"4\""])];
            let expected: Vec<_> = expected.iter().map(|(line, fields)| (*line, fields.map(str::to_owned).to_vec())).collect();
            assert_eq!(all(&text, ',').unwrap(), expected);
        }
    }

    #[test]
    fn a_delimiter_at_the_end_begins_another_field() {
        assert_eq!(all("a,\n", ',').unwrap(), [(1, vec!["a".to_owned(), String::new()])]);
        assert_eq!(all("a,", ',').unwrap(), [(1, vec!["a".to_owned(), String::new()])]);
        assert_eq!(all("a;b,c", ';').unwrap(), [(1, vec!["a".to_owned(), "b,c".to_owned()])]);
    }

    #[test]
    fn refuses_what_is_not_csv() {
        assert_eq!(line_of("a,b\n1,\"2\n3,4\n"), 2); // never closed: would swallow the rest
        assert_eq!(line_of("a,b\n1,\"2\"x\n"), 2);
        assert_eq!(line_of("a,b\n\n1,2\"\n"), 3);
        assert_eq!(line_of("a,b\r1,2\r"), 1);
    }

    #[test]
    fn the_csv_crate_passes_over_a_quote_that_is_not_closed() {
        let mut reader = csv::Reader::from_reader("a,b\n1,\"2\n3,4\n".as_bytes());
        let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
        assert_eq!(rows, [vec!["1", "2\n3,4\n"]]); // the reason for a reader of our own
    }

    #[test]
    fn refuses_a_long_row() {
        let text = format!("a\n{}\n", "x".repeat(Limits::default().max_line + 1));
        assert!(matches!(all(&text, ','), Err(IoError::Limit { raise: "max_line", .. })));
    }

    proptest! {
        #[test]
        fn agrees_with_the_csv_crate(rows in proptest::collection::vec(proptest::collection::vec("[a\",;\n\r é]{0,4}", 2), 1..6),
            crlf: bool) {
            let terminator = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
            let mut writer = csv::WriterBuilder::new().terminator(terminator).from_writer(Vec::new());
            for row in &rows {
                writer.write_record(row).unwrap();
            }
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let read: Vec<Vec<String>> = all(&text, ',').unwrap().into_iter().map(|(_, fields)| fields).collect();
            prop_assert_eq!(read, rows);
        }

        #[test]
        fn never_panics(text in "[a\",\n\r\u{feff}é]{0,40}") {
            let _ = all(&text, ',');
        }
    }
}
