//! Reads, counts and removes the values of any persisted type: the part that does not need the type,
//! and is therefore compiled here and not in each module.

use std::any::TypeId;

use bevy::ecs::change_detection::{ComponentTicks, Tick};
use bevy::ecs::component::ComponentId;
use bevy::ecs::world::EntityRef;
use bevy::prelude::*;

use super::components::{holders, remove_components};
use super::storage::Encoded;
use super::{Ticks, VisitEncoded};

/// Appends the value that an entity holds to the bytes, in bincode; `None` if it holds none.
type Encode = fn(EntityRef<'_>, &mut Vec<u8>) -> Option<Encoded>;

/// How the values of a type are reached. The functions are those that need the type.
#[derive(Clone, Copy)]
pub enum Access {
    /// In components of entities.
    Components {
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
        each: fn(&World, &mut VisitEncoded<'_>) -> Encoded,
        clear: fn(&mut World),
    },
}

impl Access {
    /// The number of values in the world, whose holder has this type.
    pub fn count(&self, world: &World, holder: TypeId) -> usize {
        let Some(id) = world.components().get_id(holder) else { return 0 };
        match self {
            Self::Components { .. } => {
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

    /// Visits each value, with its entity or [`Entity::PLACEHOLDER`], in bincode.
    pub fn each(&self, world: &mut World, holder: TypeId, visit: &mut VisitEncoded<'_>) -> Encoded {
        let mut bytes = Vec::new();
        let mut visit_one = |encode: Encode, entity: EntityRef<'_>, of: Entity| {
            bytes.clear();
            encode(entity, &mut bytes).map_or(Ok(()), |encoded| {
                encoded?;
                visit(of, &bytes);
                Ok(())
            })
        };
        let Some(id) = world.components().get_id(holder) else { return Ok(()) };
        match *self {
            Self::Components { encode, order: None } => {
                let mut query = holders::<EntityRef>(world, id);
                query.iter(world).try_for_each(|entity| visit_one(encode, entity, entity.id()))
            }
            Self::Components { encode, order: Some(order) } => {
                let entities = order(world);
                let mut entities = entities.into_iter().filter_map(|it| world.get_entity(it).ok());
                entities.try_for_each(|entity| visit_one(encode, entity, entity.id()))
            }
            Self::Resource { encode, .. } => match resource(world, id) {
                Some(entity) => visit_one(encode, entity, Entity::PLACEHOLDER),
                None => Ok(()),
            },
            Self::Messages { each, .. } => each(world, visit),
        }
    }

    /// The change ticks of all values that keep theirs.
    pub fn ticks(&self, world: &mut World, holder: TypeId) -> Ticks {
        let Some(id) = world.components().get_id(holder) else { return Ticks::new() };
        let of = |entity: Entity, ticks: ComponentTicks| (entity, ticks.added, ticks.changed);
        match self {
            Self::Components { .. } => {
                let mut query = holders::<EntityRef>(world, id);
                let entities = query.iter(world);
                entities
                    .filter_map(|it| Some(of(it.id(), it.get_change_ticks_by_id(id)?)))
                    .collect()
            }
            Self::Resource { keeps_ticks: true, .. } => {
                let ticks = world.get_resource_change_ticks_by_id(id);
                ticks.map(|ticks| of(Entity::PLACEHOLDER, ticks)).into_iter().collect()
            }
            Self::Resource { .. } | Self::Messages { .. } => Ticks::new(),
        }
    }

    /// Restores change ticks after values were inserted again. Immutable components keep the tick of
    /// their insertion.
    pub fn set_ticks(&self, world: &mut World, holder: TypeId, ticks: &Ticks) {
        let Some(id) = world.components().get_id(holder) else { return };
        match self {
            Self::Components { .. } => set_component_ticks(world, id, ticks),
            Self::Resource { .. } => {
                if let (Some(ticks), Some(mut value)) =
                    (ticks.first(), world.get_resource_mut_by_id(id))
                {
                    set_one(&mut value, ticks);
                }
            }
            Self::Messages { .. } => {}
        }
    }

    /// Removes all values from the world.
    pub fn remove(&self, world: &mut World, holder: TypeId) {
        let Some(id) = world.components().get_id(holder) else { return };
        match self {
            Self::Components { .. } => remove_components(world, &[id]),
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
