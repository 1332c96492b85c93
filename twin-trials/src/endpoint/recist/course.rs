//! RECIST on what a course of a trial showed.

use super::{Assessment, Baseline, Lesion, LesionKind, LesionSize, NonTarget, Response, ResponseCriteria, Responses, respond};
use crate::{Course, Endpoint, Outcome, TrialError};
use twin_core::{Finding, Observable, Observation, Time, Unit};

/// How lesions are read from the observations of a [`Course`]: baseline is the first visit at which all target lesions were measured.
///
/// Only what was observed counts, errors included. An observed diameter below [`Recist::detection_mm`] is a lesion that is gone; one
/// below its limit of quantification is too small to measure; one that was not observed at a visit is not evaluated.
#[derive(Debug, Clone, PartialEq)]
pub struct Recist {
    /// The thresholds.
    pub criteria: ResponseCriteria,
    /// The target lesions: the observable of each diameter, and what kind of lesion it is.
    pub targets: Vec<(Observable, LesionKind)>,
    /// An observable that is above 0 when there is a new lesion.
    pub new_lesion: Option<Observable>,
    /// The least diameter that is seen, in millimeters; 0 unless set.
    pub detection_mm: f64,
}

impl Recist {
    /// RECIST 1.1 on the observed sum of diameters, as if it were one lesion that is not in a lymph node.
    #[must_use]
    pub fn of_sum() -> Self {
        Self {
            criteria: ResponseCriteria::recist_1_1(),
            targets: vec![(Observable::SUM_OF_DIAMETERS, LesionKind::Tumor)],
            new_lesion: None,
            detection_mm: 0.0,
        }
    }

    /// The responses of a course; `None` if no visit shows all target lesions.
    ///
    /// # Errors
    /// As [`respond`], and [`TrialError::Core`] for an observation whose unit is not a length.
    pub fn responses(&self, course: &Course) -> Result<Option<(f64, Responses)>, TrialError> {
        let mut visits = course.observed.chunk_by(|(a, _), (b, _)| a.days().total_cmp(&b.days()).is_eq());
        let start = loop {
            let Some(visit) = visits.next() else { return Ok(None) };
            if let Some(baseline) = self.baseline(visit)? {
                break (visit.first().map_or(course.since, |(time, _)| *time), baseline);
            }
        };
        let (start, baseline) = start;
        let read = |visit| self.assessment(start, &baseline, visit);
        let assessments: Vec<Assessment> = visits.map(read).collect::<Result<_, _>>()?;
        Ok(Some(((start - course.since).days(), respond(&self.criteria, &baseline, &assessments)?)))
    }

    fn baseline(&self, visit: &[(Time, Observation)]) -> Result<Option<Baseline>, TrialError> {
        let mut targets = Vec::with_capacity(self.targets.len());
        for (observable, kind) in &self.targets {
            match self.size(observable, visit)? {
                LesionSize::Diameter(diameter_mm) => {
                    targets.push(Lesion { organ: observable.to_string(), kind: *kind, diameter_mm });
                }
                _ => return Ok(None),
            }
        }
        Ok(Some(Baseline { targets, non_target: false }))
    }

    fn assessment(&self, start: Time, baseline: &Baseline, visit: &[(Time, Observation)]) -> Result<Assessment, TrialError> {
        let sizes = self.targets.iter().map(|(observable, _)| self.size(observable, visit));
        let day = visit.first().map_or(f64::NAN, |(time, _)| (*time - start).days());
        let counted = |observable| find(observable, visit).and_then(Finding::quantity).is_some_and(|count| count.value() > 0.0);
        Ok(Assessment {
            day,
            targets: sizes.collect::<Result<_, _>>()?,
            non_target: if baseline.non_target { NonTarget::Present } else { NonTarget::Absent },
            new_lesion: self.new_lesion.as_ref().is_some_and(counted),
        })
    }

    fn size(&self, observable: &Observable, visit: &[(Time, Observation)]) -> Result<LesionSize, TrialError> {
        let mm = |quantity: &twin_core::Quantity| {
            Ok::<_, TrialError>(quantity.unit().convert(quantity.value(), &"mm".parse::<Unit>()?)?)
        };
        Ok(match find(observable, visit) {
            Some(Finding::Measured { quantity, .. }) => {
                let diameter = mm(quantity)?;
                if diameter <= self.detection_mm { LesionSize::Absent } else { LesionSize::Diameter(diameter) }
            }
            Some(Finding::Below(_)) => LesionSize::TooSmall,
            _ => LesionSize::NotEvaluated,
        })
    }
}

fn find<'a>(observable: &Observable, visit: &'a [(Time, Observation)]) -> Option<&'a Finding> {
    visit.iter().find(|(_, seen)| seen.observable == *observable).map(|(_, seen)| &seen.finding)
}

/// Days to progression by RECIST, after the policy took over; censored at the last assessment that could be judged.
#[derive(Debug, Clone, PartialEq)]
pub struct RecistProgression {
    /// Its name.
    pub name: String,
    /// How lesions are read and judged.
    pub recist: Recist,
}

impl RecistProgression {
    /// Progression by RECIST 1.1 on the observed sum of diameters.
    #[must_use]
    pub fn of_sum() -> Self {
        Self { name: "time to progression, RECIST 1.1".to_owned(), recist: Recist::of_sum() }
    }
}

impl Endpoint for RecistProgression {
    fn name(&self) -> &str {
        &self.name
    }

    fn assess(&self, course: &Course) -> Outcome {
        let Ok(Some((start, responses))) = self.recist.responses(course) else { return Outcome::NotEvaluable };
        match responses.time_to_progression() {
            Outcome::Event(day) => Outcome::Event(start + day),
            Outcome::Censored(day) => Outcome::Censored(start + day),
            other => other,
        }
    }
}

/// Whether there was a complete or partial response by RECIST: 1 if there was, else 0.
///
/// A patient without a baseline is not evaluable; one with a baseline whose response could not be judged has none, as is usual.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectiveResponse {
    /// Its name.
    pub name: String,
    /// How lesions are read and judged.
    pub recist: Recist,
    /// Whether the response must be confirmed.
    pub confirmed: bool,
}

impl ObjectiveResponse {
    /// Confirmed response by RECIST 1.1 on the observed sum of diameters.
    #[must_use]
    pub fn of_sum() -> Self {
        Self { name: "objective response, RECIST 1.1".to_owned(), recist: Recist::of_sum(), confirmed: true }
    }
}

impl Endpoint for ObjectiveResponse {
    fn name(&self) -> &str {
        &self.name
    }

    fn assess(&self, course: &Course) -> Outcome {
        let Ok(Some((_, responses))) = self.recist.responses(course) else { return Outcome::NotEvaluable };
        let best = responses.best(self.confirmed).response;
        Outcome::Value(if matches!(best, Response::Complete | Response::Partial) { 1.0 } else { 0.0 })
    }
}
