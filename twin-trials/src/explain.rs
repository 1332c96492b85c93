//! Explanation: what drives an outcome, and whether the patient lies where the twin knows its way.
//!
//! ```
//! use twin_trials::explain::{SobolIndices, sobol_indices};
//! // Which of two independent inputs drives their weighted sum?
//! let SobolIndices { first, .. } = sobol_indices(2, 4096, 1, |x| Ok(x[0] + 3.0 * x[1]))?;
//! assert!((first[0].value - 0.1).abs() < 0.01 && (first[1].value - 0.9).abs() < 0.01);
//! # Ok::<(), twin_trials::TrialError>(())
//! ```
//!
//! # Catalogue
//! - [`sobol_indices`]: shares of the variance for independent inputs, by running the model on a design of its own
//! - [`shapley_effects`]: shares of the variance for inputs that depend on each other, from draws that are there already
//! - [`ranking_drivers`]: which parameters decide between two plans
//! - [`Support`]: whether a patient lies inside the population that a model was trained on

mod drivers;
mod shapley;
mod sobol;
mod support;

pub use drivers::ranking_drivers;
pub use shapley::{ShapleyEffects, shapley_effects};
pub use sobol::{SobolIndices, sobol_indices};
pub use support::{Position, Support};

/// A share of a variance, with its Monte Carlo standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// The share; estimates may fall a little below 0 or above 1.
    pub value: f64,
    /// Its standard error.
    pub standard_error: f64,
}
