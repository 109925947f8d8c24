//! Persisted state in bytes: what a rollback can bring back, and what a hash is made of.

use bevy::prelude::*;
use playground_api::persist::{Column, PersistRecord, Store};

/// The persisted resources and states of some modules, in bincode.
#[derive(Default)]
pub struct Snapshot {
    values: Vec<(PersistRecord, Column)>,
}

/// Writes down the persisted resources and states of `records`. Components are not among them: a
/// body edit costs the same with a thousand entities and with a million.
///
/// # Errors
///
/// When a value's own serialization fails.
pub fn take<'a>(
    world: &mut World,
    records: impl Iterator<Item = &'a PersistRecord>,
) -> Result<Snapshot, String> {
    let loose = |record: &&PersistRecord| {
        !matches!(record.store, Store::Component | Store::Scoped(_) | Store::Messages)
    };
    let values = records.filter(loose).map(|record| Ok((*record, (record.encode)(world)?)));
    Ok(Snapshot { values: values.collect::<Result<_, String>>()? })
}

impl Snapshot {
    /// Puts the values back, all or none.
    ///
    /// # Errors
    ///
    /// When a value does not decode.
    pub fn restore(&self, world: &mut World) -> Result<(), String> {
        let mut inserts = Vec::with_capacity(self.values.len());
        for (record, values) in &self.values {
            inserts.push((record.decode)(values)?);
        }
        for insert in inserts {
            insert(world);
        }
        Ok(())
    }
}

/// A hash of every persisted value of `records`, independent of the order of storage and of the
/// numbers of entities.
///
/// An entity counts as the set of its persisted values; a resource and a state as a value without
/// an entity. The same values give the same hash, whatever was swapped in between.
///
/// # Errors
///
/// When a value's own serialization fails.
pub fn hash<'a>(
    world: &mut World,
    records: impl Iterator<Item = &'a PersistRecord>,
) -> Result<String, String> {
    let mut entities: bevy::platform::collections::HashMap<Entity, [u64; 2]> = default();
    let mut loose = [0; 2];
    for record in records {
        let label = record.label();
        let mut each = |entity, bytes: &[u8]| {
            let mut hasher = blake3::Hasher::new();
            hasher.update(label.as_bytes());
            hasher.update(&[0]);
            hasher.update(bytes);
            let value = words(&hasher);
            match record.store {
                Store::Component | Store::Scoped(_) => {
                    add(entities.entry(entity).or_default(), value);
                }
                _ => add(&mut loose, value),
            }
        };
        (record.each)(world, &mut each)?;
    }
    let mut total = loose;
    for values in entities.values() {
        let mut hasher = blake3::Hasher::new();
        values.iter().for_each(|word| {
            hasher.update(&word.to_le_bytes());
        });
        add(&mut total, words(&hasher));
    }
    Ok(format!("{:016x}{:016x}", total[0], total[1]))
}

/// Sums do not depend on the order of what is summed.
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
