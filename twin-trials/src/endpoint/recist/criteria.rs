//! The thresholds of response criteria, as versioned data.

use crate::TrialError;
use serde::{Deserialize, Serialize};

/// The thresholds by which a response is judged. Data, not code: write down which version a trial used, and change what its
/// protocol changes.
///
/// ```
/// use twin_trials::endpoint::recist::ResponseCriteria;
/// let criteria = ResponseCriteria::recist_1_1();
/// assert_eq!((criteria.version.as_str(), criteria.response_decrease, criteria.progression_increase), ("1.1", 0.3, 0.2));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResponseCriteria {
    /// The name of the criteria.
    pub name: String,
    /// Their version.
    pub version: String,
    /// Where they are written down.
    pub source: String,
    /// A partial response needs a decrease of the sum of diameters from baseline by at least this share.
    pub response_decrease: f64,
    /// Progression needs an increase over the smallest sum by at least this share,
    pub progression_increase: f64,
    /// and by at least this many millimeters.
    pub progression_mm: f64,
    /// A lymph node is normal with a short axis below this many millimeters.
    pub normal_node_mm: f64,
    /// The least diameter of a target lesion at baseline, in millimeters.
    pub measurable_mm: f64,
    /// The least short axis of a target lymph node at baseline, in millimeters.
    pub measurable_node_mm: f64,
    /// The diameter, in millimeters, that stands for a lesion that is seen but too small to measure.
    pub too_small_mm: f64,
    /// The most target lesions,
    pub lesions: usize,
    /// and the most in one organ.
    pub lesions_per_organ: usize,
    /// A response counts as confirmed when it is seen again at least this many days later.
    pub confirmation_days: f64,
    /// Disease counts as stable when it is seen not to have progressed at least this many days after baseline.
    pub stable_days: f64,
}

impl ResponseCriteria {
    /// RECIST 1.1 (Eisenhauer 2009, doi:10.1016/j.ejca.2008.10.026). The shortest time of stable disease is left to the protocol,
    /// six to eight weeks being usual; it is set to six weeks here.
    #[must_use]
    pub fn recist_1_1() -> Self {
        Self {
            name: "RECIST".to_owned(),
            version: "1.1".to_owned(),
            source: "Eisenhauer 2009, doi:10.1016/j.ejca.2008.10.026".to_owned(),
            response_decrease: 0.3,
            progression_increase: 0.2,
            progression_mm: 5.0,
            normal_node_mm: 10.0,
            measurable_mm: 10.0,
            measurable_node_mm: 15.0,
            too_small_mm: 5.0,
            lesions: 5,
            lesions_per_organ: 2,
            confirmation_days: 28.0,
            stable_days: 42.0,
        }
    }

    /// Refuses thresholds that are not finite, negative, or shares above 1.
    pub(super) fn check(&self) -> Result<(), TrialError> {
        let lengths = [
            self.progression_increase,
            self.progression_mm,
            self.normal_node_mm,
            self.measurable_mm,
            self.measurable_node_mm,
            self.too_small_mm,
            self.confirmation_days,
            self.stable_days,
        ];
        if !(self.response_decrease > 0.0 && self.response_decrease <= 1.0) {
            let valid = "above 0 and at most 1";
            return Err(TrialError::OutOfRange { what: "decrease for a response", index: 0, value: self.response_decrease, valid });
        }
        match lengths.iter().enumerate().find(|(_, value)| !(value.is_finite() && **value >= 0.0)) {
            Some((index, &value)) => {
                Err(TrialError::OutOfRange { what: "threshold of response", index, value, valid: "0 or more and finite" })
            }
            None => Ok(()),
        }
    }
}
