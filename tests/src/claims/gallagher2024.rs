//! Gallagher et al. 2024: adaptive therapy by one threshold of the burden, sought on the model of Strobl et al. 2021.

use super::{Claim, words};
use std::sync::Arc;
use twin_core::{Agent, Observable, Span};
use twin_models::{Model, clones};
use twin_trials::planning::{Confidence, Evolution, Objective, Plan, Question, ThresholdSpace, search};
use twin_trials::{Adaptive, Continuous, FromList, TimeToProgression, Trial, VirtualPatient};

const GALLAGHER: &str = "Gallagher 2024 Cancer Res 84:1929: learned schedules, alike to one threshold, more than double the time to progression of \
                         the clinical rule; rows of Strobl 2021, doi:10.1158/0008-5472.CAN-20-0806";

/// The rows of Strobl et al.: n0 and fR.
const ROWS: [(f64, f64); 9] =
    [(0.25, 0.1), (0.25, 0.01), (0.25, 0.001), (0.45, 0.1), (0.45, 0.01), (0.45, 0.001), (0.75, 0.1), (0.75, 0.01), (0.75, 0.001)];

/// Days to progression under adaptive therapy at 50 %, and under the best thresholds that the search finds; looked at daily for ten years.
fn days(burden: f64, resistance: f64) -> Result<(f64, f64), String> {
    let drug = Agent::new("abiraterone").map_err(words)?;
    let model = Arc::new(clones::sensitive_resistant(drug.clone()));
    let parameters = model.spec().defaults().and_then(|p| p.with("initial_burden", burden)?.with("initial_resistance", resistance));
    let cohort = FromList(vec![VirtualPatient::new(parameters.map_err(words)?)]);
    let setting =
        Trial::new(model, cohort, 1).measure(Observable::TUMOR_BURDEN).visits(Span::DAY, Span::from_days(3650.0).map_err(words)?);
    let objective = || Objective::most(TimeToProgression::of(Observable::TUMOR_BURDEN, 1.2));
    let marker = Observable::TUMOR_BURDEN;
    let clinical = Plan::adaptive("clinical rule", Adaptive::half(drug.clone(), marker.clone()));
    let continuous = Plan::adaptive("continuous", Continuous { agent: drug.clone() });
    let question = Question::new(setting.clone(), continuous, objective(), Confidence::new(1.0));
    // Off from a twentieth of the start up to just below progression; on again at once or up to half the start later.
    let space = ThresholdSpace { agent: drug, marker, stop_at: (0.05, 1.19), above: (0.0, 0.5) }.space().map_err(words)?;
    let method = Evolution { population: 16, generations: 20, ..Evolution::default() };
    let front = search(&question, &space, &[objective()], &method).map_err(words)?;
    let found = front.plans.first().and_then(|plan| plan.objectives.first()).copied().ok_or("no plan")?;
    let endpoint = objective().endpoint;
    let known = twin_trials::planning::evaluate(&setting, &[clinical], &[endpoint]).map_err(words)?;
    Ok((*known.values(0, 0).first().ok_or("no course")?, found))
}

pub(super) fn claims() -> Vec<Claim> {
    let mut claims = Vec::new();
    for (burden, resistance) in ROWS {
        let place = format!("n0_{:.0}_fr_{}", burden * 100.0, format!("{resistance}").replace("0.", ""));
        let claim =
            format!("days under the clinical rule over those under the best thresholds, n0 {burden}, fR {resistance}: at most 1");
        let run = move || days(burden, resistance).map(|(clinical, found)| clinical / found);
        claims.push(Claim { quick: false, ..Claim::quick(format!("gallagher2024.{place}"), claim, GALLAGHER, (0.5, 0.5), run) });
    }
    // The virtual patient of the authors' program: n0 0.75, fR 0.001, neither cost nor turnover. A second in release.
    let claim = "the same for the patient of the authors' program, n0 0.75, fR 0.001: below one half";
    claims.push(Claim::quick("gallagher2024.doubled", claim, GALLAGHER, (0.25, 0.25), || {
        days(0.75, 0.001).map(|(clinical, found)| clinical / found)
    }));
    claims
}
