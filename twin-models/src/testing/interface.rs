//! Laws of what a model says of itself, takes and refuses.

use super::case::{Case, Dose, agent, for_each, treatment};
use super::course::{Course, Fault, Look};
use super::{Settings, Violation};
use crate::{Model, ModelSpec, Parameters, SimulationError, TreatmentKind, TreatmentSpec};
use std::collections::BTreeSet;
use std::sync::Arc;
use twin_core::{AbsorbedDose, Agent, CoreError, Proportion, Quantity, Span, Target, Time, Treatment, Unit};

/// The units in which a wrong dose is tried: at least one measures something else than any given unit does.
const UNITS: [&str; 4] = ["mg", "d", "Gy", "mm3"];

fn require(holds: bool, fault: impl FnOnce() -> String) -> Result<(), Fault> {
    if holds { Ok(()) } else { Err(Fault(fault())) }
}

/// The specification is consistent and complete: names are unique and in snake case, ranges are finite and hold their defaults, units
/// are UCUM, nothing that should be said is empty, and it is the same at every call.
///
/// # Errors
/// The [`Violation`].
pub fn specification(model: &dyn Model, settings: &Settings) -> Result<usize, Violation> {
    let spec = model.spec();
    let checked = check_names(spec)
        .and_then(|()| check_parameters(spec))
        .and_then(|()| check_states(spec))
        .and_then(|()| check_observables(spec))
        .and_then(|()| check_treatments(spec))
        .and_then(|()| require(model.spec() == spec, || "it differs from one call to the next".to_owned()));
    let law = "specification";
    let plain = |fault: Fault| {
        let (model, parameters, treatments, seed) = (spec.id.clone(), Vec::new(), Vec::new(), settings.seed);
        Violation { model, law, parameters, treatments, seed, detail: fault.0 }
    };
    checked.map(|()| 1).map_err(plain)
}

fn check_names(spec: &ModelSpec) -> Result<(), Fault> {
    snake_case("the id", &spec.id)?;
    require(!spec.title.trim().is_empty(), || "the title is empty".to_owned())?;
    require(!spec.source.to_string().trim().is_empty(), || "the source is empty".to_owned())?;
    unique("parameter", spec.parameters.iter().map(|parameter| parameter.name.to_string()))?;
    unique("state", spec.states.iter().map(|state| state.name.to_string()))?;
    unique("observable", spec.observables.iter().map(|observable| observable.observable.to_string()))?;
    unique("treatment", spec.treatments.iter().map(|known| format!("{:?} of {:?}", known.kind, known.agent)))
}

fn snake_case(what: &str, name: &str) -> Result<(), Fault> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    require(!name.is_empty() && name.chars().all(fits), || format!("{what} is `{name}`, but must be in snake case and not empty"))
}

fn unique(what: &str, names: impl Iterator<Item = String>) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    for name in names {
        require(!seen.contains(&name), || format!("{what} `{name}` is there twice"))?;
        seen.insert(name);
    }
    Ok(())
}

fn known_unit(what: &str, name: &str, code: &str) -> Result<(), Fault> {
    code.parse::<Unit>().map(|_| ()).map_err(|error| Fault(format!("{what} `{name}`: {error}")))
}

fn check_parameters(spec: &ModelSpec) -> Result<(), Fault> {
    for parameter in &spec.parameters {
        let (name, low, high) = (&parameter.name, parameter.low, parameter.high);
        snake_case("the name of a parameter", name)?;
        known_unit("parameter", name, &parameter.unit)?;
        require(low.is_finite() && high.is_finite() && low <= high, || {
            format!("parameter `{name}` has the range [{low}, {high}]")
        })?;
        let default = parameter.default;
        require((low..=high).contains(&default), || {
            format!("parameter `{name}` has the default {default}, outside its range [{low}, {high}]")
        })?;
        require(!parameter.description.trim().is_empty(), || format!("parameter `{name}` has no description"))?;
        require(!parameter.source.to_string().trim().is_empty(), || format!("parameter `{name}` has no source"))?;
    }
    Ok(())
}

fn check_states(spec: &ModelSpec) -> Result<(), Fault> {
    for state in &spec.states {
        let (name, low, high, tolerance) = (&state.name, state.low, state.high, state.absolute_tolerance);
        snake_case("the name of a state", name)?;
        known_unit("state", name, &state.unit)?;
        require(low < high, || format!("state `{name}` has the bounds [{low}, {high}]"))?;
        require(tolerance.is_finite() && tolerance > 0.0, || format!("state `{name}` has the absolute tolerance {tolerance}"))?;
    }
    Ok(())
}

fn check_observables(spec: &ModelSpec) -> Result<(), Fault> {
    require(!spec.observables.is_empty(), || "there is no observable".to_owned())?;
    spec.observables.iter().try_for_each(|known| known_unit("observable", known.observable.as_str(), &known.unit))
}

fn check_treatments(spec: &ModelSpec) -> Result<(), Fault> {
    for known in &spec.treatments {
        let kind = known.kind;
        let local = matches!(kind, TreatmentKind::Fraction | TreatmentKind::Surgery);
        require(local == known.agent.is_none(), || {
            format!("{kind:?} must {} name an agent", if local { "not" } else { "always" })
        })?;
        let dosed = matches!(kind, TreatmentKind::Bolus | TreatmentKind::Infusion | TreatmentKind::Oral);
        require(dosed == known.unit.is_some(), || format!("{kind:?} must {} state a unit", if dosed { "always" } else { "not" }))?;
        if let Some(unit) = &known.unit {
            known_unit("treatment", &format!("{kind:?}"), unit)?;
        }
    }
    Ok(())
}

/// Parameters of another model are refused: of another id, of another number.
///
/// # Errors
/// The [`Violation`].
pub fn foreign_parameters_are_refused(model: &dyn Model, settings: &Settings) -> Result<usize, Violation> {
    let law = "foreign_parameters_are_refused";
    let case = Case::defaults(law, model, settings)?;
    let mut renamed = (**model.spec()).clone();
    renamed.id.push_str("_of_another_house");
    let mut longer = (**model.spec()).clone();
    longer.parameters.extend(longer.parameters.last().cloned());
    let mut foreign = vec![renamed];
    if longer.parameters.len() > case.parameters.values().len() {
        foreign.push(longer);
    }
    let count = foreign.len();
    for spec in foreign {
        let values = Arc::new(spec).defaults();
        let refused = values.map_err(Fault::from).and_then(|parameters| start_with_foreign(&case, &parameters));
        refused.map_err(|fault| case.violation(law, &[], fault))?;
    }
    Ok(count)
}

fn start_with_foreign(case: &Case<'_>, parameters: &Parameters) -> Result<(), Fault> {
    let (model, number) = (parameters.model(), parameters.values().len());
    match case.model.start(parameters, Time::ORIGIN, &mut case.random()) {
        Err(SimulationError::ForeignParameters { .. }) => Ok(()),
        Err(error) => Err(Fault(format!("{number} parameters of `{model}` must be refused as foreign, not with: {error}"))),
        Ok(_) => Err(Fault(format!("{number} parameters of `{model}` are accepted"))),
    }
}

/// Every treatment that the specification names is accepted at the start, at full dose, at half of it and at none.
///
/// # Errors
/// The [`Violation`].
pub fn understood_treatments_are_accepted(model: &dyn Model, settings: &Settings) -> Result<usize, Violation> {
    let law = "understood_treatments_are_accepted";
    let case = Case::defaults(law, model, settings)?;
    let mut count = 0;
    for place in 0..case.spec.treatments.len() {
        for share in [1.0, 0.5, 0.0] {
            let schedule = case.schedule_of(&[Dose { share, ..Dose::full(place, 0.0) }]).unwrap_or_default();
            let fail = |error: SimulationError| case.violation(law, &schedule, error.into());
            let mut simulation = case.start(Time::ORIGIN).map_err(fail)?;
            schedule.iter().try_for_each(|dose| simulation.treat(&dose.treatment)).map_err(fail)?;
            count += 1;
        }
    }
    Ok(count)
}

/// A treatment that the specification does not name is refused: of every kind, with a drug that it does not know and with those that it
/// knows in another kind, at full dose and at none; and a dose in a unit that measures something else.
///
/// # Errors
/// The [`Violation`].
pub fn unsupported_treatments_are_refused(model: &dyn Model, settings: &Settings) -> Result<usize, Violation> {
    let law = "unsupported_treatments_are_refused";
    let case = Case::defaults(law, model, settings)?;
    let fail = |fault: Fault| case.violation(law, &[], fault);
    let unsupported = unsupported(&case).map_err(|error| fail(error.into()))?;
    for treatment in &unsupported {
        let mut simulation = case.start(Time::ORIGIN).map_err(|error| fail(error.into()))?;
        match simulation.treat(treatment) {
            Err(SimulationError::UnsupportedTreatment { .. }) => {}
            Err(error) => return Err(fail(Fault(format!("{treatment} must be refused as unsupported, not with: {error}")))),
            Ok(()) => return Err(fail(Fault(format!("{treatment} is accepted, but the specification does not name it")))),
        }
    }
    let wrong_units = wrong_units(&case).map_err(|error| fail(error.into()))?;
    for treatment in &wrong_units {
        let mut simulation = case.start(Time::ORIGIN).map_err(|error| fail(error.into()))?;
        if simulation.treat(treatment).is_ok() {
            return Err(fail(Fault(format!("{treatment} is accepted, but its unit measures something else"))));
        }
    }
    Ok(unsupported.len() + wrong_units.len())
}

const KINDS: [TreatmentKind; 6] = [
    TreatmentKind::Fraction,
    TreatmentKind::Bolus,
    TreatmentKind::Infusion,
    TreatmentKind::Oral,
    TreatmentKind::Continuous,
    TreatmentKind::Surgery,
];

fn unsupported(case: &Case<'_>) -> Result<Vec<Treatment>, CoreError> {
    let known =
        |kind, agent: Option<&Agent>| case.spec.treatments.iter().any(|known| known.kind == kind && known.agent.as_ref() == agent);
    let mut agents = vec![Some(Agent::new("a drug of another house")?), None];
    agents.extend(case.spec.treatments.iter().map(|known| known.agent.clone()));
    let mut unsupported = Vec::new();
    for kind in KINDS {
        let local = matches!(kind, TreatmentKind::Fraction | TreatmentKind::Surgery);
        let fitting = agents.iter().filter(|agent| agent.is_none() == local && !known(kind, agent.as_ref()));
        for (agent, share) in fitting.flat_map(|agent| [(agent, 1.0), (agent, 0.0)]) {
            let unit = case.spec.treatments.iter().find(|known| known.agent == *agent).and_then(|known| known.unit.clone());
            let stranger = TreatmentSpec { kind, agent: agent.clone(), unit, target: None };
            unsupported.push(treatment(&stranger, &Dose { share, ..Dose::full(0, 0.0) }, case.settings)?);
        }
    }
    // What is aimed elsewhere is not understood where a target is named.
    for known in case.spec.treatments.iter().filter(|known| known.target.is_some()) {
        let elsewhere = TreatmentSpec { target: Some(Target::new("a target elsewhere")?), ..known.clone() };
        for share in [1.0, 0.0] {
            unsupported.push(treatment(&elsewhere, &Dose { share, ..Dose::full(0, 0.0) }, case.settings)?);
        }
    }
    Ok(unsupported)
}

fn wrong_units(case: &Case<'_>) -> Result<Vec<Treatment>, CoreError> {
    let mut wrong = Vec::new();
    for known in &case.spec.treatments {
        let Some(code) = &known.unit else { continue };
        let right: Unit = code.parse()?;
        for code in UNITS {
            let unit: Unit = code.parse()?;
            if unit.is_commensurable_with(&right) {
                continue;
            }
            let dose = Quantity::new(case.settings.drug_dose, unit)?;
            wrong.push(match known.kind {
                TreatmentKind::Bolus => Treatment::bolus(agent(known)?, dose)?,
                TreatmentKind::Infusion => Treatment::infusion(agent(known)?, dose, Span::DAY)?,
                TreatmentKind::Oral => Treatment::oral(agent(known)?, dose)?,
                TreatmentKind::Fraction => Treatment::fraction(AbsorbedDose::from_gray(1.0)?, Target::new("tumor")?),
                TreatmentKind::Continuous => Treatment::on(agent(known)?),
                TreatmentKind::Surgery => Treatment::Surgery { target: Target::new("tumor")?, extent: Proportion::ONE },
            });
        }
    }
    Ok(wrong)
}

/// A course stands where it was told to go; going backward is refused.
///
/// # Errors
/// The [`Violation`].
pub fn time_goes_forward(model: &dyn Model, settings: &Settings) -> Result<usize, Violation> {
    for_each("time_goes_forward", model, settings, |case| {
        let (early, late) = (Span::from_days(0.25 * case.horizon())?, Span::from_days(0.5 * case.horizon())?);
        let mut simulation = case.start(Time::ORIGIN)?;
        let stands = |now: Time, at: Time| require(now == at, || format!("the course stands at {now}, but should at {at}"));
        stands(simulation.now(), Time::ORIGIN)?;
        let (early, late) = (Time::ORIGIN + early, Time::ORIGIN + late);
        simulation.advance(late)?;
        stands(simulation.now(), late)?;
        for dose in case.schedule()? {
            simulation.treat(&dose.treatment)?;
            stands(simulation.now(), late)?;
        }
        match simulation.advance(early) {
            Err(SimulationError::Backward { .. }) => Ok(()),
            Err(error) => Err(Fault(format!("going back from {late} to {early} must be refused as backward, not with: {error}"))),
            Ok(()) => Err(Fault(format!("the course goes back from {late} to {early}"))),
        }
    })
}

/// Observing writes every observable of the specification and nothing beyond, a shorter slice takes the first ones, and what was in the
/// slice, or how often one looked, does not matter; the state, where offered, has one value for each of the specification.
///
/// # Errors
/// The [`Violation`].
pub fn observation_is_of_the_course_alone(model: &dyn Model, settings: &Settings) -> Result<usize, Violation> {
    for_each("observation_is_of_the_course_alone", model, settings, |case| {
        let schedule = case.schedule()?;
        let Ok(mut course) = Course::begin(case, Time::ORIGIN, &schedule) else {
            return Ok(()); // the business of `finite`
        };
        for share in [0.0, 0.3, 1.0] {
            if course.go(share * case.horizon()).is_err() {
                return Ok(()); // the business of `finite`
            }
            check_observation(case, course.simulation.as_ref(), share * case.horizon())?;
        }
        Ok(())
    })
}

fn check_observation(case: &Case<'_>, simulation: &dyn crate::Simulation, day: f64) -> Result<(), Fault> {
    let count = case.spec.observables.len();
    let looked = |width: usize, before: f64| {
        let mut y = vec![before; width];
        simulation.observe(&mut y);
        y
    };
    let bits = |y: &[f64]| y.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    let (once, again) = (looked(count, -7.25), looked(count, f64::NAN));
    require(bits(&once) == bits(&again), || {
        format!(
            "after {day} days one look gives {once:?}, the next {again:?}: not every observable is written, or looking changes them"
        )
    })?;
    let beyond = looked(count + 1, -7.25);
    require(beyond.last().map(|last| last.to_bits()) == Some((-7.25_f64).to_bits()), || {
        format!("after {day} days more is written than the {count} observables")
    })?;
    for width in 0..count {
        let first = looked(width, -7.25);
        require(bits(&first) == bits(&once[..width]), || format!("after {day} days the first {width} of {once:?} are {first:?}"))?;
    }
    if let Some(state) = simulation.state() {
        let (given, named) = (state.len(), case.spec.states.len());
        require(given == named, || format!("the state has {given} values, but the specification names {named}"))?;
    }
    let (one, other) = (Look::at(simulation, &case.spec, day), Look::at(simulation, &case.spec, day));
    case.same_bits(["at one look", "at the next"], &[one], &[other])
}
