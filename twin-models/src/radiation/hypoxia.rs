//! Oxygen.

use crate::check::not_negative;
use twin_core::CoreError;

/// The oxygen enhancement ratio at a partial pressure of `oxygen_mmhg`, relative to none: `(3 p + 3) / (p + 3)`.
///
/// After Wouters and Brown 1997, Radiation Research 147:541 (form recalled, not checked against the article). Use it with
/// [`LinearQuadratic::at_oxygen_enhancement`](super::LinearQuadratic::at_oxygen_enhancement), whose ratio is that of full oxygen to the
/// pressure at hand: `oxygen_enhancement(full) / oxygen_enhancement(p)`.
///
/// # Errors
/// [`CoreError`] for a pressure that is negative or not finite.
pub fn oxygen_enhancement(oxygen_mmhg: f64) -> Result<f64, CoreError> {
    let p = not_negative("partial pressure of oxygen in mmHg", oxygen_mmhg)?;
    // Divided by the pressure, so that a large one does not overflow.
    Ok(if p > 1.0 { (3.0 + 3.0 / p) / (1.0 + 3.0 / p) } else { (3.0 * p + 3.0) / (p + 3.0) })
}
