//! A trial of 10,000 virtual patients in two arms, with visits every 28 days for three years.

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use std::time::Duration;
use twin_tests::study::trial;
use twin_trials::run;

fn cohort(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("cohort");
    group.sample_size(10).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(10));
    match trial(10_000) {
        Ok(trial) => {
            group.bench_function("10,000 patients, two arms, 40 visits", |bencher| {
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
