//! RECIST 1.1, iRECIST and RANO on courses worked by hand from the publication's rules: the day of progression, 0 where there is none.

use super::{Claim, words};
use twin_trials::endpoint::psa::PsaCriteria;
use twin_trials::endpoint::rano::{self, RanoAssessment, RanoCriteria};
use twin_trials::endpoint::recist::{
    Assessment, Baseline, ImmuneAssessment, Lesion, LesionSize, NonTarget, Response, ResponseCriteria,
};
use twin_trials::endpoint::recist::{respond, respond_immune};

const RECIST: &str = "worked by hand from Eisenhauer 2009, doi:10.1016/j.ejca.2008.10.026";
const IRECIST: &str = "worked by hand from Seymour 2017, doi:10.1016/S1470-2045(17)30074-8";
const RANO: &str = "worked by hand from Wen 2010, doi:10.1200/JCO.2009.26.3541";
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
    immune(&mut claims);
    rano(&mut claims);
    claims
}

/// The day of confirmed progression by iRECIST, or minus that of one that stays unconfirmed; 0 where there is none.
fn immune(claims: &mut Vec<Claim>) {
    type Visits = &'static [(f64, &'static [f64])];
    let cases: [(&str, &str, f64, Visits); 6] = [
        ("confirmed", "50, 61, 66 mm: 5 mm more confirm", 42.0, &[(61.0, &[]), (66.0, &[])]),
        ("unconfirmed", "50, 61, 65 mm: 4 mm more do not", -42.0, &[(61.0, &[]), (65.0, &[])]),
        ("taken_back", "50, 61, 30 mm: swelling that passes", 0.0, &[(61.0, &[]), (30.0, &[])]),
        (
            "anew",
            "50, 61, 30, 40, 46 mm: taken back, then from the nadir",
            126.0,
            &[(61.0, &[]), (30.0, &[]), (40.0, &[]), (46.0, &[])],
        ),
        ("second_new_lesion", "a new lesion, then another", 42.0, &[(50.0, &[8.0]), (50.0, &[8.0, 6.0])]),
        ("new_lesion_as_it_was", "a new lesion that stays as it was", -42.0, &[(50.0, &[8.0]), (45.0, &[8.0])]),
    ];
    for (id, what, expected, visits) in cases {
        let run = move || {
            let baseline = Baseline { targets: vec![Lesion::tumor("lung", 50.0)], non_target: false };
            let one = |(place, (mm, new)): (usize, &(f64, &[f64]))| {
                let seen = Assessment::measured(42.0 * (place + 1) as f64, &baseline, &[*mm]);
                ImmuneAssessment::new(seen).with_new_lesions(*new)
            };
            let visits: Vec<ImmuneAssessment> = visits.iter().enumerate().map(one).collect();
            let found = respond_immune(&ResponseCriteria::recist_1_1(), &baseline, &visits).map_err(words)?;
            Ok(found.progression.or(found.unconfirmed.map(|day| -day)).unwrap_or(0.0))
        };
        claims.push(Claim::quick(format!("recist.immune_{id}"), what, IRECIST, (expected, 0.0), run));
    }
}

/// The day of progression by RANO; 0 where there is none.
fn rano(claims: &mut Vec<Claim>) {
    let cases: [(&str, &str, f64, f64, &'static [f64]); 3] = [
        ("quarter", "1000, 800, 990 (24 %), 1000 mm2 (25 %)", 168.0, 100.0, &[800.0, 990.0, 1000.0]),
        ("pseudoprogression", "1000, 1300, 900 mm2 right after radiotherapy", 0.0, 0.0, &[1300.0, 900.0]),
        ("confirmed_early", "1000, 1300, 1400 mm2 right after radiotherapy", 56.0, 0.0, &[1300.0, 1400.0]),
    ];
    for (id, what, expected, since, products) in cases {
        let run = move || {
            let one = |(place, mm2): (usize, &f64)| RanoAssessment::measured(56.0 * (place + 1) as f64, *mm2);
            let visits: Vec<RanoAssessment> = products.iter().enumerate().map(one).collect();
            let found = rano::respond(&RanoCriteria::rano_2_0(), 1000.0, since, &visits).map_err(words)?;
            Ok(found.1.unwrap_or(0.0))
        };
        claims.push(Claim::quick(format!("recist.rano_{id}"), what, RANO, (expected, 0.0), run));
    }
}
