//! Theophylline against the exact maximum likelihood.
//!
//! Source: Boeckmann, Sheiner and Beal 1994; the reference by adaptive Gauss-Hermite quadrature with 17 nodes in 3 dimensions.
//! Held to: minus twice the logarithm of the likelihood within 0.5, each fixed effect within 0.1 of its standard error.
#![allow(clippy::unwrap_used)]

use twin_calibrate::NormalError;
use twin_calibrate::population::{npde, visual_check};
use twin_core::Random;
use twin_tests::theophylline;

fn reference() -> Option<serde_json::Value> {
    let path = twin_tests::data("theophylline", "reference/nlme/theophylline_exact_ml.json")?;
    Some(serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
}

#[test]
fn theophylline_exact_maximum_likelihood() {
    let (Some(reference), Some(fit)) = (reference(), theophylline::saem("theophylline", None).unwrap()) else { return };
    let exact = reference["minus2loglik_by_nodes"]["17"].as_f64().unwrap();
    let (ours, error) = fit.minus_2_ln_likelihood;
    assert!((ours - exact).abs() < 0.5 && error < 0.2, "{ours} ± {error}");
    // Our clearance and absorption are per day, theirs per hour.
    let per_hour = [24_f64.ln(), 24_f64.ln(), 0.0];
    let expected = |key: &str, name: &str| reference[key][name].as_f64().unwrap();
    for (j, name) in ["ln_ka", "ln_CL", "ln_V"].into_iter().enumerate() {
        let off = (fit.mean[j] - per_hour[j] - expected("mle", name)) / expected("se", name);
        assert!(off.abs() < 0.1, "{name} is off by {off} standard errors");
    }
    for (j, name) in ["ln_sd_ka", "ln_sd_CL", "ln_sd_V"].into_iter().enumerate() {
        let off = (fit.spread()[j].ln() - expected("mle", name)) / expected("se", name);
        assert!(off.abs() < 0.25, "{name} is off by {off} standard errors");
    }
    assert!((fit.errors[0].1.ln() - expected("mle", "ln_sigma")).abs() < 0.25 * expected("se", "ln_sigma"));
    let errors = fit.standard_errors.clone().unwrap();
    for (name, ours) in ["ln_ka", "ln_CL", "ln_V", "ln_sd_ka", "ln_sd_CL", "ln_sd_V", "ln_sigma"].into_iter().zip(errors) {
        assert!((ours / expected("se", name) - 1.0).abs() < 0.15, "standard error of {name}: {ours}");
    }
    assert!(fit.shrinkage().iter().all(|share| (-0.1..0.3).contains(share)), "{:?}", fit.shrinkage());
}

#[test]
fn theophylline_is_explained_by_its_own_population() {
    let Some(patients) = theophylline::subjects("theophylline", None).unwrap() else { return };
    let Some(fit) = theophylline::saem("theophylline", None).unwrap() else { return };
    let (model, error) = (theophylline::model().unwrap(), NormalError::new(1.0, 0.0));
    let population = theophylline::population(&model, &patients, &error).unwrap();
    let scores: Vec<f64> = npde(&population, &fit, 500, &Random::new(1)).unwrap().into_iter().flatten().collect();
    let mean = scores.iter().sum::<f64>() / scores.len() as f64;
    let sd = (scores.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / scores.len() as f64).sqrt();
    assert_eq!(scores.len(), 132);
    assert!(mean.abs() < 0.25 && (sd - 1.0).abs() < 0.25, "{mean} {sd}");
    let bins = visual_check(&population, &fit, 8, 200, &Random::new(2)).unwrap();
    assert_eq!(bins.iter().map(|bin| bin.readings).sum::<usize>(), 132);
    let inside = bins.iter().filter(|bin| bin.simulated[1][0] <= bin.observed[1] && bin.observed[1] <= bin.simulated[1][2]).count();
    assert!(inside >= 6, "{inside} of {} medians inside: {bins:#?}", bins.len());
}

#[test]
fn censored_concentrations_lead_to_nearly_the_same_population() {
    let (Some(all), Some(censored)) =
        (theophylline::saem("theophylline", None).unwrap(), theophylline::saem("theophylline", Some(1.0)).unwrap())
    else {
        return;
    };
    let errors = all.standard_errors.clone().unwrap();
    for (j, error) in errors.iter().enumerate().take(3) {
        let off = (censored.mean[j] - all.mean[j]) / error;
        assert!(off.abs() < 0.5, "parameter {j} is off by {off} standard errors");
    }
    assert!(censored.minus_2_ln_likelihood.0 < all.minus_2_ln_likelihood.0);
}
