//! Grades: how far a tumor departs from its tissue, in the systems that state it.

use crate::CoreError;
use serde::{Deserialize, Serialize};

/// Histologic differentiation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Differentiation {
    /// Well differentiated.
    G1,
    /// Moderately differentiated.
    G2,
    /// Poorly differentiated.
    G3,
    /// Undifferentiated.
    G4,
    /// Not assessable.
    GX,
}

/// A small whole number that names a grade.
macro_rules! numbered {
    ($(#[$meta:meta])* $name:ident, $what:literal, $highest:literal, $valid:literal) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "u8", into = "u8")]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "u8"))]
        pub struct $name(u8);

        impl $name {
            #[doc = concat!("Checks ", $what, ": ", $valid, ".")]
            ///
            /// # Errors
            /// [`CoreError::Count`] for another number.
            pub fn new(number: u8) -> Result<Self, CoreError> {
                if !(1..=$highest).contains(&number) {
                    return Err(CoreError::Count { what: $what, count: usize::from(number), valid: $valid });
                }
                Ok(Self(number))
            }

            /// The number.
            #[must_use]
            pub const fn number(self) -> u8 {
                self.0
            }
        }

        impl TryFrom<u8> for $name {
            type Error = CoreError;
            fn try_from(number: u8) -> Result<Self, CoreError> {
                Self::new(number)
            }
        }

        impl From<$name> for u8 {
            fn from(grade: $name) -> Self {
                grade.0
            }
        }
    };
}

numbered! {
    /// A grade group of the International Society of Urological Pathology, 1 to 5.
    GradeGroup, "an ISUP grade group", 5, "1 to 5"
}

numbered! {
    /// A grade of the World Health Organization for tumors of the central nervous system, 1 to 4.
    WhoGrade, "a WHO grade of the central nervous system", 4, "1 to 4"
}

/// A Gleason score: the primary and the secondary pattern, 1 to 5 each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "UncheckedGleason")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GleasonScore {
    primary: u8,
    secondary: u8,
}

/// The wire form of [`GleasonScore`], before it is checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct UncheckedGleason {
    primary: u8,
    secondary: u8,
}

impl TryFrom<UncheckedGleason> for GleasonScore {
    type Error = CoreError;
    fn try_from(unchecked: UncheckedGleason) -> Result<Self, CoreError> {
        Self::new(unchecked.primary, unchecked.secondary)
    }
}

impl GleasonScore {
    /// The score `primary` + `secondary`.
    ///
    /// # Errors
    /// [`CoreError::Count`] for a pattern outside 1 to 5.
    pub fn new(primary: u8, secondary: u8) -> Result<Self, CoreError> {
        for pattern in [primary, secondary] {
            if !(1..=5).contains(&pattern) {
                return Err(CoreError::Count { what: "a Gleason pattern", count: usize::from(pattern), valid: "1 to 5" });
            }
        }
        Ok(Self { primary, secondary })
    }

    /// The most common pattern.
    #[must_use]
    pub const fn primary(self) -> u8 {
        self.primary
    }

    /// The second pattern.
    #[must_use]
    pub const fn secondary(self) -> u8 {
        self.secondary
    }

    /// The sum of both patterns, 2 to 10.
    #[must_use]
    pub const fn sum(self) -> u8 {
        self.primary + self.secondary
    }

    /// The ISUP grade group: 1 up to a sum of 6, 2 for 3 + 4, 3 for 4 + 3, 4 for a sum of 8, 5 for 9 and 10.
    ///
    /// Epstein et al. 2016, doi:10.1097/PAS.0000000000000530. A sum of 7 with a pattern 5 (2 + 5, 5 + 2) has no place there; it is
    /// read by its primary pattern, like 3 + 4 and 4 + 3.
    #[must_use]
    pub const fn grade_group(self) -> GradeGroup {
        GradeGroup(match self.sum() {
            ..=6 => 1,
            7 if self.primary <= 3 => 2,
            7 => 3,
            8 => 4,
            _ => 5,
        })
    }
}

/// A grade, in the system that states it. Systems are not converted into each other, but for [`GleasonScore::grade_group`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum Grade {
    /// Histologic differentiation, G1 to G4 or GX.
    Differentiation(Differentiation),
    /// A Gleason score of the prostate.
    Gleason(GleasonScore),
    /// An ISUP grade group of the prostate or the kidney.
    GradeGroup(GradeGroup),
    /// A WHO grade of the central nervous system.
    Who(WhoGrade),
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn epstein2016_grade_groups() {
        for (primary, secondary, group) in [(3, 3, 1), (3, 4, 2), (4, 3, 3), (4, 4, 4), (3, 5, 4), (5, 3, 4), (4, 5, 5), (5, 5, 5)]
        {
            let score = GleasonScore::new(primary, secondary).unwrap();
            assert_eq!(score.grade_group(), GradeGroup::new(group).unwrap(), "{primary} + {secondary}");
            assert_eq!(score.sum(), primary + secondary);
        }
    }

    #[test]
    fn refuses_numbers_outside_the_scale() {
        assert!(GleasonScore::new(0, 3).is_err() && GleasonScore::new(3, 6).is_err());
        assert!(GradeGroup::new(0).is_err() && GradeGroup::new(6).is_err());
        assert!(WhoGrade::new(0).is_err() && WhoGrade::new(5).is_err());
        assert!(serde_json::from_str::<Grade>(r#"{"gleason":{"primary":3,"secondary":9}}"#).is_err());
        assert!(serde_json::from_str::<Grade>(r#"{"differentiation":"G5"}"#).is_err());
    }

    #[test]
    fn survives_a_round_trip() {
        for (grade, text) in [
            (Grade::Differentiation(Differentiation::GX), r#"{"differentiation":"GX"}"#),
            (Grade::Gleason(GleasonScore::new(3, 4).unwrap()), r#"{"gleason":{"primary":3,"secondary":4}}"#),
            (Grade::GradeGroup(GradeGroup::new(2).unwrap()), r#"{"grade_group":2}"#),
            (Grade::Who(WhoGrade::new(4).unwrap()), r#"{"who":4}"#),
        ] {
            assert_eq!(serde_json::to_string(&grade).unwrap(), text);
            assert_eq!(serde_json::from_str::<Grade>(text).unwrap(), grade);
        }
    }
}
