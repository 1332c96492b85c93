//! Statistical models of the time to an event.
//!
//! [`Lifetime`] is a law of times: survival, hazard, quantiles, draws. `twin_trials::statistics` fits such laws to data.

mod lifetime;

pub use lifetime::{Lifetime, TimeLaw};
