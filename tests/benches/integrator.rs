//! One year of drug, tumor and immune cells: thirteen doses, 366 looks, at three tolerances.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use std::time::Duration;
use twin_core::Random;
use twin_models::{Model, SimulationError, run};
use twin_tests::rivals::{Race, largest_error, truth};

fn course(relative_tolerance: f64, group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>) {
    let mut live = || -> Result<(), SimulationError> {
        let (model, scenario) = (Race::model(relative_tolerance)?, Race::scenario()?);
        let parameters = model.spec().defaults()?;
        let mut values = vec![0.0; scenario.sampling.len()];
        let mut simulation = model.start(&parameters, scenario.start, &mut Random::new(1))?;
        run(simulation.as_mut(), &scenario, &mut values)?;
        let error = largest_error(&values, &truth());
        assert!(error < 1e3 * relative_tolerance, "a fast course that is wrong by {error} is worth nothing");
        group.bench_function(BenchmarkId::from_parameter(format!("{relative_tolerance:e}")), |bencher| {
            bencher.iter(|| {
                let lived = model
                    .start(black_box(&parameters), scenario.start, &mut Random::new(1))
                    .and_then(|mut simulation| run(simulation.as_mut(), &scenario, &mut values));
                assert!(lived.is_ok());
                black_box(values.last().copied())
            });
        });
        Ok(())
    };
    let lived = live();
    assert!(lived.is_ok(), "{lived:?}");
}

fn integrator(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("integrator");
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    [1e-4, 1e-6, 1e-8].into_iter().for_each(|tolerance| course(tolerance, &mut group));
    group.finish();
}

criterion_group!(benches, integrator);
criterion_main!(benches);
