//! Resistance that arises by mutation: its probability in closed form, and paths of it.

use crate::check::{not_negative, positive, within};
use crate::special::poisson;
use crate::{Model, ModelSpec, ParameterSet, Parameters, Simulation, SimulationError, Source, parameters};
use std::borrow::Cow;
use std::sync::Arc;
use twin_core::{Agent, CoreError, Observable, Random, Time, Treatment};

const CHOICE: Source = Source::assumed("a choice; fit it to the disease");
const BOZIC: Source = Source::unconfirmed("Bozic et al. 2013, doi:10.7554/eLife.00747, recalled");

/// The probability that a tumor which grew to `size` cells holds a resistant one: `1 - exp(-M u F)`, with the mutation rate `u` per
/// division and `F = (b/d) ln(1/(1 - d/b))` for mutants that divide and die as the others do, `d/b` being `death_to_birth`.
///
/// Iwasa, Nowak and Michor 2006, doi:10.1534/genetics.105.049791.
///
/// ```
/// use twin_models::clones::resistance_probability;
/// assert!((resistance_probability(1e9, 1e-9, 0.9)? - 0.922_574).abs() < 1e-6);
/// # Ok::<(), twin_core::CoreError>(())
/// ```
///
/// # Errors
/// [`CoreError`] for a size or a rate that is negative or not finite, or a ratio that is not in [0, 1).
pub fn resistance_probability(size: f64, mutation_rate: f64, death_to_birth: f64) -> Result<f64, CoreError> {
    let size = not_negative("number of cells", size)?;
    let rate = not_negative("mutation rate per division", mutation_rate)?;
    let holds = (0.0..1.0).contains(&death_to_birth);
    let ratio = within("ratio of death to birth", death_to_birth, holds, "at least 0 and below 1")?;
    let factor = if ratio > 0.0 { -(-ratio).ln_1p() / ratio } else { 1.0 };
    Ok(-(-size * rate * factor).exp_m1())
}

/// Whether a tumor that grows from one sensitive cell to `size` sensitive cells holds a resistant one then: one path, exact, of a process
/// in which a daughter mutates with `mutation_rate` and resistant cells divide and die as sensitive ones do. Tumors that die out before are
/// started again.
///
/// Only the order of events matters for this question, not their times, so the embedded chain is drawn. A path takes its randomness from
/// `random` alone: give each path a stream of its own, and the same paths come from any number of threads.
///
/// # Errors
/// [`CoreError`] for a size of 0, a rate outside [0, 1], or a ratio that is not in [0, 1).
pub fn resistance_at_size(size: u64, mutation_rate: f64, death_to_birth: f64, random: &mut Random) -> Result<bool, CoreError> {
    positive("number of cells", size as f64)?;
    let rate = within("mutation rate per division", mutation_rate, (0.0..=1.0).contains(&mutation_rate), "0 to 1")?;
    let holds = (0.0..1.0).contains(&death_to_birth);
    let ratio = within("ratio of death to birth", death_to_birth, holds, "at least 0 and below 1")?;
    let birth = 1.0 / (1.0 + ratio);
    loop {
        let (mut sensitive, mut resistant) = (1_u64, 0_u64);
        while sensitive > 0 && sensitive < size {
            // One number tells whose event it is and, from what is left of it, which.
            let place = random.uniform() * (sensitive + resistant) as f64;
            if place < sensitive as f64 {
                let event = place / sensitive as f64;
                if event < birth * rate {
                    resistant += 1;
                } else if event < birth {
                    sensitive += 1;
                } else {
                    sensitive -= 1;
                }
            } else if place - sensitive as f64 <= birth * resistant as f64 {
                resistant += 1;
            } else {
                resistant -= 1;
            }
        }
        if sensitive >= size {
            return Ok(resistant > 0);
        }
    }
}

parameters! {
    /// Parameters of [`BirthDeathMutation`].
    pub struct BirthDeathMutationParameters {
        birth_rate: "/d" in 0.01..=0.5, default 0.14, "Rate at which a cell divides", BOZIC;
        death_rate: "/d" in 0.0..=0.4, default 0.13, "Rate at which a cell dies", BOZIC;
        mutation_rate: "1" in 0.0..=0.01, default 1e-4, "Share of divisions of sensitive cells with a resistant daughter", CHOICE;
        kill_rate: "/d" in 0.01..=1.0, default 0.1, "Rate at which continuous therapy kills sensitive cells, at full dose", CHOICE;
        capacity: "1" in 1e3..=1e7, default 1e5, "Number of cells at which crowding stops growth", CHOICE;
        initial_sensitive: "1" in 1.0..=1e5, default 1e4, "Sensitive cells at the start, rounded", CHOICE;
        initial_resistant: "1" in 0.0..=1e3, default 0.0, "Resistant cells at the start, rounded", CHOICE;
    }
}

/// Sensitive and resistant cells that divide, die and mutate one by one (Gillespie), or by leaps where there are many.
///
/// # Equation
/// A cell divides at `b (1 - n/K)` (not above `K`) and dies at `d`, a sensitive one also at `kill` times the intensity; of a division of
/// a sensitive cell the share `u` yields a resistant daughter. Exact up to 200 expected events a day; beyond, leaps in which a
/// cell has an expected 0.03 events and numbers of events are Poisson ones (tau-leaping).
///
/// # States
/// `sensitive`, `resistant`: numbers of cells.
///
/// # Treatments
/// Continuous therapy.
///
/// # Assumptions
/// Well mixed; no reversion; mutation at division alone.
///
/// # Valid for
/// The probability and the time of resistance of small tumors and rests, path by path.
///
/// # Source
/// Gillespie 1977, doi:10.1021/j100540a008, and 2001, doi:10.1063/1.1378322.
#[derive(Debug, Clone)]
pub struct BirthDeathMutation {
    spec: Arc<ModelSpec>,
}

impl BirthDeathMutation {
    /// The model under continuous therapy with `agent`.
    ///
    /// # Errors
    /// None: the names of the observables are valid.
    pub fn new(agent: &Agent) -> Result<Self, CoreError> {
        let title = "Cells that divide, die and become resistant, one by one";
        let spec = ModelSpec::new::<BirthDeathMutationParameters>("birth_death_mutation", title, BOZIC)
            .state("sensitive", "1", 1e-3)
            .state("resistant", "1", 1e-3)
            .observes(Observable::new("tumor_cells")?, "1")
            .observes(Observable::new("resistant_cells")?, "1")
            .understands_continuous(agent);
        Ok(Self { spec: Arc::new(spec) })
    }
}

impl Model for BirthDeathMutation {
    fn spec(&self) -> &Arc<ModelSpec> {
        &self.spec
    }

    fn start(&self, parameters: &Parameters, at: Time, random: &mut Random) -> Result<Box<dyn Simulation>, SimulationError> {
        self.spec.accept(parameters)?;
        let p = BirthDeathMutationParameters::from_values(parameters.values()).ok_or_else(|| {
            let detail = "its parameter struct does not match its specification".to_owned();
            SimulationError::Specification { model: self.spec.id.clone(), detail }
        })?;
        let mut path = Path {
            spec: Arc::clone(&self.spec),
            cells: [p.initial_sensitive.round(), p.initial_resistant.round()],
            p,
            random: Random::new(random.bits()),
            start: at,
            stands: at,
            now: 0.0,
            intensity: 0.0,
            next: Next { at: f64::INFINITY, leap: None },
        };
        path.plan();
        Ok(Box::new(path))
    }
}

/// What happens next, and when (days since the start): one event, or a leap of this length.
#[derive(Debug, Clone, Copy)]
struct Next {
    at: f64,
    leap: Option<f64>,
}

#[derive(Debug, Clone)]
struct Path {
    spec: Arc<ModelSpec>,
    p: BirthDeathMutationParameters,
    cells: [f64; 2],
    random: Random,
    start: Time,
    /// Where the course stands.
    stands: Time,
    /// Days since the start that events have been drawn up to.
    now: f64,
    intensity: f64,
    next: Next,
}

/// The greatest rate of events per day that is followed one by one, and the expected events per cell of a leap beyond.
const EXACT_RATE: f64 = 200.0;
const EVENTS_PER_CELL: f64 = 0.03;

impl Path {
    /// Rates of: birth without and with mutation, death of sensitive ones, birth and death of resistant ones.
    fn rates(&self) -> [f64; 5] {
        let [sensitive, resistant] = self.cells;
        let birth = self.p.birth_rate * (1.0 - (sensitive + resistant) / self.p.capacity).max(0.0);
        let death = self.p.death_rate + self.p.kill_rate * self.intensity;
        let u = self.p.mutation_rate;
        [birth * (1.0 - u) * sensitive, birth * u * sensitive, death * sensitive, birth * resistant, self.p.death_rate * resistant]
    }

    fn plan(&mut self) {
        let total: f64 = self.rates().iter().sum();
        self.next = if total > EXACT_RATE {
            let length = EVENTS_PER_CELL / (self.p.birth_rate + self.p.death_rate + self.p.kill_rate * self.intensity);
            Next { at: self.now + length, leap: Some(length) }
        } else if total > 0.0 {
            Next { at: self.now + self.random.exponential() / total, leap: None }
        } else {
            Next { at: f64::INFINITY, leap: None }
        };
    }

    fn happen(&mut self) {
        self.now = self.next.at;
        match self.next.leap {
            Some(length) => self.leap(length),
            None => self.event(),
        }
        self.plan();
    }

    fn event(&mut self) {
        const CHANGES: [[f64; 2]; 5] = [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]];
        let rates = self.rates();
        let mut left = self.random.uniform() * rates.iter().sum::<f64>();
        let mut chosen = None;
        for (rate, change) in rates.iter().zip(CHANGES) {
            if *rate > 0.0 {
                chosen = Some(change);
                if left < *rate {
                    break;
                }
                left -= rate;
            }
        }
        for (cells, change) in self.cells.iter_mut().zip(chosen.unwrap_or_default()) {
            *cells += change;
        }
    }

    fn leap(&mut self, length: f64) {
        let [born, mutated, died, resistant_born, resistant_died] =
            self.rates().map(|rate| poisson(rate * length, &mut self.random));
        let [sensitive, resistant] = self.cells;
        // A leap is short against the rates: more deaths than cells happen only to the last few.
        self.cells = [(sensitive - died).max(0.0) + born, (resistant - resistant_died).max(0.0) + mutated + resistant_born];
    }
}

impl Simulation for Path {
    fn now(&self) -> Time {
        self.stands
    }

    fn advance(&mut self, to: Time) -> Result<(), SimulationError> {
        if to < self.stands {
            return Err(SimulationError::Backward { model: self.spec.id.clone(), now: self.stands, to });
        }
        let day = (to - self.start).days();
        while self.next.at <= day {
            self.happen();
        }
        self.stands = to;
        Ok(())
    }

    fn treat(&mut self, treatment: &Treatment) -> Result<(), SimulationError> {
        let Treatment::Continuous { intensity, .. } = treatment else {
            return Err(self.spec.refusal(treatment, self.stands));
        };
        self.spec.place_of(treatment).ok_or_else(|| self.spec.refusal(treatment, self.stands))?;
        let intensity = intensity.value();
        if intensity.to_bits() != self.intensity.to_bits() {
            let day = (self.stands - self.start).days();
            // What is left of a leap is made at the old rates; a single event that has not come has no memory.
            if self.next.leap.is_some() {
                self.leap(day - self.now);
            }
            self.now = day;
            self.intensity = intensity;
            self.plan();
        }
        Ok(())
    }

    fn observe(&self, y: &mut [f64]) {
        let [sensitive, resistant] = self.cells;
        y.iter_mut().zip([sensitive + resistant, resistant]).for_each(|(place, value)| *place = value);
    }

    fn fork(&self) -> Box<dyn Simulation> {
        Box::new(self.clone())
    }

    fn state(&self) -> Option<Cow<'_, [f64]>> {
        Some(Cow::Borrowed(&self.cells))
    }
}
