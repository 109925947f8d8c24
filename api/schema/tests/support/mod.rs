//! Values of old and new types, for the tests.
#![allow(dead_code, reason = "each test uses a part")]

use std::fmt::Debug;

use playground_schema::{Definition, Options, Persist, Resolution, Schema, verify};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A value and the type that it was written as.
#[derive(Clone)]
pub struct Old {
    pub definition: Definition,
    pub bytes: Vec<u8>,
}

/// A type, and what a value is to become, or a part of the error.
#[derive(Clone)]
pub struct New {
    pub schema: &'static Schema,
    pub expected: Result<String, &'static str>,
    read: fn(&[u8]) -> String,
}

pub fn bincode<T: Serialize>(value: &T) -> Vec<u8> {
    bincode::serde::encode_to_vec(value, bincode::config::standard()).unwrap()
}

pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> T {
    let (value, read) =
        bincode::serde::decode_from_slice(bytes, bincode::config::standard()).unwrap();
    assert_eq!(read, bytes.len());
    value
}

pub fn old<T: Serialize + Persist>(value: T) -> Old {
    let bytes = bincode(&value);
    verify(T::REF, &bytes).unwrap();
    Old { definition: Definition::of(T::REF), bytes }
}

pub fn new<T: Serialize + DeserializeOwned + Persist + Debug>(value: T) -> New {
    New { schema: T::REF, expected: Ok(format!("{value:?}")), read: shown::<T> }
}

pub fn refused<T: DeserializeOwned + Persist + Debug>(error: &'static str) -> New {
    New { schema: T::REF, expected: Err(error), read: shown::<T> }
}

fn shown<T: DeserializeOwned + Debug>(bytes: &[u8]) -> String {
    format!("{:?}", read::<T>(bytes))
}

/// Maps each entity to the next number.
pub fn entities(entity: u64) -> Result<u64, String> {
    Ok(entity + 1)
}

/// Converts the value to another type; returns its bincode.
pub fn convert(old: &Old, schema: &'static Schema) -> Result<Vec<u8>, String> {
    let mut resolution = Resolution::new(&old.definition, schema, Options::default())
        .map_err(|error| error.to_string())?;
    let mut out = vec![42];
    let mut bytes = old.bytes.as_slice();
    match resolution.convert(&mut bytes, &mut out, &mut entities) {
        Ok(()) => {
            assert_eq!(bytes, b"");
            assert_eq!(out.remove(0), 42);
            Ok(out)
        }
        Err(error) => {
            assert_eq!((bytes, &out[..]), (&old.bytes[..], &[42][..]));
            Err(error.to_string())
        }
    }
}

pub fn agrees(found: &Result<Vec<u8>, String>, new: &New) -> bool {
    match (found, &new.expected) {
        (Ok(bytes), Ok(expected)) => {
            verify(new.schema, bytes).unwrap();
            (new.read)(bytes) == *expected
        }
        (Err(error), Err(expected)) => error.contains(expected),
        _ => false,
    }
}

/// A type without a schema.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct Handle(pub u32);

/// Writes a [`Handle`] as a `u32`.
pub mod handle {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::Handle;

    pub fn serialize<S: Serializer>(handle: &Handle, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(handle.0)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Handle, D::Error> {
        u32::deserialize(deserializer).map(Handle)
    }
}
