//! A year of a composed model: Gompertz growth, 30 fractions, 8 infusions of a drug of one compartment, its effect after Simeoni and its
//! toxicity after Friberg, looked at weekly. The same model by types and by a description at run time.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::time::Duration;
use twin_core::{AbsorbedDose, Agent, CoreError, Quantity, Random, Span, Target, Time, TimedTreatment, Treatment};
use twin_models::composition::{Drug, Law, Radiotherapy, States, TumorModel, UpTo};
use twin_models::{Model, Scenario, SimulationError, Source, effect, growth, kinetics, simulate, toxicity};

fn scenario() -> Result<Scenario, CoreError> {
    let fraction = Treatment::fraction(AbsorbedDose::from_gray(2.0)?, Target::new("tumor")?);
    let infusion = Treatment::infusion(Agent::new("drug")?, Quantity::new(300.0, "mg")?, Span::from_hours(3.0)?)?;
    let weekday = |n: u32| Time::from_days(f64::from(n / 5 * 7 + n % 5));
    let mut treatments = Vec::new();
    for n in 0..30 {
        treatments.push(TimedTreatment::new(weekday(n)?, fraction.clone()));
    }
    for n in 0..8 {
        treatments.push(TimedTreatment::new(Time::from_days(60.0 + 21.0 * f64::from(n))?, infusion.clone()));
    }
    let weeks = (0..=52).map(|week| Time::from_days(7.0 * f64::from(week))).collect::<Result<Vec<_>, _>>()?;
    Ok(Scenario::starting(Time::ORIGIN).treated(treatments).sampled(weeks))
}

fn model<S: States>() -> Result<impl Model, SimulationError> {
    let assumed = || Source::assumed("a benchmark");
    let drug = kinetics::Compartments::<0>::new(Agent::new("drug")?, kinetics::Route::Intravenous, kinetics::Elimination::Linear);
    let drug = drug.with("clearance", 20.0, assumed())?.with("volume", 100.0, assumed())?;
    let parts = (Radiotherapy::default(), Drug::new(drug, (effect::Simeoni, toxicity::Friberg::paclitaxel()?)));
    TumorModel::<_, _, S>::model("composed", Law::<growth::Gompertz>::new(), parts)
}

fn measure(criterion: &mut Criterion, name: &str, made: Result<impl Model, SimulationError>) {
    let mut group = criterion.benchmark_group("composition");
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2)).throughput(Throughput::Elements(1));
    let ready = made.and_then(|model| Ok((model.spec().defaults()?, scenario()?, model)));
    match ready {
        Ok((parameters, scenario, model)) => {
            group.bench_function(name, |bencher| {
                bencher.iter(|| {
                    let lived = simulate(&model, black_box(&parameters), &scenario, &mut Random::new(1));
                    assert!(lived.is_ok());
                    black_box(lived)
                });
            });
        }
        Err(error) => assert!(error.to_string().is_empty(), "{error}"),
    }
    group.finish();
}

fn a_year(criterion: &mut Criterion) {
    measure(criterion, "a year, 30 fractions, 8 infusions: 10 states in an array", model::<[f64; 10]>());
    measure(criterion, "a year, 30 fractions, 8 infusions: 10 states, up to 48", model::<UpTo<48>>());
}

criterion_group!(benches, a_year);
criterion_main!(benches);
