//! How old a tumor is.

use super::{LN_ONE_CELL, ReducedGompertz};
use crate::check::{positive, within};
use twin_core::{CoreError, Span};

/// The time since a tumor of `volume_mm3` was one cell, by [`reduced_gompertz`](super::reduced_gompertz):
/// `-ln(1 - β/α ln(V/V₁)) / β` with `α = k β + c`. Vaghi et al. 2020, doi:10.1371/journal.pcbi.1007178.
///
/// ```
/// use twin_models::growth::{ReducedGompertz, tumor_age};
/// use twin_models::ParameterSet;
/// let defaults: Vec<f64> = ReducedGompertz::<f64>::specs().iter().map(|spec| spec.default).collect();
/// if let Some(law) = ReducedGompertz::<f64>::from_values(&defaults) {
///     assert!(tumor_age(&law, 1000.0)? > tumor_age(&law, 100.0)?);
///     assert!(tumor_age(&law, 1e9).is_err()); // larger than it ever becomes
/// }
/// # Ok::<(), twin_core::CoreError>(())
/// ```
///
/// # Errors
/// [`CoreError`] for a volume that is not above 0, below one cell (1e-6 mm³), or at or above the one where growth stops.
pub fn tumor_age(law: &ReducedGompertz, volume_mm3: f64) -> Result<Span, CoreError> {
    let what = "logarithm of the number of cells of a tumor";
    let ln_cells = positive("volume of a tumor in mm3", volume_mm3)?.ln() - LN_ONE_CELL;
    let rise = positive("growth rate of one cell per day", law.slope * law.decay_rate + law.intercept)?;
    let share = law.decay_rate / rise * ln_cells;
    within(what, ln_cells, ln_cells >= 0.0 && share < 1.0, "0 or more, and below that of the volume where growth stops")?;
    Span::from_days(-(-share).ln_1p() / positive("decay rate per day", law.decay_rate)?)
}
