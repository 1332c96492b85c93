//! Prints what is inferred of the patient, and what the trial comes to.

use application::{patient, prior, scatter, trial};
use std::error::Error;
use twin_calibrate::{Calibrator, Problem, Sampled};
use twin_core::{Observable, Random, Time};
use twin_trials::{Outcome, run};

fn main() -> Result<(), Box<dyn Error>> {
    let (patient, prior, error) = (patient(&mut Random::new(7))?, prior()?, scatter());
    let model = method_developer::irradiated();
    let problem = Problem::new(&model, &patient, &prior, Observable::TUMOR_VOLUME, &error)?;
    let posterior = Sampled::default().calibrate(&problem, &mut Random::new(1))?;
    for name in posterior.names() {
        let [low, median, high] = posterior.quantiles(name, [0.025, 0.5, 0.975])?;
        println!("{name}: {median:.4} ({low:.4} to {high:.4})");
    }
    let trial = trial(posterior, &patient, Time::from_days(110.0)?)?;
    let report = run(&trial)?;
    for arm in &report.arms {
        let value = |outcome: &Outcome| if let Outcome::Value(value) = outcome { Some(*value) } else { None };
        let shares: Vec<f64> = report.outcomes(&arm.name, "smallest volume")?.iter().filter_map(value).collect();
        let mean = shares.iter().sum::<f64>() / shares.len() as f64;
        println!("{}: {:.0} % of the volume at the start, at the least", arm.name, 100.0 * mean);
    }
    Ok(())
}
