//! A DICOM file without the person: what is known to be harmless is written anew, and nothing else.

use super::parse::{Coding, Dataset, Loaded, Syntax, Tag, Value, shown};
use super::profile::{self, Action};
use super::tag;
use crate::governance::Key;
use crate::{IoError, Limits};
use std::collections::BTreeMap;

/// Writes a file anew for a subject whose identifier is `identifier` (a record number, say), with what could identify the person left
/// out.
///
/// More than the Basic Application Level Confidentiality Profile (PS3.15, annex E) asks: that profile names what must go, this names
/// what may stay. There stay pixels with what is needed to place and to scale them; contours, doses and plans; codes of public
/// vocabularies; words that the standard defines; numbers. Names of structures stay if they stand in `keep`, else they are `ROI 1` and so
/// on. Unique identifiers become others, made with the key: the same for the same one, so that files go on referring to each other. The
/// patient's name and number become the pseudonym of `identifier`; dates and times, private elements, overlays, curves and free text
/// go. The file says so of itself in (0012,0062) to (0012,0064). The transfer syntax stays, but that what was deflated is inflated.
///
/// Pixels stay as they are: faces can be seen on surfaces of the head, and what is burned in can be read. Body weight and times of
/// injection go too, so standardized uptake values cannot be computed any more.
///
/// # Errors
/// As [`read_frames`](super::read_frames); [`IoError::Unsupported`] for a file that says that something is burned into its pixels;
/// [`IoError::Invalid`] for an empty identifier.
pub fn deidentify(
    bytes: &[u8],
    name: &str,
    identifier: &str,
    keep: &[&str],
    key: &Key,
    limits: &Limits,
) -> Result<Vec<u8>, IoError> {
    let loaded = super::loaded(bytes, name, limits)?;
    let dataset = loaded.dataset(limits)?;
    if dataset.text(profile::BURNED_IN) == Some("YES") {
        let place = loaded.place.clone().field(&shown(profile::BURNED_IN));
        return Err(place.unsupported("a file with annotations in its pixels", "files without"));
    }
    let pseudonym = key.pseudonym(identifier)?;
    let mut writer = Writer { syntax: loaded.syntax, key, keep, structures: BTreeMap::new() };
    let mut elements = writer.elements(&dataset);
    for tag in profile::EMPTIED {
        elements.insert(tag, writer.element(tag, &[]));
    }
    for tag in [tag::PATIENT_NAME, tag::PATIENT_ID] {
        elements.insert(tag, writer.text(tag, pseudonym.as_str()));
    }
    elements.insert(0x0012_0062, writer.text(0x0012_0062, "YES"));
    elements.insert(0x0012_0063, writer.text(0x0012_0063, "what may stay is listed: more goes than by the basic profile"));
    let code =
        [(tag::CODE_VALUE, "113100"), (tag::CODE_SCHEME, "DCM"), (tag::CODE_MEANING, "Basic Application Confidentiality Profile")];
    let item = code.map(|(tag, text)| writer.text(tag, text)).concat();
    elements.insert(0x0012_0064, writer.sequence(0x0012_0064, &[item]));
    let mut out = writer.meta(&loaded, &dataset);
    elements.into_values().for_each(|element| out.extend(element));
    Ok(out)
}

struct Writer<'a> {
    syntax: Syntax,
    key: &'a Key,
    keep: &'a [&'a str],
    /// Names of structures that are not kept, and what they are called.
    structures: BTreeMap<String, String>,
}

impl Writer<'_> {
    fn short(&self, number: u16) -> [u8; 2] {
        if self.syntax.big { number.to_be_bytes() } else { number.to_le_bytes() }
    }

    fn long(&self, number: u32) -> [u8; 4] {
        if self.syntax.big { number.to_be_bytes() } else { number.to_le_bytes() }
    }

    /// The header of an element; `None` for one whose length is not stated.
    fn header(&self, tag: Tag, length: Option<usize>) -> Vec<u8> {
        let length = length.map_or(u32::MAX, |length| u32::try_from(length).unwrap_or(u32::MAX));
        let mut header = self.tag(tag);
        let letters = profile::representation(tag);
        if !self.syntax.explicit {
            header.extend(self.long(length));
        } else if matches!(&letters, b"OB" | b"OW" | b"SQ" | b"UN") {
            header.extend([letters[0], letters[1], 0, 0]);
            header.extend(self.long(length));
        } else {
            header.extend(letters);
            header.extend(self.short(u16::try_from(length).unwrap_or(u16::MAX)));
        }
        header
    }

    fn tag(&self, tag: Tag) -> Vec<u8> {
        [self.short((tag >> 16) as u16), self.short((tag & 0xFFFF) as u16)].concat()
    }

    fn element(&self, tag: Tag, value: &[u8]) -> Vec<u8> {
        let odd = value.len() % 2;
        let mut element = self.header(tag, Some(value.len() + odd));
        element.extend(value);
        element.extend(vec![if &profile::representation(tag) == b"UI" { 0 } else { b' ' }; odd]);
        element
    }

    fn text(&self, tag: Tag, text: &str) -> Vec<u8> {
        self.element(tag, text.as_bytes())
    }

    fn sequence(&self, tag: Tag, items: &[Vec<u8>]) -> Vec<u8> {
        let mut sequence = self.header(tag, None);
        for item in items {
            sequence.extend(self.tag(0xFFFE_E000));
            sequence.extend(self.long(u32::try_from(item.len()).unwrap_or(u32::MAX)));
            sequence.extend(item);
        }
        sequence.extend(self.tag(0xFFFE_E0DD));
        sequence.extend([0; 4]);
        sequence
    }

    /// What stays of a data set or an item.
    fn elements(&mut self, dataset: &Dataset<'_>) -> BTreeMap<Tag, Vec<u8>> {
        let mut elements = BTreeMap::new();
        for (&tag, (_, value)) in &dataset.elements {
            if let Some(element) = self.kept(tag, value) {
                elements.insert(tag, element);
            }
        }
        elements
    }

    fn kept(&mut self, tag: Tag, value: &Value<'_>) -> Option<Vec<u8>> {
        let action = profile::action(tag)?;
        match (action, value) {
            (Action::Items, Value::Items(items)) => {
                let coded =
                    |item: &&Dataset<'_>| item.text(tag::CODE_SCHEME).is_none_or(|scheme| profile::SCHEMES.contains(&scheme));
                let items: Vec<Vec<u8>> =
                    items.iter().filter(coded).map(|item| self.elements(item).into_values().flatten().collect()).collect();
                Some(self.sequence(tag, &items))
            }
            (Action::Pixels, Value::Fragments(fragments)) => {
                // The table of offsets is left empty, as the standard permits.
                let items: Vec<Vec<u8>> =
                    [Vec::new()].into_iter().chain(fragments.iter().map(|fragment| fragment.to_vec())).collect();
                Some(self.sequence(tag, &items))
            }
            (Action::Binary | Action::Pixels, Value::Bytes(bytes)) => Some(self.element(tag, bytes)),
            (action, Value::Bytes(bytes)) => {
                let text = std::str::from_utf8(bytes).ok()?.trim_matches(['\0', ' ']);
                self.kept_text(tag, action, text).map(|text| self.text(tag, &text))
            }
            _ => None,
        }
    }

    fn kept_text(&mut self, tag: Tag, action: Action, text: &str) -> Option<String> {
        let parts = || text.split('\\').map(str::trim);
        let is_number = |part: &str| part.is_empty() || part.len() <= 32 && part.parse::<f64>().is_ok_and(f64::is_finite);
        match action {
            Action::Numbers => parts().all(is_number).then(|| text.to_owned()),
            Action::Words => parts().all(|part| profile::WORDS.contains(&part)).then(|| text.to_owned()),
            Action::Class => text.starts_with("1.2.840.10008.").then(|| text.to_owned()).filter(|text| is_uid(text)),
            Action::Uid => Some(parts().map(|part| self.uid(part)).collect::<Vec<_>>().join("\\")),
            Action::Code => {
                let is_code =
                    text.len() <= 16 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
                (is_code && text.bytes().any(|byte| byte.is_ascii_digit())).then(|| text.to_owned())
            }
            Action::Scheme => profile::SCHEMES.contains(&text).then(|| text.to_owned()),
            Action::Named if self.keep.contains(&text) => Some(text.to_owned()),
            Action::Named => {
                let next = format!("{} {}", if tag == tag::ROI_NAME { "ROI" } else { "segment" }, self.structures.len() + 1);
                Some(self.structures.entry(text.to_owned()).or_insert(next).clone())
            }
            Action::Binary | Action::Pixels | Action::Items => None,
        }
    }

    /// Another unique identifier: under 2.25 (PS3.5, B.2), made with the key.
    fn uid(&self, uid: &str) -> String {
        if uid.is_empty() {
            return String::new();
        }
        let code = self.key.authenticate(&[b"uid\0", uid.as_bytes()].concat());
        let number = code.first_chunk().map_or(0, |chunk| u128::from_le_bytes(*chunk));
        format!("2.25.{number}")
    }

    /// The preamble and the file meta information, which is always explicit and little endian.
    fn meta(&self, loaded: &Loaded, dataset: &Dataset<'_>) -> Vec<u8> {
        let plain = Writer {
            syntax: Syntax { explicit: true, big: false, coding: Coding::Native },
            key: self.key,
            keep: &[],
            structures: BTreeMap::new(),
        };
        let class =
            dataset.text(tag::SOP_CLASS).filter(|class| class.starts_with("1.2.840.10008.") && is_uid(class)).unwrap_or_default();
        let instance = self.uid(dataset.text(tag::SOP_INSTANCE).unwrap_or_default());
        let mut group = [0, 1].to_vec();
        group = plain.element(0x0002_0001, &group);
        for (tag, text) in [(0x0002_0002, class), (0x0002_0003, &instance), (tag::TRANSFER_SYNTAX, loaded.syntax_uid())] {
            group.extend(plain.text(tag, text));
        }
        group.extend(plain.text(0x0002_0012, "2.25.293820401835628471223011912847734912771"));
        let mut meta = vec![0; 128];
        meta.extend(b"DICM");
        meta.extend(plain.element(0x0002_0000, &u32::try_from(group.len()).unwrap_or(u32::MAX).to_le_bytes()));
        meta.extend(group);
        meta
    }
}

fn is_uid(text: &str) -> bool {
    text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

#[cfg(test)]
mod tests;
