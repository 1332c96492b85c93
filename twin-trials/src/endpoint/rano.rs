//! Response of high-grade glioma by RANO, from products of diameters, steroids and the clinic.

use crate::TrialError;
use serde::{Deserialize, Serialize};

/// The thresholds by which a response of a glioma is judged, as versioned data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RanoCriteria {
    /// The name of the criteria.
    pub name: String,
    /// Their version.
    pub version: String,
    /// Where they are written down.
    pub source: String,
    /// A partial response needs a decrease of the sum of products from baseline by at least this share.
    pub response_decrease: f64,
    /// Progression needs an increase over the smallest sum by at least this share.
    pub progression_increase: f64,
    /// A response counts when it is seen again at least this many days later.
    pub confirmation_days: f64,
    /// Progression within this many days of the end of radiotherapy must be confirmed, as long after.
    pub radiotherapy_days: f64,
}

impl RanoCriteria {
    /// RANO 2.0 with two perpendicular diameters (Wen 2023, doi:10.1200/JCO.23.01059); the shares and the four weeks are those of the first
    /// version (Wen 2010, doi:10.1200/JCO.2009.26.3541). Baseline is the first scan after radiotherapy.
    #[must_use]
    pub fn rano_2_0() -> Self {
        Self {
            name: "RANO".to_owned(),
            version: "2.0".to_owned(),
            source: "Wen 2023, doi:10.1200/JCO.23.01059".to_owned(),
            response_decrease: 0.5,
            progression_increase: 0.25,
            confirmation_days: 28.0,
            radiotherapy_days: 84.0,
        }
    }

    fn check(&self) -> Result<(), TrialError> {
        let all = [self.response_decrease, self.progression_increase, self.confirmation_days, self.radiotherapy_days];
        match all.iter().enumerate().find(|(_, value)| !(value.is_finite() && **value >= 0.0)) {
            Some((index, &value)) => {
                Err(TrialError::OutOfRange { what: "threshold of response", index, value, valid: "0 or more and finite" })
            }
            None => Ok(()),
        }
    }
}

/// What was seen at one time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RanoAssessment {
    /// Days after the baseline.
    pub day: f64,
    /// The sum of the products of perpendicular diameters of enhancing disease, in mm²; 0 for disease that is gone, `None` if it was not
    /// evaluated.
    pub product_mm2: Option<f64>,
    /// Whether there is a lesion that was not there before.
    pub new_lesion: bool,
    /// Whether disease that does not enhance is clearly worse.
    pub other_worse: bool,
    /// The daily dose of steroids relative to that of the baseline, as a share; 1 where neither had any.
    pub steroids: f64,
    /// Whether the patient is clearly worse, for no other reason.
    pub clinically_worse: bool,
}

impl RanoAssessment {
    /// A product of diameters, with nothing else changed since the baseline.
    #[must_use]
    pub const fn measured(day: f64, product_mm2: f64) -> Self {
        let product_mm2 = Some(product_mm2);
        Self { day, product_mm2, new_lesion: false, other_worse: false, steroids: 1.0, clinically_worse: false }
    }
}

/// The response at one assessment by RANO.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RanoResponse {
    /// No enhancing disease, nothing new, no steroids, and stable otherwise; confirmed.
    Complete,
    /// Half or less of the product, nothing new, no more steroids, and stable otherwise; confirmed.
    Partial,
    /// Neither response nor progression, or a response that is not confirmed.
    Stable,
    /// Progression.
    Progressive,
    /// Progression soon after radiotherapy that must be confirmed.
    Preliminary,
    /// Not evaluable.
    NotEvaluable,
}

/// Judges each assessment, the day of the first progression last: `None` for none.
///
/// * Progression: the product exceeds the smallest so far, baseline included, by the share of the criteria, with steroids not reduced; or a new
///   lesion, other disease clearly worse, or a patient clearly worse.
/// * Soon after radiotherapy it must be seen again at least four weeks later; its day is then that of the first.
/// * A response must be seen again at least four weeks later; until then the disease counts as stable.
///
/// ```
/// use twin_trials::endpoint::rano::{RanoAssessment, RanoCriteria, RanoResponse, respond};
/// let visits = [(56.0, 500.0), (112.0, 480.0), (168.0, 610.0)].map(|(day, mm2)| RanoAssessment::measured(day, mm2));
/// let (responses, progression) = respond(&RanoCriteria::rano_2_0(), 1000.0, 0.0, &visits)?;
/// assert_eq!(responses, [RanoResponse::Partial, RanoResponse::Partial, RanoResponse::Progressive]); // 27 % above 480 mm²
/// assert_eq!(progression, Some(168.0));
/// # Ok::<(), twin_trials::TrialError>(())
/// ```
///
/// # Errors
/// [`TrialError::OutOfRange`] for thresholds, a `baseline_mm2` that is not above 0, days that do not ascend from above 0, and products or
/// steroids that are negative or not finite. `since_radiotherapy` are the days from the end of radiotherapy to the baseline.
pub fn respond(
    criteria: &RanoCriteria,
    baseline_mm2: f64,
    since_radiotherapy: f64,
    assessments: &[RanoAssessment],
) -> Result<(Vec<RanoResponse>, Option<f64>), TrialError> {
    check(criteria, baseline_mm2, assessments)?;
    let mut nadir = baseline_mm2;
    let mut raw = Vec::with_capacity(assessments.len());
    for seen in assessments {
        raw.push(judge(criteria, baseline_mm2, nadir, seen));
        nadir = seen.product_mm2.map_or(nadir, |mm2| mm2.min(nadir));
    }
    let mut responses = Vec::with_capacity(raw.len());
    let mut progression = None;
    for (place, (seen, response)) in assessments.iter().zip(&raw).enumerate() {
        let later = || assessments.iter().zip(&raw).skip(place + 1);
        let again = |wanted: RanoResponse| confirmed(criteria, seen.day, wanted, later());
        let early = seen.day + since_radiotherapy < criteria.radiotherapy_days;
        let bad = seen.new_lesion || seen.other_worse || seen.clinically_worse;
        responses.push(match *response {
            RanoResponse::Progressive if early && !bad && !again(RanoResponse::Progressive) => RanoResponse::Preliminary,
            RanoResponse::Complete | RanoResponse::Partial if !again(*response) && !before(&responses, *response) => {
                RanoResponse::Stable
            }
            other => other,
        });
        if responses.last() == Some(&RanoResponse::Progressive) && progression.is_none() {
            progression = Some(seen.day);
        }
    }
    Ok((responses, progression))
}

/// Whether a response at least as good was confirmed just before, so that this one carries it on.
fn before(responses: &[RanoResponse], wanted: RanoResponse) -> bool {
    match responses.last() {
        Some(RanoResponse::Complete) => true,
        Some(RanoResponse::Partial) => wanted == RanoResponse::Partial,
        _ => false,
    }
}

fn confirmed<'a>(
    criteria: &RanoCriteria,
    day: f64,
    wanted: RanoResponse,
    later: impl Iterator<Item = (&'a RanoAssessment, &'a RanoResponse)>,
) -> bool {
    let meets =
        |response: RanoResponse| response == wanted || (wanted == RanoResponse::Partial && response == RanoResponse::Complete);
    let mut seen =
        later.filter(|(_, response)| **response != RanoResponse::NotEvaluable).take_while(|(_, response)| meets(**response));
    seen.any(|(seen, _)| seen.day - day >= criteria.confirmation_days)
}

fn judge(criteria: &RanoCriteria, baseline: f64, nadir: f64, seen: &RanoAssessment) -> RanoResponse {
    if seen.new_lesion || seen.other_worse || seen.clinically_worse {
        return RanoResponse::Progressive;
    }
    let Some(mm2) = seen.product_mm2 else { return RanoResponse::NotEvaluable };
    let slack = 1e-9 * baseline;
    let grown = mm2 > nadir && mm2 - nadir >= criteria.progression_increase * nadir - slack;
    // With more steroids a tumor looks smaller than it is: growth counts, shrinkage does not.
    if grown && seen.steroids >= 1.0 {
        RanoResponse::Progressive
    } else if mm2 <= 0.0 && seen.steroids <= 1.0 {
        RanoResponse::Complete
    } else if baseline - mm2 >= criteria.response_decrease * baseline - slack && seen.steroids <= 1.0 {
        RanoResponse::Partial
    } else {
        RanoResponse::Stable
    }
}

fn check(criteria: &RanoCriteria, baseline: f64, assessments: &[RanoAssessment]) -> Result<(), TrialError> {
    criteria.check()?;
    let refuse = |what, index, value, valid| Err(TrialError::OutOfRange { what, index, value, valid });
    if !(baseline.is_finite() && baseline > 0.0) {
        return refuse("product of diameters at baseline", 0, baseline, "above 0 and finite");
    }
    let mut last = 0.0;
    for (index, seen) in assessments.iter().enumerate() {
        if !(seen.day.is_finite() && seen.day > last) {
            return refuse("day of assessment", index, seen.day, "after the assessment before it, and after day 0");
        }
        last = seen.day;
        for value in [seen.product_mm2.unwrap_or(0.0), seen.steroids] {
            if !(value.is_finite() && value >= 0.0) {
                return refuse("product of diameters or dose of steroids", index, value, "0 or more and finite");
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use RanoResponse::{Complete, NotEvaluable, Partial, Preliminary, Progressive, Stable};

    fn judged(since: f64, visits: &[RanoAssessment]) -> (Vec<RanoResponse>, Option<f64>) {
        respond(&RanoCriteria::rano_2_0(), 1000.0, since, visits).unwrap()
    }

    fn series(products: &[f64]) -> Vec<RanoAssessment> {
        products.iter().enumerate().map(|(n, mm2)| RanoAssessment::measured(56.0 * (n + 1) as f64, *mm2)).collect()
    }

    #[test]
    fn a_quarter_more_than_the_least_is_progression() {
        assert_eq!(judged(100.0, &series(&[800.0, 999.0, 1000.0])), (vec![Stable, Stable, Progressive], Some(168.0)));
    }

    #[test]
    fn a_response_must_be_seen_again() {
        assert_eq!(judged(100.0, &series(&[500.0, 501.0])).0, [Stable, Stable]);
        assert_eq!(judged(100.0, &series(&[0.0, 0.0, 100.0])).0, [Complete, Complete, Progressive]);
        assert_eq!(judged(100.0, &series(&[400.0, 390.0])).0, [Partial, Partial]);
    }

    #[test]
    fn steroids_count() {
        let mut visits = series(&[400.0, 390.0]);
        visits.iter_mut().for_each(|seen| seen.steroids = 2.0);
        assert_eq!(judged(100.0, &visits).0, [Stable, Stable]);
        let mut visits = series(&[1300.0]);
        visits[0].steroids = 0.5;
        assert_eq!(judged(100.0, &visits).0, [Stable]);
    }

    #[test]
    fn growth_soon_after_radiotherapy_must_be_confirmed_and_a_new_lesion_not() {
        assert_eq!(judged(0.0, &series(&[1300.0, 900.0])), (vec![Preliminary, Stable], None));
        assert_eq!(judged(0.0, &series(&[1300.0, 1400.0])).1, Some(56.0));
        let mut visits = series(&[900.0]);
        visits[0].new_lesion = true;
        assert_eq!(judged(0.0, &visits).1, Some(56.0));
    }

    #[test]
    fn what_was_not_evaluated_is_not_evaluable_and_nonsense_is_refused() {
        let mut visits = series(&[900.0]);
        visits[0].product_mm2 = None;
        assert_eq!(judged(0.0, &visits).0, [NotEvaluable]);
        visits[0].product_mm2 = Some(-1.0);
        assert!(respond(&RanoCriteria::rano_2_0(), 1000.0, 0.0, &visits).is_err());
        assert!(respond(&RanoCriteria::rano_2_0(), 0.0, 0.0, &[]).is_err());
    }
}
