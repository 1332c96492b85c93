//! A twin that learns from each PSA as it comes in: the forecast for day 224 narrows, version by version.
//!
//! `cargo run --release -p twin-trials --example live_update` writes `target/live_update.html`.

#![allow(clippy::print_stdout, reason = "a program that prints its result")]

use std::sync::Arc;
use std::time::Instant;
use twin_calibrate::living::{Assumptions, Monitor, Particles, Twin};
use twin_calibrate::{LogError, priors};
use twin_core::{Agent, Event, Observable, Observation, Patient, Provenance, Random, SubjectId, Time, Treatment};
use twin_models::clones;
use twin_trials::report::{Block, Figure, IntervalRow, IntervalsFigure, Plot, Report, Scale, Section};
use twin_trials::statistics::Spread;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let drug = Agent::new("abiraterone")?;
    let model = Arc::new(clones::sensitive_resistant(drug.clone()));
    let (prior, error) = (priors::psa_sensitive_resistant(20.1)?, LogError::new(0.3, priors::PSA_OFFSET));
    let mut assumptions = Assumptions::new(model, Arc::new(prior), Observable::PSA, Arc::new(error), Time::ORIGIN)?;
    assumptions.weight = priors::MONTHLY_PSA_WEIGHT;
    let mut random = Random::new(1);
    let mut twin = Twin::unseen(assumptions, Patient::new(SubjectId::new("P1")?), 1000, &mut random)?;

    let psa = |value: f64| Observation::number(Observable::PSA, value, "ng/mL").map(Event::Observation);
    let switch = |on: bool| Event::Treatment(if on { Treatment::on(drug.clone()) } else { Treatment::off(drug.clone()) });
    let events = [
        (0.0, psa(20.1)?),
        (0.0, switch(true)),
        (28.0, psa(14.2)?),
        (56.0, psa(9.6)?),
        (56.0, switch(false)),
        (84.0, psa(12.9)?),
        (112.0, psa(17.5)?),
        (140.0, psa(20.6)?),
        (140.0, switch(true)),
        (168.0, psa(15.0)?),
        (196.0, psa(10.3)?),
    ];
    let day = Time::from_days(224.0)?;
    let mut rows = Vec::new();
    for (at, event) in events {
        let reading = matches!(event, Event::Observation(_));
        let clock = Instant::now();
        twin = twin.update(Time::from_days(at)?, event, Provenance::measured("laboratory"), &Particles::default(), &mut random)?;
        if reading {
            let forecast = twin.forecast(&Observable::PSA, [day], [], 1000, &Random::new(2))?;
            let [low, quarter, median, upper, high] = forecast.observed_quantiles([0.05, 0.25, 0.5, 0.75, 0.95])[0];
            println!("after day {at}: {median:.1} ng/mL, 90 % between {low:.1} and {high:.1}; updated in {:.0?}", clock.elapsed());
            let spread = Spread { median, half: (quarter, upper), ninety: (low, high) };
            rows.push(IntervalRow { label: format!("after day {at}"), spread });
        }
    }
    let verdict = Monitor::default().judge(&twin)?;
    let told =
        if verdict.explained { "The readings do not speak against the model." } else { "The model does not explain the readings." };
    let last = format!("The last version: {}.", twin.versions()[twin.versions().len() - 1].change);
    let plot = IntervalsFigure {
        label: "PSA on day 224, as treated until then".into(),
        unit: "ng/mL".into(),
        scale: Scale::Logarithmic,
        rows,
        ..IntervalsFigure::default()
    };
    let mut report = Report::new("A twin that learns from each reading");
    report.sections.push(Section {
        heading: "The same forecast, version by version".into(),
        blocks: vec![
            Block::Figure(Figure::new("Medians with 50 % and 90 % intervals.", Plot::Intervals(plot))),
            Block::Paragraph(format!("{last} {told}")),
        ],
    });
    std::fs::create_dir_all("target")?;
    std::fs::write("target/live_update.html", report.to_html()?)?;
    println!("wrote target/live_update.html");
    Ok(())
}
