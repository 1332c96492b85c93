//! What treatment does to the rest of the body.
//!
//! | to find | use |
//! |---|---|
//! | a volume of dose, its equivalent uniform dose and its mean | [`DoseVolume`] |
//! | the probability of a complication, row by row of the literature | [`Complication`], [`COMPLICATIONS`] |
//! | all rows of an organ, side by side | [`complications`] |
//! | heart failure by the cumulative dose of an anthracycline | [`CUMULATIVE_DOSE_RISKS`], [`cumulative_dose`] |
//! | renal function under cisplatin, and the dose it limits | [`filtration_after_cisplatin`], [`cisplatin_limit`] |
//! | hand-foot syndrome under sunitinib, grade by grade | [`HandFootSyndrome`], [`soluble_receptor_change`] |
//! | neutrophils or leukocytes under a drug | [`Friberg`], [`DocetaxelCovariates`] |
//! | the grade of a count | [`neutropenia_grade`], [`leukopenia_grade`] |

mod complication;
mod cumulative_dose;
mod docetaxel;
mod dose_volume;
mod hand_foot;
mod myelosuppression;
mod renal;

pub use complication::{COMPLICATIONS, Complication, ComplicationModel, complications};
pub use cumulative_dose::{CUMULATIVE_DOSE_RISKS, CumulativeDoseRisk, cumulative_dose};
pub use docetaxel::DocetaxelCovariates;
pub use dose_volume::DoseVolume;
pub use hand_foot::{HandFootSyndrome, soluble_receptor_change};
pub use myelosuppression::{Friberg, RunningFriberg, leukopenia_grade, neutropenia_grade};
pub use renal::{CISPLATIN_LEAST_FILTRATION_ML_PER_MIN, cisplatin_limit, filtration_after_cisplatin};
