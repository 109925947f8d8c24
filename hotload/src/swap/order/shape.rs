//! The part of a module that decides whether Bevy can build the schedules that it adds to.

use std::collections::HashMap;

use bevy::ecs::schedule::{InternedScheduleLabel, InternedSystemSet, ScheduleConfigs};
use bevy::ecs::system::ScheduleSystem;
use bevy::prelude::*;

use super::{Mirror, Source};

/// The shape of what a module adds to each schedule.
#[derive(Default)]
pub struct Shapes(HashMap<InternedScheduleLabel, Shape>);

/// Systems, sets and edges, without the systems' code. A schedule that can be built with one module
/// can be built with another one of the same shape in its place.
#[derive(PartialEq)]
struct Shape {
    sets: Vec<Option<Mirror>>,
    systems: usize,
    hierarchy: Vec<(Option<Mirror>, Option<Mirror>)>,
    dependency: Vec<(Option<Mirror>, Option<Mirror>)>,
}

/// How much is in a schedule. Where it differs from what the last swap left, somebody else has
/// changed the schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent([usize; 4]);

impl Extent {
    /// The extent of a schedule, built or not.
    pub fn of(schedule: &Schedule) -> Self {
        let graph = schedule.graph();
        // The graph lists systems only until they are built.
        let unbuilt = graph.systems.iter().count();
        let edges = [graph.hierarchy(), graph.dependency()].map(|edges| edges.all_edges().count());
        Self([unbuilt, graph.system_sets.iter().count(), edges[0], edges[1]])
    }
}

impl Shapes {
    /// The shape of these sets and systems, in the order in which the module adds them.
    pub fn of(
        sets: Vec<(InternedScheduleLabel, ScheduleConfigs<InternedSystemSet>)>,
        systems: Vec<(InternedScheduleLabel, ScheduleConfigs<ScheduleSystem>)>,
    ) -> Self {
        let mut schedules: HashMap<InternedScheduleLabel, Schedule> = HashMap::new();
        for (label, sets) in sets {
            schedules.entry(label).or_insert_with(|| Schedule::new(label)).configure_sets(sets);
        }
        for (label, systems) in systems {
            schedules.entry(label).or_insert_with(|| Schedule::new(label)).add_systems(systems);
        }
        Self(schedules.iter().map(|(label, schedule)| (*label, Shape::of(schedule))).collect())
    }

    /// True if both modules add the same to this schedule.
    pub fn are_equal_in(&self, other: &Self, label: InternedScheduleLabel) -> bool {
        self.0.get(&label) == other.0.get(&label)
    }
}

impl Shape {
    fn of(schedule: &Schedule) -> Self {
        let graph = schedule.graph();
        let mirror = |node| Mirror::of(Source::Added, graph, node);
        let edge = |(from, to)| (mirror(from), mirror(to));
        Self {
            sets: graph.system_sets.iter().map(|(key, ..)| mirror(key.into())).collect(),
            systems: graph.systems.iter().count(),
            hierarchy: graph.hierarchy().all_edges().map(edge).collect(),
            dependency: graph.dependency().all_edges().map(edge).collect(),
        }
    }
}
