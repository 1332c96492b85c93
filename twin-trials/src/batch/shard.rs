//! Shards: parts of a trial that any process may run, once or more often.

use super::Batch;
use super::file::{Header, Reader, Writer};
use crate::{TrialError, TrialReport};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::ops::Range;
use std::path::{Path, PathBuf};
use twin_calibrate::Observer;

/// Part number `index` of `of` parts of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: usize,
    of: usize,
}

/// What came of running a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShardEnd {
    /// Its file is there now.
    Made(PathBuf),
    /// Its file was there already, and nothing was done.
    Skipped(PathBuf),
    /// The observer asked to stop before the end; nothing is left.
    Stopped,
}

impl Shard {
    /// Part number `index`, from 0, of `of` parts.
    ///
    /// # Errors
    /// [`TrialError::Count`] for no parts, or a part beyond them.
    pub fn new(index: usize, of: usize) -> Result<Self, TrialError> {
        if of == 0 {
            return Err(TrialError::Count { what: "the number of shards", count: of, valid: "at least 1" });
        }
        if index >= of {
            return Err(TrialError::Count { what: "the index of a shard", count: index, valid: "below the number of shards" });
        }
        Ok(Self { index, of })
    }

    /// All `of` parts.
    ///
    /// # Errors
    /// As [`Shard::new`].
    pub fn all(of: usize) -> Result<impl Iterator<Item = Self>, TrialError> {
        Self::new(0, of)?;
        Ok((0..of).map(move |index| Self { index, of }))
    }

    /// The patients of this part of a trial of `size` patients.
    #[must_use]
    pub fn patients(self, size: usize) -> Range<usize> {
        // In 128 bits the product cannot overflow.
        let at = |index: usize| (index as u128 * size as u128 / self.of as u128) as usize;
        at(self.index)..at(self.index + 1)
    }
}

/// Whether the file at `path` is the whole one of `header`; one that is damaged is not.
fn is_whole(path: &Path, header: &Header) -> Result<bool, TrialError> {
    let read = Reader::open(path, header).and_then(|mut reader| {
        reader.try_for_each(|assessment| assessment.map(|_| ()))?;
        Ok(reader.is_complete())
    });
    match read {
        Err(TrialError::Journal { .. }) => Ok(false),
        other => other,
    }
}

impl Batch<'_> {
    /// The file of `shard` in `folder`.
    #[must_use]
    pub fn shard_path(&self, shard: Shard, folder: &Path) -> PathBuf {
        let digest = self.digest();
        let short = digest.get(..16).unwrap_or(&digest);
        folder.join(format!("{short}-{:06}-of-{:06}.outcomes", shard.index, shard.of))
    }

    /// Runs `shard` into one file in `folder`, written under another name and renamed when it is whole.
    ///
    /// A shard whose file is whole is skipped; one whose file is damaged is made again. It may run more than once, even at the same time: every run gives the same bytes, and the
    /// last rename wins.
    ///
    /// # Errors
    /// As [`Batch::run_journaled`].
    pub fn run_shard(&self, shard: Shard, folder: &Path, observer: &dyn Observer) -> Result<ShardEnd, TrialError> {
        let (path, header) = (self.shard_path(shard, folder), self.header(shard.patients(self.trial.size)));
        if path.exists() && is_whole(&path, &header)? {
            return Ok(ShardEnd::Skipped(path));
        }
        // Two workers may have the same process number, each in a container of its own: the name is random.
        let name = RandomState::new().build_hasher().finish();
        let draft = path.with_extension(format!("{name:016x}.draft"));
        let mut writer = Writer::open(&draft, header)?;
        let draft = Draft(draft);
        if self.fill(&mut writer, observer)? < writer.end() {
            return Ok(ShardEnd::Stopped);
        }
        writer.sync()?;
        std::fs::rename(&draft.0, &path).map_err(|source| TrialError::File { path: path.clone(), source })?;
        Ok(ShardEnd::Made(path))
    }

    /// The outcomes of all `of` shards in `folder`, patient by patient, with memory that does not grow with their number.
    ///
    /// # Errors
    /// [`TrialError::MissingShards`] naming those whose files are not there; as [`Batch::read`].
    pub fn read_shards(
        &self,
        of: usize,
        folder: &Path,
    ) -> Result<impl Iterator<Item = Result<crate::Assessment, TrialError>>, TrialError> {
        let missing: Vec<usize> =
            Shard::all(of)?.filter(|shard| !self.shard_path(*shard, folder).exists()).map(|shard| shard.index).collect();
        if !missing.is_empty() {
            return Err(TrialError::MissingShards { missing, of });
        }
        let size = self.trial.size;
        let files = Shard::all(of)?.map(move |shard| {
            let path = self.shard_path(shard, folder);
            let reader = Reader::open(&path, &self.header(shard.patients(size)))?;
            Ok((path, reader))
        });
        Ok(files.flat_map(|opened| match opened {
            Ok((path, reader)) => Whole { path, reader: Some(reader), error: None },
            Err(error) => Whole { path: PathBuf::new(), reader: None, error: Some(error) },
        }))
    }

    /// The report of all `of` shards in `folder`: that of [`run`](crate::run).
    ///
    /// # Errors
    /// As [`Batch::read_shards`] and [`Batch::report`].
    pub fn merge(&self, of: usize, folder: &Path) -> Result<TrialReport, TrialError> {
        self.gather(self.read_shards(of, folder)?)
    }
}

/// A file that is removed unless it was renamed.
struct Draft(PathBuf);

impl Drop for Draft {
    fn drop(&mut self) {
        // Nothing to remove after the rename; and where it cannot be removed, no one takes it for a shard.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Reads a shard to its end, and tells if that comes too early.
struct Whole {
    path: PathBuf,
    reader: Option<Reader>,
    error: Option<TrialError>,
}

impl Iterator for Whole {
    type Item = Result<crate::Assessment, TrialError>;

    fn next(&mut self) -> Option<Self::Item> {
        let Some(reader) = &mut self.reader else {
            return self.error.take().map(Err);
        };
        let next = reader.next();
        if next.is_none() && !reader.is_complete() {
            self.reader = None;
            return Some(Err(TrialError::Journal { path: self.path.clone(), detail: "it ends too early".to_owned() }));
        }
        next
    }
}
