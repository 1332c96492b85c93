//! Units of measure by their UCUM code, and exact conversion between them.

mod atom;
mod exact;
mod measure;
mod parse;
mod table;

use crate::CoreError;
use measure::{Factor, Measure};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

/// A unit of measure: a case-sensitive code of the Unified Code for Units of Measure (UCUM 2.2), such as `mg/dL`, `10*9/L`,
/// `mm[Hg]`, `Gy` or `m[IU]/L`.
///
/// A code that is not UCUM, or that names an unknown unit, is an error that says where; it never becomes the unit `1`. An annotation
/// such as `{muts}` is the unit `1` and has no bearing on conversion. Two units are equal when their codes are; whether they mean
/// the same is [`Unit::is_equivalent_to`].
///
/// Factors are kept as exact fractions, and a conversion rounds once: the result is the number nearest to the exact one. The
/// exceptions are pi, of which 36 digits are taken, and the special units with a logarithm, a tangent or a root (`[pH]`, `B`, `Np`,
/// `%[slope]` and the like), which are worked out in ordinary floating point. Temperatures (`Cel`, `[degF]`) convert exactly.
///
/// As UCUM has it, a mole is a number of particles, so `mmol/L` and `10*9/L` are commensurable. An arbitrary unit such as `[IU]`
/// is commensurable with the same arbitrary unit only. A special unit takes part in products with numbers only: `Cel/min` is
/// refused. `Gy` and `Sv` have the same dimension.
///
/// A code may have 1024 bytes and parentheses 32 deep; a unit whose factor would need more than 1024 bits over 1024 bits, more than
/// 1000 powers of ten, or more than 16 powers of pi is refused.
///
/// ```
/// use twin_core::Unit;
/// let (g, mg) = (Unit::parse("g")?, Unit::parse("mg")?);
/// assert_eq!(g.convert(2.5, &mg)?, 2500.0);
/// let (celsius, kelvin) = (Unit::parse("Cel")?, Unit::parse("K")?);
/// assert_eq!(celsius.convert(37.0, &kelvin)?, 310.15);
/// assert!(Unit::parse("mg/dL")?.convert(1.0, &Unit::parse("umol/L")?).is_err());
/// assert!(Unit::parse("mcg").is_err());
/// # Ok::<(), twin_core::CoreError>(())
/// ```
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "String"))]
pub struct Unit(Arc<Meaning>);

struct Meaning {
    code: Box<str>,
    measure: Measure,
}

impl Unit {
    /// The unit of this UCUM code.
    ///
    /// # Errors
    /// [`CoreError::Unit`] with the position of the fault, when the code is not UCUM or beyond the limits of a [`Unit`].
    pub fn parse(code: &str) -> Result<Self, CoreError> {
        match parse::parse(code) {
            Ok(measure) => Ok(Self::with(code, measure)),
            Err(fault) => {
                let code = code.chars().take(parse::LONGEST).collect();
                Err(CoreError::Unit { code, position: fault.position, reason: fault.reason })
            }
        }
    }

    /// The unit `1`, of pure numbers.
    #[must_use]
    pub fn dimensionless() -> Self {
        Self::with("1", Measure::of(Factor::one()))
    }

    fn with(code: &str, measure: Measure) -> Self {
        Self(Arc::new(Meaning { code: code.into(), measure }))
    }

    /// The UCUM code, as it was given.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// Whether the two measure the same thing, so that [`Unit::convert`] applies.
    #[must_use]
    pub fn is_commensurable_with(&self, other: &Self) -> bool {
        self.0.measure.dimension == other.0.measure.dimension
    }

    /// Whether the two mean the same: every value converts to itself. `mL` and `cm3` are equivalent, `g` and `mg` are not.
    #[must_use]
    pub fn is_equivalent_to(&self, other: &Self) -> bool {
        self.0.measure.same_as(&other.0.measure)
    }

    /// A value in this unit, counted in `to`. The result is the number nearest to the exact one (see [`Unit`]); between
    /// equivalent units it is the value itself, bit by bit.
    ///
    /// # Errors
    /// [`CoreError::Incommensurable`] when the two measure different things; [`CoreError::NotFinite`] when the value is not finite,
    /// or the result is not: it is too large, or (for a logarithmic unit) does not exist.
    pub fn convert(&self, value: f64, to: &Self) -> Result<f64, CoreError> {
        finite("value to convert", value)?;
        if self == to {
            return Ok(value);
        }
        if !self.is_commensurable_with(to) {
            return Err(self.incommensurable(to));
        }
        finite("converted value", self.0.measure.convert(value, &to.0.measure))
    }

    /// As [`Unit::convert`], but also between mass and amount of substance (say `mg/dL` and `umol/L`), either way, for a substance
    /// with this many grams per mole. Where no molar mass is needed, it has no effect.
    ///
    /// ```
    /// use twin_core::Unit;
    /// let creatinine = 113.12;
    /// let micromolar = Unit::parse("mg/dL")?.convert_with_molar_mass(1.0, &Unit::parse("umol/L")?, creatinine)?;
    /// assert!((micromolar - 88.402).abs() < 1e-3);
    /// # Ok::<(), twin_core::CoreError>(())
    /// ```
    ///
    /// # Errors
    /// [`CoreError::NotFinite`] and [`CoreError::OutOfRange`] when the molar mass is not finite or not above zero; otherwise as
    /// [`Unit::convert`].
    pub fn convert_with_molar_mass(&self, value: f64, to: &Self, molar_mass_g_per_mol: f64) -> Result<f64, CoreError> {
        let what = "molar mass in g/mol";
        finite(what, molar_mass_g_per_mol)?;
        if molar_mass_g_per_mol <= 0.0 {
            return Err(CoreError::OutOfRange { what, value: molar_mass_g_per_mol, valid: "above 0" });
        }
        finite("value to convert", value)?;
        if self.is_commensurable_with(to) {
            return self.convert(value, to);
        }
        let (gram, mole) = (Self::parse("g")?, Self::parse("mol")?);
        let result =
            self.0.measure.convert_through_mass(value, &to.0.measure, &gram.0.measure, &mole.0.measure, molar_mass_g_per_mol);
        finite("converted value", result.ok_or_else(|| self.incommensurable(to))?)
    }

    fn incommensurable(&self, to: &Self) -> CoreError {
        CoreError::Incommensurable { from: self.code().to_owned(), to: to.code().to_owned() }
    }
}

fn finite(what: &'static str, value: f64) -> Result<f64, CoreError> {
    if value.is_finite() { Ok(value) } else { Err(CoreError::NotFinite { what, value }) }
}

impl PartialEq for Unit {
    fn eq(&self, other: &Self) -> bool {
        self.code() == other.code()
    }
}

impl Eq for Unit {}

impl Hash for Unit {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.code().hash(state);
    }
}

impl PartialOrd for Unit {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// In the order of the codes.
impl Ord for Unit {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.code().cmp(other.code())
    }
}

impl fmt::Debug for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Unit").field(&self.code()).finish()
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl FromStr for Unit {
    type Err = CoreError;
    fn from_str(code: &str) -> Result<Self, CoreError> {
        Self::parse(code)
    }
}

impl TryFrom<&str> for Unit {
    type Error = CoreError;
    fn try_from(code: &str) -> Result<Self, CoreError> {
        Self::parse(code)
    }
}

impl TryFrom<String> for Unit {
    type Error = CoreError;
    fn try_from(code: String) -> Result<Self, CoreError> {
        Self::parse(&code)
    }
}

impl From<&Unit> for Unit {
    fn from(unit: &Unit) -> Self {
        unit.clone()
    }
}

impl From<Unit> for String {
    fn from(unit: Unit) -> Self {
        unit.code().to_owned()
    }
}

/// So that whatever takes a code also takes a [`Unit`].
impl From<Infallible> for CoreError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

#[cfg(test)]
mod tests;
