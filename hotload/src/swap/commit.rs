//! The part of a swap that changes the game, and cannot refuse.

use std::any::TypeId;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use bevy::prelude::*;
use playground_api::handover::Handovers;
use playground_api::module::{
    CommandRecord, MessageRecord, OnLoad, OnUnload, Recorded, ResourceRecord, StateRecord,
};
use playground_api::registered::{self, RegisteredRecord};

use super::broken::{Broken, Cause};
use super::prepare::{PreparedSwap, SystemsByUse};
use super::resources::ActiveResource;
use super::schedules::{self, Entering, Inherits, Leaving, ModuleSet};
use super::set_up_again::{Ties, entered};
use super::succession::{Memories, Memory, Place};
use super::{Active, Command, Dormant, Running, Swapped, messages, orphans, stale_code};
use crate::build::rustc::ms;
use crate::console::command;
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
        let began = world.increment_change_tick();
        running.registered.begin(world);
        let old = self.entering.iter().filter_map(|(new, _)| running.generation(new.id()));
        let replaced: BTreeSet<String> = old.clone().map(|old| old.id().crate_name()).collect();
        let registers = old.filter_map(|old| old.facts()).any(|facts| facts.registers_systems());
        let crates: BTreeSet<String> =
            self.entering.iter().map(|(new, _)| new.id().crate_name()).collect();
        let entering: HashSet<TypeId> =
            self.entering.iter().flat_map(|(_, recorded)| types_of(recorded)).collect();
        let TakenOut { leaving: removed, recounted, mut resources } =
            self.take_out_old(world, running, &entering)?;
        let registered = registers.then(|| running.registered.count(world));
        let forgotten = stale_code::forget_cached_systems(world, &crates);
        running.registered.leave_behind(forgotten);
        let others = running.active.values().flat_map(|active| active.observers.iter().copied());
        let spawned_by_old = stale_code::observers(world, &crates, &others.collect());
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
        // Before states that are new get their first value, which Bevy enters by itself.
        let states = running.active.values().flat_map(|active| &active.states);
        let new_states = self.entering.iter().flat_map(|(_, recorded)| &recorded.states);
        let entered = entered(world, states.chain(new_states));
        let all_persisted: HashSet<TypeId> = running
            .active
            .values()
            .flat_map(|active| &active.persisted)
            .chain(self.entering.iter().flat_map(|(_, recorded)| &recorded.persisted))
            .map(|record| record.type_id)
            .collect();
        let mut added = Vec::new();
        let mut run_once = Vec::new();
        for (generation, mut recorded) in self.entering {
            let id = generation.id().clone();
            let mut old_resources = resources.remove(&id).unwrap_or_default();
            if let Some(mut dormant) = running.dormant.remove(&id) {
                let stays = |type_id: TypeId| running.registers(type_id, &entering);
                drop_replaced(world, &[], &mut dormant, &stays);
                old_resources = dormant.resources;
            }
            running.ever_stored.extend(&generation.stored);
            for key in recorded.registered.iter().map(|record| record.key) {
                let mut others = running.active.values().filter(|it| it.registered.contains(&key));
                if let Some(other) = others.next().map(|other| other.generation.id()) {
                    self.swapped.warnings.push(format!(
                        "modules `{other}` and `{id}` both register a system `{key}`, and only the \
                         one of `{id}` runs: give it another key"
                    ));
                }
            }
            let set = running.set_of(&id);
            let warnings = &mut self.swapped.warnings;
            let resources = OldResources { resources: old_resources, persisted: &all_persisted };
            let reports = &running.reports;
            let inherits = inherits(removed.iter().find(|old| old.id == id), &generation)?;
            let active = enter(world, set, generation, &mut recorded, resources, reports, warnings);
            let SystemsByUse { scheduled, startup, on_load, .. } =
                SystemsByUse::new(recorded.systems);
            let is_first = running.started.insert(id.clone());
            run_once.push((id.clone(), if is_first { startup } else { Vec::new() }, on_load));
            added.push(Entering {
                id: id.clone(),
                set,
                sets: recorded.sets,
                systems: scheduled,
                inherits,
            });
            running.active.insert(id, active);
        }
        let Running { set_conditions, reports, .. } = running;
        let added = schedules::rebuild(world, set_conditions, reports, removed, added)?;
        for module in added {
            if let Some(active) = running.active.get_mut(&module.id) {
                active.systems = module.systems;
                active.conditions = module.conditions;
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
        // Before set-up code, which would add what it does not find.
        running.parked.give_back(world, &mut self.given);
        for (id, startup, on_load) in run_once {
            if !startup.is_empty() {
                let before = Ties::of(world, &id);
                for (label, systems) in startup {
                    schedules::run_once(world, label, vec![systems], &id, &running.reports)?;
                    self.swapped.set_up.push((id.clone(), label));
                }
                running.set_up.started(world, &id, before);
            }
            schedules::run_once(world, OnLoad, on_load, &id, &running.reports)?;
            for label in running.set_up.take_entered(&id, &entered) {
                let systems = running.systems_in(&id, label).map_err(Cause::Panic)?;
                schedules::run_once(world, label, systems, &id, &running.reports)?;
                self.swapped.set_up.push((id.clone(), label));
            }
        }
        if let Some(mut handovers) = world.get_resource_mut::<Handovers>() {
            handovers.prune();
        }
        let warnings = &mut self.swapped.warnings;
        warnings.extend(stale_code::observers_warning(world, &spawned_by_old));
        let facts = running.facts_of(&replaced);
        warnings.extend(stale_code::held_code_warning(world, began, &replaced, &facts));
        if let Some(registered) = registered {
            let anew = running.registered.count(world).saturating_sub(registered);
            warnings.extend(stale_code::registered_warning(registered.saturating_sub(anew)));
        }
        self.swapped.pause_ms += ms(started);
        Ok(self.swapped)
    }

    /// Removes everything of the old generations except their systems, persisted values and
    /// orphans. `new` are the types of the new ones.
    fn take_out_old(
        &mut self,
        world: &mut World,
        running: &mut Running,
        new: &HashSet<TypeId>,
    ) -> Result<TakenOut, Cause> {
        let mut switched_off = Vec::new();
        for module in std::mem::take(&mut self.leaving) {
            let (id, systems) = (&module.id, module.on_unload);
            schedules::run_once(world, OnUnload, systems, id, &running.reports)?;
            switched_off.push(module.id);
        }
        let entering: BTreeMap<ModuleId, &Recorded> =
            self.entering.iter().map(|(new, recorded)| (new.id().clone(), recorded)).collect();
        let mut taken = TakenOut::default();
        // All of them, so that those that are left go on.
        let ids = switched_off.iter().chain(entering.keys());
        let old: Vec<(ModuleId, Active)> =
            ids.filter_map(|id| Some((id.clone(), running.active.remove(id)?))).collect();
        let states: Vec<StateRecord> = {
            let leaving = old.iter().map(|(_, active)| active);
            leaving.chain(running.active.values()).flat_map(|it| it.states.clone()).collect()
        };
        for (id, active) in old {
            let is_off = switched_off.contains(&id);
            let what = || format!("a hook that despawned an entity of `{id}`");
            let set_up = &mut running.set_up;
            match guard::unguarded(what, || set_up.despawn(world, &id, is_off, &states)) {
                Ok(true) => _ = running.started.remove(&id),
                Ok(false) => {}
                Err(panic) => self.swapped.warnings.push(panic.to_string()),
            }
            let stays = |type_id: TypeId| running.registers(type_id, new);
            for observer in &active.observers {
                world.despawn(*observer);
            }
            let new_keys = entering.get(&id).map(|new| &new.registered);
            let goes_on =
                |key: &str| new_keys.is_some_and(|new| new.iter().any(|it| it.key == key));
            for key in active.registered.iter().filter(|key| !goes_on(key)) {
                registered::unregister(world, key);
            }
            taken.leaving.push(Leaving {
                id: id.clone(),
                set: active.set,
                systems: active.systems,
                conditions: active.conditions,
                labels: active.labels,
            });
            let mut dormant = Dormant {
                generation: active.generation,
                persisted: active.persisted,
                resources: active.resources,
                states: active.states,
            };
            if is_off {
                for message in active.messages {
                    if !stays(message.type_id) {
                        (message.deregister)(world);
                    }
                }
                dormant.resources.iter_mut().for_each(|resource| resource.put_back(world));
                running.dormant.insert(id, dormant);
            } else if let Some(recorded) = entering.get(&id) {
                let old =
                    messages::Old { messages: &active.messages, persisted: &dormant.persisted };
                taken.recounted.extend(old.recount(world, recorded));
                self.swapped.orphaned.extend(old.lost(world, recorded));
                drop_replaced(world, &active.messages, &mut dormant, &stays);
                taken.resources.insert(id.clone(), dormant.resources);
            }
        }
        Ok(taken)
    }
}

/// The remains of the old generations.
#[derive(Default)]
struct TakenOut {
    leaving: Vec<Leaving>,
    recounted: Recounted,
    /// The resources of modules that get new code.
    resources: BTreeMap<ModuleId, Vec<ActiveResource>>,
}

/// The resources, states, messages and persisted types of a generation.
fn types_of(recorded: &Recorded) -> impl Iterator<Item = TypeId> {
    let resources = recorded.resources.iter().map(|resource| resource.type_id);
    let states = recorded.states.iter().map(|state| state.type_id);
    let messages = recorded.messages.iter().map(|message| message.type_id);
    let persisted = recorded.persisted.iter().map(|record| record.type_id);
    resources.chain(states).chain(messages).chain(persisted)
}

/// Removes the resources, states and messages of an old generation that do not stay.
fn drop_replaced(
    world: &mut World,
    old_messages: &[MessageRecord],
    old: &mut Dormant,
    stays: &dyn Fn(TypeId) -> bool,
) {
    for resource in old.resources.extract_if(.., |resource| !stays(resource.type_id)) {
        resource.remove(world);
    }
    for state in old.states.iter().filter(|state| !stays(state.type_id)) {
        (state.remove)(world);
    }
    for message in old_messages {
        if !stays(message.type_id) {
            (message.deregister)(world);
        }
    }
}

/// The memories of the removed systems of the same module, for the systems of `new`.
fn inherits(old: Option<&Leaving>, new: &SharedGeneration) -> Result<Inherits, Cause> {
    let Some(old) = old else { return Ok(Inherits::default()) };
    let new = new.additions().map_err(Cause::Panic)?;
    let systems: Vec<(Place, Memory)> =
        old.systems.iter().map(|system| (system.place.clone(), system.memory)).collect();
    Ok(Inherits {
        systems: Memories::of_systems(&systems, new.systems()),
        conditions: Memories::of_conditions(&old.conditions, new.conditions()),
    })
}

/// The resources of the generation before.
struct OldResources<'a> {
    resources: Vec<ActiveResource>,
    /// Types that any module persists.
    persisted: &'a HashSet<TypeId>,
}

impl OldResources<'_> {
    fn enter(&mut self, world: &mut World, record: ResourceRecord) -> ActiveResource {
        let type_id = record.type_id;
        let at = self.resources.iter().position(|old| old.type_id == type_id);
        let old = at.map(|at| self.resources.swap_remove(at));
        ActiveResource::enter(record, old, self.persisted.contains(&type_id), world)
    }
}

/// Adds everything of a module except its systems, which are added together with those of the
/// others.
fn enter(
    world: &mut World,
    set: ModuleSet,
    generation: SharedGeneration,
    recorded: &mut Recorded,
    mut old: OldResources<'_>,
    reports: &Reports,
    warnings: &mut Vec<String>,
) -> Active {
    let mut active = Active {
        generation,
        persisted: std::mem::take(&mut recorded.persisted),
        commands: Vec::new(),
        data: Vec::new(),
        set,
        systems: Vec::new(),
        conditions: Vec::new(),
        labels: HashSet::new(),
        resources: Vec::new(),
        messages: recorded.messages.clone(),
        registered: recorded.registered.iter().map(|record| record.key).collect(),
        states: recorded.states.clone(),
        observers: Vec::new(),
    };
    let id = active.generation.id().clone();
    reports.follow(active.generation.code.image());
    for resource in recorded.resources.drain(..) {
        let what = format!("`FromWorld` of {}", resource.type_name);
        active.resources.extend(reports.contain(&id, &what, || old.enter(world, resource)));
    }
    for state in &recorded.states {
        let what = format!("`FromWorld` of {}", state.type_name);
        reports.contain(&id, &what, || (state.init)(world));
    }
    for record in recorded.tuning.drain(..) {
        let (source, warning) = tuning::enter(world, &id, record);
        active.data.push(source);
        warnings.extend(warning.map(|warning| warning.to_string()));
    }
    for RegisteredRecord { key, register } in recorded.registered.drain(..) {
        if let Some(mut handovers) = world.get_resource_mut::<Handovers>() {
            handovers.begin(format!("{id} registered {key}"));
        }
        let what = format!("the set-up of the registered system `{key}`");
        reports.contain(&id, &what, || register(world));
        if let Some(mut handovers) = world.get_resource_mut::<Handovers>() {
            handovers.end();
        }
    }
    let contain = guard::contain(&id, reports);
    for spawn in recorded.observers.drain(..) {
        let what = "the set-up of an observer";
        active.observers.extend(reports.contain(&id, what, || spawn(world, contain.clone())));
    }
    for CommandRecord { name, help, mut system } in recorded.commands.drain(..) {
        if command::names().any(|built_in| built_in == name) {
            warnings.push(format!(
                "the command `{name}` of module `{id}` cannot be called: the console has one of that \
                 name. Give it another one"
            ));
        }
        let what = format!("the set-up of command `{name}`");
        if reports.contain(&id, &what, || system.initialize(world)).is_some() {
            active.commands.push(Command { name, help, system });
        }
    }
    active
}
