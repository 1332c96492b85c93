//! Reading a file up to a limit, and writing one whole or not at all.

use crate::{IoError, Limits, Place};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The bytes of a file, if they are at most `limits.max_bytes`.
#[allow(dead_code)] // `arrow` alone writes and does not read
pub(crate) fn read_bytes(path: &Path, limits: &Limits) -> Result<Vec<u8>, IoError> {
    let failed = |source| IoError::Read { file: path.to_owned(), source };
    let mut bytes = Vec::new();
    let most = u64::try_from(limits.max_bytes).unwrap_or(u64::MAX).saturating_add(1);
    File::open(path).map_err(failed)?.take(most).read_to_end(&mut bytes).map_err(failed)?;
    checked_size(bytes.len(), Some(path), limits)?;
    Ok(bytes)
}

/// The text of a file, if it has at most `limits.max_bytes` and is UTF-8.
#[cfg(any(feature = "json", feature = "table"))]
pub(crate) fn read(path: &Path, limits: &Limits) -> Result<String, IoError> {
    text(read_bytes(path, limits)?, Some(path))
}

/// Bytes as UTF-8.
#[cfg(any(feature = "json", feature = "table", feature = "genomics", feature = "sbml"))]
pub(crate) fn text(bytes: Vec<u8>, file: Option<&Path>) -> Result<String, IoError> {
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.as_bytes().iter().take(error.utf8_error().valid_up_to());
        let line = 1 + valid.filter(|byte| **byte == b'\n').count();
        IoError::Encoding { place: Place::of(file).line(line) }
    })
}

/// Refuses more bytes than the limit.
#[allow(dead_code)] // as above
pub(crate) fn checked_size(bytes: usize, file: Option<&Path>, limits: &Limits) -> Result<(), IoError> {
    if bytes > limits.max_bytes {
        let place = Place::of(file);
        return Err(IoError::Limit { place, what: "bytes", limit: limits.max_bytes, raise: "max_bytes" });
    }
    Ok(())
}

#[cfg(any(feature = "json", feature = "nifti", feature = "parquet", feature = "arrow"))]
pub(crate) use write::create;
#[cfg(feature = "json")]
pub(crate) use write::replace;

#[cfg(any(feature = "json", feature = "nifti", feature = "parquet", feature = "arrow"))]
mod write {
    use super::{File, IoError, Path};
    use std::fs;
    use std::io::{Error, ErrorKind, Write as _};
    use std::path::PathBuf;

    /// A file that is removed again unless it was moved to its place.
    struct Temporary {
        path: PathBuf,
        moved: bool,
    }

    impl Drop for Temporary {
        fn drop(&mut self) {
            if !self.moved {
                // Nothing better can be done about a failure here, and the failure that led here is the one to report.
                let _ = fs::remove_file(&self.path);
            }
        }
    }

    /// Writes a file that is not there yet.
    pub(crate) fn create(path: &Path, bytes: &[u8]) -> Result<(), IoError> {
        let failed = |source| IoError::Write { file: path.to_owned(), source };
        let exists = || IoError::Exists { file: path.to_owned() };
        if path.symlink_metadata().is_ok() {
            return Err(exists());
        }
        let mut temporary = staged(path, bytes).map_err(failed)?;
        // A link, unlike a rename, fails if another process has made the file in the meantime.
        match fs::hard_link(&temporary.path, path) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(exists()),
            Err(_) if path.symlink_metadata().is_ok() => Err(exists()),
            Err(_) => moved(&mut temporary, path).map_err(failed), // a file system without links
        }
    }

    /// Writes a file in the place of the one that may be there.
    #[cfg(feature = "json")]
    pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), IoError> {
        let write = || moved(&mut staged(path, bytes)?, path);
        write().map_err(|source| IoError::Write { file: path.to_owned(), source })
    }

    fn moved(temporary: &mut Temporary, path: &Path) -> Result<(), Error> {
        fs::rename(&temporary.path, path)?;
        temporary.moved = true;
        Ok(())
    }

    /// All the bytes on disk, in a new file beside `path` that only its owner can read.
    fn staged(path: &Path, bytes: &[u8]) -> Result<Temporary, Error> {
        let name = path.file_name().ok_or_else(|| Error::new(ErrorKind::InvalidInput, "the path does not end in a file name"))?;
        let (mut file, temporary) = beside(path, &name.to_string_lossy())?;
        file.write_all(bytes)?;
        file.sync_all()?;
        Ok(temporary)
    }

    fn beside(path: &Path, name: &str) -> Result<(File, Temporary), Error> {
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut attempt = 0;
        loop {
            let path = path.with_file_name(format!(".{name}.{}-{attempt}.tmp", std::process::id()));
            match options.open(&path) {
                Ok(file) => return Ok((file, Temporary { path, moved: false })),
                Err(error) if error.kind() == ErrorKind::AlreadyExists && attempt < 100 => attempt += 1,
                Err(error) => return Err(error),
            }
        }
    }
}
