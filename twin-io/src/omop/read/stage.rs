//! Stages, by the concepts that modify a condition.

use super::Reader;
use crate::IoError;
use crate::omop::Concept;
use crate::omop::row::Row;
use twin_core::*;

impl Reader<'_> {
    /// A category of TNM, or a stage group, of a diagnosis.
    pub(super) fn stage(&mut self, row: &Row<'_>, key: i64, concept: &Concept) -> Result<(), IoError> {
        let of = self.diagnoses.get(&key).and_then(|place| self.record.patient.diagnoses.get_mut(*place));
        let (Some(recorded), "Cancer Modifier") = (of, concept.vocabulary.as_str()) else {
            self.leave_out_row(row, "of a condition that is carried over, the stage is read by concepts of Cancer Modifier");
            return Ok(());
        };
        let stage = recorded.value.stage.get_or_insert_with(|| Stage::new(StagingSystem::Ajcc));
        if let Err(reason) = add(stage, &concept.code) {
            if *stage == Stage::new(StagingSystem::Ajcc) {
                recorded.value.stage = None;
            }
            self.leave_out_row(row, reason);
        }
        Ok(())
    }
}

/// Adds the category of a code such as `c-8th_AJCC/UICC-T2a` or `8th_AJCC/UICC-Stage-2B` to a stage.
fn add(stage: &mut Stage, code: &str) -> Result<(), &'static str> {
    const FORM: &str = "the code is not a category of AJCC/UICC, as c-8th_AJCC/UICC-T2a";
    let (prefix, rest) = match code.split_once('-') {
        Some((prefix @ ("c" | "p" | "yc" | "yp"), rest)) => (prefix, rest),
        _ => ("", code),
    };
    let (system, category) = rest.split_once('-').ok_or(FORM)?;
    let edition = match system.strip_suffix("AJCC/UICC").ok_or(FORM)? {
        "" => None,
        edition => Some(edition.strip_suffix("th_").and_then(|edition| Edition::new(edition).ok()).ok_or(FORM)?),
    };
    let begun = stage.edition.is_some() || stage.t.is_some() || stage.n.is_some() || stage.m.is_some() || stage.group.is_some();
    if begun && stage.edition != edition {
        return Err("a category of another edition than the first");
    }
    fn once<T>(slot: &mut Option<T>, value: Option<T>) -> Result<(), &'static str> {
        match (slot.is_some(), value) {
            (true, _) => Err("a second category of the same kind: the first stands"),
            (false, None) => Err(FORM),
            (false, value) => {
                *slot = value;
                Ok(())
            }
        }
    }
    let text = format!("{prefix}{category}");
    match category.split_once('-') {
        Some(("Stage", group)) => {
            if !prefix.is_empty() {
                return Err("a clinical or pathological stage group: the group is carried over where it is neither");
            }
            let digit = group.get(..1).and_then(|digit| digit.parse::<usize>().ok());
            let roman = digit.and_then(|digit| ["0", "I", "II", "III", "IV"].get(digit));
            once(&mut stage.group, roman.and_then(|roman| StageGroup::new(&format!("{roman}{}", group.get(1..)?)).ok()))?;
        }
        Some(_) => return Err(FORM),
        None if category.starts_with('T') => once(&mut stage.t, TCategory::new(&text).ok())?,
        None if category.starts_with('N') => once(&mut stage.n, NCategory::new(&text).ok())?,
        None => once(&mut stage.m, MCategory::new(&text).ok())?,
    }
    stage.edition = edition;
    Ok(())
}
