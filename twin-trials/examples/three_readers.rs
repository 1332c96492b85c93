//! One recommendation for one patient, written for three readers: the clinician, the modeler and the patient.
//!
//! `cargo run --release -p twin-trials --example three_readers` writes three pages below `target`.

#![allow(clippy::print_stdout, reason = "a program that prints its result")]

use std::sync::Arc;
use twin_calibrate::{IndependentPrior, LogError, Marginal, Prior};
use twin_core::{Agent, Observable, Random, Span};
use twin_models::clones;
use twin_trials::explain::{Support, ranking_drivers};
use twin_trials::planning::{Confidence, Limits, Objective, Plan, Question, Rule, ThresholdSpace, recommend};
use twin_trials::report::{Briefing, Wording};
use twin_trials::{Continuous, CumulativeDose, FromPrior, Measurement, TimeToProgression, Trial};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let drug = Agent::new("abiraterone")?;
    let model = Arc::new(clones::sensitive_resistant(drug.clone()));
    // What is believed of the patient; a posterior takes its place where there are data.
    let belief = IndependentPrior::new([
        ("growth_rate", Marginal::LogNormal { median: 0.027, sd: 0.2 }),
        ("turnover", Marginal::Uniform { low: 0.0, high: 0.2 }),
        ("initial_resistance", Marginal::LogUniform { low: 1e-2, high: 0.3 }),
    ])?;
    let population: Vec<Vec<f64>> = (0..200).map(|number| belief.sample(&mut Random::new(3).stream(number))).collect();
    let support = Support::of(["growth rate", "turnover", "initial resistance"], &population)?;

    let setting = Trial::new(model.clone(), FromPrior::new(model, Arc::new(belief)), 400)
        .measure_with(Observable::PSA, LogError::new(0.1, 0.0))
        .visits(Span::from_weeks(4.0)?, Span::from_years(5.0)?);
    let standard = Plan::adaptive("drug without pause", Continuous { agent: drug.clone() });
    let policies = ThresholdSpace { agent: drug.clone(), marker: Observable::PSA, stop_at: (0.3, 0.8), above: (0.2, 0.5) };
    let objective = Objective::most(TimeToProgression::of(Observable::TUMOR_BURDEN, 1.2));
    let limit = Rule::TimeOn { agent: drug.clone(), at_most: Span::from_years(6.0)? };
    let question = Question::new(setting, standard, objective, Confidence::new(30.0))
        .plans(policies.space()?.menu(2)?)
        .within(Limits::none().rule("at most six years on the drug", limit))
        .effect(Objective::least(CumulativeDose { agent: drug, unit: None }))
        .candidate("PSA", Measurement { observable: Observable::PSA, error: Some(Arc::new(LogError::new(0.1, 0.0))) }, 56.0);
    let answer = recommend(&question)?;

    let first = answer.ranked.first().ok_or("no plan")?.plan.clone();
    let drivers =
        if first == answer.standard { None } else { Some(ranking_drivers(&question, &answer, &first, &answer.standard)?) };
    let wording =
        |endpoint: &str, plain: &str, unit: &str| Wording { endpoint: endpoint.into(), plain: plain.into(), unit: unit.into() };
    let briefing = Briefing {
        patient: "P-0042".into(),
        question: "Should the drug be paused when PSA has fallen, and until when?".into(),
        answer: &answer,
        wording: vec![
            wording("time to progression", "the time until the cancer grows again", "days"),
            wording("cumulative dose", "days on full dose of the drug", "days"),
        ],
        data: vec![
            ("PSA".into(), None),
            ("Imaging".into(), Some("not done yet".into())),
            ("Tumor sequencing".into(), Some("no tissue".into())),
        ],
        drivers,
        position: Some(support.position(&[0.03, 0.1, 0.05])?),
        leaves_out: vec!["bone pain and other symptoms.".into(), "other diseases and other drugs.".into()],
    };
    std::fs::create_dir_all("target")?;
    for (reader, page) in
        [("clinician", briefing.for_clinician()?), ("modeler", briefing.for_modeler()?), ("patient", briefing.for_patient()?)]
    {
        let path = format!("target/three_readers_{reader}.html");
        std::fs::write(&path, page.to_html()?)?;
        println!("wrote {path}");
    }
    Ok(())
}
