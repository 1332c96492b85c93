//! Stage: the categories T, N and M, and the stage group.

use super::code::text;
use crate::treatment::name;
use serde::{Deserialize, Serialize};

/// What may stand in parentheses after a category.
const QUALIFIERS: [&str; 13] = ["m", "s", "sn", "f", "i+", "i-", "mol+", "mol-", "u", "DCIS", "LCIS", "Paget", "LAMN"];

/// Takes the text of `options` that `text` starts with off it; `text` itself if it starts with none.
fn after<'a>(text: &'a str, options: &[&str]) -> &'a str {
    options.iter().find_map(|option| text.strip_prefix(option)).unwrap_or(text)
}

/// Whether `text` is a run of qualifiers in parentheses, possibly of none.
fn qualified(mut text: &str) -> bool {
    while !text.is_empty() {
        let Some((inner, rest)) = text.strip_prefix('(').and_then(|text| text.split_once(')')) else { return false };
        let number = !inner.is_empty() && inner.len() <= 2 && inner.bytes().all(|byte| byte.is_ascii_digit());
        if !number && !QUALIFIERS.contains(&inner) {
            return false;
        }
        text = rest;
    }
    true
}

/// Whether `text` is prefixes, `letter`, and one of `plain` or a digit of `1..=highest` with its subdivisions.
fn category(text: &str, letter: &str, plain: &[&str], highest: char) -> bool {
    let text = after(after(text, &["r", "a"]), &["y"]);
    let Some(text) = after(text, &["c", "p"]).strip_prefix(letter) else { return false };
    if plain.iter().any(|plain| text.strip_prefix(plain).is_some_and(qualified)) {
        return true;
    }
    let Some(text) = text.strip_prefix(|digit| ('1'..=highest).contains(&digit)) else { return false };
    let letters = after(text, &["mi", "a", "b", "c", "d", "e"]);
    let subdivided = letters.len() < text.len() && !text.starts_with("mi");
    let rest = if subdivided { after(letters, &["iii", "ii", "i", "1", "2", "3"]) } else { letters };
    qualified(rest)
}

text! {
    /// A T category with its prefixes: `cT3b`, `ypT1c`, `Tis(DCIS)`, `T2(m)`.
    ///
    /// Prefixes: `r` recurrence or `a` autopsy, `y` after treatment, `c` clinical or `p` pathologic.
    TCategory, "a T category", 24, "prefixes of r, a, y, c, p, then TX, T0, Ta, Tis or T1 to T4 with subdivision, as in `cT3b`",
    |text| category(text, "T", &["X", "0", "is", "a"], '4')
}

text! {
    /// An N category with its prefixes: `pN1`, `cN0`, `pN0(i+)`, `pN1mi`.
    NCategory, "an N category", 24, "prefixes of r, a, y, c, p, then NX, N0 or N1 to N3 with subdivision, as in `pN1mi`",
    |text| category(text, "N", &["X", "0"], '3')
}

text! {
    /// An M category with its prefixes: `cM0`, `pM1b`, `cM0(i+)`. `MX`, no longer in use, is read from old records.
    MCategory, "an M category", 24, "prefixes of r, a, y, c, p, then MX, M0 or M1 with subdivision, as in `cM1a`",
    |text| category(text, "M", &["X", "0"], '1')
}

fn stage_group(text: &str) -> bool {
    if ["occult", "0", "0a", "0is", "IS"].contains(&text) {
        return true;
    }
    let divided = after(text, &["IV", "III", "II", "I"]);
    if divided.len() == text.len() {
        return false;
    }
    let rest = after(divided, &["A", "B", "C", "D", "E"]);
    matches!(after(rest, &["1", "2", "3"]), "" | "(i)" | "(ii)") && (rest.len() < divided.len() || !rest.contains('('))
}

text! {
    /// A stage group: `0`, `IA2`, `IIIB`, `IVB`, `occult`.
    StageGroup, "a stage group", 8, "0, 0a, 0is, IS, occult, or I to IV with subdivision, as in `IIIB`", stage_group
}

name! {
    /// The edition of a staging system: `8`, `2018`, `version 9`.
    Edition, "an edition"
}

/// Who defines the stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum StagingSystem {
    /// American Joint Committee on Cancer.
    Ajcc,
    /// Union for International Cancer Control.
    Uicc,
    /// International Federation of Gynecology and Obstetrics.
    Figo,
    /// International Neuroblastoma Staging System.
    Inss,
}

/// A stage: the system and edition that define it, the categories, and the group.
///
/// The group is what the record states; it is never derived from the categories.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Stage {
    /// Who defines it.
    pub system: StagingSystem,
    /// The edition of the definition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edition: Option<Edition>,
    /// Extent of the primary tumor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub t: Option<TCategory>,
    /// Involvement of regional lymph nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<NCategory>,
    /// Distant metastasis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub m: Option<MCategory>,
    /// The stage group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<StageGroup>,
}

impl Stage {
    /// A stage by `system` of which nothing else is known.
    #[must_use]
    pub const fn new(system: StagingSystem) -> Self {
        Self { system, edition: None, t: None, n: None, m: None, group: None }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_categories_in_use() {
        let t = "TX T0 Ta Tis Tis(DCIS) T1 cT1c T1mi pT1a1 T1b3 T2a2 cT3b pT4d ypT2 rpT3 rycT1 aT4 T2(m) pT3(3) pT4e";
        for text in t.split(' ') {
            assert_eq!(TCategory::new(text).unwrap().as_str(), text);
        }
        for text in "NX N0 cN0 pN1 pN1mi pN0(i+) N0(mol+)(sn) pN2a N3c ypN1biii cN2b(f)".split(' ') {
            assert_eq!(NCategory::new(text).unwrap().as_str(), text);
        }
        for text in "MX M0 cM0 pM1 M1a cM1c2 M1d(1) cM0(i+)".split(' ') {
            assert_eq!(MCategory::new(text).unwrap().as_str(), text);
        }
        for text in "0 0a 0is IS occult I IA IA2 IB3 II IIC III IIIB IIIC2 IIIA1(i) IV IVB I3".split(' ') {
            assert_eq!(StageGroup::new(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn refuses_other_texts() {
        for bad in [
            "", "T", "T5", "t3", "3b", "CT3", "cpT3", "T3f", "T33", "T1mi2", "N1", "T2(", "T2()", "T2(x)", "T2 ", "T3b N0", "ycpT1",
        ] {
            assert!(TCategory::new(bad).is_err(), "{bad}");
        }
        assert!(NCategory::new("N4").is_err() && NCategory::new("Nis").is_err());
        assert!(MCategory::new("M2").is_err() && MCategory::new("M").is_err());
        for bad in ["", "V", "IIII", "3B", "iiib", "IIIb", "IVF", "Stage IV", "IA4", "IIIA(iii)", "IA11", "II(i)"] {
            assert!(StageGroup::new(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_whole_or_refused(text in "[rayc-pTNMX0-9(a-e)mi+]{0,9}") {
            for read in [
                TCategory::new(&text).map(String::from),
                NCategory::new(&text).map(String::from),
                MCategory::new(&text).map(String::from),
                StageGroup::new(&text).map(String::from),
            ].into_iter().flatten() {
                prop_assert_eq!(&read, &text);
            }
        }
    }
}
