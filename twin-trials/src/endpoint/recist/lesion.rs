//! Lesions as they are chosen at baseline and measured at assessments.

use super::ResponseCriteria;
use crate::TrialError;
use serde::{Deserialize, Serialize};

/// Whether a lesion lies in a lymph node. Nodes are measured by their short axis, and are normal when small.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LesionKind {
    /// A lesion that is not in a lymph node, measured by its longest diameter.
    Tumor,
    /// A lymph node, measured by its short axis.
    Node,
}

/// A target lesion at baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lesion {
    /// Where it is; lesions of one organ share the word.
    pub organ: String,
    /// What it is.
    pub kind: LesionKind,
    /// Its diameter at baseline (short axis of a node), in millimeters.
    pub diameter_mm: f64,
}

impl Lesion {
    /// A lesion of `organ` that is not in a lymph node.
    #[must_use]
    pub fn tumor(organ: impl Into<String>, diameter_mm: f64) -> Self {
        Self { organ: organ.into(), kind: LesionKind::Tumor, diameter_mm }
    }

    /// A lymph node of `organ` with this short axis.
    #[must_use]
    pub fn node(organ: impl Into<String>, short_axis_mm: f64) -> Self {
        Self { organ: organ.into(), kind: LesionKind::Node, diameter_mm: short_axis_mm }
    }
}

/// What was chosen at baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// The target lesions.
    pub targets: Vec<Lesion>,
    /// Whether there is other disease (non-target lesions).
    pub non_target: bool,
}

impl Baseline {
    /// The sum of diameters, in millimeters.
    #[must_use]
    pub fn sum_mm(&self) -> f64 {
        self.targets.iter().map(|lesion| lesion.diameter_mm).sum()
    }

    /// Refuses a baseline without any disease, too many target lesions, and target lesions that are not measurable.
    pub(super) fn check(&self, criteria: &ResponseCriteria) -> Result<(), TrialError> {
        if self.targets.is_empty() && !self.non_target {
            return Err(TrialError::Empty { what: "the disease at baseline" });
        }
        if self.targets.len() > criteria.lesions {
            let what = "number of target lesions";
            return Err(TrialError::Count { what, count: self.targets.len(), valid: "at most what the criteria allow" });
        }
        for (index, lesion) in self.targets.iter().enumerate() {
            let count = self.targets.iter().filter(|other| other.organ == lesion.organ).count();
            if count > criteria.lesions_per_organ {
                let what = "number of target lesions in one organ";
                return Err(TrialError::Count { what, count, valid: "at most what the criteria allow" });
            }
            let least = match lesion.kind {
                LesionKind::Tumor => criteria.measurable_mm,
                LesionKind::Node => criteria.measurable_node_mm,
            };
            let value = lesion.diameter_mm;
            if !value.is_finite() {
                return Err(TrialError::NotFinite { what: "diameter of target lesion", index, value });
            }
            if value <= 0.0 || value < least {
                let valid = "large enough to measure at baseline";
                return Err(TrialError::OutOfRange { what: "diameter of target lesion", index, value, valid });
            }
        }
        Ok(())
    }
}

/// What was seen of a target lesion at an assessment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LesionSize {
    /// Its diameter (short axis of a node), in millimeters, above 0.
    Diameter(f64),
    /// It is seen, but too small to measure.
    TooSmall,
    /// It is not there any more.
    Absent,
    /// It was not looked at, or could not be judged.
    NotEvaluated,
}

/// What was seen of the disease that is not in target lesions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NonTarget {
    /// Not there, or not there any more.
    Absent,
    /// Still there, and not clearly worse.
    #[default]
    Present,
    /// Clearly worse.
    Progressed,
    /// Not all of it was looked at.
    NotEvaluated,
}

/// What was seen at one time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assessment {
    /// Days after baseline.
    pub day: f64,
    /// The target lesions, in the order of the baseline.
    pub targets: Vec<LesionSize>,
    /// The other disease.
    pub non_target: NonTarget,
    /// Whether there is a lesion that was not there before.
    pub new_lesion: bool,
}

impl Assessment {
    /// Target lesions with these diameters in millimeters, 0 for a lesion that is gone; nothing new, other disease as it was at
    /// `baseline`.
    #[must_use]
    pub fn measured(day: f64, baseline: &Baseline, diameters_mm: &[f64]) -> Self {
        let size = |&mm: &f64| if mm == 0.0 { LesionSize::Absent } else { LesionSize::Diameter(mm) };
        let non_target = if baseline.non_target { NonTarget::Present } else { NonTarget::Absent };
        Self { day, targets: diameters_mm.iter().map(size).collect(), non_target, new_lesion: false }
    }

    /// The same assessment with a lesion that was not there before.
    #[must_use]
    pub fn with_new_lesion(mut self) -> Self {
        self.new_lesion = true;
        self
    }

    /// The same assessment with this seen of the other disease.
    #[must_use]
    pub fn with_non_target(mut self, non_target: NonTarget) -> Self {
        self.non_target = non_target;
        self
    }
}
