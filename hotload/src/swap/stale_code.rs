//! Code that the world holds beside the schedules, where a swap does not reach it.

use std::collections::{BTreeMap, BTreeSet};

use bevy::ecs::component::ComponentId;
use bevy::prelude::*;

use super::orphans::mentions;

/// Has systems that were cached by their type registered again at their next run, with the new
/// code: those of `run_system_cached` and `register_system_cached`.
pub fn forget_cached_systems(world: &mut World, crates: &BTreeSet<String>) {
    let infos = world.components().iter_registered();
    let cached: Vec<ComponentId> = infos
        .filter(|info| {
            let name = info.name().to_string();
            name.starts_with("bevy_ecs::system::system_registry::CachedSystemId<")
                && crates.iter().any(|crate_name| mentions(&name, crate_name))
        })
        .map(|info| info.id())
        .collect();
    for id in cached {
        world.remove_resource_by_id(id);
    }
}

/// The observers of these crates that run the code from before, by name, with their number.
/// `current` are those that the new code has added.
pub fn old_observers(
    world: &mut World,
    crates: &BTreeSet<String>,
    current: &BTreeSet<Entity>,
) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    let mut observers = world.query::<(Entity, &Observer, Option<&ChildOf>)>();
    for (entity, observer, parent) in observers.iter(world) {
        let is_current = current.contains(&entity)
            || parent.is_some_and(|parent| current.contains(&parent.parent()));
        let name = observer.system_name().to_string();
        if !is_current && crates.iter().any(|crate_name| mentions(&name, crate_name)) {
            *found.entry(name).or_insert(0) += 1;
        }
    }
    found
}

/// A warning for observers that run the code from before.
pub fn warning(observers: &BTreeMap<String, usize>) -> Option<String> {
    if observers.is_empty() {
        return None;
    }
    let names: Vec<String> =
        observers.iter().map(|(name, count)| format!("`{name}` ({count})")).collect();
    Some(format!(
        "observers of entities run the code from before: {}. Add them with `add_entity_observer` in \
         `build`, or spawn their entities again",
        names.join(", ")
    ))
}
