//! A system of equations whose names are resolved and whose assignments are in order.

use super::program::Program;
use super::{Equations, Expression};
use crate::{ModelSpec, SimulationError, TreatmentKind, TreatmentSpec};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use twin_core::{Time, Unit};

/// An event with its names resolved.
#[derive(Debug)]
pub(super) struct Occurrence {
    pub(super) name: String,
    pub(super) trigger: Program,
    /// What is watched within a step: the comparisons of the trigger, so that a condition that holds for a moment is not stepped over.
    pub(super) watched: Vec<Program>,
    pub(super) true_before: bool,
    pub(super) persistent: bool,
    pub(super) delay: Option<Program>,
    pub(super) priority: Option<Program>,
    pub(super) values_from_trigger: bool,
    /// States by number, and what they become.
    pub(super) assignments: Vec<(usize, Program)>,
}

/// A treatment that adds to a state.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) state: usize,
    pub(super) unit: Unit,
}

/// Values stand in one table: the time, the constants, the states, the assignments.
#[derive(Debug)]
pub(super) struct System {
    pub(super) spec: Arc<ModelSpec>,
    pub(super) units_per_day: f64,
    /// Where the states begin in the table.
    first_state: usize,
    width: usize,
    /// Initial values of states, and assignments, each after those it needs.
    start: Vec<(usize, Program)>,
    assignments: Vec<(usize, Program)>,
    rates: Vec<Program>,
    observables: Vec<Program>,
    pub(super) events: Vec<Occurrence>,
    pub(super) inputs: Vec<Input>,
}

impl System {
    pub(super) fn new(equations: &Equations) -> Result<Self, SimulationError> {
        let Equations { id, constants, states, assignments, .. } = equations;
        let fault = |detail: String| SimulationError::Specification { model: id.clone(), detail };
        let names = constants
            .iter()
            .map(|constant| constant.name.as_ref())
            .chain(states.iter().map(|state| state.spec.name.as_ref()))
            .chain(assignments.iter().map(|assignment| assignment.name.as_str()));
        let mut places = BTreeMap::new();
        for (index, name) in names.enumerate() {
            if places.insert(name, index + 1).is_some() {
                return Err(fault(format!("the name `{name}` is given twice")));
            }
        }
        let place = |name: &str| places.get(name).copied();
        let compile =
            |of: &str, expression: &Expression| Program::new(expression, &place).map_err(|detail| fault(format!("{of}: {detail}")));
        let first_state = 1 + constants.len();
        let definitions: Vec<(&str, &Expression)> =
            assignments.iter().map(|assignment| (assignment.name.as_str(), &assignment.value)).collect();
        let initial: Vec<(&str, &Expression)> =
            states.iter().map(|state| (state.spec.name.as_ref(), &state.initial)).chain(definitions.iter().copied()).collect();
        let ordered = |definitions: &[(&str, &Expression)]| -> Result<Vec<(usize, Program)>, SimulationError> {
            let order =
                order(definitions).map_err(|name| fault(format!("`{name}` is defined by itself, or by what it defines")))?;
            order
                .into_iter()
                .filter_map(|index| definitions.get(index))
                .map(|(name, expression)| Ok((place(name).unwrap_or(0), compile(name, expression)?)))
                .collect()
        };
        let events = equations.events.iter().map(|event| {
            let optional = |expression: &Option<Expression>| {
                expression.as_ref().map(|expression| compile(&event.name, expression)).transpose()
            };
            let assignments = event.assignments.iter().map(|(state, expression)| {
                let known = states.iter().position(|known| known.spec.name == state.as_str());
                let number = known.ok_or_else(|| fault(format!("event `{}` sets `{state}`, which is no state", event.name)))?;
                Ok((number, compile(&event.name, expression)?))
            });
            let comparisons = event.trigger.comparisons();
            let watched = comparisons.iter().chain(comparisons.is_empty().then_some(&event.trigger));
            Ok(Occurrence {
                name: event.name.clone(),
                watched: watched.map(|watched| compile(&event.name, watched)).collect::<Result<_, _>>()?,
                trigger: compile(&event.name, &event.trigger)?,
                true_before: event.true_before,
                persistent: event.persistent,
                delay: optional(&event.delay)?,
                priority: optional(&event.priority)?,
                values_from_trigger: event.values_from_trigger,
                assignments: assignments.collect::<Result<_, SimulationError>>()?,
            })
        });
        Ok(Self {
            units_per_day: crate::check::positive("units of time in a day", Unit::parse("d")?.convert(1.0, &equations.time_unit)?)?,
            first_state,
            width: 1 + places.len(),
            start: ordered(&initial)?,
            assignments: ordered(&definitions)?,
            rates: states.iter().map(|state| compile(&state.spec.name, &state.rate)).collect::<Result<_, _>>()?,
            observables: equations
                .observables
                .iter()
                .map(|(spec, expression)| compile(&spec.observable.to_string(), expression))
                .collect::<Result<_, _>>()?,
            events: events.collect::<Result<_, SimulationError>>()?,
            inputs: inputs(equations)?,
            spec: Arc::new(specification(equations)),
        })
    }

    pub(super) fn states(&self) -> usize {
        self.rates.len()
    }

    /// The table of values at the start, for these constants.
    pub(super) fn table(&self, constants: &[f64]) -> Vec<f64> {
        let mut values = vec![0.0; self.width];
        values.iter_mut().skip(1).zip(constants).for_each(|(place, constant)| *place = *constant);
        for (place, program) in &self.start {
            values[*place] = program.value(&values);
        }
        values
    }

    /// The states of a table.
    pub(super) fn states_of<'a>(&self, values: &'a [f64]) -> &'a [f64] {
        &values[self.first_state..self.first_state + self.states()]
    }

    /// Brings a table to the time `t` and the states `x`.
    pub(super) fn fill(&self, values: &mut [f64], t: f64, x: &[f64]) {
        values[0] = t;
        values[self.first_state..self.first_state + x.len()].copy_from_slice(x);
        for (place, program) in &self.assignments {
            values[*place] = program.value(values);
        }
    }

    /// The rates of change at `t` in the states `x`, with what is infused into each.
    pub(super) fn rates(&self, values: &mut [f64], t: f64, x: &[f64], infused: &[f64], dx: &mut [f64]) {
        self.fill(values, t, x);
        for ((rate, program), infused) in dx.iter_mut().zip(&self.rates).zip(infused) {
            *rate = program.value(values) + infused;
        }
    }

    pub(super) fn observe(&self, values: &[f64], y: &mut [f64]) {
        y.iter_mut().zip(&self.observables).for_each(|(y, program)| *y = program.value(values));
    }

    /// The time of the system, for a day of a course that started at `origin`.
    pub(super) fn time(&self, origin: Time, at: Time) -> f64 {
        (at.days() - origin.days()) * self.units_per_day
    }
}

fn inputs(equations: &Equations) -> Result<Vec<Input>, SimulationError> {
    let of = |dose: &super::Dosing| {
        let fault = |detail: String| SimulationError::Specification { model: equations.id.clone(), detail };
        if !matches!(dose.kind, TreatmentKind::Bolus | TreatmentKind::Oral | TreatmentKind::Infusion) {
            return Err(fault(format!("{:?} cannot be added to a state; a bolus, an oral dose and an infusion can", dose.kind)));
        }
        let known = equations.states.iter().position(|state| state.spec.name == dose.state.as_str());
        let state = known.ok_or_else(|| fault(format!("a dose goes to `{}`, which is no state", dose.state)))?;
        let unit = equations.states.get(state).map_or("1", |state| state.spec.unit.as_ref()).parse()?;
        Ok(Input { state, unit })
    };
    equations.doses.iter().map(of).collect()
}

fn specification(equations: &Equations) -> ModelSpec {
    let unit_of = |name: &str| equations.states.iter().find(|state| state.spec.name == name).map(|state| state.spec.unit.clone());
    ModelSpec {
        id: equations.id.clone(),
        title: equations.title.clone(),
        source: equations.source.clone(),
        parameters: equations.constants.clone(),
        states: equations.states.iter().map(|state| state.spec.clone()).collect(),
        observables: equations.observables.iter().map(|(spec, _)| spec.clone()).collect(),
        treatments: equations
            .doses
            .iter()
            .map(|dose| TreatmentSpec {
                kind: dose.kind,
                agent: Some(dose.agent.clone()),
                unit: unit_of(&dose.state),
                target: None,
            })
            .collect(),
    }
}

/// The order in which definitions can be computed, each after those it names; the error is a name that defines itself.
fn order<'a>(definitions: &[(&'a str, &'a Expression)]) -> Result<Vec<usize>, &'a str> {
    let known: BTreeMap<&str, usize> = definitions.iter().enumerate().map(|(index, (name, _))| (*name, index)).collect();
    let needs: Vec<Vec<usize>> = definitions
        .iter()
        .map(|(_, expression)| expression.names().iter().filter_map(|name| known.get(name).copied()).collect())
        .collect();
    let mut needed_by = vec![Vec::new(); definitions.len()];
    for (index, needs) in needs.iter().enumerate() {
        needs.iter().for_each(|need| needed_by[*need].push(index));
    }
    let mut open: Vec<usize> = needs.iter().map(Vec::len).collect();
    // The first in the order of the description first, so that the order is one and the same.
    let mut ready: BTreeSet<usize> = (0..open.len()).filter(|index| open[*index] == 0).collect();
    let mut order = Vec::with_capacity(open.len());
    while let Some(index) = ready.pop_first() {
        order.push(index);
        for &next in &needed_by[index] {
            open[next] -= 1;
            if open[next] == 0 {
                ready.insert(next);
            }
        }
    }
    match open.iter().position(|open| *open > 0) {
        Some(stuck) => Err(definitions.get(stuck).map_or("", |(name, _)| *name)),
        None => Ok(order),
    }
}
