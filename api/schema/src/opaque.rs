//! Encodes fields whose type has no schema: `#[serde(with = "playground_schema::opaque")]`.
//!
//! The value's bincode is written with a length prefix. Only the same type can decode it, so it
//! cannot be converted.

use std::fmt;

use serde::de::{DeserializeOwned, Error as _, SeqAccess, Visitor};
use serde::ser::Error as _;
use serde::{Deserializer, Serialize, Serializer};

/// Writes a value's bincode with a length prefix.
pub fn serialize<T: Serialize, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    let bytes = bincode::serde::encode_to_vec(value, bincode::config::standard());
    serializer.serialize_bytes(&bytes.map_err(S::Error::custom)?)
}

/// Reads what [`serialize`] wrote.
pub fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: DeserializeOwned,
    D: Deserializer<'de>,
{
    let bytes = deserializer.deserialize_byte_buf(Bytes)?;
    let (value, read) = bincode::serde::decode_from_slice(&bytes, bincode::config::standard())
        .map_err(D::Error::custom)?;
    if read == bytes.len() {
        Ok(value)
    } else {
        Err(D::Error::custom(format!(
            "expected a value of {} bytes, but decoding ended after {read}",
            bytes.len()
        )))
    }
}

struct Bytes;

impl<'de> Visitor<'de> for Bytes {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("opaque data, as bytes")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }

    fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
        Ok(bytes)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<u8>, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = items.next_element()? {
            bytes.push(byte);
        }
        Ok(bytes)
    }
}
