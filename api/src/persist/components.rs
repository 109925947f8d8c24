//! Access to components, on all entities of the world.

use std::any::TypeId;
use std::marker::PhantomData;

use bevy::ecs::component::ComponentId;
use bevy::ecs::entity_disabling::DefaultQueryFilters;
use bevy::ecs::query::{QueryBuilder, QueryData, QueryFilter};
use bevy::prelude::*;
use serde::Serialize;

use super::access::Access;
use super::storage::Storage;
use super::{Relation, Store};
use crate::codec::encode_into;
use crate::schema::{Persist, Schema};

/// Components of type `T`, as `K` reads and inserts them.
pub struct ComponentStorage<K = Plain>(PhantomData<K>);

/// How components of type `T` are read and inserted.
pub trait Kind<T: Component> {
    const ACCESS: Access;

    fn relation() -> Option<Relation> {
        None
    }

    fn insert(world: &mut World, values: Vec<(Entity, T)>) {
        let is_upwards = match values.as_slice() {
            [(first, _), (second, _), ..] => is_upwards(world, *first, *second),
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

fn is_upwards(world: &World, first: Entity, second: Entity) -> bool {
    let row =
        |entity: Entity| world.get_entity(entity).map_or(0, |it| it.location().table_row.index());
    row(first) < row(second)
}

/// Components that nothing else depends on.
pub struct Plain;

impl<T: Component + Serialize> Kind<T> for Plain {
    const ACCESS: Access = in_one_loop::<T>();
}

/// Access to values whose order does not matter.
pub const fn in_one_loop<T: Component + Serialize>() -> Access {
    Access::Components {
        encode: |world, bytes, appended| {
            let mut query = query_all::<(Entity, Ref<T>), ()>(world);
            for (entity, value) in query.iter(world) {
                encode_into(&*value, bytes)?;
                appended(bytes, entity, value.added(), value.last_changed());
            }
            Ok(())
        },
    }
}

impl<T: Component + Persist + Serialize, K: Kind<T>> Storage<T> for ComponentStorage<K> {
    const STORE: Store = Store::Component;
    const SCHEMA: &'static Schema = T::REF;
    const ACCESS: Access = K::ACCESS;

    fn holder() -> TypeId {
        TypeId::of::<T>()
    }

    fn relation() -> Option<Relation> {
        K::relation()
    }

    fn insert(world: &mut World, values: Vec<(Entity, T)>) {
        K::insert(world, values);
    }
}

/// A query that also finds entities with `Disabled` or another disabling component.
pub fn query_all<D: QueryData, F: QueryFilter>(world: &mut World) -> QueryState<D, F> {
    with_disabled(world, World::query_filtered)
}

/// The entities with a component, also disabled ones.
pub fn holders<D: QueryData>(world: &mut World, component: ComponentId) -> QueryState<D> {
    with_disabled(world, |world| QueryBuilder::new(world).with_id(component).build())
}

fn with_disabled<T>(world: &mut World, query: impl FnOnce(&mut World) -> T) -> T {
    // A query takes the world's filters when it is made.
    let mut without = DefaultQueryFilters::empty();
    let mut exchange = |world: &mut World| {
        if let Some(mut filters) = world.get_resource_mut::<DefaultQueryFilters>() {
            std::mem::swap(filters.bypass_change_detection(), &mut without);
        }
    };
    exchange(world);
    let query = query(world);
    exchange(world);
    query
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
