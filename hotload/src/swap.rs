//! Replaces generations of modules between two frames.
//!
//! ```text
//!  Transaction ── prepare ──► PreparedSwap ── commit ──► Swapped
//!                    │                           │
//!                SwapError                     Broken
//!          nothing has changed       half swapped: the process ends
//! ```

mod additions;
pub mod broken;
mod commit;
pub mod leftovers;
mod messages;
mod order;
pub mod orphans;
pub mod replaced;
mod resources;
mod stale_code;
mod prepare;
mod schedules;
mod set_conditions;
mod set_up;
mod set_up_again;
mod succession;
mod tuple_sets;
#[cfg(test)]
mod tests;

use std::any::TypeId;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use bevy::ecs::schedule::{InternedScheduleLabel, ScheduleConfigs, SystemKey};
use bevy::ecs::system::{BoxedSystem, ScheduleSystem};
use bevy::prelude::*;
use playground_api::module::{MessageRecord, StateRecord};
use playground_api::persist::PersistRecord;
use thiserror::Error;

pub use additions::{Additions, SetUpSystem};
pub use broken::Broken;
pub use prepare::{PreparedSwap, prepare};

use order::Extent;
use replaced::ReplacedTypes;
use resources::ActiveResource;
use set_up_again::SetUpAgain;
use stale_code::RegisteredAtRunTime;
use succession::{Memory, Place};

use crate::explain::{Explain, Explanation};
use crate::generation::SharedGeneration;
use crate::guard::{Panic, Reports};
use crate::ids::ModuleId;
use crate::restore::{Dropped, RestoreErrors, RestoreTimes};
use crate::snapshot_file::parked::Parked;
use crate::stored::{EverStored, LayoutError};
use crate::tuning;
use schedules::ModuleSet;

/// The running modules, and those that were switched off and kept their values.
#[derive(Default)]
pub struct Running {
    /// Running modules, by id.
    pub active: BTreeMap<ModuleId, Active>,
    /// Modules that were switched off: their persisted values stay in the world.
    pub dormant: BTreeMap<ModuleId, Dormant>,
    /// Panics and errors of systems.
    pub reports: Reports,
    /// Values of a snapshot that no module takes.
    pub parked: Parked,
    started: BTreeSet<ModuleId>,
    set_up: SetUpAgain,
    registered: RegisteredAtRunTime,
    set_conditions: set_conditions::SetConditions,
    ever_stored: EverStored,
    /// The schedules that modules add to, as the last swap left them.
    extents: HashMap<InternedScheduleLabel, Extent>,
    /// The set of each module that ever ran.
    sets: BTreeMap<ModuleId, ModuleSet>,
}

/// A running module.
pub struct Active {
    /// Its generation.
    pub generation: SharedGeneration,
    /// The types whose values are kept.
    pub persisted: Vec<PersistRecord>,
    /// Its console commands.
    pub commands: Vec<Command>,
    /// Its files of tuning values.
    pub data: Vec<tuning::Source>,
    set: ModuleSet,
    systems: Vec<RunningSystem>,
    conditions: Vec<(Place, Memory)>,
    labels: HashSet<InternedScheduleLabel>,
    resources: Vec<ActiveResource>,
    messages: Vec<MessageRecord>,
    /// The keys of its registered systems.
    registered: Vec<&'static str>,
    states: Vec<StateRecord>,
    observers: Vec<Entity>,
}

impl Active {
    /// The names of its systems, with their paths.
    pub fn system_names(&self) -> impl Iterator<Item = &str> {
        self.systems.iter().map(|system| system.place.name.as_str())
    }

    /// True if the module registers or persists this resource, state or message type.
    fn uses(&self, type_id: TypeId) -> bool {
        self.resources.iter().any(|resource| resource.type_id == type_id)
            || self.states.iter().any(|state| state.type_id == type_id)
            || self.messages.iter().any(|message| message.type_id == type_id)
            || self.persisted.iter().any(|record| record.type_id == type_id)
    }
}

/// A module that was switched off.
pub struct Dormant {
    /// Its last generation.
    pub generation: SharedGeneration,
    /// The types whose values are kept.
    pub persisted: Vec<PersistRecord>,
    resources: Vec<ActiveResource>,
    states: Vec<StateRecord>,
}

/// A console command of a module.
pub struct Command {
    /// The name.
    pub name: &'static str,
    /// One line of help.
    pub help: &'static str,
    /// Takes the words after the name, returns the text to print.
    pub system: BoxedSystem<In<Vec<String>>, String>,
}

/// A module's system in a schedule.
#[derive(Clone)]
struct RunningSystem {
    label: InternedScheduleLabel,
    key: SystemKey,
    place: Place,
    memory: Memory,
}

/// A change of the running generations.
#[derive(Default)]
pub struct Transaction {
    /// Generations that replace those of the same modules, or are new.
    pub enter: Vec<SharedGeneration>,
    /// Modules that are switched off.
    pub leave: Vec<ModuleId>,
    /// Modules whose persisted values may be dropped where the new types have no place for them;
    /// the swap is refused otherwise. Either the module that persisted a value counts, or the one
    /// that would take it.
    pub may_drop: BTreeSet<ModuleId>,
}

/// The result of a swap.
#[derive(Clone, Debug, Default)]
pub struct Swapped {
    /// The game's pause.
    pub pause_ms: f32,
    /// Comparing layouts with those of the world; a part of the pause.
    pub layouts_ms: f32,
    /// The number of values that were converted to another type.
    pub migrated: usize,
    /// The number of values that were dropped with the old form of their type because no module
    /// persists it, by type.
    pub orphaned: Vec<(String, usize)>,
    /// Persisted values, or fields of them, that were dropped with permission.
    pub dropped: Vec<Dropped>,
    /// The duration of each step of restoring values.
    pub restore: RestoreTimes,
    /// The number of parked values that entering modules took.
    pub given_back: usize,
    /// The schedules of set-up code that ran, by module.
    pub set_up: Vec<(ModuleId, InternedScheduleLabel)>,
    /// Problems that did not stop the swap: tuning files, `OnUnload`, code that stays old.
    pub warnings: Vec<String>,
}

/// Why a swap was refused. Nothing has changed.
#[derive(Debug, Error)]
#[error("{}", self.explain())]
pub enum SwapError {
    /// A module's `build` panicked.
    Build(#[from] Panic),
    /// Values cannot be kept.
    Restore(#[from] RestoreErrors),
    /// A type has another layout than the values that it would share.
    Layout(#[from] LayoutError),
    /// Bevy could not build a schedule with the modules' systems.
    Schedule {
        /// The schedule.
        schedule: String,
        /// The systems and sets, and the remedy.
        reason: String,
    },
}

impl Explain for SwapError {
    fn explain(&self) -> Explanation {
        match self {
            Self::Build(panic) => {
                Explanation::new("H0601", panic.to_string()).remedy("Fix it and save")
            }
            Self::Restore(errors) => errors.explain(),
            Self::Layout(error) => error.explain(),
            Self::Schedule { schedule, reason } => {
                Explanation::new("H0604", format!("schedule {schedule}: {reason}"))
            }
        }
    }
}

/// The modules of these generations, for [`Transaction::may_drop`].
pub fn modules_of(generations: &[SharedGeneration]) -> BTreeSet<ModuleId> {
    generations.iter().map(|generation| generation.id().clone()).collect()
}

impl Running {
    /// The set of a module's systems.
    fn set_of(&mut self, id: &ModuleId) -> ModuleSet {
        let next = ModuleSet(self.sets.len() as u64 + 1);
        *self.sets.entry(id.clone()).or_insert(next)
    }

    /// Runs the module's `Startup` again when it is next switched on.
    pub fn forget_start(&mut self, id: &ModuleId) {
        self.started.remove(id);
    }

    /// True if a running module registers or persists the type, or it is one of `entering`.
    fn registers(&self, type_id: TypeId, entering: &HashSet<TypeId>) -> bool {
        entering.contains(&type_id) || self.active.values().any(|active| active.uses(type_id))
    }

    /// The sources of these crates and of the cores that they link to.
    fn facts_of(&self, crates: &BTreeSet<String>) -> stale_code::CrateFacts {
        let of = |id: &ModuleId| crates.contains(&id.crate_name());
        let linking: Vec<&Active> =
            self.active.iter().filter(|(id, _)| of(id)).map(|(_, active)| active).collect();
        let linked = |id: &ModuleId| {
            linking.iter().any(|active| active.generation.manifest.cores.contains_key(id))
        };
        let active = self.active.iter().filter(|(id, _)| of(id) || linked(id));
        let facts = active.filter_map(|(id, it)| Some((id, it.generation.facts()?.clone())));
        facts.map(|(id, facts)| (id.crate_name(), facts)).collect()
    }

    /// The running module's systems of a schedule, once more.
    fn systems_in(
        &self,
        id: &ModuleId,
        label: InternedScheduleLabel,
    ) -> Result<Vec<ScheduleConfigs<ScheduleSystem>>, Panic> {
        let Some(active) = self.active.get(id) else { return Ok(Vec::new()) };
        let systems = active.generation.record()?.systems.into_iter();
        Ok(systems.filter(|(of, _)| *of == label).map(|(_, systems)| systems).collect())
    }

    /// The persisted types of the module, running or not.
    pub fn persisted(&self, id: &ModuleId) -> &[PersistRecord] {
        let active = self.active.get(id).map(|active| active.persisted.as_slice());
        let dormant = || self.dormant.get(id).map(|dormant| dormant.persisted.as_slice());
        active.or_else(dormant).unwrap_or_default()
    }

    /// Those of these types that are registered in the world and that no module persists. The values
    /// of those in `come_back` are made again from persisted ones.
    pub fn orphans(
        &self,
        world: &World,
        replaced: &ReplacedTypes,
        come_back: impl Iterator<Item = TypeId>,
    ) -> Vec<orphans::Orphan> {
        let records = replaced.crates().flat_map(|name| {
            let ids = self.active.keys().chain(self.dormant.keys());
            ids.filter(move |id| id.crate_name() == name).flat_map(|id| self.persisted(id))
        });
        let persisted: HashSet<TypeId> = records.map(|record| record.holder).collect();
        let data = self.active.values().flat_map(|active| &active.data);
        let come_back = data.map(|source| source.record.type_id).chain(come_back).collect();
        orphans::of_types(world, replaced, &persisted, &come_back)
    }

    /// The number of waiting messages of replaced types that the module does not persist, by type.
    pub fn waiting_messages(
        &self,
        world: &World,
        id: &ModuleId,
        replaced: &ReplacedTypes,
    ) -> Vec<(String, usize)> {
        let active = self.active.get(id);
        active.map_or_else(Vec::new, |active| {
            let Active { messages, persisted, .. } = active;
            messages::Old { messages, persisted }.not_persisted(world, replaced)
        })
    }

    /// The running generation, or the one that ran last.
    pub fn generation(&self, id: &ModuleId) -> Option<&SharedGeneration> {
        let active = self.active.get(id).map(|active| &active.generation);
        active.or_else(|| self.dormant.get(id).map(|dormant| &dormant.generation))
    }

    /// The module was removed: drops the values that it kept.
    pub fn forget(&mut self, world: &mut World, id: &ModuleId) {
        self.started.remove(id);
        if let Some(dormant) = self.dormant.remove(id) {
            let stays = |type_id: TypeId| self.registers(type_id, &HashSet::new());
            let persisted = dormant.persisted.iter().filter(|record| !stays(record.type_id));
            persisted.for_each(|record| record.remove(world));
            let states = dormant.states.iter().filter(|state| !stays(state.type_id));
            states.for_each(|state| (state.remove)(world));
            let resources = dormant.resources.into_iter().filter(|it| !stays(it.type_id));
            resources.for_each(|resource| resource.remove(world));
        }
    }
}
