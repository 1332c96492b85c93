//! Two years of sensitive and resistant cells, the drug on and off every other month, looked at daily: all that a caller pays for.

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use std::time::Duration;
use twin_core::{Agent, CoreError, Random, Time, TimedTreatment, Treatment};
use twin_models::{Model, Parameters, Scenario, SimulationError, clones, simulate};

fn scenario(drug: &Agent) -> Result<Scenario, CoreError> {
    let mut treatments = Vec::new();
    for month in 0..24_u32 {
        let switch = if month.is_multiple_of(2) { Treatment::on(drug.clone()) } else { Treatment::off(drug.clone()) };
        treatments.push(TimedTreatment::new(Time::from_days(30.0 * f64::from(month))?, switch));
    }
    let days = (0..=730).map(|day| Time::from_days(f64::from(day))).collect::<Result<Vec<_>, _>>()?;
    Ok(Scenario::starting(Time::ORIGIN).treated(treatments).sampled(days))
}

fn set_up() -> Result<(impl Model, Parameters, Scenario), SimulationError> {
    let drug = Agent::new("abiraterone")?;
    let scenario = scenario(&drug)?;
    let model = clones::sensitive_resistant(drug);
    let parameters = model.spec().defaults()?;
    Ok((model, parameters, scenario))
}

fn two_years(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("simulate");
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    match set_up() {
        Ok((model, parameters, scenario)) => {
            group.bench_function("sensitive_resistant, 2 years, 24 switches, 731 looks", |bencher| {
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

criterion_group!(benches, two_years);
criterion_main!(benches);
