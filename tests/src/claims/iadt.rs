//! Intermittent androgen deprivation, leave one patient out.

use super::Claim;
use crate::iadt::{Cycle, area, cycles, skill, sort};

const BRADY_NICHOLLS: &str =
    "Brady-Nicholls et al. 2020, doi:10.1038/s41467-020-15424-4, on 70 patients; ours on the 37 of them that are public";
const BAR: &str = "a bar of this project, on 37 patients of Bruchovsky 2006, doi:10.1002/cncr.21989";

fn claim(id: &str, claim: &str, source: &'static str, (expected, tolerance): (f64, f64), of: fn(&[Cycle]) -> f64) -> Claim {
    Claim {
        id: format!("iadt.{id}"),
        claim: claim.to_owned(),
        source,
        expected,
        tolerance,
        quick: false,
        run: Box::new(move || Ok(cycles("iadt")?.map(|cycles| of(&cycles)))),
    }
}

pub(super) fn claims() -> Vec<Claim> {
    vec![
        claim(
            "resistance_accuracy",
            "resistance in the next cycle: share of cycles sorted right",
            BRADY_NICHOLLS,
            (0.89, 0.11),
            |c| sort(c, |cycle| cycle.probability).accuracy(),
        ),
        claim("resistance_sensitivity", "the same: share of resistant cycles called so", BRADY_NICHOLLS, (0.73, 0.27), |c| {
            sort(c, |cycle| cycle.probability).sensitivity()
        }),
        claim(
            "resistance_specificity",
            "the same: share of other cycles not called resistant",
            BRADY_NICHOLLS,
            (0.91, 0.09),
            |c| sort(c, |cycle| cycle.probability).specificity(),
        ),
        claim("resistance_auc", "area under the curve of the forecast probability (0.8 to 1)", BAR, (0.9, 0.1), |c| {
            area(c, |cycle| cycle.probability)
        }),
        claim(
            "nadir_auc",
            "the same of the lowest PSA of the cycle before, without a model (for comparison: 0 to 1)",
            BAR,
            (0.5, 0.5),
            |c| area(c, |cycle| cycle.last_nadir),
        ),
        claim("nadir_accuracy", "accuracy of the lowest PSA of the cycle before (for comparison: 0 to 1)", BAR, (0.5, 0.5), |c| {
            sort(c, |cycle| cycle.last_nadir).accuracy()
        }),
        claim(
            "psa_error_90_days",
            "PSA up to 90 days ahead: median error over that of the last value carried forward (below 1)",
            BAR,
            (0.5, 0.499),
            |c| {
                let skill = skill(c, 0.0, 90.0);
                skill.error / skill.carried
            },
        ),
        claim("psa_error_180_days", "the same, 90 to 180 days ahead", BAR, (0.5, 0.499), |c| {
            let skill = skill(c, 90.0, 180.0);
            skill.error / skill.carried
        }),
        claim("psa_error_360_days", "the same, 180 to 360 days ahead", BAR, (0.5, 0.499), |c| {
            let skill = skill(c, 180.0, 360.0);
            skill.error / skill.carried
        }),
        claim("psa_error_beyond_360_days", "the same, beyond 360 days", BAR, (0.5, 0.499), |c| {
            let skill = skill(c, 360.0, f64::INFINITY);
            skill.error / skill.carried
        }),
        claim(
            "psa_coverage_90",
            "share of readings at all horizons in the 90 % interval (0.80 to 0.97)",
            BAR,
            (0.885, 0.085),
            |c| skill(c, 0.0, f64::INFINITY).coverage,
        ),
    ]
}
