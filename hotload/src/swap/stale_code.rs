//! Code that the world holds beside the schedules, where a swap does not reach it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bevy::ecs::change_detection::Tick;
use bevy::ecs::component::ComponentId;
use bevy::prelude::*;
use playground_api::persist::query_all;
use playground_api::registered::RegisteredSystems;
use playground_api::schema::names::stable_name;

use super::orphans::{count_of, holders, mentions};
use crate::epoch::Facts;
use crate::restore::values;

/// Has systems that were cached by their type registered again at their next run, with the new
/// code: those of `run_system_cached` and `register_system_cached`. Returns their number.
pub fn forget_cached_systems(world: &mut World, crates: &BTreeSet<String>) -> usize {
    let is_of_crate = |name: &str| crates.iter().any(|it| mentions(name, it));
    let mut cached = of_registry(world, "CachedSystemId<");
    cached.retain(|(id, name)| is_of_crate(name) && count_of(world, *id) > 0);
    for (id, _) in &cached {
        world.remove_resource_by_id(*id);
    }
    cached.len()
}

/// The types of Bevy's registry of systems that begin with this name.
fn of_registry(world: &World, name: &str) -> Vec<(ComponentId, String)> {
    let begins = format!("bevy_ecs::system::system_registry::{name}");
    let infos = world.components().iter_registered().map(|info| (info.id(), info.name()));
    let found = infos.filter(|(_, name)| name.starts_with(&begins));
    found.map(|(id, name)| (id, name.to_string())).collect()
}

/// Systems that somebody registered at run time, without a key: those that are neither cached nor in
/// [`RegisteredSystems`].
#[derive(Default)]
pub struct RegisteredAtRunTime {
    /// Those that the host had before the first module.
    hosts: Option<usize>,
    /// Of cached systems whose code was replaced.
    left_behind: usize,
}

impl RegisteredAtRunTime {
    /// Must be called before the first module's code runs.
    pub fn begin(&mut self, world: &World) {
        if self.hosts.is_none() {
            self.hosts = Some(self.all(world));
        }
    }

    /// Their number.
    pub fn count(&self, world: &World) -> usize {
        self.all(world).saturating_sub(self.hosts.unwrap_or_default())
    }

    fn all(&self, world: &World) -> usize {
        let all = |name| -> usize {
            of_registry(world, name).iter().map(|(id, _)| count_of(world, *id)).sum()
        };
        let keyed = world.get_resource::<RegisteredSystems>();
        let keyed = keyed.map_or(0, |systems| systems.entities().count());
        let known = keyed + all("CachedSystemId<") + self.left_behind;
        all("RegisteredSystem<").saturating_sub(known)
    }

    /// Cached systems were forgotten; what they were registered as stays.
    pub fn leave_behind(&mut self, cached: usize) {
        self.left_behind += cached;
    }
}

/// A warning for systems that modules have registered at run time and not anew since.
pub fn registered_warning(count: usize) -> Option<String> {
    let systems = match count {
        0 => return None,
        1 => "1 system that was registered at run time runs".to_owned(),
        _ => format!("{count} systems that were registered at run time run"),
    };
    Some(format!(
        "{systems} the code from before. Register it in `build` with `ModuleApp::register_system`, \
         or anew in `OnLoad`"
    ))
}

/// The sources of modules by the names of their crates.
pub type CrateFacts = BTreeMap<String, Arc<Facts>>;

/// A warning for components and resources whose values may hold functions of code that was replaced,
/// and were not written since `began`.
pub fn held_code_warning(
    world: &World,
    began: Tick,
    replaced: &BTreeSet<String>,
    crates: &CrateFacts,
) -> Option<String> {
    let holds_code = |name: &str| {
        if is_closure_of_state(name) {
            return crates.keys().any(|it| mentions(name, it));
        }
        let path = name.split('<').next().unwrap_or_default();
        let (of, own) = (path.split("::").next(), path.rsplit("::").next());
        let facts = of.and_then(|of| crates.get(of));
        let in_arguments = ["fn(", "dyn "].iter().any(|code| name.contains(code))
            && replaced.iter().any(|it| mentions(name, it))
            && !name.starts_with("bevy_ecs::system::");
        in_arguments || facts.zip(own).is_some_and(|(facts, own)| facts.holds_code(own))
    };
    let candidates = world.components().iter_registered().filter(|it| holds_code(&it.name()));
    let now = world.read_change_tick();
    let is_old = |entity: &Entity, id: ComponentId| {
        let ticks = world.get_entity(*entity).ok().and_then(|it| it.get_change_ticks_by_id(id));
        ticks.is_some_and(|ticks| !ticks.changed.is_newer_than(began, now))
    };
    let old = candidates.filter_map(|info| {
        let holders = holders(world, info.id());
        let count = holders.iter().filter(|entity| is_old(entity, info.id())).count();
        (count > 0).then(|| format!("`{}` ({})", stable_name(&info.name()), values(count)))
    });
    let old: Vec<String> = old.collect();
    (!old.is_empty()).then(|| {
        format!(
            "function pointers, closures and trait objects run the code from before, and may be in \
             {}: fill it anew in `OnLoad`",
            old.join(", ")
        )
    })
}

/// True for Bevy's components that hold a closure over a state's transitions, e.g. `DespawnWhen<S>`.
fn is_closure_of_state(type_name: &str) -> bool {
    let name = type_name.strip_prefix("bevy_state::state_scoped::");
    let when = ["DespawnWhen<", "DisableWhen<", "EnableWhen<"];
    name.is_some_and(|name| when.iter().any(|when| name.starts_with(when)))
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
pub fn observers_warning(world: &World, observers: &[(Entity, String)]) -> Option<String> {
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
