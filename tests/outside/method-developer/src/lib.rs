//! A model made outside the workspace: a tumor under fractionated radiotherapy, whose killed cells take their time to vanish.
//!
//! ```
//! use twin_core::{AbsorbedDose, Observable, Random, Regimen, Target, Time, Weekday};
//! use twin_models::{Model, Scenario, simulate};
//! let model = method_developer::irradiated();
//! let fractions = Regimen::fractions(20, AbsorbedDose::from_gray(2.0)?, Target::new("ptv")?).on_weekdays(Weekday::Monday);
//! let scenario = Scenario::starting(Time::ORIGIN)
//!     .treated(fractions.starting(Time::ORIGIN)?)
//!     .sampled([Time::ORIGIN, Time::from_days(60.0)?]);
//! let volume = simulate(&model, &model.spec().defaults()?, &scenario, &mut Random::new(1))?.column(&Observable::TUMOR_VOLUME);
//! assert!(volume.is_some_and(|volume| volume[1] < 0.1 * volume[0]));
//! # Ok::<(), twin_models::SimulationError>(())
//! ```

mod irradiated;

pub use irradiated::{Irradiated, IrradiatedParameters, irradiated};
