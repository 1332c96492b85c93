//! Models of PSA.

use super::{Claim, Ours, digits, words};
use twin_core::{Agent, Observable, Random, Time, TimedTreatment, Treatment};
use twin_models::composition::Description;
use twin_models::psa::{LinkedHazard, baez_kuang, escape, portz_kuang_nagy};
use twin_models::{Model, Scenario, simulate};

const DESMEE: &str = "Desmée 2015, strong link, typical patient: parameters; course computed from them";

const PORTZ: &str = "Portz-Kuang-Nagy 2012, equations and values recalled; course integrated by SciPy (DOP853, 1e-12)";
const BAEZ: &str = "Baez-Kuang 2016, model 2, equations and values recalled; course integrated by SciPy (DOP853, 1e-12)";
const HORI: &str = "Hori and Gambhir 2011, doi:10.1126/scitranslmed.3003110, parameters, and the 10.1 years of its abstract";
const AVANZINI: &str =
    "Avanzini et al. 2020, doi:10.1126/sciadv.abc4308, 0.21 equivalents per mL at 1 cm3; 1.7 in 15 mL of blood (preprint)";

/// What `model` shows of `observable` on `day` at its defaults, with 200 days of deprivation and 200 without.
fn intermittent(model: &dyn Model, agent: Agent, day: f64, observable: &Observable) -> Ours {
    let at = |day: f64| Time::from_days(day).map_err(words);
    let phases =
        [TimedTreatment::new(Time::ORIGIN, Treatment::on(agent.clone())), TimedTreatment::new(at(200.0)?, Treatment::off(agent))];
    let scenario = Scenario::starting(Time::ORIGIN).treated(phases).sampled([at(day)?]);
    let parameters = model.spec().defaults().map_err(words)?;
    let trajectory = simulate(model, &parameters, &scenario, &mut Random::new(0)).map_err(words)?;
    trajectory.column(observable).and_then(|column| column.first().copied()).ok_or_else(|| "nothing was seen".to_owned())
}

fn portz(day: f64, observable: &Observable) -> Ours {
    let agent = Agent::new("androgen deprivation").map_err(words)?;
    intermittent(&portz_kuang_nagy(&agent).with_relative_tolerance(1e-10), agent, day, observable)
}

fn baez(day: f64, observable: &Observable) -> Ours {
    let agent = Agent::new("androgen deprivation").map_err(words)?;
    intermittent(&baez_kuang(&agent).with_relative_tolerance(1e-10), agent, day, observable)
}

/// A marker beside exponential growth: its course on `days` from a volume of `start` mm3 that grows at `rate` per day.
fn marker(name: &str, (start, rate): (f64, f64), days: &[f64]) -> Result<Vec<f64>, String> {
    let description: Description = format!("exponential + {name}").parse().map_err(words)?;
    let model = description.build("marker").map_err(words)?;
    let parameters =
        model.spec().defaults().and_then(|p| p.with("initial_volume", start)?.with("growth_rate", rate)).map_err(words)?;
    let looks = days.iter().map(|&day| Time::from_days(day)).collect::<Result<Vec<_>, _>>().map_err(words)?;
    let scenario = Scenario::starting(Time::ORIGIN).sampled(looks);
    let trajectory = simulate(model.as_ref(), &parameters, &scenario, &mut Random::new(0)).map_err(words)?;
    trajectory.column(&Observable::new(name).map_err(words)?).ok_or_else(|| "no marker".to_owned())
}

/// Years from one cell until CA-125 exceeds the limit of its assay. The model starts at 1e-3 mm3, 200 cells, which one cell becomes in
/// ln 200 / 5.78e-3 days.
fn years_until_detection() -> Ours {
    let days: Vec<f64> = (2000..4000).map(f64::from).collect();
    let course = marker("ca125", (1e-3, 5.78e-3), &days)?;
    let found = days.iter().zip(&course).find(|(_, concentration)| **concentration > 34.11).map(|(day, _)| *day);
    found.map(|day| (day + 200.0_f64.ln() / 5.78e-3) / 365.25).ok_or_else(|| "never found".to_owned())
}

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
    for (day, psa, androgen) in [
        (100.0, 1.105_466, 0.504_864),
        (200.0, 0.672_699, 0.500_002),
        (300.0, 7.930_742, 14.995_136),
        (400.0, 16.071_889, 14.999_998),
    ] {
        let claim = format!("PSA on day {day} of 200 days of deprivation and 200 without, ng/mL");
        claims.push(digits(format!("psa.portz_day{day}"), claim, PORTZ, (psa, 1e-5), move || portz(day, &Observable::PSA)));
        let claim = format!("and testosterone on day {day}, nmol/L");
        claims.push(digits(format!("psa.portz_testosterone_day{day}"), claim, PORTZ, (androgen, 1e-5), move || {
            portz(day, &Observable::TESTOSTERONE)
        }));
    }
    for (day, psa, androgen) in [
        (100.0, 3.365_683, 1.128_959),
        (200.0, 0.333_805, 0.613_249),
        (300.0, 49.541_055, 10.998_178),
        (400.0, 427.010_329, 10.994_622),
    ] {
        let claim = format!("PSA on day {day} of 200 days of deprivation and 200 without, two populations, ng/mL");
        claims.push(Claim::quick(format!("psa.baez_kuang_day{day}"), claim, BAEZ, (psa, 1e-6 * psa), move || {
            baez(day, &Observable::PSA)
        }));
        let claim = format!("and androgen on day {day}, nmol/L");
        claims.push(digits(format!("psa.baez_kuang_androgen_day{day}"), claim, BAEZ, (androgen, 1e-5), move || {
            baez(day, &Observable::TESTOSTERONE)
        }));
    }
    let claim = "years from one cell until CA-125 is beyond the limit of its assay, 34.11 U/mL";
    claims.push(digits("psa.ca125_years", claim, HORI, (10.1, 0.1), years_until_detection));
    let claim = "CA-125 without a tumor, U/mL: 4560/(0.11 3150)";
    claims.push(digits("psa.ca125_background", claim, HORI, (13.160_173, 1e-5), || {
        // A thousandth of a cubic millimeter sheds less than a digit.
        marker("ca125", (1e-3, 1e-4), &[1.0])?.first().copied().ok_or_else(|| "no marker".to_owned())
    }));
    let claim = "tumor DNA in 15 mL of blood at 1 cm3, genome equivalents (plasma 55 % of it)";
    claims.push(digits("psa.ctdna_15_ml", claim, AVANZINI, (1.7, 0.1), || {
        // From 961 mm3 to 1 cm3 in ten days: the blood follows within hours.
        let course = marker("ctdna", (1000.0 * (-0.04_f64).exp(), 0.004), &[10.0])?;
        course.first().map(|concentration| concentration * 15.0 * 0.55).ok_or_else(|| "no marker".to_owned())
    }));
    claims
}
