//! Times the spatial engine against a plain loop of the same arithmetic, and against the bandwidth of the memory, in one run.
//!
//! `spatial_race [--threads N] [--quick]`; the brain of the ICBM 152 template is used if it is there, else a head of ellipsoids.

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

fn relative_error(field: &[f64], exact: &[f64]) -> f64 {
    let squares = |of: &dyn Fn(usize) -> f64| (0..exact.len()).map(|index| of(index).powi(2)).sum::<f64>().sqrt();
    squares(&|index| field[index] - exact[index]) / squares(&|index| exact[index])
}

fn head_race(head: &Head, days: u32) -> Result<(), Failure> {
    println!(
        "\n{}: {} voxels in the region, {} in the grid",
        head.name,
        head.inside.iter().filter(|i| **i).count(),
        head.grid.voxels()
    );
    for (treated, scenario) in
        [("treated", course(days)?), ("untreated", Scenario::starting(Time::ORIGIN).sampled([Time::from_days(f64::from(days))?]))]
    {
        let exact = run::<f64>(head, &scenario, 0.125, 1e-14)?.0;
        for (what, step, above) in [
            ("ours", 4.0, 1e-12),
            ("ours", 2.0, 1e-12),
            ("ours", 1.0, 1e-12),
            ("ours, whole region", 1.0, 1e-300),
            ("ours", 0.5, 1e-12),
        ] {
            let (field, set_up, seconds, active, sweeps) = run::<f32>(head, &scenario, step, above)?;
            println!(
                "  {treated:<10} {what:<20} f32 step {step:<5} set-up {:6.1} ms  course {:7.1} ms  error {:.1e}  active {active}, {sweeps} sweeps",
                1e3 * set_up,
                1e3 * seconds,
                relative_error(&field, &exact)
            );
        }
        let (field, _, seconds, ..) = run::<f64>(head, &scenario, 1.0, 1e-12)?;
        println!(
            "  {treated:<10} {:<20} f64 step 1     course {:7.1} ms  error {:.1e}",
            "ours",
            1e3 * seconds,
            relative_error(&field, &exact)
        );
        for step in [1.0, 0.5, 0.25, 0.125] {
            let mut plain = PlainLoop::new(head.grid.shape(), head.grid.spacing_mm(), &head.inside, &head.initial(), (0.1, 0.05));
            let (lived, seconds) = timed(|| plain.live(&scenario, step, (0.03, 10.0), (0.5, 9.242)));
            lived?;
            println!(
                "  {treated:<10} {:<20} f32 step {step:<5} course {:7.1} ms  error {:.1e}  {:.2} ns per voxel and step",
                "plain loop",
                1e3 * seconds,
                relative_error(&plain.field(), &exact),
                1e9 * seconds / plain.voxel_steps() as f64
            );
        }
    }
    Ok(())
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let threads =
        arguments.iter().position(|a| a == "--threads").and_then(|at| arguments.get(at + 1)).map_or(Ok(1), |n| n.parse())?;
    let quick = arguments.iter().any(|a| a == "--quick");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    pool.install(|| -> Result<(), Failure> {
        println!("{threads} threads; triad {:.1} GB/s in f32", triad::<f32>(1 << 25, 3));
        head_race(&ellipsoids("head of 77 x 116 x 36 at 1.5 x 1.5 x 3 mm", [77, 116, 36], [1.5, 1.5, 3.0])?, 270)?;
        if !quick {
            head_race(&ellipsoids("head of 182 x 218 x 182 at 1 mm", [182, 218, 182], [1.0; 3])?, 270)?;
        }
        println!("\ntriad {:.1} GB/s in f32", triad::<f32>(1 << 25, 3));
        Ok(())
    })
}
