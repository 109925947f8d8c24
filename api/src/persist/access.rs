//! Reads, counts and removes the values of any persisted type: the part that does not need the type,
//! and is therefore compiled here and not in each module.

use std::any::TypeId;

use bevy::ecs::change_detection::Tick;
use bevy::ecs::component::ComponentId;
use bevy::ecs::world::EntityRef;
use bevy::prelude::*;

use super::Ticks;
use super::components::{holders, remove_components};
use super::storage::Encoded;

/// Appends the value that an entity holds to the bytes, in bincode; `None` if it holds none.
type Encode = fn(EntityRef<'_>, &mut Vec<u8>) -> Option<Encoded>;

/// Called after a value was appended to the bytes, with its entity and its change ticks.
pub type Appended<'a> = dyn FnMut(&mut Vec<u8>, Entity, Tick, Tick) + 'a;

/// How the values of a type are reached. The functions are those that need the type.
#[derive(Clone, Copy)]
pub enum Access {
    /// In components of entities, read in one loop. Fast, and some 100 functions per type.
    Components { encode: fn(&mut World, &mut Vec<u8>, &mut Appended<'_>) -> Encoded },
    /// In components of entities, read one at a time.
    Entities {
        encode: Encode,
        /// The order of values; `None` for that of the tables.
        order: Option<fn(&mut World) -> Vec<Entity>>,
    },
    /// In a resource.
    Resource {
        encode: Encode,
        /// True if change ticks are restored.
        keeps_ticks: bool,
        /// Empties the resource; `None` to remove it.
        reset: Option<fn(&mut World)>,
    },
    /// In a message buffer.
    Messages {
        count: fn(&World) -> usize,
        encode: fn(&World, &mut Vec<u8>, &mut Appended<'_>) -> Encoded,
        clear: fn(&mut World),
    },
}

impl Access {
    /// The number of values in the world, whose holder has this type.
    pub fn count(&self, world: &World, holder: TypeId) -> usize {
        let Some(id) = world.components().get_id(holder) else { return 0 };
        match self {
            Self::Components { .. } | Self::Entities { .. } => {
                let archetypes = world.archetypes().iter().filter(|it| it.contains(id));
                archetypes.map(|archetype| archetype.entities().len()).sum()
            }
            Self::Resource { encode, reset, .. } => {
                let is_there =
                    |entity| reset.is_none() || encode(entity, &mut Vec::new()).is_some();
                usize::from(resource(world, id).is_some_and(is_there))
            }
            Self::Messages { count, .. } => count(world),
        }
    }

    /// Appends each value to `bytes`, in bincode, and calls `appended` after each. Values that are
    /// not on entities have [`Entity::PLACEHOLDER`].
    pub fn encode(
        &self,
        world: &mut World,
        holder: TypeId,
        bytes: &mut Vec<u8>,
        appended: &mut Appended<'_>,
    ) -> Encoded {
        let Some(id) = world.components().get_id(holder) else { return Ok(()) };
        let mut append = |encode: Encode, entity: EntityRef<'_>, of: Entity| {
            let Some(encoded) = encode(entity, bytes) else { return Ok(()) };
            encoded?;
            let ticks = entity.get_change_ticks_by_id(id);
            let (added, changed) = ticks.map_or_else(default, |ticks| (ticks.added, ticks.changed));
            appended(bytes, of, added, changed);
            Ok(())
        };
        match *self {
            Self::Components { encode } => encode(world, bytes, appended),
            Self::Entities { encode, order: None } => {
                let mut query = holders::<EntityRef>(world, id);
                query.iter(world).try_for_each(|entity| append(encode, entity, entity.id()))
            }
            Self::Entities { encode, order: Some(order) } => {
                let entities = order(world);
                let mut entities = entities.into_iter().filter_map(|it| world.get_entity(it).ok());
                entities.try_for_each(|entity| append(encode, entity, entity.id()))
            }
            Self::Resource { encode, .. } => match resource(world, id) {
                Some(entity) => append(encode, entity, Entity::PLACEHOLDER),
                None => Ok(()),
            },
            Self::Messages { encode, .. } => encode(world, bytes, appended),
        }
    }

    /// Restores change ticks after values were inserted again. Immutable components keep the tick of
    /// their insertion.
    pub fn set_ticks(&self, world: &mut World, holder: TypeId, ticks: &Ticks) {
        let Some(id) = world.components().get_id(holder) else { return };
        match self {
            Self::Components { .. } | Self::Entities { .. } => {
                set_component_ticks(world, id, ticks)
            }
            Self::Resource { keeps_ticks: false, .. } | Self::Messages { .. } => {}
            Self::Resource { .. } => {
                if let (Some(ticks), Some(mut value)) =
                    (ticks.first(), world.get_resource_mut_by_id(id))
                {
                    set_one(&mut value, ticks);
                }
            }
        }
    }

    /// Removes all values from the world.
    pub fn remove(&self, world: &mut World, holder: TypeId) {
        let Some(id) = world.components().get_id(holder) else { return };
        match self {
            Self::Components { .. } | Self::Entities { .. } => remove_components(world, &[id]),
            Self::Resource { reset: Some(reset), .. } => reset(world),
            Self::Resource { reset: None, .. } => _ = world.remove_resource_by_id(id),
            Self::Messages { clear, .. } => clear(world),
        }
    }
}

/// The entity of a resource.
fn resource(world: &World, id: ComponentId) -> Option<EntityRef<'_>> {
    world.get_entity(world.resource_entities().get(id)?).ok()
}

fn set_one(value: &mut impl DetectChangesMut, (_, added, changed): &(Entity, Tick, Tick)) {
    value.set_last_added(*added);
    value.set_last_changed(*changed);
}

fn set_component_ticks(world: &mut World, id: ComponentId, ticks: &Ticks) {
    let mut query = holders::<EntityMut>(world, id);
    // Usually the values are in their old order or in its reverse.
    let mut left = ticks.as_slice();
    for mut entity in query.iter_mut(world) {
        let (ticks, rest) = match left {
            [first, rest @ ..] if first.0 == entity.id() => (first, rest),
            [rest @ .., last] if last.0 == entity.id() => (last, rest),
            _ => break,
        };
        if let Ok(mut value) = entity.get_mut_by_id(id) {
            set_one(&mut value, ticks);
        }
        left = rest;
    }
    for ticks in left {
        if let Ok(mut entity) = world.get_entity_mut(ticks.0)
            && let Ok(mut value) = entity.get_mut_by_id(id)
        {
            set_one(&mut value, ticks);
        }
    }
}
