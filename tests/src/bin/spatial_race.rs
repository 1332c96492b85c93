//! Times the spatial engine against a plain loop of the same arithmetic, and against the bandwidth of the memory, in one run.
//!
//! `spatial_race [--threads N] [--quick] [--json FILE]`; heads are ellipsoids with two ventricles. With one thread, times are those on
//! the processor.

use std::time::Instant;
use twin_core::{AbsorbedDose, Agent, Target};
use twin_core::{Grid, Mask, Quantity, ScalarField, Span, Time, TimedTreatment, Treatment, Unit};
use twin_models::spatial::{Anatomy, Drug, LogisticGrowth, ReactionDiffusion, Real, Settings};
use twin_models::{Model, Parameters, Scenario, Simulation, run_with};
use twin_tests::plain_loop::{PlainLoop, triad};

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

/// A head: its grid, its region, and where the tumor starts.
struct Head {
    name: &'static str,
    grid: Grid,
    inside: Vec<bool>,
    center: [f64; 3],
}

/// An ellipsoid with two ventricles, `extent` mm wide along each axis of the grid.
fn ellipsoids(name: &'static str, shape: [usize; 3], spacing: [f64; 3]) -> Result<Head, Failure> {
    let grid = Grid::new(shape, spacing)?;
    let extent = [0, 1, 2].map(|axis| shape[axis] as f64 * spacing[axis]);
    let within = |at: [f64; 3], center: [f64; 3], axes: [f64; 3]| {
        (0..3).map(|axis| ((at[axis] - center[axis] * extent[axis]) / (axes[axis] * extent[axis])).powi(2)).sum::<f64>() < 1.0
    };
    let inside = (0..grid.voxels()).map(|index| {
        let voxel = grid.voxel(index).unwrap_or_default();
        let at = [0, 1, 2].map(|axis| (voxel[axis] as f64 + 0.5) * spacing[axis]);
        let ventricle = |x: f64| within(at, [x, 0.5, 0.54], [0.05, 0.15, 0.08]);
        within(at, [0.5; 3], [0.45, 0.45, 0.45]) && !ventricle(0.4) && !ventricle(0.6)
    });
    Ok(Head { name, inside: inside.collect(), center: [0.68, 0.6, 0.5].map(|x: f64| x), grid })
}

impl Head {
    fn initial(&self) -> Vec<f64> {
        let (shape, spacing) = (self.grid.shape(), self.grid.spacing_mm());
        let near = |index: usize| {
            let voxel = self.grid.voxel(index).unwrap_or_default();
            let offset = |axis: usize| (voxel[axis] as f64 - self.center[axis] * shape[axis] as f64) * spacing[axis];
            (0..3).map(|axis| offset(axis).powi(2)).sum::<f64>() < 144.0
        };
        (0..self.grid.voxels()).map(|index| if self.inside[index] && near(index) { 0.5 } else { 0.0 }).collect()
    }

    fn anatomy(&self) -> Result<Anatomy, Failure> {
        let cells = ScalarField::on(self.grid.clone(), Unit::dimensionless(), self.initial())?;
        Ok(Anatomy::new(Mask::new(self.grid.clone(), self.inside.clone())?, &cells)?)
    }
}

/// 30 fractions of 2 Gy on weekdays from day 14, 42 daily doses from day 14, and 5 in each of six months after; 72 more or less.
fn course(days: u32) -> Result<Scenario, Failure> {
    let drug = Agent::new("temozolomide")?;
    let mut treatments = Vec::new();
    let weekdays = (0..).map(|day| 14 + day).filter(|day| (day - 14) % 7 < 5).take(30);
    for day in weekdays {
        let fraction = Treatment::fraction(AbsorbedDose::from_gray(2.0)?, Target::new("tumor")?);
        treatments.push(TimedTreatment::new(Time::from_days(f64::from(day))?, fraction));
    }
    let daily = (14..56).map(|day| (day, 0.5));
    let monthly = (0..7).flat_map(|month| (0..5).map(move |day| (84 + 28 * month + day, 1.0))).take(32);
    for (day, dose) in daily.chain(monthly) {
        treatments.push(TimedTreatment::new(
            Time::from_days(f64::from(day))?,
            Treatment::bolus(drug.clone(), Quantity::new(dose, "1")?)?,
        ));
    }
    let end = Time::from_days(f64::from(days))?;
    Ok(Scenario::starting(Time::ORIGIN).treated(treatments.into_iter().filter(|given| given.time < end)).sampled([end]))
}

fn model<T: Real>(
    head: &Head,
    step: f64,
    active_above: f64,
) -> Result<(ReactionDiffusion<LogisticGrowth, T>, Parameters), Failure> {
    let settings = Settings { longest_step: Span::from_days(step)?, active_above, ..Settings::default() };
    let drug = Drug::bolus(Agent::new("temozolomide")?, "1");
    let model = ReactionDiffusion::<LogisticGrowth, T>::new(head.anatomy()?).with_drug(drug).with_settings(settings);
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
    let scenario = course(days)?;
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

/// The untreated course in the whole region against the time that its own traffic takes at the bandwidth of the triad in the same run.
fn against_memory(head: &Head, days: u32) -> Result<Row, Failure> {
    let scenario = Scenario::starting(Time::ORIGIN).sampled([Time::from_days(f64::from(days))?]);
    let bandwidth = triad::<f32>(1 << 25, 5);
    let ours_s = least(3, || Ok(run::<f32>(head, &scenario, 1.0, 1e-300)?.2))?;
    let voxels = head.inside.iter().filter(|inside| **inside).count();
    // Words that a step of two stages must move: the map reads and writes one, the first stage reads four and writes two, the second
    // reads six and writes one in place.
    let bytes = 4.0 * (2.0 + 6.0 + 7.0) * voxels as f64 * f64::from(days);
    let bound = bytes / (1e9 * bandwidth);
    let what = format!("{days} days, {}, whole region: least time for the traffic at {bandwidth:.1} GB/s over ours", head.name);
    Ok(Row { id: "spatial.memory_bound", ours_s, rival_s: Some(bound), ratio: Some(bound / ours_s), what })
}

/// A gradient with respect to all parameters against one course.
fn against_forward(head: &Head, days: u32) -> Result<Row, Failure> {
    let scenario = course(days)?;
    let (model, parameters) = model::<f64>(head, 1.0, 1e-12)?;
    let observed = ScalarField::on(head.grid.clone(), Unit::dimensionless(), head.initial())?;
    let forward = least(3, || Ok(run::<f64>(head, &scenario, 1.0, 1e-12)?.2))?;
    let ours_s = least(2, || {
        let (gradient, seconds) = timed(|| model.misfit_gradient(&parameters, &scenario, std::slice::from_ref(&observed), 0.1));
        gradient?;
        Ok(seconds)
    })?;
    let what =
        format!("{days} treated days, {}: one course over a gradient in {} parameters", head.name, parameters.values().len());
    Ok(Row { id: "spatial.gradient", ours_s, rival_s: Some(forward), ratio: Some(forward / ours_s), what })
}

/// The whole course of 270 days.
fn total(head: &Head, id: &'static str) -> Result<Row, Failure> {
    let scenario = course(270)?;
    let mut set_up = f64::INFINITY;
    let ours_s = least(2, || {
        let (_, ready, seconds, ..) = run::<f32>(head, &scenario, 1.0, 1e-12)?;
        set_up = set_up.min(ready);
        Ok(seconds)
    })?;
    let what = format!("270 days, 30 fractions, 74 doses, {}; set-up {:.0} ms", head.name, 1e3 * set_up);
    Ok(Row { id, ours_s, rival_s: None, ratio: None, what })
}

fn rows(quick: bool) -> Result<Vec<Row>, Failure> {
    let clinical = ellipsoids("head of 77 x 116 x 36 at 1.5 x 1.5 x 3 mm", [77, 116, 36], [1.5, 1.5, 3.0])?;
    let mut rows = vec![
        total(&clinical, "spatial.total_clinical")?,
        against_forward(&clinical, 90)?,
        against_plain_loop(&clinical, "spatial.plain_loop_clinical", 60)?,
    ];
    if !quick {
        let fine = ellipsoids("head of 182 x 218 x 182 at 1 mm", [182, 218, 182], [1.0; 3])?;
        rows.push(total(&fine, "spatial.total_1mm")?);
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
