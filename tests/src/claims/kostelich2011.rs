//! Assimilation of scans: the design of Kostelich et al. 2011, and the time of one scan.

use super::{Claim, Ours};
use crate::field_twin::{Shadowing, scan_seconds, shadow};
use std::sync::OnceLock;

const KOSTELICH: &str = "Kostelich et al. 2011, doi:10.1186/1745-6150-6-64: shadows a synthetic glioblastoma for 360 d in six cycles; bars of this project";

fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

pub(super) fn claims() -> Vec<Claim> {
    static FOUND: OnceLock<Result<Shadowing, String>> = OnceLock::new();
    let claim = |id: &str, claim: &str, (expected, tolerance), of: fn(&Shadowing) -> f64| Claim {
        id: format!("kostelich2011.{id}"),
        claim: claim.to_owned(),
        source: KOSTELICH,
        expected,
        tolerance,
        quick: false,
        run: Box::new(move || FOUND.get_or_init(|| shadow(40)).as_ref().map(|found| Some(of(found))).map_err(Clone::clone)),
    };
    vec![
        claim(
            "analysis_overlap",
            "six scans 60 d apart: least overlap (Dice) of the visible tumor after a scan (0.9 to 1)",
            (0.95, 0.05),
            |s| least(&s.analyses),
        ),
        claim("forecast_overlap", "least overlap of the last three 60-day forecasts (0.8 to 1)", (0.9, 0.1), |s| {
            least(s.forecasts.get(3..).unwrap_or_default())
        }),
        claim("error_over_free", "error after 360 d as a share of that of members without scans (below 0.5)", (0.25, 0.25), |s| {
            s.errors.last().copied().unwrap_or(f64::NAN) / s.free_errors.last().copied().unwrap_or(f64::NAN)
        }),
        Claim {
            id: "posterior.scan_seconds".to_owned(),
            claim: "one new scan updates a twin of 100 tumors at 1 mm: seconds on all threads (below 10)".to_owned(),
            source: "a bar of this project",
            expected: 5.0,
            tolerance: 5.0,
            quick: false,
            run: Box::new(|| -> Result<Option<f64>, String> {
                let seconds: Ours = scan_seconds(100).map(|(seconds, _)| seconds);
                seconds.map(Some)
            }),
        },
    ]
}
