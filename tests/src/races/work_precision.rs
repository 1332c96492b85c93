//! Work against precision: the time that each solver takes, over the error that it makes, tolerance by tolerance.

use super::Row;
use super::cases::{Case, error, model, ours, scenario};
use super::rival_solvers::{Cvode, Diffsol, diffsol};
use std::fmt::Write;
use std::time::Instant;

type Failure = Box<dyn std::error::Error>;

/// One point of a curve.
#[derive(Debug, Clone, Copy)]
pub struct Point {
    /// The relative tolerance.
    pub tolerance: f64,
    /// The largest relative error.
    pub error: f64,
    /// The least time of a solution, in seconds.
    pub seconds: f64,
}

/// The curve of a solver.
#[derive(Debug, Clone)]
pub struct Curve {
    /// The solver.
    pub solver: &'static str,
    /// Its points, coarse first; tolerances at which it fails are left out.
    pub points: Vec<Point>,
    /// Why it failed, with the tolerance, where it did.
    pub failures: Vec<(f64, String)>,
}

/// What no point may take: enough for a few solutions of the slowest.
const SECONDS: f64 = 0.03;

fn timed(mut solve: impl FnMut() -> Result<Vec<f64>, Failure>) -> Result<(f64, Vec<f64>), Failure> {
    let (mut best, mut spent) = (f64::INFINITY, 0.0);
    loop {
        let start = Instant::now();
        let found = solve()?;
        let took = start.elapsed().as_secs_f64();
        best = best.min(took);
        spent += took;
        if spent > SECONDS {
            return Ok((best, found));
        }
    }
}

/// The curves of all solvers for `case`, from a tolerance of 1e-3 to 1e-10.
///
/// # Errors
/// If there is no truth to hold them against.
pub fn curves(case: Case, cvode: Option<&Cvode>) -> Result<Vec<Curve>, Failure> {
    // Where nobody printed digits: ours at a tolerance at which it agrees with diffsol to what diffsol can do.
    let truth = match case.digits() {
        Some(digits) => digits.to_vec(),
        None => ours(model(case, 1e-12)?.as_ref(), &scenario(case)?)?,
    };
    let course = scenario(case)?;
    let mut by_ours = |tolerance: f64| {
        let model = model(case, tolerance)?;
        timed(|| ours(model.as_ref(), &course))
    };
    let by = |method: Diffsol| move |tolerance: f64| timed(|| diffsol(case, tolerance, method));
    let mut all = vec![curve("ours", case, &truth, &mut by_ours), curve("diffsol BDF", case, &truth, &mut by(Diffsol::Bdf))];
    all.push(if case == Case::Kuznetsov {
        curve("diffsol Tsit45", case, &truth, &mut by(Diffsol::Tsit45))
    } else {
        curve("diffsol ESDIRK34", case, &truth, &mut by(Diffsol::Esdirk34))
    });
    if let Some(cvode) = cvode {
        all.push(curve("CVODE BDF", case, &truth, &mut |tolerance| cvode.solve(case, tolerance)));
    }
    Ok(all)
}

fn curve(solver: &'static str, case: Case, truth: &[f64], solve: &mut dyn FnMut(f64) -> Result<(f64, Vec<f64>), Failure>) -> Curve {
    let (mut points, mut failures) = (Vec::new(), Vec::new());
    for exponent in 3..=10 {
        let tolerance = 10.0_f64.powi(-exponent);
        match solve(tolerance) {
            Ok((seconds, found)) => points.push(Point { tolerance, error: error(case, &found, truth).max(1e-16), seconds }),
            Err(failure) => failures.push((tolerance, failure.to_string())),
        }
    }
    Curve { solver, points, failures }
}

/// A row for each rival and case, at a tolerance of 1e-6; a rival that fails there has no time.
///
/// # Errors
/// As [`curves`].
pub fn rows(all: &[(Case, Vec<Curve>)]) -> Vec<Row> {
    let at = |curve: &Curve| curve.points.iter().find(|point| (point.tolerance.log10() + 6.0).abs() < 0.1).copied();
    let mut rows = Vec::new();
    for (case, curves) in all {
        let Some(mine) = curves.iter().find(|curve| curve.solver == "ours").and_then(at) else { continue };
        for rival in curves.iter().filter(|curve| curve.solver != "ours") {
            let id = format!("ode.{}.{}", case.name(), rival.solver).to_lowercase().replace(' ', "_");
            let theirs = at(rival);
            let what = match (theirs, rival.failures.first()) {
                (Some(theirs), _) => format!("at tolerance 1e-6; errors {:.1e} and {:.1e}", mine.error, theirs.error),
                (None, Some((tolerance, failure))) => format!("it fails from a tolerance of {tolerance:e} on: {failure}"),
                (None, None) => "no time".to_owned(),
            };
            let rival_s = theirs.map(|theirs| theirs.seconds);
            rows.push(Row { id, ours_s: mine.seconds, rival_s, ratio: rival_s.map(|rival| rival / mine.seconds), what });
        }
    }
    rows
}

const COLORS: [(&str, &str); 5] = [
    ("ours", "#1b6ca8"),
    ("diffsol BDF", "#c0504d"),
    ("diffsol ESDIRK34", "#d99a2b"),
    ("diffsol Tsit45", "#d99a2b"),
    ("CVODE BDF", "#5b8c5a"),
];
const PANEL: (f64, f64) = (230.0, 190.0);

/// The curves as a picture: a panel for each case, error along, time up, both logarithmic.
#[must_use]
pub fn picture(all: &[(Case, Vec<Curve>)]) -> String {
    let (columns, rows) = (4, all.len().div_ceil(4));
    let (width, height) = (PANEL.0 * columns as f64 + 20.0, PANEL.1 * rows as f64 + 40.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"10\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"white\"/>\n"
    );
    for (number, (case, curves)) in all.iter().enumerate() {
        let (x, y) = (PANEL.0 * (number % columns) as f64, PANEL.1 * (number / columns) as f64);
        let _ = writeln!(svg, "<g transform=\"translate({x} {y})\">");
        panel(&mut svg, &case.name(), curves);
        svg.push_str("</g>\n");
    }
    let mut x = 40.0;
    for (solver, color) in
        COLORS.iter().filter(|(solver, _)| all.iter().flat_map(|(_, curves)| curves).any(|curve| curve.solver == *solver))
    {
        let y = height - 14.0;
        let _ = writeln!(
            svg,
            "<circle cx=\"{x}\" cy=\"{y}\" r=\"3.5\" fill=\"{color}\"/><text x=\"{}\" y=\"{}\">{solver}</text>",
            x + 8.0,
            y + 3.5
        );
        x += 150.0;
    }
    svg.push_str("</svg>\n");
    svg
}

fn panel(svg: &mut String, name: &str, curves: &[Curve]) {
    let (left, top, wide, high) = (44.0, 24.0, PANEL.0 - 56.0, PANEL.1 - 58.0);
    let points = || curves.iter().flat_map(|curve| &curve.points).filter(|point| point.error.is_finite());
    let low = points().map(|point| point.seconds).fold(f64::INFINITY, f64::min).log10().floor();
    let high_time = points().map(|point| point.seconds).fold(0.0, f64::max).log10().ceil();
    let (from, to) = (-12.0, 0.0);
    let at = |point: &Point| {
        let share = (point.error.log10().clamp(from, to) - from) / (to - from);
        let up = (point.seconds.log10() - low) / (high_time - low).max(1.0);
        (left + wide * (1.0 - share), top + high * (1.0 - up))
    };
    let _ = writeln!(svg, "<text x=\"{}\" y=\"14\" text-anchor=\"middle\" font-weight=\"bold\">{name}</text>", left + wide / 2.0);
    let _ = writeln!(svg, "<rect x=\"{left}\" y=\"{top}\" width=\"{wide}\" height=\"{high}\" fill=\"none\" stroke=\"#999\"/>");
    for exponent in [0, -3, -6, -9, -12] {
        let x = left + wide * (1.0 - (f64::from(exponent) - from) / (to - from));
        let y = top + high + 12.0;
        let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\">1e{exponent}</text>");
        let _ = writeln!(svg, "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{top}\" y2=\"{}\" stroke=\"#eee\"/>", top + high);
    }
    let mut decade = low;
    while decade <= high_time + 0.5 {
        let y = top + high * (1.0 - (decade - low) / (high_time - low).max(1.0));
        let label = match decade as i32 {
            -6 => "1 us".to_owned(),
            -5 => "10 us".to_owned(),
            -4 => "100 us".to_owned(),
            -3 => "1 ms".to_owned(),
            -2 => "10 ms".to_owned(),
            -1 => "100 ms".to_owned(),
            other => format!("1e{other} s"),
        };
        let _ = writeln!(svg, "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>", left - 3.0, y + 3.0);
        let _ = writeln!(svg, "<line x1=\"{left}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#eee\"/>", left + wide);
        decade += 1.0;
    }
    let _ = writeln!(
        svg,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">largest relative error</text>",
        left + wide / 2.0,
        top + high + 25.0
    );
    for curve in curves {
        let color = COLORS.iter().find(|(solver, _)| *solver == curve.solver).map_or("#000", |(_, color)| color);
        let places: Vec<(f64, f64)> = curve.points.iter().filter(|point| point.error.is_finite()).map(at).collect();
        let line: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let _ = writeln!(svg, "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"1.5\"/>", line.join(" "));
        for (x, y) in places {
            let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.2\" fill=\"{color}\"/>");
        }
    }
}
