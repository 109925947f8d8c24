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

/// Decodes one value; bytes left over are an error.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let (value, read) =
        bincode::serde::decode_from_slice(bytes, CONFIG).map_err(|error| error.to_string())?;
    if read == bytes.len() {
        Ok(value)
    } else {
        Err(format!("{} bytes, of which {read} were read", bytes.len()))
    }
}
