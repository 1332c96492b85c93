//! Shards of the [study](crate::study) on engines that others made, and journals that are killed.

use crate::study::{MANIFEST, trial};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use twin_core::Random;
use twin_trials::batch::{Batch, write_table};

/// What an engine did.
#[derive(Debug, Clone, Copy, serde::Deserialize)]
pub struct Ran {
    /// Whether a worker, or a task, was killed under way.
    pub killed: bool,
    /// How many workers there were.
    pub workers: usize,
    /// The time that one task that does nothing takes of the engine, in milliseconds.
    pub overhead_ms: f64,
    /// How many bytes of the merged table differ from that of one machine.
    #[serde(default)]
    pub differing: usize,
}

/// A folder that is removed in the end.
#[derive(Debug)]
pub struct Folder(pub PathBuf);

impl Folder {
    /// A new folder of this process.
    ///
    /// # Errors
    /// In words, if it cannot be made.
    pub fn new(name: &str) -> Result<Self, String> {
        let path = std::env::temp_dir().join(format!("twin-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).map_err(|error| error.to_string())?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The Python that the variable `TWIN_PYTHON` names, else `python3`.
#[must_use]
pub fn python() -> String {
    std::env::var("TWIN_PYTHON").unwrap_or_else(|_| "python3".to_owned())
}

/// Whether Python can import `module`.
#[must_use]
pub fn has(module: &str) -> bool {
    let status = Command::new(python()).args(["-c", &format!("import {module}")]).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// How many places of two lists of bytes differ.
fn differing(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).filter(|(a, b)| a != b).count() + one.len().abs_diff(other.len())
}

/// Runs `of` shards of the study of `size` patients on `engine` (`dask`, `hyperqueue`, `slurm`) with the program at `worker`, kills a worker under
/// way, runs a shard twice, and compares the merged table with that of one process; `None` where the engine is not installed, or
/// has no cluster running.
///
/// # Errors
/// In words, if the engine fails or a shard is missing.
pub fn run(engine: &str, worker: &Path, size: usize, of: usize) -> Result<Option<Ran>, String> {
    let there = match engine {
        "slurm" => Command::new("sinfo").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success()),
        "dask" => has("distributed"),
        module => has(module),
    };
    if !there {
        return Ok(None);
    }
    let folder = Folder::new(&format!("engine-{engine}"))?;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/engines.py");
    let mut command = Command::new(python());
    command.arg(script).arg(engine).arg(worker).arg(&folder.0).args([size.to_string(), of.to_string()]).current_dir(&folder.0);
    let output = command.output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        return Err(format!("{engine} failed: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let last = said.lines().last().unwrap_or_default();
    let mut ran: Ran = serde_json::from_str(last).map_err(|error| format!("{engine} said `{last}`: {error}"))?;
    let trial = trial(size).map_err(|error| error.to_string())?;
    let batch = Batch::new(&trial, MANIFEST).map_err(|error| error.to_string())?;
    let (mut merged, mut whole, path) = (Vec::new(), Vec::new(), folder.0.join("whole"));
    let mut tables = || {
        write_table(&trial, batch.read_shards(of, &folder.0)?, &mut merged)?;
        batch.run_journaled(&path, &())?;
        write_table(&trial, batch.read(&path)?, &mut whole)
    };
    tables().map_err(|error| error.to_string())?;
    ran.differing = differing(&merged, &whole);
    Ok(Some(ran))
}

/// What came of a journal that was killed.
#[derive(Debug, Clone, Copy)]
pub struct Killed {
    /// How many of the attempts were killed under way, rather than after their end.
    pub kills: usize,
    /// How many bytes of the final table differ from that of an undisturbed run.
    pub differing: usize,
}

/// Kills the journal of `size` patients twenty times at random instants, each within a tenth of the time of the whole, finishes it, and
/// compares its table with that of an undisturbed run.
///
/// # Errors
/// In words, if a process cannot be started, or an attempt loses what another had done.
pub fn kill_twenty_times(worker: &Path, size: usize) -> Result<Killed, String> {
    let words = |error: &dyn std::fmt::Display| error.to_string();
    let folder = Folder::new(&format!("killed-{size}"))?;
    let trial = trial(size).map_err(|error| words(&error))?;
    let batch = Batch::new(&trial, MANIFEST).map_err(|error| words(&error))?;
    let (calm, killed) = (folder.0.join("calm"), folder.0.join("killed"));
    let begun = Instant::now();
    batch.run_journaled(&calm, &()).map_err(|error| words(&error))?;
    let (whole, mut random) = (begun.elapsed(), Random::new(20));
    let start = || Command::new(worker).arg("journal").arg(&killed).arg(size.to_string()).spawn();
    let (mut kills, mut length) = (0, 0);
    for _ in 0..20 {
        let mut child = start().map_err(|error| words(&error))?;
        std::thread::sleep(whole.mul_f64(0.08 * random.uniform()).max(Duration::from_millis(1)));
        kills += usize::from(child.try_wait().map_err(|error| words(&error))?.is_none());
        child.kill().and_then(|()| child.wait()).map_err(|error| words(&error))?;
        let now = std::fs::metadata(&killed).map_or(0, |file| file.len());
        if now < length {
            return Err(format!("an attempt lost what another had done: {length} bytes, then {now}"));
        }
        length = now;
    }
    let end = start().and_then(|mut child| child.wait()).map_err(|error| words(&error))?;
    if !end.success() {
        return Err("the last attempt failed".to_owned());
    }
    let (mut one, mut other) = (Vec::new(), Vec::new());
    let mut tables = || {
        write_table(&trial, batch.read(&calm)?, &mut one)?;
        write_table(&trial, batch.read(&killed)?, &mut other)
    };
    tables().map_err(|error| words(&error))?;
    Ok(Killed { kills, differing: differing(&one, &other) })
}
