//! Diagnosis as pathology states it: histology, site, grade, stage and receptors.

mod code;
mod grade;
mod stage;

pub(crate) use code::text;
pub use code::{Behavior, MorphologyCode, TopographyCode};
pub use grade::{Differentiation, GleasonScore, Grade, GradeGroup, WhoGrade};
pub use stage::{Edition, MCategory, NCategory, Stage, StageGroup, StagingSystem, TCategory};

use crate::Proportion;
use crate::treatment::name;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

name! {
    /// A receptor or another protein stained for, by its short name; the usual ones are constants.
    Receptor, "a receptor"
}

impl Receptor {
    /// Estrogen receptor.
    pub const ER: Self = Self(Cow::Borrowed("ER"));
    /// Progesterone receptor.
    pub const PR: Self = Self(Cow::Borrowed("PR"));
    /// Human epidermal growth factor receptor 2.
    pub const HER2: Self = Self(Cow::Borrowed("HER2"));
    /// Androgen receptor.
    pub const AR: Self = Self(Cow::Borrowed("AR"));
    /// Epidermal growth factor receptor.
    pub const EGFR: Self = Self(Cow::Borrowed("EGFR"));
    /// Programmed death-ligand 1.
    pub const PD_L1: Self = Self(Cow::Borrowed("PD-L1"));
}

/// What the pathologist concluded on a receptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum ReceptorStatus {
    /// Present.
    Positive,
    /// Absent.
    Negative,
    /// Neither clearly present nor clearly absent.
    Equivocal,
    /// Not known.
    #[default]
    Unknown,
}

/// Immunohistochemical staining, from none (0) to strong (3+).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum StainingScore {
    /// No staining.
    #[serde(rename = "0")]
    Zero,
    /// Weak staining.
    #[serde(rename = "1+")]
    OnePlus,
    /// Moderate staining.
    #[serde(rename = "2+")]
    TwoPlus,
    /// Strong staining.
    #[serde(rename = "3+")]
    ThreePlus,
}

/// The result of a receptor test. Status, percentage and score are what the report states; none is derived from another.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReceptorResult {
    /// The conclusion.
    pub status: ReceptorStatus,
    /// The share of tumor cells that stain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percentage: Option<Proportion>,
    /// The strength of staining.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<StainingScore>,
}

impl ReceptorResult {
    /// A conclusion without percentage or score.
    #[must_use]
    pub const fn new(status: ReceptorStatus) -> Self {
        Self { status, percentage: None, score: None }
    }
}

/// A diagnosis: what the tumor is, where it arose, and how far it has come.
///
/// Where the histology or the site is not known, ICD-O-3 has codes that say so: `8000/3` and `C80.9`.
///
/// ```
/// use twin_core::{Diagnosis, GleasonScore, Grade, MorphologyCode, Stage, StagingSystem, TCategory, TopographyCode};
/// let adenocarcinoma = MorphologyCode::new("8140/3")?;
/// let prostate = TopographyCode::new("C61.9")?;
/// let mut diagnosis = Diagnosis::new(adenocarcinoma, prostate);
/// diagnosis.grade = Some(Grade::Gleason(GleasonScore::new(4, 3)?));
/// diagnosis.stage = Some(Stage { t: Some(TCategory::new("cT3b")?), ..Stage::new(StagingSystem::Ajcc) });
/// assert_eq!(GleasonScore::new(4, 3)?.grade_group().number(), 3);
/// # Ok::<(), twin_core::CoreError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Diagnosis {
    /// The histology and behavior, an ICD-O-3 morphology code.
    pub histology: MorphologyCode,
    /// The primary site, an ICD-O-3 topography code.
    pub topography: TopographyCode,
    /// The grade.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade: Option<Grade>,
    /// The stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// The receptors tested.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "crate::unique_map::deserialize")]
    pub receptors: BTreeMap<Receptor, ReceptorResult>,
    /// The share of tumor cells that stain for Ki-67.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ki67: Option<Proportion>,
}

impl Diagnosis {
    /// A diagnosis of which only histology and site are known.
    #[must_use]
    pub fn new(histology: MorphologyCode, topography: TopographyCode) -> Self {
        Self { histology, topography, grade: None, stage: None, receptors: BTreeMap::new(), ki67: None }
    }

    /// The conclusion on `receptor`: unknown if it was not tested.
    #[must_use]
    pub fn receptor_status(&self, receptor: &Receptor) -> ReceptorStatus {
        self.receptors.get(receptor).map_or(ReceptorStatus::Unknown, |result| result.status)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn breast() -> Diagnosis {
        let mut diagnosis = Diagnosis::new(MorphologyCode::new("8500/3").unwrap(), TopographyCode::new("C50.4").unwrap());
        diagnosis.grade = Some(Grade::Differentiation(Differentiation::G2));
        diagnosis.stage = Some(Stage {
            edition: Some(Edition::new("8").unwrap()),
            t: Some(TCategory::new("ypT1c").unwrap()),
            n: Some(NCategory::new("ypN0(i+)").unwrap()),
            m: Some(MCategory::new("cM0").unwrap()),
            group: Some(StageGroup::new("IIB").unwrap()),
            ..Stage::new(StagingSystem::Ajcc)
        });
        let estrogen = ReceptorResult {
            status: ReceptorStatus::Positive,
            percentage: Some(Proportion::new(0.9).unwrap()),
            score: Some(StainingScore::ThreePlus),
        };
        diagnosis.receptors.insert(Receptor::ER, estrogen);
        diagnosis.receptors.insert(Receptor::HER2, ReceptorResult::new(ReceptorStatus::Equivocal));
        diagnosis.ki67 = Some(Proportion::new(0.2).unwrap());
        diagnosis
    }

    #[test]
    fn survives_a_round_trip() {
        let bare = Diagnosis::new(MorphologyCode::new("8140/3").unwrap(), TopographyCode::new("C61.9").unwrap());
        for diagnosis in [breast(), bare] {
            let text = serde_json::to_string(&diagnosis).unwrap();
            assert_eq!(serde_json::from_str::<Diagnosis>(&text).unwrap(), diagnosis, "{text}");
        }
    }

    #[test]
    fn a_receptor_not_tested_is_unknown() {
        assert_eq!(breast().receptor_status(&Receptor::ER), ReceptorStatus::Positive);
        assert_eq!(breast().receptor_status(&Receptor::PR), ReceptorStatus::Unknown);
    }

    #[test]
    fn refuses_what_is_not_a_diagnosis() {
        let with = |extra: &str| format!(r#"{{"histology":"8500/3","topography":"C50.4"{extra}}}"#);
        assert!(serde_json::from_str::<Diagnosis>(&with("")).is_ok());
        for extra in [
            r#","ki67":1.2"#,
            r#","ki_67":0.2"#,
            r#","receptors":{"ER":{"status":"positive","percentage":90}}"#,
            r#","receptors":{"ER":{"status":"positive","score":"4+"}}"#,
            r#","receptors":{"ER":{"status":"positive"},"ER":{"status":"negative"}}"#,
            r#","stage":{"system":"ajcc","t":"T5"}"#,
            r#","stage":{"system":"ajcc","edition":""}"#,
            r#","grade":{"grade_group":6}"#,
        ] {
            assert!(serde_json::from_str::<Diagnosis>(&with(extra)).is_err(), "{extra}");
        }
        assert!(serde_json::from_str::<Diagnosis>(r#"{"histology":"8500","topography":"C50.4"}"#).is_err());
    }
}
