//! The living twin: a posterior that follows its patient.
//!
//! A [`Twin`] is a value: patient, assumptions, posterior, and the log of its versions. [`Twin::update`] takes one more event and hands
//! back the next version; the former one stays what it was. How the posterior follows is up to an [`Updater`]:
//!
//! | method | how | exact | late or corrected data |
//! |---|---|---|---|
//! | [`Particles`] | reweights the draws by what changed in the likelihood, resamples, moves | as the number of particles grows | the same way |
//! | [`EnsembleSmoother`] | shifts the draws linearly | for linear models with normal errors | replays from the prior |
//! | [`Unscented`] | carries a normal distribution through the model by a few points | for linear models with normal errors | replays from the prior |
//! | [`Refit`] | calibrates afresh | as its calibrator | the same way |
//!
//! A [`FieldTwin`] does the same for a spatial model: an ensemble of tumors that learns from scans by a [`LocalFilter`].
//!
//! The readings are judged by the former version before it learns from them; [`Monitor`] says when they have been too surprising for
//! the model to be believed.

mod assumptions;
mod field_twin;
mod local_filter;
mod monitor;
mod particles;
mod smoother;
mod twin;
mod unscented;
mod version;

pub use assumptions::Assumptions;
pub use field_twin::{FieldModel, FieldTwin, FieldVersion, Member};
pub use local_filter::LocalFilter;
pub use monitor::{Monitor, Verdict};
pub use particles::Particles;
pub use smoother::EnsembleSmoother;
pub use twin::{Refit, Twin, Updater};
pub use unscented::Unscented;
pub use version::{Change, Shift, Surprise, Version};
