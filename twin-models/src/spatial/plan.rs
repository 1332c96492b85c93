//! A course as a list of operations on the field, with the derivatives of their scalars.

use super::cells::{MOST, Trouble};
use super::drug::{Acting, Kill};
use super::growth::Law;
use super::infusion::Infusions;
use super::number::{Dual, Number};
use super::simulation::Course;
use crate::{Scenario, SimulationError};
use twin_core::{Time, Treatment};

/// Growth and kill: the coefficients, and their derivatives with respect to each parameter.
#[derive(Debug, Clone)]
pub(super) struct Flow {
    pub(super) flow: [f64; 2],
    pub(super) derivatives: Vec<[f64; 2]>,
}

/// One operation on the field.
#[derive(Debug, Clone)]
pub(super) enum Op {
    /// Growth and kill.
    Flow(Flow),
    /// Growth and kill, then diffusion over some days; `tau` is the days times the diffusivity.
    Step { flow: Flow, tau: f64, days: f64 },
    /// A fraction by the map of the dose, of so many Gy where it is prescribed.
    Dose(f64),
    /// Surgery by the map of the cavity.
    Cavity(f64),
    /// A look, after operations that only the look sees.
    Look { number: usize, on_the_way: Vec<Op> },
}

/// The same with scalars that carry one derivative.
#[derive(Debug, Clone)]
enum Seeded {
    Flow([Dual; 2]),
    Step([Dual; 2], f64),
    Dose(f64),
    Cavity(f64),
    Look(usize, Vec<Seeded>),
}

/// The operations of the course of `values` through `scenario`.
pub(super) fn plan<L: Law>(course: &Course<L, f64>, values: &[f64], scenario: &Scenario) -> Result<Vec<Op>, SimulationError> {
    let seeded =
        (0..values.len()).map(|seed| Planner::<L>::new(course, values, seed).live(scenario)).collect::<Result<Vec<_>, _>>()?;
    Ok(merged(&seeded, values.first().copied().unwrap_or(0.0)))
}

/// Puts the derivatives of all seeds together.
fn merged(seeded: &[Vec<Seeded>], diffusivity: f64) -> Vec<Op> {
    let first = seeded.first().map(Vec::as_slice).unwrap_or_default();
    let flow_of = |place: usize, flow: &[Dual; 2]| {
        let of = |ops: &Vec<Seeded>| match ops.get(place) {
            Some(Seeded::Flow(flow) | Seeded::Step(flow, _)) => flow.map(|number| number.derivative),
            _ => [f64::NAN; 2],
        };
        Flow { flow: flow.map(|number| number.value), derivatives: seeded.iter().map(of).collect() }
    };
    let merge = |(place, op): (usize, &Seeded)| match op {
        Seeded::Flow(flow) => Op::Flow(flow_of(place, flow)),
        Seeded::Step(flow, days) => Op::Step { flow: flow_of(place, flow), tau: days * diffusivity, days: *days },
        Seeded::Dose(gray) => Op::Dose(*gray),
        Seeded::Cavity(extent) => Op::Cavity(*extent),
        Seeded::Look(number, _) => {
            let inner = |ops: &Vec<Seeded>| match ops.get(place) {
                Some(Seeded::Look(_, inner)) => inner.clone(),
                _ => Vec::new(),
            };
            let inner: Vec<_> = seeded.iter().map(inner).collect();
            Op::Look { number: *number, on_the_way: merged(&inner, diffusivity) }
        }
    };
    first.iter().enumerate().map(merge).collect()
}

/// Goes through a scenario as a [`Course`] does, with scalars only.
struct Planner<'a, L> {
    course: &'a Course<L, f64>,
    of_law: Vec<Dual>,
    radiation: [Dual; 2],
    drugs: Vec<Acting<Dual>>,
    pending: [Dual; 2],
    at: f64,
    anchor: f64,
    steps: f64,
    infusions: Infusions,
    ops: Vec<Seeded>,
}

impl<'a, L: Law> Planner<'a, L> {
    fn new(course: &'a Course<L, f64>, values: &[f64], seed: usize) -> Self {
        let dual = |place: usize| Dual {
            value: values.get(place).copied().unwrap_or(f64::NAN),
            derivative: f64::from(u8::from(place == seed)),
        };
        let count = L::specs().len();
        let mut place = 3 + count;
        let mut next = || {
            place += 1;
            dual(place - 1)
        };
        let drugs = course.is_eliminated().into_iter().map(|eliminated| {
            let kill_rate = next();
            let elimination = if eliminated { next() } else { Dual::constant(0.0) };
            Acting { kill_rate, elimination, amount: Dual::constant(0.0), level: 0.0, rate: 0.0 }
        });
        Self {
            course,
            of_law: (1..=count).map(dual).collect(),
            radiation: [dual(1 + count), dual(2 + count)],
            drugs: drugs.collect(),
            pending: L::IDENTITY.map(Dual::constant),
            at: 0.0,
            anchor: 0.0,
            steps: 0.0,
            infusions: Infusions::default(),
            ops: Vec::new(),
        }
    }

    /// One step of `days` from where the last one ended, and the flow that is left after it.
    fn step(&self, days: f64) -> (Seeded, [Dual; 2]) {
        let half = 0.5 * days;
        let first = L::flow(&self.of_law, &Kill { drugs: &self.drugs, from: 0.0 }, half);
        let second = L::flow(&self.of_law, &Kill { drugs: &self.drugs, from: half }, half);
        (Seeded::Step(L::then(self.pending, first), days), second)
    }

    fn take_step(&mut self, to: f64) {
        let days = to - self.at;
        let (step, pending) = self.step(days);
        self.ops.push(step);
        self.pending = pending;
        for drug in &mut self.drugs {
            drug.amount = drug.amount_after(days);
        }
        self.at = to;
    }

    fn advance(&mut self, target: f64) -> Result<(), SimulationError> {
        while let Some((end, drug)) = self.infusions.next_to_end(target) {
            self.step_to(end)?;
            self.settle(end);
            let rate = self.infusions.end_first(drug);
            if let Some(drug) = self.drugs.get_mut(drug) {
                drug.rate = rate;
            }
        }
        self.step_to(target)
    }

    fn step_to(&mut self, target: f64) -> Result<(), SimulationError> {
        let longest = self.course.prepared().settings.longest_step.days();
        if (target - self.at) / longest > MOST as f64 {
            return Err(self.course.failure(Trouble::TooMany));
        }
        while self.anchor + (self.steps + 1.0) * longest <= target {
            self.take_step(self.anchor + (self.steps + 1.0) * longest);
            self.steps += 1.0;
        }
        Ok(())
    }

    fn settle(&mut self, target: f64) {
        if target > self.at {
            self.take_step(target);
        }
        self.anchor = self.at;
        self.steps = 0.0;
    }

    fn look(&mut self, number: usize, target: f64) {
        let mut on_the_way = Vec::new();
        let mut last = self.pending;
        if target > self.at {
            let (step, pending) = self.step(target - self.at);
            on_the_way.push(step);
            last = pending;
        }
        on_the_way.push(Seeded::Flow(last));
        self.ops.push(Seeded::Look(number, on_the_way));
    }

    /// Applies what is pending, for a treatment that differs from voxel to voxel.
    fn apply_pending(&mut self) {
        self.ops.push(Seeded::Flow(self.pending));
        self.pending = L::IDENTITY.map(Dual::constant);
    }

    fn treat(&mut self, treatment: &Treatment, target: f64) -> Result<(), SimulationError> {
        let (place, amount) = self.course.resolve(treatment)?;
        let prepared = self.course.prepared();
        match treatment {
            Treatment::Fraction(_) if self.radiation[0].value * amount > 0.0 => {
                self.settle(target);
                if prepared.dose.is_some() {
                    self.apply_pending();
                    self.ops.push(Seeded::Dose(amount));
                } else {
                    let ([alpha, ratio], gray) = (self.radiation, Dual::constant(amount));
                    let survival = (-(alpha * gray * (Dual::constant(1.0) + gray / ratio))).exponential();
                    self.pending = L::survived(self.pending, survival);
                }
            }
            Treatment::Surgery { .. } if amount > 0.0 => {
                self.settle(target);
                if prepared.cavity.is_some() {
                    self.apply_pending();
                    self.ops.push(Seeded::Cavity(amount));
                } else {
                    self.pending = L::survived(self.pending, Dual::constant(1.0 - amount));
                }
            }
            Treatment::Bolus { .. } if amount > 0.0 => {
                self.settle(target);
                if let Some(drug) = place.checked_sub(2).and_then(|drug| self.drugs.get_mut(drug)) {
                    drug.amount = drug.amount + Dual::constant(amount);
                }
            }
            Treatment::Infusion { duration, .. } if amount > 0.0 => {
                self.settle(target);
                if let Some(place) = place.checked_sub(2) {
                    let rate = self.infusions.begin(target + duration.days(), place, amount / duration.days());
                    if let Some(drug) = self.drugs.get_mut(place) {
                        drug.rate = rate;
                    }
                }
            }
            Treatment::Continuous { .. } => {
                let level = place.checked_sub(2).and_then(|drug| self.drugs.get(drug)).map_or(0.0, |drug| drug.level);
                if amount.to_bits() != level.to_bits() {
                    self.settle(target);
                    if let Some(drug) = place.checked_sub(2).and_then(|drug| self.drugs.get_mut(drug)) {
                        drug.level = amount;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// As [`run_with`](crate::run_with): looks before treatments at equal times, none of them after the last look.
    fn live(mut self, scenario: &Scenario) -> Result<Vec<Seeded>, SimulationError> {
        scenario.check()?;
        let mut treatments = scenario.treatments.iter().peekable();
        let since = |time: Time| (time - scenario.start).days();
        for (number, &time) in scenario.sampling.iter().enumerate() {
            while let Some(due) = treatments.next_if(|given| given.time < time) {
                self.advance(since(due.time))?;
                self.treat(&due.treatment, since(due.time))?;
            }
            self.advance(since(time))?;
            self.look(number, since(time));
        }
        Ok(self.ops)
    }
}
