//! Elements and attributes of SBML, with the place of what is wrong.

use crate::{IoError, Place};
use roxmltree::Node;

/// An element and where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Element<'a> {
    pub(super) node: Node<'a, 'a>,
    pub(super) file: &'a Place,
}

impl<'a> Element<'a> {
    pub(super) fn name(self) -> &'a str {
        self.node.tag_name().name()
    }

    /// The place of the element, with an attribute or a child named `field`.
    pub(super) fn place(self, field: &str) -> Place {
        let at = self.node.document().text_pos_at(self.node.range().start);
        self.file.clone().line(at.row as usize).field(&format!("{}.{field}", self.name()))
    }

    pub(super) fn children(self) -> impl Iterator<Item = Element<'a>> {
        let file = self.file;
        self.node.children().filter(Node::is_element).map(move |node| Self { node, file })
    }

    pub(super) fn child(self, name: &str) -> Option<Self> {
        self.children().find(|child| child.name() == name)
    }

    /// The elements of a list.
    pub(super) fn list(self, list: &str) -> Vec<Self> {
        self.children().filter(|child| child.name() == list).flat_map(Self::children).collect()
    }

    pub(super) fn text(self, attribute: &str) -> Option<&'a str> {
        self.node.attribute(attribute).map(str::trim)
    }

    /// A symbol that must be there.
    pub(super) fn symbol(self, attribute: &str) -> Result<&'a str, IoError> {
        let symbol = self.text(attribute).ok_or_else(|| self.place(attribute).syntax("must be given"))?;
        let is_symbol = symbol.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && symbol.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if is_symbol { Ok(symbol) } else { Err(self.place(attribute).syntax("must be letters, digits and `_`, a digit not first")) }
    }

    pub(super) fn number(self, attribute: &str) -> Result<Option<f64>, IoError> {
        let number = |text: &str| match text {
            "INF" => Some(f64::INFINITY),
            "-INF" => Some(f64::NEG_INFINITY),
            "NaN" => Some(f64::NAN),
            // The words that Rust takes for numbers are none here.
            other if other.contains(|c: char| c.is_ascii_alphabetic() && !matches!(c, 'e' | 'E')) => None,
            other => other.parse().ok(),
        };
        self.text(attribute).map(|text| number(text).ok_or_else(|| self.place(attribute).syntax("must be a number"))).transpose()
    }

    /// A number that is finite; one that is not counts as not given, as the format has it for NaN.
    pub(super) fn value(self, attribute: &str) -> Result<Option<f64>, IoError> {
        Ok(self.number(attribute)?.filter(|value| !value.is_nan()))
    }

    pub(super) fn flag(self, attribute: &str, default: bool) -> Result<bool, IoError> {
        match self.text(attribute) {
            None => Ok(default),
            Some("true" | "1") => Ok(true),
            Some("false" | "0") => Ok(false),
            Some(_) => Err(self.place(attribute).syntax("must be true or false")),
        }
    }
}
