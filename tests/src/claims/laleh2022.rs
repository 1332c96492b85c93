//! Target lesions under atezolizumab: fits by trial, and forecasts against the last value carried forward.

use super::Claim;
use crate::laleh::{Score, Series, forecasts, gompertz_r2, series};
use std::sync::OnceLock;

const LALEH: &str = "Ghaffari Laleh et al. 2022, doi:10.1371/journal.pcbi.1009822, computed again from its S1 data by trial";
const BAR: &str = "a bar of this project, on the data of Ghaffari Laleh et al. 2022";

fn claim(
    id: &str,
    claim: &str,
    source: &'static str,
    (expected, tolerance): (f64, f64),
    of: impl Fn(&[Series]) -> f64 + Send + Sync + 'static,
) -> Claim {
    Claim {
        id: format!("laleh2022.{id}"),
        claim: claim.to_owned(),
        source,
        expected,
        tolerance,
        quick: true,
        run: Box::new(move || Ok(series("laleh2022")?.map(|series| of(&series)))),
    }
}

pub(super) fn claims() -> Vec<Claim> {
    static SCORES: OnceLock<[Score; 2]> = OnceLock::new();
    let scores = |series: &[Series]| *SCORES.get_or_init(|| forecasts(series));
    let mut claims: Vec<Claim> = [("FIR", 0.846), ("POPLAR", 0.805), ("BIRCH", 0.838)]
        .into_iter()
        .map(|(trial, expected)| {
            let id = format!("gompertz_r2_{}", trial.to_lowercase());
            let what = format!("median share of variance explained by Gompertz curves, {trial}");
            claim(&id, &what, LALEH, (expected, 0.02), move |series| gompertz_r2(series, trial))
        })
        .collect();
    claims.push(claim(
        "last_value_error",
        "last value carried forward: median error of the last 3 points over the patient's maximum, 3 trials",
        "computed apart from this library, 313 patients",
        (0.092_527, 5e-4),
        move |series| scores(series)[1].error,
    ));
    claims.push(claim(
        "forecast_coverage_90",
        "forecasts from other patients in a like state: coverage of 90 % intervals (0.87 to 0.93)",
        BAR,
        (0.90, 0.03),
        move |series| scores(series)[0].coverage,
    ));
    claims.push(claim(
        "forecast_crps_over_last_value",
        "their CRPS as a share of that of the last value with its errors in other patients (below 1)",
        BAR,
        (0.5, 0.499),
        move |series| scores(series)[0].crps / scores(series)[1].crps,
    ));
    claims.push(claim(
        "forecast_error_over_last_value",
        "their median error as a share of that of the last value (at most 1)",
        BAR,
        (0.5, 0.5),
        move |series| scores(series)[0].error / scores(series)[1].error,
    ));
    claims
}
