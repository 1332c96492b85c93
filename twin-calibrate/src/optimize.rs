//! Local optimization: least squares, derivative-free search, and many starts of either.
//!
//! | to minimize | without derivatives of your own | method |
//! |---|---|---|
//! | half a sum of squares | differences of the residuals | [`LevenbergMarquardt`] |
//! | any cost | none needed | [`NelderMead`] |
//! | either, with several minima | | [`multi_start`] |
//!
//! Methods are small structs of settings, and one verb runs them. A cost is always the number that is minimized: for residuals half
//! their sum of squares, so that residuals in units of their standard deviation make the cost minus the logarithm of a likelihood.
//!
//! The searches are local and know no bounds: give them unconstrained coordinates, and several starts. The loops are those of the
//! argmin library, which appears in no signature.

mod differences;
mod fit;
mod least_squares;
mod levenberg_marquardt;
mod multi_start;
mod nelder_mead;

pub use differences::{Derivatives, Differences, Residuals};
pub use fit::{Fit, StopReason};
pub use levenberg_marquardt::LevenbergMarquardt;
pub use multi_start::{MultiStart, StartFailure, StartFit, multi_start};
pub use nelder_mead::NelderMead;
