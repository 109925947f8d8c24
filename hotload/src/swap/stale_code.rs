//! Code that the world holds beside the schedules, where a swap does not reach it.

use std::collections::{BTreeMap, BTreeSet};

use bevy::ecs::component::ComponentId;
use bevy::prelude::*;
use playground_api::persist::query_all;
use playground_api::schema::names::stable_name;

use super::orphans::mentions;

/// Has systems that were cached by their type registered again at their next run, with the new
/// code: those of `run_system_cached` and `register_system_cached`.
pub fn forget_cached_systems(world: &mut World, crates: &BTreeSet<String>) {
    let infos = world.components().iter_registered();
    let cached: Vec<ComponentId> = infos
        .filter(|info| {
            let name = info.name();
            name.starts_with("bevy_ecs::system::system_registry::CachedSystemId<")
                && crates.iter().any(|crate_name| mentions(&name, crate_name))
        })
        .map(|info| info.id())
        .collect();
    for id in cached {
        world.remove_resource_by_id(id);
    }
}

/// Observers of these crates by their names, without `others`. Where the crates' own were despawned
/// with their code, these were spawned at run time.
pub fn observers(
    world: &mut World,
    crates: &BTreeSet<String>,
    others: &BTreeSet<Entity>,
) -> Vec<(Entity, String)> {
    let mut observers = query_all::<(Entity, &Observer, Option<&ChildOf>), ()>(world);
    let observers = observers.iter(world).filter(|(entity, _, parent)| {
        let by_other = parent.is_some_and(|parent| others.contains(&parent.parent()));
        !by_other && !others.contains(entity)
    });
    let named = observers
        .map(|(entity, observer, _)| (entity, stable_name(&observer.system_name()).into_owned()));
    named.filter(|(_, name)| crates.iter().any(|it| mentions(name, it))).collect()
}

/// A warning for those of these observers that are still there: they run the code from before.
pub fn warning(world: &World, observers: &[(Entity, String)]) -> Option<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (entity, name) in observers {
        // New code may have despawned them with what they observed.
        if world.get::<Observer>(*entity).is_some() {
            *counts.entry(name).or_default() += 1;
        }
    }
    if counts.is_empty() {
        return None;
    }
    let names: Vec<String> =
        counts.iter().map(|(name, count)| format!("`{name}` ({count})")).collect();
    Some(format!(
        "observers of entities run the code from before: {}. Add them with `add_entity_observer` in \
         `build`, or spawn their entities in `OnLoad`, with `despawn_on_reload!()`",
        names.join(", ")
    ))
}
