//! Times ours against named rivals, in one process or in runs in turn, and prints the ratio (rival over ours).
//!
//! `race [--json FILE] [SECTION ...]`: all sections, or those named of `solvers`, `virtual`, `gradient`, `problems`, `ensemble`, `engines`,
//! `reading`. A rival that is not installed is named as absent.

use diffsol::{NalgebraMat, OdeBuilder, OdeSolverMethod, OdeSolverStopReason, Vector};
use std::collections::BTreeMap;
use std::io::Write;
use std::process::Command;
use std::time::Instant;
use twin_core::{Random, Time};
use twin_models::{
    Direction, Dynamics, Exposure, Given, Input, Model, Ode, Parameters, Scenario, Simulation, TreatmentKind, run, run_with,
    simulate_all,
};
use twin_tests::races::cases::Case;
use twin_tests::races::rival_solvers::Cvode;
use twin_tests::races::{self, Row, duel, ensemble, work_precision};
use twin_tests::rivals::{DAYS, DOSE, DOSES, INTERVAL, Race, RaceParameters, START, largest_error, truth};

type Failure = Box<dyn std::error::Error>;

fn ours(tolerance: f64) -> Result<Vec<f64>, Failure> {
    let (model, scenario) = (Race::model(tolerance)?, Race::scenario()?);
    let mut values = vec![0.0; scenario.sampling.len()];
    let mut course = model.start(&model.spec().defaults()?, Time::ORIGIN, &mut Random::new(0))?;
    run(course.as_mut(), &scenario, &mut values)?;
    Ok(values)
}

/// The same course by diffsol's Tsit45: stop times at the doses, dense output for the days.
fn diffsol_tsit45(tolerance: f64) -> Result<Vec<f64>, Failure> {
    let p = RaceParameters::DEFAULT;
    let problem = OdeBuilder::<NalgebraMat<f64>>::new()
        .t0(0.0)
        .rtol(tolerance)
        .atol([1e-3 * tolerance])
        .rhs(move |x, _p, _t, dx| {
            let rates = p.rates([x[0], x[1], x[2]]);
            dx[0] = rates[0];
            dx[1] = rates[1];
            dx[2] = rates[2];
        })
        .init(
            |_p, _t, x| {
                x[0] = START[0];
                x[1] = START[1];
                x[2] = START[2];
            },
            3,
        )
        .build()?;
    let mut solver = problem.tsit45()?;
    let mut days = vec![START[1]];
    let mut x = solver.state().y.clone();
    for number in 0..DOSES {
        let stop = if number + 1 == DOSES { DAYS } else { (number + 1) * INTERVAL };
        solver.state_mut().y[0] += DOSE;
        solver.set_stop_time(f64::from(stop))?;
        loop {
            let reason = solver.step()?;
            let reached = solver.state().t;
            while days.len() <= stop as usize && (days.len() as f64) <= reached {
                solver.interpolate_inplace(days.len() as f64, &mut x)?;
                days.push(x.get_index(1));
            }
            if matches!(reason, OdeSolverStopReason::TstopReached) {
                break;
            }
        }
    }
    Ok(days)
}

/// The work-precision curve of a solver: (largest error, seconds) at tolerances from 1e-1 to 1e-10.
fn curve(solve: &dyn Fn(f64) -> Result<Vec<f64>, Failure>, truth: &[f64]) -> Vec<(f64, f64)> {
    let tolerances = (2..=20).map(|half| 10.0_f64.powf(-0.5 * f64::from(half)));
    let point = |tolerance: f64| {
        let days = solve(tolerance).ok()?;
        let mut best = f64::INFINITY;
        for _ in 0..30 {
            let start = Instant::now();
            for _ in 0..20 {
                std::hint::black_box(solve(tolerance).ok()?);
            }
            best = best.min(start.elapsed().as_secs_f64() / 20.0);
        }
        Some((largest_error(&days, truth), best))
    };
    tolerances.filter_map(point).filter(|(error, _)| error.is_finite()).collect()
}

/// The least time at which the curve reaches `error`: between the points next to it, linear in the logarithms.
fn time_at(curve: &[(f64, f64)], error: f64) -> Option<f64> {
    let crossing = |pair: &[(f64, f64)]| {
        let [(e0, t0), (e1, t1)] = pair else { return None };
        let share = (error.ln() - e0.ln()) / (e1.ln() - e0.ln());
        (0.0..=1.0).contains(&share).then(|| (t0.ln() + share * (t1.ln() - t0.ln())).exp())
    };
    curve.windows(2).filter_map(crossing).min_by(f64::total_cmp)
}

fn against_diffsol(rows: &mut Vec<Row>, mine: &[(f64, f64)], truth: &[f64]) {
    let theirs = curve(&diffsol_tsit45, truth);
    for (name, curve) in [("ours", mine), ("diffsol", &theirs)] {
        let points: Vec<String> = curve.iter().map(|(error, time)| format!("{error:.1e}: {:.1} us", time * 1e6)).collect();
        println!("  {name:<8} error: time   {}", points.join("   "));
    }
    for exponent in [4, 5, 6, 7] {
        let error = 10.0_f64.powi(-exponent);
        let what = format!("one-year course, 3 states, 13 doses, 366 looks, at equal largest error 1e-{exponent}");
        let id = format!("ode.diffsol_error_1e-{exponent}");
        match (time_at(mine, error), time_at(&theirs, error)) {
            (Some(ours_s), rival) => {
                rows.push(Row { id, ours_s, rival_s: rival, ratio: rival.map(|rival| rival / ours_s), what });
            }
            _ => println!("  no time at error {error:e}: ours does not cross it"),
        }
    }
}

const SCIPY: &str = r"
import time, numpy as np
from scipy.integrate import solve_ivp
el, gr, ki, ik, re, st, hs, de, dp = 0.6, 0.05, 0.35, 0.04, 0.02, 0.15, 0.3, 0.08, 0.2
def f(t, x):
    d, u, i = x
    return [-el*d, gr*u*(1-u) - ki*d*u - ik*i*u, re + st*i*u/(hs+u) - de*i - dp*d*i]
def course(method):
    x, out = np.array([0.0, 0.1, 0.2]), [0.1]
    for n in range(13):
        a, b = 28*n, 365 if n == 12 else 28*(n+1)
        x = x + [1.0, 0, 0]
        s = solve_ivp(f, (a, b), x, method=method, rtol=1e-6, atol=1e-9, t_eval=np.arange(a+1, b+1))
        x = s.y[:, -1]; out.extend(s.y[1])
    return out
import json
rows = {}
for method in ['RK45', 'DOP853', 'LSODA']:
    best = 1e9
    for _ in range(7):
        t = time.perf_counter(); out = course(method); best = min(best, time.perf_counter() - t)
    rows[method] = [best] + [float(x) for x in out]
print(json.dumps(rows))
";

/// SciPy at relative tolerance 1e-6, each method against ours at the error that SciPy achieved.
fn against_scipy(rows: &mut Vec<Row>, mine: &[(f64, f64)], truth: &[f64]) -> Result<(), Failure> {
    let output = Command::new("python3").args(["-c", SCIPY]).output().ok().filter(|output| output.status.success());
    let Some(output) = output else {
        let what = "scipy is not installed".to_owned();
        rows.push(Row {
            id: "ode.scipy".to_owned(),
            ours_s: time_at(mine, 1e-6).unwrap_or(f64::NAN),
            rival_s: None,
            ratio: None,
            what,
        });
        return Ok(());
    };
    let methods: BTreeMap<String, Vec<f64>> = serde_json::from_slice(&output.stdout)?;
    for (method, values) in methods {
        let (Some(&rival), Some(days)) = (values.first(), values.get(1..)) else { continue };
        let error = largest_error(days, truth);
        let what = format!("the same course by scipy solve_ivp {method} at tolerance 1e-6, at its largest error {error:.1e}");
        let Some(ours_s) = time_at(mine, error) else { continue };
        rows.push(Row {
            id: format!("ode.scipy_{}", method.to_lowercase()),
            ours_s,
            rival_s: Some(rival),
            ratio: Some(rival / ours_s),
            what,
        });
    }
    Ok(())
}

/// What it costs that calibrators and trials see a model through `dyn Simulation`.
fn virtual_calls(rows: &mut Vec<Row>) -> Result<(), Failure> {
    let (model, scenario) = (Race::model(1e-6)?, Race::scenario()?);
    let parameters = model.spec().defaults()?;
    let mut sum = 0.0;
    let mut values = vec![0.0; scenario.sampling.len()];
    let mut erased = || {
        if let Ok(mut course) = model.start(&parameters, Time::ORIGIN, &mut Random::new(0))
            && run(course.as_mut(), &scenario, &mut values).is_ok()
        {
            sum += values[100];
        }
    };
    let mut direct_sum = 0.0;
    let mut direct_values = vec![0.0; scenario.sampling.len()];
    let mut direct = || {
        // The loop of `run`, on the type itself.
        let Ok(mut course) = model.start_static(&parameters, Time::ORIGIN) else { return };
        let mut treatments = scenario.treatments.iter().peekable();
        let last = *scenario.sampling.last().unwrap_or(&Time::ORIGIN);
        course.expect_stop(treatments.peek().map_or(last, |treatment| treatment.time));
        for (row, &time) in direct_values.chunks_exact_mut(1).zip(&scenario.sampling) {
            while let Some(due) = treatments.next_if(|treatment| treatment.time < time) {
                if course.advance(due.time).is_err() || course.treat(&due.treatment).is_err() {
                    return;
                }
                course.expect_stop(treatments.peek().map_or(last, |treatment| treatment.time));
            }
            if course.advance(time).is_err() {
                return;
            }
            course.observe(row);
        }
        direct_sum += direct_values[100];
    };
    let (erased_s, direct_s) = duel(200, 50, &mut erased, &mut direct);
    if sum != direct_sum {
        return Err("the course through `dyn Simulation` differs from the direct one".into());
    }
    let what = "the same course on the type itself; 1 means that virtual calls are free".to_owned();
    rows.push(Row {
        id: "ode.without_virtual_calls".to_owned(),
        ours_s: erased_s,
        rival_s: Some(direct_s),
        ratio: Some(direct_s / erased_s),
        what,
    });
    Ok(())
}

/// What four derivatives cost: a course that carries them, against the plain one times the factor that is allowed, and against the eight plain
/// courses of central differences.
fn gradients(rows: &mut Vec<Row>) -> Result<(), Failure> {
    let (model, scenario) = (Race::model(1e-6)?, Race::scenario()?);
    gradient(rows, ("ode.gradient", &model, &scenario), ["growth", "kill", "immune_kill", "stimulation"])?;
    let (model, scenario) = (ensemble::model()?, ensemble::scenario()?);
    let by = ["decay_rate", "radiation_alpha", "paclitaxel_simeoni_potency", "paclitaxel_marrow_slope"];
    gradient(rows, ("ode.gradient_composed", &model, &scenario), by)
}

fn gradient(rows: &mut Vec<Row>, (id, model, scenario): (&str, &dyn Model, &Scenario), by: [&str; 4]) -> Result<(), Failure> {
    const ALLOWED: f64 = 1.5;
    let parameters = model.spec().defaults()?;
    let differentiable = model.differentiable().ok_or("no derivatives")?;
    let by = by.into_iter().map(|name| parameters.index_of(name).map(Direction::Parameter)).collect::<Result<Vec<_>, _>>()?;
    let observables = model.spec().observables.len();
    let (mut carried_sum, mut plain_sum, mut slopes) = (0.0, 0.0, vec![0.0; by.len() * observables]);
    let mut carried = || {
        let started = differentiable.start_differentiated(&parameters, Time::ORIGIN, &by);
        if let Ok(mut course) = started {
            let lived = run_with(course.as_mut(), scenario, |_, course| {
                if let Some(sensitivities) = course.sensitivities() {
                    sensitivities.observe(&mut slopes);
                }
            });
            carried_sum += lived.map_or(f64::NAN, |()| slopes[0]);
        }
    };
    let mut values = vec![0.0; scenario.sampling.len() * observables];
    let mut plain = || {
        if let Ok(mut course) = model.start(&parameters, Time::ORIGIN, &mut Random::new(0))
            && run(course.as_mut(), scenario, &mut values).is_ok()
        {
            plain_sum += values[10];
        }
    };
    let (gradient_s, plain_s) = duel(200, 50, &mut carried, &mut plain);
    if !(carried_sum + plain_sum).is_finite() {
        return Err(format!("{id}: a course cannot go on").into());
    }
    let (states, looks) = (model.spec().states.len(), scenario.sampling.len());
    let factor = gradient_s / plain_s;
    let what = format!(
        "a course of {states} states with 4 derivatives at {looks} looks against {ALLOWED} plain ones; it costs {factor:.2}"
    );
    rows.push(Row::new(id, (gradient_s, ALLOWED * plain_s), what));
    let what = "the same against central differences, eight plain courses".to_owned();
    rows.push(Row::new(&format!("{id}_by_differences"), (gradient_s, 8.0 * plain_s), what));
    Ok(())
}

/// One patient of the ensemble by diffsol's Tsit45: stop times at doses and fractions, dense output for the weeks.
fn ensemble_by_diffsol(model: &Ode<ensemble::Composed>, patient: &Parameters) -> Result<Vec<f64>, Failure> {
    type Of = ensemble::Composed;
    let dynamics = model.dynamics();
    let p = dynamics.parameters(patient.values()).ok_or("no parameters")?;
    let start: [f64; 10] = dynamics.initial(&p);
    let exposure = Exposure::default();
    let rates = |x: &[f64], dx: &mut [f64]| {
        let (mut state, mut slope) = ([0.0; 10], [0.0; 10]);
        state.copy_from_slice(x);
        Of::rates(dynamics, 0.0, &state, &exposure, &p, &mut slope);
        dx.copy_from_slice(&slope);
    };
    let problem = OdeBuilder::<NalgebraMat<f64>>::new()
        .t0(0.0)
        .rtol(ensemble::RELATIVE)
        .atol([1e-9])
        .rhs(|x, _p, _t, dx| rates(x, dx))
        .init(|_p, _t, x| x.copy_from_slice(&start), 10)
        .build()?;
    let mut solver = problem.tsit45()?;
    let place = |kind: TreatmentKind| model.spec().treatments.iter().position(|known| known.kind == kind).map(Input::new);
    let (fraction, bolus) = (place(TreatmentKind::Fraction).ok_or("no fraction")?, place(TreatmentKind::Bolus).ok_or("no bolus")?);
    let mut events: Vec<(u32, Given)> = ensemble::fractions().map(|day| (day, Given { input: fraction, amount: 2.0 })).collect();
    events.extend(ensemble::DOSES.map(|day| (day, Given { input: bolus, amount: ensemble::DOSE })));
    events.sort_by_key(|(day, _)| *day);
    let (mut weeks, mut x) = (Vec::new(), solver.state().y.clone());
    let ends: Vec<u32> = events.iter().skip(1).map(|(day, _)| *day).chain([364]).collect();
    for ((_, given), end) in events.into_iter().zip(ends) {
        let mut state = [0.0; 10];
        (0..10).for_each(|i| state[i] = solver.state().y.get_index(i));
        dynamics.treat(given, &p, &mut state).map_err(|_| "refused")?;
        let now = solver.state_mut();
        (0..10).for_each(|i| now.y.set_index(i, state[i]));
        if f64::from(end) <= *now.t {
            continue;
        }
        solver.set_stop_time(f64::from(end))?;
        loop {
            let reason = solver.step()?;
            while 7.0 * weeks.len() as f64 <= solver.state().t && weeks.len() <= 52 {
                solver.interpolate_inplace(7.0 * weeks.len() as f64, &mut x)?;
                weeks.push(x.get_index(0));
            }
            if matches!(reason, OdeSolverStopReason::TstopReached) {
                break;
            }
        }
    }
    if weeks.iter().any(|value| !value.is_finite()) {
        return Err("a state that is not a number was accepted".into());
    }
    Ok(weeks)
}

fn against_diffsol_in_ensemble(rows: &mut Vec<Row>) -> Result<(), Failure> {
    let model = ensemble::model()?;
    let (patients, scenario) = (ensemble::patients(&model)?, ensemble::scenario()?);
    let few = &patients[..64];
    let weeks = ensemble_by_diffsol(&model, &patients[0])?;
    let (mut sink, mut count) = (0, 0);
    let random = Random::new(0);
    let mut ours = || sink += simulate_all(&model, few, &scenario, &random).len();
    let mut theirs = || count += few.iter().filter(|patient| ensemble_by_diffsol(&model, patient).is_ok()).count();
    let (ours_s, theirs_s) = duel(5, 1, &mut ours, &mut theirs);
    let alone = simulate_all(&model, &patients[..1], &scenario, &random).remove(0)?;
    let volumes = alone.column(&twin_core::Observable::TUMOR_VOLUME).unwrap_or_default();
    // The first state is the logarithm of the living volume; at the end of the year nothing is dying any more.
    let apart = weeks.last().zip(volumes.last()).map_or(f64::NAN, |(ln, volume)| (ln.exp() / volume - 1.0).abs());
    let what =
        format!("one patient of the ensemble against diffsol's Tsit45, at tolerance 1e-6; last volumes differ by {apart:.1e}");
    rows.push(Row::new("ensemble.diffsol", (ours_s / few.len() as f64, theirs_s / few.len() as f64), what));
    Ok(())
}

/// Stiff and other problems with known digits against diffsol and CVODE.
fn known_problems(rows: &mut Vec<Row>) -> Result<(), Failure> {
    let folder = std::env::temp_dir().join(format!("race_{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let cvode = Cvode::build(&folder);
    let mut all = Vec::new();
    for case in Case::ALL {
        all.push((case, work_precision::curves(case, cvode.as_ref())?));
    }
    std::fs::remove_dir_all(&folder)?;
    if cvode.is_none() {
        let what = "no C compiler, or no SUNDIALS".to_owned();
        rows.push(Row { id: "ode.cvode".to_owned(), ours_s: f64::NAN, rival_s: None, ratio: None, what });
    }
    rows.extend(work_precision::rows(&all));
    Ok(())
}

/// A section: its name, and what it adds to the rows.
type Section = (&'static str, fn(&mut Vec<Row>) -> Result<(), Failure>);

const SECTIONS: &[Section] = &[
    ("solvers", solvers),
    ("virtual", virtual_calls),
    ("gradient", gradients),
    ("problems", known_problems),
    ("ensemble", ensembles),
    ("engines", engines),
    ("reading", reading),
    ("planning", planning),
];

fn solvers(rows: &mut Vec<Row>) -> Result<(), Failure> {
    let truth = truth();
    let mine = curve(&ours, &truth);
    against_diffsol(rows, &mine, &truth);
    against_scipy(rows, &mine, &truth)
}

fn ensembles(rows: &mut Vec<Row>) -> Result<(), Failure> {
    rows.extend(ensemble::rows()?);
    against_diffsol_in_ensemble(rows)
}

fn engines(rows: &mut Vec<Row>) -> Result<(), Failure> {
    rows.extend(races::engine::rows()?);
    Ok(())
}

fn reading(rows: &mut Vec<Row>) -> Result<(), Failure> {
    rows.extend(races::reading::rows()?);
    Ok(())
}

fn planning(rows: &mut Vec<Row>) -> Result<(), Failure> {
    rows.extend(races::planning::rows()?);
    Ok(())
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (json, named) = match arguments.as_slice() {
        [flag, file, named @ ..] if flag == "--json" => (Some(file), named),
        named => (None, named),
    };
    if let Some(unknown) = named.iter().find(|wanted| SECTIONS.iter().all(|(name, _)| name != wanted)) {
        let names: Vec<&str> = SECTIONS.iter().map(|(name, _)| *name).collect();
        return Err(format!("usage: race [--json FILE] [SECTION ...]; `{unknown}` is none of {}", names.join(", ")).into());
    }
    let mut rows = Vec::new();
    for (name, section) in SECTIONS {
        if named.is_empty() || named.iter().any(|wanted| wanted == name) {
            section(&mut rows)?;
        }
    }
    println!("{:<28} {:>12} {:>12} {:>8}", "race", "ours", "rival", "ratio");
    for row in &rows {
        let rival = row.rival_s.map_or_else(|| "absent".to_owned(), |rival| format!("{:.2} us", rival * 1e6));
        let ratio = row.ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"));
        println!("{:<28} {:>9.2} us {rival:>12} {ratio:>8}  {}", row.id, row.ours_s * 1e6, row.what);
    }
    if let Some(file) = json {
        let mut file = std::fs::File::create(file)?;
        for row in &rows {
            writeln!(file, "{}", serde_json::to_string(row)?)?;
        }
    }
    Ok(())
}
