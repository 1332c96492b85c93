//! One trial on three worker processes, then put together: the same bytes as on one.
//!
//! `cargo run --release -p twin-trials --example trial_on_three_workers` starts itself three times, and writes
//! `target/trial_on_three_workers.html`. Any engine that runs commands can start the workers instead.

#![allow(clippy::print_stdout, reason = "a program that prints its result")]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use twin_calibrate::{IndependentPrior, Marginal};
use twin_core::{Agent, Observable, Span};
use twin_models::clones;
use twin_trials::batch::{Batch, Shard};
use twin_trials::report::{Block, Figure, Plot, Report, Section, SurvivalCurve, SurvivalFigure};
use twin_trials::statistics::{KaplanMeier, log_rank};
use twin_trials::{Adaptive, Continuous, FromPrior, TimeToProgression, Trial, run};

type Failure = Box<dyn std::error::Error>;

const WORKERS: usize = 3;
const FOLDER: &str = "target/trial_on_three_workers";
/// Whatever describes the study: shards of another study are refused.
const MANIFEST: &[u8] = b"continuous against adaptive abiraterone, 600 patients, seed 7";

fn trial() -> Result<Trial, Failure> {
    let drug = Agent::new("abiraterone")?;
    let model = Arc::new(clones::sensitive_resistant(drug.clone()));
    let population = IndependentPrior::new([
        ("growth_rate", Marginal::LogNormal { median: 0.027, sd: 0.3 }),
        ("turnover", Marginal::Uniform { low: 0.0, high: 0.5 }),
        ("initial_resistance", Marginal::LogUniform { low: 1e-4, high: 0.1 }),
    ])?;
    Ok(Trial::new(model.clone(), FromPrior::new(model, Arc::new(population)), 600)
        .arm("continuous", Continuous { agent: drug.clone() })
        .arm("adaptive", Adaptive::half(drug, Observable::PSA))
        .measure(Observable::PSA)
        .endpoint(TimeToProgression::of(Observable::TUMOR_BURDEN, 1.2))
        .visits(Span::from_weeks(4.0)?, Span::from_years(3.0)?)
        .seed(7))
}

fn main() -> Result<(), Failure> {
    let trial = trial()?;
    let (batch, folder) = (Batch::new(&trial, MANIFEST)?, Path::new(FOLDER));
    if let Some(index) = std::env::args().nth(1) {
        batch.run_shard(Shard::new(index.parse()?, WORKERS)?, folder, &())?;
        return Ok(());
    }
    std::fs::create_dir_all(folder)?;
    let this = std::env::current_exe()?;
    let workers = (0..WORKERS).map(|index| Command::new(&this).arg(index.to_string()).spawn()).collect::<Result<Vec<_>, _>>()?;
    for mut worker in workers {
        if !worker.wait()?.success() {
            return Err("a worker failed; run again, and only what is missing is done".into());
        }
    }
    let report = batch.merge(WORKERS, folder)?;
    let same = report == run(&trial)?;
    println!("{} patients by {WORKERS} workers; the same as on one: {same}", report.size);
    std::fs::remove_dir_all(folder)?;

    let (mut curves, mut groups) = (Vec::new(), Vec::new());
    for arm in ["continuous", "adaptive"] {
        groups.push(report.follow_ups(arm, "time to progression")?);
        curves.push(SurvivalCurve { label: arm.to_owned(), estimate: KaplanMeier::estimate(&groups[groups.len() - 1])? });
    }
    let comparison = Some(log_rank(&groups.iter().map(Vec::as_slice).collect::<Vec<_>>())?);
    let plot = Plot::Survival(SurvivalFigure { label: "Free of progression".into(), curves, comparison });
    let mut page = Report::new("A trial on three workers");
    let figure = Block::Figure(Figure::new("600 virtual patients in both arms, merged from three shards.", plot));
    page.sections.push(Section { heading: "Time to progression".into(), blocks: vec![figure] });
    std::fs::write("target/trial_on_three_workers.html", page.to_html()?)?;
    println!("wrote target/trial_on_three_workers.html");
    if same { Ok(()) } else { Err("the merged report differs from that of one process".into()) }
}
