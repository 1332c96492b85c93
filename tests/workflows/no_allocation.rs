//! A course under way allocates nothing: neither the steps, nor the looks, nor the doses.
#![allow(clippy::unwrap_used)]

use allocation_counter::measure;
use std::sync::Arc;
use twin_core::{Agent, Observable, Quantity, Random, Span, Time, TimedTreatment, Treatment};
use twin_models::{
    Dynamics, Exposure, Given, Input, Model, ModelSpec, Ode, Refused, Scalar, Scenario, Source, TreatmentKind, clones, parameters,
    run,
};
use twin_tests::rivals::{self, Race};

/// A dose in another unit than the model's is converted by the exact ratio of the two units, which is formed on the heap.
const FOR_A_CONVERSION: u64 = 2;

/// How many times the heap is asked for memory while `scenario` is lived through, the start not counted.
fn allocations(model: &dyn Model, scenario: &Scenario) -> u64 {
    let parameters = model.spec().defaults().unwrap();
    let mut simulation = model.start(&parameters, scenario.start, &mut Random::new(1)).unwrap();
    let mut values = vec![f64::NAN; scenario.sampling.len() * model.spec().observables.len()];
    let mut lived = Ok(());
    let counted = measure(|| lived = run(simulation.as_mut(), scenario, &mut values));
    assert_eq!(lived, Ok(()));
    assert!(values.iter().all(|value| value.is_finite()), "the course was not looked at");
    counted.count_total
}

fn days(last: u32) -> impl Iterator<Item = Time> {
    (0..=last).map(|day| Time::from_days(f64::from(day)).unwrap())
}

fn at(day: u32, treatment: Treatment) -> TimedTreatment {
    TimedTreatment::new(Time::from_days(f64::from(day)).unwrap(), treatment)
}

#[test]
fn the_counter_counts() {
    let mut kept = Vec::new();
    assert_eq!(measure(|| kept = vec![0.0_f64; 7]).count_total, 1);
    assert_eq!(kept.len(), 7);
}

#[test]
fn a_year_with_thirteen_doses_and_366_looks_allocates_nothing() {
    let scenario = Race::scenario().unwrap();
    assert_eq!((scenario.treatments.len(), scenario.sampling.len()), (rivals::DOSES as usize, 366));
    for tolerance in [1e-4, 1e-6, 1e-8] {
        assert_eq!(allocations(&Race::model(tolerance).unwrap(), &scenario), 0, "at a tolerance of {tolerance}");
    }
}

#[test]
fn two_years_of_therapy_on_and_off_allocate_nothing() {
    let drug = Agent::new("abiraterone").unwrap();
    let switch = |month: u32| if month.is_multiple_of(2) { Treatment::on(drug.clone()) } else { Treatment::off(drug.clone()) };
    let scenario = Scenario::starting(Time::ORIGIN).treated((0..24).map(|month| at(30 * month, switch(month)))).sampled(days(730));
    assert_eq!(allocations(&clones::sensitive_resistant(drug), &scenario), 0);
}

parameters! {
    /// Parameters of [`Plasma`].
    struct Clearance {
        elimination: "/d" in 0.01..=10.0, default 0.6, "Elimination rate of the drug", Source::assumed("made up");
    }
}

/// One compartment that is filled by infusions and by boluses.
struct Plasma {
    spec: Arc<ModelSpec>,
}

impl Plasma {
    fn model() -> Ode<Self> {
        let drug = Agent::new("drug").unwrap();
        let spec = ModelSpec::new::<Clearance>("plasma", "One compartment", Source::assumed("made up"))
            .state("amount", "mg", 1e-6)
            .observes(Observable::new("amount").unwrap(), "mg")
            .understands_drug(TreatmentKind::Infusion, &drug, "mg")
            .understands_drug(TreatmentKind::Bolus, &drug, "mg");
        Ode::new(Self { spec: Arc::new(spec) })
    }
}

impl Dynamics for Plasma {
    type State = [f64; 1];
    type Parameters = Clearance;

    fn spec(&self) -> &Arc<ModelSpec> {
        &self.spec
    }

    fn initial<T: Scalar>(&self, _p: &Clearance<T>) -> [T; 1] {
        [T::from(0.0)]
    }

    fn rates<T: Scalar>(&self, _t: T, x: &[T; 1], exposure: &Exposure<T>, p: &Clearance<T>, dx: &mut [T; 1]) {
        dx[0] = exposure.level(Input::new(0)) - p.elimination * x[0];
    }

    fn observe<T: Scalar>(&self, x: &[T; 1], _p: &Clearance<T>, y: &mut [T]) {
        y[0] = x[0];
    }

    fn treat<T: Scalar>(&self, given: Given<T>, _p: &Clearance<T>, x: &mut [T; 1]) -> Result<(), Refused> {
        x[0] += given.amount;
        Ok(())
    }
}

fn infusion(dose: f64, unit: &str, hours: f64) -> Treatment {
    let dose = Quantity::new(dose, unit).unwrap();
    Treatment::infusion(Agent::new("drug").unwrap(), dose, Span::from_hours(hours).unwrap()).unwrap()
}

/// The list of infusions under way grows from nothing: the first one asks for memory, and as long as no more than four run at the same
/// time none after it does.
const FOR_THE_FIRST_INFUSION: u64 = 1;

#[test]
fn infusions_allocate_once_for_the_list_of_those_under_way() {
    let looks = || Scenario::starting(Time::ORIGIN).sampled(days(365));
    let alone = looks().treated((0..13).map(|cycle| at(28 * cycle, infusion(100.0, "mg", 3.0))));
    let counted = allocations(&Plasma::model(), &alone);
    assert!(counted <= FOR_THE_FIRST_INFUSION, "{counted}");
    let in_grams = looks().treated((0..13).map(|cycle| at(28 * cycle, infusion(0.1, "g", 3.0))));
    let counted = allocations(&Plasma::model(), &in_grams);
    assert!(counted <= FOR_THE_FIRST_INFUSION + 13 * FOR_A_CONVERSION, "{counted}");
    let four = looks().treated((0..52).map(|number| at(28 * (number / 4), infusion(100.0, "mg", 3.0))));
    let counted = allocations(&Plasma::model(), &four);
    assert!(counted <= FOR_THE_FIRST_INFUSION, "{counted}");
}

#[test]
fn between_doses_nothing_is_allocated() {
    let model = Plasma::model();
    let mut simulation = model.start(&model.spec().defaults().unwrap(), Time::ORIGIN, &mut Random::new(1)).unwrap();
    let (mut y, mut counted, mut seen) = ([0.0], 0, 0);
    for cycle in 0..13 {
        let dose = Quantity::new(0.1, "g").unwrap();
        simulation.treat(&Treatment::bolus(Agent::new("drug").unwrap(), dose).unwrap()).unwrap();
        simulation.treat(&infusion(0.1, "g", 3.0)).unwrap();
        for day in 1..=28 {
            let to = Time::from_days(f64::from(28 * cycle + day)).unwrap();
            let count = measure(|| {
                assert!(simulation.advance(to).is_ok());
                simulation.observe(&mut y);
            });
            counted += count.count_total;
            seen += usize::from(y[0] > 0.0);
        }
    }
    assert_eq!((counted, seen), (0, 364));
}

#[test]
fn going_on_and_looking_allocate_nothing_while_infusions_run() {
    let model = Plasma::model();
    let mut simulation = model.start(&model.spec().defaults().unwrap(), Time::ORIGIN, &mut Random::new(1)).unwrap();
    let (mut y, mut largest) = ([0.0], 0.0_f64);
    simulation.treat(&infusion(100.0, "mg", 300.0)).unwrap();
    let step = Span::from_hours(6.0).unwrap();
    let counted = measure(|| {
        for _ in 0..80 {
            let next = simulation.now() + step;
            assert!(simulation.advance(next).is_ok());
            simulation.observe(&mut y);
            largest = largest.max(y[0]);
        }
    });
    assert_eq!(counted.count_total, 0);
    assert!(largest > 1.0 && y[0] < largest, "the infusion neither filled the compartment nor ended");
    assert!((0..3).all(|_| measure(|| drop(simulation.fork())).count_total >= 1), "a fork is a copy on the heap");
}
