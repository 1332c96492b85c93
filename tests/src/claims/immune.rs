//! Tumors, immune cells and vessels.

use super::{Claim, Ours, digits, words};
use twin_core::{Agent, Random, Time, TimedTreatment, Treatment};
use twin_models::angiogenic::{HahnfeldtParameters, hahnfeldt, hahnfeldt_equilibrium};
use twin_models::immune::{
    DePillisParameters, DePillisSet, KuznetsovParameters, Stability, de_pillis, kuznetsov, kuznetsov_equilibria,
};
use twin_models::{Model, ParameterSet, Parameters, Scenario, simulate};

const KUZNETSOV: &str = "Kuznetsov 1994: parameters; equilibria computed from them";
const DE_PILLIS: &str = "de Pillis 2005: parameters of public code; course computed from them";
const HAHNFELDT: &str = "Hahnfeldt 1999: parameters; figure computed from them";
const CONTROL: &str = "Ledzewicz-Schättler 2008: problem; optimum as reproduced (Betts 2010: 7571.67)";

/// The first observable at `days`.
fn seen(model: &dyn Model, parameters: &Parameters, treatments: Vec<TimedTreatment>, days: &[f64]) -> Result<Vec<f64>, String> {
    let looks = days.iter().map(|&day| Time::from_days(day)).collect::<Result<Vec<_>, _>>().map_err(words)?;
    let scenario = Scenario::starting(Time::ORIGIN).treated(treatments).sampled(looks);
    let trajectory = simulate(model, parameters, &scenario, &mut Random::new(0)).map_err(words)?;
    let width = trajectory.observables.len();
    Ok(trajectory.values.into_iter().step_by(width).collect())
}

fn last(values: Vec<f64>) -> Ours {
    values.last().copied().ok_or_else(|| "nothing was seen".to_owned())
}

fn defaults<P: ParameterSet<Of<f64> = P>>() -> Result<P, String> {
    P::from_values(&P::specs().iter().map(|spec| spec.default).collect::<Vec<_>>()).ok_or_else(|| "no parameters".to_owned())
}

/// The parameters of the scaled system of the publication: σ .1181, ρ 1.131, η 20.19, μ .00311, δ .3743, α 1.636, β .002 per unit of
/// time, 9.0827 days, here in days.
fn scaled() -> Result<KuznetsovParameters, String> {
    let kill = 0.1101;
    Ok(KuznetsovParameters {
        growth_rate: 1.636 * kill,
        crowding: 0.002,
        supply: 0.1181 * kill,
        recruitment: 1.131 * kill,
        half_recruitment: 20.19,
        inactivation: 0.003_11 * kill,
        kill,
        death_rate: 0.3743 * kill,
        ..defaults()?
    })
}

fn equilibria(claims: &mut Vec<Claim>) {
    let rows = [
        ("without_tumor", 0.315_522, 0.0, Stability::Saddle),
        ("dormant", 1.609_203, 8.189_707, Stability::StableSpiral),
        ("threshold", 0.759_765, 267.797_961, Stability::Saddle),
        ("escaped", 0.172_977, 447.134_229, Stability::StableNode),
    ];
    for (place, (name, effectors, tumor, stability)) in rows.into_iter().enumerate() {
        let of = move || kuznetsov_equilibria(&scaled()?).get(place).copied().ok_or_else(|| "no such equilibrium".to_owned());
        let mut row = |what: &str, expected: f64, run: Box<dyn Fn() -> Ours + Send + Sync>| {
            let claim = format!("equilibrium {name}: {what}");
            let id = format!("immune.kuznetsov_{name}_{}", what.replace(' ', "_"));
            claims.push(digits(id, claim, KUZNETSOV, (expected, 1e-6), run));
        };
        row("effector cells", effectors, Box::new(move || of().map(|found| found.effectors)));
        row("tumor cells", tumor, Box::new(move || of().map(|found| found.tumor)));
        row("stability as published", 1.0, Box::new(move || of().map(|found| f64::from(found.stability == stability))));
    }
    let dormant = || kuznetsov_equilibria(&scaled()?).get(1).copied().ok_or_else(|| "no such equilibrium".to_owned());
    let claim = "dormancy: real part of the eigenvalues per unit of time (9.0827 d)";
    claims.push(digits("immune.kuznetsov_dormant_real", claim, KUZNETSOV, (-0.050_094, 1e-6), move || {
        dormant().map(|found| found.real[0] / 0.1101)
    }));
    let claim = "dormancy: imaginary part of the eigenvalues per unit of time";
    claims.push(digits("immune.kuznetsov_dormant_imaginary", claim, KUZNETSOV, (0.576_297, 1e-6), move || {
        dormant().map(|found| found.imaginary / 0.1101)
    }));
    claims.push(digits("immune.kuznetsov_number", "number of equilibria", KUZNETSOV, (4.0, 1e-9), || {
        Ok(kuznetsov_equilibria(&scaled()?).len() as f64)
    }));
    claims.push(digits("immune.kuznetsov_unit_of_time", "unit of time in days", KUZNETSOV, (9.0827, 1e-4), || {
        Ok(1.0 / defaults::<KuznetsovParameters>()?.kill)
    }));
    let claim = "from (0.5, 1) the course ends in dormancy: tumor cells after 10 years, 1e6";
    claims.push(Claim::quick("immune.kuznetsov_orbit_dormant", claim, KUZNETSOV, (8.19, 0.05), || {
        let model = kuznetsov().map_err(words)?;
        let parameters = model.spec().defaults().map_err(words)?;
        last(seen(&model, &parameters, Vec::new(), &[3650.0])?)
    }));
}

fn natural_killers(claims: &mut Vec<Claim>) {
    let cells = |set: DePillisSet, day: f64| -> Ours {
        let model = de_pillis().map_err(words)?;
        let parameters = model.spec().defaults().and_then(|p| DePillisParameters::of_set(p, set)).map_err(words)?;
        last(seen(&model, &parameters, Vec::new(), &[day])?)
    };
    claims.push(digits(
        "immune.de_pillis_natural_killers",
        "natural killer cells without a tumor",
        DE_PILLIS,
        (315_534.0, 1.0),
        || {
            let p = defaults::<DePillisParameters>()?;
            Ok(p.natural_supply / p.natural_death)
        },
    ));
    for (day, expected, digit) in [(20.0, 1.47e8, 1e6), (40.0, 9.77e8, 1e6)] {
        let claim = format!("without ligand the tumor escapes: cells on day {day}");
        claims.push(digits(format!("immune.de_pillis_nn_day{day}"), claim, DE_PILLIS, (expected, digit), move || {
            cells(DePillisSet::Unligated, day)
        }));
    }
    let claim = "with ligand the tumor is gone by day 5: cells";
    claims.push(Claim::quick("immune.de_pillis_ll_day5", claim, DE_PILLIS, (0.0, 1.0), move || cells(DePillisSet::Ligated, 5.0)));
}

fn vessels(claims: &mut Vec<Claim>) {
    let agent = || Agent::new("inhibitor").map_err(words);
    claims.push(digits("effect.hahnfeldt_equilibrium", "volume at rest, mm3", HAHNFELDT, (17_346.523, 1e-3), || {
        hahnfeldt_equilibrium(&defaults::<HahnfeldtParameters>()?).ok_or_else(|| "no equilibrium".to_owned())
    }));
    claims.push(digits("effect.hahnfeldt_day5", "volume on day 5 from (200, 625), mm3", HAHNFELDT, (1104.954, 1e-3), move || {
        let model = hahnfeldt(&agent()?).with_relative_tolerance(1e-9);
        let parameters = model.spec().defaults().map_err(words)?;
        last(seen(&model, &parameters, Vec::new(), &[5.0])?)
    }));
    let optimum = move || -> Result<(f64, f64), String> {
        let model = hahnfeldt(&agent()?).with_relative_tolerance(1e-10);
        let start: f64 = 0.5 * ((5.85_f64 - 0.02) / 0.00873).powf(1.5);
        let set = [
            ("growth_rate", 0.084),
            ("stimulation_exponent", 0.0),
            ("capacity_loss", 0.02),
            ("initial_volume", start),
            ("initial_capacity", start / 2.0),
        ];
        let parameters = set.iter().try_fold(model.spec().defaults().map_err(words)?, |p, &(name, value)| p.with(name, value));
        let at =
            |day: f64, treatment: Treatment| Ok::<_, String>(TimedTreatment::new(Time::from_days(day).map_err(words)?, treatment));
        let dose = vec![at(0.0, Treatment::on(agent()?))?, at(0.2, Treatment::off(agent()?))?];
        let days: Vec<f64> = (0..4000).map(|n| 0.0005 * f64::from(n)).collect();
        let course = seen(&model, &parameters.map_err(words)?, dose, &days)?;
        let least = days.iter().zip(&course).min_by(|a, b| a.1.total_cmp(b.1)).map(|(day, volume)| (*day, *volume));
        least.ok_or_else(|| "no volume".to_owned())
    };
    let claim = "full dose for 0.2 days, then none: least volume, mm3";
    claims
        .push(digits("effect.antiangiogenic_optimum", claim, CONTROL, (7571.67, 1e-2), move || optimum().map(|(_, least)| least)));
    let claim = "volume at the start of the control, half of that at rest, mm3";
    claims.push(digits("effect.antiangiogenic_start", claim, CONTROL, (8628.82, 1e-2), || {
        let p = HahnfeldtParameters { capacity_loss: 0.02, ..defaults()? };
        hahnfeldt_equilibrium(&p).map(|rest| 0.5 * rest).ok_or_else(|| "no equilibrium".to_owned())
    }));
    claims.push(digits("effect.antiangiogenic_optimum_day", "and its day", CONTROL, (1.196, 1e-3), move || {
        optimum().map(|(day, _)| day)
    }));
}

pub(super) fn claims() -> Vec<Claim> {
    let mut claims = Vec::new();
    equilibria(&mut claims);
    natural_killers(&mut claims);
    vessels(&mut claims);
    claims
}
