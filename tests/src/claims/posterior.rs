//! Reference posteriors: the no-U-turn sampler with one setting for all against the draws of posteriordb.

use super::Claim;
use crate::posteriors::{Comparison, POSTERIORS, judge};
use std::sync::OnceLock;

const POSTERIORDB: &str = "posteriordb, reference draws of Stan; a bar of this project";

type Judged = Result<Option<Comparison>, String>;

pub(super) fn claims() -> Vec<Claim> {
    static JUDGED: [OnceLock<Judged>; 3] = [const { OnceLock::new() }; 3];
    let one = |(index, posterior): (usize, &'static str)| {
        let name = posterior.split('-').next().unwrap_or_default();
        let claim = move |id: &str, claim: &str, (expected, tolerance), of: fn(&Comparison) -> f64| Claim {
            id: format!("posterior.{name}_{id}"),
            claim: format!("{name} by NUTS, one setting for all: {claim}"),
            source: POSTERIORDB,
            expected,
            tolerance,
            // The gradient of the differential equation is by differences.
            quick: index < 2,
            run: Box::new(move || {
                let once = JUDGED.get(index).ok_or("no such posterior")?;
                let judged = once.get_or_init(|| judge(posterior)).as_ref().map_err(Clone::clone)?;
                Ok(judged.as_ref().map(of))
            }),
        };
        let (shift, spread) = if index == 2 {
            (
                "largest distance of a mean, or of the logarithm of a quantile, in sd (at most 0.1)",
                "largest distance from 1 of a ratio of sd or of distances of quantiles (at most 0.1)",
            )
        } else {
            ("largest distance of a mean in sd (at most 0.1)", "largest distance from 1 of a ratio of sd (at most 0.1)")
        };
        [
            claim("mean", shift, (0.05, 0.05), |c| c.shift),
            claim("sd", spread, (0.05, 0.05), |c| c.spread),
            claim("r_hat", "largest R-hat (below 1.01)", (1.0, 0.01), |c| c.r_hat),
            claim("ess", "least effective number of draws, bulk and tails (at least 400 of 32,000)", (16_200.0, 15_800.0), |c| {
                c.effective
            }),
        ]
    };
    POSTERIORS.into_iter().enumerate().flat_map(one).collect()
}
