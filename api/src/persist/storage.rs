//! Access to the values in each kind of store.

use std::any::TypeId;
use std::marker::PhantomData;

use bevy::ecs::change_detection::Tick;
use bevy::ecs::component::{ComponentId, Mutable};
use bevy::ecs::entity_disabling::DefaultQueryFilters;
use bevy::ecs::message::MessageRegistry;
use bevy::ecs::query::{QueryData, QueryFilter};
use bevy::prelude::*;
use bevy::state::state::FreelyMutableState;
use bevy::state::state_scoped::{
    DespawnOnEnter, DespawnOnExit, DisableOnEnter, DisableOnExit, EnableOnEnter, EnableOnExit,
};
use serde::{Deserialize, Serialize};

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

pub struct ComponentStorage;

impl<T: Component + Persist> Storage<T> for ComponentStorage {
    const STORE: Store = Store::Component;
    const SCHEMA: &'static Schema = T::REF;

    fn holder() -> TypeId {
        TypeId::of::<T>()
    }

    fn count(world: &mut World) -> usize {
        count_components::<T>(world)
    }

    fn each(world: &mut World, each: &mut Visit<'_, T>) -> Result<(), String> {
        let mut query = query_all::<(Entity, &T), ()>(world);
        query.iter(world).try_for_each(|(entity, value)| each(entity, value))
    }

    fn insert(world: &mut World, values: Vec<(Entity, T)>) {
        let row = |entity: Entity| {
            world.get_entity(entity).map_or(0, |it| it.location().table_row.index())
        };
        let is_upwards = match values.as_slice() {
            [(first, _), (second, _), ..] => row(*first) < row(*second),
            _ => false,
        };
        // From a table's last row to its first, so that removing one does not move another.
        let mut values = values.into_iter();
        let next = || if is_upwards { values.next_back() } else { values.next() };
        // A hook may have despawned some of the entities.
        let _despawned = world.try_insert_batch(std::iter::from_fn(next));
        // A batch leaves the commands of its hooks waiting.
        world.flush();
    }

    fn remove(world: &mut World) {
        remove_component::<T>(world);
    }

    fn ticks(world: &mut World) -> Ticks {
        component_ticks::<T>(world)
    }
}

/// A query that also finds entities with `Disabled` or another disabling component.
pub fn query_all<D: QueryData, F: QueryFilter>(world: &mut World) -> QueryState<D, F> {
    // A query takes the world's filters when it is made.
    let mut without = DefaultQueryFilters::empty();
    let mut exchange = |world: &mut World| {
        if let Some(mut filters) = world.get_resource_mut::<DefaultQueryFilters>() {
            std::mem::swap(filters.bypass_change_detection(), &mut without);
        }
    };
    exchange(world);
    let query = world.query_filtered();
    exchange(world);
    query
}

pub(super) fn count_components<T: Component>(world: &mut World) -> usize {
    query_all::<(), With<T>>(world).iter(world).count()
}

pub(super) fn component_ticks<T: Component>(world: &mut World) -> Ticks {
    let mut query = query_all::<(Entity, Ref<T>), ()>(world);
    query.iter(world).map(|(entity, v)| (entity, v.added(), v.last_changed())).collect()
}

pub(super) fn remove_component<T: Component>(world: &mut World) {
    if let Some(id) = world.component_id::<T>() {
        remove_components(world, &[id]);
    }
}

/// Removes `components` from all entities. Removes all of an entity's at once, since each removal
/// moves the entity to another table.
pub fn remove_components(world: &mut World, components: &[ComponentId]) {
    let archetypes = world.archetypes().iter();
    let holders = archetypes.filter(|held| components.iter().any(|id| held.contains(*id)));
    // From a table's last row to its first, so that removing one does not move another.
    let entities = holders.flat_map(|holder| holder.entities().iter().rev().map(|held| held.id()));
    for entity in entities.collect::<Vec<Entity>>() {
        // A hook may have despawned some of the entities.
        if let Ok(mut entity) = world.get_entity_mut(entity) {
            entity.remove_by_ids(components);
        }
    }
}

/// Restores the ticks of mutable components. Immutable ones keep the tick of their insertion.
pub fn set_ticks<T: Component<Mutability = Mutable>>(world: &mut World, ticks: &Ticks) {
    let mut query = query_all::<(Entity, &mut T), ()>(world);
    let set = |value: &mut Mut<'_, T>, (_, added, changed): &(Entity, Tick, Tick)| {
        value.set_last_added(*added);
        value.set_last_changed(*changed);
    };
    // Usually the values are in their old order or in its reverse.
    let mut left = ticks.as_slice();
    for (entity, mut value) in query.iter_mut(world) {
        let (ticks, rest) = match left {
            [first, rest @ ..] if first.0 == entity => (first, rest),
            [rest @ .., last] if last.0 == entity => (last, rest),
            _ => break,
        };
        set(&mut value, ticks);
        left = rest;
    }
    for ticks in left {
        if let Ok((_, mut value)) = query.get_mut(world, ticks.0) {
            set(&mut value, ticks);
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
