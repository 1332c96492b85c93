//! The file of outcomes: a header, then blocks of patients, each with the digest of everything before it.
//!
//! ```text
//! header   magic (16 bytes), digest of the trial (32), first patient, end (u64 each), arms, endpoints (u32 each), check (8)
//! block    length of the payload, number of patients (u32 each), check of the head (8), payload, check (8)
//! ```
//!
//! A check is the first 8 bytes of the SHA-256 of the check before it and of all bytes since. All numbers are little-endian. A block is
//! appended by one write. What a killed process leaves of one is shorter than it should be, and is cut off when the file is opened
//! again; a block that is long enough and fails a check is damage, and an error.

use crate::outcomes::Assessment;
use crate::{Outcome, TrialError};
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 16] = b"twin-outcomes-1\n";
const CHECK: usize = 8;
const HEADER: usize = 16 + 32 + 8 + 8 + 4 + 4 + CHECK;
/// The length and the number of patients of a block.
const HEAD: usize = 8;
/// A block is never larger than this.
const MOST_BYTES: u32 = 1 << 28;

/// What a file of outcomes holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) digest: [u8; 32],
    pub(super) first: u64,
    pub(super) end: u64,
    pub(super) arms: u32,
    pub(super) endpoints: u32,
}

impl Header {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER);
        bytes.extend(MAGIC);
        bytes.extend(self.digest);
        bytes.extend(self.first.to_le_bytes());
        bytes.extend(self.end.to_le_bytes());
        bytes.extend(self.arms.to_le_bytes());
        bytes.extend(self.endpoints.to_le_bytes());
        let check = check([0; CHECK], &bytes);
        bytes.extend(check);
        bytes
    }
}

fn check(before: [u8; CHECK], bytes: &[u8]) -> [u8; CHECK] {
    let whole: [u8; 32] = Sha256::new().chain_update(before).chain_update(bytes).finalize().into();
    std::array::from_fn(|place| whole[place])
}

/// Appends what became of a patient to `bytes`.
pub(super) fn encode(assessment: &Assessment, bytes: &mut Vec<u8>) {
    let text = |error: &TrialError, bytes: &mut Vec<u8>| {
        let text = error.to_string();
        bytes.extend((text.len() as u32).to_le_bytes());
        bytes.extend(text.as_bytes());
    };
    let arms = match &assessment.arms {
        Err(error) => {
            bytes.push(0);
            return text(error, bytes);
        }
        Ok(arms) => arms,
    };
    bytes.push(1);
    for arm in arms {
        match arm {
            Err(error) => {
                bytes.push(0);
                text(error, bytes);
            }
            Ok(outcomes) => {
                bytes.push(1);
                for outcome in outcomes {
                    let (kind, value) = match outcome {
                        Outcome::NotEvaluable => (0, None),
                        Outcome::Event(value) => (1, Some(value)),
                        Outcome::Censored(value) => (2, Some(value)),
                        Outcome::Value(value) => (3, Some(value)),
                    };
                    bytes.push(kind);
                    bytes.extend(value.into_iter().flat_map(|value| value.to_le_bytes()));
                }
            }
        }
    }
}

/// The bytes of a block that were not read yet.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*bytes)
    }

    fn byte(&mut self) -> Option<u8> {
        self.bytes::<1>().map(|[byte]| byte)
    }

    fn error(&mut self) -> Option<TrialError> {
        let length = u32::from_le_bytes(self.bytes()?) as usize;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(TrialError::Recorded { error: String::from_utf8(text.to_vec()).ok()? })
    }

    fn outcome(&mut self) -> Option<Outcome> {
        let kind = self.byte()?;
        let mut number = || self.bytes().map(f64::from_le_bytes);
        match kind {
            0 => Some(Outcome::NotEvaluable),
            1 => number().map(Outcome::Event),
            2 => number().map(Outcome::Censored),
            3 => number().map(Outcome::Value),
            _ => None,
        }
    }

    fn assessment(&mut self, patient: usize, header: &Header) -> Option<Assessment> {
        if self.byte()? == 0 {
            return Some(Assessment { patient, arms: Err(self.error()?) });
        }
        let mut arms = Vec::with_capacity(header.arms as usize);
        for _ in 0..header.arms {
            arms.push(match self.byte()? {
                0 => Err(self.error()?),
                _ => Ok((0..header.endpoints).map(|_| self.outcome()).collect::<Option<Vec<_>>>()?),
            });
        }
        Some(Assessment { patient, arms: Ok(arms) })
    }
}

fn refused(path: &Path) -> impl Fn(std::io::Error) -> TrialError + use<> {
    let path = path.to_path_buf();
    move |source| TrialError::File { path: path.clone(), source }
}

fn fault(path: &Path, detail: impl Into<String>) -> TrialError {
    TrialError::Journal { path: path.to_path_buf(), detail: detail.into() }
}

/// Reads as many bytes as `bytes` has room for, or as the file still has.
fn fill(file: &mut impl Read, bytes: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < bytes.len() {
        match file.read(bytes.get_mut(filled..).unwrap_or_default())? {
            0 => break,
            more => filled += more,
        }
    }
    Ok(filled)
}

/// The check of the header of `file`, which must be `header`; `None` if it was not written to its end.
fn read_header(file: &mut impl Read, path: &Path, header: &Header) -> Result<Option<[u8; CHECK]>, TrialError> {
    let (expected, mut found) = (header.bytes(), [0; HEADER]);
    let length = fill(file, &mut found).map_err(refused(path))?;
    let found = found.get(..length).unwrap_or_default();
    if expected.starts_with(found) {
        return Ok(expected.last_chunk().filter(|_| length == HEADER).copied());
    }
    let magic = length.min(MAGIC.len());
    Err(fault(
        path,
        if found.get(..magic) == MAGIC.get(..magic) {
            "it belongs to another trial, or to another part of this one; take another path, or remove it"
        } else {
            "it is no file of outcomes"
        },
    ))
}

/// What comes next in a file.
enum Next {
    /// A whole block: its patients, its payload, its check.
    Block { patients: u32, payload: Vec<u8>, check: [u8; CHECK] },
    /// Nothing.
    End,
    /// The beginning of a block.
    Torn,
    /// What no writer left behind.
    Damage,
}

/// What comes in `file` after a block with the check `before`.
fn read_block(file: &mut impl Read, before: [u8; CHECK]) -> std::io::Result<Next> {
    let (mut head, mut found) = ([0; HEAD], [0; CHECK]);
    match fill(file, &mut head)? {
        0 => return Ok(Next::End),
        read if read < HEAD => return Ok(Next::Torn),
        _ => {}
    }
    if fill(file, &mut found)? < CHECK {
        return Ok(Next::Torn);
    }
    let of_head = check(before, &head);
    if of_head != found {
        return Ok(Next::Damage);
    }
    let [a, b, c, d, e, f, g, h] = head;
    let (length, patients) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
    // The length is not trusted with memory before the bytes are there.
    let mut payload = Vec::new();
    let read = file.take(u64::from(length)).read_to_end(&mut payload)?;
    if read < length as usize || fill(file, &mut found)? < CHECK {
        return Ok(Next::Torn);
    }
    let check = check(of_head, &payload);
    Ok(if check == found { Next::Block { patients, payload, check } } else { Next::Damage })
}

/// The error for damage after `patients` patients.
fn damaged(path: &Path, patients: u64) -> TrialError {
    fault(path, format!("it is damaged after patient {patients}; remove it, or put a sound copy in its place"))
}

/// Appends to a file of outcomes that no other process writes to.
#[derive(Debug)]
pub(super) struct Writer {
    path: PathBuf,
    file: File,
    header: Header,
    next: u64,
    check: [u8; CHECK],
    bytes: Vec<u8>,
}

impl Writer {
    /// Opens the file at `path`, or makes it. What is not a whole block at its end is cut off.
    pub(super) fn open(path: &Path, header: Header) -> Result<Self, TrialError> {
        let io = refused(path);
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(&io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Err(fault(path, "another process is writing to it")),
            Err(std::fs::TryLockError::Error(source)) => return Err(io(source)),
        }
        let (mut next, mut valid) = (header.first, HEADER as u64);
        let check = match read_header(&mut file, path, &header)? {
            None => {
                file.seek(SeekFrom::Start(0)).map_err(&io)?;
                file.set_len(0).map_err(&io)?;
                let bytes = header.bytes();
                file.write_all(&bytes).map_err(&io)?;
                bytes.last_chunk().copied().unwrap_or_default()
            }
            Some(mut check) => {
                let mut reader = BufReader::new(&mut file);
                loop {
                    match read_block(&mut reader, check).map_err(&io)? {
                        Next::Block { patients, payload, check: of_block } => {
                            check = of_block;
                            next += u64::from(patients);
                            valid += (HEAD + CHECK + payload.len() + CHECK) as u64;
                        }
                        Next::End | Next::Torn => break check,
                        Next::Damage => return Err(damaged(path, next)),
                    }
                }
            }
        };
        if next > header.end {
            return Err(fault(path, format!("it holds {next} patients, but the trial has {}", header.end)));
        }
        file.set_len(valid).map_err(&io)?;
        file.seek(SeekFrom::Start(valid)).map_err(&io)?;
        Ok(Self { path: path.to_path_buf(), file, header, next, check, bytes: Vec::new() })
    }

    /// The patient that comes next.
    pub(super) fn next(&self) -> usize {
        self.next as usize
    }

    /// The patient after the last.
    pub(super) fn end(&self) -> usize {
        self.header.end as usize
    }

    /// Appends a block.
    pub(super) fn append(&mut self, assessments: impl Iterator<Item = Assessment>) -> Result<(), TrialError> {
        const PAYLOAD: usize = HEAD + CHECK;
        self.bytes.clear();
        self.bytes.extend([0; PAYLOAD]);
        let mut patients = 0_u32;
        for assessment in assessments {
            encode(&assessment, &mut self.bytes);
            patients += 1;
        }
        let payload = self.bytes.get(PAYLOAD..).unwrap_or_default();
        let length = u32::try_from(payload.len()).ok().filter(|length| *length <= MOST_BYTES);
        let large = || fault(&self.path, format!("a block of {patients} patients would take {} bytes", payload.len()));
        let mut head = [0; HEAD];
        let numbers = length.ok_or_else(large)?.to_le_bytes().into_iter().chain(patients.to_le_bytes());
        head.iter_mut().zip(numbers).for_each(|(place, byte)| *place = byte);
        let of_head = check(self.check, &head);
        self.check = check(of_head, payload);
        self.bytes.iter_mut().zip(head.into_iter().chain(of_head)).for_each(|(place, byte)| *place = byte);
        self.bytes.extend(self.check);
        self.file.write_all(&self.bytes).map_err(refused(&self.path))?;
        self.next += u64::from(patients);
        Ok(())
    }

    /// Waits until everything is on the disk.
    pub(super) fn sync(&self) -> Result<(), TrialError> {
        self.file.sync_all().map_err(refused(&self.path))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Closing the file is not enough: a child process that is about to start holds a copy of it for a moment, and the lock with it.
        let _ = self.file.unlock();
    }
}

/// Reads a file of outcomes from its beginning, a block at a time.
#[derive(Debug)]
pub(super) struct Reader {
    path: PathBuf,
    file: BufReader<File>,
    header: Header,
    next: u64,
    check: [u8; CHECK],
    block: std::vec::IntoIter<Assessment>,
    over: bool,
}

impl Reader {
    /// Opens the file at `path`, which must be that of `header`.
    pub(super) fn open(path: &Path, header: &Header) -> Result<Self, TrialError> {
        let mut file = BufReader::new(File::open(path).map_err(refused(path))?);
        let check = read_header(&mut file, path, header)?.ok_or_else(|| fault(path, "it ends within its header"))?;
        let (path, block) = (path.to_path_buf(), Vec::new().into_iter());
        Ok(Self { path, file, header: *header, next: header.first, check, block, over: false })
    }

    /// Whether every patient of the file was read.
    pub(super) fn is_complete(&self) -> bool {
        self.next == self.header.end && self.block.len() == 0
    }

    fn next_block(&mut self) -> Result<bool, TrialError> {
        let (patients, payload, check) = match read_block(&mut self.file, self.check).map_err(refused(&self.path))? {
            Next::Block { patients, payload, check } => (patients, payload, check),
            Next::End => return Ok(false),
            Next::Torn if self.next < self.header.end => return Ok(false),
            Next::Torn | Next::Damage => return Err(damaged(&self.path, self.next)),
        };
        let (mut cursor, mut assessments) = (Cursor(&payload), Vec::new());
        for _ in 0..patients {
            let assessment = cursor.assessment(self.next as usize, &self.header).filter(|_| self.next < self.header.end);
            assessments.push(assessment.ok_or_else(|| damaged(&self.path, self.next))?);
            self.next += 1;
        }
        if !cursor.0.is_empty() {
            return Err(damaged(&self.path, self.next));
        }
        self.check = check;
        self.block = assessments.into_iter();
        Ok(true)
    }
}

impl Iterator for Reader {
    type Item = Result<Assessment, TrialError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(assessment) = self.block.next() {
                return Some(Ok(assessment));
            }
            if self.over {
                return None;
            }
            match self.next_block() {
                Ok(true) => {}
                Ok(false) => self.over = true,
                Err(error) => {
                    self.over = true;
                    return Some(Err(error));
                }
            }
        }
    }
}
