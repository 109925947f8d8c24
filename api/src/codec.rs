//! bincode, behind this one file so that it can be exchanged.

use bincode::config::{Configuration, standard};
use serde::{Serialize, de::DeserializeOwned};

const CONFIG: Configuration = standard();

/// Appends `value` in bincode to `bytes`.
pub fn encode_into<T: Serialize + ?Sized>(value: &T, bytes: &mut Vec<u8>) -> Result<(), String> {
    bincode::serde::encode_into_std_write(value, bytes, CONFIG)
        .map(|_written| ())
        .map_err(|error| error.to_string())
}

/// Decodes one value from the start of `bytes`, and goes past it.
pub fn decode_next<T: DeserializeOwned>(bytes: &mut &[u8]) -> Result<T, String> {
    let (value, read) =
        bincode::serde::decode_from_slice(bytes, CONFIG).map_err(|error| error.to_string())?;
    *bytes = bytes.get(read..).unwrap_or_default();
    Ok(value)
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
