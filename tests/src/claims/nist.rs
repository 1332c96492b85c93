//! The nonlinear regressions of NIST, from both published starts.

use super::Claim;
use crate::nist::{DATASETS, Regression, problems, score};
use std::sync::OnceLock;

const NIST: &str = "NIST Statistical Reference Datasets, nonlinear regression; certified to 11 digits";

pub(super) fn claims() -> Vec<Claim> {
    static PROBLEMS: OnceLock<Result<Option<Vec<Regression>>, String>> = OnceLock::new();
    let claim = |name: &'static str, start: usize| Claim {
        id: format!("nist.{}_start{}", name.to_lowercase(), start + 1),
        claim: format!("{name} from start {}: digits of the worst parameter that agree (7 to 11)", start + 1),
        source: NIST,
        expected: 9.0,
        tolerance: 2.0,
        quick: true,
        run: Box::new(move || {
            let problems = PROBLEMS.get_or_init(|| problems("nist")).as_ref().map_err(Clone::clone)?;
            let Some(problems) = problems else { return Ok(None) };
            let problem = problems.iter().find(|problem| problem.name == name).ok_or("no such dataset")?;
            score(problem, &problem.starts[start]).map(|score| Some(score.point))
        }),
    };
    DATASETS.into_iter().flat_map(|name| [claim(name, 0), claim(name, 1)]).collect()
}
