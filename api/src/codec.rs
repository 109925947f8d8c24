//! bincode, behind this one file so that it can be exchanged.

use bincode::config::{Configuration, standard};
use bincode::enc::write::Writer;
use bincode::error::EncodeError;
use serde::{Serialize, de::DeserializeOwned};

const CONFIG: Configuration = standard();

/// Appends `value` in bincode to `bytes`.
#[inline]
pub fn encode_into<T: Serialize + ?Sized>(value: &T, bytes: &mut Vec<u8>) -> Result<(), String> {
    match bincode::serde::encode_into_writer(value, Appended(bytes), CONFIG) {
        Ok(()) => Ok(()),
        Err(error) => Err(said(&error)),
    }
}

/// Takes pieces of a few bytes faster than [`std::io::Write`], and cannot fail.
struct Appended<'a>(&'a mut Vec<u8>);

impl Writer for Appended<'_> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// Decodes one value from the start of `bytes`, and goes past it.
#[inline]
pub fn decode_next<T: DeserializeOwned>(bytes: &mut &[u8]) -> Result<T, String> {
    match bincode::serde::decode_from_slice(bytes, CONFIG) {
        Ok((value, read)) => {
            *bytes = bytes.get(read..).unwrap_or_default();
            Ok(value)
        }
        Err(error) => Err(said(&error)),
    }
}

/// Apart from the usual way, which is taken for each value.
#[cold]
fn said(error: &impl ToString) -> String {
    error.to_string()
}

/// Decodes one value; bytes left over are an error.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let mut rest = bytes;
    let value = decode_next(&mut rest)?;
    if rest.is_empty() {
        Ok(value)
    } else {
        Err(format!("{} bytes, of which {} were read", bytes.len(), bytes.len() - rest.len()))
    }
}
