//! Whether Bevy can still build a schedule once modules have left it and others have joined it.
//!
//! A schedule that fails to build cannot be repaired, so this is found out before one is touched:
//! Bevy builds a copy with the same sets and edges, in which an empty system stands for each system.
//! Planning builds the modules' systems together; only here are Bevy's own systems and sets known.
//!
//! Three things of a running schedule cannot be read: its `ambiguous_with` edges, its systems'
//! access, and its build passes. The first is made up for in [`ScheduleCopy::repeated_by_module`]; an
//! ambiguity fails no build, since a swap lowers that setting (see [`super::schedules`]).

mod explain;
mod shape;
#[cfg(test)]
mod tests;

use std::any::{Any, TypeId};
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use bevy::ecs::schedule::graph::Direction;
use bevy::ecs::schedule::{
    ApplyDeferred, InternedScheduleLabel, InternedSystemSet, LogLevel, NodeId,
    ScheduleBuildSettings, ScheduleConfigs, ScheduleGraph, SystemKey, SystemSet, SystemSetKey,
};
use bevy::ecs::system::ScheduleSystem;
use bevy::prelude::*;
use indexmap::IndexMap;

pub use shape::{Extent, Shape};

use super::SwapError;
use super::schedules::{Entering, ModuleSet};

/// Builds a copy of each schedule that `entering` adds to, without the systems of `leaving`.
///
/// # Errors
///
/// The first schedule that cannot be built, with the systems and sets that are the reason.
pub fn check(
    world: &World,
    leaving: &[ModuleSet],
    entering: Vec<Entering>,
) -> Result<(), SwapError> {
    let mut added: IndexMap<InternedScheduleLabel, Schedule> = IndexMap::new();
    for module in entering {
        for (label, sets) in module.sets {
            added.entry(label).or_insert_with(|| Schedule::new(label)).configure_sets(sets);
        }
        for (label, systems) in module.systems {
            added.entry(label).or_insert_with(|| Schedule::new(label)).add_systems(systems);
        }
    }
    let schedules = world.get_resource::<Schedules>();
    for (label, added) in &added {
        let running = schedules.and_then(|schedules| schedules.get(*label));
        ScheduleCopy::new(running, leaving, added).build(*label)?;
    }
    Ok(())
}

/// Builds a schedule that is run once, apart from the game's: `Startup`, `OnLoad`, `OnUnload`.
///
/// # Errors
///
/// When Bevy cannot build it.
pub fn check_once(
    label: InternedScheduleLabel,
    systems: Vec<ScheduleConfigs<ScheduleSystem>>,
) -> Result<(), SwapError> {
    let mut schedule = Schedule::new(label);
    for systems in systems {
        schedule.add_systems(systems);
    }
    let mut world = World::new();
    let built = schedule.graph_mut().build_schedule(&mut world, &default());
    built.map(|_| ()).map_err(|error| {
        let reason = error.to_string(schedule.graph(), &world);
        let reason = format!("{}. Change the order that the module asks for", reason.trim_end());
        SwapError::Schedule { schedule: format!("{label:?}"), reason }
    })
}

/// Which schedule a system or anonymous set is from; their keys are numbered apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Source {
    Running,
    Added,
}

/// A node of either schedule, as a set of the copy.
///
/// Systems are sets too, of one empty system, so that edges between two systems can be copied.
#[derive(Clone)]
enum Mirror {
    System(Source, SystemKey),
    Anonymous(Source, SystemSetKey),
    Set(Arc<dyn SystemSet>),
    /// Stands on an edge between two sets that cannot be configured.
    Between(Box<Mirror>, Box<Mirror>),
}

impl PartialEq for Mirror {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::System(source, key), Self::System(other, k)) => (source, key) == (other, k),
            (Self::Anonymous(source, key), Self::Anonymous(other, k)) => {
                (source, key) == (other, k)
            }
            (Self::Set(set), Self::Set(other)) => **set == **other,
            (Self::Between(a, b), Self::Between(c, d)) => (a, b) == (c, d),
            _ => false,
        }
    }
}

impl Eq for Mirror {}

impl std::hash::Hash for Mirror {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        match self {
            Self::System(source, key) => (source, key).hash(state),
            Self::Anonymous(source, key) => (source, key).hash(state),
            Self::Set(set) => set.hash(state),
            Self::Between(a, b) => (a, b).hash(state),
        }
    }
}

impl fmt::Debug for Mirror {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(source, key) => write!(f, "{source:?} system {key:?}"),
            Self::Anonymous(source, key) => write!(f, "{source:?} set {key:?}"),
            Self::Set(set) => set.fmt(f),
            Self::Between(a, b) => write!(f, "{a:?} before {b:?}"),
        }
    }
}

impl SystemSet for Mirror {
    fn system_type(&self) -> Option<TypeId> {
        match self {
            Self::Set(set) => set.system_type(),
            _ => None,
        }
    }

    fn dyn_clone(&self) -> Box<dyn SystemSet> {
        Box::new(self.clone())
    }
}

impl Mirror {
    fn of(source: Source, graph: &ScheduleGraph, node: NodeId) -> Option<Self> {
        let key = match node {
            NodeId::System(key) => return Some(Self::System(source, key)),
            NodeId::Set(key) => key,
        };
        let set = graph.system_sets.get(key)?;
        Some(if set.is_anonymous() {
            Self::Anonymous(source, key)
        } else {
            Self::Set(set.dyn_clone().into())
        })
    }

    /// False for the set of a system's type, which Bevy does not allow to be configured.
    fn is_configurable(&self) -> bool {
        self.system_type().is_none()
    }
}

/// A schedule as it would be, with an empty system in place of each system.
struct ScheduleCopy<'a> {
    copy: Schedule,
    running: Option<&'a Schedule>,
    added: &'a Schedule,
}

impl<'a> ScheduleCopy<'a> {
    fn new(running: Option<&'a Schedule>, leaving: &[ModuleSet], added: &'a Schedule) -> Self {
        let mut copy = Schedule::new(added.label());
        copy.set_build_settings(ScheduleBuildSettings {
            // Sync points stand between systems that are ordered already.
            auto_insert_apply_deferred: false,
            ambiguity_detection: LogLevel::Ignore,
            ..running.map(Schedule::get_build_settings).unwrap_or_default()
        });
        let mut this = Self { copy, running, added };
        if let Some(running) = running {
            let graph = running.graph();
            let leaving = |node: NodeId| {
                let key = node.as_set();
                let set = key.and_then(|key| graph.system_sets.get(key));
                set.and_then(module_set).is_some_and(|set| leaving.contains(&set))
            };
            let edges = graph.hierarchy().all_edges();
            let gone: HashSet<NodeId> =
                edges.filter(|(set, _)| leaving(*set)).map(|(_, system)| system).collect();
            this.add(Source::Running, graph, &gone);
        }
        this.add(Source::Added, added.graph(), &HashSet::new());
        this
    }

    fn add(&mut self, source: Source, graph: &ScheduleGraph, gone: &HashSet<NodeId>) {
        let mirror = |node| Mirror::of(source, graph, node);
        let stays = |(a, b): &(NodeId, NodeId)| !gone.contains(a) && !gone.contains(b);
        for node in graph.hierarchy().nodes().filter(|node| !gone.contains(node)) {
            if let Some(key) = node.as_system() {
                self.copy.add_systems((|| {}).in_set(Mirror::System(source, key)));
            }
        }
        for (parent, child) in graph.hierarchy().all_edges().filter(stays) {
            if let (Some(parent), Some(child)) = (mirror(parent), mirror(child))
                && child.is_configurable()
            {
                let mut child: ScheduleConfigs<InternedSystemSet> = child.into_configs();
                // Not `in_set`, which refuses the sets of systems' types.
                child.in_set_inner(parent.intern());
                self.copy.configure_sets(child);
            }
        }
        for (before, after) in graph.dependency().all_edges().filter(stays) {
            let (Some(before), Some(after)) = (mirror(before), mirror(after)) else { continue };
            if after.is_configurable() {
                self.copy.configure_sets(after.after(before));
            } else if before.is_configurable() {
                self.copy.configure_sets(before.before(after));
            } else {
                let (a, b) = (Box::new(before.clone()), Box::new(after.clone()));
                self.copy.configure_sets(Mirror::Between(a, b).after(before).before(after));
            }
        }
    }

    /// Fails with what to do where Bevy cannot build it.
    fn build(mut self, label: InternedScheduleLabel) -> Result<(), SwapError> {
        let mut world = World::new();
        let reason = match self.copy.graph_mut().build_schedule(&mut world, &default()) {
            Err(error) => Some(self.explain(&error, &world)),
            Ok(_) => self.repeated_by_module().map(|set| self.explain_type_set(set)),
        };
        let schedule = format!("{label:?}");
        reason.map_or(Ok(()), |reason| Err(SwapError::Schedule { schedule, reason }))
    }

    /// The type of a system of the host's that a module adds once more. Bevy refuses it where
    /// another system is `before`, `after` or `ambiguous_with` that type, and the last of these
    /// cannot be read from a running schedule: it is refused in any case.
    fn repeated_by_module(&self) -> Option<SystemSetKey> {
        let graph = self.copy.graph();
        let mut sets = graph.system_sets.iter();
        let repeated = sets.find(|(key, set, _)| {
            let is_sync_point = set.system_type() == Some(TypeId::of::<ApplyDeferred>());
            let members = || self.members(*key);
            set.system_type().is_some()
                && !is_sync_point
                // The empty systems have a type of their own.
                && self.mirror((*key).into()).is_some()
                && members().any(|node| matches!(node, Mirror::System(Source::Added, _)))
                && members().any(|node| self.is_hosts(node))
        });
        repeated.map(|(key, ..)| key)
    }

    /// The nodes that are directly in a set.
    fn members(&self, set: SystemSetKey) -> impl Iterator<Item = &Mirror> {
        let members = self.copy.graph().hierarchy().neighbors(set.into());
        members.filter_map(|node| self.mirror(node))
    }

    /// The node that a node of the copy represents.
    fn mirror(&self, node: NodeId) -> Option<&Mirror> {
        let graph = self.copy.graph();
        let mirror = |set: SystemSetKey| {
            let any: &dyn Any = graph.system_sets.get(set)?;
            any.downcast_ref::<Mirror>()
        };
        match node {
            NodeId::Set(key) => mirror(key),
            NodeId::System(_) => {
                let parents = graph.hierarchy().neighbors_directed(node, Direction::Incoming);
                parents.filter_map(|parent| mirror(parent.as_set()?)).next()
            }
        }
    }

    /// True for a system that no module added.
    fn is_hosts(&self, node: &Mirror) -> bool {
        let (Mirror::System(Source::Running, key), Some(running)) = (node, self.running) else {
            return false;
        };
        let graph = running.graph();
        let parents = graph.hierarchy().neighbors_directed((*key).into(), Direction::Incoming);
        let mut sets = parents.filter_map(|parent| graph.system_sets.get(parent.as_set()?));
        !sets.any(|set| module_set(set).is_some())
    }
}

/// The set, if it is that of a module.
pub fn module_set(set: &dyn SystemSet) -> Option<ModuleSet> {
    let any: &dyn Any = set;
    any.downcast_ref::<ModuleSet>().copied()
}
