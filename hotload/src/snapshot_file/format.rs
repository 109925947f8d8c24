//! The file format of snapshots.
//!
//! ```text
//! file = magic and version (16 bytes)  length of the table (u64, lowest byte first)
//!        table (bincode of header and types)  values of each type  blake3 of all before (32 bytes)
//! ```
//! The table contains the schema of each type once; values are bincode without names.

use playground_api::codec;
use playground_api::schema::Definition;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;

use crate::ids::{Epoch, ModuleId};

/// The first bytes of a file; the last one is the version of the format.
const MAGIC: [u8; 16] = *b"playground-snp\0\x01";
const LEN_BYTES: usize = 8;
const HASH_BYTES: usize = 32;

/// The bytes are not a valid snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FormatError {
    /// The file is not a snapshot.
    #[error("not a snapshot: a snapshot begins with `playground-snp`")]
    Foreign,
    /// The file has another version of the format.
    #[error("the snapshot has format {found}, this game reads format {}", MAGIC[15])]
    Version {
        /// The file's version.
        found: u8,
    },
    /// The file was truncated or changed.
    #[error("the snapshot is damaged: {0}")]
    Damaged(&'static str),
}

impl FormatError {
    /// How to fix it, if there is a way.
    pub fn remedy(&self) -> Option<&'static str> {
        match self {
            Self::Foreign => None,
            Self::Version { .. } => Some("Load it with the version of the game that wrote it"),
            Self::Damaged(_) => Some("Load an older snapshot"),
        }
    }
}

/// A snapshot's table cannot be serialized.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the table of the snapshot: {0}")]
pub struct TableError(String);

/// The metadata of a snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The app that was running.
    #[serde(deserialize_with = "text_or_none")]
    pub app: Option<ModuleId>,
    /// Frames since `ready`.
    pub frame: u64,
    /// The number of entities with persisted values.
    pub entities: u64,
    /// The modules that were running.
    pub modules: Vec<SavedModule>,
}

/// A module that was running.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedModule {
    #[serde(deserialize_with = "text")]
    pub id: ModuleId,
    #[serde(deserialize_with = "text")]
    pub version: String,
    #[serde(deserialize_with = "text")]
    pub epoch: Epoch,
}

/// A snapshot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Saved {
    pub header: Header,
    /// The values by type.
    pub types: Vec<SavedType>,
}

/// The values of a persisted type.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedType {
    /// The module that persisted it.
    pub module: ModuleId,
    /// Where its values were stored.
    pub store: SavedStore,
    /// The type's schema.
    pub definition: Definition,
    /// The same, encoded.
    pub schema: Vec<u8>,
    /// The entity of each value, as its bits; 0 for values that are not on entities.
    pub entities: Vec<u64>,
    /// The values in bincode, concatenated.
    pub values: Vec<u8>,
}

/// [`Store`](playground_api::persist::Store) with owned names.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SavedStore {
    Component,
    Resource,
    State,
    NextState,
    Scoped(#[serde(deserialize_with = "text")] String),
    Messages,
}

impl SavedStore {
    /// True for values that belong to entities.
    pub fn is_on_entities(&self) -> bool {
        matches!(self, Self::Component | Self::Scoped(_))
    }
}

#[derive(Serialize, Deserialize)]
struct Table {
    header: Header,
    types: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    #[serde(deserialize_with = "text")]
    module: ModuleId,
    store: SavedStore,
    /// An encoded schema.
    schema: Vec<u8>,
    entities: Vec<u64>,
    /// The size of the values, in bytes.
    values: u64,
}

/// Decodes a string as a list of bytes. The encoding is the same, but for a `String` bincode would
/// allocate as many bytes as its length claims, while a list grows with the bytes that are there.
fn text<'de, D: Deserializer<'de>, T: From<String>>(deserializer: D) -> Result<T, D::Error> {
    let text = String::from_utf8(Vec::deserialize(deserializer)?);
    text.map(T::from).map_err(D::Error::custom)
}

fn text_or_none<'de, D: Deserializer<'de>, T: From<String>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let bytes = Option::<Vec<u8>>::deserialize(deserializer)?;
    let text = bytes.map(String::from_utf8).transpose().map_err(D::Error::custom)?;
    Ok(text.map(T::from))
}

/// Serializes a snapshot.
///
/// # Errors
///
/// When serialization fails.
pub fn write(saved: &Saved) -> Result<Vec<u8>, TableError> {
    let entry = |saved: &SavedType| Entry {
        module: saved.module.clone(),
        store: saved.store.clone(),
        schema: saved.schema.clone(),
        entities: saved.entities.clone(),
        values: saved.values.len() as u64,
    };
    let types = saved.types.iter().map(entry).collect();
    let mut table = Vec::new();
    codec::encode_into(&Table { header: saved.header.clone(), types }, &mut table)
        .map_err(TableError)?;
    let values: usize = saved.types.iter().map(|saved| saved.values.len()).sum();
    let mut bytes = Vec::with_capacity(MAGIC.len() + LEN_BYTES + table.len() + values + HASH_BYTES);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&(table.len() as u64).to_le_bytes());
    bytes.append(&mut table);
    for saved in &saved.types {
        bytes.extend_from_slice(&saved.values);
    }
    let hash = blake3::hash(&bytes);
    bytes.extend_from_slice(hash.as_bytes());
    Ok(bytes)
}

/// Reads a snapshot's bytes.
///
/// # Errors
///
/// When [`write`] would not have written the bytes.
pub fn parse(bytes: &[u8]) -> Result<Saved, FormatError> {
    const SHORT: FormatError = FormatError::Damaged("it ends too early");
    let (magic, rest) = bytes.split_at_checked(MAGIC.len()).ok_or(FormatError::Foreign)?;
    if magic[..15] != MAGIC[..15] {
        return Err(FormatError::Foreign);
    }
    if magic[15] != MAGIC[15] {
        return Err(FormatError::Version { found: magic[15] });
    }
    let hashed = bytes.len().checked_sub(HASH_BYTES).and_then(|at| bytes.split_at_checked(at));
    let (body, hash) = hashed.ok_or(SHORT)?;
    if blake3::hash(body).as_bytes() != hash {
        return Err(FormatError::Damaged("its checksum does not match its content"));
    }
    let rest = rest.get(..rest.len().saturating_sub(HASH_BYTES)).ok_or(SHORT)?;
    let (len, rest) = rest.split_first_chunk::<LEN_BYTES>().ok_or(SHORT)?;
    let len = usize::try_from(u64::from_le_bytes(*len)).map_err(|_| SHORT)?;
    let (table, mut values) = rest.split_at_checked(len).ok_or(SHORT)?;
    let table: Table =
        codec::decode(table).map_err(|_| FormatError::Damaged("its table cannot be read"))?;
    let mut types = Vec::new();
    for entry in table.types {
        let definitions = Definition::parse(&entry.schema);
        let definition =
            definitions.ok().filter(|all| all.len() == 1).and_then(|mut all| all.pop());
        let definition = definition.ok_or(FormatError::Damaged("a schema cannot be read"))?;
        let len = usize::try_from(entry.values).map_err(|_| SHORT)?;
        let (own, rest) = values.split_at_checked(len).ok_or(SHORT)?;
        values = rest;
        types.push(SavedType {
            module: entry.module,
            store: entry.store,
            definition,
            schema: entry.schema,
            entities: entry.entities,
            values: own.to_vec(),
        });
    }
    if !values.is_empty() {
        return Err(FormatError::Damaged("it contains more than its table lists"));
    }
    Ok(Saved { header: table.header, types })
}

#[cfg(test)]
mod tests {
    use playground_api::schema::{Persist, encode_schemas};
    use proptest::prelude::*;

    use super::*;

    fn example() -> Vec<u8> {
        let saved = Saved {
            header: Header {
                app: Some("apps_demo".into()),
                frame: 7,
                entities: 2,
                modules: vec![],
            },
            types: vec![SavedType {
                module: "core_demo".into(),
                store: SavedStore::Component,
                definition: Definition::of(<(u8, f32)>::REF),
                schema: encode_schemas(&[<(u8, f32)>::REF]),
                entities: vec![1, 1 << 40],
                values: vec![1, 0, 0, 0, 0, 2, 0, 0, 128, 63],
            }],
        };
        let bytes = write(&saved).unwrap();
        assert_eq!(parse(&bytes).unwrap(), saved);
        bytes
    }

    #[test]
    fn each_cut_and_each_flipped_bit_is_refused() {
        let bytes = example();
        for len in 0..bytes.len() {
            parse(&bytes[..len]).unwrap_err();
        }
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            parse(&flipped).unwrap_err();
        }
        let mut newer = bytes.clone();
        newer[15] = 2;
        assert_eq!(parse(&newer), Err(FormatError::Version { found: 2 }));
        assert_eq!(parse(b"#!/bin/sh\nrm -r nothing\n"), Err(FormatError::Foreign));
    }

    /// Adds a valid checksum, since it does not protect against forged content.
    fn sealed(body: &[u8]) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(body);
        let hash = blake3::hash(&bytes);
        bytes.extend_from_slice(hash.as_bytes());
        bytes
    }

    #[test]
    fn a_false_count_does_not_allocate() {
        const FRAME_AND_ENTITIES: [u8; 2] = [0, 0];
        let count = [&[253][..], &(u64::MAX >> 2).to_le_bytes()].concat();
        let modules = [&[0][..], &FRAME_AND_ENTITIES].concat();
        let types = [&modules[..], &[0]].concat();
        for before in [
            vec![1],
            modules.clone(),
            [&modules[..], &[1]].concat(),
            [&modules[..], &[1, 0]].concat(),
            [&modules[..], &[1, 0, 0]].concat(),
            types.clone(),
            [&types[..], &[1]].concat(),
            [&types[..], &[1, 0, 4]].concat(),
            [&types[..], &[1, 0, 0]].concat(),
            [&types[..], &[1, 0, 0, 0]].concat(),
        ] {
            let table = [&before[..], &count].concat();
            let body = [&(table.len() as u64).to_le_bytes()[..], &table].concat();
            let refused = FormatError::Damaged("its table cannot be read");
            assert_eq!(parse(&sealed(&body)), Err(refused), "{before:?}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&body);
            let _ = parse(&sealed(&body));
            let mut with_len = (body.len() as u64).to_le_bytes().to_vec();
            with_len.extend_from_slice(&body);
            let _ = parse(&sealed(&with_len));
        }

        #[test]
        fn changed_tables_never_panic(at in 0usize..400, byte in any::<u8>()) {
            let bytes = example();
            let mut body = bytes[MAGIC.len()..bytes.len() - HASH_BYTES].to_vec();
            let at = at % body.len();
            body[at] = byte;
            let _ = parse(&sealed(&body));
        }
    }
}
