//! Shards on engines that others made: dask.distributed and HyperQueue, from the Python registry, and Slurm where a cluster runs.
//!
//! Says that it is skipped where an engine is not there, under CI too: the tests ask for Rust alone.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use twin_tests::engines::run;

fn shards_are_the_trial_on(engine: &str) {
    let Some(ran) = run(engine, Path::new(env!("CARGO_BIN_EXE_worker")), 24_000, 12).unwrap() else {
        return println!("skipped: shards_are_the_trial_on_{engine} ({engine} is not there)");
    };
    println!("{engine}: {:.2} ms for each task, {ran:?}", ran.overhead_ms);
    assert_eq!(ran.differing, 0, "the merged table differs from that of one machine");
    assert!(ran.workers >= 3, "{ran:?}");
    assert!(ran.killed, "nothing was killed under way: {ran:?}");
}

#[test]
fn shards_are_the_trial_on_dask() {
    shards_are_the_trial_on("dask");
}

#[test]
fn shards_are_the_trial_on_hyperqueue() {
    shards_are_the_trial_on("hyperqueue");
}

#[test]
fn shards_are_the_trial_on_slurm() {
    shards_are_the_trial_on("slurm");
}
