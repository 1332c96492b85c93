//! From molecular data to parameters.
//!
//! | datum | parameter | use |
//! |---|---|---|
//! | ranks of ten genes | radiosensitivity, and the genomic dose of a schedule | [`radiosensitivity_index`], [`GenomicRadiosensitivity`] |
//! | radiosensitivity index | radiosensitivity, with its uncertainty | [`Correlate::index_and_radiosensitivity`] |
//! | 1p/19q, TP53 | repair and damage of low-grade glioma | [`of_genotype`](crate::effect::LowGradeGliomaParameters::of_genotype), [`Effect::low_grade_glioma`] |
//! | MGMT methylation | kill by temozolomide; survival of virtual arms | [`Effect::mgmt_methylation`], [`glioblastoma_survival`] |
//! | EGFR T790M | resistant cells before treatment | [`ResistantShare::egfr_t790m`] |
//! | Ki-67 | growth rate | [`Correlate::ki67_and_growth_of_breast_cancer`] |
//! | uptake of FLT or FDG | Ki-67, and through it growth | [`Correlate::fluorothymidine_and_ki67_of_lung_cancer`], [`Correlate::through`] |
//! | apparent diffusion | cellularity | [`cellularity_from_diffusion`] |
//!
//! A [`Link`] gives a parameter a distribution, which is that of the population, and wider, where its datum is missing; a [`Reading`] of a
//! molecular profile says which datum moved which parameter by how much.

mod correlate;
mod distribution;
mod effect;
mod radiosensitivity;
mod reading;
mod resistant_share;
mod survival;

pub use correlate::Correlate;
pub use distribution::LogNormal;
pub use effect::{Datum, Effect, Sign};
pub use radiosensitivity::{GenomicRadiosensitivity, RSI_GENES, radiosensitivity_index};
pub use reading::{Link, Movement, Reading};
pub use resistant_share::{ResistanceFinding, ResistantShare};
pub use survival::glioblastoma_survival;

use crate::check::{positive, within};
use twin_core::CoreError;

/// The cellularity of a voxel, a share of the greatest: `(w - ADC) / (w - least)`, with the apparent diffusion coefficient `ADC`, that of
/// free water `w`, 3e-3 mm²/s, and the least one of the tumor.
///
/// # Errors
/// [`CoreError`] unless the least coefficient lies from 0 to below that of water and the coefficient between the two.
pub fn cellularity_from_diffusion(diffusion_mm2_per_s: f64, least_mm2_per_s: f64) -> Result<f64, CoreError> {
    const WATER: f64 = 3e-3;
    let holds = (0.0..WATER).contains(&least_mm2_per_s);
    let least = within("least apparent diffusion in mm2/s", least_mm2_per_s, holds, "at least 0 and below 3e-3")?;
    let holds = (least..=WATER).contains(&diffusion_mm2_per_s);
    let diffusion = within("apparent diffusion in mm2/s", diffusion_mm2_per_s, holds, "between the least one and 3e-3")?;
    Ok((WATER - diffusion) / positive("range of apparent diffusion in mm2/s", WATER - least)?)
}
