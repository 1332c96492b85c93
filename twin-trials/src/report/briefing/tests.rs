use super::*;
use crate::explain::ranking_drivers;
use crate::planning::{Confidence, Objective, Plan, Question, recommend};
use crate::{Adaptive, Continuous, CumulativeDose, FromPrior, TimeToProgression, Trial};
use std::sync::Arc;
use twin_calibrate::{IndependentPrior, Marginal};
use twin_core::{Agent, Observable, Span};
use twin_models::clones;

fn question(tolerated: f64) -> Question {
    let drug = Agent::new("abiraterone").unwrap();
    let model = Arc::new(clones::sensitive_resistant(drug.clone()));
    let belief = IndependentPrior::new([("initial_resistance", Marginal::LogUniform { low: 1e-4, high: 1e-2 })]).unwrap();
    let setting = Trial::new(model.clone(), FromPrior::new(model, Arc::new(belief)), 100)
        .measure(Observable::PSA)
        .visits(Span::from_weeks(4.0).unwrap(), Span::from_days(1400.0).unwrap());
    let standard = Plan::adaptive("continuous", Continuous { agent: drug.clone() });
    let objective = Objective::most(TimeToProgression::of(Observable::TUMOR_BURDEN, 1.2));
    Question::new(setting, standard, objective, Confidence::new(tolerated))
        .plans([Plan::adaptive("adaptive", Adaptive::half(drug.clone(), Observable::PSA))])
        .effect(Objective::least(CumulativeDose { agent: drug, unit: None }))
}

fn briefing<'a>(question: &Question, answer: &'a Recommendation) -> Briefing<'a> {
    let wording =
        |endpoint: &str, plain: &str, unit: &str| Wording { endpoint: endpoint.into(), plain: plain.into(), unit: unit.into() };
    Briefing {
        patient: "P-0042".into(),
        question: "Should the drug be paused when PSA has halved?".into(),
        answer,
        wording: vec![
            wording("time to progression", "the time until the cancer grows again", "days"),
            wording("cumulative dose", "days on full dose of the drug", "days"),
        ],
        data: vec![("PSA".into(), None), ("Tumor sequencing".into(), Some("not done".into()))],
        drivers: Some(ranking_drivers(question, answer, "adaptive", "continuous").unwrap()),
        position: Some(Position { distance: 4.0, share_as_far: 0.01, most_unusual: ("age".into(), 3.2) }),
        leaves_out: vec!["bone pain and other symptoms.".into()],
    }
}

#[test]
fn each_reader_has_a_page_that_says_the_answer() {
    let question = question(14.0);
    let answer = recommend(&question).unwrap();
    let briefing = briefing(&question, &answer);
    let [clinician, modeler, patient] =
        [briefing.for_clinician(), briefing.for_modeler(), briefing.for_patient()].map(|page| page.unwrap().to_html().unwrap());
    for page in [&clinician, &modeler, &patient] {
        assert!(page.contains("adaptive") && page.contains("P-0042") && page.contains(Report::NOTICE));
    }
    for piece in ["Missing: Tumor sequencing (not done)", "unlike the population", "bone pain", "Gain over standard", "(standard)"]
    {
        assert!(clinician.contains(piece), "{piece}");
    }
    assert!(modeler.contains("Shapley") && modeler.contains("±") && modeler.contains("initial_resistance"));
    assert!(patient.contains("This is the usual treatment.") && patient.contains("Of every 10 futures"));
    assert!(patient.contains("Tumor sequencing is missing (not done)") && patient.contains("You and your doctor decide."));
}

#[test]
fn the_patients_page_speaks_no_jargon() {
    let question = question(14.0);
    let answer = recommend(&question).unwrap();
    let page = briefing(&question, &answer).for_patient().unwrap().to_html().unwrap();
    let text = page.split_once("<body>").unwrap().1.to_lowercase();
    for word in [
        "posterior",
        "parameter",
        "quantile",
        "interval",
        "shapley",
        "monte",
        "regret",
        "probability",
        "draws",
        "endpoint",
        "covariate",
        "variance",
        "median",
        "expected",
    ] {
        assert!(!text.contains(word), "{word}");
    }
}

#[test]
fn no_confident_answer_is_told_to_all() {
    let question = question(14.0).reservation("the calibration failed its diagnosis");
    let answer = recommend(&question).unwrap();
    let briefing = briefing(&question, &answer);
    let clinician = briefing.for_clinician().unwrap().to_html().unwrap();
    assert!(clinician.contains("No confident recommendation") && clinician.contains("the calibration failed its diagnosis"));
    let patient = briefing.for_patient().unwrap().to_html().unwrap();
    assert!(patient.contains("cannot say which is best"));
}
