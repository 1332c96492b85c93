//! Real PSA series: does the twin's forecast cover what came, and does it beat the last value carried forward?

use super::Claim;
use crate::psa::{Forecast, Score, abiraterone, intermittent, score};
use std::sync::OnceLock;

const BRUCHOVSKY: &str = "37 patients of Bruchovsky 2006, doi:10.1002/cncr.21989; a bar of this project";
const ZHANG: &str = "4 patients of Zhang 2022, doi:10.7554/eLife.76284; a bar of this project";

type Forecasts = Result<Option<Vec<Forecast>>, String>;

/// The score of forecasts that are made once for all claims on them.
fn scored(once: &OnceLock<Forecasts>, make: fn(&str) -> Forecasts, of: impl Fn(&Score) -> f64) -> Result<Option<f64>, String> {
    let forecasts = once.get_or_init(|| make("real_psa")).as_ref().map_err(Clone::clone)?;
    Ok(forecasts.as_ref().map(|forecasts| of(&score(forecasts))))
}

pub(super) fn claims() -> Vec<Claim> {
    static INTERMITTENT: OnceLock<Forecasts> = OnceLock::new();
    static ABIRATERONE: OnceLock<Forecasts> = OnceLock::new();
    let claim = |id: &str, claim: &str, source, (expected, tolerance), run: fn() -> Result<Option<f64>, String>| Claim {
        id: id.to_owned(),
        claim: claim.to_owned(),
        source,
        expected,
        tolerance,
        quick: false,
        run: Box::new(run),
    };
    let versus = "median absolute error of log10(PSA + 0.1), as a share of that of the last value carried forward (below 1)";
    vec![
        claim(
            "bruchovsky2006.coverage_90",
            "share of forecast points in the 90 % interval (0.80 to 0.97)",
            BRUCHOVSKY,
            (0.885, 0.085),
            || scored(&INTERMITTENT, intermittent, |score| score.coverage),
        ),
        claim("bruchovsky2006.error_over_carried_forward", versus, BRUCHOVSKY, (0.5, 0.499), || {
            scored(&INTERMITTENT, intermittent, |score| score.error / score.carried_error)
        }),
        claim("zhang2022.coverage_90", "share of forecast points in the 90 % interval (0.80 to 1)", ZHANG, (0.9, 0.1), || {
            scored(&ABIRATERONE, abiraterone, |score| score.coverage)
        }),
        claim("zhang2022.error_over_carried_forward", versus, ZHANG, (0.5, 0.499), || {
            scored(&ABIRATERONE, abiraterone, |score| score.error / score.carried_error)
        }),
    ]
}
