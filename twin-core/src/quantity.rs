//! Values with their unit, and the two plain measures that recur: absorbed dose and proportion.

use crate::{CoreError, Unit};
use serde::{Deserialize, Serialize};
use std::fmt;

fn finite(what: &'static str, value: f64) -> Result<f64, CoreError> {
    if value.is_finite() { Ok(value) } else { Err(CoreError::NotFinite { what, value }) }
}

/// A finite value in a [`Unit`].
///
/// Two quantities are equal when both value and code are: 1 g is not equal to 1000 mg, though it converts to it.
///
/// ```
/// use twin_core::Quantity;
/// let dose = Quantity::new(2.5, "g")?;
/// assert_eq!(dose.value_in("mg")?, 2500.0);
/// assert_eq!(dose.to(&"kg".parse()?)?, Quantity::new(0.0025, "kg")?);
/// assert!(dose.value_in("mL").is_err());
/// # Ok::<(), twin_core::CoreError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(!try_from, deny_unknown_fields))]
pub struct Quantity {
    /// How many of the unit.
    value: f64,
    /// The unit, by its UCUM code.
    unit: Unit,
}

/// A quantity as it is written, before its value is checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    value: f64,
    unit: Unit,
}

impl Quantity {
    /// `value` of `unit`, which is a [`Unit`] or a UCUM code.
    ///
    /// # Errors
    /// [`CoreError::NotFinite`] for NaN and infinity, [`CoreError::Unit`] for a code that is not UCUM.
    pub fn new<U>(value: f64, unit: U) -> Result<Self, CoreError>
    where
        U: TryInto<Unit>,
        CoreError: From<U::Error>,
    {
        let unit = unit.try_into().map_err(CoreError::from)?;
        Ok(Self { value: finite("quantity", value)?, unit })
    }

    /// How many of the unit.
    #[must_use]
    pub const fn value(&self) -> f64 {
        self.value
    }

    /// The unit.
    #[must_use]
    pub const fn unit(&self) -> &Unit {
        &self.unit
    }

    /// The same quantity in another unit.
    ///
    /// # Errors
    /// As [`Unit::convert`].
    pub fn to(&self, unit: &Unit) -> Result<Self, CoreError> {
        Ok(Self { value: self.unit.convert(self.value, unit)?, unit: unit.clone() })
    }

    /// The value in the unit of a UCUM code.
    ///
    /// # Errors
    /// [`CoreError::Unit`] for a code that is not UCUM; otherwise as [`Unit::convert`].
    pub fn value_in(&self, code: &str) -> Result<f64, CoreError> {
        self.unit.convert(self.value, &Unit::parse(code)?)
    }
}

impl TryFrom<Written> for Quantity {
    type Error = CoreError;
    fn try_from(written: Written) -> Result<Self, CoreError> {
        Self::new(written.value, written.unit)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.value.abs();
        if size > 0.0 && !(1e-4..1e16).contains(&size) {
            write!(f, "{:e} {}", self.value, self.unit)
        } else {
            write!(f, "{} {}", self.value, self.unit)
        }
    }
}

/// Energy absorbed from ionizing radiation per mass, in gray. Finite and at least zero.
///
/// ```
/// use twin_core::AbsorbedDose;
/// assert_eq!(AbsorbedDose::from_centigray(180.0)?.gray(), 1.8);
/// assert!(AbsorbedDose::from_gray(-1.0).is_err());
/// # Ok::<(), twin_core::CoreError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "f64", extend("minimum" = 0)))]
pub struct AbsorbedDose(f64);

impl AbsorbedDose {
    /// No dose.
    pub const ZERO: Self = Self(0.0);

    /// A dose of `gray`.
    ///
    /// # Errors
    /// [`CoreError::NotFinite`] for NaN and infinity, [`CoreError::OutOfRange`] below zero.
    pub fn from_gray(gray: f64) -> Result<Self, CoreError> {
        let what = "absorbed dose in Gy";
        if finite(what, gray)? < 0.0 {
            return Err(CoreError::OutOfRange { what, value: gray, valid: "at least 0 Gy" });
        }
        Ok(Self(gray + 0.0)) // turns -0.0 into 0.0
    }

    /// A dose of `centigray`, a hundredth of a gray each.
    ///
    /// # Errors
    /// As [`AbsorbedDose::from_gray`].
    pub fn from_centigray(centigray: f64) -> Result<Self, CoreError> {
        Self::from_gray(centigray / 100.0)
    }

    /// The dose in gray.
    #[must_use]
    pub const fn gray(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for AbsorbedDose {
    type Error = CoreError;
    fn try_from(gray: f64) -> Result<Self, CoreError> {
        Self::from_gray(gray)
    }
}

impl From<AbsorbedDose> for f64 {
    fn from(dose: AbsorbedDose) -> Self {
        dose.0
    }
}

impl fmt::Display for AbsorbedDose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} Gy", self.0)
    }
}

/// A part of a whole, from 0 to 1.
///
/// ```
/// use twin_core::Proportion;
/// assert_eq!(Proportion::from_percent(35.0)?.value(), 0.35);
/// assert!(Proportion::new(1.01).is_err());
/// # Ok::<(), twin_core::CoreError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "f64", extend("minimum" = 0, "maximum" = 1)))]
pub struct Proportion(f64);

impl Proportion {
    /// Nothing of the whole.
    pub const ZERO: Self = Self(0.0);
    /// The whole.
    pub const ONE: Self = Self(1.0);

    /// The part `value` of a whole of 1.
    ///
    /// # Errors
    /// [`CoreError::NotFinite`] for NaN and infinity, [`CoreError::OutOfRange`] outside 0 to 1.
    pub fn new(value: f64) -> Result<Self, CoreError> {
        if !(0.0..=1.0).contains(&finite("proportion", value)?) {
            return Err(CoreError::OutOfRange { what: "proportion", value, valid: "from 0 to 1" });
        }
        Ok(Self(value + 0.0)) // turns -0.0 into 0.0
    }

    /// The part `percent` of a whole of 100.
    ///
    /// # Errors
    /// [`CoreError::NotFinite`] for NaN and infinity, [`CoreError::OutOfRange`] outside 0 to 100.
    pub fn from_percent(percent: f64) -> Result<Self, CoreError> {
        let what = "proportion in percent";
        if !(0.0..=100.0).contains(&finite(what, percent)?) {
            return Err(CoreError::OutOfRange { what, value: percent, valid: "from 0 to 100" });
        }
        Self::new(percent / 100.0)
    }

    /// The part of a whole of 1.
    #[must_use]
    pub const fn value(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Proportion {
    type Error = CoreError;
    fn try_from(value: f64) -> Result<Self, CoreError> {
        Self::new(value)
    }
}

impl From<Proportion> for f64 {
    fn from(proportion: Proportion) -> Self {
        proportion.0
    }
}

impl fmt::Display for Proportion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::float_cmp, clippy::indexing_slicing)]
mod tests {
    use super::*;

    const NOT_FINITE: [f64; 3] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];

    #[test]
    fn a_quantity_is_finite_and_has_a_known_unit() {
        for bad in NOT_FINITE {
            assert!(matches!(Quantity::new(bad, "g"), Err(CoreError::NotFinite { .. })));
        }
        assert!(matches!(Quantity::new(1.0, "gramme"), Err(CoreError::Unit { position: 0, .. })));
        let unit = Unit::parse("g").unwrap();
        assert_eq!(Quantity::new(1.0, &unit).unwrap(), Quantity::new(1.0, unit).unwrap());
        assert_ne!(Quantity::new(1.0, "g").unwrap(), Quantity::new(1000.0, "mg").unwrap());
        assert!(matches!(Quantity::new(1e308, "kg").unwrap().value_in("ng"), Err(CoreError::NotFinite { .. })));
    }

    #[test]
    fn a_quantity_in_json_is_checked() {
        let dose = Quantity::new(75.0, "mg/m2").unwrap();
        let text = serde_json::to_string(&dose).unwrap();
        assert_eq!(text, r#"{"value":75.0,"unit":"mg/m2"}"#);
        assert_eq!(serde_json::from_str::<Quantity>(&text).unwrap(), dose);
        for bad in [
            r#"{"value":75.0,"unit":"mg/m^2"}"#,
            r#"{"value":null,"unit":"g"}"#,
            r#"{"value":1}"#,
            r#"{"unit":"g"}"#,
            r#"{"value":1,"unit":"g","x":1}"#,
        ] {
            assert!(serde_json::from_str::<Quantity>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_quantity_is_shown_as_value_and_code() {
        let shown = |value| Quantity::new(value, "Gy").unwrap().to_string();
        assert_eq!((shown(1.8), shown(0.0), shown(1e300)), ("1.8 Gy".into(), "0 Gy".into(), "1e300 Gy".into()));
    }

    #[test]
    fn a_dose_is_finite_and_not_negative() {
        for bad in NOT_FINITE.into_iter().chain([-1e-9]) {
            assert!(AbsorbedDose::from_gray(bad).is_err() && AbsorbedDose::from_centigray(bad).is_err());
        }
        assert_eq!(AbsorbedDose::from_centigray(1.0).unwrap().gray(), 0.01);
        assert_eq!(AbsorbedDose::from_gray(-0.0).unwrap().gray().to_bits(), 0);
        assert_eq!(serde_json::to_string(&AbsorbedDose::from_gray(2.0).unwrap()).unwrap(), "2.0");
        assert!(serde_json::from_str::<AbsorbedDose>("-2").is_err());
        assert_eq!(AbsorbedDose::ZERO.to_string(), "0 Gy");
    }

    #[test]
    fn a_proportion_lies_between_none_and_all() {
        for bad in NOT_FINITE.into_iter().chain([-1e-9, 1.000_000_1]) {
            assert!(Proportion::new(bad).is_err() && Proportion::from_percent(bad * 100.0).is_err(), "{bad}");
        }
        assert_eq!(Proportion::from_percent(100.0).unwrap(), Proportion::ONE);
        assert_eq!(Proportion::new(-0.0).unwrap().value().to_bits(), 0);
        assert!(Proportion::ZERO < Proportion::ONE);
        assert_eq!(serde_json::from_str::<Proportion>("0.25").unwrap().to_string(), "0.25");
        assert!(serde_json::from_str::<Proportion>("2").is_err());
    }

    #[cfg(feature = "schema")]
    #[test]
    fn schemas_are_of_what_is_written() {
        let of = |schema: schemars::Schema| serde_json::to_value(schema).unwrap();
        let quantity = of(schemars::schema_for!(Quantity));
        assert_eq!(quantity["type"], "object");
        assert_eq!(quantity["properties"]["value"]["type"], "number");
        assert_eq!(quantity["required"], serde_json::json!(["value", "unit"]));
        assert_eq!(quantity["additionalProperties"], false);
        assert_eq!(of(schemars::schema_for!(Unit))["type"], "string");
        assert_eq!(of(schemars::schema_for!(AbsorbedDose))["minimum"], 0);
        assert_eq!(of(schemars::schema_for!(Proportion))["maximum"], 1);
    }
}
