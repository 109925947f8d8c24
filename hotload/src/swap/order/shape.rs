//! The part of a module that decides whether Bevy can build the schedules that it adds to.

use std::collections::HashMap;

use bevy::ecs::schedule::{InternedScheduleLabel, InternedSystemSet, ScheduleConfigs};
use bevy::ecs::system::ScheduleSystem;
use bevy::prelude::*;
use playground_api::schema::names::stable_name;

use super::{Mirror, Source};
use crate::swap::prepare::startups;

/// The shape of what a module adds to each schedule, and its set-up systems.
#[derive(Default)]
pub struct Shapes {
    schedules: HashMap<InternedScheduleLabel, Shape>,
    set_up: Vec<SetUpSystem>,
}

/// A system that does not run again when it gets new code: of `Startup` and the like, or of `OnEnter`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetUpSystem {
    /// The schedule, such as `OnEnter(Playing)`.
    pub schedule: String,
    /// Its path and name.
    pub name: String,
}

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
        let set_up = schedules.iter().flat_map(|(label, schedule)| set_up(*label, schedule));
        Self {
            set_up: set_up.collect(),
            schedules: schedules.iter().map(|(label, it)| (*label, Shape::of(it))).collect(),
        }
    }

    /// True if both modules add the same to this schedule.
    pub fn are_equal_in(&self, other: &Self, label: InternedScheduleLabel) -> bool {
        self.schedules.get(&label) == other.schedules.get(&label)
    }

    /// The systems that do not run again when they get new code.
    pub fn set_up(&self) -> &[SetUpSystem] {
        &self.set_up
    }
}

fn set_up(label: InternedScheduleLabel, schedule: &Schedule) -> Vec<SetUpSystem> {
    let name = format!("{label:?}");
    if !startups().contains(&label) && !name.starts_with("OnEnter(") {
        return Vec::new();
    }
    let systems = schedule.graph().systems.iter();
    let named = systems.map(|(_, system, _)| SetUpSystem {
        schedule: name.clone(),
        name: stable_name(&system.name()).into_owned(),
    });
    named.collect()
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
