use super::*;
use crate::design::{Boin, Boundary, PermutedBlocks, PlayTheWinner, Simple, Stratified, schoenfeld_power};
use crate::{
    ArmReport, Attendance, Continuous, Crossover, FromPrior, TimeOffDrug, TimeToProgression, Trigger, Withheld, course, run,
};
use twin_calibrate::{IndependentPrior, LogError, Marginal};
use twin_core::{Agent, Observable};
use twin_models::clones;

fn trial(size: usize) -> Trial {
    let drug = Agent::new("drug").unwrap();
    let model = Arc::new(clones::sensitive_resistant(drug.clone()));
    let prior = IndependentPrior::new([
        ("initial_burden", Marginal::Uniform { low: 0.3, high: 0.8 }),
        ("initial_resistance", Marginal::LogUniform { low: 1e-4, high: 0.1 }),
    ]);
    Trial::new(model.clone(), FromPrior::new(model, Arc::new(prior.unwrap())), size)
        .arm("none", Withheld { agent: drug.clone() })
        .arm("drug", Continuous { agent: drug.clone() })
        .measure_with(Observable::PSA, LogError::new(0.1, 0.0))
        .endpoint(TimeToProgression::of(Observable::TUMOR_BURDEN, 1.2))
        .endpoint(TimeOffDrug { agent: drug })
        .visits(Span::from_days(28.0).unwrap(), Span::from_days(730.0).unwrap())
}

/// Potential outcomes with exponential times: 12 months, and 12 months over the hazard ratio.
fn exponential(size: usize, ratio: f64) -> TrialReport {
    let mut random = Random::new(3);
    let mut arm = |name: &str, law: Lifetime| ArmReport {
        name: name.to_owned(),
        outcomes: (0..size).map(|_| Some(vec![Outcome::Event(law.draw(&mut random))])).collect(),
    };
    let laws = [1.0, ratio].map(|ratio| Lifetime::weibull(365.0 / ratio, 1.0).unwrap());
    TrialReport {
        model: "by hand".to_owned(),
        seed: 1,
        endpoints: vec!["time".to_owned()],
        arms: vec![arm("control", laws[0]), arm("treated", laws[1])],
        failures: vec![],
        size,
        stopped: false,
    }
}

fn blocks() -> Result<Box<dyn Allocation>, TrialError> {
    Ok(Box::new(PermutedBlocks::new(&[1, 1], &[2])?))
}

fn days(days: f64) -> Span {
    Span::from_days(days).unwrap()
}

#[test]
fn power_and_level_are_those_of_theory() {
    let (patients, events, trials) = (140, 100, 400);
    for (ratio, expected) in [(0.6, schoenfeld_power(0.6, 0.05, 100.0, 0.5).unwrap()), (1.0, 0.05)] {
        let report = exponential(patients * trials, ratio);
        let design = Design::new("time", blocks).recruiting(days(180.0)).stopping(Stopping::Events(events));
        let found = design.characteristics(&trial(1), &report, patients, &Random::new(5)).unwrap();
        let error = (expected * (1.0 - expected) / trials as f64).sqrt();
        assert!((found.rejected.share - expected).abs() < 4.0 * error + 0.02, "{ratio}: {found:?} is not {expected}");
        assert!((found.events.mean - 100.0).abs() < 1e-9);
    }
}

#[test]
fn several_looks_keep_the_level_and_stop_early_where_there_is_an_effect() {
    let (patients, trials) = (140, 400);
    let boundaries = GroupSequential::equal(3, 0.05, Boundary::Pocock).unwrap();
    let design =
        Design::new("time", blocks).recruiting(days(180.0)).stopping(Stopping::Looks { boundaries, events: vec![34, 67, 100] });
    let none = design.characteristics(&trial(1), &exponential(patients * trials, 1.0), patients, &Random::new(5)).unwrap();
    assert!((none.rejected.share - 0.05).abs() < 0.045, "{none:?}");
    let some = design.characteristics(&trial(1), &exponential(patients * trials, 0.5), patients, &Random::new(5)).unwrap();
    assert!(some.events.mean < 75.0 && some.days.mean < none.days.mean && some.superior.share > 0.85, "{some:?}");
    assert!((some.ended_at.iter().map(|share| share.share).sum::<f64>() - 1.0).abs() < 1e-12);
}

#[test]
fn each_patient_is_seen_in_one_arm_and_not_beyond_the_end_or_dropout() {
    let report = exponential(300, 0.7);
    let design = Design::new("time", blocks)
        .recruiting(days(365.0))
        .dropping_out(Lifetime::weibull(400.0, 1.0).unwrap())
        .stopping(Stopping::At(days(500.0)));
    let found = design.conduct(&trial(1), &report, &Random::new(2)).unwrap();
    assert_eq!(found.arms.iter().map(Vec::len).sum::<usize>(), 300);
    assert_eq!(found.arms[0].len(), 150);
    let again = design.conduct(&trial(1), &report, &Random::new(2)).unwrap();
    assert_eq!(found, again);
    let whole = Design { dropout: None, ..design.clone() }.conduct(&trial(1), &report, &Random::new(2)).unwrap();
    assert!(whole.looks[0].events > found.looks[0].events);
    for one in &found.enrolled {
        let Some(Outcome::Event(time)) = one.outcome else { panic!("no event") };
        assert_eq!(report.arms[one.arm].outcomes[one.patient], Some(vec![Outcome::Event(time)]));
    }
    let longest = found.arms.iter().flatten().map(|seen| seen.time).fold(0.0, f64::max);
    assert!(longest <= 500.0);
}

#[test]
fn strata_are_balanced_by_the_patients_own_parameters() {
    let trial = trial(240);
    let report = run(&trial).unwrap();
    let design = Design::new("time to progression", || Ok(Box::new(Stratified::new(PermutedBlocks::new(&[1, 1], &[1])?))))
        .by("initial_burden", [0.4, 0.6])
        .stopping(Stopping::At(days(2000.0)));
    let found = design.conduct(&trial, &report, &Random::new(4)).unwrap();
    let mut counts = [[0_i32; 2]; 3];
    for one in &found.enrolled {
        let patient = trial.cohort.draw(one.patient, &mut Random::new(trial.seed).stream(one.patient as u64).stream(0)).unwrap();
        let burden = patient.parameters.values()[patient.parameters.index_of("initial_burden").unwrap()];
        counts[usize::from(burden >= 0.4) + usize::from(burden >= 0.6)][one.arm] += 1;
    }
    assert!(counts.iter().all(|[a, b]| (a - b).abs() <= 1 && *a > 20), "{counts:?}");
    assert!(found.looks[0].statistic > 5.0, "the drug does not help: {:?}", found.looks);
    let factor = Factor { parameter: "initial_burden".to_owned(), cuts: vec![0.4, 0.6] };
    let subgroups = found.subgroups(&trial, &factor).unwrap();
    assert_eq!(subgroups.iter().map(|group| group.patients[0] as i32).collect::<Vec<_>>(), counts.map(|[a, _]| a));
    let events: usize = subgroups.iter().flat_map(|group| group.events.clone()).sum();
    assert_eq!(events, found.looks[0].events);
    assert!(subgroups.iter().all(|group| group.hazard_ratio.as_ref().is_none_or(|ratio| ratio.ratio() < 1.0)));
    assert!(design.clone().by("no such parameter", []).conduct(&trial, &report, &Random::new(4)).is_err());
}

#[test]
fn play_the_winner_sends_more_patients_to_the_better_arm() {
    let report = exponential(400, 0.25);
    let mut design = Design::new("time", || Ok(Box::new(PlayTheWinner::new(2, 1, 1)?)))
        .recruiting(days(2000.0))
        .stopping(Stopping::At(days(2500.0)));
    let share = |design: &Design| {
        let found = design.conduct(&trial(1), &report, &Random::new(9)).unwrap();
        found.enrolled.iter().filter(|one| one.arm == 1).count() as f64 / 400.0
    };
    design.success_after = Some(days(120.0));
    assert!(share(&design) > 0.6, "{}", share(&design));
    design.success_after = None; // it is told nothing, and goes on by chance
    assert!((share(&design) - 0.5).abs() < 0.1);
}

#[test]
fn visits_are_missed_and_shifted_alike_in_all_arms() {
    let kept = trial(1).attended(Attendance { missed: 0.3, jitter: 0.2 });
    let [one, other] = ["none", "drug"].map(|arm| course(&kept, arm, 0).unwrap());
    assert_eq!(one.visits, other.visits);
    let whole = course(&trial(1), "none", 0).unwrap();
    assert!(one.visits.len() < whole.visits.len() && one.visits.is_sorted());
    assert_eq!(one.visits[0], whole.visits[0]);
    assert!(one.visits.iter().any(|day| (day.days() / 28.0).fract() > 0.01));
    assert_eq!(one.values.len(), one.visits.len() * one.observables.len());
    for bad in [Attendance { missed: 1.0, jitter: 0.0 }, Attendance { missed: 0.0, jitter: 0.5 }] {
        assert!(run(&trial(1).attended(bad)).is_err());
    }
}

#[test]
fn rescue_begins_at_the_trigger() {
    let drug = Agent::new("drug").unwrap();
    let rescue = Crossover::new(
        Withheld { agent: drug.clone() },
        Trigger { confirmations: 2, ..Trigger::new(Observable::PSA, 1.3) },
        Continuous { agent: drug.clone() },
    );
    let trial = trial(1).arm("rescue", rescue);
    let lived = course(&trial, "rescue", 0).unwrap();
    let periods = lived.periods(&drug);
    assert_eq!(periods.len(), 1);
    let seen = lived.seen(&Observable::PSA);
    let mut nadir = f64::INFINITY;
    let above: Vec<bool> = seen
        .iter()
        .map(|(_, psa)| {
            let above = *psa > 1.3 * nadir;
            nadir = if above { nadir } else { nadir.min(*psa) };
            above
        })
        .collect();
    let second = above.windows(2).position(|pair| pair[0] && pair[1]).unwrap() + 1;
    assert_eq!(periods[0].0, seen[second].0);
}

#[test]
fn an_escalation_finds_the_dose_of_the_target() {
    // Toxicity at four doses in 5, 15, 30 and 60 % of patients, the same patients at every dose.
    let size = 60;
    let toxic = |share: f64| move |patient: usize| f64::from(u8::from((patient * 37 % 100) as f64 / 100.0 < share));
    let arm = |share: f64| {
        let toxic = toxic(share);
        ArmReport {
            name: format!("{share}"),
            outcomes: (0..size).map(|patient| Some(vec![Outcome::Value(toxic(patient))])).collect(),
        }
    };
    let mut report = exponential(size, 1.0);
    report.endpoints = vec!["toxicity".to_owned()];
    report.arms = [0.05, 0.15, 0.30, 0.60].map(arm).into();
    let found = escalate(&Boin::new(0.3).unwrap(), &report, "toxicity", 15).unwrap();
    assert_eq!(found.doses[0], 0);
    assert!(found.recommended == Some(2) || found.recommended == Some(1), "{found:?}");
    assert_eq!(found.seen.iter().map(|dose| dose.patients).sum::<usize>(), 3 * found.doses.len());
    assert!(escalate(&Boin::new(0.3).unwrap(), &report, "no such endpoint", 15).is_err());
}

#[test]
fn designs_that_cannot_be_conducted_are_refused() {
    let report = exponential(40, 1.0);
    let conduct = |design: Design| design.conduct(&trial(1), &report, &Random::new(1));
    let simple = || Design::new("time", || Ok(Box::new(Simple::new(&[1, 1])?)));
    assert!(conduct(Design { endpoint: "other".to_owned(), ..simple() }).is_err());
    assert!(conduct(simple().stopping(Stopping::Events(41))).is_err());
    assert!(conduct(simple().stopping(Stopping::Events(0))).is_err());
    assert!(conduct(Design { accrual: Accrual::Rate(0.0), ..simple() }).is_err());
    assert!(conduct(simple().recruiting(days(-1.0))).is_err());
    assert!(conduct(Design { alpha: 0.0, ..simple() }).is_err());
    assert!(conduct(Design::new("time", || Ok(Box::new(Simple::new(&[1, 1, 1])?)))).is_err(), "three arms of two");
    let boundaries = GroupSequential::equal(2, 0.05, Boundary::Pocock).unwrap();
    assert!(conduct(simple().stopping(Stopping::Looks { boundaries, events: vec![10] })).is_err());
    assert!(simple().characteristics(&trial(1), &report, 30, &Random::new(1)).is_err());
    assert!(conduct(simple().stopping(Stopping::Events(20))).is_ok());
}
