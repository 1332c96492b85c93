//! What any method of inference must do, to be run on methods of your own (feature `testing`).
//!
//! | test | asks | catches |
//! |---|---|---|
//! | [`recovery`] | is a known truth inside the posterior of data made by other means | a method that is lost |
//! | [`ranks`] | are truths drawn from the prior ranked uniformly among the draws of their posteriors | bias, and intervals too narrow or too wide |
//! | [`geweke`] | does going from parameters to data and back leave the prior as it is | the same, and errors in the prior |
//!
//! ```
//! use std::sync::Arc;
//! use twin_calibrate::living::Assumptions;
//! use twin_calibrate::testing::{Design, Method, ranks};
//! use twin_calibrate::{IndependentPrior, Laplace, LogError, Marginal, Search};
//! use twin_core::{Observable, Random, Time};
//! use twin_models::growth;
//!
//! let prior = Arc::new(IndependentPrior::new([("growth_rate", Marginal::Normal { mean: 0.05, sd: 0.01 })])?);
//! let (model, error) = (Arc::new(growth::exponential()), Arc::new(LogError::new(0.2, 0.0)));
//! let assumptions = Assumptions::new(model, prior, Observable::TUMOR_VOLUME, error, Time::ORIGIN)?;
//! let design = Design::daily(assumptions, &[0.0, 10.0, 20.0])?;
//! let method = Laplace { search: Search { starts: 1, polished: 1, ..Search::default() }, draws: 500, ..Laplace::default() };
//! let ranks = ranks(&design, Method::Calibrator(&method), 100, 19, &Random::new(1))?;
//! assert!(ranks.chi_square(5)[0] > 0.01);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod design;
mod geweke;
mod ranks;

pub use design::{Design, Method};
pub use geweke::{Moment, geweke};
pub use ranks::{Ranks, Recovered, ranks, recovery};
