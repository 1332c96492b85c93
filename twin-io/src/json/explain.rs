//! Messages of the parser, without the values that it quotes.

use super::check::Step;
use crate::{IoError, Place};
use serde_json::Value;
use serde_path_to_error::Segment;
use std::path::Path;

/// What a value is replaced by.
const HIDDEN: &str = "…";

/// The way as text: `patient.timeline[3].time`. A key that does not look like the name of a field is hidden.
pub(super) fn shown(way: &[Step]) -> Option<Box<str>> {
    let mut text = String::new();
    for step in way {
        match step {
            Step::Index(index) => text.push_str(&format!("[{index}]")),
            Step::Key(key) => {
                let dot = if text.is_empty() { "" } else { "." };
                text.push_str(dot);
                text.push_str(if is_name(key) { key } else { HIDDEN });
            }
        }
    }
    if text.is_empty() { None } else { Some(text.into()) }
}

/// Whether a key looks like the name of a field.
fn is_name(key: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+' | '.');
    !key.is_empty() && key.len() <= 64 && key.chars().all(plain)
}

/// The message of a syntax error, without its position.
pub(super) fn message(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message).to_owned()
}

/// A value of the wrong type, or one that breaks a rule: the error, explained without quoting it.
pub(super) fn typed(error: &serde_path_to_error::Error<serde_json::Error>, text: &str, file: Option<&Path>) -> IoError {
    let document: Value = serde_json::from_str(text).unwrap_or(Value::Null);
    let (way, node) = followed(error.path().iter(), &document);
    let inner = error.inner();
    let place = Place { field: shown(&way), ..Place::of(file).line(inner.line()).column(inner.column()) };
    IoError::Invalid { place, rule: rule(&message(inner), way.last(), node) }
}

/// The part of the path that leads through objects and arrays, and the value it leads to. The parser also counts the text of an
/// enumeration as a step, which must not be shown.
fn followed<'a, 'v>(path: impl Iterator<Item = &'a Segment>, document: &'v Value) -> (Vec<Step>, &'v Value) {
    let (mut way, mut node) = (Vec::new(), document);
    for segment in path {
        let (step, next) = match segment {
            Segment::Seq { index } => (Step::Index(*index), node.get(index)),
            Segment::Map { key } | Segment::Enum { variant: key } => (Step::Key(key.clone()), node.get(key)),
            Segment::Unknown => break,
        };
        let Some(next) = next else { break };
        way.push(step);
        node = next;
    }
    (way, node)
}

/// The message with the values of `node` hidden, and the key that led there unless it is the name of a field.
fn rule(message: &str, last: Option<&Step>, node: &Value) -> String {
    for (opening, what) in [("invalid type: ", "a wrong type of value"), ("invalid value: ", "a value out of range")] {
        if let Some((_, expected)) = message.strip_prefix(opening).and_then(|rest| rest.rsplit_once(", expected ")) {
            // The names of Rust types say nothing to the reader of a file.
            let object = ["struct ", "enum "].iter().any(|kind| expected.starts_with(kind));
            return format!("{what}, expected {}", if object { "an object or a name" } else { expected });
        }
    }
    for (opening, what) in [("unknown variant `", "an unknown name"), ("unknown field `", "an unknown field")] {
        if let Some(rest) = message.strip_prefix(opening) {
            let expected = rest.rsplit_once("`, expected ").or_else(|| rest.rsplit_once("`, "));
            return format!("{what}, expected {}", expected.map_or("another", |(_, expected)| expected));
        }
    }
    let parts: Vec<&str> = message.split('`').skip(1).step_by(2).filter(|part| part.chars().count() > 1).collect();
    let quoted = |text: &str| {
        !text.is_empty() && (message.contains(text) || text.contains('`') || parts.iter().any(|part| text.contains(part)))
    };
    let mut values = Vec::new();
    if let Some(Step::Key(key)) = last
        && !is_name(key)
    {
        values.push(key.clone());
    }
    scalars(node, &quoted, &mut values);
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    let whole = values.iter().fold(message.to_owned(), |message, value| without(&message, value));
    without_parts(&without_number(&whole), &values)
}

/// The texts and numbers in a value, and the keys that are not names of fields, as far as they are `quoted`.
fn scalars(node: &Value, quoted: &dyn Fn(&str) -> bool, found: &mut Vec<String>) {
    let mut add = |text: String| found.extend(Some(text).filter(|text| quoted(text)));
    match node {
        Value::Null | Value::Bool(_) => {}
        Value::Number(number) => {
            add(number.to_string());
            add(number.as_f64().unwrap_or(0.0).to_string());
        }
        Value::String(text) => add(text.clone()),
        Value::Array(elements) => elements.iter().for_each(|element| scalars(element, quoted, found)),
        Value::Object(members) => {
            members.keys().filter(|key| !is_name(key)).for_each(|key| add(key.clone()));
            members.values().for_each(|value| scalars(value, quoted, found));
        }
    }
}

/// The message with `value`, which is not empty, hidden wherever it stands as a whole word.
fn without(message: &str, value: &str) -> String {
    let (mut rest, mut result) = (message, String::new());
    while let Some((before, after)) = rest.split_once(value) {
        let inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let word = inside(before.chars().next_back().or_else(|| result.chars().next_back())) || inside(after.chars().next());
        result.push_str(before);
        result.push_str(if word { value } else { HIDDEN });
        rest = after;
    }
    result + rest
}

/// The message of a bound, without the number that passed it: it may have been computed from the values.
fn without_number(message: &str) -> String {
    match message.split_once(" is ").and_then(|(what, rest)| Some((what, rest.split_once(", but must be ")?.1))) {
        Some((what, valid)) => format!("{what} is {HIDDEN}, but must be {valid}"),
        None => message.to_owned(),
    }
}

/// The message with everything between backticks hidden that is a part of one of the values; a constructor may have cut a value.
fn without_parts(message: &str, values: &[String]) -> String {
    if values.iter().any(|value| value.contains('`')) {
        return match (message.split_once('`'), message.rsplit_once('`')) {
            (Some((head, _)), Some((_, tail))) => format!("{head}`{HIDDEN}`{tail}"),
            _ => message.to_owned(),
        };
    }
    let part = |text: &str| text.chars().count() > 1 && values.iter().any(|value| value.contains(text));
    let shown = |(i, text)| if i % 2 == 1 && part(text) { HIDDEN } else { text };
    message.split('`').enumerate().map(shown).collect::<Vec<_>>().join("`")
}
