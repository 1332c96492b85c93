//! Populations: nonlinear mixed effects.
//!
//! The parameters of each subject, on the real line of their transforms, are drawn from one normal distribution; mean and covariance of it
//! and the parameters of the error are what is sought. [`Saem`] and [`Focei`] find them; [`Npag`] does without the normal distribution. [`PopulationFit::prior`] is then the prior of the next
//! patient. [`npde`] and [`visual_check`] hold a fit against its data.

mod checks;
mod fit;
mod focei;
mod npag;
mod saem;
mod subjects;

pub use checks::{Bin, npde, visual_check};
pub use fit::{PopulationFit, SubjectFit};
pub use focei::Focei;
pub use npag::{NonparametricFit, Npag};
pub use saem::Saem;
pub use subjects::{CovariateEffect, Population, RandomEffect};
