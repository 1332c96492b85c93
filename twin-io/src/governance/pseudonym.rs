//! Pseudonyms that only the holder of a key can make.

use crate::{Date, IoError, Place};
use sha2::{Digest, Sha256};
use twin_core::SubjectId;

/// A secret of 32 bytes, kept apart from the data. `Debug` does not show it.
#[derive(Clone)]
pub struct Key {
    bytes: [u8; 32],
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// A key of at least 32 bytes from a source of randomness, such as a key store; of longer ones every byte counts.
    ///
    /// # Errors
    /// [`IoError::Invalid`] for fewer than 32 bytes, or for bytes that are all alike.
    pub fn new(bytes: impl AsRef<[u8]>) -> Result<Self, IoError> {
        let bytes = bytes.as_ref();
        let invalid = |rule: &str| Err(Place::default().field("key").invalid(rule));
        if bytes.len() < 32 {
            return invalid("must have 32 bytes or more, from a source of randomness");
        }
        if bytes.windows(2).all(|pair| pair.first() == pair.last()) {
            return invalid("must come from a source of randomness: all bytes are alike");
        }
        match <[u8; 32]>::try_from(bytes) {
            Ok(bytes) => Ok(Self { bytes }),
            Err(_) => Ok(Self { bytes: Sha256::digest(bytes).into() }),
        }
    }

    /// HMAC-SHA-256 (RFC 2104) of `message`.
    pub(crate) fn authenticate(&self, message: &[u8]) -> [u8; 32] {
        let pad = |byte: u8| {
            let mut block = [byte; 64];
            block.iter_mut().zip(self.bytes).for_each(|(place, key)| *place ^= key);
            block
        };
        let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
        Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().into()
    }

    /// The pseudonym of an identifier: 32 hexadecimal digits, the same for the same key and identifier. Without the key it can
    /// neither be made from a guessed identifier nor turned back. The identifier is taken to the letter.
    ///
    /// # Errors
    /// [`IoError::Invalid`] for an empty identifier.
    pub fn pseudonym(&self, identifier: &str) -> Result<SubjectId, IoError> {
        let place = || Place::default().field("identifier");
        if identifier.trim().is_empty() {
            return Err(place().invalid("must not be empty"));
        }
        let code = self.authenticate(&[b"subject\0", identifier.as_bytes()].concat());
        SubjectId::new(hexadecimal(&code[..16])).map_err(|error| place().invalid(error.to_string()))
    }

    /// The date moved into the past by 1 to 365 days, as many for every date of the subject, for receivers that need dates;
    /// `None` if it would lie before 1800.
    #[must_use]
    pub fn shifted(&self, subject: &SubjectId, date: Date) -> Option<Date> {
        let code = self.authenticate(&[b"shift\0", subject.as_str().as_bytes()].concat());
        let number = u64::from_le_bytes(*code.first_chunk()?);
        date.plus_days(-1 - i64::try_from(number % 365).ok()?)
    }
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
