//! Adaptive against continuous abiraterone, on 300 virtual patients: each goes through both arms.
//!
//! `cargo run --release -p twin-trials --example adaptive_prostate` writes `target/adaptive_prostate.html`.

#![allow(clippy::print_stdout, reason = "a program that prints its result")]

use std::sync::Arc;
use twin_calibrate::{IndependentPrior, LogError, Marginal};
use twin_core::{Agent, Observable, Span};
use twin_models::clones;
use twin_trials::report::{Block, Figure, Plot, Report, Section, SurvivalCurve, SurvivalFigure};
use twin_trials::statistics::{KaplanMeier, log_rank, quantile};
use twin_trials::{Adaptive, Continuous, FromPrior, Outcome, TimeOffDrug, TimeToProgression, Trial, run};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let drug = Agent::new("abiraterone")?;
    let model = Arc::new(clones::sensitive_resistant(drug.clone()));
    // How virtual patients differ: assumptions, not a fitted population.
    let population = IndependentPrior::new([
        ("growth_rate", Marginal::LogNormal { median: 0.027, sd: 0.3 }),
        ("turnover", Marginal::Uniform { low: 0.0, high: 0.5 }),
        ("initial_burden", Marginal::Uniform { low: 0.3, high: 0.8 }),
        ("initial_resistance", Marginal::LogUniform { low: 1e-4, high: 0.1 }),
    ])?;
    let trial = Trial::new(model.clone(), FromPrior::new(model, Arc::new(population)), 300)
        .arm("continuous", Continuous { agent: drug.clone() })
        .arm("adaptive", Adaptive::half(drug.clone(), Observable::PSA))
        .measure_with(Observable::PSA, LogError::new(0.1, 0.0))
        .endpoint(TimeToProgression::of(Observable::TUMOR_BURDEN, 1.2))
        .endpoint(TimeOffDrug { agent: drug })
        .visits(Span::from_weeks(4.0)?, Span::from_years(4.0)?)
        .seed(7);
    let report = run(&trial)?;

    let arms = ["continuous", "adaptive"].map(|arm| (arm, report.follow_ups(arm, "time to progression")));
    let (mut curves, mut groups) = (Vec::new(), Vec::new());
    for (arm, follow_ups) in arms {
        groups.push(follow_ups?);
        let estimate = KaplanMeier::estimate(&groups[groups.len() - 1])?;
        println!("{arm}: median {:?} d, {} of {} progressed", estimate.median().time, estimate.events(), estimate.subjects());
        curves.push(SurvivalCurve { label: arm.to_owned(), estimate });
    }
    let comparison = Some(log_rank(&groups.iter().map(Vec::as_slice).collect::<Vec<_>>())?);
    let off = report.outcomes("adaptive", "share of time off drug")?;
    let shares = off.iter().filter_map(|outcome| if let Outcome::Value(share) = outcome { Some(*share) } else { None });
    let off = quantile(&shares.collect::<Vec<_>>(), 0.5)?;
    let plot = Plot::Survival(SurvivalFigure { label: "Free of progression".into(), curves, comparison });
    let mut page = Report::new("Adaptive against continuous abiraterone");
    page.sections.push(Section {
        heading: "Time to progression".into(),
        blocks: vec![
            Block::KeyFigures(vec![("Time off the drug in the adaptive arm, median".into(), format!("{:.0} %", 100.0 * off))]),
            Block::Figure(Figure::new(
                "300 virtual patients, each in both arms; progression is a burden 20 % above the start.",
                plot,
            )),
            Block::Paragraph("A better policy on virtual patients is a hypothesis, not a result about patients.".into()),
        ],
    });
    std::fs::create_dir_all("target")?;
    std::fs::write("target/adaptive_prostate.html", page.to_html()?)?;
    println!("wrote target/adaptive_prostate.html");
    Ok(())
}
