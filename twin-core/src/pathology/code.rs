//! Codes of the International Classification of Diseases for Oncology, third edition (ICD-O-3).

/// A text newtype with a check of its form; at most `$longest` bytes of a refused text are quoted.
macro_rules! text {
    ($(#[$meta:meta])* $name:ident, $what:literal, $longest:literal, $valid:literal, $fits:expr) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "String"))]
        pub struct $name(String);

        impl $name {
            #[doc = concat!("Checks ", $what, ": ", $valid, ".")]
            ///
            /// # Errors
            /// [`CoreError::Text`](crate::CoreError::Text) for a text of another form.
            pub fn new(text: &str) -> Result<Self, crate::CoreError> {
                let fits: fn(&str) -> bool = $fits;
                if text.len() > $longest || !fits(text) {
                    return Err(crate::CoreError::Text { what: $what, text: text.chars().take($longest).collect(), valid: $valid });
                }
                Ok(Self(text.to_owned()))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = crate::CoreError;
            fn try_from(text: String) -> Result<Self, crate::CoreError> {
                Self::new(&text)
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::CoreError;
            fn from_str(text: &str) -> Result<Self, crate::CoreError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }
    };
}
pub(crate) use text;

/// How a tumor behaves: the digit after the slash of a morphology code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Behavior {
    /// Benign (`/0`).
    Benign,
    /// Uncertain whether benign or malignant (`/1`).
    Uncertain,
    /// Carcinoma in situ (`/2`).
    InSitu,
    /// Malignant, primary site (`/3`).
    Malignant,
    /// Malignant, metastatic site (`/6`).
    Metastatic,
    /// Malignant, uncertain whether primary or metastatic site (`/9`).
    UncertainOrigin,
}

impl Behavior {
    fn of(digit: char) -> Option<Self> {
        match digit {
            '0' => Some(Self::Benign),
            '1' => Some(Self::Uncertain),
            '2' => Some(Self::InSitu),
            '3' => Some(Self::Malignant),
            '6' => Some(Self::Metastatic),
            '9' => Some(Self::UncertainOrigin),
            _ => None,
        }
    }
}

fn morphology(text: &str) -> Option<Behavior> {
    let (histology, behavior) = text.split_once('/')?;
    let in_range = histology.len() == 4 && histology.starts_with(['8', '9']) && histology.bytes().all(|b| b.is_ascii_digit());
    let mut digits = behavior.chars();
    match (in_range, digits.next(), digits.next()) {
        (true, Some(digit), None) => Behavior::of(digit),
        _ => None,
    }
}

text! {
    /// An ICD-O-3 morphology code: histology and behavior, such as `8140/3` for an adenocarcinoma.
    ///
    /// ```
    /// use twin_core::{Behavior, MorphologyCode};
    /// assert_eq!(MorphologyCode::new("8140/3")?.behavior(), Behavior::Malignant);
    /// assert!(MorphologyCode::new("8140").is_err());
    /// # Ok::<(), twin_core::CoreError>(())
    /// ```
    MorphologyCode, "an ICD-O-3 morphology code", 6, "four digits from 8000 up, a slash and one of 0, 1, 2, 3, 6, 9, as in `8140/3`",
    |text| morphology(text).is_some()
}

impl MorphologyCode {
    /// The four digits before the slash.
    #[must_use]
    pub fn histology(&self) -> &str {
        self.0.split('/').next().unwrap_or_default()
    }

    /// How the tumor behaves.
    #[must_use]
    pub fn behavior(&self) -> Behavior {
        morphology(&self.0).unwrap_or(Behavior::UncertainOrigin) // a code is checked when it is made
    }
}

fn topography(text: &str) -> bool {
    let digit = |byte: &u8| byte.is_ascii_digit();
    match text.as_bytes() {
        [b'C', b'0'..=b'7', ones, b'.', sub] => digit(ones) && digit(sub),
        [b'C', b'8', b'0', b'.', sub] => digit(sub),
        _ => false,
    }
}

text! {
    /// An ICD-O-3 topography code: the primary site, such as `C61.9` for the prostate.
    TopographyCode, "an ICD-O-3 topography code", 5, "from `C00.0` to `C80.9`, with the decimal, as in `C61.9`", topography
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_morphology() {
        for (text, behavior) in [
            ("8140/3", Behavior::Malignant),
            ("8000/0", Behavior::Benign),
            ("8500/2", Behavior::InSitu),
            ("9440/3", Behavior::Malignant),
            ("8442/1", Behavior::Uncertain),
            ("8140/6", Behavior::Metastatic),
            ("8010/9", Behavior::UncertainOrigin),
        ] {
            let code = MorphologyCode::new(text).unwrap();
            assert_eq!((code.behavior(), code.histology()), (behavior, &text[..4]), "{text}");
        }
    }

    #[test]
    fn refuses_other_codes() {
        for bad in ["", "8140", "8140/4", "8140/33", "81403", "814/3", "7140/3", "M8140/3", "8140/", "/3", "८140/3", " 8140/3"] {
            assert!(MorphologyCode::new(bad).is_err(), "{bad}");
        }
        for bad in ["", "C61", "C619", "C81.0", "C90.0", "c61.9", "D61.9", "C6A.9", "C61.99", "C61,9", "C61.x"] {
            assert!(TopographyCode::new(bad).is_err(), "{bad}");
        }
        for good in ["C00.0", "C09.9", "C61.9", "C71.9", "C80.9"] {
            assert_eq!(TopographyCode::new(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn quotes_no_more_of_a_refused_text_than_a_code_has() {
        let error = TopographyCode::new("C61.9 Jane Doe").unwrap_err();
        assert!(!error.to_string().contains("Jane"), "{error}");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,8}") {
            prop_assert_eq!(MorphologyCode::new(&text).is_ok(), text.len() == 6 && morphology(&text).is_some());
            prop_assert!(TopographyCode::new(&text).is_err() || text.starts_with('C'));
        }
    }
}
