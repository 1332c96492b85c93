//! A program made outside the workspace: a virtual patient under radiotherapy, what is inferred from the volumes seen so far, and a
//! trial of what to do next.

mod importance;
mod patient;
mod question;

pub use importance::Importance;
pub use patient::{GROUND_TRUTH, patient, prior, scatter};
pub use question::{SmallestVolume, Weekly, trial};
