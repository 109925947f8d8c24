//! Tries the modules that would run together before any of their code reaches the game.
//!
//! Every module of the set is recorded once more and put onto scratch schedules over a scratch
//! world: an ordering cycle, an ambiguity or conflicting parameters show there.

pub mod change;

use std::any::{Any, TypeId};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use bevy::ecs::schedule::{
    InternedScheduleLabel, LogLevel, NodeId, ScheduleBuildSettings, ScheduleGraph, ScheduleLabel,
    SystemSet,
};
use bevy::prelude::*;
use playground_api::persist::PersistRecord;
use playground_api::schema::names::stable_name;
use thiserror::Error;

use crate::explain::{Explain, Explanation};
use crate::generation::SharedGeneration;
use crate::guard::{self, Panic};
use crate::ids::{Epoch, ModuleId};

/// Why a set of modules cannot run together.
#[derive(Debug, Error)]
#[error("{}", self.explain())]
pub enum PlanError {
    /// A module's `build`, or the initialization of one of its systems, panicked.
    Panicked(#[from] Panic),
    /// A schedule cannot be built.
    Schedule {
        /// The schedule.
        schedule: String,
        /// Bevy's message, and how to fix the cause.
        reason: String,
    },
    /// Modules with different epochs of a core in them.
    Epochs {
        /// The module.
        module: ModuleId,
        /// The core crate.
        core: ModuleId,
        /// The epoch in the module.
        found: Epoch,
        /// The epoch of the core itself.
        expected: Epoch,
    },
    /// An order between sets was removed, but a running schedule cannot drop it.
    OrderRemoved {
        /// The module.
        module: ModuleId,
        /// The schedule.
        schedule: String,
        /// The first set.
        before: String,
        /// Their relation.
        relation: &'static str,
        /// The second set.
        after: String,
    },
}

impl Explain for PlanError {
    fn explain(&self) -> Explanation {
        match self {
            Self::Panicked(panic) => {
                Explanation::new("H0401", panic.to_string()).remedy("Fix it and save")
            }
            Self::Schedule { schedule, reason } => Explanation::new(
                "H0402",
                format!("the systems of schedule {schedule} cannot run together: {reason}"),
            ),
            Self::OrderRemoved { module, schedule, before, relation, after } => Explanation::new(
                "H0403",
                format!(
                    "module `{module}` no longer says that {before} comes {relation} {after} in {schedule}"
                ),
            )
            .remedy(
                "A running schedule cannot forget an order between sets: start the game again, or \
                 keep that order",
            ),
            Self::Epochs { module, core, found, expected } => Explanation::new(
                "H0404",
                format!(
                    "module `{module}` was built with epoch {found} of `{core}`, of which epoch \
                     {expected} would run: their types are not the same"
                ),
            )
            .remedy(format!(
                "If `{module}` does not compile, correct `{module}` first; else `reload {core}` \
                 builds all that link to it"
            )),
        }
    }
}

/// An order or membership between two sets, as a module declares it.
type SetEdge = (InternedScheduleLabel, bool, SetId, SetId);

/// A set: its type, and its value.
type SetId = (TypeId, String);

/// The registrations of a module that plans compare.
#[derive(Clone, Default)]
pub struct Outline {
    /// Systems, as schedule and name.
    pub systems: BTreeSet<(String, String)>,
    /// Persisted types.
    pub persisted: Vec<PersistRecord>,
    /// Former types whose values may be dropped.
    pub dropped: Vec<String>,
    /// Resources by name.
    pub resources: BTreeSet<&'static str>,
    /// Console commands.
    pub commands: BTreeSet<&'static str>,
    edges: HashSet<SetEdge>,
}

/// Outlines of the modules that were planned, by id.
pub type Outlines = BTreeMap<ModuleId, Outline>;

/// Whether the systems are set up on scratch schedules.
#[derive(Clone, Copy)]
pub enum Trial<'a> {
    /// A probe tried this very set.
    Done,
    /// They are.
    Due,
    /// They are, and the callback is called with the module and the step before its code runs.
    Told(&'a dyn Fn(&ModuleId, &str)),
}

/// Tries `modules` together.
///
/// # Errors
///
/// If they cannot run together, or if `running` has an order that would have to be dropped.
pub fn plan(
    modules: &[SharedGeneration],
    running: &Outlines,
    trial: Trial,
) -> Result<Outlines, PlanError> {
    same_epochs(modules)?;
    let mut outlines = Outlines::new();
    let mut scratch = Scratch::default();
    for module in modules {
        if let Trial::Told(tell) = &trial {
            tell(module.id(), "in its `build`");
        }
        let outline = scratch.add(module)?;
        module.additions()?;
        outlines.insert(module.id().clone(), outline);
    }
    match trial {
        Trial::Done => {}
        Trial::Due => scratch.try_out(&|_, _| ())?,
        Trial::Told(tell) => scratch.try_out(tell)?,
    }
    forgotten_order(running, &outlines, &scratch)?;
    Ok(outlines)
}

/// The registrations of one module, without the others that it may need.
///
/// # Errors
///
/// If its `build` panics.
pub fn outline(module: &SharedGeneration) -> Result<Outline, PlanError> {
    Scratch::default().add(module)
}

/// Two epochs of one core are never active together.
fn same_epochs(modules: &[SharedGeneration]) -> Result<(), PlanError> {
    let epochs: HashMap<&ModuleId, &Epoch> =
        modules.iter().map(|module| (module.id(), &module.manifest.epoch)).collect();
    for module in modules {
        for (core, found) in &module.manifest.cores {
            if let Some(expected) = epochs.get(core).filter(|epoch| **epoch != found) {
                return Err(PlanError::Epochs {
                    module: module.id().clone(),
                    core: core.clone(),
                    found: found.clone(),
                    expected: (*expected).clone(),
                });
            }
        }
    }
    Ok(())
}

#[derive(Default)]
struct Scratch {
    world: World,
    schedules: HashMap<InternedScheduleLabel, Schedule>,
    owners: HashMap<String, ModuleId>,
}

impl Scratch {
    fn add(&mut self, module: &SharedGeneration) -> Result<Outline, PlanError> {
        let mut outline = Outline { edges: set_edges(module)?, ..default() };
        let recorded = module.record()?;
        for (label, sets) in recorded.sets {
            self.schedule(label).configure_sets(sets);
        }
        for (label, systems) in recorded.systems {
            let schedule = self.schedules.entry(label).or_insert_with(|| scratch_schedule(label));
            let before: HashSet<_> = schedule.graph().systems.iter().map(|(key, ..)| key).collect();
            schedule.add_systems(systems);
            for (key, system, _) in schedule.graph().systems.iter() {
                if !before.contains(&key) {
                    let name = stable_name(&system.name()).into_owned();
                    self.owners.insert(name.clone(), module.id().clone());
                    outline.systems.insert((format!("{label:?}"), name));
                }
            }
        }
        outline.persisted = recorded.persisted;
        outline.dropped.clone_from(&module.manifest.dropped);
        outline.resources = recorded.resources.iter().map(|record| record.type_name).collect();
        outline.commands = recorded.commands.iter().map(|record| record.name).collect();
        Ok(outline)
    }

    fn schedule(&mut self, label: InternedScheduleLabel) -> &mut Schedule {
        self.schedules.entry(label).or_insert_with(|| scratch_schedule(label))
    }

    fn try_out(&mut self, tell: &dyn Fn(&ModuleId, &str)) -> Result<(), PlanError> {
        for (label, schedule) in &mut self.schedules {
            let keys: Vec<_> = schedule.graph().systems.iter().map(|(key, ..)| key).collect();
            for key in keys {
                let Some(system) = schedule.graph_mut().systems.get_mut(key) else { continue };
                let name = stable_name(&system.name()).into_owned();
                let Some(owner) = self.owners.get(&name) else { continue };
                let world = &mut self.world;
                tell(owner, "while the parameters of its systems were set up");
                guard::catch(owner, &format!("{name}, while its parameters were set up,"), || {
                    system.initialize(world);
                })?;
            }
            let built = schedule.initialize(&mut self.world);
            if let Err(error) = built {
                let reason = error.to_string(schedule.graph(), &self.world);
                let advice = "Say which comes first with `.before`, `.after`, `.chain` or sets";
                let reason = format!("{}\n{advice}", reason.trim_end());
                return Err(PlanError::Schedule { schedule: format!("{label:?}"), reason });
            }
        }
        Ok(())
    }

    fn uses(&self, label: InternedScheduleLabel, set: &SetId) -> bool {
        let sets = self.schedules.get(&label).map(|schedule| &schedule.graph().system_sets);
        sets.is_some_and(|sets| sets.iter().any(|(_, other, _)| set_id(other) == *set))
    }
}

fn scratch_schedule(label: InternedScheduleLabel) -> Schedule {
    let mut schedule = Schedule::new(label);
    if is_gameplay(label) {
        schedule.set_build_settings(ScheduleBuildSettings {
            ambiguity_detection: LogLevel::Error,
            ..default()
        });
    }
    schedule
}

/// The schedules in which an ambiguous order is an error, because their systems determine the
/// gameplay.
pub fn is_gameplay(label: InternedScheduleLabel) -> bool {
    [
        FixedFirst.intern(),
        FixedPreUpdate.intern(),
        FixedUpdate.intern(),
        FixedPostUpdate.intern(),
        FixedLast.intern(),
    ]
    .contains(&label)
}

fn set_edges(module: &SharedGeneration) -> Result<HashSet<SetEdge>, PlanError> {
    let mut edges = HashSet::new();
    for (label, sets) in module.record()?.sets {
        let mut schedule = Schedule::new(label);
        schedule.configure_sets(sets);
        let graph = schedule.graph();
        let orders = graph.dependency().all_edges().map(|(a, b)| (true, a, b));
        let members = graph.hierarchy().all_edges().map(|(a, b)| (false, a, b));
        for (is_order, a, b) in orders.chain(members) {
            if let (Some(a), Some(b)) = (set_of(graph, a), set_of(graph, b)) {
                edges.insert((label, is_order, a, b));
            }
        }
    }
    Ok(edges)
}

fn set_of(graph: &ScheduleGraph, node: NodeId) -> Option<SetId> {
    graph.system_sets.get(node.as_set()?).map(set_id)
}

fn set_id(set: &dyn SystemSet) -> SetId {
    let any: &dyn Any = set;
    (any.type_id(), format!("{set:?}"))
}

/// Finds orders that were removed. Sets that are no longer used may keep theirs.
fn forgotten_order(
    running: &Outlines,
    planned: &Outlines,
    scratch: &Scratch,
) -> Result<(), PlanError> {
    let said: HashSet<&SetEdge> = planned.values().flat_map(|outline| &outline.edges).collect();
    for (module, outline) in running {
        for edge in &outline.edges {
            let (label, is_order, a, b) = edge;
            if !said.contains(edge) && scratch.uses(*label, a) && scratch.uses(*label, b) {
                return Err(PlanError::OrderRemoved {
                    module: module.clone(),
                    schedule: format!("{label:?}"),
                    before: a.1.clone(),
                    relation: if *is_order { "before" } else { "around" },
                    after: b.1.clone(),
                });
            }
        }
    }
    Ok(())
}
