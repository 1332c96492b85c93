//! Published trials on virtual patients: a row for each finding. Heavy, so not among the quick ones.

use super::Claim;
use crate::studies::{self, Finding};
use std::sync::{Arc, OnceLock};

type Findings = Result<Option<Vec<Finding>>, String>;

pub(super) fn claims() -> Vec<Claim> {
    let mut claims = Vec::new();
    for study in studies::all() {
        let (source, targets) = (study.source, study.targets.clone());
        let (study, found) = (Arc::new(study), Arc::new(OnceLock::<Findings>::new()));
        for (place, target) in targets.into_iter().enumerate() {
            let (study, found) = (study.clone(), found.clone());
            let id = format!("{}.{}", study.id, target.id);
            let run = move || {
                let findings = found.get_or_init(|| study.run()).as_ref().map_err(Clone::clone)?;
                Ok(findings.as_ref().and_then(|findings| findings.get(place)).map(|finding| finding.ours))
            };
            // A row has a middle and a tolerance; the number itself need not be in the middle of its interval.
            let [low, high] = target.within;
            let (expected, tolerance) = (f64::midpoint(low, high), 0.5 * (high - low) * (1.0 + 1e-12));
            let claim = format!("{} (published {})", target.what, target.published);
            claims.push(Claim { id, claim, source, expected, tolerance, quick: false, run: Box::new(run) });
        }
    }
    claims
}
