//! RECIST 1.1 (Eisenhauer 2009, doi:10.1016/j.ejca.2008.10.026) on random courses: what must hold for all of them, and the same judged
//! through an observed course of a trial.

use proptest::prelude::*;
use twin_core::{Observable, Observation, Time};
use twin_trials::endpoint::recist::{
    Assessment, Baseline, Lesion, LesionSize, ObjectiveResponse, Recist, RecistProgression, Response, ResponseCriteria, respond,
};
use twin_trials::{Course, Endpoint, Outcome};

/// Tumors and nodes with their courses: up to four lesions, up to eight assessments.
fn courses() -> impl Strategy<Value = (Baseline, Vec<Assessment>)> {
    let size = prop_oneof![
        8 => (1.0..120.0_f64).prop_map(LesionSize::Diameter),
        1 => Just(LesionSize::Absent),
        1 => Just(LesionSize::TooSmall),
        1 => Just(LesionSize::NotEvaluated),
    ];
    let lesions = prop::collection::vec((any::<bool>(), 16.0..100.0_f64), 1..5);
    let visits = prop::collection::vec((prop::collection::vec(size, 4), prop::bool::weighted(0.05)), 1..9);
    (lesions, visits).prop_map(|(lesions, visits)| {
        let organ = |place: usize| format!("organ {}", place / 2);
        let lesion = |(place, (node, mm))| if node { Lesion::node(organ(place), mm) } else { Lesion::tumor(organ(place), mm) };
        let targets: Vec<Lesion> = lesions.into_iter().enumerate().map(lesion).collect();
        let count = targets.len();
        let baseline = Baseline { targets, non_target: false };
        let visit = |(place, (sizes, new_lesion)): (usize, (Vec<LesionSize>, bool))| Assessment {
            targets: sizes.into_iter().take(count).collect(),
            new_lesion,
            ..Assessment::measured(56.0 * (place + 1) as f64, &baseline, &[])
        };
        let assessments = visits.into_iter().enumerate().map(visit).collect();
        (baseline, assessments)
    })
}

/// The diameter that counts, if the lesion was evaluated.
fn counted(size: LesionSize) -> Option<f64> {
    match size {
        LesionSize::Diameter(mm) => Some(mm),
        LesionSize::TooSmall => Some(5.0),
        LesionSize::Absent => Some(0.0),
        LesionSize::NotEvaluated => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn never_progression_without_growth_or_a_new_lesion((baseline, assessments) in courses()) {
        let responses = respond(&ResponseCriteria::recist_1_1(), &baseline, &assessments).unwrap();
        let mut least: Vec<f64> = baseline.targets.iter().map(|lesion| lesion.diameter_mm).collect();
        for (assessment, visit) in assessments.iter().zip(&responses.visits) {
            let sizes: Vec<Option<f64>> = assessment.targets.iter().map(|size| counted(*size)).collect();
            let some_grew = sizes.iter().zip(&least).any(|(size, least)| size.is_some_and(|mm| mm > *least));
            if visit.overall == Response::Progressive {
                prop_assert!(assessment.new_lesion || some_grew, "{visit:?}");
            }
            if assessment.new_lesion {
                prop_assert_eq!(visit.overall, Response::Progressive);
            }
            for (size, least) in sizes.iter().zip(&mut least) {
                *least = size.map_or(*least, |mm| mm.min(*least));
            }
        }
    }

    #[test]
    fn scaling_all_diameters_changes_nothing_but_for_absolute_rules((baseline, assessments) in courses(), factor in 1.0..8.0_f64) {
        // Without the rules in millimeters, that is.
        let relative = ResponseCriteria { progression_mm: 0.0, normal_node_mm: 0.0, ..ResponseCriteria::recist_1_1() };
        let scale = |size: &LesionSize| match *size {
            LesionSize::Diameter(mm) => LesionSize::Diameter(factor * mm),
            LesionSize::TooSmall => LesionSize::Diameter(factor * 5.0),
            other => other,
        };
        let mut scaled_baseline = baseline.clone();
        scaled_baseline.targets.iter_mut().for_each(|lesion| lesion.diameter_mm *= factor);
        let scaled: Vec<Assessment> = assessments
            .iter()
            .map(|assessment| Assessment { targets: assessment.targets.iter().map(scale).collect(), ..assessment.clone() })
            .collect();
        let plain = respond(&relative, &baseline, &assessments).unwrap();
        let grown = respond(&relative, &scaled_baseline, &scaled).unwrap();
        for (a, b) in plain.visits.iter().zip(&grown.visits) {
            prop_assert_eq!((a.target, a.overall), (b.target, b.overall));
        }
    }

    #[test]
    fn the_order_of_lesions_changes_nothing((mut baseline, mut assessments) in courses()) {
        let criteria = ResponseCriteria::recist_1_1();
        let before = respond(&criteria, &baseline, &assessments).unwrap();
        baseline.targets.reverse();
        assessments.iter_mut().for_each(|assessment| assessment.targets.reverse());
        let after = respond(&criteria, &baseline, &assessments).unwrap();
        for (a, b) in before.visits.iter().zip(&after.visits) {
            prop_assert_eq!(a.overall, b.overall);
        }
    }

    #[test]
    fn best_response_never_improves_by_asking_for_confirmation((baseline, assessments) in courses()) {
        let responses = respond(&ResponseCriteria::recist_1_1(), &baseline, &assessments).unwrap();
        let rank = |response: Response| match response {
            Response::Complete => 3,
            Response::Partial => 2,
            _ => 1,
        };
        let (confirmed, plain) = (responses.best(true), responses.best(false));
        prop_assert!(rank(confirmed.response) <= rank(plain.response));
        if let Some(day) = responses.progression() {
            let first = responses.visits.iter().find(|visit| visit.overall == Response::Progressive).unwrap();
            prop_assert_eq!(first.day, day);
        }
    }
}

/// A course that showed these sums of diameters, in millimeters, every 56 days from day 10 on.
fn course(sums: &[Option<f64>]) -> Course {
    let day = |days: f64| Time::from_days(days).unwrap();
    let visit = |(place, sum): (usize, &Option<f64>)| {
        let time = day(10.0 + 56.0 * place as f64);
        sum.map(|mm| (time, Observation::number(Observable::SUM_OF_DIAMETERS, mm / 10.0, "cm").unwrap()))
    };
    Course {
        since: day(0.0),
        end: day(1000.0),
        stopped: None,
        visits: vec![],
        observables: vec![],
        values: vec![],
        observed: sums.iter().enumerate().filter_map(visit).collect(),
        treatments: vec![],
        inherited: vec![],
        past: std::sync::Arc::from([]),
        chance: 1,
    }
}

#[test]
fn an_observed_course_is_judged_as_the_same_assessments_are() {
    // Baseline on day 10; 60, 45 (-40 %), 40, then 49 (22 % and 9 mm above 40) on day 178.
    let seen = course(&[Some(75.0), Some(45.0), Some(40.0), Some(49.0)]);
    assert_eq!(RecistProgression::of_sum().assess(&seen), Outcome::Event(178.0));
    assert_eq!(ObjectiveResponse::of_sum().assess(&seen), Outcome::Value(1.0));
    let stable = course(&[Some(75.0), Some(70.0), Some(72.0)]);
    assert_eq!(RecistProgression::of_sum().assess(&stable), Outcome::Censored(122.0));
    assert_eq!(ObjectiveResponse::of_sum().assess(&stable), Outcome::Value(0.0));
    assert_eq!(RecistProgression::of_sum().assess(&course(&[])), Outcome::NotEvaluable);
}

#[test]
fn what_lies_below_detection_is_gone() {
    let mut recist = Recist::of_sum();
    recist.detection_mm = 3.0;
    let seen = course(&[Some(30.0), Some(2.0), Some(2.5), Some(4.0)]);
    let (start, responses) = recist.responses(&seen).unwrap().unwrap();
    let overall: Vec<Response> = responses.visits.iter().map(|visit| visit.overall).collect();
    assert_eq!(start, 10.0);
    assert_eq!(overall, [Response::Complete, Response::Complete, Response::Progressive]);
}
