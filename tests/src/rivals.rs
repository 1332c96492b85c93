//! The course that rivals are raced on: drug, tumor and immune cells over a year, thirteen doses, looked at daily.

use std::sync::Arc;
use twin_core::{Agent, Observable, Quantity, Time, TimedTreatment, Treatment};
use twin_models::{
    Dynamics, Exposure, Given, Input, ModelSpec, Ode, Refused, Scalar, Scenario, SimulationError, Source, TreatmentKind, parameters,
};

/// How many doses are given.
pub const DOSES: u32 = 13;
/// Days from one dose to the next.
pub const INTERVAL: u32 = 28;
/// The last day that is looked at.
pub const DAYS: u32 = 365;
/// The amount of each dose.
pub const DOSE: f64 = 1.0;
/// The state at the start: drug, tumor, immune cells.
pub const START: [f64; 3] = [0.0, 0.1, 0.2];

const MADE_UP: Source = Source::assumed("made up for the race");

parameters! {
    /// Parameters of [`Race`].
    pub struct RaceParameters {
        elimination: "/d" in 0.01..=10.0, default 0.6, "Elimination rate of the drug", MADE_UP;
        growth: "/d" in 1e-3..=1.0, default 0.05, "Growth rate of the tumor", MADE_UP;
        kill: "/d" in 0.0..=10.0, default 0.35, "Kill rate by one unit of drug", MADE_UP;
        immune_kill: "/d" in 0.0..=10.0, default 0.04, "Kill rate by one unit of immune cells", MADE_UP;
        recruitment: "/d" in 0.0..=1.0, default 0.02, "Recruitment of immune cells", MADE_UP;
        stimulation: "/d" in 0.0..=1.0, default 0.15, "Stimulation of immune cells by the tumor", MADE_UP;
        half_stimulation: "1" in 0.01..=10.0, default 0.3, "Tumor at half the stimulation", MADE_UP;
        decay: "/d" in 1e-3..=1.0, default 0.08, "Decay of immune cells", MADE_UP;
        depletion: "/d" in 0.0..=10.0, default 0.2, "Depletion of immune cells by one unit of drug", MADE_UP;
    }
}

impl RaceParameters {
    /// The defaults.
    pub const DEFAULT: Self = Self {
        elimination: 0.6,
        growth: 0.05,
        kill: 0.35,
        immune_kill: 0.04,
        recruitment: 0.02,
        stimulation: 0.15,
        half_stimulation: 0.3,
        decay: 0.08,
        depletion: 0.2,
    };
}

impl<T: Scalar> RaceParameters<T> {
    /// The right-hand side, shared by every contestant written in Rust.
    #[inline(always)]
    #[must_use]
    pub fn rates(&self, [drug, tumor, immune]: [T; 3]) -> [T; 3] {
        let stimulated = self.stimulation * immune * tumor / (self.half_stimulation + tumor);
        [
            -self.elimination * drug,
            self.growth * tumor * (T::from(1.0) - tumor) - self.kill * drug * tumor - self.immune_kill * immune * tumor,
            self.recruitment + stimulated - self.decay * immune - self.depletion * drug * immune,
        ]
    }
}

/// Our entry.
#[derive(Debug, Clone)]
pub struct Race {
    spec: Arc<ModelSpec>,
}

const DRUG: Input = Input::new(0);

impl Race {
    /// The model, at a relative tolerance.
    ///
    /// # Errors
    /// None: the drug's name is valid.
    pub fn model(relative_tolerance: f64) -> Result<Ode<Self>, SimulationError> {
        let spec = ModelSpec::new::<RaceParameters>("race", "Drug, tumor and immune cells", MADE_UP)
            .state("drug", "1", 1e-3 * relative_tolerance)
            .state("tumor", "1", 1e-3 * relative_tolerance)
            .state("immune", "1", 1e-3 * relative_tolerance)
            .observes(Observable::TUMOR_BURDEN, "1")
            .understands_drug(TreatmentKind::Bolus, &Agent::new("drug")?, "1");
        Ok(Ode::new(Self { spec: Arc::new(spec) }).with_relative_tolerance(relative_tolerance))
    }

    /// Thirteen doses, daily looks.
    ///
    /// # Errors
    /// None: every number is valid.
    pub fn scenario() -> Result<Scenario, SimulationError> {
        let mut treatments = Vec::new();
        for number in 0..DOSES {
            let dose = Treatment::bolus(Agent::new("drug")?, Quantity::new(DOSE, "1")?)?;
            treatments.push(TimedTreatment::new(Time::from_days(f64::from(number * INTERVAL))?, dose));
        }
        let days = (0..=DAYS).map(|day| Time::from_days(f64::from(day))).collect::<Result<Vec<_>, _>>()?;
        Ok(Scenario::starting(Time::ORIGIN).treated(treatments).sampled(days))
    }
}

impl Dynamics for Race {
    type State = [f64; 3];
    type Parameters = RaceParameters;

    fn spec(&self) -> &Arc<ModelSpec> {
        &self.spec
    }

    fn initial<T: Scalar>(&self, _p: &RaceParameters<T>) -> [T; 3] {
        START.map(T::from)
    }

    #[inline]
    fn rates<T: Scalar>(&self, _t: T, x: &[T; 3], _exposure: &Exposure<T>, p: &RaceParameters<T>, dx: &mut [T; 3]) {
        *dx = p.rates(*x);
    }

    fn observe<T: Scalar>(&self, x: &[T; 3], _p: &RaceParameters<T>, y: &mut [T]) {
        y[0] = x[1];
    }

    fn treat<T: Scalar>(&self, given: Given<T>, _p: &RaceParameters<T>, x: &mut [T; 3]) -> Result<(), Refused> {
        if given.input != DRUG {
            return Err(Refused);
        }
        x[0] += given.amount;
        Ok(())
    }
}

/// The tumor on every day, by the classical Runge-Kutta method of order 4 at a fixed step of 1/256 day: the truth that every contestant
/// is held against, made by none of them. At equal times one looks first and treats then.
#[must_use]
pub fn truth() -> Vec<f64> {
    let p = RaceParameters::DEFAULT;
    let (mut x, steps) = (START, 256);
    let h = 1.0 / f64::from(steps);
    let shift = |x: [f64; 3], k: [f64; 3], h: f64| [x[0] + h * k[0], x[1] + h * k[1], x[2] + h * k[2]];
    let mut days = Vec::new();
    for day in 0..=DAYS {
        days.push(x[1]);
        if day % INTERVAL == 0 && day < DOSES * INTERVAL {
            x[0] += DOSE;
        }
        for _ in 0..steps {
            let k1 = p.rates(x);
            let k2 = p.rates(shift(x, k1, 0.5 * h));
            let k3 = p.rates(shift(x, k2, 0.5 * h));
            let k4 = p.rates(shift(x, k3, h));
            for i in 0..3 {
                x[i] += h / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]);
            }
        }
    }
    days
}

/// The largest relative error of `days` against `truth`; infinite if they do not match in number or are not finite.
#[must_use]
pub fn largest_error(days: &[f64], truth: &[f64]) -> f64 {
    if days.len() != truth.len() || days.iter().any(|value| !value.is_finite()) {
        return f64::INFINITY;
    }
    days.iter().zip(truth).map(|(ours, truth)| (ours / truth - 1.0).abs()).fold(0.0, f64::max)
}
