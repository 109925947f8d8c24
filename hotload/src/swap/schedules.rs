//! Takes systems out of Bevy's schedules and puts new ones in, so that a system of the same name
//! goes on where the old one stood.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bevy::ecs::change_detection::Tick;
use bevy::ecs::schedule::graph::DiGraph;
use bevy::ecs::schedule::{
    ApplyDeferred, ConditionWithAccess, FlattenedDependencies, InternedScheduleLabel,
    InternedSystemSet, NodeId, ScheduleBuildError, ScheduleBuildPass, ScheduleCleanupPolicy,
    ScheduleConfigs, ScheduleGraph, ScheduleLabel, SystemKey, SystemSetKey, SystemWithAccess,
};
use bevy::ecs::system::{AdapterSystem, IntoSystem, ScheduleSystem, System};
use bevy::platform::hash::FixedHasher;
use bevy::prelude::*;
use indexmap::IndexSet;
use playground_api::handover::Handovers;

use super::{RunningSystem, SwapError};
use crate::guard::executor::GuardedExecutor;
use crate::guard::{Guard, Reports};
use crate::ids::ModuleId;

/// The set that holds the systems of one life of a module; a value is never used twice, since Bevy
/// keeps sets for good.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GenerationSet(pub u64);

/// A module whose systems go.
pub struct Leaving {
    pub id: ModuleId,
    pub serial: u64,
    pub systems: Vec<RunningSystem>,
    pub labels: HashSet<InternedScheduleLabel>,
}

/// A module whose systems come.
pub struct Entering {
    pub id: ModuleId,
    pub serial: u64,
    pub sets: Vec<(InternedScheduleLabel, ScheduleConfigs<InternedSystemSet>)>,
    pub systems: Vec<(InternedScheduleLabel, ScheduleConfigs<ScheduleSystem>)>,
}

/// A module's systems, as they stand in the schedules now.
pub struct Entered {
    pub id: ModuleId,
    pub systems: Vec<RunningSystem>,
    pub labels: HashSet<InternedScheduleLabel>,
}

/// When the systems that leave ran last, by module, name, and which of that name.
type LastRuns = HashMap<(ModuleId, String, u32), Tick>;

/// Does it for all schedules that are touched.
///
/// # Errors
///
/// When a schedule cannot be built, which planning should have told.
pub fn rebuild(
    world: &mut World,
    set_conditions: &mut SetConditions,
    reports: &Reports,
    leaving: Vec<Leaving>,
    entering: Vec<Entering>,
) -> Result<Vec<Entered>, SwapError> {
    let mut labels: HashSet<InternedScheduleLabel> = HashSet::new();
    leaving.iter().for_each(|module| labels.extend(&module.labels));
    let mut by_label: HashMap<InternedScheduleLabel, Vec<Part>> = HashMap::new();
    let mut entered = Vec::new();
    for module in entering {
        let mut own = HashSet::new();
        own.extend(module.sets.iter().map(|(label, _)| *label));
        own.extend(module.systems.iter().map(|(label, _)| *label));
        labels.extend(&own);
        let part =
            |sets, systems| Part { id: module.id.clone(), serial: module.serial, sets, systems };
        for (label, sets) in module.sets {
            by_label.entry(label).or_default().push(part(Some(sets), None));
        }
        for (label, systems) in module.systems {
            by_label.entry(label).or_default().push(part(None, Some(systems)));
        }
        entered.push(Entered { id: module.id, systems: Vec::new(), labels: own });
    }

    // A system may have moved to another schedule: learn all last runs before any is removed.
    let mut last_runs = LastRuns::new();
    let mut schedule_last_runs: HashMap<InternedScheduleLabel, Tick> = HashMap::new();
    let now = world.change_tick();
    for label in &labels {
        let Some(schedule) = world.resource::<Schedules>().get(*label) else { continue };
        let Ok(systems) = schedule.systems() else { continue };
        let by_key: HashMap<SystemKey, Tick> =
            systems.map(|(key, system)| (key, system.get_last_run())).collect();
        let latest = by_key.values().copied().min_by_key(|tick| age(now, *tick));
        schedule_last_runs.extend(latest.map(|tick| (*label, tick)));
        for module in &leaving {
            for system in module.systems.iter().filter(|system| system.label == *label) {
                if let Some(last_run) = by_key.get(&system.key) {
                    let (name, ordinal) = system.name.clone();
                    last_runs.insert((module.id.clone(), name, ordinal), *last_run);
                }
            }
        }
    }

    let mut ordinals: HashMap<(ModuleId, String), u32> = HashMap::new();
    for label in labels {
        let parts = by_label.remove(&label).unwrap_or_default();
        let mut schedules = world.resource_mut::<Schedules>();
        if !schedules.contains(label) {
            schedules.entry(label).set_executor(GuardedExecutor::new(label, reports));
        }
        let added = world.schedule_scope(label, |world, schedule| {
            let mut change = ScheduleChange {
                label,
                set_conditions,
                reports,
                last_runs: &last_runs,
                schedule_last_run: schedule_last_runs.get(&label).copied(),
                ordinals: &mut ordinals,
            };
            change.apply(world, schedule, &leaving, parts)
        })?;
        for (id, system) in added {
            if let Some(entered) = entered.iter_mut().find(|entered| entered.id == id) {
                entered.systems.push(system);
            }
        }
    }
    Ok(entered)
}

/// How long ago a tick was; ticks wrap around.
fn age(now: Tick, tick: Tick) -> u32 {
    now.get().wrapping_sub(tick.get())
}

/// What one call of a module added to one schedule.
struct Part {
    id: ModuleId,
    serial: u64,
    sets: Option<ScheduleConfigs<InternedSystemSet>>,
    systems: Option<ScheduleConfigs<ScheduleSystem>>,
}

struct ScheduleChange<'a> {
    label: InternedScheduleLabel,
    set_conditions: &'a mut SetConditions,
    reports: &'a Reports,
    last_runs: &'a LastRuns,
    schedule_last_run: Option<Tick>,
    ordinals: &'a mut HashMap<(ModuleId, String), u32>,
}

impl ScheduleChange<'_> {
    fn apply(
        &mut self,
        world: &mut World,
        schedule: &mut Schedule,
        leaving: &[Leaving],
        parts: Vec<Part>,
    ) -> Result<Vec<(ModuleId, RunningSystem)>, SwapError> {
        // Bevy removes from a built schedule only, and one that never ran is not built yet.
        self.build(world, schedule)?;
        self.remove(world, schedule, leaving)?;
        let mut added = Vec::new();
        for part in parts {
            if let Some(sets) = part.sets {
                schedule.configure_sets(sets);
            }
            if let Some(mut systems) = part.systems {
                let before: HashSet<SystemKey> = keys(schedule).collect();
                systems.in_set_inner(GenerationSet(part.serial).intern());
                schedule.add_systems(systems);
                let new: Vec<SystemKey> =
                    keys(schedule).filter(|key| !before.contains(key)).collect();
                for key in new {
                    added.push((part.id.clone(), self.set_up(world, schedule, key, &part.id)));
                }
            }
            schedule.graph_mut().initialize(world);
            self.set_conditions.take(self.label, schedule, &part.id, self.schedule_last_run);
        }
        for (id, system) in &added {
            self.go_on(schedule, id, system);
        }
        self.build(world, schedule)?;
        Ok(added)
    }

    fn build(&self, world: &mut World, schedule: &mut Schedule) -> Result<(), SwapError> {
        let built = schedule.initialize(world).map(|_| ());
        built.map_err(|error| self.failed(error.to_string(schedule.graph(), world)))
    }

    fn failed(&self, reason: String) -> SwapError {
        SwapError::Schedule { schedule: format!("{:?}", self.label), reason }
    }

    fn remove(
        &mut self,
        world: &mut World,
        schedule: &mut Schedule,
        leaving: &[Leaving],
    ) -> Result<(), SwapError> {
        let sets: Vec<GenerationSet> = leaving
            .iter()
            .filter(|module| module.labels.contains(&self.label))
            .map(|module| GenerationSet(module.serial))
            .filter(|set| schedule.graph().system_sets.contains(*set))
            .collect();
        for module in leaving {
            self.set_conditions.drop_module(self.label, schedule, &module.id);
        }
        // Each removal wants a built schedule: several sets go as one.
        let set = match sets.as_slice() {
            [] => return Ok(()),
            [set] => set.intern(),
            [.., last] => {
                let together = LeavingSet(last.0);
                for set in &sets {
                    schedule.configure_sets(set.in_set(together));
                }
                together.intern()
            }
        };
        let policy = ScheduleCleanupPolicy::RemoveSystemsOnlyAllowBreakages;
        let removed = schedule.remove_systems_in_set(set, world, policy);
        removed.map(|_| ()).map_err(|error| self.failed(error.to_string()))
    }

    /// Puts a guard around a system that was just added, and sets its parameters up under the name
    /// by which they find what their predecessors left.
    fn set_up(
        &mut self,
        world: &mut World,
        schedule: &mut Schedule,
        key: SystemKey,
        id: &ModuleId,
    ) -> RunningSystem {
        let slot = schedule.graph_mut().systems.get_mut(key);
        let name = slot.as_ref().map(|system| system.name().to_string()).unwrap_or_default();
        let ordinal = self.ordinals.entry((id.clone(), name.clone())).or_default();
        let running = RunningSystem { label: self.label, key, name: (name.clone(), *ordinal) };
        *ordinal += 1;
        if let Some(slot) = slot
            && !is_apply_deferred(slot.system())
        {
            if let Some(mut carry) = world.get_resource_mut::<Handovers>() {
                carry.begin(format!("{id}/{name}#{}", running.name.1));
            }
            let what = format!("{name}, while its parameters were set up,");
            let set_up = self.reports.contain(id, &what, || slot.initialize(world));
            if set_up.is_none() {
                // It is taken back before the next frame; until then nothing stands in its place.
                *slot = nothing();
                slot.initialize(world);
            }
            if let Some(mut carry) = world.get_resource_mut::<Handovers>() {
                carry.end();
            }
            guard(slot, id, name, self.reports);
        }
        running
    }

    /// A system that stood there before sees what changed since then; one that is new sees all.
    fn go_on(&self, schedule: &mut Schedule, id: &ModuleId, system: &RunningSystem) {
        let (name, ordinal) = system.name.clone();
        let last_run = self.last_runs.get(&(id.clone(), name, ordinal)).copied();
        let systems = &mut schedule.graph_mut().systems;
        if let (Some(last_run), Some(slot)) = (last_run, systems.get_mut(system.key)) {
            slot.set_last_run(last_run);
            // A condition was asked at every run of the schedule, also when it said no.
            let last_asked = self.schedule_last_run.unwrap_or(last_run);
            for condition in systems.get_conditions_mut(system.key).into_iter().flatten() {
                condition.set_last_run(last_asked);
            }
        }
    }
}

/// Bevy tells a sync point by its type, which a guard would hide.
fn is_apply_deferred(system: &ScheduleSystem) -> bool {
    system.system_type() == std::any::TypeId::of::<ApplyDeferred>()
}

/// The systems that are not in the executable part of the schedule yet.
fn keys(schedule: &Schedule) -> impl Iterator<Item = SystemKey> {
    schedule.graph().systems.iter().map(|(key, ..)| key)
}

/// A system that does nothing.
fn nothing() -> SystemWithAccess {
    let nothing: ScheduleSystem = Box::new(IntoSystem::into_system(|| {}));
    SystemWithAccess::new(nothing)
}

fn guard(slot: &mut SystemWithAccess, id: &ModuleId, name: String, reports: &Reports) {
    let system = std::mem::replace(slot, nothing());
    let guard = Guard::new(id, name, reports);
    let shown = system.name();
    *slot = SystemWithAccess::new(Box::new(AdapterSystem::new(guard, system, shown)));
}

/// Runs systems once, outside of the game's schedules.
pub fn run_once(
    world: &mut World,
    label: impl ScheduleLabel,
    systems: Vec<ScheduleConfigs<ScheduleSystem>>,
    id: &ModuleId,
    reports: &Reports,
) {
    if systems.is_empty() {
        return;
    }
    let label = label.intern();
    let mut schedule = Schedule::new(label);
    schedule.set_executor(GuardedExecutor::new(label, reports));
    for systems in systems {
        schedule.add_systems(systems);
    }
    let new: Vec<SystemKey> = keys(&schedule).collect();
    for key in new {
        if let Some(slot) = schedule.graph_mut().systems.get_mut(key)
            && !is_apply_deferred(slot.system())
        {
            let name = slot.name().to_string();
            guard(slot, id, name, reports);
        }
    }
    schedule.run(world);
}

/// Holds the generations that leave in one swap.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct LeavingSet(u64);

/// The run conditions of sets, by the module that asked for them.
///
/// Bevy has no way to take a set's condition back, and loses one that is added to a set that already
/// has some. A build pass is given the conditions in between, and puts them right.
#[derive(Default)]
pub struct SetConditions {
    by_label: HashMap<InternedScheduleLabel, Arc<Mutex<Conditions>>>,
}

#[derive(Default)]
struct Conditions {
    /// Beside each condition of a set, its module; `None` for the host's own.
    owners: HashMap<SystemSetKey, Vec<Option<ModuleId>>>,
    dropped: HashSet<ModuleId>,
    pending: Vec<(SystemSetKey, ModuleId, Vec<ConditionWithAccess>)>,
}

impl SetConditions {
    fn of(
        &mut self,
        label: InternedScheduleLabel,
        schedule: &mut Schedule,
    ) -> MutexGuard<'_, Conditions> {
        let conditions = self.by_label.entry(label).or_insert_with(|| {
            let conditions = Arc::<Mutex<Conditions>>::default();
            schedule.add_build_pass(ConditionsPass(conditions.clone()));
            conditions
        });
        conditions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn drop_module(
        &mut self,
        label: InternedScheduleLabel,
        schedule: &mut Schedule,
        id: &ModuleId,
    ) {
        if self.by_label.contains_key(&label) {
            self.of(label, schedule).dropped.insert(id.clone());
        }
    }

    /// Takes the conditions that `id` just added out of the graph, for the build to put back.
    fn take(
        &mut self,
        label: InternedScheduleLabel,
        schedule: &mut Schedule,
        id: &ModuleId,
        last_run: Option<Tick>,
    ) {
        let sets = &schedule.graph().system_sets;
        let with_new: Vec<SystemSetKey> =
            sets.iter().filter(|(_, _, new)| !new.is_empty()).map(|(key, ..)| key).collect();
        for key in with_new {
            let new = schedule.graph_mut().system_sets.get_conditions_mut(key).map(std::mem::take);
            let mut new = new.unwrap_or_default();
            if let Some(last_run) = last_run {
                new.iter_mut().for_each(|condition| condition.set_last_run(last_run));
            }
            self.of(label, schedule).pending.push((key, id.clone(), new));
        }
    }
}

struct ConditionsPass(Arc<Mutex<Conditions>>);

impl fmt::Debug for ConditionsPass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConditionsPass")
    }
}

impl ScheduleBuildPass for ConditionsPass {
    type EdgeOptions = ();

    fn add_dependency(&mut self, _from: NodeId, _to: NodeId, _options: Option<&()>) {}

    fn collapse_set(
        &mut self,
        _set: SystemSetKey,
        _systems: &IndexSet<SystemKey, FixedHasher>,
        _dependency_flattening: &DiGraph<NodeId>,
    ) -> impl Iterator<Item = (NodeId, NodeId)> {
        std::iter::empty()
    }

    fn build(
        &mut self,
        _world: &mut World,
        graph: &mut ScheduleGraph,
        _dependency_flattened: FlattenedDependencies<'_>,
    ) -> Result<(), ScheduleBuildError> {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Conditions { owners, dropped, pending } = &mut *guard;
        for (key, owners) in owners.iter_mut() {
            let Some(conditions) = graph.system_sets.get_conditions_mut(*key) else { continue };
            owners.resize(conditions.len(), None);
            let gone =
                |owner: &Option<ModuleId>| owner.as_ref().is_some_and(|id| dropped.contains(id));
            let mut each = owners.iter();
            conditions.retain(|_| !each.next().is_some_and(gone));
            owners.retain(|owner| !gone(owner));
        }
        for (key, id, new) in pending.drain(..) {
            let Some(conditions) = graph.system_sets.get_conditions_mut(key) else { continue };
            let owners = owners.entry(key).or_default();
            owners.resize(conditions.len(), None);
            owners.extend(new.iter().map(|_| Some(id.clone())));
            conditions.extend(new);
        }
        dropped.clear();
        Ok(())
    }
}
