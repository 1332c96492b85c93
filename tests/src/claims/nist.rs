//! The nonlinear regressions of NIST, from both published starts.

use super::Claim;
use crate::nist::{DATASETS, Regression, Score, problems, score};
use std::sync::OnceLock;

const NIST: &str = "NIST Statistical Reference Datasets, nonlinear regression; certified to 11 digits";

/// The fits of a regression from both starts.
type Fitted = (String, [Score; 2]);

fn fit() -> Result<Option<Vec<Fitted>>, String> {
    let Some(problems) = problems("nist")? else { return Ok(None) };
    let both = |problem: &Regression| {
        let [first, second] = &problem.starts;
        Ok((problem.name.clone(), [score(problem, first)?, score(problem, second)?]))
    };
    problems.iter().map(both).collect::<Result<_, String>>().map(Some)
}

/// How many regressions are solved to six digits from the start, and said to be.
fn solved(fits: &[Fitted], start: usize) -> f64 {
    let solved = |(_, scores): &&Fitted| scores.get(start).is_some_and(|score| score.fit.converged() && score.point >= 6.0);
    fits.iter().filter(solved).count() as f64
}

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
    static FITTED: OnceLock<Result<Option<Vec<Fitted>>, String>> = OnceLock::new();
    let all = |id: &str, claim: &str, (expected, tolerance), of: fn(&[Fitted]) -> f64| Claim {
        id: format!("nist.{id}"),
        claim: claim.to_owned(),
        source: NIST,
        expected,
        tolerance,
        quick: true,
        run: Box::new(move || {
            let fitted = FITTED.get_or_init(fit).as_ref().map_err(Clone::clone)?;
            Ok(fitted.as_ref().map(|fits| of(fits)))
        }),
    };
    let mut claims: Vec<Claim> = DATASETS.into_iter().flat_map(|name| [claim(name, 0), claim(name, 1)]).collect();
    claims.extend([
        all("solved_start2", "regressions solved to 6 digits from the second start, of 27", (27.0, 0.0), |fits| solved(fits, 1)),
        all("solved_start1", "the same from the first start (at least 24 of 27)", (25.5, 1.5), |fits| solved(fits, 0)),
        // The certified digits of Lanczos1 end above its residuals (1e-13), so only its parameters can be judged.
        all(
            "standard_errors",
            "digits of the worst standard error of all fits that converged, Lanczos1 aside (4 to 11)",
            (7.5, 3.5),
            |fits| {
                let judged = fits.iter().filter(|(name, _)| name != "Lanczos1").flat_map(|(_, scores)| scores);
                judged.filter(|score| score.fit.converged()).map(|score| score.deviations).fold(11.0, f64::min)
            },
        ),
        all("false_convergence", "fits that are said to have converged and have not", (0.0, 0.0), |fits| {
            let all = fits.iter().flat_map(|(_, scores)| scores);
            all.filter(|score| score.fit.converged() && score.point < 6.0).count() as f64
        }),
    ]);
    claims
}
