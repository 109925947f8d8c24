//! The two sides of a relationship, of which Bevy's hooks make one from the other.
//!
//! A source's hook appends its entity to the list of its target. So sources are read in the order
//! of those lists, and inserted in that order. Targets are inserted after them, without hooks, and
//! take over what the sources' hooks have made.

use std::any::TypeId;

use bevy::ecs::entity::{EntityHashSet, EntityIndexSet};
use bevy::ecs::relationship::{
    Relationship, RelationshipHookMode, RelationshipSourceCollection, RelationshipTarget,
};
use bevy::prelude::*;

use serde::Serialize;

use super::Relation;
use super::access::Access;
use super::components::{Kind, holders, in_one_loop, query_all};
use crate::codec::encode_into;

pub struct Source;

impl<T: Relationship + Serialize> Kind<T> for Source {
    const ACCESS: Access = Access::Entities {
        encode: |entity, bytes| Some(encode_into(entity.get::<T>()?, bytes)),
        order: Some(listed::<T>),
    };

    fn relation() -> Option<Relation> {
        Some(Relation::Source(TypeId::of::<T::RelationshipTarget>()))
    }

    fn insert(world: &mut World, values: Vec<(Entity, T)>) {
        // A hook may have despawned some of the entities.
        let _despawned = world.try_insert_batch(values);
        // A batch leaves the commands of its hooks waiting.
        world.flush();
    }
}

/// All sources, in the order of their targets' lists.
fn listed<T: Relationship>(world: &mut World) -> Vec<Entity> {
    let mut targets = query_all::<&T::RelationshipTarget, ()>(world);
    let mut sources: EntityIndexSet =
        targets.iter(world).flat_map(RelationshipTarget::iter).collect();
    // Nothing lists a source that was inserted without hooks.
    let others = world.component_id::<T>().map(|id| holders::<Entity>(world, id));
    if let Some(mut others) = others {
        sources.extend(others.iter(world));
    }
    sources.into_iter().collect()
}

pub struct Target;

impl<T: RelationshipTarget + Serialize> Kind<T> for Target {
    const ACCESS: Access = in_one_loop::<T>();

    fn relation() -> Option<Relation> {
        Some(Relation::Target(TypeId::of::<T::Relationship>()))
    }

    fn insert(world: &mut World, values: Vec<(Entity, T)>) {
        for (target, value) in values {
            insert_target(world, target, value);
        }
    }
}

/// Inserts a target with the sources that it lists, in its order, and those that point to it.
fn insert_target<T: RelationshipTarget>(world: &mut World, target: Entity, mut value: T) {
    let was_empty = value.is_empty();
    let pointing: Vec<Entity> =
        world.get::<T>(target).map_or_else(Vec::new, |made| made.iter().collect());
    let listed: Vec<Entity> = value.iter().collect();
    let mut seen = EntityHashSet::default();
    value.collection_mut_risky().clear();
    for source in listed.into_iter().chain(pointing) {
        if seen.insert(source) && points_to::<T>(world, source, target) {
            value.collection_mut_risky().add(source);
        }
    }
    // As Bevy removes it with the last of its sources.
    if (was_empty || !value.is_empty())
        && let Ok(mut target) = world.get_entity_mut(target)
    {
        target.insert_with_relationship_hook_mode(value, RelationshipHookMode::Skip);
    }
}

/// True if `source` points to `target`; one that points nowhere does from then on, since its side is
/// not persisted.
fn points_to<T: RelationshipTarget>(world: &mut World, source: Entity, target: Entity) -> bool {
    let Ok(mut source) = world.get_entity_mut(source) else { return false };
    match source.get::<T::Relationship>() {
        Some(relationship) => relationship.get() == target,
        None => {
            let relationship = <T::Relationship as Relationship>::from(target);
            source.insert_with_relationship_hook_mode(relationship, RelationshipHookMode::Skip);
            true
        }
    }
}
