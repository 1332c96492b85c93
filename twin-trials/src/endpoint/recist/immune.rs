//! iRECIST: progression that must be confirmed, because immunotherapy may let tumors swell before they shrink.

use super::{Assessment, Baseline, NonTarget, Response, ResponseCriteria, respond};
use crate::TrialError;
use serde::{Deserialize, Serialize};

/// What was seen at one time, with what iRECIST asks beyond RECIST 1.1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImmuneAssessment {
    /// What RECIST 1.1 asks; whether there is a new lesion is taken from the list below.
    pub assessment: Assessment,
    /// The diameters of the new lesions that are there, in millimeters.
    pub new_lesions_mm: Vec<f64>,
    /// Whether the other disease has become clearly worse since the assessment before.
    pub non_target_worse: bool,
}

impl ImmuneAssessment {
    /// An assessment without new lesions, and other disease no worse than before.
    #[must_use]
    pub const fn new(assessment: Assessment) -> Self {
        Self { assessment, new_lesions_mm: Vec::new(), non_target_worse: false }
    }

    /// The same assessment with new lesions of these diameters in millimeters.
    #[must_use]
    pub fn with_new_lesions(mut self, mm: impl Into<Vec<f64>>) -> Self {
        self.new_lesions_mm = mm.into();
        self
    }
}

/// The response at one assessment by iRECIST.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImmuneResponse {
    /// As RECIST 1.1 judges it: anything but progression (iCR, iPR, iSD, not evaluable).
    Recist(Response),
    /// Progression that is not confirmed (iUPD).
    Unconfirmed,
    /// Progression that was confirmed (iCPD).
    Confirmed,
}

/// The responses of one patient by iRECIST.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImmuneResponses {
    /// What each assessment came to, up to confirmed progression.
    pub visits: Vec<(f64, ImmuneResponse)>,
    /// The day of the progression that was confirmed later.
    pub progression: Option<f64>,
    /// The day of a progression that no later assessment confirmed or took back.
    pub unconfirmed: Option<f64>,
}

/// A progression that waits for confirmation, and what it rests on.
struct Pending {
    day: f64,
    sum_mm: Option<f64>,
    target: bool,
    other: bool,
    new_lesions: usize,
    new_mm: f64,
}

/// Judges each assessment by iRECIST (Seymour 2017, doi:10.1016/S1470-2045(17)30074-8) on the thresholds of `criteria`.
///
/// * Progression by RECIST 1.1 is unconfirmed at first.
/// * It is confirmed, by an assessment at least the days of the criteria later, if the sum of target lesions has grown by the millimeters of the
///   criteria since, other disease that was worse is worse again, new lesions are more or larger by those millimeters, or another kind of
///   progression has come. Its day is that of the unconfirmed one.
/// * Without any progression at an assessment it is taken back, and the next one starts anew.
/// * Otherwise it stays unconfirmed.
///
/// ```
/// use twin_trials::endpoint::recist::{Assessment, Baseline, ImmuneAssessment, Lesion, ResponseCriteria, respond_immune};
/// let baseline = Baseline { targets: vec![Lesion::tumor("lung", 50.0)], non_target: false };
/// let visits: Vec<ImmuneAssessment> = [(42.0, 62.0), (84.0, 30.0), (126.0, 40.0), (168.0, 46.0)]
///     .map(|(day, mm)| ImmuneAssessment::new(Assessment::measured(day, &baseline, &[mm])))
///     .into();
/// let responses = respond_immune(&ResponseCriteria::recist_1_1(), &baseline, &visits)?;
/// // 62 mm is taken back by 30 mm; 40 mm is progression from there, and 46 mm confirms it.
/// assert_eq!(responses.progression, Some(126.0));
/// # Ok::<(), twin_trials::TrialError>(())
/// ```
///
/// # Errors
/// As [`respond`]; [`TrialError::OutOfRange`] for a new lesion whose diameter is not finite and above 0.
pub fn respond_immune(
    criteria: &ResponseCriteria,
    baseline: &Baseline,
    assessments: &[ImmuneAssessment],
) -> Result<ImmuneResponses, TrialError> {
    for (index, seen) in assessments.iter().enumerate() {
        if let Some(&value) = seen.new_lesions_mm.iter().find(|mm| !(mm.is_finite() && **mm > 0.0)) {
            return Err(TrialError::OutOfRange { what: "new lesion", index, value, valid: "above 0 and finite" });
        }
    }
    let plain: Vec<Assessment> = assessments
        .iter()
        .map(|seen| Assessment { new_lesion: !seen.new_lesions_mm.is_empty(), ..seen.assessment.clone() })
        .collect();
    let judged = respond(criteria, baseline, &plain)?;
    let (mut visits, mut pending): (Vec<(f64, ImmuneResponse)>, Option<Pending>) = (Vec::new(), None);
    for (seen, visit) in assessments.iter().zip(&judged.visits) {
        let now = Pending {
            day: visit.day,
            sum_mm: visit.sum_mm,
            target: visit.target == Response::Progressive,
            other: seen.assessment.non_target == NonTarget::Progressed,
            new_lesions: seen.new_lesions_mm.len(),
            new_mm: seen.new_lesions_mm.iter().sum(),
        };
        let any = now.target || now.other || now.new_lesions > 0;
        match &pending {
            Some(before) if now.confirms(before, criteria, seen.non_target_worse) => {
                visits.push((visit.day, ImmuneResponse::Confirmed));
                return Ok(ImmuneResponses { visits, progression: Some(before.day), unconfirmed: None });
            }
            _ if any => {
                visits.push((visit.day, ImmuneResponse::Unconfirmed));
                pending = pending.or(Some(now));
            }
            _ => {
                visits.push((visit.day, ImmuneResponse::Recist(visit.overall)));
                // What could not be judged takes nothing back.
                if visit.overall != Response::NotEvaluable {
                    pending = None;
                }
            }
        }
    }
    Ok(ImmuneResponses { visits, progression: None, unconfirmed: pending.map(|before| before.day) })
}

impl Pending {
    /// Whether what is seen now confirms a progression seen `before`.
    fn confirms(&self, before: &Self, criteria: &ResponseCriteria, other_worse: bool) -> bool {
        if self.day - before.day < criteria.confirmation_days {
            return false;
        }
        let grown = before.target
            && self.sum_mm.zip(before.sum_mm).is_some_and(|(now, then)| now - then >= criteria.progression_mm - 1e-9 * then);
        let more = before.new_lesions > 0
            && (self.new_lesions > before.new_lesions
                || self.new_mm - before.new_mm >= criteria.progression_mm - 1e-9 * before.new_mm);
        let worse = before.other && other_worse;
        let another =
            (self.target && !before.target) || (self.other && !before.other) || (self.new_lesions > 0 && before.new_lesions == 0);
        grown || more || worse || another
    }
}

#[cfg(test)]
mod tests {
    use super::super::Lesion;
    use super::*;
    use ImmuneResponse::{Confirmed, Recist, Unconfirmed};

    fn base() -> Baseline {
        Baseline { targets: vec![Lesion::tumor("lung", 50.0)], non_target: true }
    }

    /// The lesion's diameter and the new lesions every 42 days.
    fn course(visits: &[(f64, &[f64])]) -> Vec<ImmuneAssessment> {
        let one = |(place, (mm, new)): (usize, &(f64, &[f64]))| {
            ImmuneAssessment::new(Assessment::measured(42.0 * (place + 1) as f64, &base(), &[*mm])).with_new_lesions(*new)
        };
        visits.iter().enumerate().map(one).collect()
    }

    fn judge(visits: &[ImmuneAssessment]) -> (Vec<ImmuneResponse>, Option<f64>, Option<f64>) {
        let found = respond_immune(&ResponseCriteria::recist_1_1(), &base(), visits).unwrap();
        (found.visits.into_iter().map(|(_, response)| response).collect(), found.progression, found.unconfirmed)
    }

    #[test]
    fn growth_is_confirmed_by_five_millimeters_more() {
        assert_eq!(
            judge(&course(&[(61.0, &[]), (65.0, &[]), (66.0, &[])])),
            (vec![Unconfirmed, Unconfirmed, Confirmed], Some(42.0), None)
        );
    }

    #[test]
    fn what_shrinks_again_is_taken_back() {
        let found = judge(&course(&[(61.0, &[]), (52.0, &[]), (30.0, &[])]));
        assert_eq!(found, (vec![Unconfirmed, Recist(Response::Stable), Recist(Response::Partial)], None, None));
    }

    #[test]
    fn new_lesions_are_confirmed_by_more_or_larger_ones() {
        assert_eq!(judge(&course(&[(50.0, &[8.0]), (50.0, &[8.0, 6.0])])).1, Some(42.0));
        assert_eq!(judge(&course(&[(50.0, &[8.0]), (50.0, &[13.0])])).1, Some(42.0));
        assert_eq!(judge(&course(&[(50.0, &[8.0]), (40.0, &[10.0])])), (vec![Unconfirmed; 2], None, Some(42.0)));
    }

    #[test]
    fn another_kind_of_progression_confirms_too() {
        assert_eq!(judge(&course(&[(61.0, &[]), (61.0, &[7.0])])).1, Some(42.0));
        let mut visits = course(&[(50.0, &[]), (50.0, &[])]);
        visits.iter_mut().for_each(|seen| seen.assessment.non_target = NonTarget::Progressed);
        assert_eq!(judge(&visits).2, Some(42.0));
        visits[1].non_target_worse = true;
        assert_eq!(judge(&visits).1, Some(42.0));
    }

    #[test]
    fn too_early_is_no_confirmation_and_nonsense_is_refused() {
        let mut visits = course(&[(61.0, &[]), (80.0, &[])]);
        visits[1].assessment.day = 60.0;
        assert_eq!(judge(&visits).1, None);
        let bad = course(&[(61.0, &[f64::NAN])]);
        assert!(respond_immune(&ResponseCriteria::recist_1_1(), &base(), &bad).is_err());
    }
}
