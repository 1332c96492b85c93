//! Models of PSA.

use super::{Claim, Ours, digits, words};
use twin_core::{Agent, Observable, Random, Time, TimedTreatment, Treatment};
use twin_models::psa::{LinkedHazard, escape};
use twin_models::{Model, Scenario, simulate};

const DESMEE: &str = "Desmée 2015, strong link, typical patient: parameters; course computed from them";

/// PSA of the typical patient under treatment from the start, on `days`.
fn psa(days: &[f64]) -> Result<Vec<f64>, String> {
    let agent = Agent::new("docetaxel").map_err(words)?;
    let model = escape(&agent).with_relative_tolerance(1e-9);
    let looks = days.iter().map(|&day| Time::from_days(day)).collect::<Result<Vec<_>, _>>().map_err(words)?;
    let on = TimedTreatment::new(Time::ORIGIN, Treatment::on(agent));
    let scenario = Scenario::starting(Time::ORIGIN).treated([on]).sampled(looks);
    let parameters = model.spec().defaults().map_err(words)?;
    let trajectory = simulate(&model, &parameters, &scenario, &mut Random::new(0)).map_err(words)?;
    trajectory.column(&Observable::PSA).ok_or_else(|| "no PSA".to_owned())
}

fn survival() -> Ours {
    let days: Vec<f64> = (0..=3650).map(|n| 0.1 * f64::from(n)).collect();
    let hazard = LinkedHazard::new(1.5, 2150.0, 0.02).map_err(words)?;
    hazard.survival(&days, &psa(&days)?).map_err(words)
}

pub(super) fn claims() -> Vec<Claim> {
    let mut claims = Vec::new();
    for (day, expected) in [(140.0, 18.0119), (365.0, 41.4623), (735.0, 182.1417)] {
        let claim = format!("PSA on day {day}, ng/mL");
        claims.push(digits(format!("psa.desmee_day{day}"), claim, DESMEE, (expected, 1e-4), move || {
            psa(&[day])?.first().copied().ok_or_else(|| "no PSA".to_owned())
        }));
    }
    claims.push(digits("psa.desmee_survival_day365", "survival on day 365", DESMEE, (0.877_264, 1e-6), survival));
    claims
}
