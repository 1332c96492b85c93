//! One course of a system of equations: integration from event to event.

use super::system::System;
use crate::solver::{StepFailure, Tolerance, Tsitouras};
use crate::{Parameters, Simulation, SimulationError};
use std::borrow::Cow;
use std::sync::Arc;
use twin_core::{CoreError, Time, Treatment};

/// Steps, and events, that a course may take between two treatments.
const MOST_STEPS: usize = 1_000_000;
/// Events that may happen at one moment.
const MOST_AT_ONCE: usize = 10_000;
/// In how many places of a step what is watched is looked at.
const LOOKS: u32 = 8;

/// An event that is due.
#[derive(Debug, Clone, PartialEq)]
struct Due {
    at: f64,
    event: usize,
    /// What is assigned, if it was computed when the event was triggered.
    values: Option<Vec<f64>>,
}

/// An infusion under way.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Infusion {
    end: f64,
    state: usize,
    rate: f64,
}

/// Times are those of the system, from 0 at the start of the course.
#[derive(Debug, Clone)]
pub(super) struct Course {
    system: Arc<System>,
    origin: Time,
    now: Time,
    /// The table of values now.
    values: Vec<f64>,
    /// A table to compute in.
    scratch: Vec<f64>,
    /// The state now; the solver may stand further on.
    x: Vec<f64>,
    infused: Vec<f64>,
    infusions: Vec<Infusion>,
    due: Vec<Due>,
    /// Which triggers were true when events last happened.
    triggered: Vec<bool>,
    /// What of that which is watched was true then.
    watched: Vec<bool>,
    /// How far the last step holds: to its end, or to the first change of what is watched in it.
    horizon: f64,
    changes: bool,
    stop: Option<Time>,
    steps: usize,
    tolerance: Tolerance<Vec<f64>>,
    solver: Tsitouras<f64, Vec<f64>>,
}

type Done = Result<(), SimulationError>;

impl Course {
    pub(super) fn new(system: &Arc<System>, relative: f64, parameters: &Parameters, at: Time) -> Result<Self, SimulationError> {
        let spec = &system.spec;
        spec.accept(parameters)?;
        let of = |value: fn(&crate::StateSpec) -> f64| spec.states.iter().map(value).collect::<Vec<_>>();
        let tolerance = Tolerance {
            relative,
            absolute: of(|state| state.absolute_tolerance),
            low: of(|state| state.low),
            high: of(|state| state.high),
        };
        let values = system.table(parameters.values());
        let x = system.states_of(&values).to_vec();
        let infused = vec![0.0; x.len()];
        let mut scratch = values.clone();
        let solver = Tsitouras::new(
            0.0,
            x.clone(),
            &mut |t, x: &Vec<f64>, dx: &mut Vec<f64>| system.rates(&mut scratch, t, x, &infused, dx),
            &tolerance,
        );
        let mut course = Self {
            system: Arc::clone(system),
            origin: at,
            now: at,
            values,
            scratch,
            infused,
            infusions: Vec::new(),
            due: Vec::new(),
            triggered: system.events.iter().map(|event| event.true_before).collect(),
            horizon: 0.0,
            watched: vec![false; system.events.iter().map(|event| event.watched.len()).sum()],
            changes: !system.events.is_empty(),
            stop: None,
            steps: 0,
            tolerance,
            x,
            solver,
        };
        course.check()?;
        course.cross_all(0.0)?;
        course.look(0.0);
        Ok(course)
    }

    fn time(&self, at: Time) -> f64 {
        self.system.time(self.origin, at)
    }

    fn check(&self) -> Done {
        self.tolerance.check(&self.x).map_err(|failure| self.failure(failure))
    }

    fn failure(&self, failure: StepFailure) -> SimulationError {
        let spec = &self.system.spec;
        let (model, day) = (spec.id.clone(), self.origin.days() + self.solver.end() / self.system.units_per_day);
        let name = |index: usize| spec.states.get(index).map_or_else(|| index.to_string(), |state| state.name.to_string());
        match failure {
            StepFailure::NotFinite(index, value) => SimulationError::NotFinite { model, state: name(index), value, day },
            StepFailure::OutOfBounds(index, value) => {
                let bounds = spec.states.get(index).map(|state| (state.low, state.high));
                let (low, high) = bounds.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
                SimulationError::OutOfBounds { model, state: name(index), value, low, high, day }
            }
            StepFailure::TooSmall(index) => SimulationError::StepTooSmall { model, state: name(index), day },
        }
    }

    fn count_step(&mut self) -> Done {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            let day = self.origin.days() + self.horizon / self.system.units_per_day;
            return Err(SimulationError::TooManySteps { model: self.system.spec.id.clone(), limit: MOST_STEPS, day });
        }
        Ok(())
    }

    /// One step, not beyond `limit` nor beyond what is due, and the first change of what is watched in it.
    fn step(&mut self, limit: f64) -> Done {
        self.count_step()?;
        let from = self.solver.end();
        let next = |times: &mut dyn Iterator<Item = f64>| times.filter(|time| *time > from).fold(f64::INFINITY, f64::min);
        let limit = limit
            .min(next(&mut self.due.iter().map(|due| due.at)))
            .min(next(&mut self.infusions.iter().map(|infusion| infusion.end)));
        let Self { system, solver, scratch, infused, tolerance, .. } = self;
        let mut rates = |t: f64, x: &Vec<f64>, dx: &mut Vec<f64>| system.rates(scratch, t, x, infused, dx);
        let stepped = solver.step(&mut rates, tolerance, limit);
        stepped.map_err(|failure| self.failure(failure))?;
        self.horizon = self.solver.end();
        self.changes = false;
        if self.system.events.is_empty() {
            return Ok(());
        }
        let length = self.horizon - from;
        let mut before = from;
        for look in 1..=LOOKS {
            let at = if look == LOOKS { self.horizon } else { from + length * f64::from(look) / f64::from(LOOKS) };
            if self.differs(at) {
                self.horizon = self.first_difference(before, at);
                self.changes = true;
                return Ok(());
            }
            before = at;
        }
        Ok(())
    }

    /// Whether anything watched at `at`, inside the last step, is other than where the step began.
    fn differs(&mut self, at: f64) -> bool {
        self.solver.interpolate(at, &mut self.x);
        self.system.fill(&mut self.scratch, at, &self.x);
        let values = &self.scratch;
        let watched = self.system.events.iter().flat_map(|event| &event.watched);
        watched.zip(&self.watched).any(|(watched, was)| watched.holds(values) != *was)
    }

    /// The earliest time at which anything watched differs, between one at which nothing does and one at which something does.
    fn first_difference(&mut self, mut same: f64, mut other: f64) -> f64 {
        loop {
            let middle = same + 0.5 * (other - same);
            if !(same < middle && middle < other) {
                return other;
            }
            if self.differs(middle) {
                other = middle;
            } else {
                same = middle;
            }
        }
    }

    /// Whether something happens at the horizon.
    fn happens(&self) -> bool {
        self.changes
            || self.due.iter().any(|due| due.at <= self.horizon)
            || self.infusions.iter().any(|infusion| infusion.end <= self.horizon)
    }

    /// Lets happen what happens at the horizon, as long as it lies at or before `to`.
    fn cross_all(&mut self, to: f64) -> Done {
        while self.horizon <= to && self.happens() {
            self.count_step()?;
            let at = self.horizon;
            self.solver.interpolate(at, &mut self.x);
            self.infusions.retain(|infusion| infusion.end > at);
            self.sum_infusions();
            self.restart(at)?;
        }
        Ok(())
    }

    /// Goes on from the state `x` at `at`, after the events that it triggers.
    fn restart(&mut self, at: f64) -> Done {
        self.run_events(at)?;
        self.check()?;
        let Self { system, solver, scratch, infused, tolerance, x, .. } = self;
        let mut rates = |t: f64, x: &Vec<f64>, dx: &mut Vec<f64>| system.rates(scratch, t, x, infused, dx);
        solver.jump(at, x, &mut rates, tolerance);
        self.horizon = at;
        self.changes = false;
        Ok(())
    }

    fn sum_infusions(&mut self) {
        self.infused.fill(0.0);
        for infusion in &self.infusions {
            self.infused[infusion.state] += infusion.rate;
        }
    }

    /// Triggers events at `at` and executes what is due, the highest priority first, until nothing is due.
    fn run_events(&mut self, at: f64) -> Done {
        for _ in 0..MOST_AT_ONCE {
            self.system.fill(&mut self.scratch, at, &self.x);
            self.trigger(at)?;
            let priority = |due: &Due| {
                let event = self.system.events.get(due.event)?;
                event.priority.as_ref().map(|priority| priority.value(&self.scratch))
            };
            let now = self.due.iter().enumerate().filter(|(_, due)| due.at <= at);
            // The first of equal ones: `max_by` would give the last.
            let next = now.rev().max_by(|(_, a), (_, b)| {
                priority(a).unwrap_or(f64::NEG_INFINITY).total_cmp(&priority(b).unwrap_or(f64::NEG_INFINITY))
            });
            let Some((index, _)) = next else { return Ok(()) };
            let Due { event, values, .. } = self.due.remove(index);
            let system = Arc::clone(&self.system);
            let Some(event) = system.events.get(event) else { continue };
            let values = values.unwrap_or_else(|| event.assignments.iter().map(|(_, value)| value.value(&self.scratch)).collect());
            for ((state, _), value) in event.assignments.iter().zip(values) {
                self.x[*state] = value;
            }
        }
        let day = self.origin.days() + at / self.system.units_per_day;
        Err(SimulationError::TooManySteps { model: self.system.spec.id.clone(), limit: MOST_AT_ONCE, day })
    }

    /// Notes which triggers became true or false, for the values in `scratch`.
    fn trigger(&mut self, at: f64) -> Done {
        let system = Arc::clone(&self.system);
        let watched = system.events.iter().flat_map(|event| &event.watched);
        self.watched.iter_mut().zip(watched).for_each(|(held, watched)| *held = watched.holds(&self.scratch));
        for (index, event) in system.events.iter().enumerate() {
            let holds = event.trigger.holds(&self.scratch);
            let held = std::mem::replace(&mut self.triggered[index], holds);
            if holds && !held {
                let delay = event.delay.as_ref().map_or(0.0, |delay| delay.value(&self.scratch));
                if !(delay >= 0.0 && delay.is_finite()) {
                    let (model, state) = (system.spec.id.clone(), format!("delay of event {}", event.name));
                    let day = self.origin.days() + at / system.units_per_day;
                    let (low, high) = (0.0, f64::MAX);
                    return Err(SimulationError::OutOfBounds { model, state, value: delay, low, high, day });
                }
                let values = event.assignments.iter().map(|(_, value)| value.value(&self.scratch));
                let values = event.values_from_trigger.then(|| values.collect());
                self.due.push(Due { at: at + delay, event: index, values });
            } else if held && !holds && !event.persistent {
                self.due.retain(|due| due.event != index);
            }
        }
        Ok(())
    }

    /// Brings the state and the table to `at`, inside the last step.
    fn look(&mut self, at: f64) {
        self.solver.interpolate(at, &mut self.x);
        self.system.fill(&mut self.values, at, &self.x);
    }

    /// Steps to `to`, and never beyond `limit`.
    fn go(&mut self, to: f64, limit: f64) -> Done {
        self.cross_all(to)?;
        while self.horizon < to {
            self.step(limit)?;
            self.cross_all(to)?;
        }
        self.look(to);
        Ok(())
    }

    /// Takes back the part of the last step that lies after now.
    fn rewind_to_now(&mut self) -> Done {
        let now = self.time(self.now);
        if self.solver.end() > now {
            self.solver.undo();
            self.horizon = self.solver.end();
            self.changes = false;
            self.go(now, now)?;
        }
        Ok(())
    }

    fn give(&mut self, treatment: &Treatment) -> Done {
        let system = Arc::clone(&self.system);
        let place = system.spec.place_of(treatment).ok_or_else(|| system.spec.refusal(treatment, self.now))?;
        let input = system.inputs.get(place).ok_or_else(|| system.spec.refusal(treatment, self.now))?;
        let invalid = |source| {
            let (model, treatment) = (system.spec.id.clone(), treatment.to_string());
            SimulationError::InvalidDose { model, treatment, at: self.now, source }
        };
        let (dose, duration) = match treatment {
            Treatment::Bolus { dose, .. } | Treatment::Oral { dose, .. } => (dose, None),
            Treatment::Infusion { dose, duration, .. } => (dose, Some(*duration)),
            _ => return Err(system.spec.refusal(treatment, self.now)),
        };
        let amount = dose.unit().convert(dose.value(), &input.unit).map_err(invalid)?;
        if amount < 0.0 {
            return Err(invalid(CoreError::OutOfRange { what: "dose", value: amount, valid: "0 or more" }));
        }
        let now = self.time(self.now);
        let infusion = duration.map(|duration| {
            let end = now + duration.days() * system.units_per_day;
            Infusion { end, state: input.state, rate: amount / (end - now) }
        });
        if let Some(infusion) = infusion
            && !(infusion.end > now && infusion.rate.is_finite())
        {
            let valid = "long enough for the clock to tell its end from its beginning (give a bolus instead)";
            let value = duration.map_or(0.0, twin_core::Span::days);
            return Err(invalid(CoreError::OutOfRange { what: "infusion duration in days", value, valid }));
        }
        if amount > 0.0 {
            self.rewind_to_now()?;
            match infusion {
                Some(infusion) => self.infusions.push(infusion),
                None => self.x[input.state] += amount,
            }
            self.sum_infusions();
            self.steps = 0;
            self.restart(now)?;
            self.look(now);
        }
        Ok(())
    }
}

impl Simulation for Course {
    fn now(&self) -> Time {
        self.now
    }

    fn advance(&mut self, to: Time) -> Result<(), SimulationError> {
        if to < self.now {
            return Err(SimulationError::Backward { model: self.system.spec.id.clone(), now: self.now, to });
        }
        let at = self.time(to);
        let stop = self.stop.map(|stop| self.time(stop)).filter(|stop| *stop >= at);
        self.go(at, stop.unwrap_or(f64::INFINITY))?;
        self.now = to;
        Ok(())
    }

    fn treat(&mut self, treatment: &Treatment) -> Result<(), SimulationError> {
        self.give(treatment)
    }

    fn observe(&self, y: &mut [f64]) {
        self.system.observe(&self.values, y);
    }

    fn fork(&self) -> Box<dyn Simulation> {
        Box::new(self.clone())
    }

    fn expect_stop(&mut self, stop: Time) {
        self.stop = Some(stop);
    }

    fn state(&self) -> Option<Cow<'_, [f64]>> {
        Some(Cow::Borrowed(&self.x))
    }
}
