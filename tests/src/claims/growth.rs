//! Growth laws against their closed forms and published parameter sets.

use super::{Claim, Ours, words};
use twin_core::{Observable, Random, Time};
use twin_models::{Model, ParameterSet, Scenario, growth, simulate};

const BENZEKRY: &str = "Benzekry 2014 PLoS Comput Biol (parameters recalled, curve computed from them)";
const MPMATH: &str = "closed form, 25 digits";

/// The volume of `model` at `day`, with the parameters given by name.
fn volume(model: &dyn Model, values: &[(&str, f64)], day: f64) -> Ours {
    let mut parameters = model.spec().defaults().map_err(words)?;
    for (name, value) in values {
        parameters = parameters.with(name, *value).map_err(words)?;
    }
    let scenario = Scenario::starting(Time::ORIGIN).sampled([Time::from_days(day).map_err(words)?]);
    let trajectory = simulate(model, &parameters, &scenario, &mut Random::new(0)).map_err(words)?;
    let volumes = trajectory.column(&Observable::TUMOR_VOLUME).unwrap_or_default();
    volumes.last().copied().ok_or_else(|| "no volume".to_owned())
}

pub(super) fn claims() -> Vec<Claim> {
    let mut claims = Vec::new();
    // Lewis lung carcinoma, V0 = 1 mm3, a = 0.742 and beta = 0.0792 per day: K = V0 exp(a/beta).
    let capacity = (0.742_f64 / 0.0792).exp();
    for (day, expected, tolerance) in [(5, 21.402, 5e-4), (10, 168.217, 5e-4), (15, 673.728, 5e-4), (20, 1714.153, 5e-4)] {
        let id = format!("benzekry2014.gompertz_volume_day{day}");
        let run = move || {
            let values = [("decay_rate", 0.0792), ("carrying_capacity", capacity), ("initial_volume", 1.0)];
            volume(&growth::gompertz(), &values, f64::from(day))
        };
        claims.push(Claim::quick(
            id,
            format!("Gompertz, Lewis lung: volume on day {day} in mm3"),
            BENZEKRY,
            (expected, tolerance),
            run,
        ));
    }
    // The certified curves are in other units; scale by 1000 so that they lie in the models' ranges.
    for (day, expected) in [(1.0, 77.819_563_493_402_1), (10.0, 769.520_293_117_609), (30.0, 2_246.558_974_854_958)] {
        let run = move || {
            let values = [("decay_rate", 0.12), ("carrying_capacity", 2500.0), ("initial_volume", 50.0)];
            volume(&growth::gompertz(), &values, day)
        };
        claims.push(Claim::quick(
            format!("closed_form.gompertz_day{day}"),
            "Gompertz volume in mm3",
            MPMATH,
            (expected, 1e-3),
            run,
        ));
    }
    for (day, expected) in [(1.0, 63.838_634_836_614_1), (10.0, 497.793_289_062_721), (30.0, 2_434.034_893_847_117)] {
        let run = move || {
            let values = [("growth_rate", 0.25), ("carrying_capacity", 2500.0), ("initial_volume", 50.0)];
            volume(&growth::logistic(), &values, day)
        };
        claims.push(Claim::quick(
            format!("closed_form.logistic_day{day}"),
            "logistic volume in mm3",
            MPMATH,
            (expected, 1e-3),
            run,
        ));
    }
    // V' = a V^(2/3) - b V: scaling the volume by 1000 scales the uptake by 10.
    for (day, expected) in [(1.0, 132.383_247_842_317_6), (5.0, 776.199_206_635_900_7), (20.0, 2_871.600_042_093_886)] {
        let run = move || {
            let values = [("uptake_rate", 6.0), ("loss_rate", 0.4), ("initial_volume", 50.0)];
            volume(&growth::bertalanffy(), &values, day)
        };
        claims.push(Claim::quick(
            format!("closed_form.bertalanffy_day{day}"),
            "von Bertalanffy volume in mm3",
            MPMATH,
            (expected, 1e-3),
            run,
        ));
    }
    claims.push(Claim::quick("growth.lewis_lung_capacity", "Gompertz, Lewis lung: K in mm3", BENZEKRY, (11_715.7, 0.1), || {
        let sets = growth::GROWTH_PARAMETER_SETS.iter();
        let set = sets.clone().find(|set| set.model == "gompertz").ok_or("no such set")?;
        set.of(&growth::gompertz()).and_then(|p| p.get("carrying_capacity")).map_err(words)
    }));
    claims.push(Claim::quick(
        "growth.power_law_day20",
        "power law, Lewis lung: volume on day 20 in mm3",
        BENZEKRY,
        (1810.29, 0.01),
        || {
            let values = [("growth_rate", 0.921), ("exponent", 0.788), ("initial_volume", 1.0)];
            volume(&growth::power_law(), &values, 20.0)
        },
    ));
    claims.push(Claim::quick(
        "closed_form.exponential_doubling",
        "volume after one doubling time ln2/a",
        "ln 2 / a",
        (200.0, 1e-4),
        || volume(&growth::exponential(), &[("growth_rate", 0.05), ("initial_volume", 100.0)], std::f64::consts::LN_2 / 0.05),
    ));
    claims.push(Claim::quick(
        "closed_form.bertalanffy_putter_limit",
        "(a/b)^(1/(delta-gamma)) in mm3",
        "closed form",
        (625.0, 1e-2),
        || {
            let values = [
                ("uptake_rate", 1.0),
                ("uptake_exponent", 0.75),
                ("loss_rate", 0.2),
                ("loss_exponent", 1.0),
                ("initial_volume", 1.0),
            ];
            volume(&growth::bertalanffy_putter(), &values, 3000.0)
        },
    ));
    claims.push(Claim::quick(
        "growth.power_law_and_gompertz",
        "power law over Gompertz on day 20, Lewis lung: within 6 %",
        BENZEKRY,
        (1.0, 0.06),
        move || {
            let gompertz = [("decay_rate", 0.0792), ("carrying_capacity", capacity), ("initial_volume", 1.0)];
            let power = [("growth_rate", 0.921), ("exponent", 0.788), ("initial_volume", 1.0)];
            Ok(volume(&growth::power_law(), &power, 20.0)? / volume(&growth::gompertz(), &gompertz, 20.0)?)
        },
    ));
    // Exponential until a V = b at V = 1000 mm3 on day ln(10)/0.05, then linear: continuous, and so is the slope.
    let turn = std::f64::consts::LN_10 / 0.05;
    for (name, what, step, expected) in [
        ("volume", "volume at the turn, mm3", 0.0_f64, 1000.0),
        ("slope_before", "slope just before the turn, mm3/d", -1e-3, 50.0),
        ("slope_after", "slope just after the turn, mm3/d", 1e-3, 50.0),
    ] {
        let claim = format!("exponential-linear growth: {what}");
        claims.push(Claim::quick(format!("growth.exponential_linear_{name}"), claim, "closed form", (expected, 5e-3), move || {
            let values = [("growth_rate", 0.05), ("linear_rate", 50.0), ("initial_volume", 100.0)];
            let of = |day: f64| volume(&growth::exponential_linear().with_relative_tolerance(1e-11), &values, day);
            if step.abs() > 0.0 { Ok((of(turn + step)? - of(turn)?) / step) } else { of(turn) }
        }));
    }
    let (zhang, jaaskelainen) = ("Zhang et al. 2017, doi:10.12659/MSM.901566", "Jaaskelainen et al. 1985, as reviewed");
    for (name, disease, source, days) in [
        ("breast", "breast cancer, human", zhang, 164.0),
        ("meningioma_benign", "meningioma, benign, human", jaaskelainen, 415.0),
        ("meningioma_atypical", "meningioma, atypical, human", jaaskelainen, 178.0),
        ("meningioma_anaplastic", "meningioma, anaplastic, human", jaaskelainen, 205.0),
    ] {
        let claim = format!("{disease}: volume after the published doubling time, relative to the start");
        claims.push(Claim::quick(format!("growth.doubling_{name}"), claim, source, (2.0, 1e-4), move || {
            let set = growth::GROWTH_PARAMETER_SETS.iter().find(|set| set.disease == disease).ok_or("no such set")?;
            let model = growth::exponential();
            let parameters = set.of(&model).map_err(words)?;
            let start = parameters.get("initial_volume").map_err(words)?;
            let rate = parameters.get("growth_rate").map_err(words)?;
            Ok(volume(&model, &[("growth_rate", rate)], days)? / start)
        }));
    }
    claims.push(Claim::quick(
        "growth.tumor_age",
        "reduced Gompertz: days between the ages of a tumor at the start and at the end of 40 days of its course",
        "closed form against the course",
        (40.0, 1e-3),
        || {
            let values = [("decay_rate", 0.07), ("initial_volume", 100.0)];
            let end = volume(&growth::reduced_gompertz().with_relative_tolerance(1e-10), &values, 40.0)?;
            let defaults: Vec<f64> = growth::ReducedGompertz::<f64>::specs().iter().map(|spec| spec.default).collect();
            let law = growth::ReducedGompertz::<f64>::from_values(&defaults).ok_or("no parameters")?;
            let age = |volume: f64| growth::tumor_age(&law, volume).map(|span| span.days()).map_err(words);
            Ok(age(end)? - age(100.0)?)
        },
    ));
    claims
}
