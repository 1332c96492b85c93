//! Resistance: closed forms, paths, and competing species.

use super::{Claim, digits, words};
use rayon::prelude::*;
use twin_core::Random;
use twin_models::ParameterSet;
use twin_models::clones::{ThreeSpeciesParameters, resistance_at_size, resistance_probability};

const IWASA: &str = "Iwasa-Nowak-Michor 2006: closed form";
const PATHS: &str = "closed form 1 - exp(-M u F) against exact paths; the tolerance is 4 standard errors and 1/M";
const ZHANG: &str = "doubling times of LNCaP, H295R and PC-3 (Zhang 2017, recalled)";

/// The share of `paths` paths, each with a stream of its own, that end resistant.
fn share(size: u64, rate: f64, ratio: f64, paths: u64) -> Result<f64, String> {
    let root = Random::new(20_240_601);
    let resistant: Result<Vec<u64>, String> = (0..paths)
        .into_par_iter()
        .map(|path| resistance_at_size(size, rate, ratio, &mut root.stream(path)).map(u64::from).map_err(words))
        .collect();
    Ok(resistant?.iter().sum::<u64>() as f64 / paths as f64)
}

pub(super) fn claims() -> Vec<Claim> {
    let mut claims = Vec::new();
    for (name, ratio, expected) in [("0", 0.0, 0.632_121), ("0p9", 0.9, 0.922_574), ("13_14", 13.0 / 14.0, 0.941_695)] {
        let claim = format!("probability of resistance at 1e9 cells, u = 1e-9, d/b = {ratio:.4}");
        claims.push(digits(format!("clones.resistance_db_{name}"), claim, IWASA, (expected, 1e-6), move || {
            resistance_probability(1e9, 1e-9, ratio).map_err(words)
        }));
    }
    let paths = 100_000;
    for (name, size, rate, ratio) in [
        ("pure_birth", 1000, 1e-3, 0.0),
        ("half", 1000, 1e-3, 0.5),
        ("half_rare", 2000, 1e-4, 0.5),
        ("three_quarters", 1000, 5e-4, 0.75),
    ] {
        let expected = resistance_probability(size as f64, rate, ratio).unwrap_or(f64::NAN);
        let tolerance = 4.0 * (expected * (1.0 - expected) / paths as f64).sqrt() + 1.0 / size as f64;
        let claim = format!("share of 1e5 paths with resistance at {size} cells, u = {rate}, d/b = {ratio}");
        let run = move || share(size, rate, ratio, paths);
        let mut row = Claim::quick(format!("clones.paths_{name}"), claim, PATHS, (expected, tolerance), run);
        row.quick = ratio <= 0.0;
        claims.push(row);
    }
    let rates = [("dependent", 0, 0.277_259), ("producing", 1, 0.346_574), ("independent", 2, 0.665_421)];
    for (name, place, expected) in rates {
        let claim = format!("growth rate of {name} cells per day");
        claims.push(digits(format!("clones.zhang_growth_{name}"), claim, ZHANG, (expected, 1e-6), move || {
            ThreeSpeciesParameters::specs().get(place).map(|spec| spec.default).ok_or_else(|| "no rate".to_owned())
        }));
    }
    claims
}
