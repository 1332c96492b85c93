//! From molecular data to parameters.

use super::{Claim, digits, words};
use twin_core::AbsorbedDose;
use twin_core::{Proportion, Random};
use twin_models::effect::LowGradeGliomaParameters;
use twin_models::molecular::{
    Correlate, Datum, Effect, GenomicRadiosensitivity, ResistanceFinding, ResistantShare, cellularity_from_diffusion,
    glioblastoma_survival, radiosensitivity_index,
};

const SCOTT: &str = "Scott 2017, formula";
const ESCHRICH: &str = "Eschrich 2009: coefficients; index computed from them";
const DIFFUSION: &str = "linear map of apparent diffusion to cellularity, water 3e-3 mm2/s";
const UPTAKE: &str = "meta-analysis in Acta Radiologica 2018, doi:10.1177/0284185117706609";
const T790M: &str = "digital PCR of 109 samples before treatment: 38.5 % positive, median allele fraction 0.14 %";
const MGMT: &str = "orthotopic xenografts, J Neurooncol 2009 92:23: correlation 0.72, half methylated; figure computed from them";
const POOLED: &str = "pooled analysis of 2020, radiotherapy and temozolomide by MGMT methylation";
const WIDTH: &str = "no datum gives the population's distribution, which is wider";
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
    claims.extend(distributions());
    claims.extend(arms());
    claims
}

/// Links as distributions: what they were made of comes back, and nothing known is wider than something known.
fn distributions() -> Vec<Claim> {
    let mut claims = Vec::new();
    for (name, expected, link) in [
        ("flt", 0.65, Correlate::fluorothymidine_and_ki67_of_lung_cancer as fn() -> Result<Correlate, twin_core::CoreError>),
        ("fdg", 0.45, Correlate::fluorodeoxyglucose_and_ki67_of_lung_cancer),
    ] {
        let claim = format!("correlation of {name} uptake and Ki-67 in 20000 virtual patients");
        // Four standard errors of a correlation of 20000 pairs.
        let tolerance = 4.0 * (1.0 - expected * expected) / 20_000_f64.sqrt();
        claims.push(Claim::quick(format!("molecular.uptake_{name}"), claim, UPTAKE, (expected, tolerance), move || {
            let (link, mut random) = (link().map_err(words)?, Random::new(7));
            let mut sums = [0.0; 5];
            for _ in 0..20_000 {
                let measured = link.measured.sample(&mut random);
                let moved = link.distribution(Some(measured)).map_err(words)?.sample(&mut random);
                let (x, y) = (measured.ln(), moved.ln());
                for (sum, term) in sums.iter_mut().zip([x, y, x * x, y * y, x * y]) {
                    *sum += term / 20_000.0;
                }
            }
            let [x, y, xx, yy, xy] = sums;
            Ok((xy - x * y) / ((xx - x * x) * (yy - y * y)).sqrt())
        }));
    }
    let found = || -> Result<Vec<f64>, String> {
        let (share, mut random) = (ResistantShare::egfr_t790m().map_err(words)?, Random::new(8));
        let draws: Result<Vec<f64>, _> = (0..40_000).map(|_| share.sample(ResistanceFinding::Unknown, &mut random)).collect();
        let mut found: Vec<f64> =
            draws.map_err(words)?.into_iter().map(|cells| 0.5 * cells).filter(|allele| *allele > 2e-4).collect();
        found.sort_by(f64::total_cmp);
        Ok(found)
    };
    let claim = "share of 40000 virtual patients in whom a test with the limit 0.02 % finds EGFR T790M";
    claims.push(Claim::quick("molecular.t790m_found", claim, T790M, (0.385, 0.01), move || Ok(found()?.len() as f64 / 40_000.0)));
    let claim = "median allele fraction among those, %";
    claims.push(Claim::quick("molecular.t790m_median", claim, T790M, (0.14, 0.007), move || {
        let found = found()?;
        found.get(found.len() / 2).map(|allele| 100.0 * allele).ok_or_else(|| "none found".to_owned())
    }));
    // The means of both halves of a standard normal lie 2/sqrt(2 pi) apart from 0: exp(2 r s sqrt(2/pi)).
    let claim = "kill by temozolomide of methylated over unmethylated tumors, ratio of medians";
    claims.push(Claim::quick("molecular.mgmt_ratio", claim, MGMT, (2.0482, 1e-3), || {
        let effect = Effect::mgmt_methylation().map_err(words)?;
        Ok(effect.present / effect.absent)
    }));
    let mut width = |name: &str, run: Box<dyn Fn() -> Result<(f64, f64), String> + Send + Sync>| {
        let claim = format!("1 if the distribution without {name} is wider than with it");
        claims.push(digits(format!("molecular.width_{name}"), claim, WIDTH, (1.0, 1e-9), move || {
            run().map(|(unknown, known)| f64::from(unknown > known))
        }));
    };
    width("mgmt", Box::new(|| widths(&Effect::mgmt_methylation().map_err(words)?)));
    width("codeletion", Box::new(|| widths(&Effect::low_grade_glioma()[0])));
    width("tp53", Box::new(|| widths(&Effect::low_grade_glioma()[1])));
    width("ki67", Box::new(|| correlated(&Correlate::ki67_and_growth_of_breast_cancer(0.5).map_err(words)?, 40.0)));
    width("flt", Box::new(|| correlated(&Correlate::fluorothymidine_and_ki67_of_lung_cancer().map_err(words)?, 6.0)));
    width("rsi", Box::new(|| correlated(&Correlate::index_and_radiosensitivity(-0.4).map_err(words)?, 0.2)));
    width(
        "t790m",
        Box::new(|| {
            let share = ResistantShare::egfr_t790m().map_err(words)?;
            let limit = Proportion::new(2e-4).map_err(words)?;
            let of = |finding| share.distribution(finding).map(|it| it.ln_deviation()).map_err(words);
            Ok((of(ResistanceFinding::Unknown)?, of(ResistanceFinding::Undetected { limit })?))
        }),
    );
    claims
}

fn widths(effect: &Effect) -> Result<(f64, f64), String> {
    let of = |datum| effect.distribution(datum).map(|it| it.ln_deviation()).map_err(words);
    Ok((of(Datum::Unknown)?, of(Datum::Present)?.max(of(Datum::Absent)?)))
}

fn correlated(link: &Correlate, value: f64) -> Result<(f64, f64), String> {
    let of = |value| link.distribution(value).map(|it| it.ln_deviation()).map_err(words);
    Ok((of(None)?, of(Some(value))?))
}

/// Medians of virtual arms of 10000 patients by MGMT methylation, in months.
fn arms() -> Vec<Claim> {
    let mut claims = Vec::new();
    for (name, datum, medians) in [("methylated", Datum::Present, [24.59, 9.51]), ("unmethylated", Datum::Absent, [14.11, 4.99])] {
        for (place, (what, expected)) in ["overall", "progression_free"].into_iter().zip(medians).enumerate() {
            let claim = format!("median {what} survival of a virtual arm of 10000 {name} patients, months");
            // Four standard errors of the median of an exponential law: m / (ln 2 sqrt(n)).
            let tolerance = 4.0 * expected / (std::f64::consts::LN_2 * 100.0);
            claims.push(Claim::quick(format!("molecular.arm_{name}_{what}"), claim, POOLED, (expected, tolerance), move || {
                let laws = glioblastoma_survival(datum).map_err(words)?.ok_or("no arm")?;
                let (law, mut random) = (laws.get(place).ok_or("no law")?, Random::new(9));
                let mut draws: Vec<f64> = (0..10_000).map(|_| law.draw(&mut random)).collect();
                draws.sort_by(f64::total_cmp);
                draws.get(5000).copied().ok_or_else(|| "no draw".to_owned())
            }));
        }
    }
    claims
}
