//! Encoding and decoding with bincode. The only file of this crate that names it.

use bincode::config::{Configuration, standard};
use bincode::enc::write::Writer;
use bincode::error::EncodeError;
use serde::{Serialize, de::DeserializeOwned};

const CONFIG: Configuration = standard();

/// Appends `value` in bincode to `bytes`.
#[inline]
pub fn encode_into<T: Serialize + ?Sized>(value: &T, bytes: &mut Vec<u8>) -> Result<(), String> {
    match bincode::serde::encode_into_writer(value, VecWriter(bytes), CONFIG) {
        Ok(()) => Ok(()),
        Err(error) => Err(message(&error)),
    }
}

/// Infallible, and faster than [`std::io::Write`] for writes of a few bytes.
struct VecWriter<'a>(&'a mut Vec<u8>);

impl Writer for VecWriter<'_> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// Decodes one value from the start of `bytes` and advances `bytes` past it.
#[inline]
pub fn decode_next<T: DeserializeOwned>(bytes: &mut &[u8]) -> Result<T, String> {
    match bincode::serde::decode_from_slice(bytes, CONFIG) {
        Ok((value, read)) => {
            *bytes = bytes.get(read..).unwrap_or_default();
            Ok(value)
        }
        Err(error) => Err(message(&error)),
    }
}

/// Out of line, so that the success path, taken for each value, stays small.
#[cold]
fn message(error: &impl ToString) -> String {
    error.to_string()
}

/// Decodes one value from all of `bytes`; trailing bytes are an error.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let mut rest = bytes;
    let value = decode_next(&mut rest)?;
    if rest.is_empty() {
        Ok(value)
    } else {
        Err(format!(
            "expected a value of {} bytes, but decoding ended after {}",
            bytes.len(),
            bytes.len() - rest.len()
        ))
    }
}
