//! Response of solid tumors by RECIST, from measured lesions or from what a course of a trial showed.
//!
//! [`ResponseCriteria`] holds the thresholds with their version, [`Baseline`] and [`Assessment`] what was measured; [`respond`] goes
//! through the assessments, and [`Responses`] says what came of them. [`RecistProgression`] and [`ObjectiveResponse`] are the same as
//! endpoints of a [`Trial`](crate::Trial). [`respond_immune`] judges by iRECIST.

mod course;
mod criteria;
mod immune;
mod lesion;
mod response;

pub use course::{ObjectiveResponse, Recist, RecistProgression};
pub use criteria::ResponseCriteria;
pub use immune::{ImmuneAssessment, ImmuneResponse, ImmuneResponses, respond_immune};
pub use lesion::{Assessment, Baseline, Lesion, LesionKind, LesionSize, NonTarget};
pub use response::{BestResponse, Response, Responses, Visit, respond};
