//! Bevy's errors about a copy, as reasons that name the systems and sets of the real schedule.

use std::collections::{BTreeSet, HashSet};

use bevy::ecs::schedule::graph::{
    DagCrossDependencyError, DagOverlappingGroupError, DagRedundancyError, DiGraphToposortError,
    GraphNodeId,
};
use bevy::ecs::schedule::{
    NodeId, ScheduleBuildError, ScheduleBuildWarning, SystemKey, SystemSetKey,
    SystemTypeSetAmbiguityError,
};
use bevy::prelude::*;
use playground_api::schema::names::stable_name;

use super::{Mirror, ScheduleCopy, Source};

impl ScheduleCopy<'_> {
    /// The reason, and what to do.
    pub(super) fn explain(&self, error: &ScheduleBuildError, world: &World) -> String {
        match error {
            ScheduleBuildError::HierarchySort(cycle) => format!(
                "these sets would contain themselves: {}. Take one `in_set` out",
                self.cycle(cycle)
            ),
            ScheduleBuildError::DependencySort(cycle) => self.explain_cycle(&self.cycle(cycle)),
            ScheduleBuildError::FlatDependencySort(cycle) => self.explain_cycle(&self.cycle(cycle)),
            ScheduleBuildError::CrossDependency(DagCrossDependencyError(a, b)) => format!(
                "{} is ordered before {}, and one is in the other: nothing can run before or after \
                 a set that it is in. Take the order or the `in_set` out",
                self.name(*a),
                self.name(*b)
            ),
            ScheduleBuildError::SetsHaveOrderButIntersect(DagOverlappingGroupError(a, b)) => {
                let shared = self.shared(*a, *b).into_iter().collect::<Vec<_>>().join(", ");
                format!(
                    "{} is ordered before {}, and both contain {shared}. Take the order between \
                     the sets out, or keep that system in one of them",
                    self.name((*a).into()),
                    self.name((*b).into())
                )
            }
            ScheduleBuildError::SystemTypeSetAmbiguity(SystemTypeSetAmbiguityError(set)) => {
                self.explain_type_set(*set)
            }
            ScheduleBuildError::Elevated(ScheduleBuildWarning::HierarchyRedundancy(
                DagRedundancyError(edges),
            )) => {
                let edges = edges.iter().map(|(parent, child)| {
                    format!(
                        "{} is in {} by way of another set",
                        self.name(*child),
                        self.name(*parent)
                    )
                });
                let edges: Vec<String> = edges.collect();
                format!("{}. Take the `in_set` that repeats it out", edges.join("; "))
            }
            other => format!(
                "{}. Change what the module adds",
                other.to_string(self.copy.graph(), world)
            ),
        }
    }

    fn explain_cycle(&self, names: &str) -> String {
        format!("these would have to run before themselves: {names}. Take one of their orders out")
    }

    pub(super) fn explain_type_set(&self, set: SystemSetKey) -> String {
        let name = self.name(set.into());
        if self.members(set).any(|node| self.is_hosts(node)) {
            format!(
                "Bevy or the game already runs {name} in {:?} and orders other systems by it, which \
                 it cannot where there are two: wrap it in a function of your own",
                self.added.label()
            )
        } else {
            format!(
                "{name} would run {} times, and other systems are ordered by it. Order them by a set \
                 of your own, or add it once",
                self.members(set).count()
            )
        }
    }

    /// The names of a cycle.
    fn cycle<N: GraphNodeId + Into<NodeId>>(&self, error: &DiGraphToposortError<N>) -> String {
        let nodes: Vec<NodeId> = match error {
            DiGraphToposortError::Loop(node) => vec![(*node).into()],
            DiGraphToposortError::Cycle(cycles) => {
                cycles.iter().flatten().map(|node| (*node).into()).collect()
            }
        };
        let names: BTreeSet<String> = nodes.into_iter().map(|node| self.name(node)).collect();
        names.into_iter().collect::<Vec<_>>().join(", ")
    }

    /// The systems that are in both sets.
    fn shared(&self, a: SystemSetKey, b: SystemSetKey) -> BTreeSet<String> {
        let (a, b) = (self.systems_of(a), self.systems_of(b));
        a.intersection(&b).map(|system| self.name((*system).into())).collect()
    }

    /// The empty systems of a set and of the sets in it.
    fn systems_of(&self, set: SystemSetKey) -> HashSet<SystemKey> {
        let mut open = vec![NodeId::Set(set)];
        let mut seen = HashSet::new();
        while let Some(node) = open.pop() {
            if seen.insert(node) {
                open.extend(self.copy.graph().hierarchy().neighbors(node));
            }
        }
        seen.into_iter().filter_map(|node| node.as_system()).collect()
    }

    /// "system `x`" or "set `X`".
    fn name(&self, node: NodeId) -> String {
        match self.mirror(node) {
            Some(Mirror::System(source, key)) => {
                format!("system `{}`", self.system_name(*source, *key))
            }
            Some(Mirror::Anonymous(source, key)) => {
                let schedule = match source {
                    Source::Running => self.running,
                    Source::Added => Some(self.added),
                };
                let graph = schedule.map(Schedule::graph);
                let members =
                    graph.into_iter().flat_map(|g| g.hierarchy().neighbors((*key).into()));
                let names = members.map(|node| match node {
                    NodeId::System(key) => self.system_name(*source, key),
                    NodeId::Set(key) => graph
                        .and_then(|graph| graph.system_sets.get(key))
                        .map(|set| format!("{set:?}"))
                        .unwrap_or_default(),
                });
                format!("the tuple ({})", names.collect::<Vec<_>>().join(", "))
            }
            Some(Mirror::Set(set)) => {
                let name = format!("{set:?}");
                match name.strip_prefix("SystemTypeSet:") {
                    Some(name) => format!("`{name}`"),
                    None => format!("set `{name}`"),
                }
            }
            Some(Mirror::Between(..)) | None => format!("{node:?}"),
        }
    }

    fn system_name(&self, source: Source, key: SystemKey) -> String {
        let schedule = match source {
            Source::Running => self.running,
            Source::Added => Some(self.added),
        };
        let Some(schedule) = schedule else { return String::new() };
        if let Some(system) = schedule.graph().systems.get(key) {
            return stable_name(&system.system().name()).into_owned();
        }
        // A schedule that was built has its systems in its executable part.
        let mut systems = schedule.systems().ok().into_iter().flatten();
        let found = systems.find(|(other, _)| *other == key);
        found.map_or_else(String::new, |(_, system)| stable_name(&system.name()).into_owned())
    }
}
