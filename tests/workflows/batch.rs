//! Trials in files: killed and gone on with, split into shards, damaged; always the same bytes, or an error that says where.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::Duration;
use twin_calibrate::{Flow, Progress};
use twin_core::Random;
use twin_tests::study::{MANIFEST, trial};
use twin_trials::batch::{Batch, Shard, ShardEnd, write_table};
use twin_trials::{Course, Endpoint, Outcome, Trial, TrialError, run};

/// A folder that is removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("twin-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn worker(arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_worker")).args(arguments).spawn().unwrap()
}

fn table(trial: &Trial, batch: &Batch<'_>, path: &Path) -> Vec<u8> {
    let mut table = Vec::new();
    write_table(trial, batch.read(path).unwrap(), &mut table).unwrap();
    table
}

#[test]
fn a_trial_that_is_killed_twenty_times_ends_with_the_same_bytes() {
    const SIZE: &str = "20000";
    let (folder, mut random) = (Folder::new("kill"), Random::new(20));
    let trial = trial(SIZE.parse().unwrap()).unwrap();
    let batch = Batch::new(&trial, MANIFEST).unwrap();
    let (calm, killed) = (folder.file("calm"), folder.file("killed"));
    let begun = std::time::Instant::now();
    assert_eq!(batch.run_journaled(&calm, &()).unwrap(), trial.size);
    // Each of the twenty attempts gets a random part of a tenth of the time of the whole: few get through, and none is the last word.
    let whole = begun.elapsed();
    let (mut kills, mut lengths) = (0, Vec::new());
    for _ in 0..20 {
        let mut child = worker(&["journal", killed.to_str().unwrap(), SIZE]);
        std::thread::sleep(whole.mul_f64(0.1 * random.uniform()).max(Duration::from_millis(1)));
        kills += usize::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
        lengths.push(std::fs::metadata(&killed).map_or(0, |file| file.len()));
    }
    assert!(kills >= 10, "only {kills} of the attempts were killed under way");
    assert!(lengths.is_sorted(), "an attempt lost what another had done: {lengths:?}");
    assert!(worker(&["journal", killed.to_str().unwrap(), SIZE]).wait().unwrap().success());
    assert!(std::fs::read(&calm).unwrap() == std::fs::read(&killed).unwrap(), "the journals differ");
    assert!(table(&trial, &batch, &calm) == table(&trial, &batch, &killed), "the tables differ");
    assert_eq!(batch.report(&killed).unwrap(), run(&trial).unwrap());
}

#[test]
fn shards_of_several_processes_are_the_trial_though_one_is_killed_and_one_runs_twice() {
    const SIZE: &str = "12000";
    let folder = Folder::new("shards");
    let place = folder.0.to_str().unwrap();
    let trial = trial(SIZE.parse().unwrap()).unwrap();
    let batch = Batch::new(&trial, MANIFEST).unwrap();
    let shard = |index: &str| worker(&["shard", place, SIZE, index, "7"]);
    // One is killed: nothing that looks like its shard may be left.
    let mut killed = shard("3");
    std::thread::sleep(Duration::from_millis(40));
    killed.kill().unwrap();
    killed.wait().unwrap();
    match batch.merge(7, &folder.0) {
        Err(TrialError::MissingShards { missing, of: 7 }) => assert!(missing.len() >= 6 && missing[0] == 0, "{missing:?}"),
        other => panic!("{other:?}"),
    }
    // All of them by three at a time, the fifth by two processes at once.
    for group in [["0", "1", "2"], ["3", "4", "4"], ["5", "6", "0"]] {
        let mut children = group.map(shard);
        assert!(children.iter_mut().all(|child| child.wait().unwrap().success()));
    }
    assert_eq!(batch.merge(7, &folder.0).unwrap(), run(&trial).unwrap());
    let first = Shard::new(0, 7).unwrap();
    assert_eq!(batch.run_shard(first, &folder.0, &()).unwrap(), ShardEnd::Skipped(batch.shard_path(first, &folder.0)));
    let (mut merged, whole) = (Vec::new(), folder.file("whole"));
    write_table(&trial, batch.read_shards(7, &folder.0).unwrap(), &mut merged).unwrap();
    batch.run_journaled(&whole, &()).unwrap();
    assert!(merged == table(&trial, &batch, &whole), "the tables differ");
}

#[test]
fn every_patient_is_in_one_shard() {
    for (size, of) in [(1, 1), (10, 3), (3, 10), (1000, 7), (usize::MAX, 5)] {
        let ranges: Vec<_> = Shard::all(of).unwrap().map(|shard| shard.patients(size)).collect();
        assert!(ranges.windows(2).all(|pair| pair[0].end == pair[1].start));
        assert_eq!((ranges[0].start, ranges[of - 1].end), (0, size));
    }
    assert!(Shard::new(0, 0).is_err() && Shard::new(3, 3).is_err());
}

#[test]
fn a_file_of_another_trial_is_refused() {
    let (folder, small, other) = (Folder::new("other"), trial(20).unwrap(), trial(20).unwrap().seed(2));
    let path = folder.file("journal");
    let batch = Batch::new(&small, MANIFEST).unwrap();
    batch.run_journaled(&path, &()).unwrap();
    for batch in [Batch::new(&other, MANIFEST).unwrap(), Batch::new(&small, b"another study").unwrap()] {
        for refused in [batch.run_journaled(&path, &()).map(|_| ()), batch.report(&path).map(|_| ())] {
            assert!(refused.is_err_and(|error| error.to_string().contains("another trial")));
        }
    }
    std::fs::write(&path, "patient,arm\n").unwrap();
    assert!(batch.run_journaled(&path, &()).is_err_and(|error| error.to_string().contains("no file of outcomes")));
    assert_eq!(std::fs::read(&path).unwrap(), b"patient,arm\n", "what is something else stays as it is");
    assert!(matches!(batch.read(&folder.file("absent")).map(|_| ()), Err(TrialError::File { .. })));
}

#[test]
fn a_journal_cut_anywhere_goes_on_and_one_with_a_changed_byte_never_passes() {
    let (folder, trial) = (Folder::new("damage"), trial(40).unwrap());
    let (path, batch) = (folder.file("journal"), Batch::new(&trial, MANIFEST).unwrap());
    // A block for every few patients: stop again and again.
    let stop_after = |count: usize| {
        move |progress: &twin_calibrate::Progress| match progress.done < count {
            true => twin_calibrate::Flow::Continue,
            false => twin_calibrate::Flow::Stop,
        }
    };
    assert_eq!(batch.run_journaled(&path, &stop_after(0)).unwrap(), 0);
    assert!(matches!(batch.report(&path), Err(TrialError::Stopped)));
    assert_eq!(batch.run_journaled(&path, &()).unwrap(), 40);
    let (whole, report) = (std::fs::read(&path).unwrap(), batch.report(&path).unwrap());
    assert_eq!(report, run(&trial).unwrap());
    for length in (0..whole.len()).step_by(whole.len() / 61 + 1) {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert_eq!(batch.run_journaled(&path, &()).unwrap(), 40);
        assert!(std::fs::read(&path).unwrap() == whole, "cut at {length}");
    }
    for place in (0..whole.len()).step_by(whole.len() / 97 + 1) {
        let mut damaged = whole.clone();
        damaged[place] ^= 0x10;
        std::fs::write(&path, &damaged).unwrap();
        let read: Result<Vec<_>, _> = batch.read(&path).and_then(|items| items.collect());
        assert!(read.is_err(), "a byte changed at {place} was not seen");
        assert!(batch.run_journaled(&path, &()).is_err());
        assert!(std::fs::read(&path).unwrap() == damaged, "a damaged file was changed");
    }
    std::fs::write(&path, [whole.as_slice(), b"more"].concat()).unwrap();
    assert!(batch.report(&path).is_err(), "what comes after the last patient was not seen");
}

#[test]
fn a_trial_that_differs_for_later_patients_only_does_not_go_on_with_the_journal() {
    let folder = Folder::new("later");
    let path = folder.file("journal");
    let with = |factor: f64| {
        let mut trial = trial(3000).unwrap();
        trial.endpoints = vec![Arc::new(Later { factor })];
        trial
    };
    let (first, second) = (with(1.0), with(2.0));
    let stop = |progress: &Progress| if progress.done < 1000 { Flow::Continue } else { Flow::Stop };
    assert_eq!(Batch::new(&first, MANIFEST).unwrap().run_journaled(&path, &stop).unwrap(), 1024);
    let second = Batch::new(&second, MANIFEST).unwrap();
    assert!(second.run_journaled(&path, &()).is_err_and(|error| error.to_string().contains("another trial")));
}

/// The growth rate of the patient, but for those who grow fast, in whom it is multiplied.
struct Later {
    factor: f64,
}

impl Endpoint for Later {
    fn name(&self) -> &'static str {
        "later"
    }

    fn assess(&self, course: &Course) -> Outcome {
        let last = course.values.last().copied().unwrap_or_default();
        Outcome::Value(if last > 60.0 { self.factor * last } else { last })
    }
}

#[test]
fn a_damaged_shard_is_made_again() {
    let (folder, trial) = (Folder::new("again"), trial(50).unwrap());
    let (batch, shard) = (Batch::new(&trial, MANIFEST).unwrap(), Shard::new(1, 3).unwrap());
    let ShardEnd::Made(path) = batch.run_shard(shard, &folder.0, &()).unwrap() else { panic!("nothing was made") };
    let whole = std::fs::read(&path).unwrap();
    for length in [0, 40, 79, 80, whole.len() - 1] {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert_eq!(batch.run_shard(shard, &folder.0, &()).unwrap(), ShardEnd::Made(path.clone()), "{length} bytes");
        assert!(std::fs::read(&path).unwrap() == whole);
    }
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 1, "a draft was left");
}
