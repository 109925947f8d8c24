//! Components that others require, and that a game has removed from some entities.
//!
//! Bevy adds what a component requires wherever it is inserted, and so it would when values are
//! inserted again.

use std::any::TypeId;
use std::fmt;

use bevy::ecs::component::{ComponentId, Components};
use bevy::prelude::*;
use playground_api::persist::{PersistRecord, Store};
use playground_api::schema::names::stable_name;

/// A required component, and the entities that do without it.
pub struct Lacking {
    component: ComponentId,
    name: String,
    entities: Vec<Entity>,
}

impl fmt::Display for Lacking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, entities, .. } = self;
        write!(
            f,
            "{} of its entities lack `{name}`, which it requires, and stay without",
            entities.len()
        )
    }
}

/// The components that `record` requires and that entities with its values do not have.
pub fn lacking(world: &World, record: &PersistRecord) -> Vec<Lacking> {
    let components = world.components();
    let info = components.get_id(record.type_id).and_then(|id| components.get_info(id));
    let Some(info) = info.filter(|_| record.store == Store::Component) else { return Vec::new() };
    let lacking = info.required_components().iter_ids().filter_map(|component| {
        let archetypes = world.archetypes().iter();
        let without = archetypes.filter(|it| it.contains(info.id()) && !it.contains(component));
        let entities = without.flat_map(|it| it.entities().iter().map(|entity| entity.id()));
        let entities: Vec<Entity> = entities.collect();
        let name = || name(components, component);
        (!entities.is_empty()).then(|| Lacking { component, name: name(), entities })
    });
    lacking.collect()
}

/// Removes what was added to these entities when values of the new type `owner` were inserted.
pub fn remove_again(world: &mut World, owner: TypeId, lacking: &[Lacking]) {
    for Lacking { component, name: old, entities } in lacking {
        let components = world.components();
        let owner = components.get_id(owner).and_then(|id| components.get_info(id));
        let Some(owner) = owner else { continue };
        // The same type, or the one of that name that the new code has.
        let is_it = |id: &ComponentId| id == component || name(components, *id) == *old;
        let component = owner.required_components().iter_ids().find(is_it);
        if let Some(component) = component {
            remove_from(world, component, entities);
        }
    }
}

/// Removes the component from those of the entities that have it.
pub fn remove_from(world: &mut World, component: ComponentId, entities: &[Entity]) {
    for entity in entities {
        // A hook may have despawned some of the entities.
        if let Ok(mut entity) = world.get_entity_mut(*entity) {
            entity.remove_by_id(component);
        }
    }
}

fn name(components: &Components, component: ComponentId) -> String {
    let name = components.get_name(component);
    name.map_or_else(String::new, |name| stable_name(&name).into_owned())
}
