//! Inference against its limits and against established samplers.

use super::Row;
use crate::field_twin::scan_seconds;
use crate::posteriors::{EightSchools, KidScore, draw, numbers, parameters_of, read};
use crate::theophylline::{focei, saem};
use crate::two_arms;
use crate::updates::milliseconds;
use std::collections::BTreeMap;
use std::process::Command;
use std::time::Instant;
use twin_calibrate::diagnostics::{Draws, bulk_ess};
use twin_calibrate::population::Saem;
use twin_calibrate::sample::LnDensity;
use twin_core::Random;

type Failure = Box<dyn std::error::Error>;

/// The script that runs the rivals, for Python with emcee, and with nutpie, numba and arviz.
const PEERS: &str = include_str!("inference_peers.py");
/// What a thousand effective draws are counted in.
const EFFECTIVE: f64 = 1000.0;

fn alone(id: &str, seconds: f64, what: &str) -> Row {
    Row { id: id.to_owned(), ours_s: seconds, rival_s: None, ratio: None, what: what.to_owned() }
}

/// The seconds that `work` takes, at the best of `times`.
fn timed<T>(times: usize, mut work: impl FnMut() -> Result<T, String>) -> Result<f64, String> {
    let mut best = f64::INFINITY;
    for _ in 0..times {
        let start = Instant::now();
        work()?;
        best = best.min(start.elapsed().as_secs_f64());
    }
    Ok(best)
}

/// Seconds for a thousand effective draws of the worst parameter, warm-up included.
fn per_thousand(posterior: &str, target: &dyn LnDensity) -> Result<f64, Failure> {
    let start = Instant::now();
    let chains = draw(target)?;
    let seconds = start.elapsed().as_secs_f64();
    let mut least = f64::INFINITY;
    for (_, parameter) in parameters_of(posterior) {
        let values: Vec<f64> = chains.points().map(parameter).collect();
        least = least.min(bulk_ess(&Draws::independent(&values, chains.chains())?));
    }
    Ok(seconds / least * EFFECTIVE)
}

/// Seconds for a thousand effective draws of each rival, by name; empty where none is installed.
fn peers() -> BTreeMap<String, f64> {
    let Some(folder) = crate::data("race", "reference/posteriordb/data") else { return BTreeMap::new() };
    let output = Command::new("python3").arg("-c").arg(PEERS).arg(folder).output();
    let Some(output) = output.ok().filter(|output| output.status.success()) else { return BTreeMap::new() };
    let found: BTreeMap<String, [f64; 2]> = serde_json::from_slice(&output.stdout).unwrap_or_default();
    found.into_iter().map(|(name, [seconds, effective])| (name, seconds / effective * EFFECTIVE)).collect()
}

/// Races of inference.
///
/// # Errors
/// What keeps a contestant of ours from running.
pub fn rows() -> Result<Vec<Row>, Failure> {
    let mut rows = vec![
        Row::new(
            "inference.update",
            (milliseconds()? / 1e3, 0.05),
            "one more PSA, 1000 particles, the median of a patient's updates; rival: the limit of 50 ms",
        ),
        Row::new(
            "inference.scan",
            (scan_seconds(100)?.0, 10.0),
            "one more scan, 100 tumors at 1 mm, a month apart; rival: the limit of 10 s",
        ),
    ];
    if read("race", "reference_summary.json")?.is_some() {
        let none =
            "12 subjects, 132 readings, standard errors and likelihood included; no peer that fits populations installs here";
        rows.push(alone("inference.saem_theophylline", timed(2, || saem("race", None))?, none));
        rows.push(alone("inference.focei_theophylline", timed(2, || focei("race"))?, none));
        let small = Saem { exploring: 150, averaging: 150, ..Saem::default() };
        let trial = timed(1, || two_arms::fit(250, &small, &mut Random::new(1)))?;
        rows.push(alone(
            "inference.saem_500",
            trial,
            "SAEM, 500 patients in two arms, 4500 tumor sizes, 300 iterations, all included",
        ));
        let load = |name: &str| read("race", &format!("data/{name}.json"));
        let (Some(schools), Some(kids)) = (load("eight_schools")?, load("kidiq")?) else { return Ok(rows) };
        let schools = EightSchools { seen: numbers(&schools, "y"), errors: numbers(&schools, "sigma") };
        let kids = KidScore { scores: numbers(&kids, "kid_score"), mothers: numbers(&kids, "mom_iq") };
        let peers = peers();
        let contests: [(&str, &str, &dyn LnDensity); 2] =
            [("eight_schools", "eight_schools-eight_schools_noncentered", &schools), ("kidiq", "kidiq-kidscore_momiq", &kids)];
        for (name, posterior, target) in contests {
            let ours = per_thousand(posterior, target)?;
            for rival in ["nutpie", "emcee"] {
                let (id, what) =
                    (format!("inference.{rival}_{name}"), format!("{name}: seconds for 1000 effective draws, warm-up included"));
                match peers.get(&format!("{rival}_{name}")) {
                    Some(theirs) => rows.push(Row::new(&id, (ours, *theirs), what)),
                    None => rows.push(alone(&id, ours, &format!("{what}; {rival} is not installed"))),
                }
            }
        }
    }
    Ok(rows)
}
