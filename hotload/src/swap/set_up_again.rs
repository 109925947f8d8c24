//! Set-up code that runs again, since what it spawned was despawned with its module or its code.

use std::collections::{BTreeMap, BTreeSet};

use bevy::ecs::schedule::InternedScheduleLabel;
use bevy::prelude::*;
use playground_api::module::StateRecord;
use playground_api::persist::query_all;
use playground_api::unload::{DespawnOnReload, DespawnOnUnload};

use crate::ids::ModuleId;

/// Set-up code whose entities come and go with it.
#[derive(Default)]
pub struct SetUpAgain {
    /// The tied entities that each module's `Startup` spawned.
    startup: BTreeMap<ModuleId, Ties>,
    /// States, by name, whose entities were despawned: `OnEnter` of their values is to run again.
    entered: BTreeMap<ModuleId, BTreeSet<&'static str>>,
}

impl SetUpAgain {
    /// Despawns what is tied to the module's code, and to the module if that is switched off.
    /// Returns true if its `Startup` has to spawn them again.
    pub fn despawn(
        &mut self,
        world: &mut World,
        id: &ModuleId,
        is_off: bool,
        states: &[StateRecord],
    ) -> bool {
        let mut tied = tied::<DespawnOnReload>(world, id, |tie| &tie.module);
        if is_off {
            tied.extend(self::tied::<DespawnOnUnload>(world, id, |tie| &tie.module));
        }
        for state in states {
            if tied.iter().any(|entity| (state.is_scoped)(world, *entity)) {
                self.entered.entry(id.clone()).or_default().insert(state.type_name);
            }
        }
        for entity in tied {
            // It may have been despawned as a child of another one.
            if let Ok(entity) = world.get_entity_mut(entity) {
                entity.despawn();
            }
        }
        self.startup.get(id).is_some_and(|ties| ties.to_code > 0 || (is_off && ties.to_module > 0))
    }

    /// Remembers what `Startup` of the module spawned; `before` is what there was.
    pub fn started(&mut self, world: &mut World, id: &ModuleId, before: Ties) {
        let now = Ties::of(world, id);
        self.startup.insert(
            id.clone(),
            Ties {
                to_code: now.to_code.saturating_sub(before.to_code),
                to_module: now.to_module.saturating_sub(before.to_module),
            },
        );
    }

    /// Those of the schedules that are to run again for the module.
    pub fn take_entered(
        &mut self,
        id: &ModuleId,
        entered: &[(&'static str, InternedScheduleLabel)],
    ) -> Vec<InternedScheduleLabel> {
        let states = self.entered.remove(id).unwrap_or_default();
        let labels = entered.iter().filter(|(state, _)| states.contains(state));
        labels.map(|(_, label)| *label).collect()
    }
}

/// The numbers of a module's tied entities.
#[derive(Clone, Copy, Default)]
pub struct Ties {
    to_code: usize,
    to_module: usize,
}

impl Ties {
    pub fn of(world: &mut World, id: &ModuleId) -> Self {
        Self {
            to_code: tied::<DespawnOnReload>(world, id, |tie| &tie.module).len(),
            to_module: tied::<DespawnOnUnload>(world, id, |tie| &tie.module).len(),
        }
    }
}

fn tied<C: Component>(world: &mut World, id: &ModuleId, module: fn(&C) -> &String) -> Vec<Entity> {
    let mut query = query_all::<(Entity, &C), ()>(world);
    let tied = query.iter(world).filter(|(_, tie)| module(tie) == id.as_str());
    tied.map(|(entity, _)| entity).collect()
}

/// `OnEnter` of the current values of these states.
pub fn entered<'a>(
    world: &World,
    states: impl Iterator<Item = &'a StateRecord>,
) -> Vec<(&'static str, InternedScheduleLabel)> {
    states.filter_map(|state| Some((state.type_name, (state.entered)(world)?))).collect()
}
