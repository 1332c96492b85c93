//! Simulation-based calibration: are truths ranked uniformly among the draws of their posteriors?

use super::Claim;
use crate::sbc::{BINS, METHODS, MODELS, run};

const TALTS: &str = "a uniform distribution, Talts et al. 2018, arXiv:1804.06788";

pub(super) fn claims() -> Vec<Claim> {
    let claim = |model: &'static str, method: &'static str| Claim {
        id: format!("sbc.{method}_{model}"),
        claim: format!("{method} on {model}, 500 replicates: least p of {BINS} bins over the parameters (0.01 to 1)"),
        source: TALTS,
        expected: 0.505,
        tolerance: 0.495,
        quick: false,
        run: Box::new(move || {
            let ranks = run(model, method, 500, 2018)?;
            if let Some((index, error)) = ranks.failures.first() {
                return Err(format!("{} of 500 failed, number {index} because: {error}", ranks.failures.len()));
            }
            Ok(ranks.chi_square(BINS).into_iter().reduce(f64::min))
        }),
    };
    // The ensemble smoother is exact for the linear model alone, the unscented filter for none of these: growth is no linear function of the logarithm of
    // its rate. What they do stands in the book.
    let held = |model: &str, method: &str| method != "unscented" && (method != "smoother" || model == "exponential");
    let pairs = METHODS.into_iter().flat_map(|method| MODELS.into_iter().map(move |model| (model, method)));
    pairs.filter(|(model, method)| held(model, method)).map(|(model, method)| claim(model, method)).collect()
}
