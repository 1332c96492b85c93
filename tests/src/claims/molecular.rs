//! From molecular data to parameters.

use super::{Claim, digits, words};
use twin_core::AbsorbedDose;
use twin_models::effect::LowGradeGliomaParameters;
use twin_models::molecular::{GenomicRadiosensitivity, cellularity_from_diffusion, radiosensitivity_index};

const SCOTT: &str = "Scott 2017, formula";
const ESCHRICH: &str = "Eschrich 2009: coefficients; index computed from them";
const DIFFUSION: &str = "linear map of apparent diffusion to cellularity, water 3e-3 mm2/s";
const MAZZOCCO: &str = "Mazzocco 2015: effects of genotype";

pub(super) fn claims() -> Vec<Claim> {
    let mut claims = Vec::new();
    let gray = |dose: f64| AbsorbedDose::from_gray(dose).map_err(words);
    claims.push(digits("molecular.gard_alpha", "alpha of an index of 0.2, per Gy", SCOTT, (0.704_719, 1e-6), || {
        GenomicRadiosensitivity::new(0.2).map(GenomicRadiosensitivity::alpha).map_err(words)
    }));
    claims.push(digits("molecular.gard_30x2", "adjusted dose of 30 x 2 Gy, index 0.2", SCOTT, (48.2831, 1e-4), move || {
        Ok(GenomicRadiosensitivity::new(0.2).map_err(words)?.adjusted_dose(30, gray(2.0)?))
    }));
    claims.push(digits(
        "molecular.gard_identity",
        "at 2 Gy: n times minus the logarithm of the index",
        SCOTT,
        (0.0, 1e-9),
        move || {
            let found = GenomicRadiosensitivity::new(0.37).map_err(words)?.adjusted_dose(25, gray(2.0)?);
            Ok(found + 25.0 * 0.37_f64.ln())
        },
    ));
    // At 2 Gy a wrong beta cancels; at 5 Gy it does not: 5 (0.704719 + 0.05 * 5) = 4.773595 per fraction.
    claims.push(digits(
        "molecular.gard_5x5",
        "adjusted dose of 5 x 5 Gy, index 0.2, beta 0.05",
        SCOTT,
        (23.867_974, 1e-6),
        move || Ok(GenomicRadiosensitivity::new(0.2).map_err(words)?.adjusted_dose(5, gray(5.0)?)),
    ));
    claims.push(digits("molecular.gard_wrong_beta", "and what beta 0.03 would change", SCOTT, (-1.5, 1e-9), move || {
        let right = GenomicRadiosensitivity::new(0.2).map_err(words)?.adjusted_dose(5, gray(5.0)?);
        Ok(GenomicRadiosensitivity::with_beta(0.2, 0.03).map_err(words)?.adjusted_dose(5, gray(5.0)?) - right)
    }));
    claims.push(digits(
        "molecular.rsi_rising_ranks",
        "index of the ranks 1 to 10 in the order of the genes",
        ESCHRICH,
        (0.006_821_8, 1e-7),
        || radiosensitivity_index(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]).map_err(words),
    ));
    claims.push(digits(
        "molecular.rsi_refuses_expression",
        "1 if logarithms of expression are refused",
        ESCHRICH,
        (1.0, 1e-9),
        || Ok(f64::from(radiosensitivity_index(&[7.1, 8.4, 9.9, 6.0, 9.2, 7.7, 10.1, 9.0, 8.8, 7.3]).is_err())),
    ));
    for (diffusion, expected) in [(0.8e-3, 0.7333), (1.2e-3, 0.6), (2.0e-3, 0.3333)] {
        let claim = format!("cellularity at {diffusion:e} mm2/s");
        claims.push(digits(
            format!("molecular.cellularity_{}", (diffusion * 1e4_f64).round()),
            claim,
            DIFFUSION,
            (expected, 1e-4),
            move || cellularity_from_diffusion(diffusion, 0.0).map_err(words),
        ));
    }
    claims.push(digits(
        "molecular.glioma_codeleted_repair",
        "repair with 1p/19q codeletion, per month",
        MAZZOCCO,
        (0.008_07, 1e-9),
        || Ok(LowGradeGliomaParameters::of_genotype(true, false).0),
    ));
    claims.push(digits("molecular.glioma_tp53_damage", "damage with mutated TP53", MAZZOCCO, (0.143, 1e-9), || {
        Ok(LowGradeGliomaParameters::of_genotype(false, true).1)
    }));
    claims
}
