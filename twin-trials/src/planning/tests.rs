//! Questions with answers that are known.

use super::*;
use crate::{Adaptive, Continuous, Endpoint, FromList, FromPrior, TimeToProgression, Trial, TrialError, VirtualPatient};
use std::sync::Arc;
use twin_calibrate::{IndependentPrior, Marginal};
use twin_core::{AbsorbedDose, Agent, Observable, Quantity, Regimen, Span, Target, Time, TimedTreatment, Treatment, Weekday};
use twin_models::{Model, clones};

fn drug() -> Agent {
    Agent::new("abiraterone").unwrap()
}

fn days(days: f64) -> Span {
    Span::from_days(days).unwrap()
}

/// Continuous against adaptive therapy when the share of resistant cells is not known.
fn question(size: usize) -> Question {
    let model = Arc::new(clones::sensitive_resistant(drug()));
    let belief = IndependentPrior::new([
        ("initial_resistance", Marginal::LogUniform { low: 1e-4, high: 0.3 }),
        ("growth_rate", Marginal::LogNormal { median: 0.027, sd: 0.1 }),
    ]);
    let setting = Trial::new(model.clone(), FromPrior::new(model, Arc::new(belief.unwrap())), size)
        .measure(Observable::PSA)
        .visits(Span::WEEK, days(1400.0));
    let objective = Objective::most(TimeToProgression::of(Observable::TUMOR_BURDEN, 1.2));
    Question::new(setting, Plan::adaptive("continuous", Continuous { agent: drug() }), objective, Confidence::new(14.0))
        .plans([Plan::adaptive("adaptive", Adaptive::half(drug(), Observable::PSA))])
}

#[test]
fn the_better_plan_is_found_and_the_effort_that_was_saved_is_told() {
    let answer = recommend(&question(1024)).unwrap();
    assert_eq!(answer.verdict, Verdict::Recommended { plan: "adaptive".to_owned() });
    let [first, second] = answer.ranked.as_slice() else { panic!("{:?}", answer.ranked) };
    assert_eq!((&*first.plan, &*second.plan), ("adaptive", "continuous"));
    assert!((first.probability_best + second.probability_best - 1.0).abs() < 1e-12);
    assert!(first.gain.mean.value > 0.0 && first.regret.value < 14.0 && second.gain.mean.value == 0.0);
    assert!(answer.effort.settled && answer.effort.draws < 1024);
    assert_eq!(answer.effort.courses + answer.effort.saved, 2048);
    assert_eq!(answer.standard().unwrap().plan, "continuous");
}

#[test]
fn answers_are_the_same_bits_at_any_number_of_threads() {
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| recommend(&question(96)).unwrap())
    };
    assert_eq!(on(1), on(3));
}

#[test]
fn what_is_known_beforehand_to_be_unsound_is_never_confident() {
    let answer = recommend(&question(64).reservation("the posterior failed its diagnosis")).unwrap();
    let Verdict::NotConfident { doubts, would_settle, .. } = answer.verdict else { panic!("confident") };
    assert_eq!(doubts, [Doubt::Reservation("the posterior failed its diagnosis".to_owned())]);
    assert_eq!(would_settle.len(), 2); // the two parameters in doubt
}

/// Days to progression, less 400 at full dose and in proportion below: the burden of the drug on one scale with its benefit.
struct LessBurden;

impl Endpoint for LessBurden {
    fn name(&self) -> &'static str {
        "time to progression, less the burden of the drug"
    }

    fn assess(&self, course: &crate::Course) -> crate::Outcome {
        let dose = course.treatments.iter().find_map(|given| match &given.treatment {
            Treatment::Continuous { intensity, .. } => Some(intensity.value()),
            _ => None,
        });
        match (dose, TimeToProgression::of(Observable::TUMOR_BURDEN, 1.2).assess(course)) {
            (Some(dose), crate::Outcome::Event(day)) => crate::Outcome::Value(day - 400.0 * dose),
            _ => crate::Outcome::NotEvaluable,
        }
    }
}

#[test]
fn doubt_names_what_would_settle_it() {
    // With few resistant cells the full dose gains more than its burden, with many less: the share of resistant cells decides.
    let constant = |name: &str, intensity: f64| {
        let intensity = twin_core::Proportion::new(intensity).unwrap();
        Plan::fixed(name, [TimedTreatment::new(Time::ORIGIN, Treatment::Continuous { agent: drug(), intensity })])
    };
    let mut question = question(400);
    (question.standard, question.plans) = (constant("full dose", 1.0), vec![constant("half dose", 0.5)]);
    question.objective = Objective::most(LessBurden);
    question.confidence = Confidence::new(1.0);
    let answer = recommend(&question).unwrap();
    let Verdict::NotConfident { contenders, would_settle, .. } = answer.verdict else { panic!("{:?}", answer.ranked) };
    assert_eq!(contenders.len(), 2);
    assert_eq!(would_settle[0].what, Knowledge::Parameter("initial_resistance".to_owned()));
    assert!(would_settle[0].share > 0.6 && would_settle[1].share < 0.4, "{would_settle:?}");
}

#[test]
fn a_floor_excludes_and_the_conflict_is_told() {
    let floor =
        |at_least, tolerated| Floor { name: "burden stays".to_owned(), observable: Observable::TUMOR_BURDEN, at_least, tolerated };
    // The adaptive plan stops at half of 0.75; the continuous one goes far below.
    let held = recommend(&question(64).within(Limits::none().floor(floor(0.3, 0.0)))).unwrap();
    assert_eq!(held.ranked.len(), 1);
    assert_eq!((&*held.ranked[0].plan, &*held.excluded[0].plan, &*held.standard), ("adaptive", "continuous", "continuous"));
    let limits = Limits::none().floor(floor(0.74, 0.0)).rule("short", Rule::TimeOn { agent: drug(), at_most: days(20_000.0) });
    match recommend(&question(64).within(limits)) {
        Err(TrialError::Infeasible { plans: 2, limits }) => assert_eq!(limits, ["burden stays"]),
        other => panic!("{other:?}"),
    }
}

#[test]
fn limits_bind_what_a_policy_decides() {
    let limits = Limits::none().rule("at most 200 days on", Rule::TimeOn { agent: drug(), at_most: days(200.0) });
    match recommend(&question(64).within(limits)) {
        Err(TrialError::Infeasible { limits, .. }) => assert_eq!(limits, ["at most 200 days on"]),
        other => panic!("{other:?}"),
    }
}

#[test]
fn chance_constraints_exclude() {
    let least = LeastValue { name: "least burden".to_owned(), observable: Observable::TUMOR_BURDEN };
    let answer = recommend(&question(64).chance(Chance::at_most("shrinks to 0.3", least, 0.3, 0.2))).unwrap();
    assert_eq!(answer.excluded[0].plan, "adaptive");
    assert!(answer.ranked[0].chances[0].1 >= 0.2);
}

#[test]
fn questions_without_meaning_are_refused() {
    let mut far = question(64);
    far.plans.push(Plan::fixed("far", [TimedTreatment::new(Time::from_days(1401.0).unwrap(), Treatment::on(drug()))]));
    assert!(matches!(recommend(&far), Err(TrialError::PlanBeyondHorizon { .. })));
    let twice = question(64).plans([Plan::adaptive("adaptive", Continuous { agent: drug() })]);
    assert!(matches!(recommend(&twice), Err(TrialError::DuplicateArm { .. })));
    let mut vague = question(64);
    vague.confidence.better = 0.2;
    assert!(matches!(recommend(&vague), Err(TrialError::OutOfRange { .. })));
    let mut busy = question(64);
    busy.setting = busy.setting.arm("x", Continuous { agent: drug() });
    assert!(matches!(recommend(&busy), Err(TrialError::Design { .. })));
}

#[test]
fn failed_courses_are_counted_and_left_out_of_all_plans() {
    // Every second patient asks for parameters of another model, which refuses to start.
    let model = Arc::new(clones::sensitive_resistant(drug()));
    let own = VirtualPatient::new(model.spec().defaults().unwrap());
    let foreign = VirtualPatient::new(twin_models::growth::gompertz().spec().defaults().unwrap());
    let mut question = question(10);
    question.setting.cohort = Arc::new(FromList(vec![own, foreign]));
    assert!(matches!(recommend(&question), Err(TrialError::TooManyFailures { .. })));
    question.setting.tolerated_failures = 0.5;
    let answer = recommend(&question).unwrap();
    assert_eq!(answer.evaluation.draws, [0, 2, 4, 6, 8]);
    assert_eq!(answer.evaluation.failures.len(), 10);
}

fn given<'a>(past: &'a [TimedTreatment], plan: &'a [TimedTreatment]) -> Given<'a> {
    Given { past, plan, since: Time::from_days(10.0).unwrap(), until: Time::from_days(110.0).unwrap() }
}

fn broken(rule: Rule, past: &[TimedTreatment], plan: &[TimedTreatment]) -> bool {
    !Limits::none().rule("limit", rule).breaches(given(past, plan)).unwrap().is_empty()
}

#[test]
fn limits_on_radiotherapy() {
    let ptv = Target::new("ptv").unwrap();
    let gray = |gray| AbsorbedDose::from_gray(gray).unwrap();
    let start = Time::from_days(10.0).unwrap();
    let course = Regimen::fractions(30, gray(2.0), ptv.clone()).on_weekdays(Weekday::Monday).starting(start).unwrap();
    let before = [TimedTreatment::new(Time::ORIGIN, Treatment::fraction(gray(8.0), ptv.clone()))];
    let target = || ptv.clone();
    assert!(!broken(Rule::DosePerFraction { target: target(), at_most: gray(2.0) }, &before, &course));
    assert!(broken(Rule::DosePerFraction { target: target(), at_most: gray(1.99) }, &before, &course));
    assert!(!broken(Rule::TotalDose { target: target(), at_most: gray(60.0) }, &[], &course));
    assert!(broken(Rule::TotalDose { target: target(), at_most: gray(60.0) }, &before, &course)); // what was given before counts
    assert!(broken(Rule::LeastTotalDose { target: target(), at_least: gray(60.1) }, &[], &course));
    // 30 fractions of 1.5 Gy at a ratio of 3 are worth 40.5 Gy; the 8 Gy before, 6 Gy at the organ, 10.8 Gy.
    let organ = |at_most_gray| Rule::OrganDose { target: target(), share: 0.75, alpha_beta_gray: 3.0, at_most_gray };
    assert!(!broken(organ(40.51), &[], &course) && broken(organ(40.49), &[], &course) && broken(organ(51.2), &before, &course));
    assert!(!broken(organ(51.4), &before, &course));
    let of = || Selection::Fractions(target());
    assert!(!broken(Rule::Gap { of: of(), at_least: Span::DAY }, &before, &course));
    assert!(broken(Rule::Gap { of: of(), at_least: days(1.5) }, &before, &course));
    assert!(broken(Rule::Gap { of: of(), at_least: days(11.0) }, &before, &course[..1])); // the gap to the past counts
    let allowed = || Weekday::WORKING.to_vec();
    assert!(!broken(Rule::Weekdays { of: of(), first: Weekday::Monday, allowed: allowed() }, &[], &course));
    assert!(broken(Rule::Weekdays { of: of(), first: Weekday::Tuesday, allowed: allowed() }, &[], &course));
    assert!(!broken(Rule::Within { of: of(), at_most: days(39.0) }, &[], &course));
    assert!(broken(Rule::Within { of: of(), at_most: days(38.0) }, &[], &course));
}

#[test]
fn limits_on_drugs() {
    let (doxorubicin, epirubicin) = (Agent::new("doxorubicin").unwrap(), Agent::new("epirubicin").unwrap());
    let dose = |value| Quantity::new(value, "mg/m2").unwrap();
    let at = |day, agent: &Agent, value| {
        TimedTreatment::new(Time::from_days(day).unwrap(), Treatment::bolus(agent.clone(), dose(value)).unwrap())
    };
    let before = [at(0.0, &epirubicin, 400.0)];
    let plan = [at(10.0, &doxorubicin, 60.0), at(31.0, &doxorubicin, 60.0)];
    let lifetime = |at_most| Rule::CumulativeDose {
        agents: vec![(doxorubicin.clone(), 1.0), (epirubicin.clone(), 0.5)],
        before: dose(100.0),
        at_most: dose(at_most),
    };
    assert!(!broken(lifetime(420.0), &before, &plan) && broken(lifetime(419.0), &before, &plan));
    assert!(broken(Rule::SingleDose { agent: doxorubicin.clone(), at_most: dose(50.0) }, &[], &plan));
    let in_milligrams = Rule::SingleDose { agent: doxorubicin.clone(), at_most: Quantity::new(100.0, "mg").unwrap() };
    assert!(Limits::none().rule("mg", in_milligrams).breaches(given(&[], &plan)).is_err());
    // On from before the plan, off after 30 days, on again at half dose for the last 20.
    let continuous = |day, intensity| {
        let intensity = twin_core::Proportion::new(intensity).unwrap();
        TimedTreatment::new(Time::from_days(day).unwrap(), Treatment::Continuous { agent: drug(), intensity })
    };
    let (past, plan) = ([continuous(0.0, 1.0)], [continuous(40.0, 0.0), continuous(90.0, 0.5)]);
    let on = |at_most| Rule::TimeOn { agent: drug(), at_most: days(at_most) };
    assert!(!broken(on(40.0), &past, &plan) && broken(on(39.9), &past, &plan));
}
