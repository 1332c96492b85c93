//! Optimization: least squares, derivative-free and quasi-Newton search, many starts of each, and a global search.
//!
//! | to minimize | without derivatives of your own | method |
//! |---|---|---|
//! | half a sum of squares | differences of the residuals | [`LevenbergMarquardt`] |
//! | any cost | none needed | [`NelderMead`] |
//! | a smooth cost, or a density | its own gradient, or differences | [`QuasiNewton`] |
//! | any cost, with many minima | none needed | [`CmaEs`] |
//! | any, with several minima | | [`multi_start`] |
//!
//! Methods are small structs of settings, and one verb runs them. A cost is always the number that is minimized: for residuals half
//! their sum of squares, so that residuals in units of their standard deviation make the cost minus the logarithm of a likelihood.
//!
//! But for [`CmaEs`] the searches are local; none knows bounds: give them unconstrained coordinates, and several starts. The loops of the
//! first two are those of the argmin library, which appears in no signature.

mod cma_es;
mod differences;
mod fit;
mod least_squares;
mod levenberg_marquardt;
mod multi_start;
mod nelder_mead;
mod quasi_newton;

pub use cma_es::CmaEs;
pub use differences::{Derivatives, Differences, Residuals};
pub use fit::{Fit, StopReason};
pub use levenberg_marquardt::LevenbergMarquardt;
pub use multi_start::{MultiStart, StartFailure, StartFit, multi_start};
pub use nelder_mead::NelderMead;
pub use quasi_newton::QuasiNewton;
