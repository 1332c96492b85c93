//! Radiobiology: what a fraction, a schedule and a volume of dose do.
//!
//! | to find | use |
//! |---|---|
//! | survival, effect, BED and EQD2 of a fractionation | [`LinearQuadratic`], [`AlphaBetaRatio`] |
//! | high doses per fraction | [`LinearQuadraticLinear`] |
//! | incomplete repair, protracted delivery | [`lea_catcheside`], [`thames`], [`RepairHalfTime`] |
//! | constant rates and decaying sources | [`continuous_dose`], [`decaying_source_dose`] |
//! | radiosensitivities by disease | [`RADIOSENSITIVITY_SETS`] |
//! | repopulation after a kick-off time | [`Repopulation`] |
//! | the biological dose of a list of timed fractions | [`Tissue::biological_dose`] |
//! | hypoxia | [`oxygen_enhancement`], [`LinearQuadratic::at_oxygen_enhancement`] |
//! | tumor control | [`poisson_control`], [`DoseResponse`] |
//! | a tumor under fractions, by its proliferation saturation | [`proliferation_saturation`] |
//!
//! ```
//! use twin_core::AbsorbedDose;
//! use twin_models::radiation::AlphaBetaRatio;
//! let (late, two) = (AlphaBetaRatio::from_gray(3.0)?, AbsorbedDose::from_gray(2.0)?);
//! assert!((late.biologically_effective_dose_gray(30, two) - 100.0).abs() < 1e-12);
//! assert!((late.equivalent_dose_in_2_gray_fractions(30, two) - 60.0).abs() < 1e-12);
//! # Ok::<(), twin_core::CoreError>(())
//! ```

mod control;
mod dose_rate;
mod hypoxia;
mod linear_quadratic;
mod parameter_sets;
mod proliferation_saturation;
mod repair;
mod schedule;

pub use control::{DoseResponse, poisson_control};
pub use dose_rate::{continuous_dose, decaying_source_dose};
pub use hypoxia::oxygen_enhancement;
pub use linear_quadratic::{AlphaBetaRatio, LinearQuadratic, LinearQuadraticLinear};
pub use parameter_sets::{RADIOSENSITIVITY_SETS, RadiosensitivitySet};
pub use proliferation_saturation::{ProliferationSaturation, ProliferationSaturationParameters, proliferation_saturation};
pub use repair::{RepairHalfTime, lea_catcheside, thames};
pub use schedule::{BiologicalDose, Repopulation, Tissue};
