//! Nonlinear mixed effects: theophylline against the exact maximum likelihood.

use super::Claim;
use crate::theophylline::{focei, saem};
use crate::two_arms::{Recovered, recover};
use std::sync::OnceLock;
use twin_calibrate::population::PopulationFit;

const EXACT: &str = "Boeckmann, Sheiner and Beal 1994; adaptive Gauss-Hermite quadrature with 17 nodes";

const FIRST_ORDER: &str =
    "Boeckmann, Sheiner and Beal 1994; the same objective minimized apart from this library, on the closed form of the model";
const STEIN: &str =
    "simulated: Stein and Fojo's curve, 40 patients in each arm, twice the rate of regression in one; a bar of this project";

const FOCEI_OBJECTIVE: f64 = 359.403_186;
const FOCEI_MEAN: [f64; 3] = [0.463_879, 1.012_154, 3.459_740];

type Fitted = Result<Option<PopulationFit>, String>;

pub(super) fn claims() -> Vec<Claim> {
    static FIT: OnceLock<Fitted> = OnceLock::new();
    let claim = |id: &str, claim: &str, (expected, tolerance), of: fn(&PopulationFit) -> f64| Claim {
        id: format!("nlme.theophylline_{id}"),
        claim: claim.to_owned(),
        source: EXACT,
        expected,
        tolerance,
        quick: true,
        run: Box::new(move || {
            let fit = FIT.get_or_init(|| saem("nlme.theophylline", None)).as_ref().map_err(Clone::clone)?;
            Ok(fit.as_ref().map(of))
        }),
    };
    static FIRST: OnceLock<Fitted> = OnceLock::new();
    let first_order = |id: &str, claim: &str, (expected, tolerance), of: fn(&PopulationFit) -> f64| Claim {
        id: format!("nlme.theophylline_focei_{id}"),
        claim: claim.to_owned(),
        source: FIRST_ORDER,
        expected,
        tolerance,
        quick: true,
        run: Box::new(move || {
            let fit = FIRST.get_or_init(|| focei("nlme.theophylline")).as_ref().map_err(Clone::clone)?;
            Ok(fit.as_ref().map(of))
        }),
    };
    static TRIALS: OnceLock<Result<Recovered, String>> = OnceLock::new();
    let trials = |id: &str, claim: &str, (expected, tolerance), of: fn(&Recovered) -> f64| Claim {
        id: format!("nlme.two_arms_{id}"),
        claim: claim.to_owned(),
        source: STEIN,
        expected,
        tolerance,
        quick: false,
        run: Box::new(move || TRIALS.get_or_init(|| recover(100)).as_ref().map(|found| Some(of(found))).map_err(Clone::clone)),
    };
    vec![
        claim("minus_2_ln_likelihood", "minus twice the logarithm of the likelihood by SAEM", (360.700_735, 0.5), |fit| {
            fit.minus_2_ln_likelihood.0
        }),
        // Tolerances: a tenth of the standard error.
        claim("ln_ka", "logarithm of the typical absorption rate per hour, SAEM", (0.459_452, 0.019_280), |fit| {
            fit.mean.first().map_or(f64::NAN, |z| z - 24_f64.ln())
        }),
        claim("ln_cl", "logarithm of the typical clearance in L/h, SAEM", (1.011_661, 0.008_427), |fit| {
            fit.mean.get(1).map_or(f64::NAN, |z| z - 24_f64.ln())
        }),
        claim("ln_v", "logarithm of the typical volume in L, SAEM", (3.453_851, 0.004_624), |fit| {
            fit.mean.get(2).copied().unwrap_or(f64::NAN)
        }),
        first_order(
            "objective",
            "minus twice the logarithm of the likelihood as FOCEI approximates it",
            (FOCEI_OBJECTIVE, 0.02),
            |fit| fit.objective.unwrap_or(f64::NAN),
        ),
        first_order("ln_ka", "logarithm of the typical absorption rate per hour, FOCEI", (FOCEI_MEAN[0], 0.01), |fit| {
            fit.mean.first().map_or(f64::NAN, |z| z - 24_f64.ln())
        }),
        first_order("ln_cl", "logarithm of the typical clearance in L/h, FOCEI", (FOCEI_MEAN[1], 0.004), |fit| {
            fit.mean.get(1).map_or(f64::NAN, |z| z - 24_f64.ln())
        }),
        first_order("ln_v", "logarithm of the typical volume in L, FOCEI", (FOCEI_MEAN[2], 0.002), |fit| {
            fit.mean.get(2).copied().unwrap_or(f64::NAN)
        }),
        trials("fitted", "100 trials by SAEM: how many have a fit with standard errors", (100.0, 0.0), |found| found.fitted as f64),
        trials("arm", "share whose 95 % interval covers the effect of the arm (0.90 to 1)", (0.95, 0.05), |found| found.arm),
        trials("all", "share whose simultaneous 95 % intervals cover all four fixed effects (0.90 to 1)", (0.95, 0.05), |found| {
            found.all
        }),
        trials("coverage", "mean coverage of the 95 % intervals of the fixed effects (0.92 to 0.98)", (0.95, 0.03), |found| {
            found.mean
        }),
    ]
}
