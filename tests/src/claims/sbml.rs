//! The SBML Test Suite: cases that are not within its tolerances.

use super::Claim;
use crate::data;
use crate::sbml::{Outcome, cases, run_raw};

const SUITE: &str = "SBML Test Suite 3.3.0, semantic cases, with the suite's own tolerances";

pub(super) fn claims() -> Vec<Claim> {
    let flattened = || {
        let Some(path) = data("sbml", "reference/sbml_semantic/sbml_core_ode_cases.json") else { return Ok(None) };
        let cases = cases(&path)?;
        if cases.len() != 344 {
            return Err(format!("{} cases, not 344", cases.len()));
        }
        let missed = cases.iter().filter(|case| !case.worst().is_ok_and(|worst| worst <= 1.0)).count();
        Ok(Some(missed as f64))
    };
    let raw = |count: fn(&Outcome) -> bool| {
        move || {
            let Some(root) = data("sbml", "reference/sbml_semantic/raw") else { return Ok(None) };
            let folders = std::fs::read_dir(root).map_err(super::words)?;
            let mut counted = 0;
            for folder in folders {
                counted += usize::from(count(&run_raw(&folder.map_err(super::words)?.path())?.1));
            }
            Ok(Some(counted as f64))
        }
    };
    let claim = |id: &str, claim: &str, expected: f64, run: Box<dyn Fn() -> Result<Option<f64>, String> + Send + Sync>| Claim {
        id: id.to_owned(),
        claim: claim.to_owned(),
        source: SUITE,
        expected,
        tolerance: 0.0,
        quick: true,
        run,
    };
    vec![
        claim("sbml.flattened_missed", "of 344 flattened cases, those outside the tolerances", 0.0, Box::new(flattened)),
        claim(
            "sbml.raw_wrong",
            "raw cases that are read and outside the tolerances",
            0.0,
            Box::new(raw(|outcome| matches!(outcome, Outcome::Wrong(_)))),
        ),
        claim(
            "sbml.raw_refused",
            "of 79 raw cases, those that the reader refuses by name: a rule without math, a fast reaction",
            2.0,
            Box::new(raw(|outcome| matches!(outcome, Outcome::Refused(_)))),
        ),
    ]
}
