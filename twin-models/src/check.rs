//! Checks at the door of the formulas.

use twin_core::CoreError;

/// `value`, if it is finite and above 0.
pub(crate) fn positive(what: &'static str, value: f64) -> Result<f64, CoreError> {
    within(what, value, value > 0.0, "above 0")
}

/// `value`, if it is finite and not negative.
pub(crate) fn not_negative(what: &'static str, value: f64) -> Result<f64, CoreError> {
    within(what, value, value >= 0.0, "0 or more")
}

/// `value`, if it is finite and lies strictly between 0 and 1.
pub(crate) fn open_proportion(what: &'static str, value: f64) -> Result<f64, CoreError> {
    within(what, value, value > 0.0 && value < 1.0, "above 0 and below 1")
}

/// `value`, if it is finite and `holds`.
pub(crate) fn within(what: &'static str, value: f64, holds: bool, valid: &'static str) -> Result<f64, CoreError> {
    if !value.is_finite() {
        return Err(CoreError::NotFinite { what, value });
    }
    if holds { Ok(value) } else { Err(CoreError::OutOfRange { what, value, valid }) }
}
