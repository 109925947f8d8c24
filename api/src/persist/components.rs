//! Access to components, on all entities of the world.

use std::any::TypeId;
use std::marker::PhantomData;

use bevy::ecs::change_detection::Tick;
use bevy::ecs::component::{ComponentId, Mutable};
use bevy::ecs::entity_disabling::DefaultQueryFilters;
use bevy::ecs::query::{QueryData, QueryFilter};
use bevy::prelude::*;

use super::storage::{Storage, Visit};
use super::{Relation, Store, Ticks};
use crate::schema::{Persist, Schema};

/// Components of type `T`, as `K` reads and inserts them.
pub struct ComponentStorage<K = Plain>(PhantomData<K>);

/// How components of type `T` are read and inserted.
pub trait Kind<T: Component> {
    fn relation() -> Option<Relation> {
        None
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
}

/// Components that nothing else depends on.
pub struct Plain;

impl<T: Component> Kind<T> for Plain {}

impl<T: Component + Persist, K: Kind<T>> Storage<T> for ComponentStorage<K> {
    const STORE: Store = Store::Component;
    const SCHEMA: &'static Schema = T::REF;

    fn holder() -> TypeId {
        TypeId::of::<T>()
    }

    fn relation() -> Option<Relation> {
        K::relation()
    }

    fn count(world: &mut World) -> usize {
        count_components::<T>(world)
    }

    fn each(world: &mut World, each: &mut Visit<'_, T>) -> Result<(), String> {
        K::each(world, each)
    }

    fn insert(world: &mut World, values: Vec<(Entity, T)>) {
        K::insert(world, values);
    }

    fn remove(world: &mut World) {
        remove_component::<T>(world);
    }

    fn ticks(world: &mut World) -> Ticks {
        let mut query = query_all::<(Entity, Ref<T>), ()>(world);
        query.iter(world).map(|(entity, v)| (entity, v.added(), v.last_changed())).collect()
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
