//! Takes a set of modules from their old generations to new ones, between two frames.

mod messages;
mod order;
pub mod orphans;
mod schedules;

use std::any::TypeId;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Instant;

use bevy::ecs::schedule::{InternedScheduleLabel, ScheduleConfigs, ScheduleLabel, SystemKey};
use bevy::ecs::system::{BoxedSystem, ScheduleSystem};
use bevy::prelude::*;
use playground_api::handover::Handovers;
use playground_api::module::{CommandRecord, MessageRecord, OnLoad, OnUnload, Recorded};
use playground_api::persist::PersistRecord;
use playground_api::unload::DespawnOnUnload;
use thiserror::Error;

use crate::build::rustc::ms;
use crate::generation::SharedGeneration;
use crate::guard::{self, Panic, Reports};
use crate::ids::ModuleId;
use crate::restore::{self, GivenUp, Owned, RestoreErrors, RestoreTimes};
use crate::tuning;
use schedules::{Entering, GenerationSet, Leaving};

/// The modules that run, and those whose resources wait for them.
#[derive(Default)]
pub struct Running {
    /// What runs, by id.
    pub active: BTreeMap<ModuleId, Active>,
    /// Modules that were switched off: what they persist stays in the world.
    pub dormant: BTreeMap<ModuleId, Dormant>,
    /// What goes wrong in systems.
    pub reports: Reports,
    started: BTreeSet<ModuleId>,
    set_conditions: schedules::SetConditions,
    serial: u64,
}

/// A module that runs.
pub struct Active {
    /// Its generation.
    pub generation: SharedGeneration,
    /// The types whose values are kept.
    pub persisted: Vec<PersistRecord>,
    /// Its console commands.
    pub commands: Vec<Command>,
    /// Its files of tuning values.
    pub data: Vec<tuning::Source>,
    serial: u64,
    systems: Vec<RunningSystem>,
    labels: HashSet<InternedScheduleLabel>,
    resources: Vec<(TypeId, fn(&mut World))>,
    messages: Vec<MessageRecord>,
    states: Vec<(TypeId, fn(&mut World))>,
    observers: Vec<Entity>,
}

/// A module that was switched off.
pub struct Dormant {
    /// The generation that ran last.
    pub generation: SharedGeneration,
    /// The types whose values are kept.
    pub persisted: Vec<PersistRecord>,
    resources: Vec<(TypeId, fn(&mut World))>,
    states: Vec<(TypeId, fn(&mut World))>,
}

/// A console command of a module.
pub struct Command {
    /// The word that calls it.
    pub name: &'static str,
    /// One line of help.
    pub help: &'static str,
    /// Gets the words after the name, gives the text to print.
    pub system: BoxedSystem<In<Vec<String>>, String>,
}

/// A module's system in a schedule.
#[derive(Clone)]
struct RunningSystem {
    label: InternedScheduleLabel,
    key: SystemKey,
    /// Name and which of that name it is, within the module.
    name: (String, u32),
}

/// What is to change.
#[derive(Default)]
pub struct Transaction {
    /// New generations.
    pub enter: Vec<SharedGeneration>,
    /// Modules that are switched off.
    pub leave: Vec<ModuleId>,
    /// Drop values of types that are gone, which is refused otherwise.
    pub force: bool,
}

/// What was done.
#[derive(Clone, Debug, Default)]
pub struct Swapped {
    /// The game's pause.
    pub pause_ms: f32,
    /// Values that went from one type to another.
    pub migrated: usize,
    /// Values that nobody persists, and that went with their types' old form, by type.
    pub orphaned: Vec<(String, usize)>,
    /// Where the time for the values went.
    pub restore: RestoreTimes,
    /// What went wrong without stopping the swap: tuning files, `OnLoad`.
    pub warnings: Vec<String>,
}

/// Why nothing was done.
#[derive(Debug, Error)]
pub enum SwapError {
    /// A module's `build` panicked.
    #[error("H0601: {0}. Mend it and save")]
    Build(#[from] Panic),
    /// Values cannot be kept.
    #[error(transparent)]
    Restore(#[from] RestoreErrors),
    /// A schedule could not be built.
    #[error("H0604: schedule {schedule}: {reason}")]
    Schedule {
        /// The schedule.
        schedule: String,
        /// What Bevy says.
        reason: String,
    },
}

/// Does it, or changes nothing.
///
/// # Errors
///
/// When a module's `build` panics, or a value cannot be kept.
pub fn swap(
    world: &mut World,
    running: &mut Running,
    transaction: Transaction,
) -> Result<Swapped, SwapError> {
    let started = Instant::now();
    let mut swapped = Swapped::default();

    // Everything that can fail comes first, and touches nothing.
    let mut entering = Vec::with_capacity(transaction.enter.len());
    for generation in transaction.enter {
        let recorded = generation.record()?;
        entering.push((generation, recorded));
    }
    running.check_order(world, &entering)?;
    let mut restores = running.restores(world, &entering, transaction.force, &mut swapped)?;
    swapped.migrated = restores.iter().map(|restore| restore.count).sum();
    let orphans = running.orphans(world, &running.changed_crates(&entering));

    // The old leave.
    swapped.orphaned = orphans::count(world, &orphans);
    let leaving_ids: Vec<ModuleId> = transaction.leave;
    for id in &leaving_ids {
        if let Some(active) = running.active.get(id) {
            match active.generation.record() {
                Ok(recorded) => {
                    let systems = recorded.systems.into_iter();
                    let systems = systems.filter(|(label, _)| *label == OnUnload.intern());
                    let systems = systems.map(|(_, systems)| systems).collect();
                    schedules::run_once(world, OnUnload, systems, id, &running.reports);
                }
                Err(panic) => swapped.warnings.push(panic.to_string()),
            }
        }
    }
    let mut leaving = Vec::new();
    let mut recounted = Vec::new();
    let replaced = entering.iter().map(|(generation, _)| generation.id().clone());
    for id in leaving_ids.iter().cloned().chain(replaced) {
        let Some(active) = running.active.remove(&id) else { continue };
        for observer in &active.observers {
            world.despawn(*observer);
        }
        leaving.push(Leaving {
            id: id.clone(),
            serial: active.serial,
            systems: active.systems.clone(),
            labels: active.labels.clone(),
        });
        let dormant = Dormant {
            generation: active.generation,
            persisted: active.persisted,
            resources: active.resources,
            states: active.states,
        };
        if leaving_ids.contains(&id) {
            let what = || format!("a hook at the end of entities of `{id}`");
            let despawned = guard::unguarded(what, || despawn_with(world, &id));
            swapped.warnings.extend(despawned.err().map(|panic| panic.to_string()));
            for message in active.messages {
                (message.deregister)(world);
            }
            running.dormant.insert(id, dormant);
        } else {
            let recorded = entering.iter().find(|(generation, _)| *generation.id() == id);
            if let Some((_, recorded)) = recorded {
                let old =
                    messages::Old { messages: &active.messages, persisted: &dormant.persisted };
                recounted.extend(old.recount(world, recorded));
                swapped.orphaned.extend(old.lost(world, recorded));
                drop_replaced(world, &active.messages, &dormant, recorded);
            }
        }
    }

    // Before anything of the new comes: an epoch that comes back has the same types as before.
    orphans::drop_all(world, &orphans);

    // The new enter: types, then values, then what acts on them.
    for (_, recorded) in &entering {
        if let Some(registry) = world.get_resource::<AppTypeRegistry>() {
            recorded.types.iter().for_each(|register| register(registry));
        }
        recorded.messages.iter().for_each(|message| (message.register)(world));
        recorded.states.iter().for_each(|state| (state.prepare)(world));
    }
    restore::restore(world, &mut restores, &mut swapped.restore);
    let mut groups = Vec::new();
    let mut loads = Vec::new();
    for (generation, mut recorded) in entering {
        let id = generation.id().clone();
        if let Some(dormant) = running.dormant.remove(&id) {
            drop_replaced(world, &[], &dormant, &recorded);
        }
        running.serial += 1;
        let (active, on_load) =
            enter(world, running.serial, generation, &mut recorded, &running.reports, &mut swapped);
        let first = running.started.insert(id.clone());
        loads.push((id.clone(), on_load, first));
        groups.push(Entering {
            id: id.clone(),
            serial: running.serial,
            sets: recorded.sets,
            systems: active.1,
        });
        running.active.insert(id, active.0);
    }
    let rebuilt =
        schedules::rebuild(world, &mut running.set_conditions, &running.reports, leaving, groups)?;
    restore::readers_go_on(world, &restores);
    if let Some(mut carry) = world.get_resource_mut::<Handovers>() {
        for (type_name, before) in recounted {
            carry.recount_messages(type_name, before);
        }
    }
    for entered in rebuilt {
        if let Some(active) = running.active.get_mut(&entered.id) {
            active.systems = entered.systems;
            active.labels = entered.labels;
        }
    }
    for (id, (startup, on_load), first) in loads {
        if first {
            for (label, systems) in startup {
                schedules::run_once(world, label, vec![systems], &id, &running.reports);
            }
        }
        schedules::run_once(world, OnLoad, on_load, &id, &running.reports);
    }
    if let Some(mut carry) = world.get_resource_mut::<Handovers>() {
        carry.prune();
    }
    swapped.pause_ms = ms(started);
    Ok(swapped)
}

/// Resources, states and messages of the old generation's types that the new one does not have.
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

type Systems = Vec<(InternedScheduleLabel, ScheduleConfigs<ScheduleSystem>)>;
type OnLoads = (Systems, Vec<ScheduleConfigs<ScheduleSystem>>);

/// Everything of a module but its systems, which enter together with those of the others.
fn enter(
    world: &mut World,
    serial: u64,
    generation: SharedGeneration,
    recorded: &mut Recorded,
    reports: &Reports,
    swapped: &mut Swapped,
) -> ((Active, Systems), OnLoads) {
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
    for resource in recorded.resources.drain(..) {
        let what = format!("`FromWorld` of {}", resource.type_name);
        reports.contain(&id, &what, || (resource.init)(world));
        active.resources.push((resource.type_id, resource.remove));
    }
    for state in &recorded.states {
        let what = format!("`FromWorld` of {}", state.type_name);
        reports.contain(&id, &what, || (state.init)(world));
    }
    for record in recorded.data.drain(..) {
        match tuning::enter(world, record) {
            (source, None) => active.data.push(source),
            (source, Some(warning)) => {
                active.data.push(source);
                swapped.warnings.push(warning);
            }
        }
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
    let mut systems = Vec::new();
    let mut startup = Vec::new();
    let mut on_load = Vec::new();
    let startups = [PreStartup.intern(), Startup.intern(), PostStartup.intern()];
    for (label, configs) in recorded.systems.drain(..) {
        if label == OnLoad.intern() {
            on_load.push(configs);
        } else if label == OnUnload.intern() {
            // Recorded anew when it is time.
            drop(configs);
        } else if startups.contains(&label) {
            startup.push((label, configs));
        } else {
            systems.push((label, configs));
        }
    }
    startup.sort_by_key(|(label, _)| startups.iter().position(|startup| startup == label));
    ((active, systems), (startup, on_load))
}

fn despawn_with(world: &mut World, id: &ModuleId) {
    let mut query = world.query::<(Entity, &DespawnOnUnload)>();
    let entities: Vec<Entity> = query
        .iter(world)
        .filter(|(_, tie)| tie.module == id.as_str())
        .map(|(entity, _)| entity)
        .collect();
    for entity in entities {
        // One may have gone with another, as its child.
        if let Ok(entity) = world.get_entity_mut(entity) {
            entity.despawn();
        }
    }
}

impl Running {
    /// The module's `Startup` is to run when it is next switched on.
    pub fn forget_start(&mut self, id: &ModuleId) {
        self.started.remove(id);
    }

    /// What the module persists, running or not.
    pub fn persisted(&self, id: &ModuleId) -> &[PersistRecord] {
        let active = self.active.get(id).map(|active| active.persisted.as_slice());
        let dormant = || self.dormant.get(id).map(|dormant| dormant.persisted.as_slice());
        active.or_else(dormant).unwrap_or_default()
    }

    /// What becomes of the values of all that enters.
    fn restores(
        &self,
        world: &mut World,
        entering: &[(SharedGeneration, Recorded)],
        force: bool,
        swapped: &mut Swapped,
    ) -> Result<Vec<restore::Restore>, RestoreErrors> {
        let mut old = Vec::new();
        let mut new = Vec::new();
        let mut given_up = Vec::new();
        for (generation, recorded) in entering {
            let module = generation.id();
            old.extend(self.persisted(module).iter().map(|record| Owned { module, record }));
            new.extend(recorded.persisted.iter().map(|record| Owned { module, record }));
            given_up.extend_from_slice(&generation.manifest.dropped);
        }
        let given_up = GivenUp { types: &given_up, all: force };
        restore::prepare(world, &old, &new, &given_up, &mut swapped.restore)
    }

    /// The crates whose types are other ones than those in the world.
    fn changed_crates(&self, entering: &[(SharedGeneration, Recorded)]) -> BTreeSet<String> {
        let changed = entering.iter().filter(|(generation, _)| {
            let before = self.generation(generation.id());
            before.is_some_and(|old| old.manifest.epoch != generation.manifest.epoch)
        });
        changed.map(|(generation, _)| generation.id().crate_name()).collect()
    }

    /// Types of these crates that the world knows and nobody persists.
    pub fn orphans(&self, world: &World, crates: &BTreeSet<String>) -> Vec<orphans::Orphan> {
        let records = crates.iter().flat_map(|name| {
            let ids = self.active.keys().chain(self.dormant.keys());
            ids.filter(|id| id.crate_name() == *name).flat_map(|id| self.persisted(id))
        });
        let persisted: HashSet<TypeId> = records.map(|record| record.holder).collect();
        let data = self.active.values().flat_map(|active| &active.data);
        let data = data.map(|source| source.record.type_id).collect();
        orphans::of_crates(world, crates, &persisted, &data)
    }

    /// How many messages wait that nobody persists, by type.
    pub fn waiting_messages(&self, world: &World, id: &ModuleId) -> Vec<(String, usize)> {
        let active = self.active.get(id);
        active.map_or_else(Vec::new, |active| {
            let Active { messages, persisted, .. } = active;
            messages::Old { messages, persisted }.not_persisted(world, &id.crate_name())
        })
    }

    /// The generation that runs, or ran last.
    pub fn generation(&self, id: &ModuleId) -> Option<&SharedGeneration> {
        let active = self.active.get(id).map(|active| &active.generation);
        active.or_else(|| self.dormant.get(id).map(|dormant| &dormant.generation))
    }

    /// Tries what enters against Bevy's own systems. Recorded anew, since what is tried is used up.
    fn check_order(
        &self,
        world: &World,
        entering: &[(SharedGeneration, Recorded)],
    ) -> Result<(), SwapError> {
        let mut recorded = Vec::with_capacity(entering.len());
        let mut leaving = Vec::new();
        for (generation, _) in entering {
            recorded.push(generation.record()?);
            leaving.extend(self.active.get(generation.id()).map(|old| GenerationSet(old.serial)));
        }
        order::check(world, &leaving, recorded)
    }

    /// The module was removed: what it kept goes.
    pub fn forget(&mut self, world: &mut World, id: &ModuleId) {
        self.started.remove(id);
        if let Some(dormant) = self.dormant.remove(id) {
            dormant.persisted.iter().for_each(|record| (record.remove)(world));
            dormant.resources.iter().for_each(|(_, remove)| remove(world));
            dormant.states.iter().for_each(|(_, remove)| remove(world));
        }
    }
}
