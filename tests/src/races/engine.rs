//! What the engine of trials costs beyond the integration of its courses, and what a second thread gains.

use super::{Row, duel};
use crate::study::{MANIFEST, trial};
use twin_core::{Random, Time, TimedTreatment};
use twin_models::{Model, Parameters, SimulationError};
use twin_trials::batch::Batch;
use twin_trials::{TrialError, course, run};

type Failure = Box<dyn std::error::Error>;

const PATIENTS: usize = 2000;

/// A course, ready to be integrated again without a trial around it.
struct Bare {
    parameters: Parameters,
    treatments: Vec<TimedTreatment>,
    visits: Vec<Time>,
}

impl Bare {
    /// Integrates the course with the same stops and looks.
    fn live(&self, model: &dyn Model, row: &mut [f64]) -> Result<f64, SimulationError> {
        let start = self.visits.first().copied().unwrap_or_default();
        let mut simulation = model.start(&self.parameters, start, &mut Random::new(0))?;
        let mut treatments = self.treatments.iter().peekable();
        let mut sum = 0.0;
        for &visit in &self.visits {
            simulation.advance(visit)?;
            simulation.observe(row);
            sum += row.first().copied().unwrap_or_default();
            while let Some(given) = treatments.next_if(|given| given.time <= visit) {
                simulation.treat(&given.treatment)?;
            }
        }
        Ok(sum)
    }
}

fn threads(count: usize) -> Result<rayon::ThreadPool, Failure> {
    Ok(rayon::ThreadPoolBuilder::new().num_threads(count).build()?)
}

/// Races of the engine.
///
/// # Errors
/// What keeps the trial from running.
pub fn rows() -> Result<Vec<Row>, Failure> {
    let trial = trial(PATIENTS)?;
    let mut courses = Vec::new();
    for index in 0..PATIENTS {
        for arm in &trial.arms {
            let lived = course(&trial, &arm.name, index)?;
            let patient = trial.cohort.draw(index, &mut Random::new(trial.seed).stream(index as u64).stream(0))?;
            courses.push(Bare { parameters: patient.parameters, treatments: lived.treatments, visits: lived.visits });
        }
    }
    let (one, two) = (threads(1)?, threads(2)?);
    let mut row = vec![0.0; trial.model.spec().observables.len()];
    let mut failed = None;
    let mut keep = |result: Result<(), TrialError>| failed = failed.take().or(result.err());
    let mut bare_failed = None;
    let mut bare = || {
        let lived: Result<f64, _> = courses.iter().map(|course| course.live(&*trial.model, &mut row)).sum();
        bare_failed = bare_failed.take().or(lived.err());
    };
    let against_bare = duel(5, 1, &mut || keep(one.install(|| run(&trial)).map(|_| ())), &mut bare);
    let against_one =
        duel(5, 1, &mut || assert!(two.install(|| run(&trial)).is_ok()), &mut || assert!(one.install(|| run(&trial)).is_ok()));
    // What a second thread can gain on this machine: the same courses in two halves that share nothing.
    let live = |part: &[Bare]| -> Result<f64, SimulationError> {
        let mut row = vec![0.0; trial.model.spec().observables.len()];
        part.iter().map(|course| course.live(&*trial.model, &mut row)).sum()
    };
    let (first, second) = courses.split_at(courses.len() / 2);
    let halves = || two.install(|| rayon::join(|| live(first), || live(second)));
    let bare_halves =
        duel(5, 1, &mut || assert!(matches!(halves(), (Ok(_), Ok(_)))), &mut || assert!(one.install(|| live(&courses)).is_ok()));
    let path = std::env::temp_dir().join(format!("twin-race-{}.outcomes", std::process::id()));
    let batch = Batch::new(&trial, MANIFEST)?;
    let mut journaled = || {
        let _ = std::fs::remove_file(&path);
        assert!(one.install(|| batch.run_journaled(&path, &())).is_ok_and(|size| size == PATIENTS));
    };
    let in_memory = duel(5, 1, &mut journaled, &mut || assert!(one.install(|| run(&trial)).is_ok()));
    let _ = std::fs::remove_file(&path);
    if let Some(error) = failed {
        return Err(error.into());
    }
    if let Some(error) = bare_failed {
        return Err(error.into());
    }
    let what = format!("{PATIENTS} patients in two arms, 40 visits, one thread");
    Ok(vec![
        Row::new("trial.bare", against_bare, format!("{what}; the rival integrates the same courses and does nothing else")),
        Row::new("trial.one_thread", against_one, format!("{what}; ours has two threads")),
        Row::new("trial.bare_one_thread", bare_halves, format!("{what}; the bare courses alone, ours on two threads")),
        Row::new("trial.in_memory", in_memory, format!("{what}; ours goes through a journal")),
    ])
}
