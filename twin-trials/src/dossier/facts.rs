//! What a run says of itself, read once when the dossier is made.

use crate::report::format_number;
use crate::statistics::{FollowUp, KaplanMeier, Spread};
use crate::{Outcome, Trial, TrialError, TrialReport};
use std::collections::BTreeMap;
use std::sync::Arc;
use twin_calibrate::living::{Monitor, Twin};
use twin_core::{Event, Origin};
use twin_models::{ModelSpec, Source};

/// What is believed of one parameter.
#[derive(Debug, Clone)]
pub(super) struct Belief {
    /// The 5, 50 and 95 % quantiles of the posterior; `None` where it keeps its value.
    pub(super) quantiles: Option<[f64; 3]>,
    /// The share of draws in the outer hundredth of the range, on either side.
    pub(super) at_the_edge: f64,
}

/// What was run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Run {
    Twin,
    Trial,
}

/// What the run says, in the words of the dossier.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub(super) run: Run,
    pub(super) subject: String,
    pub(super) spec: Arc<ModelSpec>,
    pub(super) beliefs: Vec<Belief>,
    /// What is predicted: the observables of a twin, the endpoints of a trial.
    pub(super) predicted: String,
    /// How it was made: name and value.
    pub(super) method: Vec<(String, String)>,
    /// What was known of the patient: what, how often, from when to when, from where.
    pub(super) data: Vec<[String; 4]>,
    /// What was known but not used.
    pub(super) unused: Option<String>,
    /// How well readings were foreseen; `None` where none was.
    pub(super) foreseen: Option<String>,
    /// Draws or courses that could not go on.
    pub(super) failures: String,
    pub(super) treatments: String,
    /// Outcomes of a trial: arm, endpoint, assessed, events, not evaluable, middle.
    pub(super) outcomes: Vec<[String; 6]>,
}

impl Facts {
    pub(super) fn of_twin(twin: &Twin) -> Result<Self, TrialError> {
        let (assumptions, patient, posterior) = (twin.assumptions(), twin.patient(), twin.posterior());
        let (spec, record) = (assumptions.model.spec(), &posterior.record);
        let names: Vec<_> = assumptions.errors.iter().map(|(observable, _)| observable.to_string()).collect();
        let concerns = record.diagnosis.as_ref().map_or_else(
            || "the method cannot tell".to_owned(),
            |diagnosis| match diagnosis.concerns() {
                [] => "no concern".to_owned(),
                concerns => concerns.iter().map(|concern| format!("{concern:?}")).collect::<Vec<_>>().join("; "),
            },
        );
        let method = [
            ("Version of the twin", twin.versions().len().to_string()),
            ("Method", record.method.clone()),
            ("Stopped because", record.stopped.clone()),
            ("Diagnosis of the draws", concerns),
            ("Draws", posterior.count().to_string()),
            ("Readings explained", record.readings.to_string()),
            ("Weight of the likelihood", format_number(assumptions.weight, 3)),
            ("Evaluations of the model", record.evaluations.to_string()),
        ];
        let unused: Vec<_> = record.unused.iter().map(|(observable, count)| format!("{count} of {observable}")).collect();
        Ok(Self {
            run: Run::Twin,
            subject: format!("Twin of {}, version {}", patient.id, twin.versions().len()),
            spec: Arc::clone(spec),
            beliefs: beliefs(twin)?,
            predicted: names.join(", "),
            method: method.map(|(name, value)| (name.to_owned(), value)).to_vec(),
            data: data(twin),
            unused: (!unused.is_empty()).then(|| format!("Not explained: {}.", unused.join(", "))),
            foreseen: foreseen(twin)?,
            failures: format!("{} of {} evaluations of the model could not go on.", record.failures, record.evaluations),
            treatments: treatments(patient.timeline.treatments().iter().map(|given| given.treatment.to_string())),
            outcomes: Vec::new(),
        })
    }

    pub(super) fn of_trial(trial: &Trial, report: &TrialReport) -> Result<Self, TrialError> {
        let spec = trial.model.spec();
        if report.model != spec.id {
            return Err(TrialError::UnknownName { name: report.model.clone(), known: vec![spec.id.clone()] });
        }
        let arms: Vec<_> = trial.arms.iter().map(|arm| arm.name.as_str()).collect();
        let measured = trial
            .measurements
            .iter()
            .map(|m| format!("{} {}", m.observable, if m.error.is_some() { "with error" } else { "without error" }));
        let method = [
            ("Virtual patients", format!("{} of {} planned", report.size, trial.size)),
            ("Arms", format!("{}; every virtual patient goes through every arm", arms.join(", "))),
            ("Visits", format!("every {} for {}", trial.visit_interval, trial.horizon)),
            ("Measured at visits", measured.collect::<Vec<_>>().join(", ")),
            ("Seed", report.seed.to_string()),
            ("Stopped before the end", if report.stopped { "yes" } else { "no" }.to_owned()),
        ];
        let mut outcomes = Vec::new();
        for arm in &report.arms {
            for endpoint in &report.endpoints {
                outcomes.push(assessed(&arm.name, endpoint, &report.outcomes(&arm.name, endpoint)?)?);
            }
        }
        let courses = report.size * report.arms.len();
        Ok(Self {
            run: Run::Trial,
            subject: format!("Trial in silico of {}", arms.join(" and ")),
            spec: Arc::clone(spec),
            beliefs: spec.parameters.iter().map(|_| Belief { quantiles: None, at_the_edge: 0.0 }).collect(),
            predicted: report.endpoints.join(", "),
            method: method.map(|(name, value)| (name.to_owned(), value)).to_vec(),
            data: Vec::new(),
            unused: None,
            foreseen: None,
            failures: format!(
                "{} of {courses} courses failed; {} were tolerated.",
                report.failures.len(),
                trial.tolerated_failures
            ),
            treatments: format!("The policies of the arms give them: {}.", arms.join(", ")),
            outcomes,
        })
    }

    /// How many values of parameters are published, unconfirmed and assumed.
    pub(super) fn sources(&self) -> [usize; 3] {
        let mut counts = [0; 3];
        for parameter in &self.spec.parameters {
            let place = match parameter.source {
                Source::Published(_) => 0,
                Source::Unconfirmed(_) => 1,
                // A source of a kind that is not known here is not better than a choice.
                _ => 2,
            };
            counts[place] += 1;
        }
        counts
    }
}

fn beliefs(twin: &Twin) -> Result<Vec<Belief>, TrialError> {
    let posterior = twin.posterior();
    let of = |parameter: &twin_models::ParameterSpec| {
        if !posterior.names().iter().any(|name| *name == parameter.name) {
            return Ok(Belief { quantiles: None, at_the_edge: 0.0 });
        }
        let quantiles = posterior.quantiles(&parameter.name, [0.05, 0.5, 0.95])?;
        let column = posterior.column(&parameter.name)?;
        // On the scale of ratios where the range spans several.
        let wide = parameter.low > 0.0 && parameter.high / parameter.low > 100.0;
        let scaled = |value: f64| if wide { value.ln() } else { value };
        let (low, high) = (scaled(parameter.low), scaled(parameter.high));
        let margin = 0.01 * (high - low);
        let outer = column.iter().map(|value| scaled(*value)).filter(|x| *x < low + margin || *x > high - margin).count();
        Ok(Belief { quantiles: Some(quantiles), at_the_edge: outer as f64 / column.len().max(1) as f64 })
    };
    twin.assumptions().model.spec().parameters.iter().map(of).collect()
}

fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Measured => "measured",
        Origin::Reported => "reported",
        Origin::Derived => "derived",
        Origin::Assumed => "assumed",
        Origin::Simulated => "simulated",
        _ => "of another origin",
    }
}

/// The entries of the timeline by kind and provenance.
fn data(twin: &Twin) -> Vec<[String; 4]> {
    let mut rows: BTreeMap<(String, String), (usize, f64, f64)> = BTreeMap::new();
    for entry in twin.patient().timeline.entries() {
        let what = match &entry.event {
            Event::Observation(observation) => observation.observable.to_string(),
            Event::Treatment(_) => "treatment".to_owned(),
            _ => "other event".to_owned(),
        };
        let from = format!("{}: {}", origin(entry.provenance.origin), entry.provenance.source);
        let day = entry.time.days();
        let row = rows.entry((what, from)).or_insert((0, day, day));
        *row = (row.0 + 1, row.1.min(day), row.2.max(day));
    }
    let days = |from: f64, until: f64| format!("{} to {}", format_number(from, 4), format_number(until, 4));
    rows.into_iter().map(|((what, source), (count, from, until))| [what, count.to_string(), days(from, until), source]).collect()
}

fn treatments(given: impl Iterator<Item = String>) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    given.for_each(|treatment| *counts.entry(treatment).or_default() += 1);
    match counts.len() {
        0 => "None is on the timeline.".to_owned(),
        kinds if kinds > 8 => format!("{} of {kinds} kinds are on the timeline.", counts.values().sum::<usize>()),
        _ => counts.into_iter().map(|(treatment, count)| format!("{count} × {treatment}")).collect::<Vec<_>>().join("; "),
    }
}

/// How well each version foresaw the next readings.
fn foreseen(twin: &Twin) -> Result<Option<String>, TrialError> {
    let surprises = twin.versions().iter().flat_map(|version| &version.surprises);
    let below: Vec<f64> = surprises.filter(|surprise| surprise.counts && surprise.score.is_some()).map(|s| s.below).collect();
    if below.is_empty() {
        return Ok(None);
    }
    let inside = below.iter().filter(|below| (0.05..=0.95).contains(*below)).count();
    let verdict = Monitor::default().judge(twin)?;
    Ok(Some(format!(
        "{inside} of {} readings lay in the central 90 % of what the version before had foreseen; the monitor finds the model {} (logarithm of the \
         highest evidence against it: {}).",
        below.len(),
        if verdict.explained { "compatible with them" } else { "not compatible with them" },
        format_number(verdict.ln_evidence, 3),
    )))
}

fn assessed(arm: &str, endpoint: &str, outcomes: &[Outcome]) -> Result<[String; 6], TrialError> {
    let (mut follow_ups, mut values, mut missing) = (Vec::new(), Vec::new(), 0_usize);
    for outcome in outcomes {
        match *outcome {
            Outcome::Event(time) => follow_ups.push(FollowUp { time, event: true }),
            Outcome::Censored(time) => follow_ups.push(FollowUp { time, event: false }),
            Outcome::Value(value) => values.push(value),
            Outcome::NotEvaluable => missing += 1,
        }
    }
    let (events, middle) = if !follow_ups.is_empty() {
        let curve = KaplanMeier::estimate(&follow_ups)?;
        let median = curve.median();
        let limit = |limit: Option<f64>| limit.map_or_else(|| "not reached".to_owned(), |days| format_number(days, 4));
        let text = format!("median {} days (95 % interval {} to {})", limit(median.time), limit(median.lower), limit(median.upper));
        (curve.events().to_string(), text)
    } else if !values.is_empty() {
        let Spread { median, ninety, .. } = Spread::of(&values)?;
        let [median, low, high] = [median, ninety.0, ninety.1].map(|value| format_number(value, 4));
        ("–".to_owned(), format!("median {median} (90 % of patients {low} to {high})"))
    } else {
        ("–".to_owned(), "nothing to assess".to_owned())
    };
    Ok([arm.to_owned(), endpoint.to_owned(), outcomes.len().to_string(), events, missing.to_string(), middle])
}
