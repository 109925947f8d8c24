//! The part of a swap that can refuse, and changes nothing.

use std::collections::{BTreeSet, HashSet};
use std::time::Instant;

use bevy::ecs::schedule::{InternedScheduleLabel, ScheduleConfigs, ScheduleLabel};
use bevy::ecs::system::ScheduleSystem;
use bevy::prelude::*;
use playground_api::module::{OnLoad, OnUnload, Recorded};

use super::order;
use super::orphans::{self, Orphan};
use super::replaced::ReplacedTypes;
use super::schedules::{Entering, Inherits, ModuleSet};
use super::{Extent, Running, SwapError, Swapped, Transaction};
use crate::build::rustc::ms;
use crate::generation::SharedGeneration;
use crate::ids::ModuleId;
use crate::restore::{self, GivenUp, Owned, Restore, RestoreErrors};
use crate::snapshot_file::parked::GiveBack;
use crate::snapshot_file::world::Source;

/// A swap that has passed all checks. Commit it before anything else changes the world or `running`:
/// it holds values that were read from that world.
#[must_use = "nothing has changed yet: commit it"]
pub struct PreparedSwap {
    pub(super) entering: Vec<(SharedGeneration, Recorded)>,
    pub(super) leaving: Vec<SwitchedOff>,
    pub(super) restores: Vec<Restore>,
    pub(super) orphans: Vec<Orphan>,
    /// Parked values for entering modules.
    pub(super) given: GiveBack,
    /// The result so far.
    pub(super) swapped: Swapped,
}

/// A module that is switched off.
pub(super) struct SwitchedOff {
    pub id: ModuleId,
    pub on_unload: Vec<ScheduleConfigs<ScheduleSystem>>,
}

/// Systems by schedule.
pub(super) type Systems = Vec<(InternedScheduleLabel, ScheduleConfigs<ScheduleSystem>)>;

/// A module's systems, by when they run.
#[derive(Default)]
pub(super) struct SystemsByUse {
    /// In the schedules of the game.
    pub scheduled: Systems,
    /// Once, when the module is first switched on; in the order of their schedules.
    pub startup: Systems,
    /// Once, whenever a generation is swapped in.
    pub on_load: Vec<ScheduleConfigs<ScheduleSystem>>,
    /// Once, when the module is switched off.
    pub on_unload: Vec<ScheduleConfigs<ScheduleSystem>>,
}

impl SystemsByUse {
    pub fn new(systems: Systems) -> Self {
        let startups = startups();
        let mut this = Self::default();
        for (label, configs) in systems {
            if label == OnLoad.intern() {
                this.on_load.push(configs);
            } else if label == OnUnload.intern() {
                this.on_unload.push(configs);
            } else if startups.contains(&label) {
                this.startup.push((label, configs));
            } else {
                this.scheduled.push((label, configs));
            }
        }
        this.startup.sort_by_key(|(label, _)| startups.iter().position(|other| other == label));
        this
    }
}

pub(super) fn startups() -> [InternedScheduleLabel; 3] {
    [PreStartup.intern(), Startup.intern(), PostStartup.intern()]
}

/// True for systems that run once, in a schedule of their own.
pub(super) fn runs_apart(label: InternedScheduleLabel) -> bool {
    label == OnLoad.intern() || label == OnUnload.intern() || startups().contains(&label)
}

/// Performs every check of `transaction` and all its work that can fail. The schedules, the values
/// in the world and `running` stay unchanged.
///
/// # Errors
///
/// If a module's `build` panics, a type has another layout than its stored values, a schedule cannot
/// be built with the modules' systems, or a value cannot be kept.
pub fn prepare(
    world: &mut World,
    running: &Running,
    transaction: Transaction,
) -> Result<PreparedSwap, SwapError> {
    let started = Instant::now();
    let mut swapped = Swapped::default();
    let mut entering = Vec::with_capacity(transaction.enter.len());
    for generation in transaction.enter {
        let recorded = generation.record()?;
        entering.push((generation, recorded));
    }
    let comparing = Instant::now();
    for (generation, _) in &entering {
        running.ever_stored.check(world, generation.id(), &generation.stored)?;
    }
    swapped.layouts_ms = ms(comparing);
    running.check_schedules(world, &transaction.leave, &entering)?;
    let mut leaving = Vec::with_capacity(transaction.leave.len());
    for id in transaction.leave {
        let on_unload = running.on_unload(&id).unwrap_or_else(|error| {
            swapped.warnings.push(format!("`OnUnload` of module `{id}` does not run: {error}"));
            Vec::new()
        });
        leaving.push(SwitchedOff { id, on_unload });
    }
    let restores = running.restores(world, &entering, &transaction.may_drop, &mut swapped)?;
    swapped.migrated = restores.iter().map(|restore| restore.count).sum();
    swapped.dropped = restores.iter().filter_map(|restore| restore.dropped.clone()).collect();
    let come_back = restores.iter().filter_map(Restore::brings_back);
    let orphans = running.orphans(world, &running.replaced_types(&entering), come_back);
    swapped.orphaned = orphans::count(world, &orphans);
    let given = running.parked.prepare(world, &persisted_by(&entering));
    swapped.given_back = given.count;
    let kept = given.kept.iter().map(|kept| format!("values of a snapshot stay parked: {kept}"));
    swapped.warnings.extend(kept);
    swapped.pause_ms = ms(started);
    Ok(PreparedSwap { entering, leaving, restores, orphans, given, swapped })
}

/// The types that modules persist.
fn persisted_by(entering: &[(SharedGeneration, Recorded)]) -> Vec<Source> {
    let of = |(generation, recorded): &(SharedGeneration, Recorded)| {
        let module = generation.id().clone();
        let source = move |record| Source { module: module.clone(), record };
        recorded.persisted.clone().into_iter().map(source).collect::<Vec<_>>()
    };
    entering.iter().flat_map(of).collect()
}

impl PreparedSwap {
    /// The modules whose code changes.
    pub fn modules(&self) -> Vec<ModuleId> {
        let entering = self.entering.iter().map(|(generation, _)| generation.id());
        entering.chain(self.leaving.iter().map(|module| &module.id)).cloned().collect()
    }
}

impl Running {
    /// Builds copies of the schedules to which modules add something else than before. Those modules
    /// are recorded once more, because building a copy consumes its input.
    fn check_schedules(
        &self,
        world: &World,
        leave: &[ModuleId],
        entering: &[(SharedGeneration, Recorded)],
    ) -> Result<(), SwapError> {
        let changed = self.changed_schedules(world, entering)?;
        if changed.is_empty() {
            return Ok(());
        }
        let mut added = Vec::with_capacity(entering.len());
        for (generation, _) in entering {
            let mut recorded = generation.record()?;
            recorded.sets.retain(|(label, _)| changed.contains(label));
            recorded.systems.retain(|(label, _)| changed.contains(label));
            let systems = SystemsByUse::new(recorded.systems);
            for (label, systems) in systems.startup {
                order::check_once(label, vec![systems])?;
            }
            order::check_once(OnLoad.intern(), systems.on_load)?;
            order::check_once(OnUnload.intern(), systems.on_unload)?;
            added.push(Entering {
                id: generation.id().clone(),
                // The copy needs no set of the module.
                set: ModuleSet::default(),
                sets: recorded.sets,
                systems: systems.scheduled,
                inherits: Inherits::default(),
            });
        }
        let replaced = entering.iter().map(|(generation, _)| generation.id());
        let gone = replaced.chain(leave);
        let gone: Vec<ModuleSet> = gone.filter_map(|id| Some(self.active.get(id)?.set)).collect();
        order::check(world, &gone, added)
    }

    /// Remembers the schedules as they are now, with everything that the modules added.
    pub(super) fn take_extents(&mut self, world: &World) {
        let Some(schedules) = world.get_resource::<Schedules>() else { return };
        // Many modules add to the same ones.
        let labels: HashSet<&InternedScheduleLabel> =
            self.active.values().flat_map(|active| &active.labels).collect();
        let extent =
            |label: &InternedScheduleLabel| Some((*label, Extent::of(schedules.get(*label)?)));
        self.extents = labels.into_iter().filter_map(extent).collect();
    }

    /// The schedules to which a module adds something else than its running generation did, and
    /// those that were changed since the last swap. The others can be built as they could before.
    fn changed_schedules(
        &self,
        world: &World,
        entering: &[(SharedGeneration, Recorded)],
    ) -> Result<HashSet<InternedScheduleLabel>, SwapError> {
        let mut changed = HashSet::new();
        for (generation, recorded) in entering {
            let sets = recorded.sets.iter().map(|(label, _)| *label);
            let labels = sets.chain(recorded.systems.iter().map(|(label, _)| *label));
            match self.active.get(generation.id()) {
                Some(active) => {
                    let (old, new) = (active.generation.additions()?, generation.additions()?);
                    let is_same = |label| {
                        old.are_equal_in(new, label)
                            && (runs_apart(label) || self.is_as_left(world, label))
                    };
                    changed.extend(labels.filter(|label| !is_same(*label)));
                }
                None => changed.extend(labels),
            }
        }
        Ok(changed)
    }

    /// True if nobody has changed the schedule since the last swap.
    fn is_as_left(&self, world: &World, label: InternedScheduleLabel) -> bool {
        let schedules = world.get_resource::<Schedules>();
        let schedule = schedules.and_then(|schedules| schedules.get(label));
        self.extents.get(&label).copied() == schedule.map(Extent::of)
    }

    fn on_unload(&self, id: &ModuleId) -> Result<Vec<ScheduleConfigs<ScheduleSystem>>, SwapError> {
        let Some(active) = self.active.get(id) else { return Ok(Vec::new()) };
        // Twice, as the check consumes them.
        let record = || Ok::<_, SwapError>(SystemsByUse::new(active.generation.record()?.systems));
        order::check_once(OnUnload.intern(), record()?.on_unload)?;
        Ok(record()?.on_unload)
    }

    /// How the persisted values of all entering modules are restored.
    fn restores(
        &self,
        world: &mut World,
        entering: &[(SharedGeneration, Recorded)],
        may_drop: &BTreeSet<ModuleId>,
        swapped: &mut Swapped,
    ) -> Result<Vec<Restore>, RestoreErrors> {
        let mut old = Vec::new();
        let mut new = Vec::new();
        let mut types = Vec::new();
        for (generation, recorded) in entering {
            let module = generation.id();
            old.extend(self.persisted(module).iter().map(|record| Owned { module, record }));
            new.extend(recorded.persisted.iter().map(|record| Owned { module, record }));
            types.extend_from_slice(&generation.manifest.dropped);
        }
        let given_up = GivenUp { types: &types, modules: may_drop };
        restore::prepare(world, &old, &new, &given_up, &mut swapped.restore)
    }

    /// The types in the world that the entering modules replace.
    fn replaced_types(&self, entering: &[(SharedGeneration, Recorded)]) -> ReplacedTypes {
        let mut replaced = ReplacedTypes::default();
        for (generation, _) in entering {
            if let Some(old) = self.generation(generation.id()) {
                replaced.add(&old.manifest, &generation.manifest);
            }
        }
        replaced
    }
}
