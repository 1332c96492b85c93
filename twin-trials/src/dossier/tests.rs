use super::*;
use crate::{Continuous, FromList, TimeToProgression, Trial, VirtualPatient, run};
use std::sync::Arc;
use twin_calibrate::living::{Assumptions, Particles};
use twin_calibrate::{IndependentPrior, Marginal, NormalError};
use twin_core::{Agent, Event, Observable, Observation, Patient, Provenance, Random, Span, SubjectId, Time};
use twin_models::{Model, clones, growth};

fn day(days: f64) -> Time {
    Time::from_days(days).unwrap()
}

fn twin() -> Twin {
    let prior = IndependentPrior::new([
        ("growth_rate", Marginal::LogNormal { median: 0.04, sd: 0.6 }),
        ("initial_volume", Marginal::LogNormal { median: 100.0, sd: 0.3 }),
    ]);
    let error = Arc::new(NormalError::new(10.0, 0.0));
    let model = Arc::new(growth::logistic());
    let assumptions = Assumptions::new(model, Arc::new(prior.unwrap()), Observable::TUMOR_VOLUME, error, Time::ORIGIN).unwrap();
    let mut random = Random::new(1);
    let mut twin = Twin::unseen(assumptions, Patient::new(SubjectId::new("P1").unwrap()), 300, &mut random).unwrap();
    for (at, volume) in [(0.0, 100.0), (10.0, 150.0), (20.0, 215.0), (30.0, 300.0)] {
        let seen = Event::Observation(Observation::number(Observable::TUMOR_VOLUME, volume, "mm3").unwrap());
        twin = twin.update(day(at), seen, Provenance::measured("caliper"), &Particles::default(), &mut random).unwrap();
    }
    twin
}

fn answer<'a>(items: &'a [Item], topic: &str) -> &'a Answer {
    &items.iter().find(|item| item.topic == topic || item.number == topic).unwrap().answer
}

#[test]
fn a_twin_shows_what_it_has_and_leaves_open_what_it_has_not() {
    let dossier = Dossier::of_twin(&twin(), Intent::default()).unwrap();
    assert!(matches!(answer(&dossier.use_and_risk(), "Question of interest"), Answer::Open(_)));
    assert!(matches!(answer(&dossier.factors(), "Numerical solver error"), Answer::Open(_)));
    let Answer::Run(foreseen) = answer(&dossier.factors(), "Output comparison").clone() else { panic!("not from the run") };
    assert!(foreseen.contains(" of 4 readings"), "{foreseen}");
    let Answer::Run(inputs) = answer(&dossier.factors(), "Model inputs").clone() else { panic!("not from the run") };
    assert!(inputs.contains("of 3 parameters"), "{inputs}");
    let page = dossier.to_report().unwrap().to_html().unwrap();
    assert!(page.contains("measured: caliper") && page.contains("not calibrated here"));
    // What people must say is never filled in.
    for number in ["3c", "17", "18a", "18b", "18d", "19", "25", "27b"] {
        assert!(matches!(answer(&dossier.tripod(), number), Answer::Open(_)), "{number}");
    }
}

#[test]
fn what_is_given_closes_what_is_open() {
    let twin = twin();
    let before = Dossier::of_twin(&twin, Intent::default()).unwrap().open();
    let intent = Intent {
        question: Some("How large in a month?".to_owned()),
        influence: Some(Graded::new(Level::Low, "beside a scan")),
        consequence: Some(Graded::new(Level::High, "a surgery too many")),
        tripod: [("18a".to_owned(), "none".to_owned())].into(),
        ..Intent::default()
    };
    let dossier = Dossier::of_twin(&twin, intent).unwrap();
    // Question, influence, consequence, risk, and items 4 and 18a.
    assert_eq!(dossier.open(), before - 6);
    assert_eq!(dossier.intent.risk(), Some(3));
    let blank = Intent { question: Some("  ".to_owned()), ..Intent::default() };
    assert!(matches!(answer(&Dossier::of_twin(&twin, blank).unwrap().use_and_risk(), "Question of interest"), Answer::Open(_)));
}

#[test]
fn an_answer_to_no_item_is_refused() {
    let intent = Intent { tripod: [("99".to_owned(), "yes".to_owned())].into(), ..Intent::default() };
    let error = Dossier::of_twin(&twin(), intent).unwrap().to_report().unwrap_err();
    assert!(error.to_string().contains("99") && error.to_string().contains("27c"), "{error}");
}

#[test]
fn a_coarse_twin_shows_its_error_and_a_fine_one_hardly_any() {
    let twin = twin();
    let worst = |tolerance: f64| {
        let other = growth::logistic().with_relative_tolerance(tolerance);
        let found = refine_twin(&twin, &other, "relative tolerance", day(90.0), 5).unwrap();
        assert!(found.iter().all(|found| found.compared == 5 * 5), "{found:?}");
        found.iter().map(|found| found.relative).fold(0.0, f64::max)
    };
    let (fine, coarse) = (worst(1e-11), worst(1e-2));
    assert!(fine > 0.0 && fine < 1e-5 && coarse > 10.0 * fine, "{fine} {coarse}");
    assert!(refine_twin(&twin, &growth::logistic(), "none", day(90.0), 0).is_err());
    assert!(refine_twin(&twin, &growth::gompertz(), "another model", day(90.0), 2).is_err());
    let found = refine_twin(&twin, &growth::logistic(), "the same", day(90.0), 2).unwrap();
    assert!(found.iter().all(|found| found.largest == 0.0));
}

#[test]
fn a_trial_is_run_again_and_compared() {
    let drug = Agent::new("abiraterone").unwrap();
    let model = |tolerance| Arc::new(clones::sensitive_resistant(drug.clone()).with_relative_tolerance(tolerance));
    let patient = VirtualPatient::new(model(1e-7).spec().defaults().unwrap());
    let trial = Trial::new(model(1e-7), FromList(vec![patient]), 2)
        .arm("continuous", Continuous { agent: drug.clone() })
        .measure(Observable::TUMOR_BURDEN)
        .endpoint(TimeToProgression::of(Observable::TUMOR_BURDEN, 1.2))
        .visits(Span::DAY, Span::from_days(1000.0).unwrap());
    let report = run(&trial).unwrap();
    let found = refine_trial(&trial, &report, model(1e-10), "relative tolerance 1e-7 to 1e-10").unwrap();
    assert_eq!((found.len(), found[0].compared, found[0].changed), (1, 2, 0));
    let dossier = Dossier::of_trial(&trial, &report, Intent::default()).unwrap().refined(found);
    assert!(matches!(answer(&dossier.factors(), "Numerical solver error"), Answer::Run(_)));
    let page = dossier.to_report().unwrap().to_html().unwrap();
    assert!(page.contains("time to progression") && page.contains("1e-7 to 1e-10"));
    let other = TrialReport { model: "another".to_owned(), ..report.clone() };
    assert!(Dossier::of_trial(&trial, &other, Intent::default()).is_err());
    let shorter = TrialReport { size: 1, ..report };
    assert!(refine_trial(&trial, &shorter, model(1e-10), "finer").is_err());
}
