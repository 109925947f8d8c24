//! How the values of a module's persisted types are read and written.
//!
//! A persisted type says what it looks like ([`Persist`]); its values are bincode. Values that go
//! from one form of a type to another are converted as bytes, by [`schema::Resolution`].
//!
//! [`schema::Resolution`]: crate::schema::Resolution

use std::any::{TypeId, type_name};
use std::marker::PhantomData;

use bevy::ecs::change_detection::Tick;
use bevy::ecs::component::Mutable;
use bevy::prelude::*;
use bevy::state::state::FreelyMutableState;
use bevy::state::state_scoped::{
    DespawnOnEnter, DespawnOnExit, DisableOnEnter, DisableOnExit, EnableOnEnter, EnableOnExit,
};
use serde::{Serialize, de::DeserializeOwned};

use crate::schema::{Persist, Schema};

mod storage;
#[cfg(test)]
mod tests;

use storage::{
    Access, ComponentAccess, MessageAccess, NextStateAccess, ResourceAccess, ScopedAccess,
    StateAccess,
};
pub use storage::{Restoring, remove_components};

/// Where the values of a persisted type are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Store {
    /// On entities.
    Component,
    /// One value in the world.
    Resource,
    /// The current value of a state.
    State,
    /// The value that a state is about to take.
    NextState,
    /// On entities that come or go with a value of a state, in Bevy's component of this name.
    Scoped(&'static str),
    /// Messages that wait to be read.
    Messages,
}

/// Puts decoded values into a world. Cannot fail.
pub type Insert = Box<dyn FnOnce(&mut World)>;

/// When values were added and last changed, by entity.
pub type Ticks = Vec<(Entity, Tick, Tick)>;

/// Values of one type: bincode, one behind the other, and whose they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Column {
    /// The entity of each value; a placeholder for what is on none.
    pub entities: Vec<Entity>,
    /// The values.
    pub bytes: Vec<u8>,
}

/// Gets one value's entity and its bincode.
pub type EachEncoded<'a> = dyn FnMut(Entity, &[u8]) + 'a;

/// A persisted type in one kind of store, with the functions that know it.
#[derive(Clone, Copy)]
pub struct PersistRecord {
    /// Where its values are.
    pub store: Store,
    /// The type, under its epoch.
    pub type_id: TypeId,
    /// The component or resource that holds its values.
    pub holder: TypeId,
    /// What its values look like.
    pub schema: &'static Schema,
    /// How many values the world holds.
    pub count: fn(&mut World) -> usize,
    /// Calls back with each value in bincode, and its entity.
    pub each: fn(&mut World, &mut EachEncoded<'_>) -> Result<(), String>,
    /// All values.
    pub encode: fn(&mut World) -> Result<Column, String>,
    /// Decodes values of this very type.
    pub decode: fn(&Column) -> Result<Insert, String>,
    /// When values were added and last changed.
    pub ticks: fn(&mut World) -> Ticks,
    /// Values that were carried over are as old as they were before.
    pub set_ticks: fn(&mut World, &Ticks),
    /// Takes all values out of the world.
    pub remove: fn(&mut World),
}

impl PersistRecord {
    /// True for types of Bevy's that a module persists: they are on entities of anybody's.
    pub fn is_bevys(&self) -> bool {
        self.schema.name.starts_with(BEVYS)
    }

    /// The type's name, with its store where that is not plain.
    pub fn label(&self) -> String {
        let name = self.schema.name;
        match self.store {
            Store::Component | Store::Resource | Store::State | Store::Messages => name.to_owned(),
            Store::NextState => format!("NextState<{name}>"),
            Store::Scoped(wrapper) => format!("{wrapper}<{name}>"),
        }
    }
}

/// What names of Bevy's own types begin with.
pub const BEVYS: &str = "bevy_";

/// What a snapshot also keeps of entities with persisted values, whoever persists them.
pub fn host_records() -> Vec<PersistRecord> {
    vec![component_record::<crate::unload::DespawnOnUnload>()]
}

/// Finds out whether a persisted type is a resource, a component, a message or a state.
pub struct Persisted<T>(PhantomData<T>);

impl<T> Persisted<T> {
    /// The only value.
    pub const NEW: Self = Self(PhantomData);
}

/// Persists a resource.
pub trait ViaResource {
    /// The type's records.
    fn records(&self) -> Vec<PersistRecord>;
}

/// Persists a component.
pub trait ViaComponent {
    /// The type's records.
    fn records(&self) -> Vec<PersistRecord>;
}

/// Persists a component that is only ever replaced.
pub trait ViaImmutable {
    /// The type's records.
    fn records(&self) -> Vec<PersistRecord>;
}

/// Persists messages that wait to be read.
pub trait ViaMessage {
    /// The type's records.
    fn records(&self) -> Vec<PersistRecord>;
}

/// Persists a state.
pub trait ViaState {
    /// The type's records.
    fn records(&self) -> Vec<PersistRecord>;
}

impl<T> ViaResource for &&&&Persisted<T>
where
    T: Resource + Persist + Serialize + DeserializeOwned,
{
    fn records(&self) -> Vec<PersistRecord> {
        vec![record::<T, ResourceAccess>()]
    }
}

impl<T> ViaComponent for &&&Persisted<T>
where
    T: Component<Mutability = Mutable> + Persist + Serialize + DeserializeOwned,
{
    fn records(&self) -> Vec<PersistRecord> {
        vec![component_record::<T>()]
    }
}

impl<T> ViaImmutable for &&Persisted<T>
where
    T: Component + Persist + Serialize + DeserializeOwned,
{
    fn records(&self) -> Vec<PersistRecord> {
        vec![record::<T, ComponentAccess>()]
    }
}

impl<T> ViaMessage for &Persisted<T>
where
    T: Message + Persist + Serialize + DeserializeOwned,
{
    fn records(&self) -> Vec<PersistRecord> {
        vec![record::<T, MessageAccess>()]
    }
}

impl<T> ViaState for Persisted<T>
where
    T: FreelyMutableState + Persist + Serialize + DeserializeOwned,
{
    fn records(&self) -> Vec<PersistRecord> {
        vec![
            record::<T, StateAccess>(),
            record::<_, NextStateAccess<T>>(),
            record::<T, ScopedAccess<DespawnOnEnter<T>>>(),
            record::<T, ScopedAccess<DespawnOnExit<T>>>(),
            record::<T, ScopedAccess<DisableOnEnter<T>>>(),
            record::<T, ScopedAccess<DisableOnExit<T>>>(),
            record::<T, ScopedAccess<EnableOnEnter<T>>>(),
            record::<T, ScopedAccess<EnableOnExit<T>>>(),
        ]
    }
}

fn component_record<T>() -> PersistRecord
where
    T: Component<Mutability = Mutable> + Persist + Serialize + DeserializeOwned,
{
    PersistRecord { set_ticks: storage::set_ticks::<T>, ..record::<T, ComponentAccess>() }
}

fn record<T, A>() -> PersistRecord
where
    T: Persist + Serialize + DeserializeOwned + Send + 'static,
    A: Access<T>,
{
    PersistRecord {
        store: A::STORE,
        type_id: TypeId::of::<T>(),
        holder: A::holder(),
        schema: A::SCHEMA,
        count: A::count,
        each: |world, each| {
            let mut bytes = Vec::new();
            A::each(world, &mut |entity, value| {
                bytes.clear();
                crate::codec::encode_into(value, &mut bytes).map_err(named::<T>)?;
                each(entity, &bytes);
                Ok(())
            })
        },
        encode: |world| {
            let mut column = Column::default();
            A::each(world, &mut |entity, value| {
                column.entities.push(entity);
                crate::codec::encode_into(value, &mut column.bytes).map_err(named::<T>)
            })?;
            Ok(column)
        },
        decode: |column| {
            let mut values = Vec::with_capacity(column.entities.len());
            let mut bytes = column.bytes.as_slice();
            for entity in &column.entities {
                let value = crate::codec::decode_next::<T>(&mut bytes);
                values.push((*entity, value.map_err(|e| format!("{entity}: {}", named::<T>(e)))?));
            }
            if !bytes.is_empty() {
                return Err(named::<T>(format!("{} bytes are left over", bytes.len())));
            }
            Ok(Box::new(move |world| A::insert(world, values)))
        },
        ticks: A::ticks,
        set_ticks: A::set_ticks,
        remove: A::remove,
    }
}

fn named<T>(error: String) -> String {
    format!("{}: {error}", type_name::<T>())
}
