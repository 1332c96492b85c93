//! The model in a trial: continuous against adaptive therapy on the same 200 virtual patients.

use starter::turnover;
use std::sync::Arc;
use twin_calibrate::{IndependentPrior, Marginal};
use twin_core::{Agent, Observable, Span};
use twin_trials::statistics::{FollowUp, KaplanMeier};
use twin_trials::{Adaptive, Continuous, FromPrior, Outcome, TimeToProgression, Trial, run};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let drug = Agent::new("abiraterone")?;
    let model = Arc::new(turnover(&drug));
    // How patients differ; what is not named keeps its default.
    let patients = IndependentPrior::new([
        ("growth_rate", Marginal::LogNormal { median: 0.03, sd: 0.3 }),
        ("resistance_rate", Marginal::LogUniform { low: 2e-3, high: 2e-2 }),
    ])?;
    let progression = "time to progression";
    let trial = Trial::new(model.clone(), FromPrior::new(model, Arc::new(patients)), 200)
        .arm("continuous", Continuous { agent: drug.clone() })
        .arm("adaptive", Adaptive::half(drug, Observable::TUMOR_VOLUME))
        .measure(Observable::TUMOR_VOLUME)
        .endpoint(TimeToProgression::of(Observable::TUMOR_VOLUME, 1.2))
        .visits(Span::WEEK, Span::from_years(3.0)?)
        .seed(1);
    let report = run(&trial)?;
    for arm in &report.arms {
        let follow_ups = report.outcomes(&arm.name, progression)?.into_iter().filter_map(|outcome| match outcome {
            Outcome::Event(time) => Some(FollowUp { time, event: true }),
            Outcome::Censored(time) => Some(FollowUp { time, event: false }),
            _ => None,
        });
        let curve = KaplanMeier::estimate(&follow_ups.collect::<Vec<_>>())?;
        let median = curve.median().time.map_or_else(|| "not reached".to_owned(), |days| format!("{days:.0} days"));
        println!("{:<12} {} of {} progressed; median {median}", arm.name, curve.events(), curve.subjects());
    }
    Ok(())
}
