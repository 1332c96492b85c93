//! The spatial engine against exact solutions.

use super::{Claim, Ours, words};
use crate::spatial_calibration::{Outcome, Study};
use crate::{convergence, real_masks, spatial};
use std::sync::{Arc, OnceLock};
use twin_models::spatial::Method;

const SECOND_ORDER: &str = "order of the scheme, against an exact solution";
/// A course with a known solution: its name, what it is, and its errors at refinements.
type Course = (&'static str, &'static str, fn() -> spatial::Errors);

const MODES: [Course; 10] = [
    ("uniform", "a cosine in a box", || spatial::uniform(4, Method::RungeKuttaLegendre)),
    ("uniform_reference", "a cosine in a box, by the reference method", || spatial::uniform(4, Method::RungeKutta)),
    ("tissues", "two layers whose diffusivities differ fivefold", || spatial::tissues(4)),
    ("notched_region", "a mode of a region with a notch, a cavity and inner corners", || spatial::notched(3)),
    ("fisher_wave", "the exact wave of Fisher's equation", || Ok(spatial::fisher(4)?.0)),
    ("in_time", "logistic growth in two tissues, steps alone", || spatial::in_time(4)),
    ("disc", "a mode of a disc whose border the voxels follow in steps, in the mean", || spatial::disc(4)),
    ("shells", "the slowest mode of a ball, on shells", || convergence::shells(4)),
    ("tensor", "a tensor that turns from place to place, between flat walls", || convergence::tensor(4)),
    ("tensor_curved", "a tensor that turns, curved walls followed in steps, in the mean", || convergence::tensor_curved(4)),
];

pub(super) fn claims() -> Vec<Claim> {
    let mut claims = Vec::new();
    for (name, what, errors) in MODES {
        let run = move || -> Ours { Ok(spatial::order(&errors().map_err(words)?)) };
        claims.push(Claim::quick(
            format!("spatial.order_{name}"),
            format!("order of convergence, {what}"),
            SECOND_ORDER,
            (2.0, 0.15),
            run,
        ));
    }
    claims.push(Claim::quick(
        "spatial.fisher_wave_speed",
        "speed of the exact wave in units of the root of D times rho",
        "Ablowitz and Zeppetella 1979: 5 over the root of 6",
        (5.0 / 6.0_f64.sqrt(), 0.02),
        || Ok(spatial::fisher(3).map_err(words)?.1),
    ));
    // Bramson: a front that starts as a step lags by (3/2) √(D/ρ) ln t, so at finite times it is 4 to 6 % slower than 2 √(Dρ).
    let lagging =
        |from: f64, to: f64| 2.0 * (0.13_f64 * 0.012).sqrt() - 1.5 * (0.13_f64 / 0.012).sqrt() * (to / from).ln() / (to - from);
    for (number, (days, expected)) in
        [("1000_1500", lagging(1000.0, 1500.0)), ("1500_2000", lagging(1500.0, 2000.0))].into_iter().enumerate()
    {
        let run = move || -> Ours {
            let speeds = spatial::front_speeds(&[1000.0, 1500.0, 2000.0]).map_err(words)?;
            speeds.get(number).copied().ok_or_else(|| "no speed".to_owned())
        };
        claims.push(Claim::quick(
            format!("spatial.front_speed_{days}"),
            "mean speed of a front that starts as a step, mm/d (2 sqrt(D rho) is 0.0790)",
            "Bramson 1983, to leading order",
            (expected, 0.01 * expected),
            run,
        ));
    }
    for (name, tolerated) in [("coarse", 1e-3), ("fine", 1e-5)] {
        claims.push(Claim::quick(
            format!("spatial.estimated_error_{name}"),
            format!("true error over the estimated one where each step may make an error of {tolerated:.0e}"),
            "a bar of this project: an estimate that bounds, so above 0 and at most 1; the truth at steps of an eighth of a day",
            (0.5, 0.5),
            move || convergence::true_over_estimated(tolerated).map_err(words),
        ));
    }
    claims.push(Claim::quick(
        "spatial.anoxic_radius",
        "radius without oxygen of a spheroid of 0.5 mm whose cells use 20 mmHg/s of 40, in mm",
        "closed form for a constant rate of use, Grimes et al. 2014, doi:10.1098/rsif.2013.1124",
        // The root of r_o² + 2 r³/r_o − 3 r² = 6 D p/a.
        (convergence::anoxic_radius(), 0.005),
        || convergence::spheroid().map_err(words),
    ));
    claims.extend(calibration());
    claims.extend(masks());
    claims
}

/// A study with the outcomes of its draws, or why there are none.
type Repeated = Result<(Study, Vec<Outcome>), String>;

/// Draws of the noise.
const DRAWS: u64 = 50;

/// Fifty calibrations of four parameters to five noisy visits of a clinical head, done once: about two minutes on two cores.
fn calibration() -> Vec<Claim> {
    let outcomes = Arc::new(OnceLock::new());
    let row = |id: &str, claim: &str, expected: (f64, f64), of: fn(&Study, &[Outcome]) -> Ours| {
        let outcomes: Arc<OnceLock<Repeated>> = Arc::clone(&outcomes);
        let run = move || {
            let all = outcomes.get_or_init(|| {
                let study = Study::new(0.125).map_err(words)?;
                let repeated = study.repeated(DRAWS).map_err(words)?;
                Ok((study, repeated))
            });
            match all {
                Ok((study, outcomes)) => of(study, outcomes).map(Some),
                Err(why) => Err(why.clone()),
            }
        };
        Claim {
            id: format!("spatial.calibration_{id}"),
            claim: claim.to_owned(),
            source: "the truth that made the data, at steps eight times as fine",
            expected: expected.0,
            tolerance: expected.1,
            quick: false,
            run: Box::new(run),
        }
    };
    fn scores(outcomes: &[Outcome]) -> impl Iterator<Item = f64> {
        outcomes.iter().flat_map(|outcome| outcome.scores.iter().copied())
    }
    vec![
        row(
            "spread",
            "root mean square of (estimate - truth) over standard error, 4 parameters, 50 draws",
            (1.0, 0.15),
            |_, all| Ok((scores(all).map(|z| z * z).sum::<f64>() / scores(all).count() as f64).sqrt()),
        ),
        row("coverage", "share of 90 % intervals that hold the truth, 4 parameters, 50 draws", (0.9, 0.06), |_, all| {
            Ok(scores(all).filter(|z| z.abs() < 1.645).count() as f64 / scores(all).count() as f64)
        }),
        row("bias", "largest mean over the draws of a parameter's error over its standard error", (0.0, 0.5), |_, all| {
            let count = all.first().map_or(0, |outcome| outcome.scores.len());
            let mean = |j: usize| all.iter().map(|outcome| outcome.scores[j]).sum::<f64>() / all.len() as f64;
            Ok((0..count).map(|j| mean(j).abs()).fold(0.0, f64::max))
        }),
        row("sound", "share of the posteriors that call themselves sound", (1.0, 0.1), |_, all| {
            Ok(all.iter().filter(|outcome| outcome.sound).count() as f64 / all.len() as f64)
        }),
        row(
            "forecast",
            "error of the field three visits later over that of nothing changes, largest of 50 draws",
            (0.0, 0.1),
            |study, all| {
                let mut most = 0.0_f64;
                for outcome in all {
                    let forecasts = study.forecasts(&outcome.estimates).map_err(words)?;
                    most = forecasts.iter().map(|[ours, nothing]| ours / nothing).fold(most, f64::max);
                }
                Ok(most)
            },
        ),
    ]
}

/// Forecasts of four real tumors, with the days chosen on the other three, beside the first mask itself.
fn masks() -> Vec<Claim> {
    let row = |id: &str, claim: &str, expected: (f64, f64), of: fn(&real_masks::Forecast) -> f64| {
        let run = move || {
            let found = real_masks::forecasts().map_err(|failure| failure.to_string())?;
            Ok(found.map(|forecasts| real_masks::mean(&forecasts, of)))
        };
        Claim {
            id: format!("spatial.real_masks_{id}"),
            claim: claim.to_owned(),
            source: "data/glioblastoma_masks; the overlap of the two masks computed apart, what a forecast reaches as measured",
            expected: expected.0,
            tolerance: expected.1,
            quick: true,
            run: Box::new(run),
        }
    };
    vec![
        row("persistence_dice", "mean Dice of nothing changes, 4 patients", (0.45105, 1e-4), |forecast| forecast.persistence.dice),
        row("forecast_dice", "mean Dice of the forecast, beside 0.451 of nothing changes", (0.505, 0.02), |forecast| {
            forecast.ours.dice
        }),
        row(
            "forecast_hd95",
            "mean HD95 of the forecast over that of nothing changes, which is the better one by it",
            (2.0, 0.3),
            |forecast| forecast.ours.hd95 / forecast.persistence.hd95,
        ),
    ]
}
