//! Where a value comes from.

use serde::{Deserialize, Serialize};

/// How a value came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum Origin {
    /// Measured on the patient or on a specimen.
    Measured,
    /// Recorded by a person: an administration, a diagnosis, a history.
    Reported,
    /// Computed from other values.
    Derived,
    /// Assumed, in want of anything better.
    Assumed,
    /// Made by a generator; no patient stands behind it.
    Simulated,
}

/// The provenance of one value: how it came to be, from which source, and where in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Provenance {
    /// How the value came to be.
    pub origin: Origin,
    /// The source: a file, a laboratory system, a publication, a generator with its seed.
    pub source: String,
    /// The place inside the source, for example `row 12, psa_ng_per_ml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

impl Provenance {
    /// A provenance of the given origin and source.
    #[must_use]
    pub fn new(origin: Origin, source: impl Into<String>) -> Self {
        Self { origin, source: source.into(), place: None }
    }

    /// Measured, according to `source`.
    #[must_use]
    pub fn measured(source: impl Into<String>) -> Self {
        Self::new(Origin::Measured, source)
    }

    /// Reported by a person, according to `source`.
    #[must_use]
    pub fn reported(source: impl Into<String>) -> Self {
        Self::new(Origin::Reported, source)
    }

    /// Made by the generator named in `source`.
    #[must_use]
    pub fn simulated(source: impl Into<String>) -> Self {
        Self::new(Origin::Simulated, source)
    }

    /// The same provenance, at a place inside the source.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }
}

/// A value with its provenance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Recorded<T> {
    /// The value.
    pub value: T,
    /// Where it comes from.
    pub provenance: Provenance,
}

impl<T> Recorded<T> {
    /// `value`, from `provenance`.
    #[must_use]
    pub fn new(value: T, provenance: Provenance) -> Self {
        Self { value, provenance }
    }
}
