//! The part of a swap that changes the game, and cannot refuse.

use std::collections::{BTreeMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use bevy::prelude::*;
use playground_api::handover::Handovers;
use playground_api::module::{CommandRecord, MessageRecord, OnLoad, OnUnload, Recorded};
use playground_api::unload::DespawnOnUnload;

use super::broken::{Broken, Cause};
use super::prepare::{PreparedSwap, SystemsByUse};
use super::schedules::{self, Entering, Leaving};
use super::{Active, Command, Dormant, Running, Swapped, messages, orphans};
use crate::build::rustc::ms;
use crate::generation::SharedGeneration;
use crate::guard::{self, Reports};
use crate::ids::ModuleId;
use crate::{restore, tuning};

/// Message types that were replaced, with how many messages came before the oldest that is kept.
type Recounted = Vec<(&'static str, usize)>;

impl PreparedSwap {
    /// Makes the swap.
    ///
    /// # Errors
    ///
    /// If something fails that [`super::prepare`] could not foresee. The world is half swapped
    /// then: end the process, see [`super::broken::end`].
    pub fn commit(self, world: &mut World, running: &mut Running) -> Result<Swapped, Broken> {
        let modules = self.modules();
        let what = || "code that ran within a swap".to_owned();
        let done = catch_unwind(AssertUnwindSafe(|| {
            guard::unguarded(what, || self.apply(world, running))
        }));
        let cause = match done {
            Ok(Ok(Ok(swapped))) => return Ok(swapped),
            Ok(Ok(Err(cause))) => cause,
            Ok(Err(panic)) => Cause::Panic(panic),
            Err(payload) => Cause::HostPanic(guard::message(payload.as_ref())),
        };
        Err(Broken { modules, cause })
    }

    fn apply(mut self, world: &mut World, running: &mut Running) -> Result<Swapped, Cause> {
        let started = Instant::now();
        let (removed, recounted) = self.take_out_old(world, running)?;
        // Before anything new is added, since an epoch that returns has the same types as before.
        orphans::drop_all(world, &self.orphans);

        // Types first, then values, then the systems that use them.
        for (_, recorded) in &self.entering {
            if let Some(registry) = world.get_resource::<AppTypeRegistry>() {
                recorded.types.iter().for_each(|register| register(registry));
            }
            recorded.messages.iter().for_each(|message| (message.register)(world));
            recorded.states.iter().for_each(|state| (state.prepare)(world));
        }
        restore::restore(world, &mut self.restores, &mut self.swapped.restore);
        let mut added = Vec::new();
        let mut run_once = Vec::new();
        for (generation, mut recorded) in self.entering {
            let id = generation.id().clone();
            if let Some(dormant) = running.dormant.remove(&id) {
                drop_replaced(world, &[], &dormant, &recorded);
            }
            running.ever_stored.extend(&generation.stored);
            running.serial += 1;
            let serial = running.serial;
            let warnings = &mut self.swapped.warnings;
            let active =
                enter(world, serial, generation, &mut recorded, &running.reports, warnings);
            let SystemsByUse { scheduled, startup, on_load, .. } =
                SystemsByUse::new(recorded.systems);
            let is_first = running.started.insert(id.clone());
            run_once.push((id.clone(), if is_first { startup } else { Vec::new() }, on_load));
            added.push(Entering {
                id: id.clone(),
                serial,
                sets: recorded.sets,
                systems: scheduled,
            });
            running.active.insert(id, active);
        }
        let Running { set_conditions, reports, .. } = running;
        let added = schedules::rebuild(world, set_conditions, reports, removed, added)?;
        for module in added {
            if let Some(active) = running.active.get_mut(&module.id) {
                active.systems = module.systems;
                active.labels = module.labels;
            }
        }
        running.take_extents(world);
        restore::readers_go_on(world, &self.restores);
        if let Some(mut handovers) = world.get_resource_mut::<Handovers>() {
            for (type_name, before) in recounted {
                handovers.recount_messages(type_name, before);
            }
        }
        for (id, startup, on_load) in run_once {
            for (label, systems) in startup {
                schedules::run_once(world, label, vec![systems], &id, &running.reports)?;
            }
            schedules::run_once(world, OnLoad, on_load, &id, &running.reports)?;
        }
        if let Some(mut handovers) = world.get_resource_mut::<Handovers>() {
            handovers.prune();
        }
        self.swapped.pause_ms += ms(started);
        Ok(self.swapped)
    }

    /// Removes everything of the old generations except their systems, persisted values and
    /// orphans.
    fn take_out_old(
        &mut self,
        world: &mut World,
        running: &mut Running,
    ) -> Result<(Vec<Leaving>, Recounted), Cause> {
        let mut switched_off = Vec::new();
        for module in std::mem::take(&mut self.leaving) {
            let (id, systems) = (&module.id, module.on_unload);
            schedules::run_once(world, OnUnload, systems, id, &running.reports)?;
            switched_off.push(module.id);
        }
        let entering: BTreeMap<ModuleId, &Recorded> =
            self.entering.iter().map(|(new, recorded)| (new.id().clone(), recorded)).collect();
        let mut removed = Vec::new();
        let mut recounted = Vec::new();
        let ids: Vec<ModuleId> = switched_off.iter().chain(entering.keys()).cloned().collect();
        for id in ids {
            let Some(active) = running.active.remove(&id) else { continue };
            for observer in &active.observers {
                world.despawn(*observer);
            }
            removed.push(Leaving {
                id: id.clone(),
                serial: active.serial,
                systems: active.systems,
                labels: active.labels,
            });
            let dormant = Dormant {
                generation: active.generation,
                persisted: active.persisted,
                resources: active.resources,
                states: active.states,
            };
            if switched_off.contains(&id) {
                let what = || format!("a hook that despawned an entity of `{id}`");
                let despawned = guard::unguarded(what, || despawn_with(world, &id));
                self.swapped.warnings.extend(despawned.err().map(|panic| panic.to_string()));
                for message in active.messages {
                    (message.deregister)(world);
                }
                running.dormant.insert(id, dormant);
            } else if let Some(recorded) = entering.get(&id) {
                let old =
                    messages::Old { messages: &active.messages, persisted: &dormant.persisted };
                recounted.extend(old.recount(world, recorded));
                self.swapped.orphaned.extend(old.lost(world, recorded));
                drop_replaced(world, &active.messages, &dormant, recorded);
            }
        }
        Ok((removed, recounted))
    }
}

/// Removes resources, states and messages of types that the new generation does not have.
fn drop_replaced(world: &mut World, old_messages: &[MessageRecord], old: &Dormant, new: &Recorded) {
    for (type_id, remove) in &old.resources {
        if new.resources.iter().all(|new| new.type_id != *type_id) {
            remove(world);
        }
    }
    for (type_id, remove) in &old.states {
        if new.states.iter().all(|new| new.type_id != *type_id) {
            remove(world);
        }
    }
    for message in old_messages {
        if new.messages.iter().all(|new| new.type_id != message.type_id) {
            (message.deregister)(world);
        }
    }
}

/// Adds everything of a module except its systems, which are added together with those of the
/// others.
fn enter(
    world: &mut World,
    serial: u64,
    generation: SharedGeneration,
    recorded: &mut Recorded,
    reports: &Reports,
    warnings: &mut Vec<String>,
) -> Active {
    let mut active = Active {
        generation,
        persisted: std::mem::take(&mut recorded.persisted),
        commands: Vec::new(),
        data: Vec::new(),
        serial,
        systems: Vec::new(),
        labels: HashSet::new(),
        resources: Vec::new(),
        messages: recorded.messages.clone(),
        states: recorded.states.iter().map(|s| (s.type_id, s.remove)).collect(),
        observers: Vec::new(),
    };
    let id = active.generation.id().clone();
    reports.follow(active.generation.code.image());
    for resource in recorded.resources.drain(..) {
        let what = format!("`FromWorld` of {}", resource.type_name);
        reports.contain(&id, &what, || (resource.init)(world));
        active.resources.push((resource.type_id, resource.remove));
    }
    for state in &recorded.states {
        let what = format!("`FromWorld` of {}", state.type_name);
        reports.contain(&id, &what, || (state.init)(world));
    }
    for record in recorded.tuning.drain(..) {
        let (source, warning) = tuning::enter(world, record);
        active.data.push(source);
        warnings.extend(warning.map(|warning| warning.to_string()));
    }
    let contain = guard::contain(&id, reports);
    for spawn in recorded.observers.drain(..) {
        let what = "the set-up of an observer";
        active.observers.extend(reports.contain(&id, what, || spawn(world, contain.clone())));
    }
    for CommandRecord { name, help, mut system } in recorded.commands.drain(..) {
        let what = format!("the set-up of command `{name}`");
        if reports.contain(&id, &what, || system.initialize(world)).is_some() {
            active.commands.push(Command { name, help, system });
        }
    }
    active
}

fn despawn_with(world: &mut World, id: &ModuleId) {
    let mut query = world.query::<(Entity, &DespawnOnUnload)>();
    let entities: Vec<Entity> = query
        .iter(world)
        .filter(|(_, tie)| tie.module == id.as_str())
        .map(|(entity, _)| entity)
        .collect();
    for entity in entities {
        // It may have been despawned as a child of another one.
        if let Ok(entity) = world.get_entity_mut(entity) {
            entity.despawn();
        }
    }
}
