//! Posteriors against the reference draws of posteriordb.

use super::Claim;
use crate::posteriordb::{METHODS, POSTERIORS, agreement};

const SOURCE: &str = "posteriordb, reference draws: 10 chains of 1000";

pub(super) fn claims() -> Vec<Claim> {
    let mut claims = Vec::new();
    for (posterior, reference) in POSTERIORS.iter().enumerate() {
        let family = reference.name.split('-').next().unwrap_or_default();
        for (method, sampler) in METHODS.iter().enumerate() {
            for (parameter, named) in reference.parameters.iter().enumerate() {
                let name = named.name.replace(['[', ']'], "");
                let rows = [("mean", "distance of means in sd", 0.0), ("sd", "ratio of sd", 1.0)];
                for (place, (id, what, expected)) in rows.into_iter().enumerate() {
                    claims.push(Claim {
                        id: format!("posteriordb.{family}_{sampler}_{name}_{id}"),
                        claim: format!("{}, {} by {sampler}: {what}", reference.name, named.name),
                        source: SOURCE,
                        expected,
                        tolerance: 0.1,
                        quick: true,
                        run: Box::new(move || Ok(agreement(posterior, method)?.map(|all| all[parameter][place]))),
                    });
                }
            }
        }
    }
    claims
}
