//! Reading of untrusted files in a process of its own, with a cap on its memory and its time.
//!
//! The readers of this crate check what they read, but a program that reads files of strangers should not have to rely on that: a
//! process that dies takes nothing with it. The program runs itself once more, as the child, in which [`serve`] does the reading:
//!
//! ```no_run
//! # #[cfg(feature = "nifti")] mod example {
//! use std::process::Command;
//! use twin_io::{Limits, child::{self, Cap}};
//!
//! fn read(bytes: &[u8]) -> Result<Vec<u8>, twin_io::IoError> {
//!     let image = twin_io::nifti::Image::parse(bytes, "upload.nii.gz", &Limits::default())?;
//!     Ok(image.values()?.iter().flat_map(|value| value.to_le_bytes()).collect())
//! }
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     if std::env::args().nth(1).as_deref() == Some("read") {
//!         return Ok(child::serve(read)?);
//!     }
//!     let mut itself = Command::new(std::env::current_exe()?);
//!     let cap = Cap { max_memory: 256 << 20, ..Cap::default() };
//!     let values = child::run(itself.arg("read"), &std::fs::read("upload.nii.gz")?, &cap)?;
//!     println!("{} bytes of values", values.len());
//!     Ok(())
//! }
//! # }
//! ```
//!
//! The cap is one of address space (`RLIMIT_AS`), which the child sets for itself before it reads a byte of the file. It exists on
//! Linux; elsewhere [`serve`] refuses to read rather than read without it.

use crate::IoError;
use std::io::{Read, Write};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// What a child may take at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cap {
    /// Address space, in bytes; default 512 MiB. What the program itself takes when it starts counts.
    pub max_memory: u64,
    /// Time; default 10 s.
    pub max_time: Duration,
    /// Bytes of its answer; default 64 MiB.
    pub max_answer: usize,
}

impl Default for Cap {
    fn default() -> Self {
        Self { max_memory: 512 << 20, max_time: Duration::from_secs(10), max_answer: 64 << 20 }
    }
}

/// The first byte of an answer.
const READ: u8 = 0;
const REFUSED: u8 = 1;

/// What a child makes of `input`: the bytes of a file, or whatever else [`serve`]'s work expects. `command` is a program that calls
/// [`serve`]: as a rule the running one, with an argument that makes it do so.
///
/// # Errors
/// [`IoError::Child`] if it cannot be started, dies, takes too long, or answers too much or nothing; [`IoError::Reported`] with the
/// message of the error that its reader gave.
pub fn run(command: &mut Command, input: &[u8], cap: &Cap) -> Result<Vec<u8>, IoError> {
    let lost = |how: String| IoError::Child { how, max_memory: cap.max_memory };
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| lost(format!("it could not be started: {}", error.kind())))?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let most = u64::try_from(cap.max_answer).unwrap_or(u64::MAX).saturating_add(2);
    let (status, answer) = std::thread::scope(|scope| {
        // A child that dies early does not take all of its input; what it answers says what happened.
        scope.spawn(move || {
            if let Some(mut pipe) = stdin {
                let _ = pipe.write_all(&cap.max_memory.to_le_bytes()).and_then(|()| pipe.write_all(input));
            }
        });
        let answer = scope.spawn(move || {
            let mut answer = Vec::new();
            let read = stdout.map(|pipe| pipe.take(most).read_to_end(&mut answer));
            read.transpose().map(|_| answer)
        });
        (wait(&mut child, cap.max_time), answer.join())
    });
    let status = status.map_err(lost)?;
    let answer = answer.map_err(|_| lost("its answer could not be read".to_owned()))?;
    let answer = answer.map_err(|error| lost(format!("its answer could not be read: {}", error.kind())))?;
    if !status.success() {
        return Err(lost(format!("it ended with {status}")));
    }
    match answer.split_first() {
        Some((&READ, bytes)) if bytes.len() <= cap.max_answer => Ok(bytes.to_vec()),
        Some((&READ, _)) => Err(lost(format!("it answered more than {} bytes", cap.max_answer))),
        Some((&REFUSED, message)) => Err(IoError::Reported { message: String::from_utf8_lossy(message).into_owned() }),
        _ => Err(lost("it answered nothing".to_owned())),
    }
}

/// Waits for the end of a child, and ends it when its time is over.
fn wait(child: &mut std::process::Child, most: Duration) -> Result<ExitStatus, String> {
    let start = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) if start.elapsed() < most => std::thread::sleep(Duration::from_millis(2)),
            Ok(None) => {
                // Its end closes the pipes, which the threads beside this one wait for.
                let _ = child.kill().and_then(|()| child.wait());
                return Err(format!("it took more than {} s", most.as_secs_f64()));
            }
            Err(error) => {
                let _ = child.kill();
                return Err(format!("it could not be waited for: {}", error.kind()));
            }
        }
    }
}

/// The part of the child: caps its own memory, reads what its parent gives it, and answers with what `work` makes of it.
///
/// The answer goes to the standard output, to which the program must write nothing else.
///
/// # Errors
/// [`IoError::Child`] where there is no cap on memory or it cannot be set, or a pipe breaks. An error of `work` is part of the answer.
pub fn serve(work: impl FnOnce(&[u8]) -> Result<Vec<u8>, IoError>) -> Result<(), IoError> {
    let mut input = std::io::stdin().lock();
    let mut head = [0; 8];
    input.read_exact(&mut head).map_err(|error| broken(&error))?;
    set(u64::from_le_bytes(head))?;
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes).map_err(|error| broken(&error))?;
    let (first, answer) = match work(&bytes) {
        Ok(answer) => (READ, answer),
        Err(error) => (REFUSED, error.to_string().into_bytes()),
    };
    let mut output = std::io::stdout().lock();
    output
        .write_all(&[first])
        .and_then(|()| output.write_all(&answer))
        .and_then(|()| output.flush())
        .map_err(|error| broken(&error))
}

fn broken(error: &std::io::Error) -> IoError {
    IoError::Child { how: format!("a pipe to its parent is broken: {}", error.kind()), max_memory: 0 }
}

#[cfg(target_os = "linux")]
fn set(bytes: u64) -> Result<(), IoError> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let limit = Rlimit { current: Some(bytes), maximum: Some(bytes) };
    setrlimit(Resource::As, limit)
        .map_err(|error| IoError::Child { how: format!("its memory could not be capped: {}", error.kind()), max_memory: bytes })
}

#[cfg(not(target_os = "linux"))]
fn set(bytes: u64) -> Result<(), IoError> {
    Err(IoError::Child { how: "there is no cap on memory on this platform".to_owned(), max_memory: bytes })
}

#[cfg(test)]
#[cfg(unix)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn ask(script: &str, input: &[u8], cap: &Cap) -> Result<Vec<u8>, IoError> {
        run(Command::new("/bin/sh").args(["-c", script]), input, cap)
    }

    fn how(script: &str, cap: &Cap) -> String {
        ask(script, b"input", cap).unwrap_err().to_string()
    }

    #[test]
    fn an_answer_comes_back() {
        let cap = Cap::default();
        assert_eq!(ask(r"printf '\000abc'", b"", &cap).unwrap(), b"abc");
        // The cap comes before the input.
        assert_eq!(ask(r"printf '\000'; tail -c +9", &vec![7; 1 << 20], &cap).unwrap(), vec![7; 1 << 20]);
        let refused = ask(r"printf '\001no such thing'", b"", &cap);
        assert!(matches!(refused, Err(IoError::Reported { message }) if message == "no such thing"));
    }

    #[test]
    fn a_child_that_is_lost_is_an_error() {
        let cap = Cap::default();
        assert!(how("kill -9 $$", &cap).contains("signal: 9"));
        assert!(how("exit 3", &cap).contains("exit status: 3"));
        assert!(how("exit 0", &cap).contains("answered nothing"));
        let nowhere = run(&mut Command::new("/nowhere/at/all"), b"", &cap).unwrap_err().to_string();
        assert!(nowhere.contains("could not be started"), "{nowhere}");
        let short = Cap { max_time: Duration::from_millis(50), ..cap.clone() };
        assert!(how("exec sleep 60", &short).contains("more than 0.05 s"));
        let small = Cap { max_answer: 10, ..cap };
        let much = how(r"printf '\000'; head -c 100000 /dev/zero", &small);
        assert!(much.contains("more than 10 bytes") || much.contains("signal") || much.contains("status"), "{much}");
    }
}
