//! Nonlinear mixed effects: theophylline against the exact maximum likelihood.

use super::Claim;
use crate::theophylline::saem;
use std::sync::OnceLock;
use twin_calibrate::population::PopulationFit;

const EXACT: &str = "Boeckmann, Sheiner and Beal 1994; adaptive Gauss-Hermite quadrature with 17 nodes";

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
    ]
}
