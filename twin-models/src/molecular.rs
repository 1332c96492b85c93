//! From molecular data to parameters.
//!
//! | datum | parameter | use |
//! |---|---|---|
//! | ranks of ten genes | radiosensitivity, and the genomic dose of a schedule | [`radiosensitivity_index`], [`GenomicRadiosensitivity`] |
//! | 1p/19q, TP53 | repair and damage of low-grade glioma | [`of_genotype`](crate::effect::LowGradeGliomaParameters::of_genotype) |
//! | apparent diffusion | cellularity | [`cellularity_from_diffusion`] |
//!
//! [`Effect`] holds what a datum makes of a parameter: a distribution, wider where the datum is missing.

mod effect;
mod radiosensitivity;

pub use effect::{Datum, Effect, LogNormal};
pub use radiosensitivity::{GenomicRadiosensitivity, RSI_GENES, radiosensitivity_index};

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
