//! Zhang 2017 and 2022: adaptive abiraterone, by competing cells fitted to the published PSA series.

use super::{Estimate, Study, target};
use crate::psa::{median, series};
use rayon::prelude::*;
use std::sync::Arc;
use twin_calibrate::{Calibrator, LogError, Problem, Sampled, priors};
use twin_core::{Agent, Observable, Patient, Random, Span, Treatment};
use twin_io::Limits;
use twin_io::table::{Mapping, read_table};
use twin_models::clones;
use twin_trials::{Adaptive, Continuous, Course, Endpoint, FromList, Outcome, TimeOffDrug, Trial, VirtualPatient, run as conduct};

const DRAWS: usize = 100;
const PROGRESSION: &str = "time to progression under the drug";

/// Virtual twins of `patient`: draws from the posterior of its whole series, started again.
fn twins(patient: &Patient, drug: &Agent, random: &mut Random) -> Result<Vec<VirtualPatient>, String> {
    let words = |error: twin_calibrate::CalibrationError| error.to_string();
    let first = series(patient).first().map(|(_, psa)| *psa).ok_or("a patient without PSA")?;
    let model = clones::sensitive_resistant(drug.clone());
    let prior = priors::psa_sensitive_resistant(first.max(priors::PSA_OFFSET)).map_err(words)?;
    let error = LogError::new(0.3, priors::PSA_OFFSET);
    let problem = Problem::new(&model, patient, &prior, Observable::PSA, &error).map_err(words)?;
    let problem = problem.weighted(priors::MONTHLY_PSA_WEIGHT);
    let posterior = Sampled::default().calibrate(&problem, random).map_err(words)?;
    let draw = |_| {
        let parameters = posterior.parameters(random.below(posterior.count())).map_err(words)?;
        Ok(VirtualPatient::new(parameters))
    };
    (0..DRAWS).map(draw).collect()
}

/// Progression under the drug: the burden is a fifth above the start, and has grown since the visit before although the drug was on all the
/// while. Growth in a pause is the protocol's, and not counted.
struct Failing {
    drug: Agent,
}

impl Endpoint for Failing {
    fn name(&self) -> &'static str {
        PROGRESSION
    }

    fn assess(&self, course: &Course) -> Outcome {
        let burden = course.truth(&Observable::TUMOR_BURDEN).unwrap_or_default();
        let Some(&(_, start)) = burden.first() else { return Outcome::NotEvaluable };
        let periods = course.periods(&self.drug);
        for pair in burden.windows(2) {
            let [(before, was), (now, is)] = pair else { continue };
            let on = periods.iter().any(|(from, until, _)| from <= before && until >= now);
            if on && is > was && *is > 1.2 * start {
                return Outcome::Event((*now - course.since).days());
            }
        }
        Outcome::Censored((course.end - course.since).days())
    }
}

/// The share of the follow-up in which `patient` was really off `drug`.
fn really_off(patient: &Patient, drug: &Agent) -> f64 {
    let end = series(patient).last().map_or(0.0, |(time, _)| time.days());
    let (mut on_since, mut on) = (None, 0.0);
    for given in patient.timeline.treatments() {
        if let Treatment::Continuous { agent, intensity } = &given.treatment
            && agent == drug
        {
            let now = given.time.days().min(end);
            match (on_since, intensity.value() > 0.0) {
                (None, true) => on_since = Some(now),
                (Some(since), false) => (on_since, on) = (None, on + now - since),
                _ => {}
            }
        }
    }
    on += on_since.map_or(0.0, |since| end - since);
    1.0 - on / end
}

/// The study.
#[must_use]
pub fn study() -> Study {
    Study {
        id: "zhang2017",
        title: "Adaptive against continuous abiraterone in prostate cancer",
        source: "Zhang 2017, doi:10.1038/s41467-017-01968-5; Zhang 2022, doi:10.7554/eLife.76284",
        given: "sensitive and resistant cells that compete (Lotka-Volterra), fitted to the four published PSA series; a hundred draws of each \
                patient, started again in both arms. Progression is growth under the drug, to a fifth above the start",
        targets: vec![
            target("not_worse", "share of virtual patients in whom adaptive therapy lasts at least as long; within 0.1", 1.0, 0.1),
            target(
                "gain",
                "time to progression, adaptive over continuous: 33.5/14.3 = 2.34 published, 27/16.5 = 1.64 at first; 1.3 to 2.7",
                2.0,
                0.7,
            ),
            target("off_drug", "share of time off the drug under adaptive therapy; within 0.15", 0.46, 0.15),
            target(
                "really_off",
                "share of time off the drug of the three real patients under adaptive therapy; within 0.15",
                0.46,
                0.15,
            ),
        ],
        run,
    }
}

fn run() -> Result<Option<Vec<Estimate>>, String> {
    let Some(file) = crate::data("zhang2017", "data/adaptive_abiraterone_zhang2022/psa.csv") else { return Ok(None) };
    let mapping = Mapping::abiraterone().map_err(|error| error.to_string())?;
    let drug = Agent::new("abiraterone").map_err(|error| error.to_string())?;
    let patients = read_table(file, &mapping, &Limits::default()).map_err(|error| error.to_string())?;
    let root = Random::new(2017);
    let twins: Result<Vec<Vec<VirtualPatient>>, String> =
        patients.par_iter().enumerate().map(|(index, patient)| twins(patient, &drug, &mut root.stream(index as u64))).collect();
    let twins: Vec<VirtualPatient> = twins?.into_iter().flatten().collect();
    let size = twins.len();
    let off: Vec<f64> = patients.iter().filter(|p| p.id.as_str().starts_with('P')).map(|p| really_off(p, &drug)).collect();
    let (arms, words) = (["continuous", "adaptive"], |error: twin_trials::TrialError| error.to_string());
    let span = |days: f64| Span::from_days(days).map_err(|error| error.to_string());
    let trial = Trial::new(Arc::new(clones::sensitive_resistant(drug.clone())), FromList(twins), size)
        .arm(arms[0], Continuous { agent: drug.clone() })
        .arm(arms[1], Adaptive::half(drug.clone(), Observable::PSA))
        .measure_with(Observable::PSA, LogError::new(0.3, priors::PSA_OFFSET))
        .endpoint(Failing { drug: drug.clone() })
        .endpoint(TimeOffDrug { agent: drug })
        .visits(span(28.0)?, span(3650.0)?);
    let report = conduct(&trial).map_err(words)?;
    let times = |arm: &str| -> Result<Vec<f64>, String> {
        let outcomes = report.outcomes(arm, PROGRESSION).map_err(words)?;
        Ok(outcomes.iter().map(|o| if let Outcome::Event(day) | Outcome::Censored(day) = *o { day } else { f64::NAN }).collect())
    };
    let (continuous, adaptive) = (times(arms[0])?, times(arms[1])?);
    let shares = report.outcomes(arms[1], "share of time off drug").map_err(words)?;
    let shares: Vec<f64> = shares.iter().filter_map(|o| if let Outcome::Value(share) = *o { Some(share) } else { None }).collect();
    let better = continuous.iter().zip(&adaptive).filter(|(c, a)| a >= c).count() as f64 / size as f64;
    // Draws of one patient are not four hundred patients: the error is that of the four.
    let by_patient = |of: &dyn Fn(usize) -> f64| -> (f64, f64) {
        let values: Vec<f64> = (0..patients.len()).map(of).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (values.len() as f64 - 1.0);
        (mean, (variance / values.len() as f64).sqrt())
    };
    let place = |patient: usize| patient * DRAWS..(patient + 1) * DRAWS;
    let gain = by_patient(&|p| {
        let middle = |times: &[f64]| median(times.get(place(p)).unwrap_or_default().to_vec());
        (middle(&adaptive) / middle(&continuous)).ln()
    });
    let free = by_patient(&|p| {
        let own = shares.get(place(p)).unwrap_or_default();
        own.iter().sum::<f64>() / own.len() as f64
    });
    let real = off.iter().sum::<f64>() / off.len() as f64;
    Ok(Some(vec![(better, 0.0), (gain.0.exp(), gain.0.exp() * gain.1), free, (real, 0.0)]))
}
