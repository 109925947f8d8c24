//! Takes a set of modules from their old generations to new ones, between two frames.

mod order;
mod schedules;

use std::any::TypeId;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Instant;

use bevy::ecs::schedule::{InternedScheduleLabel, ScheduleConfigs, ScheduleLabel, SystemKey};
use bevy::ecs::system::{BoxedSystem, ScheduleSystem};
use bevy::prelude::*;
use playground_api::carry::Carry;
use playground_api::module::{CommandRecord, OnLoad, OnUnload, Recorded};
use playground_api::persist::{Insert, PersistRecord, Ticks};
use playground_api::unload::DespawnOnUnload;
use thiserror::Error;

use crate::build::rustc::ms;
use crate::data;
use crate::generation::SharedGeneration;
use crate::guard::{Panic, Reports};
use schedules::{Entering, GenerationSet, Leaving};

/// The modules that run, and those whose resources wait for them.
#[derive(Default)]
pub struct Running {
    /// What runs, by id.
    pub active: BTreeMap<String, Active>,
    /// Modules that were switched off: what they persist stays in the world.
    pub dormant: BTreeMap<String, Dormant>,
    /// What goes wrong in systems.
    pub reports: Reports,
    started: BTreeSet<String>,
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
    pub data: Vec<data::Source>,
    serial: u64,
    systems: Vec<RunningSystem>,
    labels: HashSet<InternedScheduleLabel>,
    resources: Vec<(TypeId, fn(&mut World))>,
    messages: Vec<(TypeId, fn(&mut World))>,
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
    pub leave: Vec<String>,
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
    /// What went wrong without stopping the swap: tuning files, `OnLoad`.
    pub warnings: Vec<String>,
}

/// Why nothing was done.
#[derive(Debug, Error)]
pub enum SwapError {
    /// A module's `build` panicked.
    #[error("H0601: {0}. Mend it and save")]
    Build(#[from] Panic),
    /// A persisted type is gone while the world holds values of it.
    #[error(
        "H0602: module `{module}` no longer persists `{type_name}`, of which the world holds \
         {count}. Keep the type, or drop the values with `reload {module} --force`"
    )]
    Drops {
        /// The module.
        module: String,
        /// The type.
        type_name: &'static str,
        /// How many values.
        count: usize,
    },
    /// A value cannot become one of the new type.
    #[error(
        "H0603: values of module `{module}` cannot be carried over: {reason}. Give the field \
         `#[serde(default)]`, or keep its type"
    )]
    Carry {
        /// The module.
        module: String,
        /// The value and why.
        reason: String,
    },
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
    let mut restores = Vec::new();
    for (generation, recorded) in &entering {
        let old = running.persisted(generation.id());
        let force = transaction.force;
        let carried = carry_over(world, generation.id(), old, &recorded.persisted, force)?;
        swapped.migrated += carried.iter().map(|carry| carry.count).sum::<usize>();
        restores.extend(carried);
    }

    // The old leave.
    let leaving_ids: Vec<String> = transaction.leave;
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
    let replaced = entering.iter().map(|(generation, _)| generation.id().to_owned());
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
            despawn_with(world, &id);
            for (_, deregister) in active.messages {
                deregister(world);
            }
            running.dormant.insert(id, dormant);
        } else {
            let recorded = entering.iter().find(|(generation, _)| generation.id() == id);
            if let Some((_, recorded)) = recorded {
                drop_replaced(world, &active.messages, &dormant, recorded);
            }
        }
    }

    // The new enter: types, then values, then what acts on them.
    for (_, recorded) in &entering {
        if let Some(registry) = world.get_resource::<AppTypeRegistry>() {
            recorded.types.iter().for_each(|register| register(registry));
        }
        recorded.messages.iter().for_each(|message| (message.register)(world));
        recorded.states.iter().for_each(|state| (state.prepare)(world));
    }
    for restore in restores {
        if let Some(remove) = restore.remove_old {
            remove(world);
        }
        if let Some((insert, ticks, set_ticks)) = restore.insert {
            insert(world);
            // Nobody sees them as new or changed: only their form is.
            set_ticks(world, &ticks);
        }
    }
    let mut groups = Vec::new();
    let mut loads = Vec::new();
    for (generation, mut recorded) in entering {
        let id = generation.id().to_owned();
        if let Some(dormant) = running.dormant.remove(&id) {
            drop_replaced(world, &[], &dormant, &recorded);
        }
        running.serial += 1;
        let (active, on_load) =
            enter(world, running.serial, generation, &mut recorded, &mut swapped);
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
    if let Some(mut carry) = world.get_resource_mut::<Carry>() {
        carry.prune();
    }
    swapped.pause_ms = ms(started);
    Ok(swapped)
}

/// Values that go from an old type to a new one.
struct Restore {
    insert: Option<(Insert, Ticks, fn(&mut World, &Ticks))>,
    remove_old: Option<fn(&mut World)>,
    count: usize,
}

fn carry_over(
    world: &mut World,
    module: &str,
    old: &[PersistRecord],
    new: &[PersistRecord],
    force: bool,
) -> Result<Vec<Restore>, SwapError> {
    let mut restores = Vec::new();
    for old in old {
        let Some(new) = new.iter().find(|new| new.type_name == old.type_name) else {
            let count = (old.count)(world);
            if count > 0 && !force {
                let module = module.to_owned();
                return Err(SwapError::Drops { module, type_name: old.type_name, count });
            }
            restores.push(Restore { insert: None, remove_old: Some(old.remove), count: 0 });
            continue;
        };
        if new.type_id == old.type_id {
            continue;
        }
        let carry = |reason| SwapError::Carry { module: module.to_owned(), reason };
        let values = (old.read)(world).map_err(carry)?;
        let count = values.len();
        let insert = (new.convert)(values).map_err(carry)?;
        let insert = Some((insert, (old.ticks)(world), new.set_ticks));
        restores.push(Restore { insert, remove_old: Some(old.remove), count });
    }
    Ok(restores)
}

/// Resources, states and messages of the old generation's types that the new one does not have.
fn drop_replaced(
    world: &mut World,
    old_messages: &[(TypeId, fn(&mut World))],
    old: &Dormant,
    new: &Recorded,
) {
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
    for (type_id, deregister) in old_messages {
        if new.messages.iter().all(|new| new.type_id != *type_id) {
            deregister(world);
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
        messages: recorded.messages.iter().map(|m| (m.type_id, m.deregister)).collect(),
        states: recorded.states.iter().map(|s| (s.type_id, s.remove)).collect(),
        observers: Vec::new(),
    };
    for resource in recorded.resources.drain(..) {
        (resource.init)(world);
        active.resources.push((resource.type_id, resource.remove));
    }
    for state in &recorded.states {
        (state.init)(world);
    }
    for record in recorded.data.drain(..) {
        match data::enter(world, record) {
            (source, None) => active.data.push(source),
            (source, Some(warning)) => {
                active.data.push(source);
                swapped.warnings.push(warning);
            }
        }
    }
    active.observers = recorded.observers.drain(..).map(|spawn| spawn(world)).collect();
    for CommandRecord { name, help, mut system } in recorded.commands.drain(..) {
        system.initialize(world);
        active.commands.push(Command { name, help, system });
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

fn despawn_with(world: &mut World, id: &str) {
    let mut query = world.query::<(Entity, &DespawnOnUnload)>();
    let entities: Vec<Entity> =
        query.iter(world).filter(|(_, tie)| tie.module == id).map(|(entity, _)| entity).collect();
    for entity in entities {
        // One may have gone with another, as its child.
        if let Ok(entity) = world.get_entity_mut(entity) {
            entity.despawn();
        }
    }
}

impl Running {
    /// What the module persists, running or not.
    pub fn persisted(&self, id: &str) -> &[PersistRecord] {
        let active = self.active.get(id).map(|active| active.persisted.as_slice());
        let dormant = || self.dormant.get(id).map(|dormant| dormant.persisted.as_slice());
        active.or_else(dormant).unwrap_or_default()
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
    pub fn forget(&mut self, world: &mut World, id: &str) {
        self.started.remove(id);
        if let Some(dormant) = self.dormant.remove(id) {
            dormant.persisted.iter().for_each(|record| (record.remove)(world));
            dormant.resources.iter().for_each(|(_, remove)| remove(world));
            dormant.states.iter().for_each(|(_, remove)| remove(world));
        }
    }
}
