//! Trials that outlast a process or a machine: outcomes kept in a file, gone on with after an interruption, and split into shards.
//!
//! ```
//! use std::sync::Arc;
//! use twin_core::{Agent, Observable, Span};
//! use twin_models::{Model, clones};
//! use twin_trials::batch::{Batch, Shard};
//! use twin_trials::{Adaptive, FromList, TimeToProgression, Trial, VirtualPatient, run};
//!
//! let drug = Agent::new("abiraterone")?;
//! let model = Arc::new(clones::sensitive_resistant(drug.clone()));
//! let patients = vec![VirtualPatient::new(model.spec().defaults()?)];
//! let trial = Trial::new(model, FromList(patients), 10)
//!     .arm("adaptive", Adaptive::half(drug, Observable::PSA))
//!     .measure(Observable::PSA)
//!     .endpoint(TimeToProgression::of(Observable::TUMOR_BURDEN, 1.2))
//!     .visits(Span::WEEK, Span::from_weeks(50.0)?);
//!
//! let folder = std::env::temp_dir().join(format!("twin-shards-{}", std::process::id()));
//! std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
//! let batch = Batch::new(&trial, b"the text of the study file")?;
//! for shard in Shard::all(3)? {
//!     batch.run_shard(shard, &folder, &())?; // by any process, on any machine, more than once if need be
//! }
//! assert_eq!(batch.merge(3, &folder)?, run(&trial)?);
//! # std::fs::remove_dir_all(&folder).map_err(|error| error.to_string())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod energy;
mod file;
mod shard;
mod summary;
mod table;

pub use energy::{Energy, EnergyAssumptions, EnergyMeter};
pub use shard::{Shard, ShardEnd};
pub use summary::{Summary, Tally};
pub use table::write_table;

use crate::outcomes::Assessment;
use crate::run::{Block, Gathered};
use crate::{Trial, TrialError, TrialReport};
use file::{Header, Reader, Writer};
use sha2::{Digest, Sha256};
use std::path::Path;
use twin_calibrate::{Flow, Observer, Progress};

/// How many patients are run to tell one trial from another.
const LOOKED_AT: usize = 32;

/// A trial whose outcomes go to files, and what tells its files from those of every other trial.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    trial: &'a Trial,
    digest: [u8; 32],
}

impl<'a> Batch<'a> {
    /// A batch of `trial`, which was made from `manifest`: the bytes of whatever describes the study, say its study file.
    ///
    /// The digest covers the manifest, the version of this crate, what the trial says of itself (model, seed, sizes, names), and the
    /// outcomes of its first 32 patients: files of a trial that differs in any of them are refused. Cohorts, policies and endpoints
    /// cannot be looked into: that two trials differ for later patients only, the manifest must tell.
    ///
    /// # Errors
    /// As [`run`](crate::run) for a trial that cannot be run.
    pub fn new(trial: &'a Trial, manifest: &[u8]) -> Result<Self, TrialError> {
        let looked_at = 0..trial.size.min(LOOKED_AT);
        let first = Block::of(trial)?.assess(looked_at.clone());
        let first = looked_at.zip(first).map(|(patient, arms)| Assessment { patient, arms });
        let mut hash = Sha256::new();
        let mut field = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        field(env!("CARGO_PKG_VERSION").as_bytes());
        field(manifest);
        field(trial.model.spec().id.as_bytes());
        let kept = [trial.attendance.missed, trial.attendance.jitter].map(f64::to_bits);
        for number in [trial.seed, trial.size as u64, trial.visit_interval.days().to_bits(), trial.horizon.days().to_bits()] {
            field(&number.to_le_bytes());
        }
        kept.into_iter().for_each(|number| field(&number.to_le_bytes()));
        trial.arms.iter().for_each(|arm| field(arm.name.as_bytes()));
        trial.endpoints.iter().for_each(|endpoint| field(endpoint.name().as_bytes()));
        let mut bytes = Vec::new();
        first.for_each(|assessment| file::encode(&assessment, &mut bytes));
        field(&bytes);
        Ok(Self { trial, digest: hash.finalize().into() })
    }

    /// The digest, in hexadecimal digits.
    #[must_use]
    pub fn digest(&self) -> String {
        self.digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn header(&self, patients: std::ops::Range<usize>) -> Header {
        Header {
            digest: self.digest,
            first: patients.start as u64,
            end: patients.end as u64,
            arms: self.trial.arms.len() as u32,
            endpoints: self.trial.endpoints.len() as u32,
        }
    }

    /// Runs the trial into the journal at `path`, or goes on with the one that is there: how many patients are in it at the end.
    ///
    /// The process may be killed at any moment: what is lost is the last block of patients at most, and the finished journal has the
    /// same bytes as one that was never interrupted. Two processes never write to one journal.
    ///
    /// # Errors
    /// As [`run`](crate::run); [`TrialError::File`] for what the file system refuses; [`TrialError::Journal`] for a file that is
    /// something else, belongs to another trial, is damaged, or is being written by another process.
    pub fn run_journaled(&self, path: &Path, observer: &dyn Observer) -> Result<usize, TrialError> {
        let mut writer = Writer::open(path, self.header(0..self.trial.size))?;
        self.compare(path, writer.next())?;
        self.fill(&mut writer, observer)
    }

    /// Refuses to go on with a journal of `done` patients in which some of them fared otherwise than they do now.
    fn compare(&self, path: &Path, done: usize) -> Result<(), TrialError> {
        let block = Block::of(self.trial)?;
        let chosen = |patient: usize| patient.is_multiple_of(done.div_ceil(LOOKED_AT).max(1)) || patient + 1 == done;
        for assessment in self.read(path)?.take(done) {
            let stored = assessment?;
            if !chosen(stored.patient) {
                continue;
            }
            let (mut now, mut then) = (Vec::new(), Vec::new());
            let patient = stored.patient;
            file::encode(&stored, &mut then);
            for arms in block.assess(patient..patient + 1) {
                file::encode(&Assessment { patient, arms }, &mut now);
            }
            if now != then {
                let detail = format!("its patient {patient} fared otherwise than now: it belongs to another trial");
                return Err(TrialError::Journal { path: path.to_path_buf(), detail });
            }
        }
        Ok(())
    }

    /// Runs what is still missing in the file of `writer`.
    fn fill(&self, writer: &mut Writer, observer: &dyn Observer) -> Result<usize, TrialError> {
        let block = Block::of(self.trial)?;
        loop {
            let (next, end) = (writer.next(), writer.end());
            let progress = Progress { stage: "trial", done: next, total: end, best: f64::NAN };
            if observer.progress(&progress) == Flow::Stop || next == end {
                return Ok(next);
            }
            let patients = next..(next + Block::PATIENTS).min(end);
            let assessed = block.assess(patients.clone());
            writer.append(patients.zip(assessed).map(|(patient, arms)| Assessment { patient, arms }))?;
        }
    }

    /// Reads the journal at `path`, finished or not: each patient's outcomes in turn, with memory that does not grow with their number.
    ///
    /// # Errors
    /// As [`Batch::run_journaled`]; the items are errors where the file is damaged.
    pub fn read(&self, path: &Path) -> Result<impl Iterator<Item = Result<Assessment, TrialError>> + use<>, TrialError> {
        Reader::open(path, &self.header(0..self.trial.size))
    }

    /// The report of the journal at `path`: that of [`run`](crate::run), if the journal is finished.
    ///
    /// # Errors
    /// As [`Batch::read`]; [`TrialError::Stopped`] for a journal without patients; [`TrialError::TooManyFailures`].
    pub fn report(&self, path: &Path) -> Result<TrialReport, TrialError> {
        self.gather(self.read(path)?)
    }

    fn gather(&self, assessments: impl Iterator<Item = Result<Assessment, TrialError>>) -> Result<TrialReport, TrialError> {
        let mut gathered = Gathered::of(self.trial);
        assessments.into_iter().try_for_each(|assessment| assessment.map(|assessment| gathered.take(assessment)))?;
        gathered.report(self.trial)
    }
}
