//! A hash of all persisted state, independent of the order in which it is stored.
#![forbid(unsafe_code)]

use bevy::ecs::entity::EntityHashMap;
use bevy::prelude::*;
use playground_api::persist::{PersistRecord, Store};
use playground_api::schema::{Definition, Options, Resolution};
use thiserror::Error;

/// A persisted value cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{type_name}`: {reason}")]
pub struct HashError {
    /// The type's name for display.
    pub type_name: String,
    /// Why.
    pub reason: String,
}

impl HashError {
    fn of(record: &PersistRecord, reason: impl ToString) -> Self {
        Self { type_name: record.label(), reason: reason.to_string() }
    }
}

/// A hash of every persisted value of `records`, independent of the order of storage and of the
/// numbers of entities.
///
/// An entity counts as the set of its persisted values; a resource and a state as a value without
/// an entity; a reference to an entity as that entity's values. The same values give the same hash,
/// whatever was swapped or loaded in between.
///
/// # Errors
///
/// If a value's own serialization fails.
pub fn hash<'a>(
    world: &mut World,
    records: impl Iterator<Item = &'a PersistRecord>,
) -> Result<String, HashError> {
    let records: Vec<&PersistRecord> = records.collect();
    let holds_entities = |record: &&PersistRecord| Definition::of(record.schema).holds_entities();
    let mut sums = Sums::default();
    if records.iter().any(holds_entities) {
        // A reference is represented by the hash of the entity it refers to, without its
        // references.
        sums.add(world, &records, &EntityHashMap::default())?;
        let alone = std::mem::take(&mut sums).entities;
        sums.add(world, &records, &alone)?;
    } else {
        sums.add(world, &records, &EntityHashMap::default())?;
    }
    let mut total = sums.loose;
    for values in sums.entities.values() {
        let mut hasher = blake3::Hasher::new();
        values.iter().for_each(|word| {
            hasher.update(&word.to_le_bytes());
        });
        add(&mut total, words(&hasher));
    }
    Ok(format!("{:016x}{:016x}", total[0], total[1]))
}

#[derive(Default)]
struct Sums {
    entities: EntityHashMap<[u64; 2]>,
    loose: [u64; 2],
}

impl Sums {
    fn add(
        &mut self,
        world: &mut World,
        records: &[&PersistRecord],
        known: &EntityHashMap<[u64; 2]>,
    ) -> Result<(), HashError> {
        for record in records {
            let label = record.label();
            let definition = Definition::of(record.schema);
            let mut named = definition
                .holds_entities()
                .then(|| Resolution::new(&definition, record.schema, Options::default()))
                .transpose()
                .map_err(|error| HashError::of(record, error))?;
            let mut stands_for = |bits: u64| {
                let known = Entity::try_from_bits(bits).and_then(|entity| known.get(&entity));
                Ok(known.map_or(0, |words| words[0]))
            };
            let mut failed = None;
            let mut each = |entity: Entity, bytes: &[u8]| {
                let mut hasher = blake3::Hasher::new();
                hasher.update(label.as_bytes());
                hasher.update(&[0]);
                match &mut named {
                    Some(named) => {
                        let (mut bytes, mut out) = (bytes, Vec::new());
                        if let Err(error) = named.convert(&mut bytes, &mut out, &mut stands_for) {
                            failed = Some(HashError::of(record, error));
                        }
                        hasher.update(&out);
                    }
                    None => {
                        hasher.update(bytes);
                    }
                }
                let value = words(&hasher);
                match record.store {
                    Store::Component | Store::Scoped(_) => {
                        add(self.entities.entry(entity).or_default(), value);
                    }
                    _ => add(&mut self.loose, value),
                }
            };
            record.each(world, &mut each).map_err(|error| HashError::of(record, error))?;
            if let Some(error) = failed {
                return Err(error);
            }
        }
        Ok(())
    }
}

/// A sum does not depend on the order of its summands.
fn add(sum: &mut [u64; 2], value: [u64; 2]) {
    for (sum, value) in sum.iter_mut().zip(value) {
        *sum = sum.wrapping_add(value);
    }
}

fn words(hasher: &blake3::Hasher) -> [u64; 2] {
    let mut words = [0; 2];
    for (word, bytes) in words.iter_mut().zip(hasher.finalize().as_bytes().chunks_exact(8)) {
        *word = bytes.iter().fold(0, |word, byte| (word << 8) | u64::from(*byte));
    }
    words
}
