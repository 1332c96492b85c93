//! The twin itself.

use super::version::{shifts, surprises};
use super::{Assumptions, Change, Surprise, Version};
use crate::{CalibrationError, Calibrator, Posterior, Prediction, Problem, Record, Target};
use std::sync::Arc;
use twin_core::{Entry, Event, Observable, Patient, Provenance, Random, Time, Timeline};
use twin_models::Scenario;

/// How a posterior follows its patient.
pub trait Updater: Send + Sync {
    /// The posterior of `next`, the patient as known now, given the `twin` of the patient as known before.
    ///
    /// # Errors
    /// What makes the update impossible. A poor posterior is not an error: its record says so.
    fn update(&self, twin: &Twin, next: &Patient, random: &mut Random) -> Result<Posterior, CalibrationError>;
}

/// Calibrates afresh: the reference for every other [`Updater`].
#[derive(Debug, Clone, PartialEq)]
pub struct Refit<C>(pub C);

impl<C: Calibrator> Updater for Refit<C> {
    fn update(&self, twin: &Twin, next: &Patient, random: &mut Random) -> Result<Posterior, CalibrationError> {
        self.0.calibrate(&twin.assumptions().problem(next), random)
    }
}

/// A patient with what is believed of the patient, and how that came about. A value: an update hands back the next version.
///
/// ```
/// use std::sync::Arc;
/// use twin_calibrate::living::{Assumptions, Monitor, Particles, Twin};
/// use twin_calibrate::{IndependentPrior, LogError, Marginal};
/// use twin_core::{Event, Observable, Observation, Patient, Provenance, Random, SubjectId, Time};
/// use twin_models::growth;
///
/// let prior = IndependentPrior::new([
///     ("growth_rate", Marginal::LogNormal { median: 0.03, sd: 0.7 }),
///     ("initial_volume", Marginal::LogNormal { median: 100.0, sd: 0.5 }),
/// ])?;
/// let error = Arc::new(LogError::new(0.1, 0.0));
/// let volume = Observable::TUMOR_VOLUME;
/// let assumptions = Assumptions::new(Arc::new(growth::exponential()), Arc::new(prior), volume, error, Time::ORIGIN)?;
///
/// // Nothing is known yet; then one volume after the other comes in.
/// let mut random = Random::new(1);
/// let mut twin = Twin::unseen(assumptions, Patient::new(SubjectId::new("P1")?), 1000, &mut random)?;
/// for (day, volume) in [(0.0, 100.0), (10.0, 160.0), (20.0, 240.0), (30.0, 370.0)] {
///     let seen = Event::Observation(Observation::number(Observable::TUMOR_VOLUME, volume, "mm3")?);
///     twin = twin.update(Time::from_days(day)?, seen, Provenance::measured("caliper"), &Particles::default(), &mut random)?;
/// }
/// let [low, high] = twin.posterior().quantiles("growth_rate", [0.05, 0.95])?;
/// assert!(low < 0.043 && 0.043 < high, "{low} to {high}");
/// assert_eq!(twin.versions().len(), 5);
/// assert!(Monitor::default().judge(&twin)?.explained);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Twin {
    assumptions: Arc<Assumptions>,
    patient: Patient,
    posterior: Posterior,
    versions: Vec<Version>,
}

impl Twin {
    /// The first version: `patient` calibrated by `calibrator`.
    ///
    /// # Errors
    /// As [`Calibrator::calibrate`].
    pub fn new(
        assumptions: Assumptions,
        patient: Patient,
        calibrator: &dyn Calibrator,
        random: &mut Random,
    ) -> Result<Self, CalibrationError> {
        let posterior = calibrator.calibrate(&assumptions.problem(&patient), random)?;
        Ok(Self::begun(assumptions, patient, posterior))
    }

    /// The first version of a patient of whom nothing that is to be explained has been read: `draws` draws from the prior, within the
    /// ranges of the model.
    ///
    /// # Errors
    /// [`CalibrationError::Setting`] for a patient with readings, which must be learned from, or no draws;
    /// [`CalibrationError::UnknownParameter`] and the other errors of [`Target::new`] for assumptions that do not fit together;
    /// [`CalibrationError::NoStart`] if fewer than one in fifty draws lies within the ranges of the model.
    pub fn unseen(assumptions: Assumptions, patient: Patient, draws: usize, random: &mut Random) -> Result<Self, CalibrationError> {
        let setting = |setting, value, valid| CalibrationError::Setting { method: "unseen twin", setting, value, valid };
        if draws == 0 {
            return Err(setting("draws", 0.0, "at least 1"));
        }
        let problem = assumptions.problem(&patient);
        match Target::new(&problem) {
            Err(CalibrationError::NoObservations { .. }) => {}
            Err(error) => return Err(error),
            Ok(target) => return Err(setting("readings", target.readings() as f64, "0; calibrate a patient with readings")),
        }
        let posterior = from_prior(&problem, draws, random)?;
        drop(problem);
        Ok(Self::begun(assumptions, patient, posterior))
    }

    fn begun(assumptions: Assumptions, patient: Patient, posterior: Posterior) -> Self {
        let (method, sound) = (posterior.record.method.clone(), posterior.record.is_sound());
        let first = Version { number: 1, change: Change::Begun, method, sound, shifts: Vec::new(), surprises: Vec::new() };
        Self { assumptions: Arc::new(assumptions), patient, posterior, versions: vec![first] }
    }

    /// The next version, which knows of one more event: an observation of any kind, or a treatment; in time or late.
    ///
    /// A new reading is first judged by this version ([`Version::surprises`]), then learned from. A treatment that is found out late
    /// takes the judgments away that were made without it ([`Surprise::counts`](super::Surprise::counts)).
    ///
    /// # Errors
    /// Those of [`Target::new`] for an event that the assumptions cannot take in, and those of `method`.
    pub fn update(
        &self,
        time: Time,
        event: Event,
        provenance: Provenance,
        method: &dyn Updater,
        random: &mut Random,
    ) -> Result<Self, CalibrationError> {
        let mut timeline = self.patient.timeline.clone();
        let change = Change::recorded(&Entry { time, event: event.clone(), provenance: provenance.clone() });
        timeline.record(time, event, provenance);
        self.follow(timeline, change, method, random)
    }

    /// The next version, whose timeline is `corrected`: entries added, removed or changed. Without any reading left it believes the prior.
    ///
    /// What a version judged that had learned from a removed entry no longer counts ([`Surprise::counts`](super::Surprise::counts)).
    ///
    /// # Errors
    /// As [`Twin::update`].
    pub fn correct(&self, corrected: Timeline, method: &dyn Updater, random: &mut Random) -> Result<Self, CalibrationError> {
        let difference = Difference::between(&self.patient.timeline, &corrected);
        let change = Change::Corrected { added: difference.added, removed: difference.removed };
        self.follow(corrected, change, method, random)
    }

    fn follow(
        &self,
        timeline: Timeline,
        change: Change,
        method: &dyn Updater,
        random: &mut Random,
    ) -> Result<Self, CalibrationError> {
        let difference = Difference::between(&self.patient.timeline, &timeline);
        let patient = Patient { timeline, ..self.patient.clone() };
        let problem = self.assumptions.problem(&patient);
        let (posterior, mut surprises) = match Target::new(&problem) {
            // Still nothing to learn from, a first treatment for example.
            Err(CalibrationError::NoObservations { .. }) if self.posterior.record.readings == 0 => {
                (self.posterior.clone(), Vec::new())
            }
            Err(CalibrationError::NoObservations { .. }) => (from_prior(&problem, self.posterior.count(), random)?, Vec::new()),
            Err(error) => return Err(error),
            Ok(target) => {
                let surprises = surprises(&target, &patient.timeline, &self.posterior, |place| difference.is_new(place))?;
                (method.update(self, &patient, random)?, surprises)
            }
        };
        drop(problem);
        let mut versions = self.versions.clone();
        if let Some(first) = self.misled_from(&difference) {
            let misled = versions.iter_mut().skip(first).flat_map(|version| &mut version.surprises);
            misled.chain(&mut surprises).for_each(|surprise| surprise.counts = false);
        }
        versions.push(Version {
            number: versions.len() + 1,
            change,
            method: posterior.record.method.clone(),
            sound: posterior.record.is_sound(),
            shifts: shifts(self.assumptions.prior.as_ref(), &self.posterior, &posterior),
            surprises,
        });
        Ok(Self { assumptions: Arc::clone(&self.assumptions), patient, posterior, versions })
    }

    /// The first version that learned from what `difference` takes away, or was judged without a treatment that it brings; as a place.
    fn misled_from(&self, difference: &Difference) -> Option<usize> {
        let judged =
            |which: &dyn Fn(&Surprise) -> bool| self.versions.iter().position(|version| version.surprises.iter().any(which));
        let misled = |entry: &Entry| match &entry.event {
            Event::Observation(seen) if self.assumptions.errors.iter().any(|(known, _)| *known == seen.observable) => {
                // A reading that no version judged was known to the first.
                Some(judged(&|s| s.time == entry.time && s.observable == seen.observable).unwrap_or(0))
            }
            Event::Treatment(_) => judged(&|s| s.time > entry.time),
            _ => None,
        };
        difference.changed.iter().filter_map(misled).min()
    }

    /// What the twin takes for granted.
    #[must_use]
    pub fn assumptions(&self) -> &Assumptions {
        &self.assumptions
    }

    /// The patient, as known to this version.
    #[must_use]
    pub fn patient(&self) -> &Patient {
        &self.patient
    }

    /// What is believed.
    #[must_use]
    pub fn posterior(&self) -> &Posterior {
        &self.posterior
    }

    /// All versions up to this one, in order; at least one.
    #[must_use]
    pub fn versions(&self) -> &[Version] {
        &self.versions
    }

    /// What this version predicts of `observable` at `times`, under the treatments on the timeline and those that are `planned`.
    ///
    /// # Errors
    /// [`CalibrationError::NoObservations`] for an observable without an error model; else as [`Posterior::predict`].
    pub fn forecast(
        &self,
        observable: &Observable,
        times: impl IntoIterator<Item = Time>,
        planned: impl IntoIterator<Item = twin_core::TimedTreatment>,
        count: usize,
        random: &Random,
    ) -> Result<Prediction, CalibrationError> {
        let unknown = || CalibrationError::NoObservations { subject: self.patient.id.clone(), observables: observable.to_string() };
        let error = self.assumptions.errors.iter().find(|(known, _)| known == observable).ok_or_else(unknown)?.1.as_ref();
        let mut treatments = self.patient.timeline.treatments();
        treatments.extend(planned);
        treatments.sort_by_key(|given| given.time);
        let scenario = Scenario::starting(self.assumptions.start).treated(treatments).sampled(times);
        self.posterior.predict(self.assumptions.model.as_ref(), &scenario, observable, error, count, random)
    }
}

/// Draws from the prior of `problem`, within the ranges of the model.
fn from_prior(problem: &Problem<'_>, draws: usize, random: &mut Random) -> Result<Posterior, CalibrationError> {
    let root = random.stream(random.clone().bits());
    random.bits();
    let (names, transforms) = (problem.prior.names(), problem.prior.transforms());
    let within = |theta: &[f64]| {
        let mut parameters = problem.base.clone();
        names.iter().zip(theta).all(|(name, value)| match parameters.index_of(name) {
            Ok(place) => parameters.set(place, *value).is_ok(),
            Err(_) => true,
        })
    };
    let draw = |k: usize| {
        let mut own = root.stream(k as u64);
        (0..50).map(|_| problem.prior.sample(&mut own)).find(|theta| within(theta))
    };
    let none = || CalibrationError::NoStart { attempts: 50, source: None };
    let drawn = (0..draws).map(|k| draw(k).ok_or_else(none)).collect::<Result<Vec<_>, _>>()?;
    let real = |theta: &Vec<f64>| transforms.iter().zip(theta).map(|(t, x)| t.to_real(*x)).collect::<Vec<f64>>();
    let ln_densities = drawn.iter().map(|theta| crate::problem::ln_prior_at(problem.prior, &real(theta))).collect();
    let record = Record {
        method: format!("{draws} draws from the prior"),
        stopped: "all draws were made".to_owned(),
        start: problem.start,
        diagnosis: None,
        readings: 0,
        unused: Vec::new(),
        evaluations: 0,
        failures: 0,
        ln_evidence: None,
    };
    let values = drawn.into_iter().flatten().collect();
    Posterior::new(names.to_vec(), values, ln_densities, problem.base.clone(), record)
}

/// What differs between two timelines.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Difference {
    /// By place among the observations of the new timeline, whether it is new.
    new: Vec<bool>,
    /// How many entries are new.
    pub(super) added: usize,
    /// How many entries are gone.
    pub(super) removed: usize,
    /// The entries that are gone, and the treatments that are new.
    changed: Vec<Entry>,
    /// Whether everything that is new lies at the end, so that no earlier prediction changes.
    pub(super) only_goes_on: bool,
}

impl Difference {
    pub(super) fn between(old: &Timeline, new: &Timeline) -> Self {
        let same = |a: &Entry, b: &Entry| a.time == b.time && a.event == b.event;
        // Each old entry stands for one new entry that is the same; both are in the order of time.
        let mut left: Vec<&Entry> = old.entries().iter().collect();
        let mut this = Self { new: Vec::new(), added: 0, removed: 0, changed: Vec::new(), only_goes_on: true };
        let mut gone_on = false;
        for entry in new.entries() {
            let known = left.iter().position(|other| same(other, entry));
            match known {
                Some(place) => {
                    left.remove(place);
                    this.only_goes_on &= !gone_on;
                }
                None => {
                    this.added += 1;
                    gone_on = true;
                    if matches!(entry.event, Event::Treatment(_)) {
                        this.changed.push(entry.clone());
                    }
                }
            }
            if matches!(entry.event, Event::Observation(_)) {
                this.new.push(known.is_none());
            }
        }
        this.removed = left.len();
        this.changed.extend(left.iter().map(|entry| (*entry).clone()));
        this.only_goes_on &= left.is_empty();
        this
    }

    pub(super) fn is_new(&self, place: usize) -> bool {
        self.new.get(place).copied().unwrap_or(false)
    }
}

#[cfg(test)]
mod tests;
