//! NIST regressions: Levenberg-Marquardt with its default settings, no tuning for any.

use super::Claim;
use crate::nist::{Regression, Score, problems, residuals_mean_something, score};
use std::sync::OnceLock;

const NIST: &str = "NIST Statistical Reference Datasets, nonlinear regression, certified to 11 digits";

/// Each problem with its fits from both starts.
type Fitted = Result<Option<Vec<(Regression, [Score; 2])>>, String>;

fn fit() -> Fitted {
    let Some(problems) = problems("nist")? else { return Ok(None) };
    let both = |problem: Regression| {
        let [first, second] = &problem.starts;
        let scores = [score(&problem, first)?, score(&problem, second)?];
        Ok((problem, scores))
    };
    problems.into_iter().map(both).collect::<Result<_, String>>().map(Some)
}

/// How many problems are solved to six digits from the start, and said to be.
fn solved(fits: &[(Regression, [Score; 2])], start: usize) -> f64 {
    fits.iter().filter(|(_, scores)| scores[start].fit.converged() && scores[start].point >= 6.0).count() as f64
}

pub(super) fn claims() -> Vec<Claim> {
    static FITTED: OnceLock<Fitted> = OnceLock::new();
    let claim = |id: &str, claim: &str, (expected, tolerance), of: fn(&[(Regression, [Score; 2])]) -> f64| Claim {
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
    vec![
        claim("start_2", "regressions solved to 6 digits from the second start, of 27", (27.0, 0.0), |fits| solved(fits, 1)),
        claim("start_1", "the same from the first start (at least 24 of 27)", (25.5, 1.5), |fits| solved(fits, 0)),
        claim(
            "standard_errors",
            "digits of the worst standard error of all solved, Lanczos1 aside (4 to 11)",
            (7.5, 3.5),
            |fits| {
                let judged = fits.iter().filter(|(problem, _)| residuals_mean_something(problem));
                let solved = judged.flat_map(|(_, scores)| scores).filter(|score| score.fit.converged());
                solved.map(|score| score.deviations).fold(11.0, f64::min)
            },
        ),
        claim("false_convergence", "fits that are said to have converged and have not", (0.0, 0.0), |fits| {
            let all = fits.iter().flat_map(|(_, scores)| scores);
            all.filter(|score| score.fit.converged() && score.point < 6.0).count() as f64
        }),
    ]
}
