//! From assessments to responses.

use super::{Assessment, Baseline, LesionKind, LesionSize, NonTarget, ResponseCriteria};
use crate::{Outcome, TrialError};
use serde::{Deserialize, Serialize};

/// How far rounding may push a change of a sum across its threshold, as a share of the sum.
const ROUNDING: f64 = 1e-9;

/// The response at one assessment, or over all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Response {
    /// Complete response: all disease gone, nodes normal.
    Complete,
    /// Partial response.
    Partial,
    /// Stable disease.
    Stable,
    /// Disease that is not in target lesions is there and not clearly worse, and there are no target lesions.
    NonCompleteNonProgressive,
    /// Progressive disease.
    Progressive,
    /// Not evaluable.
    NotEvaluable,
}

/// The best response over a course, with what confirmed it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BestResponse {
    /// The response.
    pub response: Response,
    /// The day it was first seen, for a complete or partial response.
    pub day: Option<f64>,
}

/// What one assessment came to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Visit {
    /// Days after baseline.
    pub day: f64,
    /// The sum of diameters, in millimeters; `None` if a target lesion was not evaluated.
    pub sum_mm: Option<f64>,
    /// The smallest sum before this assessment, baseline included.
    pub nadir_mm: f64,
    /// The response of the target lesions; not evaluable if there are none.
    pub target: Response,
    /// The overall response.
    pub overall: Response,
}

/// The responses of one patient, one for each assessment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Responses {
    /// The criteria that were used.
    pub criteria: ResponseCriteria,
    /// What each assessment came to.
    pub visits: Vec<Visit>,
}

/// Judges each assessment by `criteria` (RECIST 1.1: Eisenhauer 2009, doi:10.1016/j.ejca.2008.10.026, section 4 and tables 1 to 3).
///
/// * Progression: the sum exceeds the smallest so far, baseline included, by the share *and* the millimeters of the criteria; or other
///   disease is clearly worse; or there is a new lesion; or any target lesion is there again after a complete response (table 3, note).
/// * A lesion that went and comes back without a complete response before counts with its diameter.
/// * A lesion too small to measure counts with the diameter of the criteria. A node counts with its short axis even when normal.
/// * With a target lesion not evaluated the response is not evaluable, unless those that were already make progression.
/// * Progression stays: assessments after it are judged by themselves, and [`Responses`] looks only up to the first one.
///
/// Not done here: lesions that split or merge, and the choice of target lesions.
///
/// ```
/// use twin_trials::endpoint::recist::{Assessment, Baseline, Lesion, Response, ResponseCriteria, respond};
/// let baseline = Baseline { targets: vec![Lesion::tumor("liver", 40.0), Lesion::node("mediastinum", 20.0)], non_target: false };
/// let visits = [
///     Assessment::measured(56.0, &baseline, &[25.0, 15.0]), // 40 mm, a third less
///     Assessment::measured(112.0, &baseline, &[0.0, 9.0]),  // gone, and the node is normal
///     Assessment::measured(168.0, &baseline, &[0.0, 8.0]),
///     Assessment::measured(224.0, &baseline, &[6.0, 8.0]),  // back
/// ];
/// let responses = respond(&ResponseCriteria::recist_1_1(), &baseline, &visits)?;
/// let overall: Vec<Response> = responses.visits.iter().map(|visit| visit.overall).collect();
/// assert_eq!(overall, [Response::Partial, Response::Complete, Response::Complete, Response::Progressive]);
/// assert_eq!(responses.best(true).response, Response::Complete);
/// assert_eq!(responses.progression(), Some(224.0));
/// # Ok::<(), twin_trials::TrialError>(())
/// ```
///
/// # Errors
/// [`TrialError::Empty`], [`TrialError::Count`], [`TrialError::NotFinite`] and [`TrialError::OutOfRange`] for criteria, a baseline or
/// assessments that are not valid: days must ascend from above 0, diameters must be above 0; [`TrialError::Length`] for an assessment
/// with another number of target lesions than the baseline.
pub fn respond(criteria: &ResponseCriteria, baseline: &Baseline, assessments: &[Assessment]) -> Result<Responses, TrialError> {
    criteria.check()?;
    baseline.check(criteria)?;
    check(baseline, assessments)?;
    let (start, mut nadir, mut complete) = (baseline.sum_mm(), baseline.sum_mm(), false);
    let mut visits = Vec::with_capacity(assessments.len());
    for assessment in assessments {
        let seen = Seen::of(criteria, baseline, assessment);
        let target = seen.response(criteria, start, nadir, complete);
        let overall = overall(target, baseline, assessment);
        visits.push(Visit { day: assessment.day, sum_mm: seen.whole.then_some(seen.sum), nadir_mm: nadir, target, overall });
        if seen.whole {
            nadir = nadir.min(seen.sum);
        }
        complete |= overall == Response::Complete;
    }
    Ok(Responses { criteria: criteria.clone(), visits })
}

fn check(baseline: &Baseline, assessments: &[Assessment]) -> Result<(), TrialError> {
    let mut before = 0.0;
    for (index, assessment) in assessments.iter().enumerate() {
        let value = assessment.day;
        if !value.is_finite() {
            return Err(TrialError::NotFinite { what: "day of assessment", index, value });
        }
        if value <= before {
            let valid = "after the assessment before it, and after day 0";
            return Err(TrialError::OutOfRange { what: "day of assessment", index, value, valid });
        }
        before = value;
        if assessment.targets.len() != baseline.targets.len() {
            let (what, reference) = ("the list of target lesions of an assessment", "the baseline");
            return Err(TrialError::Length { what, found: assessment.targets.len(), reference, expected: baseline.targets.len() });
        }
        for size in &assessment.targets {
            match *size {
                LesionSize::Diameter(value) if !value.is_finite() => {
                    return Err(TrialError::NotFinite { what: "diameter at assessment", index, value });
                }
                LesionSize::Diameter(value) if value <= 0.0 => {
                    let valid = "above 0; a lesion that is gone is `Absent`";
                    return Err(TrialError::OutOfRange { what: "diameter at assessment", index, value, valid });
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// The target lesions of one assessment, added up.
struct Seen {
    sum: f64,
    /// Whether all were evaluated.
    whole: bool,
    /// Whether any that was evaluated is there, or a node not normal.
    disease: bool,
    none: bool,
}

impl Seen {
    fn of(criteria: &ResponseCriteria, baseline: &Baseline, assessment: &Assessment) -> Self {
        let mut seen = Self { sum: 0.0, whole: true, disease: false, none: baseline.targets.is_empty() };
        for (lesion, size) in baseline.targets.iter().zip(&assessment.targets) {
            let mm = match *size {
                LesionSize::Diameter(mm) => mm,
                LesionSize::TooSmall => criteria.too_small_mm,
                LesionSize::Absent => 0.0,
                LesionSize::NotEvaluated => {
                    seen.whole = false;
                    continue;
                }
            };
            seen.sum += mm;
            seen.disease |= match lesion.kind {
                LesionKind::Tumor => mm > 0.0,
                LesionKind::Node => mm >= criteria.normal_node_mm,
            };
        }
        seen
    }

    fn response(&self, criteria: &ResponseCriteria, start: f64, nadir: f64, after_complete: bool) -> Response {
        let slack = ROUNDING * start;
        let growth = self.sum - nadir;
        let grown =
            growth > 0.0 && growth >= criteria.progression_increase * nadir - slack && growth >= criteria.progression_mm - slack;
        if self.none {
            Response::NotEvaluable
        } else if grown || (after_complete && self.disease) {
            // What was not evaluated could only add to it.
            Response::Progressive
        } else if !self.whole {
            Response::NotEvaluable
        } else if !self.disease {
            Response::Complete
        } else if start - self.sum >= criteria.response_decrease * start - slack {
            Response::Partial
        } else {
            Response::Stable
        }
    }
}

/// Tables 1 and 2 of RECIST 1.1.
fn overall(target: Response, baseline: &Baseline, assessment: &Assessment) -> Response {
    let other = if baseline.non_target { assessment.non_target } else { NonTarget::Absent };
    if assessment.new_lesion || assessment.non_target == NonTarget::Progressed || target == Response::Progressive {
        return Response::Progressive;
    }
    if baseline.targets.is_empty() {
        return match other {
            NonTarget::Absent => Response::Complete,
            NonTarget::NotEvaluated => Response::NotEvaluable,
            NonTarget::Present | NonTarget::Progressed => Response::NonCompleteNonProgressive,
        };
    }
    match (target, other) {
        (Response::Complete, NonTarget::Absent) => Response::Complete,
        (Response::Complete, _) => Response::Partial,
        (target, _) => target,
    }
}

impl Responses {
    /// The visits up to and including the first progression.
    fn until_progression(&self) -> &[Visit] {
        let end =
            self.visits.iter().position(|visit| visit.overall == Response::Progressive).map_or(self.visits.len(), |last| last + 1);
        self.visits.get(..end).unwrap_or_default()
    }

    /// The day of the first progression, if there was one.
    #[must_use]
    pub fn progression(&self) -> Option<f64> {
        self.until_progression().last().filter(|visit| visit.overall == Response::Progressive).map(|visit| visit.day)
    }

    /// Time to progression: the event on the day of the first progression, else censored at the last assessment that could be judged;
    /// not evaluable if none could.
    #[must_use]
    pub fn time_to_progression(&self) -> Outcome {
        if let Some(day) = self.progression() {
            return Outcome::Event(day);
        }
        let last = self.visits.iter().rev().find(|visit| visit.overall != Response::NotEvaluable);
        last.map_or(Outcome::NotEvaluable, |visit| Outcome::Censored(visit.day))
    }

    /// The best response up to the first progression (table 3 of RECIST 1.1).
    ///
    /// With `confirmed`, a complete or partial response must be seen again, after at least the days of the criteria and with nothing
    /// worse in between; assessments that could not be judged do not count against it. An unconfirmed one counts as stable disease if
    /// it was seen late enough for that.
    #[must_use]
    pub fn best(&self, confirmed: bool) -> BestResponse {
        let visits = self.until_progression();
        for wanted in [Response::Complete, Response::Partial] {
            let found = visits.iter().enumerate().find(|(place, visit)| {
                meets(visit, wanted)
                    && (!confirmed || self.confirms(visit.day, wanted, visits.get(place + 1..).unwrap_or_default()))
            });
            if let Some((_, visit)) = found {
                return BestResponse { response: wanted, day: Some(visit.day) };
            }
        }
        let plain = |response| BestResponse { response, day: None };
        let controlled = |visit: &&Visit| {
            visit.day >= self.criteria.stable_days && !matches!(visit.overall, Response::Progressive | Response::NotEvaluable)
        };
        if let Some(visit) = visits.iter().find(controlled) {
            let without_targets = visit.overall == Response::NonCompleteNonProgressive;
            return plain(if without_targets { Response::NonCompleteNonProgressive } else { Response::Stable });
        }
        plain(if self.progression().is_some() { Response::Progressive } else { Response::NotEvaluable })
    }

    /// Whether a response of `day` is seen again among the `later` visits before anything worse.
    fn confirms(&self, day: f64, wanted: Response, later: &[Visit]) -> bool {
        for visit in later.iter().filter(|visit| visit.overall != Response::NotEvaluable) {
            if !meets(visit, wanted) {
                return false;
            }
            if visit.day - day >= self.criteria.confirmation_days {
                return true;
            }
        }
        false
    }

    /// The time from the first complete or partial response to progression, an event, or censored at the last assessment that could be
    /// judged; `None` without a response.
    #[must_use]
    pub fn duration_of_response(&self, confirmed: bool) -> Option<Outcome> {
        let first = [Response::Complete, Response::Partial].contains(&self.best(confirmed).response).then(|| {
            let visits = self.until_progression();
            visits.iter().enumerate().find_map(|(place, visit)| {
                let later = visits.get(place + 1..).unwrap_or_default();
                let counts = meets(visit, Response::Partial) && (!confirmed || self.confirms(visit.day, Response::Partial, later));
                counts.then_some(visit.day)
            })
        })??;
        Some(match self.time_to_progression() {
            Outcome::Event(day) => Outcome::Event(day - first),
            Outcome::Censored(day) => Outcome::Censored(day - first),
            other => other,
        })
    }

    /// The largest decrease of the sum of diameters from baseline as a share of it, up to the first progression; negative for growth,
    /// `None` if no sum is known.
    #[must_use]
    pub fn best_change(&self) -> Option<f64> {
        let start = self.visits.first()?.nadir_mm;
        let sums = self.until_progression().iter().filter_map(|visit| visit.sum_mm);
        sums.reduce(f64::min).filter(|_| start > 0.0).map(|least| (least - start) / start)
    }
}

fn meets(visit: &Visit, wanted: Response) -> bool {
    visit.overall == Response::Complete || (wanted == Response::Partial && visit.overall == Response::Partial)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
