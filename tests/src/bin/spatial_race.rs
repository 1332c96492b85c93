//! Times the spatial engine against a plain loop of the same arithmetic, and against the bandwidth of the memory, in one run.
//!
//! `spatial_race [--threads N] [--quick] [--json FILE]`; heads are ellipsoids with two ventricles. With one thread, times are those on
//! the processor.

use std::time::Instant;
use twin_core::{Agent, ScalarField, Span, Time, Unit};
use twin_models::spatial::{Anatomy, Drug, LogisticGrowth, ReactionDiffusion, Real, Settings};
use twin_models::{Model, Parameters, Scenario, Simulation, run_with};
use twin_tests::head::{Head, chemoradiation, ellipsoids};
use twin_tests::plain_loop::{PlainLoop, triad};
use twin_tests::spatial_calibration::Study;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Seconds that this thread has run on a processor, which other work on the machine does not add to; `None` where that is not told.
fn on_processor() -> Option<f64> {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    told.split(' ').next()?.parse::<f64>().ok().map(|nanoseconds| nanoseconds / 1e9)
}

/// The seconds that `work` takes: of this thread on its processor if it is the only one, else by the clock.
fn timed<R>(work: impl FnOnce() -> R) -> (R, f64) {
    let alone = rayon::current_num_threads() == 1;
    let (clock, before) = (Instant::now(), on_processor());
    let result = work();
    let elapsed = clock.elapsed().as_secs_f64();
    match (before, on_processor()) {
        (Some(before), Some(after)) if alone => (result, after - before),
        _ => (result, elapsed),
    }
}

fn model<T: Real>(
    head: &Head,
    step: f64,
    active_above: f64,
) -> Result<(ReactionDiffusion<LogisticGrowth, T>, Parameters), Failure> {
    model_on(head.anatomy()?, step, active_above)
}

fn model_on<T: Real>(
    anatomy: Anatomy,
    step: f64,
    active_above: f64,
) -> Result<(ReactionDiffusion<LogisticGrowth, T>, Parameters), Failure> {
    let settings = Settings { longest_step: Span::from_days(step)?, active_above, ..Settings::default() };
    let drug = Drug::bolus(Agent::new("temozolomide")?, "1");
    let model = ReactionDiffusion::<LogisticGrowth, T>::new(anatomy).with_drug(drug).with_settings(settings);
    let values = [
        ("diffusivity", 0.1),
        ("growth_rate", 0.05),
        ("radiosensitivity", 0.03),
        ("kill_rate_temozolomide", 0.5),
        ("elimination_rate_temozolomide", 9.242),
    ];
    let parameters = values.iter().try_fold(model.spec().defaults()?, |all, (name, value)| all.with(name, *value))?;
    Ok((model, parameters))
}

/// The final field, the seconds of set-up and of the course, voxels active at the end, and applications of the operator.
fn run<T: Real>(
    head: &Head,
    scenario: &Scenario,
    step: f64,
    active_above: f64,
) -> Result<(Vec<f64>, f64, f64, usize, usize), Failure> {
    let (model, parameters) = model::<T>(head, step, active_above)?;
    let (course, set_up) = timed(|| model.start_static(&parameters, Time::ORIGIN));
    let mut course = course?;
    let (lived, seconds) = timed(|| run_with(&mut course, scenario, |_, _| {}));
    lived?;
    let mut y = [0.0; 3];
    course.observe(&mut y);
    Ok((course.cellularity(), set_up, seconds, course.active_voxels(), course.sweeps()))
}

#[derive(serde::Serialize)]
struct Row {
    id: &'static str,
    ours_s: f64,
    rival_s: Option<f64>,
    ratio: Option<f64>,
    what: String,
}

fn relative_error(field: &[f64], exact: &[f64]) -> f64 {
    let squares = |of: &dyn Fn(usize) -> f64| (0..exact.len()).map(|index| of(index).powi(2)).sum::<f64>().sqrt();
    squares(&|index| field[index] - exact[index]) / squares(&|index| exact[index])
}

/// The least time of `count` runs.
fn least(count: usize, mut run: impl FnMut() -> Result<f64, Failure>) -> Result<f64, Failure> {
    (0..count).try_fold(f64::INFINITY, |least, _| Ok(f64::min(least, run()?)))
}

/// The time at `error`, between two points (error, time) or beyond them, linear in the logarithms.
fn time_at(error: f64, (e0, t0): (f64, f64), (e1, t1): (f64, f64)) -> f64 {
    let share = (error.ln() - e0.ln()) / (e1.ln() - e0.ln());
    (t0.ln() + share * (t1.ln() - t0.ln())).exp()
}

/// Ours and the plain loop at the same error, over the days of radiotherapy and daily drug.
fn against_plain_loop(head: &Head, id: &'static str, days: u32) -> Result<Row, Failure> {
    let scenario = chemoradiation(days)?;
    let exact = run::<f64>(head, &scenario, 0.125, 1e-14)?.0;
    let mut error = 0.0;
    let ours_s = least(3, || {
        let (field, _, seconds, ..) = run::<f32>(head, &scenario, 1.0, 1e-12)?;
        error = relative_error(&field, &exact);
        Ok(seconds)
    })?;
    let loops = |step: f64| -> Result<(f64, f64), Failure> {
        let mut plain = PlainLoop::new(head.grid.shape(), head.grid.spacing_mm(), &head.inside, &head.initial(), (0.1, 0.05));
        let (lived, seconds) = timed(|| plain.live(&scenario, step, (0.03, 10.0), (0.5, 9.242)));
        lived?;
        Ok((relative_error(&plain.field(), &exact), seconds))
    };
    let (coarse, fine) = (loops(0.25)?, loops(0.125)?);
    let rival_s = time_at(error.max(1e-3), coarse, fine);
    let what = format!(
        "{days} treated days, {}: ours at an error of {error:.1e} against a plain loop of RK4 at 1e-3 (its errors {:.1e} and {:.1e})",
        head.name, coarse.0, fine.0
    );
    Ok(Row { id, ours_s, rival_s: Some(rival_s), ratio: Some(rival_s / ours_s), what })
}

/// The untreated course against the time that its own traffic takes at the bandwidth of the triad in the same run. Only what its active
/// voxels move is counted.
fn against_memory(head: &Head, days: u32) -> Result<Row, Failure> {
    let scenario = Scenario::starting(Time::ORIGIN).sampled([Time::from_days(f64::from(days))?]);
    let bandwidth = triad::<f32>(1 << 25, 5);
    let (model, parameters) = model::<f32>(head, 1.0, 1e-12)?;
    let (mut bytes, mut active) = (0.0, 0);
    let ours_s = least(3, || {
        let mut course = model.start_static(&parameters, Time::ORIGIN)?;
        let (lived, seconds) = timed(|| run_with(&mut course, &scenario, |_, _| {}));
        lived?;
        if course.sweeps() != 2 * days as usize {
            return Err("steps of two stages are counted, but others were taken".into());
        }
        // Words that a step of two stages must move: the map reads and writes one, the first stage reads four and writes two, the
        // second reads six and writes one in place.
        bytes = 4.0 * (2.0 + 6.0 + 7.0) * (course.voxels_swept() / 2) as f64;
        active = course.active_voxels();
        Ok(seconds)
    })?;
    let bound = bytes / (1e9 * bandwidth);
    let what = format!(
        "{days} days, {}, {active} voxels active at the end: least time for {:.2} GB of traffic at {bandwidth:.1} GB/s over ours",
        head.name,
        bytes / 1e9
    );
    Ok(Row { id: "spatial.memory_bound", ours_s, rival_s: Some(bound), ratio: Some(bound / ours_s), what })
}

/// A gradient with respect to all parameters against one course.
fn against_forward(head: &Head, days: u32) -> Result<Row, Failure> {
    let scenario = chemoradiation(days)?;
    let (model, parameters) = model::<f64>(head, 1.0, 1e-12)?;
    let observed = ScalarField::on(head.grid.clone(), Unit::dimensionless(), head.initial())?;
    let forward = least(3, || Ok(run::<f64>(head, &scenario, 1.0, 1e-12)?.2))?;
    let mut held = 0;
    let ours_s = least(2, || {
        let (gradient, seconds) = timed(|| model.misfit_gradient(&parameters, &scenario, std::slice::from_ref(&observed), 0.1));
        held = gradient?.held_bytes;
        Ok(seconds)
    })?;
    let what = format!(
        "{days} treated days, {}: one course over a gradient in {} parameters, which holds {:.0} MB",
        head.name,
        parameters.values().len(),
        held as f64 / 1e6
    );
    Ok(Row { id: "spatial.gradient", ours_s, rival_s: Some(forward), ratio: Some(forward / ours_s), what })
}

/// The whole course of 270 days.
fn total(head: &Head, id: &'static str) -> Result<Row, Failure> {
    let scenario = chemoradiation(270)?;
    let mut set_up = f64::INFINITY;
    let ours_s = least(2, || {
        let (_, ready, seconds, ..) = run::<f32>(head, &scenario, 1.0, 1e-12)?;
        set_up = set_up.min(ready);
        Ok(seconds)
    })?;
    let what = format!("270 days, 30 fractions, 74 doses, {}; set-up {:.0} ms", head.name, 1e3 * set_up);
    Ok(Row { id, ours_s, rival_s: None, ratio: None, what })
}

/// The course of 270 days on one thread against the same on all of them, by the clock; `None` with one thread.
fn scaling(head: &Head) -> Result<Option<Row>, Failure> {
    let threads = rayon::current_num_threads();
    if threads == 1 {
        return Ok(None);
    }
    let scenario = chemoradiation(270)?;
    let clocked = || {
        least(2, || {
            let (model, parameters) = model::<f32>(head, 1.0, 1e-12)?;
            let mut course = model.start_static(&parameters, Time::ORIGIN)?;
            let clock = Instant::now();
            run_with(&mut course, &scenario, |_, _| {})?;
            Ok(clock.elapsed().as_secs_f64())
        })
    };
    let all = clocked()?;
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build()?.install(clocked)?;
    let what = format!("270 days, {}: {threads} threads against one, by the clock", head.name);
    Ok(Some(Row { id: "spatial.scaling", ours_s: all, rival_s: Some(one), ratio: Some(one / all), what }))
}

/// Four parameters from five noisy visits, then two of them from one visit more, with what comes after predicted.
fn calibrations() -> Result<Vec<Row>, Failure> {
    let study = Study::new(0.125)?;
    let (found, fit_s) = timed(|| study.calibrate(1));
    let found = found?;
    let two = study.calibrate_two(1)?;
    let (updated, update_s) = timed(|| study.update(&two, 2));
    let updated = updated?;
    let shown = |values: &[f64]| values.iter().map(|value| format!("{value:+.2}")).collect::<Vec<_>>().join(" ");
    let forecasts = study.forecasts(&found.estimates)?;
    let forecasts = forecasts.iter().map(|[ours, nothing]| format!("{ours:.4} against {nothing:.4}")).collect::<Vec<_>>();
    let fit = format!(
        "4 parameters from 5 visits: {} courses, off by {} standard errors, sound: {}; later visits missed by {} where nothing changes",
        found.evaluations,
        shown(&found.scores),
        found.sound,
        forecasts.join(", ")
    );
    let update = format!(
        "2 parameters from 1 visit more: {} courses, off by {} standard errors, sound: {}",
        updated.evaluations,
        shown(&updated.scores),
        updated.sound
    );
    let row = |id, ours_s, what| Row { id, ours_s, rival_s: None, ratio: None, what };
    Ok(vec![row("spatial.calibration", fit_s, fit), row("spatial.update", update_s, update)])
}

/// The course of 270 days on the brain of the atlas, with the memory that anatomy, set-up and course take at most.
fn brain() -> Result<Option<Row>, Failure> {
    let Some(anatomy) = twin_tests::brain::mni152()? else { return Ok(None) };
    let (shape, voxels) = (anatomy.grid().shape(), anatomy.region().count());
    // What reading the atlas took is given back, and the highest mark is set anew.
    let reset = std::fs::write("/proc/self/clear_refs", "5").is_ok();
    let (model, parameters) = model_on::<f32>(anatomy, 1.0, 1e-12)?;
    let (course, set_up) = timed(|| model.start_static(&parameters, Time::ORIGIN));
    let mut course = course?;
    let (lived, ours_s) = timed(|| run_with(&mut course, &chemoradiation(270)?, |_, _| {}));
    lived?;
    let peak = highest_mark().filter(|_| reset).map_or_else(|| "not told".to_owned(), |mb| format!("{mb:.0} MB"));
    let what = format!(
        "270 days, 30 fractions, 74 doses, brain of the atlas at 1 mm, {voxels} voxels in {shape:?}; set-up {:.0} ms, memory {peak}",
        1e3 * set_up
    );
    Ok(Some(Row { id: "spatial.total_mni152", ours_s, rival_s: None, ratio: None, what }))
}

/// The most memory that the process has held since the mark was set, in MB.
fn highest_mark() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}

fn rows(quick: bool) -> Result<Vec<Row>, Failure> {
    let mut rows: Vec<Row> = if quick { None } else { brain()? }.into_iter().collect();
    let clinical = ellipsoids("head of 77 x 116 x 36 at 1.5 x 1.5 x 3 mm", [77, 116, 36], [1.5, 1.5, 3.0])?;
    rows.extend([
        total(&clinical, "spatial.total_clinical")?,
        against_forward(&clinical, 90)?,
        against_plain_loop(&clinical, "spatial.plain_loop_clinical", 60)?,
    ]);
    rows.extend(calibrations()?);
    if !quick {
        let fine = ellipsoids("head of 182 x 218 x 182 at 1 mm", [182, 218, 182], [1.0; 3])?;
        rows.push(total(&fine, "spatial.total_1mm")?);
        rows.extend(scaling(&fine)?);
        rows.push(against_memory(&fine, 20)?);
        rows.push(against_plain_loop(&fine, "spatial.plain_loop_1mm", 30)?);
    }
    Ok(rows)
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let after = |flag: &str| arguments.iter().position(|a| a == flag).and_then(|at| arguments.get(at + 1));
    let threads = after("--threads").map_or(Ok(1), |n| n.parse())?;
    let quick = arguments.iter().any(|a| a == "--quick");
    let rows = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?.install(|| rows(quick))?;
    println!("{threads} threads");
    println!("{:<28} {:>12} {:>12} {:>8}", "race", "ours", "rival", "ratio");
    for row in &rows {
        let rival = row.rival_s.map_or_else(|| "-".to_owned(), |rival| format!("{:.1} ms", rival * 1e3));
        let ratio = row.ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"));
        println!("{:<28} {:>9.1} ms {rival:>12} {ratio:>8}  {}", row.id, row.ours_s * 1e3, row.what);
    }
    if let Some(file) = after("--json") {
        let lines = rows.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?;
        std::fs::write(file, lines.join("\n") + "\n")?;
    }
    Ok(())
}
