//! A trial of 10,000 virtual patients in two arms, monthly visits for two years.

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;
use twin_calibrate::{IndependentPrior, LogError, Marginal};
use twin_core::{Agent, Observable, Span};
use twin_models::clones;
use twin_trials::{Adaptive, Continuous, FromPrior, TimeToProgression, Trial, TrialError, run};

fn trial(size: usize) -> Result<Trial, TrialError> {
    let drug = Agent::new("abiraterone")?;
    let model = Arc::new(clones::sensitive_resistant(drug.clone()));
    let prior = IndependentPrior::new([
        ("growth_rate", Marginal::LogNormal { median: 0.027, sd: 0.3 }),
        ("turnover", Marginal::Uniform { low: 0.0, high: 0.5 }),
        ("initial_burden", Marginal::Uniform { low: 0.3, high: 0.8 }),
        ("initial_resistance", Marginal::LogUniform { low: 1e-4, high: 0.1 }),
    ])?;
    let cohort = FromPrior::new(model.clone(), Arc::new(prior));
    Ok(Trial::new(model, cohort, size)
        .arm("continuous", Continuous { agent: drug.clone() })
        .arm("adaptive", Adaptive::half(drug, Observable::PSA))
        .measure_with(Observable::PSA, LogError::new(0.1, 0.0))
        .endpoint(TimeToProgression::of(Observable::TUMOR_BURDEN, 1.2))
        .visits(Span::from_weeks(4.0)?, Span::from_years(2.0)?))
}

fn cohort(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("cohort");
    group.sample_size(10).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(10));
    match trial(10_000) {
        Ok(trial) => {
            group.bench_function("10,000 patients, two arms, 27 visits", |bencher| {
                bencher.iter(|| {
                    let report = run(black_box(&trial));
                    assert!(report.as_ref().is_ok_and(|report| report.failures.is_empty() && report.size == 10_000));
                    black_box(report)
                });
            });
        }
        Err(error) => assert!(error.to_string().is_empty(), "{error}"),
    }
    group.finish();
}

criterion_group!(benches, cohort);
criterion_main!(benches);
