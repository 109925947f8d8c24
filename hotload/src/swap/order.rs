//! Whether what enters can be ordered together with what stands in Bevy's schedules already.
//!
//! Planning tries the modules among themselves; Bevy's own systems and sets are known here alone. A
//! schedule that fails to build cannot be mended, so this is found out before it is touched.

use std::any::{Any, TypeId};
use std::collections::{HashMap, HashSet};

use bevy::ecs::schedule::{
    NodeId, ScheduleGraph, ScheduleLabel, SystemKey, SystemSet, SystemSetKey,
};
use bevy::prelude::*;
use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use playground_api::module::{OnLoad, OnUnload, Recorded};

use super::SwapError;

/// A point in a schedule's run.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Point {
    /// Before the first system of a set.
    Before(SetId),
    /// After the last one.
    After(SetId),
    /// A system, of the schedule that runs or of what enters.
    System(bool, SystemKey),
    /// A set that the schedule no longer knows.
    Unknown(SystemSetKey),
}

type SetId = (TypeId, String);

fn set_id(set: &dyn SystemSet) -> SetId {
    let any: &dyn Any = set;
    (any.type_id(), format!("{set:?}"))
}

/// Tries what `entering` asks for against the schedules as they stand, without the systems of the
/// sets in `leaving`.
///
/// # Errors
///
/// The systems and sets of a cycle, by schedule.
pub fn check<S: SystemSet>(
    world: &World,
    leaving: &[S],
    entering: Vec<Recorded>,
) -> Result<(), SwapError> {
    let leaving: HashSet<SetId> = leaving.iter().map(|set| set_id(set)).collect();
    let mut scratch = Schedules::new();
    for recorded in entering {
        for (label, sets) in recorded.sets {
            scratch.entry(label).configure_sets(sets);
        }
        for (label, systems) in recorded.systems {
            scratch.entry(label).add_systems(systems);
        }
    }
    let Some(schedules) = world.get_resource::<Schedules>() else { return Ok(()) };
    for (_, entering) in scratch.iter() {
        let label = entering.label();
        // These run apart from Bevy's.
        if [OnLoad.intern(), OnUnload.intern(), Startup.intern()].contains(&label) {
            continue;
        }
        let Some(running) = schedules.get(label) else { continue };
        let mut order = Order::default();
        order.add(running.graph(), false, &leaving);
        order.add(entering.graph(), true, &leaving);
        if let Some(cycle) = order.cycle(running, entering) {
            let reason = format!(
                "these would have to run before themselves: {}. Take one of their orders out",
                cycle.join(", ")
            );
            return Err(SwapError::Schedule { schedule: format!("{label:?}"), reason });
        }
    }
    Ok(())
}

#[derive(Default)]
struct Order {
    graph: DiGraph<Point, ()>,
    points: HashMap<Point, NodeIndex>,
}

impl Order {
    fn add(&mut self, graph: &ScheduleGraph, enters: bool, leaving: &HashSet<SetId>) {
        let set = |node: NodeId| Some(set_id(graph.system_sets.get(node.as_set()?)?));
        let leaves: HashSet<SystemKey> = graph
            .hierarchy()
            .all_edges()
            .filter(|(parent, _)| set(*parent).is_some_and(|set| leaving.contains(&set)))
            .filter_map(|(_, child)| child.as_system())
            .collect();
        let goes = |node: NodeId| node.as_system().is_some_and(|key| leaves.contains(&key));
        for (parent, child) in graph.hierarchy().all_edges() {
            if goes(child) {
                continue;
            }
            if let Some(parent) = set(parent) {
                let (first, last) = self.points(graph, enters, child);
                let (before, after) = self.set_points(&parent);
                self.graph.add_edge(before, first, ());
                self.graph.add_edge(last, after, ());
            }
        }
        for (earlier, later) in graph.dependency().all_edges() {
            if !goes(earlier) && !goes(later) {
                let (_, last) = self.points(graph, enters, earlier);
                let (first, _) = self.points(graph, enters, later);
                self.graph.add_edge(last, first, ());
            }
        }
    }

    /// Where a system or set begins and ends.
    fn points(
        &mut self,
        graph: &ScheduleGraph,
        enters: bool,
        node: NodeId,
    ) -> (NodeIndex, NodeIndex) {
        match node {
            NodeId::System(key) => {
                let point = self.point(Point::System(enters, key));
                (point, point)
            }
            NodeId::Set(key) => match graph.system_sets.get(key) {
                Some(set) => self.set_points(&set_id(set)),
                None => {
                    let point = self.point(Point::Unknown(key));
                    (point, point)
                }
            },
        }
    }

    fn set_points(&mut self, set: &SetId) -> (NodeIndex, NodeIndex) {
        let before = self.point(Point::Before(set.clone()));
        let after = self.point(Point::After(set.clone()));
        (before, after)
    }

    fn point(&mut self, point: Point) -> NodeIndex {
        let added = || self.graph.add_node(point.clone());
        *self.points.entry(point.clone()).or_insert_with(added)
    }

    /// The names of what runs before itself.
    fn cycle(&self, running: &Schedule, entering: &Schedule) -> Option<Vec<String>> {
        let cycle = tarjan_scc(&self.graph).into_iter().find(|component| component.len() > 1)?;
        let system = |enters: bool, key: SystemKey| {
            if enters {
                return entering.graph().systems.get(key).map(|s| s.system().name().to_string());
            }
            // A schedule that ran has its systems in its executable part.
            let mut systems = running.systems().ok()?;
            systems.find(|(other, _)| *other == key).map(|(_, system)| system.name().to_string())
        };
        let name = |point: NodeIndex| match &self.graph[point] {
            Point::Before(set) | Point::After(set) => format!("set {}", set.1),
            Point::System(enters, key) => system(*enters, *key).unwrap_or_default(),
            Point::Unknown(_) => String::new(),
        };
        let mut names: Vec<String> = cycle.into_iter().map(name).collect();
        names.sort();
        names.dedup();
        Some(names)
    }
}
