//! The cases that a law is checked in: parameters, treatments and a seed.

use super::course::{Fault, Planned};
use super::{SURGERY_EXTENT, Settings, Violation};
use crate::{Model, ModelSpec, ParameterSpec, Parameters, Simulation, SimulationError, TreatmentKind, TreatmentSpec};
use proptest::collection::vec;
use proptest::strategy::{BoxedStrategy, Just, Strategy, Union, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::sync::Arc;
use twin_core::{
    AbsorbedDose, Agent, CoreError, Proportion, Quantity, Random, Span, Target, Time, TimedTreatment, Treatment, Unit,
};

/// Doses fall on this many moments of a course, equally spaced, or between them.
pub(super) const SLOTS: u32 = 24;
/// One looks at every second slot, so that half of the doses on slots fall on a look.
pub(super) const LOOKS: u32 = 12;
const MOST_DOSES: usize = 6;
const MOST_SHRINKS: usize = 200;
/// Infusions last from an hour to two weeks, or to a tenth of a shorter course.
const LONGEST_INFUSION_DAYS: f64 = 14.0;
const SHORTEST_INFUSION_DAYS: f64 = 1.0 / 24.0;

/// A dose: which treatment of the specification, when as a share of the course, how much as a share of the full dose, and how long
/// (from 0, the shortest, to 1, the longest infusion).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Dose {
    pub(super) place: usize,
    pub(super) at: f64,
    pub(super) share: f64,
    pub(super) length: f64,
}

impl Dose {
    pub(super) fn full(place: usize, slot: f64) -> Self {
        Self { place, at: slot / f64::from(SLOTS), share: 1.0, length: 0.5 }
    }
}

/// A case before it is bound to a model.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    pub(super) values: Vec<f64>,
    pub(super) doses: Vec<Dose>,
    pub(super) seed: u64,
}

/// A model with parameters, doses and a seed.
pub(super) struct Case<'a> {
    pub(super) model: &'a dyn Model,
    pub(super) settings: &'a Settings,
    pub(super) spec: Arc<ModelSpec>,
    pub(super) parameters: Parameters,
    pub(super) doses: Vec<Dose>,
    pub(super) seed: u64,
}

impl<'a> Case<'a> {
    pub(super) fn new(model: &'a dyn Model, settings: &'a Settings, plan: &Plan) -> Result<Self, SimulationError> {
        if !settings.horizon.is_positive() {
            let (what, value) = ("the horizon of the settings, in days,", settings.horizon.days());
            return Err(CoreError::OutOfRange { what, value, valid: "longer than nothing" }.into());
        }
        let spec = Arc::clone(model.spec());
        let parameters = spec.values(plan.values.clone())?;
        Ok(Self { model, settings, spec, parameters, doses: plan.doses.clone(), seed: plan.seed })
    }

    /// The defaults, untreated.
    pub(super) fn defaults(law: &'static str, model: &'a dyn Model, settings: &'a Settings) -> Result<Self, Violation> {
        let values = model.spec().parameters.iter().map(|parameter| parameter.default).collect();
        let plan = Plan { values, doses: Vec::new(), seed: settings.seed };
        Self::new(model, settings, &plan).map_err(|error| plan.violation(law, model, settings, error.into()))
    }

    pub(super) fn random(&self) -> Random {
        Random::new(self.seed)
    }

    pub(super) fn start(&self, at: Time) -> Result<Box<dyn Simulation>, SimulationError> {
        self.model.start(&self.parameters, at, &mut self.random())
    }

    /// The horizon in days.
    pub(super) fn horizon(&self) -> f64 {
        self.settings.horizon.days()
    }

    /// When one looks, in days from the start.
    pub(super) fn looks(&self) -> Vec<f64> {
        (0..=LOOKS).map(|look| self.horizon() * (f64::from(look) / f64::from(LOOKS))).collect()
    }

    /// The doses, in order of time, those at equal times as they were drawn.
    pub(super) fn schedule(&self) -> Result<Vec<Planned>, CoreError> {
        self.schedule_of(&self.doses)
    }

    pub(super) fn schedule_of(&self, doses: &[Dose]) -> Result<Vec<Planned>, CoreError> {
        planned(&self.spec, self.settings, doses)
    }

    /// The violation of `law` in this case, with `schedule` for its treatments.
    pub(super) fn violation(&self, law: &'static str, schedule: &[Planned], fault: Fault) -> Violation {
        violation(law, &self.spec, (self.parameters.values(), self.seed), schedule, fault)
    }
}

impl Plan {
    fn violation(&self, law: &'static str, model: &dyn Model, settings: &Settings, fault: Fault) -> Violation {
        let schedule = planned(model.spec(), settings, &self.doses).unwrap_or_default();
        violation(law, model.spec(), (&self.values, self.seed), &schedule, fault)
    }
}

fn violation(law: &'static str, spec: &ModelSpec, (values, seed): (&[f64], u64), schedule: &[Planned], fault: Fault) -> Violation {
    let timed = |dose: &Planned| Time::from_days(dose.day).ok().map(|time| TimedTreatment::new(time, dose.treatment.clone()));
    Violation {
        model: spec.id.clone(),
        law,
        parameters: spec.parameters.iter().map(|parameter| parameter.name.to_string()).zip(values.iter().copied()).collect(),
        treatments: schedule.iter().filter_map(timed).collect(),
        seed,
        detail: fault.0,
    }
}

fn planned(spec: &ModelSpec, settings: &Settings, doses: &[Dose]) -> Result<Vec<Planned>, CoreError> {
    let mut schedule = Vec::with_capacity(doses.len());
    for dose in doses {
        if let Some(understood) = spec.treatments.get(dose.place) {
            let treatment = treatment(understood, dose, settings)?;
            schedule.push(Planned { day: settings.horizon.days() * dose.at, treatment });
        }
    }
    schedule.sort_by(|a, b| a.day.total_cmp(&b.day));
    Ok(schedule)
}

/// The drug of `understood`, or a name that no model knows.
pub(super) fn agent(understood: &TreatmentSpec) -> Result<Agent, CoreError> {
    understood.agent.clone().map_or_else(|| Agent::new("unnamed"), Ok)
}

/// The treatment that `dose` is of `understood`.
pub(super) fn treatment(understood: &TreatmentSpec, dose: &Dose, settings: &Settings) -> Result<Treatment, CoreError> {
    let drug = || -> Result<Quantity, CoreError> {
        let unit: Unit = understood.unit.as_deref().unwrap_or("mg").parse()?;
        Quantity::new(dose.share * settings.drug_dose, unit)
    };
    let target = || understood.target.clone().unwrap_or(Target::TUMOR);
    match understood.kind {
        TreatmentKind::Fraction => Ok(Treatment::fraction(AbsorbedDose::from_gray(dose.share * settings.fraction_gray)?, target())),
        TreatmentKind::Bolus => Treatment::bolus(agent(understood)?, drug()?),
        TreatmentKind::Oral => Treatment::oral(agent(understood)?, drug()?),
        TreatmentKind::Infusion => {
            let longest = LONGEST_INFUSION_DAYS.min(0.1 * settings.horizon.days());
            let shortest = SHORTEST_INFUSION_DAYS.min(0.1 * longest);
            let duration = Span::from_days(shortest * (longest / shortest).powf(dose.length))?;
            Treatment::infusion(agent(understood)?, drug()?, duration)
        }
        TreatmentKind::Continuous => {
            Ok(Treatment::Continuous { agent: agent(understood)?, intensity: Proportion::new(dose.share)? })
        }
        TreatmentKind::Surgery => {
            Ok(Treatment::Surgery { target: target(), extent: Proportion::new(dose.share * SURGERY_EXTENT)? })
        }
    }
}

/// Values of one parameter, simplest first: the default, the ends, and in between.
fn values_of(parameter: &ParameterSpec) -> BoxedStrategy<f64> {
    let (low, high) = (parameter.low, parameter.high);
    let usual = Just(parameter.default).boxed();
    if !(low.is_finite() && high.is_finite() && low < high) {
        return usual;
    }
    let between = if low > 0.0 && high / low > 100.0 {
        (low.ln()..=high.ln()).prop_map(move |ln| ln.exp().clamp(low, high)).boxed()
    } else {
        (low..=high).boxed()
    };
    Union::new_weighted(vec![(1, usual), (1, Just(low).boxed()), (1, Just(high).boxed()), (7, between)]).boxed()
}

fn doses_of(treatments: usize) -> BoxedStrategy<Vec<Dose>> {
    if treatments == 0 {
        return Just(Vec::new()).boxed();
    }
    let on_a_slot = (0..SLOTS).prop_map(|slot| f64::from(slot) / f64::from(SLOTS)).boxed();
    let at = Union::new([on_a_slot, (0.0..0.98).boxed()]);
    let share = Union::new([Just(1.0).boxed(), (0.0..=1.0).boxed(), Just(0.0).boxed()]);
    let dose = (0..treatments, at, share, 0.0..=1.0).prop_map(|(place, at, share, length)| Dose { place, at, share, length });
    vec(dose, 0..=MOST_DOSES).boxed()
}

fn plans(spec: &ModelSpec) -> impl Strategy<Value = Plan> {
    let values: Vec<_> = spec.parameters.iter().map(values_of).collect();
    let seed = proptest::num::u64::ANY.no_shrink();
    (values, doses_of(spec.treatments.len()), seed).prop_map(|(values, doses, seed)| Plan { values, doses, seed })
}

/// Defaults, each parameter at each of its ends, all low, all high; each untreated, and treated if any treatment is understood.
fn corners(spec: &ModelSpec, seed: u64) -> Vec<Plan> {
    let defaults: Vec<f64> = spec.parameters.iter().map(|parameter| parameter.default).collect();
    let mut sets = vec![defaults.clone()];
    for (index, parameter) in spec.parameters.iter().enumerate() {
        for end in [parameter.low, parameter.high] {
            let swapped = defaults.iter().enumerate().map(|(other, &value)| if other == index { end } else { value });
            sets.push(swapped.collect());
        }
    }
    sets.push(spec.parameters.iter().map(|parameter| parameter.low).collect());
    sets.push(spec.parameters.iter().map(|parameter| parameter.high).collect());
    let doses = everything(spec);
    let schedules = if doses.is_empty() { vec![doses] } else { vec![Vec::new(), doses] };
    let plan = |values: &Vec<f64>, doses: &Vec<Dose>| Plan { values: values.clone(), doses: doses.clone(), seed };
    sets.iter().flat_map(|values| schedules.iter().map(move |doses| plan(values, doses))).collect()
}

/// Each treatment twice at one time at full dose, and once later at none (for continuous therapy, off).
pub(super) fn everything(spec: &ModelSpec) -> Vec<Dose> {
    let doses = (0..spec.treatments.len()).flat_map(|place| {
        let first = Dose::full(place, 3.0 + (place % 8) as f64);
        let last = Dose { share: 0.0, ..Dose::full(place, 14.0 + (place % 8) as f64) };
        [first, first, last]
    });
    doses.collect()
}

fn runner(settings: &Settings) -> TestRunner {
    let mut seed = [0; 32];
    for (chunk, word) in seed.chunks_exact_mut(8).zip(1_u64..) {
        chunk.copy_from_slice(&Random::new(settings.seed).stream(word).bits().to_le_bytes());
    }
    let config = Config { failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed))
}

/// Runs `test` in every case, the corners first, and tells how many there were; the violation comes from a case as simple as shrinking
/// can make it.
pub(super) fn for_each(
    law: &'static str,
    model: &dyn Model,
    settings: &Settings,
    test: impl Fn(&Case<'_>) -> Result<(), Fault>,
) -> Result<usize, Violation> {
    let spec = model.spec();
    let try_plan = |plan: &Plan| Case::new(model, settings, plan).map_err(Fault::from).and_then(|case| test(&case));
    let corners = corners(spec, settings.seed);
    for plan in &corners {
        try_plan(plan).map_err(|fault| plan.violation(law, model, settings, fault))?;
    }
    let (mut runner, plans) = (runner(settings), plans(spec));
    for _ in 0..settings.cases {
        let mut tree = new_tree(&plans, &mut runner).map_err(|fault| violation(law, spec, (&[], settings.seed), &[], fault))?;
        let plan = tree.current();
        if let Err(fault) = try_plan(&plan) {
            let (plan, fault) = shrink(&mut tree, plan, fault, try_plan);
            return Err(plan.violation(law, model, settings, fault));
        }
    }
    Ok(corners.len() + settings.cases as usize)
}

/// Every case, the corners first.
pub(super) fn all<'a>(law: &'static str, model: &'a dyn Model, settings: &'a Settings) -> Result<Vec<Case<'a>>, Violation> {
    let mut drawn = corners(model.spec(), settings.seed);
    let (mut runner, plans) = (runner(settings), plans(model.spec()));
    for _ in 0..settings.cases {
        let tree = new_tree(&plans, &mut runner).map_err(|fault| violation(law, model.spec(), (&[], settings.seed), &[], fault))?;
        drawn.push(tree.current());
    }
    let bind = |plan: &Plan| Case::new(model, settings, plan).map_err(|error| plan.violation(law, model, settings, error.into()));
    drawn.iter().map(bind).collect()
}

fn new_tree<S: Strategy>(strategy: &S, runner: &mut TestRunner) -> Result<S::Tree, Fault> {
    strategy.new_tree(runner).map_err(|reason| Fault(format!("no case could be drawn from the ranges: {reason}")))
}

fn shrink(
    tree: &mut impl ValueTree<Value = Plan>,
    plan: Plan,
    fault: Fault,
    try_plan: impl Fn(&Plan) -> Result<(), Fault>,
) -> (Plan, Fault) {
    let mut worst = (plan, fault);
    let mut more = tree.simplify();
    for _ in 0..MOST_SHRINKS {
        if !more {
            break;
        }
        let plan = tree.current();
        more = match try_plan(&plan) {
            Ok(()) => tree.complicate(),
            Err(fault) => {
                worst = (plan, fault);
                tree.simplify()
            }
        };
    }
    worst
}
