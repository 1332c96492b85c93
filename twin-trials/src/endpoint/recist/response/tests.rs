use super::super::Lesion;
use super::*;
use Response::{Complete, NonCompleteNonProgressive, NotEvaluable, Partial, Progressive, Stable};

fn one(mm: f64) -> Baseline {
    Baseline { targets: vec![Lesion::tumor("liver", mm)], non_target: false }
}

fn judge(baseline: &Baseline, assessments: &[Assessment]) -> Responses {
    respond(&ResponseCriteria::recist_1_1(), baseline, assessments).unwrap()
}

fn overall(responses: &Responses) -> Vec<Response> {
    responses.visits.iter().map(|visit| visit.overall).collect()
}

/// The responses of a single lesion measured every 42 days.
fn series(mm: f64, later: &[f64]) -> Responses {
    let baseline = one(mm);
    let visit = |(index, &mm): (usize, &f64)| Assessment::measured(42.0 * (index + 1) as f64, &baseline, &[mm]);
    judge(&baseline, &later.iter().enumerate().map(visit).collect::<Vec<_>>())
}

#[test]
fn thresholds_are_inclusive() {
    assert_eq!(overall(&series(100.0, &[70.0])), [Partial]);
    assert_eq!(overall(&series(100.0, &[70.1])), [Stable]);
    assert_eq!(overall(&series(100.0, &[120.0])), [Progressive]);
    assert_eq!(overall(&series(100.0, &[119.9])), [Stable]);
    // 1.2 times 35.1 and 0.7 times 35.1 are not exact in binary.
    assert_eq!(overall(&series(35.1, &[35.1 * 1.2])), [Progressive]);
    assert_eq!(overall(&series(35.1, &[35.1 * 0.7])), [Partial]);
}

#[test]
fn five_millimeters_are_needed() {
    // 12 to 15 mm is 25 % but only 3 mm; 17 mm is enough.
    assert_eq!(overall(&series(40.0, &[12.0, 15.0, 17.0])), [Partial, Partial, Progressive]);
    assert_eq!(overall(&series(20.0, &[24.9, 25.0])), [Stable, Progressive]);
}

#[test]
fn progression_is_from_the_nadir_and_not_from_the_visit_before() {
    // 50, nadir 30, then slow growth: 33, 35.9 (19.7 % above 30), 36 (20 %).
    let responses = series(50.0, &[30.0, 33.0, 35.9, 36.0]);
    assert_eq!(overall(&responses), [Partial, Partial, Stable, Progressive]);
    assert_eq!(responses.progression(), Some(168.0));
    assert_eq!(responses.time_to_progression(), Outcome::Event(168.0));
    assert_eq!(responses.best_change(), Some(-0.4));
}

#[test]
fn a_lesion_that_comes_back_without_complete_response_counts_with_its_diameter() {
    let baseline = Baseline { targets: vec![Lesion::tumor("liver", 30.0), Lesion::tumor("lung", 30.0)], non_target: false };
    let visits = [
        Assessment::measured(42.0, &baseline, &[0.0, 28.0]),
        Assessment::measured(84.0, &baseline, &[4.0, 28.0]),
        Assessment::measured(126.0, &baseline, &[6.0, 28.0]),
    ];
    // 28, 32 (14 %), 34 (21 % and 6 mm).
    assert_eq!(overall(&judge(&baseline, &visits)), [Partial, Partial, Progressive]);
}

#[test]
fn any_disease_after_a_complete_response_is_progression() {
    assert_eq!(overall(&series(50.0, &[0.0, 3.0])), [Complete, Progressive]);
    let baseline = Baseline { targets: vec![Lesion::node("axilla", 18.0)], non_target: false };
    let visits = [9.0, 9.9, 10.0].map(|mm| Assessment::measured(mm * 10.0, &baseline, &[mm]));
    assert_eq!(overall(&judge(&baseline, &visits)), [Complete, Complete, Progressive]);
}

#[test]
fn a_node_of_normal_size_is_no_disease_but_counts_in_the_sum() {
    let baseline = Baseline { targets: vec![Lesion::tumor("lung", 20.0), Lesion::node("mediastinum", 20.0)], non_target: false };
    let visits = [Assessment::measured(42.0, &baseline, &[10.0, 9.0]), Assessment::measured(84.0, &baseline, &[0.0, 9.9])];
    let responses = judge(&baseline, &visits);
    assert_eq!(overall(&responses), [Partial, Complete]);
    assert_eq!(responses.visits.iter().map(|visit| visit.sum_mm).collect::<Vec<_>>(), [Some(19.0), Some(9.9)]);
}

#[test]
fn new_lesions_and_other_disease_decide_over_the_sum() {
    let baseline = Baseline { non_target: true, ..one(50.0) };
    let visit = |day, mm| Assessment::measured(day, &baseline, &[mm]);
    let seen = |assessment| overall(&judge(&baseline, &[assessment]))[0];
    assert_eq!(seen(visit(42.0, 20.0).with_new_lesion()), Progressive);
    assert_eq!(seen(visit(42.0, 20.0).with_non_target(NonTarget::Progressed)), Progressive);
    assert_eq!(seen(visit(42.0, 20.0).with_non_target(NonTarget::NotEvaluated)), Partial);
    assert_eq!(seen(visit(42.0, 0.0)), Partial);
    assert_eq!(seen(visit(42.0, 0.0).with_non_target(NonTarget::NotEvaluated)), Partial);
    assert_eq!(seen(visit(42.0, 0.0).with_non_target(NonTarget::Absent)), Complete);
}

#[test]
fn without_target_lesions_the_second_table_holds() {
    let baseline = Baseline { targets: vec![], non_target: true };
    let states = [NonTarget::Present, NonTarget::NotEvaluated, NonTarget::Absent, NonTarget::Progressed];
    let visit = |(index, state)| Assessment::measured(60.0 * (index + 1) as f64, &baseline, &[]).with_non_target(state);
    let responses = judge(&baseline, &states.into_iter().enumerate().map(visit).collect::<Vec<_>>());
    assert_eq!(overall(&responses), [NonCompleteNonProgressive, NotEvaluable, Complete, Progressive]);
}

#[test]
fn a_visit_that_was_not_evaluated() {
    let baseline = Baseline { targets: vec![Lesion::tumor("liver", 30.0), Lesion::tumor("lung", 20.0)], non_target: false };
    let missing = |day, mm| Assessment {
        targets: vec![LesionSize::Diameter(mm), LesionSize::NotEvaluated],
        ..Assessment::measured(day, &baseline, &[])
    };
    // 61 mm of the first lesion alone are 22 % above the sum of 50: the other could only add.
    let responses = judge(&baseline, &[missing(42.0, 25.0), missing(84.0, 61.0)]);
    assert_eq!(overall(&responses), [NotEvaluable, Progressive]);
    assert_eq!(responses.visits[1].nadir_mm, 50.0);
    let none = judge(&baseline, &[missing(42.0, 25.0)]);
    assert_eq!(none.time_to_progression(), Outcome::NotEvaluable);
    assert_eq!(none.best(true).response, NotEvaluable);
}

#[test]
fn a_lesion_too_small_to_measure_counts_five_millimeters() {
    let visit = Assessment { targets: vec![LesionSize::TooSmall], ..Assessment::measured(42.0, &one(20.0), &[]) };
    let responses = judge(&one(20.0), &[visit]);
    assert_eq!((responses.visits[0].sum_mm, responses.visits[0].overall), (Some(5.0), Partial));
}

#[test]
fn best_response_with_and_without_confirmation() {
    let best = |later: &[f64], confirmed| series(100.0, later).best(confirmed).response;
    assert_eq!(best(&[60.0, 60.0], true), Partial);
    assert_eq!(best(&[60.0, 85.0], true), Stable);
    assert_eq!(best(&[60.0, 85.0], false), Partial);
    assert_eq!(best(&[0.0, 0.0], true), Complete);
    // Partial, then complete once: partial is confirmed by the complete one.
    assert_eq!(best(&[60.0, 0.0], true), Partial);
    assert_eq!(best(&[60.0, 0.0, 0.0], true), Complete);
    // Complete, then disease: progression; the complete one was late enough for stable disease.
    assert_eq!(best(&[0.0, 30.0], true), Stable);
    assert_eq!(best(&[130.0], true), Progressive);
}

#[test]
fn confirmation_takes_four_weeks_and_may_skip_what_was_not_evaluated() {
    let baseline = one(100.0);
    let at = |day: f64, mm: f64| Assessment::measured(day, &baseline, &[mm]);
    let missed = |day: f64| Assessment { targets: vec![LesionSize::NotEvaluated], ..at(day, 1.0) };
    let best = |visits: &[Assessment]| judge(&baseline, visits).best(true);
    assert_eq!(best(&[at(42.0, 60.0), at(69.0, 60.0)]).response, Stable);
    assert_eq!(best(&[at(42.0, 60.0), at(70.0, 60.0)]), BestResponse { response: Partial, day: Some(42.0) });
    assert_eq!(best(&[at(42.0, 60.0), missed(70.0), at(98.0, 60.0)]).response, Partial);
    assert_eq!(best(&[at(42.0, 60.0), at(70.0, 80.0), at(98.0, 60.0)]).response, Stable);
    // Early unconfirmed response and nothing after it: too short for stable disease.
    assert_eq!(best(&[at(28.0, 60.0)]).response, NotEvaluable);
}

#[test]
fn duration_of_response_runs_from_its_first_sight() {
    let responses = series(100.0, &[90.0, 60.0, 55.0, 50.0, 62.0]);
    assert_eq!(responses.duration_of_response(true), Some(Outcome::Event(126.0)));
    assert_eq!(series(100.0, &[90.0, 60.0, 55.0]).duration_of_response(true), Some(Outcome::Censored(42.0)));
    assert_eq!(series(100.0, &[90.0]).duration_of_response(true), None);
}

#[test]
fn what_is_not_valid_is_refused() {
    let criteria = ResponseCriteria::recist_1_1();
    let tumor = |mm| Lesion::tumor("liver", mm);
    for targets in [vec![], vec![tumor(9.9)], vec![tumor(f64::NAN)], vec![Lesion::node("axilla", 14.0)], vec![tumor(20.0); 3]] {
        let baseline = Baseline { targets, non_target: false };
        assert!(respond(&criteria, &baseline, &[]).is_err(), "{baseline:?}");
    }
    let baseline = one(20.0);
    let at = |day: f64, mm: &[f64]| Assessment::measured(day, &baseline, mm);
    for visits in [
        vec![at(0.0, &[20.0])],
        vec![at(f64::NAN, &[20.0])],
        vec![at(2.0, &[20.0]), at(2.0, &[20.0])],
        vec![at(2.0, &[])],
        vec![at(2.0, &[-1.0])],
        vec![at(2.0, &[f64::INFINITY])],
    ] {
        assert!(respond(&criteria, &baseline, &visits).is_err(), "{visits:?}");
    }
    assert!(respond(&ResponseCriteria { response_decrease: 1.5, ..criteria.clone() }, &baseline, &[]).is_err());
    assert!(respond(&ResponseCriteria { progression_mm: f64::NAN, ..criteria }, &baseline, &[]).is_err());
}
