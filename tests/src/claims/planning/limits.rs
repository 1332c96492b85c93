//! Random problems with random hard limits, checked by code that shares nothing with the library's own.

use crate::claims::words;
use std::sync::Arc;
use twin_core::{AbsorbedDose, Observable, Random, Span, Target, Time, TimedTreatment, Treatment, Weekday};
use twin_models::{Model, radiation::proliferation_saturation};
use twin_trials::planning::{
    Confidence, Evolution, Limits, Objective, Plan, Question, RadiotherapySpace, Rule, Selection, Space, recommend, search,
};
use twin_trials::{FromList, Trial, TrialError, ValueAt, VirtualPatient};

/// A random limit, as numbers: kind and bound.
type Bound = (usize, f64);

const KINDS: usize = 7;

/// One random problem.
struct Random1 {
    space: Space,
    bounds: Vec<Bound>,
    past_gray: f64,
    first: Weekday,
}

fn problem(random: &mut Random) -> Result<Random1, TrialError> {
    let between = |random: &mut Random, low: f64, high: f64| low + (high - low) * random.uniform();
    let first = Weekday::WORKING[random.below(5)];
    let (fewest, least) = (1 + random.below(20) as u32, between(random, 1.0, 3.0));
    let space = RadiotherapySpace {
        target: Target::new("tumor")?,
        first,
        fractions: (fewest, fewest + random.below(20) as u32),
        dose_gray: (least, least + between(random, 0.0, 4.0)),
        per_week: [vec![5], vec![1, 3, 5], vec![2, 4]][random.below(3)].clone(),
        boost: (random.below(3) == 0).then_some((Target::new("tumor")?, 5, 2.0)),
    }
    .space()?;
    let ranges = [(1.5, 5.0), (20.0, 80.0), (10.0, 60.0), (5.0, 60.0), (0.5, 3.0), (0.0, 5.0), (10.0, 80.0)];
    let mut bounds: Vec<Bound> = Vec::new();
    for (kind, (low, high)) in ranges.into_iter().enumerate().take(KINDS) {
        if random.below(2) == 0 {
            bounds.push((kind, between(random, low, high)));
        }
    }
    let past_gray = if random.below(4) == 0 { between(random, 0.0, 20.0) } else { 0.0 };
    Ok(Random1 { space, bounds, past_gray, first })
}

/// The weekdays that a bound of weekdays leaves: Monday to Friday without the first few.
fn allowed(bound: f64) -> Vec<Weekday> {
    Weekday::WORKING.into_iter().skip(bound as usize).collect()
}

fn limits(problem: &Random1) -> Result<Limits, TrialError> {
    let target = || Target::new("tumor");
    let mut limits = Limits::none();
    for &(kind, bound) in &problem.bounds {
        let gray = AbsorbedDose::from_gray(bound)?;
        let rule = match kind {
            0 => Rule::DosePerFraction { target: target()?, at_most: gray },
            1 => Rule::TotalDose { target: target()?, at_most: gray },
            2 => Rule::LeastTotalDose { target: target()?, at_least: gray },
            3 => Rule::OrganDose { target: target()?, share: 0.6, alpha_beta_gray: 3.0, at_most_gray: bound },
            4 => Rule::Gap { of: Selection::Fractions(target()?), at_least: Span::from_days(bound)? },
            5 => Rule::Weekdays { of: Selection::All, first: problem.first, allowed: allowed(bound) },
            _ => Rule::Within { of: Selection::All, at_most: Span::from_days(bound)? },
        };
        limits = limits.rule(kind.to_string(), rule);
    }
    Ok(limits)
}

/// Whether `plan` keeps within a bound.
fn keeps(plan: &[TimedTreatment], past_gray: f64, first: Weekday, (kind, bound): Bound) -> bool {
    let mut fractions = Vec::new();
    for given in plan {
        if let Treatment::Fraction(fraction) = &given.treatment {
            fractions.push((given.time.days(), fraction.dose.gray()));
        }
    }
    let doses = || fractions.iter().map(|(_, gray)| *gray).chain((past_gray > 0.0).then_some(past_gray));
    let slack = 1e-6;
    match kind {
        0 => fractions.iter().all(|(_, gray)| *gray <= bound + slack),
        1 => doses().sum::<f64>() <= bound + slack,
        2 => doses().sum::<f64>() >= bound - slack,
        3 => doses().map(|gray| 0.6 * gray * (1.0 + 0.6 * gray / 3.0) / (1.0 + 2.0 / 3.0)).sum::<f64>() <= bound + slack,
        4 => fractions.windows(2).all(|pair| pair[1].0 == pair[0].0 || pair[1].0 - pair[0].0 >= bound - slack),
        5 => fractions.iter().all(|(day, _)| {
            let weekday = (first as usize + *day as usize) % 7;
            weekday < 5 && weekday >= bound as usize
        }),
        _ => fractions.iter().all(|(day, _)| *day <= bound + slack),
    }
}

/// How many of `count` random problems have a plan that breaks a limit, or an error that names limits which are not in conflict; and how many
/// have no plan.
pub(super) fn broken(count: u64) -> Result<(usize, usize), String> {
    let root = Random::new(20);
    let (mut wrong, mut without) = (0, 0);
    for number in 0..count {
        let (fault, none) = one(&mut root.stream(number), number % 2 == 0).map_err(|error| format!("problem {number}: {error}"))?;
        wrong += usize::from(fault);
        without += usize::from(none);
    }
    Ok((wrong, without))
}

fn one(random: &mut Random, by_search: bool) -> Result<(bool, bool), String> {
    let problem = problem(random).map_err(words)?;
    let target = Target::new("tumor").map_err(words)?;
    let model = Arc::new(proliferation_saturation());
    let mut patient = VirtualPatient::new(model.spec().defaults().map_err(words)?);
    patient.since = Time::from_days(30.0).map_err(words)?;
    if problem.past_gray > 0.0 {
        let before = Treatment::fraction(AbsorbedDose::from_gray(problem.past_gray).map_err(words)?, target);
        patient.past_treatments = Arc::from([TimedTreatment::new(Time::ORIGIN, before)]);
    }
    let year = Span::from_days(365.0).map_err(words)?;
    let setting = Trial::new(model, FromList(vec![patient]), 1).visits(year, year);
    let end = ValueAt { name: "volume".to_owned(), observable: Observable::TUMOR_VOLUME, day: 365.0 };
    // A standard without fractions, which breaks a least dose.
    let standard = Plan::fixed("nothing", []);
    let question = Question::new(setting, standard, Objective::least(end.clone()), Confidence::new(1.0))
        .within(limits(&problem).map_err(words)?);
    let fine = |plan: &Plan| {
        let given = plan.treatments().unwrap_or_default();
        problem.bounds.iter().all(|bound| keeps(given, problem.past_gray, problem.first, *bound))
    };
    if by_search {
        let method = Evolution { population: 6, generations: 4, seed: random.bits(), ..Evolution::default() };
        return match search(&question, &problem.space, &[Objective::least(end)], &method) {
            Ok(front) => Ok((!front.plans.iter().all(|found| fine(&found.plan)), false)),
            Err(TrialError::Infeasible { limits, .. }) => Ok((limits.is_empty(), true)),
            Err(other) => Err(other.to_string()),
        };
    }
    let menu: Vec<Plan> = (0..12)
        .map(|number| {
            let shares: Vec<f64> = problem.space.variables().iter().map(|_| random.uniform()).collect();
            let mut plan = problem.space.plan(&problem.space.at(&shares))?;
            plan.name = number.to_string();
            Ok(plan)
        })
        .collect::<Result<_, TrialError>>()
        .map_err(words)?;
    let mut all = menu.clone();
    all.push(question.standard.clone());
    match recommend(&question.plans(menu)) {
        Ok(answer) => {
            let named = |name: &str| all.iter().find(|plan| plan.name == name).is_some_and(fine);
            let every = all.iter().filter(|plan| fine(plan)).count() == answer.ranked.len();
            Ok((!(every && answer.ranked.iter().all(|ranked| named(&ranked.plan))), false))
        }
        Err(TrialError::Infeasible { limits, .. }) => {
            let bounds: Vec<Bound> =
                problem.bounds.iter().filter(|(kind, _)| limits.contains(&kind.to_string())).copied().collect();
            let possible = |left_out: Option<usize>| {
                all.iter().any(|plan| {
                    let given = plan.treatments().unwrap_or_default();
                    let rest = bounds.iter().filter(|(kind, _)| Some(*kind) != left_out);
                    rest.into_iter().all(|bound| keeps(given, problem.past_gray, problem.first, *bound))
                })
            };
            let told = bounds.len() == limits.len() && !possible(None) && bounds.iter().all(|(kind, _)| possible(Some(*kind)));
            Ok((!told, true))
        }
        Err(other) => Err(other.to_string()),
    }
}
