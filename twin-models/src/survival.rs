//! Statistical models of the time to an event.
//!
//! [`Lifetime`] is a law of times: survival, hazard, quantiles, draws. `twin_trials::statistics` fits such laws to data. Published links
//! from tumor dynamics to survival give one: [`ClaretSurvival`], [`ZecchinSurvival`], [`SchindlerSurvival`].

mod lifetime;
mod outcome;

pub use lifetime::{Lifetime, TimeLaw};
pub use outcome::{ClaretSurvival, SchindlerSurvival, ZecchinSurvival};
