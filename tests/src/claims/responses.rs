//! Kinetics and effects of drugs against closed forms and quadrature.

use super::{Claim, Ours, words};
use twin_core::{Agent, Observable, Quantity, Random, Span, Time, TimedTreatment, Treatment};
use twin_models::composition::{Drug, Law, NoTumor, Response, TumorModel, UpTo};
use twin_models::effect::{Emax, LogKill, biexponential, wang};
use twin_models::growth::Exponential;
use twin_models::kinetics::{Compartments, Disposition, Elimination, Profile, Route, drugs};
use twin_models::{Model, Scenario, Source, simulate};

const QUADRATURE: &str = "closed form or quadrature, relative difference";

fn dose(agent: &str, mg: f64) -> Result<TimedTreatment, String> {
    let agent = Agent::new(agent).map_err(words)?;
    let bolus = Treatment::bolus(agent, Quantity::new(mg, "mg").map_err(words)?).map_err(words)?;
    Ok(TimedTreatment::new(Time::ORIGIN, bolus))
}

/// `observable` of `model` at the defaults `hours` after the start.
fn seen(model: &dyn Model, given: Vec<TimedTreatment>, hours: f64, observable: &Observable) -> Ours {
    let look = Time::ORIGIN + Span::from_hours(hours).map_err(words)?;
    let scenario = Scenario::starting(Time::ORIGIN).treated(given).sampled([look]);
    let parameters = model.spec().defaults().map_err(words)?;
    let course = simulate(model, &parameters, &scenario, &mut Random::new(0)).map_err(words)?;
    course.column(observable).and_then(|column| column.first().copied()).ok_or_else(|| format!("no {observable}"))
}

/// The integral of `f` from 0 to `end` by midpoints, and by those of half as many extrapolated.
fn integral(f: impl Fn(f64) -> f64, end: f64) -> f64 {
    let by = |count: u32| {
        let width = end / f64::from(count);
        (0..count).map(|n| f((f64::from(n) + 0.5) * width)).sum::<f64>() * width
    };
    let (coarse, fine) = (by(20_000), by(40_000));
    fine + (fine - coarse) / 3.0
}

/// The concentration of the shipped fluorouracil `hours` after 400 mg: `C₀ - C + Km ln(C₀/C) = Vmax/V t`, by bisection.
fn saturable(hours: f64) -> Ours {
    let drug = drugs::fluorouracil().map_err(words)?;
    let model = TumorModel::<_, _, UpTo<4>>::model("saturable", NoTumor, Drug::new(drug, ())).map_err(words)?;
    let observable = Observable::new("fluorouracil_concentration").map_err(words)?;
    let ours = seen(&model.with_relative_tolerance(1e-11), vec![dose("fluorouracil", 400.0)?], hours, &observable)?;
    let (start, half, rate) = (400.0 / 20.0, 15.0, 1500.0 / 20.0);
    let (mut low, mut high) = (0.0, start);
    for _ in 0..200 {
        let middle: f64 = 0.5 * (low + high);
        if start - middle + half * (start / middle).ln() > rate * hours { low = middle } else { high = middle }
    }
    Ok(ours / low - 1.0)
}

/// One compartment whose clearance falls: `C = C₀ exp(-∫ CL/V)`.
fn time_varying(hours: f64) -> Ours {
    let mut drug = Compartments::<0>::new(Agent::new("drug").map_err(words)?, Route::Intravenous, Elimination::TimeVarying);
    let values = [
        ("clearance", 5.0),
        ("clearance_change", -0.5),
        ("clearance_half_time", 100.0),
        ("clearance_steepness", 2.0),
        ("volume", 500.0),
    ];
    for (name, value) in values {
        drug = drug.with(name, value, Source::assumed("a test")).map_err(words)?;
    }
    let model = TumorModel::<_, _, UpTo<4>>::model("time varying", NoTumor, Drug::new(drug, ())).map_err(words)?;
    let observable = Observable::new("drug_concentration").map_err(words)?;
    let ours = seen(&model.with_relative_tolerance(1e-11), vec![dose("drug", 400.0)?], hours, &observable)?;
    let clearance = |t: f64| {
        let share = (t / 100.0).powi(2);
        5.0 * (-0.5 * share / (1.0 + share)).exp()
    };
    Ok(ours / (0.8 * (-integral(clearance, hours) / 500.0).exp()) - 1.0)
}

/// The volume of an exponential tumor after 300 mg of carboplatin, whose concentration is `C₀ exp(-k t)`, over that by the closed form.
fn killed(response: impl Response, days: f64, ln_kept: impl Fn(f64, f64) -> f64) -> Ours {
    let drug = Drug::new(drugs::carboplatin().map_err(words)?, response);
    let model = TumorModel::<_, _, UpTo<4>>::model("killed", Law::<Exponential>::new(), drug).map_err(words)?;
    let given = vec![dose("carboplatin", 300.0)?];
    let ours = seen(&model.with_relative_tolerance(1e-11), given, 24.0 * days, &Observable::TUMOR_VOLUME)?;
    let (start, rate) = (300.0 / 17.0, 24.0 * 6.9 / 17.0);
    let end = start * (-rate * days).exp();
    // Of growth 0.02/d from 100 mm³; the integral of a function of C over t is that of itself over C k, from `end` to `start`.
    Ok(ours / (100.0 * (0.02 * days + ln_kept(start, end) / rate).exp()) - 1.0)
}

/// The effect compartment behind two compartments, against the convolution `k ∫ C(s) exp(-k (t - s)) ds`.
fn effect_compartment(hours: f64) -> Ours {
    let two = Disposition::two_compartments(5.0, 20.0, (3.0, 40.0)).map_err(words)?;
    let profile = Profile::new(two.clone().effect_compartment(0.4).map_err(words)?).bolus(0.0, 100.0).map_err(words)?;
    let convolved = integral(|s| 0.4 * 100.0 * two.after_bolus(s) * (-0.4 * (hours - s)).exp(), hours);
    Ok(profile.concentration(hours) / convolved - 1.0)
}

/// The sum of diameters at the defaults of `model` after 100 days, in mm.
fn after_100_days(model: &dyn Model) -> Ours {
    seen(model, Vec::new(), 2400.0, &Observable::SUM_OF_DIAMETERS)
}

pub(super) fn claims() -> Vec<Claim> {
    const CURVES: &str = "closed form at the defaults";
    let row = |id: &str, claim: &str, tolerance: f64, run: fn() -> Ours| Claim::quick(id, claim, QUADRATURE, (0.0, tolerance), run);
    vec![
        row("kinetics.saturable", "fluorouracil 15 min after 400 mg, by Michaelis and Menten", 1e-8, || saturable(0.25)),
        row("kinetics.time_varying", "clearance that falls by exp(-0.5), after 10 days", 1e-8, || time_varying(240.0)),
        row("kinetics.effect_compartment", "effect compartment after 7 hours", 1e-8, || effect_compartment(7.0)),
        row("effect.log_kill", "exponential tumor a week after carboplatin with log-kill at 0.05 L/(mg d)", 1e-7, || {
            killed(LogKill, 7.0, |start, end| -0.05 * (start - end))
        }),
        row("effect.emax", "exponential tumor a week after carboplatin with 0.1 C/(1 + C) per day", 1e-7, || {
            killed(Emax, 7.0, |start, end| -0.1 * ((1.0 + start) / (1.0 + end)).ln())
        }),
        // 90 exp(-1) + 5, and 90 (0.8 exp(-1) + 0.2 exp(0.1)).
        Claim::quick("effect.wang_day100", "Wang: sum of diameters on day 100, mm", CURVES, (38.109_149_705, 1e-6), || {
            after_100_days(&wang())
        }),
        Claim::quick(
            "effect.biexponential_day100",
            "two kinds of cells: sum on day 100, mm",
            CURVES,
            (46.380_396_290, 1e-6),
            || after_100_days(&biexponential()),
        ),
    ]
}
