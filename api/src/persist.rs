//! How the values of a module's persisted types are read and written.
//!
//! Values under an unchanged type are bincode; values that go from one type to another go through a
//! form with field names ([`Value`]), in which what the new type lacks is left out and what the old
//! one lacks comes from the new type's `Default`.

use std::any::{TypeId, type_name};
use std::marker::PhantomData;

use bevy::ecs::change_detection::Tick;
use bevy::prelude::*;
use bevy::state::state::FreelyMutableState;
use ciborium::Value as Cbor;
use serde::{Serialize, de::DeserializeOwned};

/// A value with the names of its fields.
#[derive(Clone, Debug, PartialEq)]
pub struct Value(Cbor);

/// What a persisted type is to Bevy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PersistKind {
    /// Values on entities.
    Component,
    /// One value in the world.
    Resource,
    /// The current value of a state.
    State,
}

/// Puts decoded values into a world. Cannot fail.
pub type Insert = Box<dyn FnOnce(&mut World)>;

/// When values were added and last changed, by entity.
pub type Ticks = Vec<(Entity, Tick, Tick)>;

/// A persisted type, with the functions that know it.
#[derive(Clone, Copy)]
pub struct PersistRecord {
    /// What it is to Bevy.
    pub kind: PersistKind,
    /// The type, under its epoch.
    pub type_id: TypeId,
    /// Crate, path and name, the same under every epoch.
    pub type_name: &'static str,
    /// Size of a value in bytes.
    pub size: usize,
    /// How many values the world holds.
    pub count: fn(&mut World) -> usize,
    /// Calls back with each value in bincode, and its entity.
    pub encode: fn(&mut World, &mut dyn FnMut(Entity, &[u8])) -> Result<(), String>,
    /// Decodes bincode values of this very type.
    pub decode: fn(Vec<(Entity, Vec<u8>)>) -> Result<Insert, String>,
    /// All values, with the names of their fields.
    pub read: fn(&mut World) -> Result<Vec<(Entity, Value)>, String>,
    /// Decodes values of another form of this type, by the names of their fields.
    pub convert: fn(Vec<(Entity, Value)>) -> Result<Insert, String>,
    /// When values were added and last changed.
    pub ticks: fn(&mut World) -> Ticks,
    /// Values that were carried over are as old as they were before.
    pub set_ticks: fn(&mut World, &Ticks),
    /// Takes all values out of the world.
    pub remove: fn(&mut World),
}

/// Finds out whether a persisted type is a resource, a component or a state.
pub struct Persisted<T>(PhantomData<T>);

impl<T> Persisted<T> {
    /// The only value.
    pub const NEW: Self = Self(PhantomData);
}

/// Persists a resource.
pub trait ViaResource {
    /// The type's record.
    fn record(&self) -> PersistRecord;
}

/// Persists a component.
pub trait ViaComponent {
    /// The type's record.
    fn record(&self) -> PersistRecord;
}

/// Persists a state.
pub trait ViaState {
    /// The type's record.
    fn record(&self) -> PersistRecord;
}

impl<T> ViaResource for &&Persisted<T>
where
    T: Resource + Default + Serialize + DeserializeOwned,
{
    fn record(&self) -> PersistRecord {
        record::<T, ResourceAccess>()
    }
}

impl<T> ViaComponent for &Persisted<T>
where
    T: Component + Default + Serialize + DeserializeOwned,
{
    fn record(&self) -> PersistRecord {
        record::<T, ComponentAccess>()
    }
}

impl<T> ViaState for Persisted<T>
where
    T: FreelyMutableState + Default + Serialize + DeserializeOwned,
{
    fn record(&self) -> PersistRecord {
        record::<T, StateAccess>()
    }
}

/// Gets one value and the entity that holds it.
type Each<'a, T> = dyn FnMut(Entity, &T) -> Result<(), String> + 'a;

/// How values of a kind of type are reached.
trait Access<T> {
    const KIND: PersistKind;
    fn each(world: &mut World, each: &mut Each<'_, T>) -> Result<(), String>;
    fn insert(world: &mut World, values: Vec<(Entity, T)>);
    fn ticks(world: &mut World) -> Ticks;
    fn set_ticks(world: &mut World, ticks: &Ticks);
    fn remove(world: &mut World);
}

struct ResourceAccess;

impl<T: Resource> Access<T> for ResourceAccess {
    const KIND: PersistKind = PersistKind::Resource;

    fn each(world: &mut World, each: &mut Each<'_, T>) -> Result<(), String> {
        world.get_resource::<T>().map_or(Ok(()), |value| each(Entity::PLACEHOLDER, value))
    }

    fn insert(world: &mut World, values: Vec<(Entity, T)>) {
        for (_, value) in values {
            world.insert_resource(value);
        }
    }

    fn ticks(world: &mut World) -> Ticks {
        let value = world.get_resource_ref::<T>();
        value.iter().map(|v| (Entity::PLACEHOLDER, v.added(), v.last_changed())).collect()
    }

    fn set_ticks(world: &mut World, ticks: &Ticks) {
        let Some(id) = world.component_id::<T>() else { return };
        if let Some((_, added, changed)) = ticks.first()
            && let Some(mut value) = world.get_resource_mut_by_id(id)
        {
            value.set_last_added(*added);
            value.set_last_changed(*changed);
        }
    }

    fn remove(world: &mut World) {
        world.remove_resource::<T>();
    }
}

struct ComponentAccess;

impl<T: Component> Access<T> for ComponentAccess {
    const KIND: PersistKind = PersistKind::Component;

    fn each(world: &mut World, each: &mut Each<'_, T>) -> Result<(), String> {
        let mut query = world.query::<(Entity, &T)>();
        query.iter(world).try_for_each(|(entity, value)| each(entity, value))
    }

    fn insert(world: &mut World, mut values: Vec<(Entity, T)>) {
        values.retain(|(entity, _)| world.get_entity(*entity).is_ok());
        world.insert_batch(values);
    }

    fn ticks(world: &mut World) -> Ticks {
        let mut query = world.query::<(Entity, Ref<T>)>();
        query.iter(world).map(|(entity, v)| (entity, v.added(), v.last_changed())).collect()
    }

    fn set_ticks(world: &mut World, ticks: &Ticks) {
        let Some(id) = world.component_id::<T>() else { return };
        for (entity, added, changed) in ticks {
            // An immutable one is as old as its insertion.
            if let Some(mut value) = world.get_mut_by_id(*entity, id) {
                value.set_last_added(*added);
                value.set_last_changed(*changed);
            }
        }
    }

    fn remove(world: &mut World) {
        let mut query = world.query_filtered::<Entity, With<T>>();
        let entities: Vec<Entity> = query.iter(world).collect();
        for entity in entities {
            world.entity_mut(entity).remove::<T>();
        }
    }
}

struct StateAccess;

impl<T: FreelyMutableState> Access<T> for StateAccess {
    const KIND: PersistKind = PersistKind::State;

    fn each(world: &mut World, each: &mut Each<'_, T>) -> Result<(), String> {
        world
            .get_resource::<State<T>>()
            .map_or(Ok(()), |state| each(Entity::PLACEHOLDER, state.get()))
    }

    fn insert(world: &mut World, values: Vec<(Entity, T)>) {
        for (_, value) in values {
            // As it is, without a transition: it was entered before the swap.
            world.insert_resource(State::new(value));
        }
    }

    fn ticks(_: &mut World) -> Ticks {
        Ticks::new()
    }

    fn set_ticks(_: &mut World, _: &Ticks) {}

    fn remove(world: &mut World) {
        world.remove_resource::<State<T>>();
        world.remove_resource::<NextState<T>>();
    }
}

fn record<T, A>() -> PersistRecord
where
    T: Default + Serialize + DeserializeOwned + Send + 'static,
    A: Access<T>,
{
    PersistRecord {
        kind: A::KIND,
        type_id: TypeId::of::<T>(),
        type_name: type_name::<T>(),
        size: size_of::<T>(),
        count: |world| {
            let mut count = 0;
            let counted = A::each(world, &mut |_, _| {
                count += 1;
                Ok(())
            });
            debug_assert!(counted.is_ok());
            count
        },
        encode: |world, each| {
            let mut bytes = Vec::new();
            A::each(world, &mut |entity, value| {
                bytes.clear();
                crate::codec::encode_into(value, &mut bytes).map_err(named::<T>)?;
                each(entity, &bytes);
                Ok(())
            })
        },
        decode: |encoded| {
            let mut values = Vec::with_capacity(encoded.len());
            for (entity, bytes) in encoded {
                values.push((entity, crate::codec::decode::<T>(&bytes).map_err(named::<T>)?));
            }
            Ok(Box::new(move |world| A::insert(world, values)))
        },
        read: |world| {
            let mut values = Vec::new();
            A::each(world, &mut |entity, value| {
                values.push((entity, Value::of(value).map_err(named::<T>)?));
                Ok(())
            })?;
            Ok(values)
        },
        convert: |read| {
            let default = Value::of(&T::default()).map_err(named::<T>)?;
            let mut values = Vec::with_capacity(read.len());
            for (entity, value) in read {
                // A variant with a field looks like a struct with one: what was merged into it
                // may be too much.
                let whole = value.clone().over(&default).to::<T>();
                let value = whole.or_else(|error| value.to::<T>().map_err(|_| error));
                values.push((
                    entity,
                    value.map_err(|error| format!("{entity}: {}", named::<T>(error)))?,
                ));
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

impl Value {
    /// `value` with the names of its fields.
    pub fn of<T: Serialize>(value: &T) -> Result<Self, String> {
        Cbor::serialized(value).map(Self).map_err(|error| error.to_string())
    }

    /// The value as a `T`; fields are found by their names.
    pub fn to<T: DeserializeOwned>(&self) -> Result<T, String> {
        self.0.deserialized().map_err(|error| error.to_string())
    }

    /// This value, with the fields that only `default` has added, at every depth.
    pub fn over(self, default: &Self) -> Self {
        Self(merge(self.0, &default.0))
    }
}

fn merge(value: Cbor, default: &Cbor) -> Cbor {
    match (value, default) {
        (Cbor::Map(fields), Cbor::Map(defaults)) if named_fields(defaults) => {
            let mut fields = fields;
            for (name, default) in defaults {
                match fields.iter_mut().find(|(field, _)| field == name) {
                    Some((_, field)) => {
                        let old = std::mem::replace(field, Cbor::Null);
                        *field = merge(old, default);
                    }
                    None => fields.push((name.clone(), default.clone())),
                }
            }
            Cbor::Map(fields)
        }
        (value, _) => value,
    }
}

/// True for structs. A map's own keys are data: what only a default map holds is not added, and the
/// empty map says nothing of fields.
fn named_fields(fields: &[(Cbor, Cbor)]) -> bool {
    !fields.is_empty() && fields.iter().all(|(name, _)| matches!(name, Cbor::Text(_)))
}
