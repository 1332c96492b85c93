//! The engine of trials: killed, on other engines, and in little memory. Heavy, so not among the quick ones.
//!
//! They need the program `worker` beside this one; the engines of others count as open where they are not installed.

use super::Claim;
use crate::engines;
use std::path::PathBuf;

const ASKED: &str = "a bar of this project: the same bytes as an undisturbed run on one machine";

/// The program `worker`, beside this one.
fn worker() -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let worker = own.with_file_name("worker");
    if worker.exists() { Ok(worker) } else { Err(format!("{} is not there: build it first", worker.display())) }
}

pub(super) fn claims() -> Vec<Claim> {
    let claim = |id: &str,
                 what: &str,
                 (expected, tolerance): (f64, f64),
                 run: Box<dyn Fn() -> Result<Option<f64>, String> + Send + Sync>| {
        Claim { id: format!("engine.{id}"), claim: what.to_owned(), source: ASKED, expected, tolerance, quick: false, run }
    };
    let mut claims = vec![claim(
        "killed_twenty_times",
        "bytes that differ after twenty kills of a trial of 100,000 patients",
        (0.0, 0.0),
        Box::new(|| {
            let killed = engines::kill_twenty_times(&worker()?, 100_000)?;
            if killed.kills < 20 {
                return Err(format!("only {} of 20 attempts were killed under way", killed.kills));
            }
            Ok(Some(killed.differing as f64))
        }),
    )];
    for engine in ["dask", "hyperqueue", "slurm"] {
        let what = format!("bytes that differ on {engine}: three workers, one killed, one shard twice");
        let run = move || {
            let Some(ran) = engines::run(engine, &worker()?, 20_000, 20)? else { return Ok(None) };
            if !ran.killed || ran.workers < 3 {
                return Err(format!("nothing was killed under way, or there were too few workers: {ran:?}"));
            }
            Ok(Some(ran.differing as f64))
        };
        claims.push(claim(engine, &what, (0.0, 0.0), Box::new(run)));
    }
    claims
}
