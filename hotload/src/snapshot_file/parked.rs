//! Values of a loaded snapshot that no module takes: those of a pack that is not installed, for
//! example. They are kept as bytes with their schema, go into later snapshots, and are given to the
//! module that takes them when it runs.
//!
//! ```text
//!  load ─► no module takes it ─► Parked ─┬─► save, with the entities that still exist
//!                                        └─► prepare, give_back, when a module enters
//! ```
//!
//! References between entities are mapped while values are parked, so that they mean the entities
//! of this world.

use std::collections::{BTreeSet, HashMap};

use bevy::prelude::*;
use playground_api::persist::{Column, Insert, Restoring, Store};
use playground_api::schema::{
    Definition, Options, Resolution, ResolveError, Value, ValueError, decode_next, encode,
};
use thiserror::Error;

use super::format::{SavedStore, SavedType};
use super::world::{Source, successor_source};
use crate::ids::ModuleId;
use crate::restore::{ColumnError, convert_column};

/// The values that no module takes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parked {
    types: Vec<ParkedType>,
}

/// The values of one type.
#[derive(Clone, Debug, PartialEq)]
struct ParkedType {
    /// The module that persisted it.
    module: ModuleId,
    store: SavedStore,
    definition: Definition,
    /// Its schema as it was saved.
    schema: Vec<u8>,
    /// Each value in bincode, with its entity; the placeholder for values that are not on entities.
    values: Vec<(Entity, Vec<u8>)>,
}

/// The number of parked values of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// The type's name.
    pub type_name: String,
    /// The module that persisted it.
    pub module: ModuleId,
    /// The number of values.
    pub count: usize,
}

/// Values that entering modules take: prepared before a swap, and inserted in it.
#[derive(Default)]
pub struct GiveBack {
    /// Each with whether it comes after the others.
    inserts: Vec<(bool, Insert)>,
    /// The types, by their place.
    taken: BTreeSet<usize>,
    /// The number of values.
    pub count: usize,
    /// Why a type's values stay parked although a module persists it.
    pub kept: Vec<String>,
}

/// Why values stay parked although a module persists their type.
#[derive(Debug, Error)]
enum StaysParked {
    /// The type changed in a way that would drop fields, or that nothing converts.
    #[error(transparent)]
    Changed(#[from] ResolveError),
    /// A value cannot be converted.
    #[error(transparent)]
    Value(#[from] ColumnError),
    /// The module cannot decode the values.
    #[error("{0}")]
    Decode(String),
}

impl Parked {
    /// Takes values of a snapshot in. `entities` maps the snapshot's entities to those of the world.
    ///
    /// # Errors
    ///
    /// If the bytes are no values of the type.
    pub fn add(
        &mut self,
        saved: &SavedType,
        entities: &HashMap<u64, Entity>,
    ) -> Result<(), ValueError> {
        let on_entities = saved.store.is_on_entities();
        let mut rest = saved.values.as_slice();
        let mut values = Vec::with_capacity(saved.entities.len());
        for id in &saved.entities {
            let mut value = decode_next(&mut rest, &saved.definition)?;
            map_entities(&mut value, entities);
            let owner = entities.get(id).copied().filter(|_| on_entities);
            let bytes = encode(&value, &saved.definition)?;
            values.push((owner.unwrap_or(Entity::PLACEHOLDER), bytes));
        }
        self.types.push(ParkedType {
            module: saved.module.clone(),
            store: saved.store.clone(),
            definition: saved.definition.clone(),
            schema: saved.schema.clone(),
            values,
        });
        Ok(())
    }

    /// The values for a snapshot: those that went with their entity are left out.
    pub fn saved(&self, world: &World) -> Vec<SavedType> {
        let saved = self.types.iter().map(|parked| {
            let (mut entities, mut values) = (Vec::new(), Vec::new());
            for (owner, bytes) in parked.present(world) {
                let is_loose = !parked.store.is_on_entities();
                entities.push(if is_loose { 0 } else { owner.to_bits() });
                values.extend_from_slice(bytes);
            }
            SavedType {
                module: parked.module.clone(),
                store: parked.store.clone(),
                definition: parked.definition.clone(),
                schema: parked.schema.clone(),
                entities,
                values,
            }
        });
        saved.filter(|saved| !saved.entities.is_empty()).collect()
    }

    /// The entities that have parked values.
    pub fn owners(&self, world: &World) -> Vec<Entity> {
        let on_entities = self.types.iter().filter(|parked| parked.store.is_on_entities());
        on_entities.flat_map(|parked| parked.present(world)).map(|(owner, _)| owner).collect()
    }

    /// The number of values of each type.
    pub fn counts(&self, world: &World) -> Vec<Count> {
        let count = |parked: &ParkedType| Count {
            type_name: parked.definition.name.clone(),
            module: parked.module.clone(),
            count: parked.present(world).count(),
        };
        self.types.iter().map(count).filter(|count| count.count > 0).collect()
    }

    /// Converts the values of the types that `sources` persist. What an entity has a value for already
    /// stays as it is.
    pub fn prepare(&self, world: &World, sources: &[Source]) -> GiveBack {
        let mut given = GiveBack::default();
        for (at, parked) in self.types.iter().enumerate() {
            let former = SavedType {
                module: parked.module.clone(),
                store: parked.store.clone(),
                definition: parked.definition.clone(),
                schema: Vec::new(),
                entities: Vec::new(),
                values: Vec::new(),
            };
            let Some(source) = successor_source(&former, sources) else { continue };
            match parked.convert(world, source) {
                Ok((count, insert)) => {
                    given.count += count;
                    given.taken.insert(at);
                    given.inserts.push((source.record.comes_last(), insert));
                }
                Err(reason) => given.kept.push(format!("{}: {reason}", parked.definition.name)),
            }
        }
        given.inserts.sort_by_key(|(comes_last, _)| *comes_last);
        given
    }

    /// Inserts what was prepared.
    pub fn give_back(&mut self, world: &mut World, given: &mut GiveBack) {
        if given.inserts.is_empty() {
            return;
        }
        world.insert_resource(Restoring);
        given.inserts.drain(..).for_each(|(_, insert)| insert(world));
        world.remove_resource::<Restoring>();
        let mut at = 0;
        self.types.retain(|_| {
            at += 1;
            !given.taken.contains(&(at - 1))
        });
    }
}

impl ParkedType {
    /// The values whose entity exists.
    fn present<'a>(&'a self, world: &'a World) -> impl Iterator<Item = (Entity, &'a [u8])> {
        let is_loose = !self.store.is_on_entities();
        let exists = move |owner: Entity| is_loose || world.get_entity(owner).is_ok();
        let values = self.values.iter().filter(move |(owner, _)| exists(*owner));
        values.map(|(owner, bytes)| (*owner, bytes.as_slice()))
    }

    /// Converts the values to the type of a module.
    fn convert(&self, world: &World, source: &Source) -> Result<(usize, Insert), StaysParked> {
        let record = source.record;
        let component = world.components().get_id(record.type_id);
        let is_component = record.store == Store::Component;
        let has_one = |owner: Entity| {
            let entity = world.get_entity(owner).ok().filter(|_| is_component);
            entity.is_some_and(|entity| component.is_some_and(|id| entity.contains_id(id)))
        };
        let mut column = Column::default();
        for (owner, bytes) in self.present(world).filter(|(owner, _)| !has_one(*owner)) {
            column.entities.push(owner);
            column.bytes.extend_from_slice(bytes);
        }
        let count = column.entities.len();
        let options = Options { allow_drop: false };
        let mut resolution = Resolution::new(&self.definition, record.schema, options)?;
        let column = convert_column(&mut resolution, &column, &mut Ok)?;
        let insert = record.decode(&column).map_err(StaysParked::Decode)?;
        Ok((count, insert))
    }
}

/// Replaces the snapshot's entities in a value by those of the world. Entities without persisted
/// values are gone.
fn map_entities(value: &mut Value, entities: &HashMap<u64, Entity>) {
    match value {
        Value::Entity(id) => {
            let now = entities.get(id).copied().unwrap_or(Entity::PLACEHOLDER);
            *id = now.to_bits();
        }
        Value::Some(inner) | Value::Variant(_, inner) => map_entities(inner, entities),
        Value::Seq(items) | Value::Tuple(items) => {
            items.iter_mut().for_each(|item| map_entities(item, entities));
        }
        Value::Map(items) => items.iter_mut().for_each(|(key, value)| {
            map_entities(key, entities);
            map_entities(value, entities);
        }),
        Value::Struct(fields) => {
            fields.iter_mut().for_each(|(_, value)| map_entities(value, entities));
        }
        Value::Unit
        | Value::Bool(_)
        | Value::Int(_)
        | Value::UInt(_)
        | Value::F32(_)
        | Value::F64(_)
        | Value::Char(_)
        | Value::Str(_)
        | Value::Bytes(_)
        | Value::None
        | Value::Opaque { .. } => {}
    }
}
