//! Reads and writes the values of a module's persisted types.
//!
//! A persisted type has a schema ([`Persist`]); its values are encoded with bincode. When a type
//! changes, [`schema::Resolution`] converts the encoded values.
//!
//! [`schema::Resolution`]: crate::schema::Resolution

use std::any::TypeId;
use std::marker::PhantomData;

use bevy::ecs::change_detection::Tick;
use bevy::ecs::relationship::{Relationship, RelationshipTarget};
use bevy::prelude::*;
use bevy::state::state::FreelyMutableState;
use bevy::state::state_scoped::{
    DespawnOnEnter, DespawnOnExit, DisableOnEnter, DisableOnExit, EnableOnEnter, EnableOnExit,
};
use serde::{Serialize, de::DeserializeOwned};

use crate::schema::{Persist, Schema};
use crate::stored::StoredType;

mod access;
mod components;
mod relations;
mod storage;
#[cfg(test)]
mod tests;

use access::{Access, Appended};
use components::ComponentStorage;
pub use components::{query_all, remove_components};
use relations::{Source, Target};
pub use storage::Restoring;
use storage::{
    MessageStorage, NextStateStorage, ResourceStorage, ScopedStorage, StateStorage, Storage,
};

/// Where the values of a persisted type are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Store {
    /// A component on entities.
    Component,
    /// A resource.
    Resource,
    /// The current value, `State<S>`.
    State,
    /// The pending value, `NextState<S>`.
    NextState,
    /// The state in one of Bevy's state-scoped components of this name, e.g. `DespawnOnExit`.
    Scoped(&'static str),
    /// Buffered messages.
    Messages,
}

/// The side of a relationship that a component is on. Each side brings back the other one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// It points to this component's entity.
    Source(TypeId),
    /// It lists the entities of this component.
    Target(TypeId),
}

impl Relation {
    /// The component on the other side.
    pub fn other_side(self) -> TypeId {
        match self {
            Self::Source(other) | Self::Target(other) => other,
        }
    }
}

/// Inserts decoded values into a world; cannot fail.
pub type Insert = Box<dyn FnOnce(&mut World)>;

/// The change ticks of values: entity, added, last changed.
pub type Ticks = Vec<(Entity, Tick, Tick)>;

/// The encoded values of one type, and the entities that they belong to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Column {
    /// The entity of each value; [`Entity::PLACEHOLDER`] for values that are not on entities.
    pub entities: Vec<Entity>,
    /// The values in bincode, concatenated.
    pub bytes: Vec<u8>,
}

/// Called with a value's entity and its bincode.
pub type VisitEncoded<'a> = dyn FnMut(Entity, &[u8]) + 'a;

/// A persisted type in one kind of store, with type-erased functions for its values.
#[derive(Clone, Copy)]
pub struct PersistRecord {
    pub store: Store,
    /// The type; changes with its crate's epoch.
    pub type_id: TypeId,
    /// The component or resource that contains the values, e.g. `State<S>`.
    pub holder: TypeId,
    /// For a component of a relationship. Insert the values of targets after those of sources.
    pub relation: Option<Relation>,
    /// The type, as this code lays it out.
    pub stored: StoredType,
    /// The type's schema.
    pub schema: &'static Schema,
    access: Access,
    decode: fn(&Column) -> Result<Insert, String>,
}

impl PersistRecord {
    /// The number of values in the world.
    pub fn count(&self, world: &World) -> usize {
        self.access.count(world, self.holder)
    }

    /// Visits each value.
    ///
    /// # Errors
    ///
    /// If a value's own serialization fails.
    pub fn each(&self, world: &mut World, visit: &mut VisitEncoded<'_>) -> Result<(), String> {
        let mut visit = |bytes: &mut Vec<u8>, entity: Entity, _, _| {
            visit(entity, bytes);
            bytes.clear();
        };
        self.append(world, &mut Vec::new(), &mut visit)
    }

    /// Encodes all values.
    ///
    /// # Errors
    ///
    /// If a value's own serialization fails.
    pub fn encode(&self, world: &mut World) -> Result<Column, String> {
        let Column { mut entities, mut bytes } = Column::default();
        self.append(world, &mut bytes, &mut |_, entity, _, _| entities.push(entity))?;
        Ok(Column { entities, bytes })
    }

    /// As [`PersistRecord::encode`], with the change ticks of all values.
    ///
    /// # Errors
    ///
    /// If a value's own serialization fails.
    pub fn encode_with_ticks(&self, world: &mut World) -> Result<(Column, Ticks), String> {
        let Column { mut entities, mut bytes } = Column::default();
        let mut ticks = Ticks::new();
        self.append(world, &mut bytes, &mut |_, entity, added, changed| {
            entities.push(entity);
            ticks.push((entity, added, changed));
        })?;
        Ok((Column { entities, bytes }, ticks))
    }

    fn append(
        &self,
        world: &mut World,
        bytes: &mut Vec<u8>,
        appended: &mut Appended<'_>,
    ) -> Result<(), String> {
        let encoded = self.access.encode(world, self.holder, bytes, appended);
        encoded.map_err(|error| self.named(error))
    }

    /// Decodes values that were written by this very type.
    ///
    /// # Errors
    ///
    /// If a value cannot be decoded, or bytes are left over.
    pub fn decode(&self, column: &Column) -> Result<Insert, String> {
        (self.decode)(column).map_err(|error| self.named(error))
    }

    /// Restores change ticks after values were inserted again.
    pub fn set_ticks(&self, world: &mut World, ticks: &Ticks) {
        self.access.set_ticks(world, self.holder, ticks);
    }

    /// Removes all values from the world.
    pub fn remove(&self, world: &mut World) {
        self.access.remove(world, self.holder);
    }

    fn named(&self, error: String) -> String {
        format!("{}: {error}", self.schema.name)
    }

    /// True for components whose values are inserted after those of all others.
    pub fn comes_last(&self) -> bool {
        matches!(self.relation, Some(Relation::Target(_)))
    }

    /// True for Bevy's own types, which are also on entities that do not belong to modules.
    pub fn is_bevy_type(&self) -> bool {
        self.schema.name.starts_with(BEVY_PREFIX)
    }

    /// The type's name, within its wrapper if it has one, e.g. `NextState<core_arena::Phase>`.
    pub fn label(&self) -> String {
        let name = self.schema.name;
        match self.store {
            Store::Component | Store::Resource | Store::State | Store::Messages => name.to_owned(),
            Store::NextState => format!("NextState<{name}>"),
            Store::Scoped(wrapper) => format!("{wrapper}<{name}>"),
        }
    }
}

/// The prefix of the schema names of Bevy's types.
pub const BEVY_PREFIX: &str = "bevy_";

/// Components that a snapshot also saves on entities with persisted values, without any module
/// persisting them.
pub fn host_records() -> Vec<PersistRecord> {
    vec![
        record::<crate::unload::DespawnOnUnload, ComponentStorage>(),
        record::<crate::unload::DespawnOnReload, ComponentStorage>(),
    ]
}

/// Selects the store of a persisted type by autoref specialization over the `Via…` traits.
pub struct Persisted<T>(PhantomData<T>);

impl<T> Persisted<T> {
    /// The only value of this type.
    pub const NEW: Self = Self(PhantomData);
}

/// Persists a resource.
pub trait ViaResource {
    /// The type's records.
    fn records(&self) -> Vec<PersistRecord>;
}

/// Persists a component that points to an entity in a relationship.
pub trait ViaSource {
    /// The type's records.
    fn records(&self) -> Vec<PersistRecord>;
}

/// Persists a component that lists entities in a relationship.
pub trait ViaTarget {
    /// The type's records.
    fn records(&self) -> Vec<PersistRecord>;
}

/// Persists a component.
pub trait ViaComponent {
    /// The type's records.
    fn records(&self) -> Vec<PersistRecord>;
}

/// Persists buffered messages.
pub trait ViaMessage {
    /// The type's records.
    fn records(&self) -> Vec<PersistRecord>;
}

/// Persists a state.
pub trait ViaState {
    /// The type's records.
    fn records(&self) -> Vec<PersistRecord>;
}

/// Taken by a type that none of the others persists: says what it lacks, in place of their bounds.
pub trait ViaNothing<T> {
    /// Never called.
    fn records(self) -> Vec<PersistRecord>
    where
        T: Persistable;
}

impl<T> ViaNothing<T> for Persisted<T> {
    fn records(self) -> Vec<PersistRecord>
    where
        T: Persistable,
    {
        Vec::new()
    }
}

/// Implemented by nothing.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is in the list `persist` and lacks a derive",
    label = "not a persisted type",
    note = "derive `Persist`, `Serialize` and `Deserialize`, and one of `Component`, `Resource`, \
            `Message` and `States`"
)]
pub trait Persistable {}

impl<T> ViaResource for &&&&&Persisted<T>
where
    T: Resource + Persist + Serialize + DeserializeOwned,
{
    fn records(&self) -> Vec<PersistRecord> {
        vec![record::<T, ResourceStorage>()]
    }
}

impl<T> ViaSource for &&&&Persisted<T>
where
    T: Relationship + Persist + Serialize + DeserializeOwned,
{
    fn records(&self) -> Vec<PersistRecord> {
        vec![record::<T, ComponentStorage<Source>>()]
    }
}

impl<T> ViaTarget for &&&Persisted<T>
where
    T: RelationshipTarget + Persist + Serialize + DeserializeOwned,
{
    fn records(&self) -> Vec<PersistRecord> {
        vec![record::<T, ComponentStorage<Target>>()]
    }
}

impl<T> ViaComponent for &&Persisted<T>
where
    T: Component + Persist + Serialize + DeserializeOwned,
{
    fn records(&self) -> Vec<PersistRecord> {
        vec![record::<T, ComponentStorage>()]
    }
}

impl<T> ViaMessage for &Persisted<T>
where
    T: Message + Persist + Serialize + DeserializeOwned,
{
    fn records(&self) -> Vec<PersistRecord> {
        vec![record::<T, MessageStorage>()]
    }
}

impl<T> ViaState for Persisted<T>
where
    T: FreelyMutableState + Persist + Serialize + DeserializeOwned,
{
    fn records(&self) -> Vec<PersistRecord> {
        vec![
            record::<T, StateStorage>(),
            record::<_, NextStateStorage<T>>(),
            record::<T, ScopedStorage<DespawnOnEnter<T>>>(),
            record::<T, ScopedStorage<DespawnOnExit<T>>>(),
            record::<T, ScopedStorage<DisableOnEnter<T>>>(),
            record::<T, ScopedStorage<DisableOnExit<T>>>(),
            record::<T, ScopedStorage<EnableOnEnter<T>>>(),
            record::<T, ScopedStorage<EnableOnExit<T>>>(),
        ]
    }
}

fn record<T, A>() -> PersistRecord
where
    T: Persist + Serialize + DeserializeOwned + Send + 'static,
    A: Storage<T>,
{
    PersistRecord {
        store: A::STORE,
        type_id: TypeId::of::<T>(),
        holder: A::holder(),
        relation: A::relation(),
        stored: StoredType::of::<T>(),
        schema: A::SCHEMA,
        access: A::ACCESS,
        decode: |column| {
            let mut values = Vec::with_capacity(column.entities.len());
            let mut bytes = column.bytes.as_slice();
            for entity in &column.entities {
                match crate::codec::decode_next::<T>(&mut bytes) {
                    // `push` has an instance that crates share whatever their opt-level, so that a
                    // new field of `T` would compile all users of any `Vec` anew.
                    Ok(value) => values.extend(Some((*entity, value))),
                    Err(error) => return Err(of_entity(*entity, &error)),
                }
            }
            no_bytes_left(bytes)?;
            Ok(Box::new(move |world| A::insert(world, values)))
        },
    }
}

#[cold]
fn of_entity(entity: Entity, error: &str) -> String {
    format!("{entity}: {error}")
}

fn no_bytes_left(bytes: &[u8]) -> Result<(), String> {
    match bytes.len() {
        0 => Ok(()),
        left => Err(format!("{left} trailing bytes")),
    }
}
