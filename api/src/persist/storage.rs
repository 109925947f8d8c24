//! Access to the values in each kind of store.

use std::any::TypeId;
use std::marker::PhantomData;

use bevy::ecs::message::MessageRegistry;
use bevy::prelude::*;
use bevy::state::state::FreelyMutableState;
use bevy::state::state_scoped::{
    DespawnOnEnter, DespawnOnExit, DisableOnEnter, DisableOnExit, EnableOnEnter, EnableOnExit,
};
use serde::{Deserialize, Serialize};

use super::components::{count_components, query_all, remove_component};
use super::{Relation, Store, Ticks};
use crate::schema::{Field, Persist, Schema, Shape, Variant};

/// Called with a value and its entity.
pub type Visit<'a, T> = dyn FnMut(Entity, &T) -> Result<(), String> + 'a;

/// Access to the values of type `T` in one kind of store.
pub trait Storage<T> {
    const STORE: Store;
    const SCHEMA: &'static Schema;
    /// The component, resource or message buffer that contains the values.
    fn holder() -> TypeId;
    fn count(world: &mut World) -> usize;
    fn each(world: &mut World, each: &mut Visit<'_, T>) -> Result<(), String>;
    fn insert(world: &mut World, values: Vec<(Entity, T)>);
    fn remove(world: &mut World);

    fn relation() -> Option<Relation> {
        None
    }

    fn ticks(_: &mut World) -> Ticks {
        Ticks::new()
    }

    fn set_ticks(_: &mut World, _: &Ticks) {}
}

/// Present in the world while persisted values are converted by a swap or loaded from a snapshot,
/// so that hooks and observers can ignore the removals and insertions.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restoring;

pub struct ResourceStorage;

impl<T: Resource + Persist> Storage<T> for ResourceStorage {
    const STORE: Store = Store::Resource;
    const SCHEMA: &'static Schema = T::REF;

    fn holder() -> TypeId {
        TypeId::of::<T>()
    }

    fn count(world: &mut World) -> usize {
        usize::from(world.contains_resource::<T>())
    }

    fn each(world: &mut World, each: &mut Visit<'_, T>) -> Result<(), String> {
        world.get_resource::<T>().map_or(Ok(()), |value| each(Entity::PLACEHOLDER, value))
    }

    fn insert(world: &mut World, values: Vec<(Entity, T)>) {
        for (_, value) in values {
            world.insert_resource(value);
        }
    }

    fn remove(world: &mut World) {
        world.remove_resource::<T>();
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
}

pub struct StateStorage;

impl<T: FreelyMutableState + Persist> Storage<T> for StateStorage {
    const STORE: Store = Store::State;
    const SCHEMA: &'static Schema = T::REF;

    fn holder() -> TypeId {
        TypeId::of::<State<T>>()
    }

    fn count(world: &mut World) -> usize {
        usize::from(world.contains_resource::<State<T>>())
    }

    fn each(world: &mut World, each: &mut Visit<'_, T>) -> Result<(), String> {
        let state = world.get_resource::<State<T>>();
        state.map_or(Ok(()), |state| each(Entity::PLACEHOLDER, state.get()))
    }

    fn insert(world: &mut World, values: Vec<(Entity, T)>) {
        for (_, value) in values {
            // Without a transition: the state was entered before.
            world.insert_resource(State::new(value));
        }
    }

    fn remove(world: &mut World) {
        world.remove_resource::<State<T>>();
    }
}

/// The content of a `NextState`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Pending<S> {
    /// `NextState::Pending`: a transition even if it is the current state.
    Always(S),
    /// `NextState::PendingIfNeq`: a transition only if it is another state.
    IfOther(S),
}

impl<S: Persist> Persist for Pending<S> {
    const NAME: &'static str = S::NAME;
    const SCHEMA: Schema = Schema {
        aliases: S::SCHEMA.aliases,
        ..Schema::plain::<Self>(
            S::NAME,
            Shape::Enum {
                variants: const {
                    &[
                        Variant {
                            name: "Always",
                            aliases: &[],
                            shape: Shape::TupleStruct(const { &[Field::plain("0", S::REF)] }),
                        },
                        Variant {
                            name: "IfOther",
                            aliases: &[],
                            shape: Shape::TupleStruct(const { &[Field::plain("0", S::REF)] }),
                        },
                    ]
                },
                fallback: None,
            },
        )
    };
}

pub struct NextStateStorage<S>(PhantomData<S>);

impl<S: FreelyMutableState + Persist> Storage<Pending<S>> for NextStateStorage<S> {
    const STORE: Store = Store::NextState;
    const SCHEMA: &'static Schema = <Pending<S>>::REF;

    fn holder() -> TypeId {
        TypeId::of::<NextState<S>>()
    }

    fn count(world: &mut World) -> usize {
        let next = world.get_resource::<NextState<S>>();
        usize::from(next.is_some_and(|next| !matches!(next, NextState::Unchanged)))
    }

    fn each(world: &mut World, each: &mut Visit<'_, Pending<S>>) -> Result<(), String> {
        let pending = match world.get_resource::<NextState<S>>() {
            Some(NextState::Pending(state)) => Pending::Always(state.clone()),
            Some(NextState::PendingIfNeq(state)) => Pending::IfOther(state.clone()),
            Some(NextState::Unchanged) | None => return Ok(()),
        };
        each(Entity::PLACEHOLDER, &pending)
    }

    fn insert(world: &mut World, values: Vec<(Entity, Pending<S>)>) {
        for (_, pending) in values {
            world.insert_resource(match pending {
                Pending::Always(state) => NextState::Pending(state),
                Pending::IfOther(state) => NextState::PendingIfNeq(state),
            });
        }
    }

    fn remove(world: &mut World) {
        if let Some(mut next) = world.get_resource_mut::<NextState<S>>() {
            next.reset();
        }
    }
}

/// One of Bevy's components that bind an entity to a state.
pub trait Scoped<S>: Component {
    /// The component's name.
    const NAME: &'static str;
    fn to(state: S) -> Self;
    fn state(&self) -> &S;
}

macro_rules! scoped {
    ($($name:ident),*) => {$(
        impl<S: States> Scoped<S> for $name<S> {
            const NAME: &'static str = stringify!($name);

            fn to(state: S) -> Self {
                Self(state)
            }

            fn state(&self) -> &S {
                &self.0
            }
        }
    )*};
}

scoped!(DespawnOnEnter, DespawnOnExit, DisableOnEnter, DisableOnExit, EnableOnEnter, EnableOnExit);

pub struct ScopedStorage<W>(PhantomData<W>);

impl<S: Persist + Send + Sync + 'static, W: Scoped<S>> Storage<S> for ScopedStorage<W> {
    const STORE: Store = Store::Scoped(W::NAME);
    const SCHEMA: &'static Schema = S::REF;

    fn holder() -> TypeId {
        TypeId::of::<W>()
    }

    fn count(world: &mut World) -> usize {
        count_components::<W>(world)
    }

    fn each(world: &mut World, each: &mut Visit<'_, S>) -> Result<(), String> {
        let mut query = query_all::<(Entity, &W), ()>(world);
        query.iter(world).try_for_each(|(entity, scoped)| each(entity, scoped.state()))
    }

    fn insert(world: &mut World, values: Vec<(Entity, S)>) {
        for (entity, state) in values {
            if let Ok(mut entity) = world.get_entity_mut(entity) {
                entity.insert(W::to(state));
            }
        }
    }

    fn remove(world: &mut World) {
        remove_component::<W>(world);
    }
}

pub struct MessageStorage;

impl<M: Message + Persist> Storage<M> for MessageStorage {
    const STORE: Store = Store::Messages;
    const SCHEMA: &'static Schema = M::REF;

    fn holder() -> TypeId {
        TypeId::of::<Messages<M>>()
    }

    fn count(world: &mut World) -> usize {
        world.get_resource::<Messages<M>>().map_or(0, Messages::len)
    }

    fn each(world: &mut World, each: &mut Visit<'_, M>) -> Result<(), String> {
        let Some(messages) = world.get_resource::<Messages<M>>() else { return Ok(()) };
        let mut cursor = messages.get_cursor();
        cursor.read(messages).try_for_each(|message| each(Entity::PLACEHOLDER, message))
    }

    fn insert(world: &mut World, values: Vec<(Entity, M)>) {
        if !world.contains_resource::<Messages<M>>() {
            MessageRegistry::register_message::<M>(world);
        }
        if let Some(mut messages) = world.get_resource_mut::<Messages<M>>() {
            messages.write_batch(values.into_iter().map(|(_, message)| message));
        }
    }

    fn remove(world: &mut World) {
        if let Some(mut messages) = world.get_resource_mut::<Messages<M>>() {
            messages.clear();
        }
    }
}
