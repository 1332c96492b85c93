//! Values out of the elements of a data set.

use super::parse::{Dataset, Tag, Value, shown};
use crate::{IoError, Place};

impl<'a> Dataset<'a> {
    pub(super) fn bytes(&self, tag: Tag) -> Option<&'a [u8]> {
        match self.elements.get(&tag)? {
            (_, Value::Bytes(bytes)) => Some(bytes),
            _ => None,
        }
    }

    /// A text without the spaces and zeros that pad it, if it is ASCII or UTF-8 and not empty. The representation is not asked for:
    /// what is stored as UN holds the same letters.
    pub(super) fn text(&self, tag: Tag) -> Option<&'a str> {
        let text = std::str::from_utf8(self.bytes(tag)?).ok()?;
        let text = text.trim_matches([' ', '\0']);
        (!text.is_empty()).then_some(text)
    }

    /// The place of an element, for an error.
    pub(super) fn place(&self, tag: Tag, place: &Place) -> Place {
        let place = place.clone().field(&shown(tag));
        match self.elements.get(&tag) {
            Some((at, _)) => place.byte(*at),
            None => place,
        }
    }

    pub(super) fn needed_text(&self, tag: Tag, place: &Place) -> Result<&'a str, IoError> {
        self.text(tag).ok_or_else(|| self.place(tag, place).invalid("is missing or empty"))
    }

    /// The numbers of a decimal or integer string; none if the element is absent or empty.
    pub(super) fn numbers(&self, tag: Tag, place: &Place) -> Result<Vec<f64>, IoError> {
        let Some(text) = self.text(tag) else {
            return match self.bytes(tag) {
                Some(bytes) if bytes.iter().any(|byte| !matches!(byte, b' ' | 0)) => {
                    Err(self.place(tag, place).invalid("is not a text of numbers"))
                }
                _ => Ok(Vec::new()),
            };
        };
        let number = |part: &str| {
            let number: Option<f64> = part.trim().parse().ok();
            number
                .filter(|number| number.is_finite())
                .ok_or_else(|| self.place(tag, place).invalid("must be finite decimal numbers"))
        };
        text.split('\\').map(number).collect()
    }

    /// The one number of a decimal or integer string, if there is one.
    pub(super) fn number(&self, tag: Tag, place: &Place) -> Result<Option<f64>, IoError> {
        match self.numbers(tag, place)?[..] {
            [] => Ok(None),
            [number] => Ok(Some(number)),
            _ => Err(self.place(tag, place).invalid("must be one number")),
        }
    }

    /// `N` numbers of a decimal string.
    pub(super) fn array<const N: usize>(&self, tag: Tag, place: &Place) -> Result<[f64; N], IoError> {
        let numbers = self.numbers(tag, place)?;
        numbers.try_into().map_err(|_| self.place(tag, place).invalid(format!("must be {N} numbers")))
    }

    /// A whole number of an integer string that is not negative.
    pub(super) fn count(&self, tag: Tag, place: &Place) -> Result<Option<usize>, IoError> {
        let Some(number) = self.number(tag, place)? else { return Ok(None) };
        let whole = number.fract() == 0.0 && (0.0..1e9).contains(&number);
        if whole { Ok(Some(number as usize)) } else { Err(self.place(tag, place).invalid("must be a whole number, 0 or more")) }
    }

    pub(super) fn needed_count(&self, tag: Tag, place: &Place) -> Result<usize, IoError> {
        self.count(tag, place)?.ok_or_else(|| self.place(tag, place).invalid("is missing or empty"))
    }

    /// A binary number of 16 bits, if it is there.
    pub(super) fn short(&self, tag: Tag, place: &Place) -> Result<Option<usize>, IoError> {
        let Some(bytes) = self.bytes(tag) else { return Ok(None) };
        let bytes: [u8; 2] = bytes.try_into().map_err(|_| self.place(tag, place).invalid("must be one number of 16 bits"))?;
        Ok(Some(if self.big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }.into()))
    }

    pub(super) fn needed_short(&self, tag: Tag, place: &Place) -> Result<usize, IoError> {
        self.short(tag, place)?.ok_or_else(|| self.place(tag, place).invalid("is missing"))
    }

    /// The items of a sequence; none if it is absent or empty.
    pub(super) fn items(&self, tag: Tag) -> &[Dataset<'a>] {
        match self.elements.get(&tag) {
            Some((_, Value::Items(items))) => items,
            _ => &[],
        }
    }

    /// The one item of a sequence that has one.
    pub(super) fn item(&self, tag: Tag) -> Option<&Dataset<'a>> {
        self.items(tag).first()
    }
}
