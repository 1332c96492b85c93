//! A first pass over the text: is it JSON, within the limits, and no key given twice?

use super::explain;
use crate::{IoError, Limits, Place};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::collections::HashSet;
use std::fmt;
use std::path::Path;

/// What the record says of itself.
#[derive(Default)]
pub(super) struct Header {
    pub(super) format: Option<String>,
    pub(super) version: Option<u64>,
}

/// One step of the way into the record.
pub(super) enum Step {
    Key(String),
    Index(usize),
}

enum Fault {
    Duplicate,
    Depth,
    Records,
}

struct Checker<'l> {
    limits: &'l Limits,
    /// The way to where the pass is; after an error, to where it is.
    way: Vec<Step>,
    records: usize,
    header: Header,
    fault: Option<Fault>,
}

/// Checks that `text` is JSON within the limits and without duplicate keys; returns what it says of itself.
pub(super) fn check(text: &str, file: Option<&Path>, limits: &Limits) -> Result<Header, IoError> {
    let mut checker = Checker { limits, way: Vec::new(), records: 0, header: Header::default(), fault: None };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let result = Value(&mut checker).deserialize(&mut deserializer).and_then(|_| deserializer.end());
    match result {
        Ok(()) => Ok(checker.header),
        Err(error) => Err(explained(&checker, &error, file)),
    }
}

fn explained(checker: &Checker<'_>, error: &serde_json::Error, file: Option<&Path>) -> IoError {
    let place = Place { field: explain::shown(&checker.way), ..Place::of(file).line(error.line()).column(error.column()) };
    let Limits { max_depth, max_records, .. } = *checker.limits;
    match checker.fault {
        Some(Fault::Duplicate) => IoError::DuplicateKey { place },
        Some(Fault::Depth) => {
            IoError::Limit { place, what: "arrays and objects inside each other", limit: max_depth, raise: "max_depth" }
        }
        Some(Fault::Records) => IoError::Limit { place, what: "elements", limit: max_records, raise: "max_records" },
        None if error.is_eof() => IoError::Truncated { place, rule: explain::message(error) },
        None => IoError::Syntax { place, rule: format!("not JSON: {}", explain::message(error)) },
    }
}

impl Checker<'_> {
    fn refuse<E: Error>(&mut self, fault: Fault) -> E {
        self.fault = Some(fault);
        E::custom("refused")
    }

    /// Refuses an array or object that lies too deep: `way` is as long as there are others around it.
    fn enter<E: Error>(&mut self) -> Result<(), E> {
        if self.way.len() >= self.limits.max_depth {
            return Err(self.refuse(Fault::Depth));
        }
        Ok(())
    }

    fn at(&self, name: &str) -> bool {
        matches!(self.way.as_slice(), [Step::Key(key)] if key == name)
    }
}

/// Any value; says whether it is a number.
struct Value<'c, 'l>(&'c mut Checker<'l>);

impl<'de> DeserializeSeed<'de> for Value<'_, '_> {
    type Value = bool;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_, '_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<bool, E> {
        if self.0.at("format") {
            self.0.header.format = Some(text.to_owned());
        }
        Ok(false)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<bool, E> {
        if self.0.at("version") {
            self.0.header.version = Some(number);
        }
        Ok(true)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<bool, E> {
        Ok(true)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<bool, E> {
        Ok(true)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<bool, A::Error> {
        let checker = self.0;
        checker.enter()?;
        for index in 0.. {
            checker.way.push(Step::Index(index));
            match elements.next_element_seed(Value(checker))? {
                None => break,
                Some(true) => {}
                Some(false) => checker.records += 1,
            }
            if checker.records > checker.limits.max_records {
                return Err(checker.refuse(Fault::Records));
            }
            checker.way.pop();
        }
        checker.way.pop();
        Ok(false)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<bool, A::Error> {
        let checker = self.0;
        checker.enter()?;
        let mut keys = HashSet::new();
        while let Some(key) = members.next_key::<String>()? {
            checker.way.push(Step::Key(key.clone()));
            if !keys.insert(key) {
                return Err(checker.refuse(Fault::Duplicate));
            }
            if keys.len() > checker.limits.max_records {
                return Err(checker.refuse(Fault::Records));
            }
            members.next_value_seed(Value(checker))?;
            checker.way.pop();
        }
        Ok(false)
    }
}
