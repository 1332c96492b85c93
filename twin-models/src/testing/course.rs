//! A course driven by hand, what one sees of it, and how two courses compare.

use super::case::Case;
use super::{NEGLIGIBLE, STEPS_OF_TOLERANCE};
use crate::{ModelSpec, Simulation, SimulationError};
use twin_core::{CoreError, Observable, Span, Time, Treatment};

/// What is wrong, in words.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fault(pub(super) String);

impl From<SimulationError> for Fault {
    fn from(error: SimulationError) -> Self {
        Self(format!("the course failed: {error}"))
    }
}

impl From<CoreError> for Fault {
    fn from(error: CoreError) -> Self {
        Self(format!("the case could not be made: {error}"))
    }
}

impl From<String> for Fault {
    fn from(detail: String) -> Self {
        Self(detail)
    }
}

/// A treatment, some days after the start.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Planned {
    pub(super) day: f64,
    pub(super) treatment: Treatment,
}

/// All that can be seen of a course at one time: observables, then states, then values of fields.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Look {
    pub(super) day: f64,
    pub(super) values: Vec<f64>,
    states: usize,
}

impl Look {
    pub(super) fn at(simulation: &dyn Simulation, spec: &ModelSpec, day: f64) -> Self {
        let mut values = vec![f64::NAN; spec.observables.len()];
        simulation.observe(&mut values);
        let state = simulation.state().unwrap_or_default();
        values.extend_from_slice(&state);
        if let Some(fields) = simulation.fields() {
            let scalar = spec.observables.iter().map(|observable| &observable.observable);
            let catalogue = Observable::CATALOGUE.iter().map(|(observable, _)| observable);
            let more = catalogue.filter(|observable| spec.index_of(observable).is_err());
            for field in scalar.chain(more).filter_map(|observable| fields.observe_field(observable)) {
                values.extend_from_slice(field.values());
            }
        }
        Self { day, values, states: state.len() }
    }

    /// Observables only.
    pub(super) fn of_observables(day: f64, values: &[f64]) -> Self {
        Self { day, values: values.to_vec(), states: 0 }
    }

    /// What the value number `index` is.
    fn label(&self, spec: &ModelSpec, index: usize) -> String {
        if let Some(observable) = spec.observables.get(index) {
            return format!("observable `{}`", observable.observable);
        }
        let state = index - spec.observables.len();
        if state >= self.states {
            return format!("field value {}", state - self.states);
        }
        spec.states.get(state).map_or_else(|| format!("state {state}"), |state| format!("state `{}`", state.name))
    }

    /// The absolute tolerance of the value number `index`; none but for states and observables that have one.
    fn absolute_tolerance(&self, spec: &ModelSpec, index: usize) -> f64 {
        if let Some(observable) = spec.observables.get(index) {
            return observable.absolute_tolerance;
        }
        let state = index.checked_sub(spec.observables.len()).filter(|state| *state < self.states);
        state.and_then(|state| spec.states.get(state)).map_or(0.0, |state| state.absolute_tolerance)
    }

    /// The states, if the course offers them.
    pub(super) fn state<'a>(&'a self, spec: &ModelSpec) -> &'a [f64] {
        let from = spec.observables.len();
        self.values.get(from..from + self.states).unwrap_or_default()
    }

    pub(super) fn check_finite(&self, spec: &ModelSpec) -> Result<(), Fault> {
        match self.values.iter().enumerate().find(|(_, value)| !value.is_finite()) {
            Some((index, value)) => Err(format!("{} is {value} after {} days", self.label(spec, index), self.day).into()),
            None => Ok(()),
        }
    }

    pub(super) fn check_bounds(&self, spec: &ModelSpec) -> Result<(), Fault> {
        for (&value, state) in self.state(spec).iter().zip(&spec.states) {
            let slack = super::BOUND_SLACK * state.absolute_tolerance;
            if value < state.low - slack || value > state.high + slack {
                let (name, low, high, day) = (&state.name, state.low, state.high, self.day);
                return Err(format!("state `{name}` is {value:?} after {day} days, outside its bounds [{low}, {high}]").into());
            }
        }
        Ok(())
    }
}

/// A course driven by hand: without hints, treatments given in order, looks taken before treatments at equal times.
pub(super) struct Course<'a> {
    case: &'a Case<'a>,
    start: Time,
    pub(super) simulation: Box<dyn Simulation>,
    pending: std::slice::Iter<'a, Planned>,
    pub(super) looks: Vec<Look>,
}

impl<'a> Course<'a> {
    pub(super) fn begin(case: &'a Case<'a>, start: Time, schedule: &'a [Planned]) -> Result<Self, SimulationError> {
        Ok(Self { case, start, simulation: case.start(start)?, pending: schedule.iter(), looks: Vec::new() })
    }

    /// The course of a `simulation` that has just started at `start`.
    pub(super) fn of(case: &'a Case<'a>, start: Time, schedule: &'a [Planned], simulation: Box<dyn Simulation>) -> Self {
        Self { case, start, simulation, pending: schedule.iter(), looks: Vec::new() }
    }

    /// Goes on to `day` after the start, giving what is due before.
    pub(super) fn go(&mut self, day: f64) -> Result<(), SimulationError> {
        while let Some(due) = self.pending.as_slice().first().filter(|due| due.day < day) {
            self.pending.next();
            self.simulation.advance(self.start + Span::from_days(due.day)?)?;
            self.simulation.treat(&due.treatment)?;
        }
        self.simulation.advance(self.start + Span::from_days(day)?)
    }

    /// Goes on to `day` and looks.
    pub(super) fn look(&mut self, day: f64) -> Result<(), SimulationError> {
        self.go(day)?;
        self.looks.push(Look::at(self.simulation.as_ref(), &self.case.spec, day));
        Ok(())
    }

    /// A fork of the course, with the same treatments to come and nothing seen yet.
    pub(super) fn fork(&self) -> Self {
        let simulation = self.simulation.fork();
        Self { case: self.case, start: self.start, simulation, pending: self.pending.clone(), looks: Vec::new() }
    }
}

impl<'a> Case<'a> {
    /// Lives `schedule` through by hand from `start`, looking after `days`.
    pub(super) fn live(&'a self, start: Time, schedule: &'a [Planned], days: &[f64]) -> Result<Vec<Look>, SimulationError> {
        let mut course = Course::begin(self, start, schedule)?;
        days.iter().try_for_each(|&day| course.look(day))?;
        Ok(course.looks)
    }

    /// Refuses two courses that are not the same to the bit; `what` says what each of them is.
    pub(super) fn same_bits(&self, what: [&str; 2], a: &[Look], b: &[Look]) -> Result<(), Fault> {
        let unlike = |(x, y): (&f64, &f64)| x.to_bits() != y.to_bits();
        for (one, other) in self.paired(a, b)? {
            if let Some(index) = one.values.iter().zip(&other.values).position(unlike) {
                return Err(self.differ(what, one, other, index, "the same bits are required"));
            }
        }
        Ok(())
    }

    /// Refuses two courses that differ by more than the integrator and rounding can explain.
    pub(super) fn agree(&self, what: [&str; 2], a: &[Look], b: &[Look]) -> Result<(), Fault> {
        let scales = scales(a, b);
        for (one, other) in self.paired(a, b)? {
            for (index, (x, y)) in one.values.iter().zip(&other.values).enumerate() {
                let scale = scales.get(index).copied().unwrap_or(0.0);
                let floor = STEPS_OF_TOLERANCE * one.absolute_tolerance(&self.spec, index);
                let limit = self.settings.agreement * scale + floor;
                if (x - y).is_nan() || (x - y).abs() > limit {
                    return Err(self.differ(what, one, other, index, &format!("at most {limit:e} between them is explained")));
                }
            }
        }
        Ok(())
    }

    /// Whether two courses differ anywhere by more than the integrator and rounding can explain, small values included.
    pub(super) fn differs(&self, a: &[Look], b: &[Look]) -> bool {
        let scales = scales(a, b);
        let visible = |one: &Look, index: usize, x: f64, y: f64| {
            let floor = NEGLIGIBLE * scales.get(index).copied().unwrap_or(0.0);
            let floor = floor.max(STEPS_OF_TOLERANCE * one.absolute_tolerance(&self.spec, index));
            (x - y).abs() > self.settings.agreement * x.abs().max(y.abs()) + floor
        };
        a.iter()
            .zip(b)
            .any(|(one, other)| one.values.iter().zip(&other.values).enumerate().any(|(index, (&x, &y))| visible(one, index, x, y)))
    }

    fn paired<'b>(&self, a: &'b [Look], b: &'b [Look]) -> Result<impl Iterator<Item = (&'b Look, &'b Look)>, Fault> {
        let widths = |looks: &[Look]| looks.iter().map(|look| look.values.len()).collect::<Vec<_>>();
        if widths(a) != widths(b) {
            return Err("two courses of one model show different numbers of values".to_owned().into());
        }
        Ok(a.iter().zip(b))
    }

    fn differ(&self, what: [&str; 2], one: &Look, other: &Look, index: usize, rule: &str) -> Fault {
        let value = |look: &Look| look.values.get(index).copied().unwrap_or(f64::NAN);
        let (label, [this, that]) = (one.label(&self.spec, index), what);
        format!("after {} days {label} is {:?} {this}, but {:?} {that}; {rule}", one.day, value(one), value(other)).into()
    }
}

/// The largest finite magnitude that each value reaches.
fn scales(a: &[Look], b: &[Look]) -> Vec<f64> {
    let mut scales = Vec::new();
    for look in a.iter().chain(b) {
        scales.resize(scales.len().max(look.values.len()), 0.0_f64);
        for (scale, value) in scales.iter_mut().zip(&look.values).filter(|(_, value)| value.is_finite()) {
            *scale = scale.max(value.abs());
        }
    }
    scales
}
