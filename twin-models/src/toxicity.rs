//! What treatment does to the rest of the body.
//!
//! | to find | use |
//! |---|---|
//! | a volume of dose, its equivalent uniform dose and its mean | [`DoseVolume`] |
//! | the probability of a complication, row by row of the literature | [`Complication`], [`COMPLICATIONS`] |
//! | neutrophils or leukocytes under a drug | [`Friberg`] |
//! | the grade of a count | [`neutropenia_grade`], [`leukopenia_grade`] |

mod complication;
mod dose_volume;
mod myelosuppression;

pub use complication::{COMPLICATIONS, Complication, ComplicationModel};
pub use dose_volume::DoseVolume;
pub use myelosuppression::{Friberg, RunningFriberg, leukopenia_grade, neutropenia_grade};
