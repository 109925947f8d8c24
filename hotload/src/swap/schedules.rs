//! Removes systems from Bevy's schedules and adds new ones, so that a system of the same name
//! continues where the old one stopped.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};

use bevy::ecs::change_detection::Tick;
use bevy::ecs::schedule::{
    ApplyDeferred, InternedScheduleLabel, InternedSystemSet, LogLevel, NodeId,
    ScheduleBuildSettings, ScheduleCleanupPolicy, ScheduleConfigs, ScheduleGraph, ScheduleLabel,
    SystemKey,
};
use bevy::ecs::system::{ScheduleSystem, System};
use bevy::prelude::*;
use playground_api::schema::names::stable_name;

use super::RunningSystem;
use super::broken::Cause;
use super::set_conditions::SetConditions;
use super::set_up::{guard, remembering, set_up, set_up_conditions, sets_with_new_conditions};
use super::succession::{Memories, Memory, Place};
use super::tuple_sets::take_conditions;
use crate::guard::Reports;
use crate::guard::executor::GuardedExecutor;
use crate::ids::ModuleId;

/// The set of all systems of a module. It is the same for all generations: a set for each would stay
/// in the schedules, whose building takes a time that grows with the square of the number of sets.
#[derive(SystemSet, Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ModuleSet(pub u64);

/// A module whose systems are removed.
pub struct Leaving {
    pub id: ModuleId,
    pub set: ModuleSet,
    pub systems: Vec<RunningSystem>,
    pub conditions: Vec<(Place, Memory)>,
    pub labels: HashSet<InternedScheduleLabel>,
}

/// A module whose systems are added.
pub struct Entering {
    pub id: ModuleId,
    pub set: ModuleSet,
    pub sets: Vec<(InternedScheduleLabel, ScheduleConfigs<InternedSystemSet>)>,
    pub systems: Vec<(InternedScheduleLabel, ScheduleConfigs<ScheduleSystem>)>,
    pub inherits: Inherits,
}

/// The memories that a module's new systems and run conditions inherit from the old ones.
#[derive(Default)]
pub struct Inherits {
    pub systems: Memories,
    pub conditions: Memories,
}

/// A module's systems after they were added.
pub struct Entered {
    pub id: ModuleId,
    pub systems: Vec<RunningSystem>,
    pub conditions: Vec<(Place, Memory)>,
    pub labels: HashSet<InternedScheduleLabel>,
}

/// When the removed systems ran last.
type LastRuns = HashMap<Memory, Tick>;

/// Removes the systems of `leaving` and adds those of `entering`, in all their schedules.
///
/// # Errors
///
/// When Bevy cannot build a schedule. The schedules before it have changed then, so
/// [`super::order::check`] has to find this out first.
pub fn rebuild(
    world: &mut World,
    set_conditions: &mut SetConditions,
    reports: &Reports,
    leaving: Vec<Leaving>,
    entering: Vec<Entering>,
) -> Result<Vec<Entered>, Cause> {
    let mut labels: HashSet<InternedScheduleLabel> = HashSet::new();
    leaving.iter().for_each(|module| labels.extend(&module.labels));
    let mut by_label: HashMap<InternedScheduleLabel, Vec<Part>> = HashMap::new();
    let mut entered = Vec::new();
    let mut inherits = HashMap::new();
    for module in entering {
        inherits.insert(module.id.clone(), module.inherits);
        let mut own = HashSet::new();
        own.extend(module.sets.iter().map(|(label, _)| *label));
        own.extend(module.systems.iter().map(|(label, _)| *label));
        labels.extend(&own);
        let part = |sets, systems| Part { id: module.id.clone(), set: module.set, sets, systems };
        for (label, sets) in module.sets {
            by_label.entry(label).or_default().push(part(Some(sets), None));
        }
        for (label, systems) in module.systems {
            by_label.entry(label).or_default().push(part(None, Some(systems)));
        }
        entered.push(Entered {
            id: module.id,
            systems: Vec::new(),
            conditions: Vec::new(),
            labels: own,
        });
    }

    // A system may have moved to another schedule: read all last runs before any is removed.
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
                    last_runs.insert(system.memory, *last_run);
                }
            }
        }
    }

    for label in labels {
        let parts = by_label.remove(&label).unwrap_or_default();
        let mut schedules = world.resource_mut::<Schedules>();
        if !schedules.contains(label) {
            schedules.entry(label).set_executor(GuardedExecutor::new(label, reports));
        }
        world.schedule_scope(label, |world, schedule| {
            let mut change = ScheduleChange {
                label,
                set_conditions,
                reports,
                last_runs: &last_runs,
                schedule_last_run: schedule_last_runs.get(&label).copied(),
                inherits: &mut inherits,
                entered: &mut entered,
                tuples: HashMap::new(),
            };
            change.apply(world, schedule, &leaving, parts)
        })?;
    }
    Ok(entered)
}

/// How long ago a tick was; ticks wrap around.
fn age(now: Tick, tick: Tick) -> u32 {
    now.get().wrapping_sub(tick.get())
}

/// The systems and sets that one call of a module adds to one schedule.
struct Part {
    id: ModuleId,
    set: ModuleSet,
    sets: Option<ScheduleConfigs<InternedSystemSet>>,
    systems: Option<ScheduleConfigs<ScheduleSystem>>,
}

struct ScheduleChange<'a> {
    label: InternedScheduleLabel,
    set_conditions: &'a mut SetConditions,
    reports: &'a Reports,
    last_runs: &'a LastRuns,
    schedule_last_run: Option<Tick>,
    inherits: &'a mut HashMap<ModuleId, Inherits>,
    entered: &'a mut [Entered],
    /// How many tuples with a run condition each module has added.
    tuples: HashMap<ModuleSet, usize>,
}

impl ScheduleChange<'_> {
    fn apply(
        &mut self,
        world: &mut World,
        schedule: &mut Schedule,
        leaving: &[Leaving],
        parts: Vec<Part>,
    ) -> Result<(), Cause> {
        // Bevy removes from a built schedule only, and one that never ran is not built yet.
        self.build(world, schedule)?;
        self.remove(world, schedule, leaving)?;
        for part in parts {
            self.add(world, schedule, part);
        }
        self.build(world, schedule)
    }

    /// Adds what one call of a module adds, and sets it up.
    fn add(&mut self, world: &mut World, schedule: &mut Schedule, part: Part) {
        let (id, label) = (&part.id, self.label);
        let inherits = self.inherits.entry(id.clone()).or_default();
        let mut systems = Vec::new();
        let mut conditions = Vec::new();
        if let Some(sets) = part.sets {
            schedule.configure_sets(sets);
        }
        if let Some(mut configs) = part.systems {
            let before: HashSet<SystemKey> = keys(schedule).collect();
            configs.in_set_inner(part.set.intern());
            let next = self.tuples.entry(part.set).or_default();
            let sets = take_conditions(&mut configs, part.set, next);
            schedule.add_systems(configs);
            sets.into_iter().for_each(|set| _ = schedule.configure_sets(set));
            let new: HashSet<SystemKey> =
                keys(schedule).filter(|key| !before.contains(key)).collect();
            for key in in_order(schedule, &new) {
                let place = Place::of_system(label, schedule.graph(), key);
                let memory = inherits.systems.take(&place);
                let graph = schedule.graph_mut();
                remembering(world, memory, |world| {
                    set_up_system(world, graph, key, id, self.reports);
                });
                systems.push(RunningSystem { label, key, place, memory });
            }
        }
        let graph = schedule.graph_mut();
        let nodes = systems.iter().map(|system| NodeId::System(system.key));
        for node in nodes.chain(sets_with_new_conditions(graph)) {
            let memories = &mut inherits.conditions;
            conditions.extend(set_up_conditions(
                world,
                label,
                graph,
                node,
                memories,
                id,
                self.reports,
            ));
        }
        graph.initialize(world);
        self.set_conditions.take(label, schedule, id, self.schedule_last_run);
        systems.iter().for_each(|system| self.continue_from(schedule, system));
        if let Some(entered) = self.entered.iter_mut().find(|entered| entered.id == *id) {
            entered.systems.extend(systems);
            entered.conditions.extend(conditions);
        }
    }

    /// An ambiguity that the host made an error stays a warning here: which systems are ambiguous is
    /// known only after the build, when it is too late to refuse them.
    fn build(&self, world: &mut World, schedule: &mut Schedule) -> Result<(), Cause> {
        let settings = schedule.get_build_settings();
        if settings.ambiguity_detection == LogLevel::Error {
            let lowered =
                ScheduleBuildSettings { ambiguity_detection: LogLevel::Warn, ..settings.clone() };
            schedule.set_build_settings(lowered);
        }
        let built = schedule.initialize(world).map(|_| ());
        schedule.set_build_settings(settings);
        built.map_err(|error| self.failed(error.to_string(schedule.graph(), world)))
    }

    fn failed(&self, reason: String) -> Cause {
        Cause::Schedule { schedule: format!("{:?}", self.label), reason }
    }

    fn remove(
        &mut self,
        world: &mut World,
        schedule: &mut Schedule,
        leaving: &[Leaving],
    ) -> Result<(), Cause> {
        for module in leaving {
            self.set_conditions.drop_module(self.label, schedule, &module.id);
        }
        let here = leaving.iter().filter(|module| module.labels.contains(&self.label));
        let graph = schedule.graph();
        let has_systems = |set: &ModuleSet| {
            graph.systems_in_set(set.intern()).is_ok_and(|systems| !systems.is_empty())
        };
        let sets: Vec<ModuleSet> = here.map(|module| module.set).filter(has_systems).collect();
        let (set, policy) = match sets.as_slice() {
            [] => return Ok(()),
            [set] => (set.intern(), ScheduleCleanupPolicy::RemoveSystemsOnlyAllowBreakages),
            // Bevy builds the schedule before each removal: several sets are removed as one.
            sets => {
                let together = LeavingSet::new();
                for set in sets {
                    schedule.configure_sets(set.in_set(together));
                }
                (together.intern(), ScheduleCleanupPolicy::RemoveSetAndSystemsAllowBreakages)
            }
        };
        let removed = schedule.remove_systems_in_set(set, world, policy);
        removed.map(|_| ()).map_err(|error| self.failed(error.to_string()))
    }

    /// A system that was there before sees changes since its last run; a new one sees everything.
    fn continue_from(&self, schedule: &mut Schedule, system: &RunningSystem) {
        let last_run = self.last_runs.get(&system.memory).copied();
        let systems = &mut schedule.graph_mut().systems;
        if let (Some(last_run), Some(slot)) = (last_run, systems.get_mut(system.key)) {
            slot.set_last_run(last_run);
            // A condition was evaluated on each run of the schedule, whatever its result.
            let last_asked = self.schedule_last_run.unwrap_or(last_run);
            for condition in systems.get_conditions_mut(system.key).into_iter().flatten() {
                condition.set_last_run(last_asked);
            }
        }
    }
}

/// Initializes the parameters of a system that was just added, and wraps it in a guard.
fn set_up_system(
    world: &mut World,
    graph: &mut ScheduleGraph,
    key: SystemKey,
    id: &ModuleId,
    reports: &Reports,
) {
    if let Some(slot) = graph.systems.get_mut(key)
        && !is_apply_deferred(slot.system())
    {
        set_up(world, slot, id, reports);
        let name = stable_name(&slot.name()).into_owned();
        guard(slot, id, name, reports);
    }
}

/// Bevy recognizes a sync point by its type, which a guard would hide.
fn is_apply_deferred(system: &ScheduleSystem) -> bool {
    system.system_type() == std::any::TypeId::of::<ApplyDeferred>()
}

/// The systems of `new` in the order in which they were added. Their keys have none: Bevy uses the
/// places of removed systems again.
fn in_order(schedule: &Schedule, new: &HashSet<SystemKey>) -> Vec<SystemKey> {
    let nodes = schedule.graph().hierarchy().graph().nodes();
    nodes.filter_map(|node| node.as_system()).filter(|key| new.contains(key)).collect()
}

/// The systems that are not in the executable part of the schedule yet.
fn keys(schedule: &Schedule) -> impl Iterator<Item = SystemKey> {
    schedule.graph().systems.iter().map(|(key, ..)| key)
}

/// Runs systems once, outside of the game's schedules.
///
/// # Errors
///
/// When Bevy cannot build their schedule, which [`super::order::check_once`] finds out beforehand.
pub fn run_once(
    world: &mut World,
    label: impl ScheduleLabel,
    systems: Vec<ScheduleConfigs<ScheduleSystem>>,
    id: &ModuleId,
    reports: &Reports,
) -> Result<(), Cause> {
    if systems.is_empty() {
        return Ok(());
    }
    let label = label.intern();
    let mut schedule = Schedule::new(label);
    schedule.set_executor(GuardedExecutor::new(label, reports));
    for systems in systems {
        schedule.add_systems(systems);
    }
    let new = in_order(&schedule, &keys(&schedule).collect());
    let graph = schedule.graph_mut();
    for key in &new {
        set_up_system(world, graph, *key, id, reports);
    }
    let nodes = new.iter().copied().map(NodeId::System);
    for node in nodes.chain(sets_with_new_conditions(graph)) {
        set_up_conditions(world, label, graph, node, &mut Memories::default(), id, reports);
    }
    if let Err(error) = schedule.initialize(world) {
        let reason = error.to_string(schedule.graph(), world);
        return Err(Cause::Schedule { schedule: format!("{label:?}"), reason });
    }
    schedule.run(world);
    Ok(())
}

/// Modules whose systems are removed together. Bevy cannot add a set again that was removed, so that
/// each has a number.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct LeavingSet(u64);

impl LeavingSet {
    fn new() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed))
    }
}
