//! Effects of drugs on tumors.

use super::{Claim, Ours, digits, words};
use std::sync::Arc;
use twin_core::{Agent, Observable, Quantity, Random, Time, TimedTreatment, Treatment};
use twin_models::composition::{Coupled, Drug, Law, NoTumor, Response, RunningResponse, Signal, Tumor, TumorModel, UpTo};
use twin_models::effect::{
    LowGradeGliomaParameters, NortonSimon, Pathway, Simeoni, claret, claret_time_to_growth, low_grade_glioma, stein_fojo,
    stein_fojo_nadir,
};
use twin_models::growth::{Exponential, Gompertz, SmoothExponentialLinear, smooth_exponential_linear};
use twin_models::kinetics::{Compartments, Elimination, Route, drugs};
use twin_models::{Model, ParameterSet, Parameters, Scenario, Source, simulate};

const SIMEONI: &str = "Simeoni 2004, paclitaxel experiment 1: parameters; figure computed from them";
const CLARET: &str = "Claret 2014 (MONET1): parameters with the corrected columns; figure computed from them";
const STEIN: &str = "Stein-Fojo: closed form";
const MAZZOCCO: &str = "Mazzocco 2015: parameters; course computed from them";
const GENOTYPES: &str = "Mazzocco 2015: parameters; course integrated by SciPy (DOP853, 1e-11)";
const BUENO: &str = "Bueno et al. 2008, European Journal of Cancer 44:142, Calu6 xenografts";
const PATHWAY: &str = "all equations in one system, integrated by SciPy (DOP853, 1e-12)";
const NORTON: &str = "Norton-Simon: kill in proportion to untreated growth";

/// The first observable of `model` at `days`.
fn seen(model: &dyn Model, parameters: &Parameters, treatments: Vec<TimedTreatment>, days: &[f64]) -> Result<Vec<f64>, String> {
    let looks = days.iter().map(|&day| Time::from_days(day)).collect::<Result<Vec<_>, _>>().map_err(words)?;
    let scenario = Scenario::starting(Time::ORIGIN).treated(treatments).sampled(looks);
    let trajectory = simulate(model, parameters, &scenario, &mut Random::new(0)).map_err(words)?;
    let width = trajectory.observables.len();
    Ok(trajectory.values.into_iter().step_by(width).collect())
}

/// A drug of which an infusion holds the concentration: the volume turns over every six minutes.
fn steady() -> Result<Compartments<0>, String> {
    let start = Compartments::new(Agent::new("drug").map_err(words)?, Route::Intravenous, Elimination::Linear);
    let drug =
        start.with("clearance", 10.0, Source::assumed("a test")).and_then(|d| d.with("volume", 1.0, Source::assumed("a test")));
    drug.map_err(words)
}

/// Weights of proliferating and of all cells in g after `days` at a constant `concentration` in mg/L.
fn simeoni_at(concentration: f64, days: f64) -> Result<(f64, f64), String> {
    let model = TumorModel::<_, _, UpTo<8>>::model("simeoni", Law::<SmoothExponentialLinear>::new(), Drug::new(steady()?, Simeoni));
    let model = model.map_err(words)?;
    let parameters = model.spec().defaults().and_then(|p| p.with("initial_volume", 50.0)).map_err(words)?;
    let mut course = model.start(&parameters, Time::ORIGIN, &mut Random::new(0)).map_err(words)?;
    let agent = Agent::new("drug").map_err(words)?;
    // 240 L/d at this concentration, and a bolus that fills the volume at once.
    let span = twin_core::Span::from_days(days).map_err(words)?;
    let fill = Treatment::bolus(agent.clone(), Quantity::new(concentration, "mg").map_err(words)?).map_err(words)?;
    let hold =
        Treatment::infusion(agent, Quantity::new(240.0 * concentration * days, "mg").map_err(words)?, span).map_err(words)?;
    course.treat(&fill).and_then(|()| course.treat(&hold)).map_err(words)?;
    course.advance(Time::ORIGIN + span).map_err(words)?;
    let mut volume = [0.0];
    course.observe(&mut volume);
    let living = course.state().and_then(|state| state.first().copied()).ok_or("no state")?.exp();
    Ok((living / 1000.0, volume[0] / 1000.0))
}

fn simeoni(claims: &mut Vec<Claim>) {
    claims.push(digits(
        "effect.simeoni_threshold_weight",
        "weight at which growth turns linear, g",
        SIMEONI,
        (2.981_68, 1e-5),
        || {
            let specs = SmoothExponentialLinear::specs();
            let [rate, linear] =
                [0, 1].map(|place| specs.get(place).map_or(f64::NAN, |spec: &twin_models::ParameterSpec| spec.default));
            Ok(linear / rate / 1000.0)
        },
    ));
    for (day, weight) in [(5.0, 0.195_786), (10.0, 0.766_644), (15.0, 2.995_248), (20.0, 7.059_167), (30.0, 15.199_167)] {
        let claim = format!("untreated weight from 0.05 g on day {day}, g");
        claims.push(digits(format!("effect.simeoni_control_day{day}"), claim, SIMEONI, (weight, 1e-6), move || {
            let model = smooth_exponential_linear().with_relative_tolerance(1e-10);
            let parameters = model.spec().defaults().and_then(|p| p.with("initial_volume", 50.0)).map_err(words)?;
            let weights = seen(&model, &parameters, Vec::new(), &[day])?;
            weights.first().map(|weight| weight / 1000.0).ok_or_else(|| "no weight".to_owned())
        }));
    }
    let claim = "concentration of eradication, ng/mL";
    claims.push(digits("effect.simeoni_eradication", claim, SIMEONI, (434.022, 1e-3), || {
        // The loss is linear in the concentration: at which one does it equal the growth rate of a small tumor?
        let values: Vec<f64> = Simeoni.outline("drug").parameters.iter().map(|parameter| parameter.default).collect();
        let running = Simeoni.bind(&values).ok_or("no parameters")?;
        let per_ng = running.loss(1e-3, &Tumor { ln_living: 0.0, growth_rate: 0.0 });
        Ok(0.273 / per_ng)
    }));
    let claim = "delay of the exponential phase by the exposure of the experiment, d (closed form 2.7648, simulated 2.7647)";
    claims.push(Claim::quick("effect.simeoni_delay", claim, SIMEONI, (2.7648, 2e-4), simeoni_delay));
    let held = 0.273 / 0.629;
    claims.push(digits(
        "effect.simeoni_held_living",
        "living weight held at that concentration, g",
        SIMEONI,
        (0.05, 1e-6),
        move || simeoni_at(held, 100.0).map(|(living, _)| living),
    ));
    claims.push(digits(
        "effect.simeoni_held_total",
        "whole weight held at that concentration, g",
        SIMEONI,
        (0.092_303_7, 1e-6),
        move || simeoni_at(held, 100.0).map(|(_, total)| total),
    ));
}

/// By how much a bolus with the exposure of the experiment delays the exponential phase, in days, in a course of a small tumor.
fn simeoni_delay() -> Result<f64, String> {
    let model = TumorModel::<_, _, UpTo<8>>::model("simeoni", Law::<SmoothExponentialLinear>::new(), Drug::new(steady()?, Simeoni));
    let model = model.map_err(words)?.with_relative_tolerance(1e-9);
    let parameters = model.spec().defaults().and_then(|p| p.with("initial_volume", 0.01)).map_err(words)?;
    // k2 AUC = 2.7648 * 0.273: the exposure is the dose over 240 L/d.
    let dose = 240.0 * 2.7648 * 0.273 / 0.629;
    let agent = Agent::new("drug").map_err(words)?;
    let bolus = Treatment::bolus(agent, Quantity::new(dose, "mg").map_err(words)?).map_err(words)?;
    let treated = seen(&model, &parameters, vec![TimedTreatment::new(Time::ORIGIN, bolus)], &[20.0])?;
    let untreated = seen(&model, &parameters, Vec::new(), &[20.0])?;
    let ratio = untreated.first().zip(treated.first()).map(|(untreated, treated)| untreated / treated);
    ratio.map(|ratio| ratio.ln() / 0.273).ok_or_else(|| "no volume".to_owned())
}

fn curves(claims: &mut Vec<Claim>) {
    let monet = || -> Result<_, String> {
        let model = claret();
        let values = model.spec().defaults().map_err(words)?.values().to_vec();
        twin_models::effect::Claret::from_values(&values).ok_or_else(|| "no parameters".to_owned())
    };
    let claim = "time to growth, d (published medians of the arms: 93 and 125)";
    claims.push(digits("effect.claret_time_to_growth", claim, CLARET, (117.331, 1e-3), move || {
        claret_time_to_growth(&monet()?).map_err(words)
    }));
    let at = |day: f64| {
        let model = claret();
        let parameters = model.spec().defaults().map_err(words)?;
        seen(&model, &parameters, Vec::new(), &[day])?.first().copied().ok_or_else(|| "no diameter".to_owned())
    };
    let claim = "sum of diameters in week 8 relative to the start (published: 0.69 to 0.77)";
    claims.push(digits("effect.claret_week_8_ratio", claim, CLARET, (0.746_269, 1e-6), move || Ok(at(56.0)? / 90.0)));
    claims.push(digits("effect.claret_nadir", "nadir in mm", CLARET, (63.251, 1e-3), move || {
        at(claret_time_to_growth(&monet()?).map_err(words)?)
    }));
    let nadir = || -> Result<(f64, f64), String> {
        let values = stein_fojo().spec().defaults().map_err(words)?.values().to_vec();
        let curve = twin_models::effect::SteinFojo::from_values(&values).ok_or("no parameters")?;
        stein_fojo_nadir(&curve).map_err(words)
    };
    claims.push(digits(
        "effect.stein_fojo_nadir_day",
        "d = 0.01, g = 0.0005: day of the nadir",
        STEIN,
        (285.308, 1e-3),
        move || nadir().map(|(day, _)| day),
    ));
    claims.push(digits("effect.stein_fojo_nadir", "and the share that is left", STEIN, (0.210_997, 1e-6), move || {
        nadir().map(|(_, share)| share)
    }));
}

/// Diameters of a low-grade glioma of a genotype on `days`, with a cycle every 28 days for `cycles`.
fn glioma(days: &[f64], cycles: u32, (codeleted, mutated): (bool, bool)) -> Result<Vec<f64>, String> {
    let model = low_grade_glioma().map_err(words)?.with_relative_tolerance(1e-9);
    let (repair, damage) = LowGradeGliomaParameters::of_genotype(codeleted, mutated);
    let parameters = model.spec().defaults().and_then(|p| p.with("repair_rate", repair)?.with("damage", damage)).map_err(words)?;
    let agent = Agent::new("temozolomide").map_err(words)?;
    let cycle = Treatment::bolus(agent, Quantity::new(1.0, "1").map_err(words)?).map_err(words)?;
    let at = |n: u32| Ok(TimedTreatment::new(Time::from_days(28.0 * f64::from(n)).map_err(words)?, cycle.clone()));
    seen(&model, &parameters, (0..cycles).map(at).collect::<Result<Vec<_>, String>>()?, days)
}

fn low_grade(claims: &mut Vec<Claim>) {
    const MONTH: f64 = 30.4375;
    for (month, diameter) in [(12.0, 36.4532), (36.0, 47.4182)] {
        let claim = format!("untreated mean tumor diameter after {month} months, mm");
        claims.push(digits(format!("effect.mazzocco_untreated_month{month}"), claim, MAZZOCCO, (diameter, 1e-4), move || {
            glioma(&[month * MONTH], 0, (false, false))?.first().copied().ok_or_else(|| "no diameter".to_owned())
        }));
    }
    let least = || -> Result<(f64, f64), String> {
        let days: Vec<f64> = (0..6000).map(|n| 0.01 * MONTH * f64::from(n)).collect();
        let course = glioma(&days, 12, (false, false))?;
        let least = days.iter().zip(&course).min_by(|a, b| a.1.total_cmp(b.1)).map(|(day, diameter)| (*day / MONTH, *diameter));
        least.ok_or_else(|| "no diameter".to_owned())
    };
    claims.push(digits("effect.mazzocco_12_cycles_least", "12 cycles: least diameter, mm", MAZZOCCO, (27.917, 1e-3), move || {
        least().map(|(_, diameter)| diameter)
    }));
    claims.push(digits(
        "effect.mazzocco_12_cycles_month",
        "12 cycles: month of the least diameter",
        MAZZOCCO,
        (15.68, 0.01),
        move || least().map(|(month, _)| month),
    ));
}

/// The four genotypes, (1p/19q codeleted, TP53 mutated): diameters in months 12, 24 and 36 under twelve cycles.
fn genotypes(claims: &mut Vec<Claim>) {
    let rows = [
        ("wild_type", (false, false), [28.289_98, 30.027_40, 40.985_45]),
        ("mutated_tp53", (false, true), [30.539_34, 33.090_01, 43.720_72]),
        ("codeleted", (true, false), [28.262_63, 29.201_76, 38.842_66]),
        ("codeleted_mutated_tp53", (true, true), [30.466_64, 32.332_99, 41.902_17]),
    ];
    for (name, genotype, diameters) in rows {
        for (month, expected) in [12.0, 24.0, 36.0].into_iter().zip(diameters) {
            let claim = format!("{name}, 12 cycles: diameter in month {month}, mm");
            claims.push(digits(format!("effect.mazzocco_{name}_month{month}"), claim, GENOTYPES, (expected, 2e-5), move || {
                let seen = glioma(&[month * 30.4375], 12, genotype)?;
                seen.first().copied().ok_or_else(|| "no diameter".to_owned())
            }));
        }
    }
}

fn norton_simon(claims: &mut Vec<Claim>) {
    // Under a constant effect E the net rate is (1 - E) g: at E = 1, half of twice, nothing changes.
    let claim = "relative change of a Gompertz tumor in 50 days at a kill of once the untreated growth";
    claims.push(Claim::quick("effect.norton_simon_balance", claim, NORTON, (0.0, 1e-6), || {
        let model = TumorModel::<_, _, UpTo<4>>::model("ns", Law::<Gompertz>::new(), Drug::new(steady()?, NortonSimon));
        let model = model.map_err(words)?;
        let parameters = model
            .spec()
            .defaults()
            .and_then(|p| p.with("drug_norton_simon_max_kill", 2.0)?.with("drug_norton_simon_half_concentration", 2.0))
            .map_err(words)?;
        let mut course = model.start(&parameters, Time::ORIGIN, &mut Random::new(0)).map_err(words)?;
        let agent = Agent::new("drug").map_err(words)?;
        let span = twin_core::Span::from_days(50.0).map_err(words)?;
        let fill = Treatment::bolus(agent.clone(), Quantity::new(2.0, "mg").map_err(words)?).map_err(words)?;
        let hold = Treatment::infusion(agent, Quantity::new(480.0 * 50.0, "mg").map_err(words)?, span).map_err(words)?;
        course.treat(&fill).and_then(|()| course.treat(&hold)).map_err(words)?;
        course.advance(Time::ORIGIN + span).map_err(words)?;
        let mut volume = [0.0];
        course.observe(&mut volume);
        Ok::<_, String>(volume[0] / 100.0 - 1.0)
    }));
}

/// The share of a Gompertz tumor of `volume` mm3 that 20 days at a constant effect of 1.5 times the growth rate leave.
fn left_by_norton_simon(volume: f64) -> Ours {
    let model =
        TumorModel::<_, _, UpTo<4>>::model("ns", Law::<Gompertz>::new(), Drug::new(steady()?, NortonSimon)).map_err(words)?;
    let set = [("drug_norton_simon_max_kill", 3.0), ("drug_norton_simon_half_concentration", 2.0), ("initial_volume", volume)];
    let start = model.spec().defaults().map_err(words)?;
    let parameters = set.into_iter().try_fold(start, |p, (name, value)| p.with(name, value)).map_err(words)?;
    let (agent, span) = (Agent::new("drug").map_err(words)?, twin_core::Span::from_days(20.0).map_err(words)?);
    let fill = Treatment::bolus(agent.clone(), Quantity::new(2.0, "mg").map_err(words)?).map_err(words)?;
    let hold = Treatment::infusion(agent, Quantity::new(480.0 * 20.0, "mg").map_err(words)?, span).map_err(words)?;
    let given = [fill, hold].map(|treatment| TimedTreatment::new(Time::ORIGIN, treatment)).into();
    let end = seen(&model.with_relative_tolerance(1e-10), &parameters, given, &[20.0])?;
    end.first().map(|left| left / volume).ok_or_else(|| "no volume".to_owned())
}

/// `ln V` of a Gompertz tumor at `(1 - E)` of its growth: `ln(V/K) exp(-(1 - E) β t)`, here with E = 1.5, β = 0.02 and K = 2e4 mm3.
fn smaller_tumors(claims: &mut Vec<Claim>) {
    for volume in [100.0, 10_000.0] {
        let expected = ((volume / 2e4_f64).ln() * ((0.5 * 0.02 * 20.0_f64).exp() - 1.0)).exp();
        let claim = format!("share of {volume} mm3 left by the same dose: the smaller tumor loses the larger share");
        let id = format!("effect.norton_simon_left_{volume}");
        claims.push(Claim::quick(id, claim, NORTON, (expected, 1e-6), move || left_by_norton_simon(volume)));
    }
}

/// `exponential + pathway(galunisertib)`, its scales coupled more tightly than usual.
fn coupled() -> Result<Coupled, String> {
    let drug = Drug::new(drugs::galunisertib().map_err(words)?, Pathway);
    let fast = TumorModel::<_, _, UpTo<8>>::model("galunisertib", NoTumor, drug).map_err(words)?;
    let drive = Agent::new("pathway inhibition").map_err(words)?;
    let slow = TumorModel::<_, _, UpTo<4>>::model("tumor", Law::<Exponential>::new(), Signal::new(drive.clone())).map_err(words)?;
    let signal = Observable::new(&Pathway::signal("galunisertib")).map_err(words)?;
    let model = Coupled::new("calu6", Arc::new(fast), Arc::new(slow), &signal, &drive).map_err(words)?;
    Ok(model.with_relative_tolerance(1e-8))
}

/// Galunisertib, 150 mg twice daily for two weeks, by its pathway to growth: volume, inhibition and the signal that has arrived on `day`.
fn pathway(day: f64, what: &str) -> Ours {
    let model = coupled()?;
    let agent = Agent::new("galunisertib").map_err(words)?;
    let tablet = Treatment::oral(agent, Quantity::new(150.0, "mg").map_err(words)?).map_err(words)?;
    let at = |day: f64| Time::from_days(day).map_err(words);
    // The concentration of half the inhibition that the equations were integrated with.
    let parameters = model.spec().defaults().and_then(|p| p.with("galunisertib_pathway_half_concentration", 0.2)).map_err(words)?;
    let mut course = model.start(&parameters, Time::ORIGIN, &mut Random::new(0)).map_err(words)?;
    for n in 0..28_u32 {
        let given = 0.5 * f64::from(n);
        if given <= day {
            course.advance(at(given)?).and_then(|()| course.treat(&tablet)).map_err(words)?;
        }
    }
    course.advance(at(day)?).map_err(words)?;
    let mut seen = vec![0.0; model.spec().observables.len()];
    course.observe(&mut seen);
    let place = model.spec().observables.iter().position(|known| known.observable.as_str() == what);
    place.and_then(|place| seen.get(place).copied()).ok_or_else(|| format!("no {what}"))
}

fn pathways(claims: &mut Vec<Claim>) {
    for (day, volume, inhibition) in
        [(7.25, 112.376_139, 0.646_557_32), (14.25, 120.092_685, 0.406_797_74), (28.0, 146.555_973, 0.0), (60.0, 277.057_596, 0.0)]
    {
        let claim = format!("volume on day {day}, each scale with its own steps, mm3");
        let id = format!("effect.pathway_volume_day{day}").replace('.', "p").replacen('p', ".", 1);
        claims.push(Claim::quick(id, claim, PATHWAY, (volume, 1e-5 * volume), move || pathway(day, "tumor_volume")));
        let claim = format!("inhibition of the pathway on day {day}");
        let id = format!("effect.pathway_inhibition_day{day}").replace('.', "p").replacen('p', ".", 1);
        claims.push(Claim::quick(id, claim, PATHWAY, (inhibition, 1e-6), move || pathway(day, "galunisertib_pathway_inhibition")));
    }
    let claim = "half-time of the turnover of pSmad, min";
    claims.push(digits("effect.pathway_turnover", claim, BUENO, (18.6, 0.1), || {
        let outline = Pathway.outline("galunisertib");
        outline.parameters.first().map(|spec| 60.0 * spec.default).ok_or_else(|| "no parameter".to_owned())
    }));
    let claim = "mean time of the signal to the tumor, d: the area over the response to a step, from a course";
    claims.push(Claim::quick("effect.pathway_propagation", claim, BUENO, (6.17, 1e-3), || {
        let drive = Agent::new("drive").map_err(words)?;
        let model =
            TumorModel::<_, _, UpTo<4>>::model("signal", Law::<Exponential>::new(), Signal::new(drive.clone())).map_err(words)?;
        let parameters = model.spec().defaults().and_then(|p| p.with("growth_rate", 0.02)).map_err(words)?;
        let on = TimedTreatment::new(Time::ORIGIN, Treatment::on(drive));
        // What grows until the full signal has arrived is the growth rate times that area.
        let end = seen(&model.with_relative_tolerance(1e-10), &parameters, vec![on], &[200.0])?;
        end.first().map(|volume| (volume / 100.0).ln() / 0.02).ok_or_else(|| "no volume".to_owned())
    }));
}

pub(super) fn claims() -> Vec<Claim> {
    let mut claims = Vec::new();
    simeoni(&mut claims);
    curves(&mut claims);
    low_grade(&mut claims);
    genotypes(&mut claims);
    norton_simon(&mut claims);
    smaller_tumors(&mut claims);
    pathways(&mut claims);
    claims
}
