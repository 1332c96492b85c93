//! Strobl et al. 2021: days to progression under continuous and adaptive therapy.

use super::{Claim, Ours, words};
use std::sync::Arc;
use twin_core::{Agent, Observable, Span};
use twin_models::{Model, clones};
use twin_trials::{Adaptive, Continuous, FromList, Outcome, TimeToProgression, Trial, VirtualPatient, run};

const STROBL: &str = "Strobl 2021 Cancer Res, doi:10.1158/0008-5472.CAN-20-0806";
const CONTINUOUS: &str = "continuous";
const ADAPTIVE: &str = "adaptive, stop at 50 %";

/// Days to progression, (n0, fR, continuous, adaptive at 50 %).
const TABLE: [(f64, f64, f64, f64); 9] = [
    (0.25, 0.1, 106.0, 106.0),
    (0.25, 0.01, 207.0, 210.0),
    (0.25, 0.001, 296.0, 315.0),
    (0.45, 0.1, 139.0, 139.0),
    (0.45, 0.01, 246.0, 266.0),
    (0.45, 0.001, 335.0, 394.0),
    (0.75, 0.1, 278.0, 278.0),
    (0.75, 0.01, 369.0, 473.0),
    (0.75, 0.001, 452.0, 663.0),
];

/// The day on which the burden first exceeds 1.2 times its start, with a daily check.
fn progression(burden: f64, resistance: f64, arm: &str) -> Ours {
    let drug = Agent::new("abiraterone").map_err(words)?;
    let model = Arc::new(clones::sensitive_resistant(drug.clone()));
    let parameters = model.spec().defaults().and_then(|p| p.with("initial_burden", burden)?.with("initial_resistance", resistance));
    let patient = VirtualPatient::new(parameters.map_err(words)?);
    let endpoint = TimeToProgression::of(Observable::TUMOR_BURDEN, 1.2);
    let trial = Trial::new(model, FromList(vec![patient]), 1)
        .arm(CONTINUOUS, Continuous { agent: drug.clone() })
        .arm(ADAPTIVE, Adaptive::half(drug, Observable::TUMOR_BURDEN))
        .measure(Observable::TUMOR_BURDEN)
        .endpoint(endpoint.clone())
        .visits(Span::DAY, Span::from_days(1000.0).map_err(words)?);
    let outcomes = run(&trial).and_then(|report| report.outcomes(arm, &endpoint.name)).map_err(words)?;
    match outcomes.first() {
        Some(Outcome::Event(day)) => Ok(*day),
        other => Err(format!("no progression: {other:?}")),
    }
}

pub(super) fn claims() -> Vec<Claim> {
    let mut claims = Vec::new();
    for (burden, resistance, continuous, adaptive) in TABLE {
        let place = format!("n0_{:.0}_fr_{}", burden * 100.0, format!("{resistance}").replace("0.", ""));
        for (arm, short, expected) in [(CONTINUOUS, "ct", continuous), (ADAPTIVE, "at50", adaptive)] {
            let claim = format!("days to progression, {arm}, n0 {burden}, fR {resistance}");
            let run = move || progression(burden, resistance, arm);
            claims.push(Claim::quick(format!("strobl2021.{place}_{short}"), claim, STROBL, (expected, 0.0), run));
        }
    }
    claims
}
