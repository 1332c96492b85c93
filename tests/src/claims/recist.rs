//! RECIST 1.1 on courses worked by hand from the publication's rules: the day of progression, 0 where there is none.

use super::{Claim, words};
use twin_trials::endpoint::psa::PsaCriteria;
use twin_trials::endpoint::recist::{Assessment, Baseline, Lesion, LesionSize, NonTarget, Response, ResponseCriteria, respond};

const RECIST: &str = "worked by hand from Eisenhauer 2009, doi:10.1016/j.ejca.2008.10.026";
const PCWG3: &str = "worked by hand from Scher 2016, doi:10.1200/JCO.2015.64.2702";

fn two() -> Baseline {
    Baseline { targets: vec![Lesion::tumor("liver", 30.0), Lesion::node("mediastinum", 20.0)], non_target: true }
}

/// Assessments every 56 days.
fn every(diameters: &[[f64; 2]]) -> Vec<Assessment> {
    let visit = |(place, mm): (usize, &[f64; 2])| Assessment::measured(56.0 * (place + 1) as f64, &two(), mm);
    diameters.iter().enumerate().map(visit).collect()
}

type Case = (&'static str, &'static str, f64, fn() -> Vec<Assessment>);

pub(super) fn claims() -> Vec<Claim> {
    let cases: [Case; 8] = [
        ("five_millimeters", "50, 20, 24 (20 % but 4 mm), 25 mm", 168.0, || every(&[[10.0, 10.0], [13.0, 11.0], [14.0, 11.0]])),
        ("nadir", "50, 30, 35.9 (19.7 %), 36 mm", 168.0, || every(&[[18.0, 12.0], [22.0, 13.9], [22.0, 14.0]])),
        ("new_lesion", "50, 25 mm and a new lesion", 112.0, || {
            let mut visits = every(&[[20.0, 10.0], [15.0, 10.0]]);
            visits[1].new_lesion = true;
            visits
        }),
        ("other_disease", "50, 25 mm and other disease clearly worse", 56.0, || {
            every(&[[15.0, 10.0]]).into_iter().map(|visit| visit.with_non_target(NonTarget::Progressed)).collect()
        }),
        ("return_after_complete_response", "gone, then 3 mm again", 112.0, || {
            let mut visits = every(&[[0.0, 8.0], [3.0, 8.0]]);
            visits[0].non_target = NonTarget::Absent;
            visits
        }),
        ("return_without_complete_response", "gone with a node of 15 mm, then 3 mm again: 20 %, but 3 mm", 0.0, || {
            every(&[[0.0, 15.0], [3.0, 15.0]])
        }),
        ("not_evaluated", "a lesion missing: not judged, then 36 and 25 mm (22 %)", 112.0, || {
            let mut visits = every(&[[30.0, 20.0], [36.0, 25.0]]);
            visits[0].targets[1] = LesionSize::NotEvaluated;
            visits
        }),
        ("none", "50, 45, 50, 58 mm", 0.0, || every(&[[25.0, 20.0], [30.0, 20.0], [33.0, 20.0]])),
    ];
    let mut claims = Vec::new();
    for (id, what, expected, visits) in cases {
        let run = move || {
            let responses = respond(&ResponseCriteria::recist_1_1(), &two(), &visits()).map_err(words)?;
            Ok(responses.progression().unwrap_or(0.0))
        };
        claims.push(Claim::quick(format!("recist.progression_{id}"), what, RECIST, (expected, 0.0), run));
    }
    let run = || {
        let visits = every(&[[18.0, 15.0], [18.0, 15.0], [30.0, 20.0]]);
        let responses = respond(&ResponseCriteria::recist_1_1(), &two(), &visits).map_err(words)?;
        Ok(if responses.best(true).response == Response::Partial { 1.0 } else { 0.0 })
    };
    claims.push(Claim::quick("recist.confirmed_partial_response", "34 % less, twice (1 for partial)", RECIST, (1.0, 0.0), run));
    let series = [(0.0, 20.0), (28.0, 4.0), (56.0, 6.5), (84.0, 7.0)];
    let run = move || Ok(PsaCriteria::pcwg3().progression(&series).unwrap_or(0.0));
    claims.push(Claim::quick("recist.psa_after_decline", "PSA 20, 4, 6.5, 7 ng/mL every 28 days", PCWG3, (56.0, 0.0), run));
    let series = [(0.0, 20.0), (28.0, 30.0), (84.0, 25.0)];
    let run = move || Ok(PsaCriteria::pcwg3().progression(&series).unwrap_or(0.0));
    claims.push(Claim::quick("recist.psa_without_decline", "PSA 20, 30, then 25 ng/mL at 12 weeks", PCWG3, (84.0, 0.0), run));
    claims
}
