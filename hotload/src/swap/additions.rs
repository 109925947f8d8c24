//! The systems and sets that a module adds to the game's schedules, as far as they can be read without running it.

use std::collections::HashMap;

use bevy::ecs::schedule::{InternedScheduleLabel, InternedSystemSet, NodeId, ScheduleConfigs};
use bevy::ecs::system::ScheduleSystem;
use bevy::prelude::*;

use super::order::Shape;
use super::prepare::{runs_apart, startups};
use super::succession::Place;

/// A module's additions to each schedule.
#[derive(Default)]
pub struct Additions(HashMap<InternedScheduleLabel, Added>);

/// A module's additions to one schedule.
struct Added {
    shape: Shape,
    /// In the order in which they are added.
    systems: Vec<Place>,
    conditions: Vec<Place>,
}

/// A system that does not run again when it gets new code: of `Startup` and the like, or of `OnEnter`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetUpSystem {
    /// The schedule, such as `OnEnter(Playing)`.
    pub schedule: String,
    /// Its path and name.
    pub name: String,
}

impl Additions {
    /// Those of these sets and systems, in the order in which the module adds them.
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
        Self(schedules.iter().map(|(label, it)| (*label, Added::to(*label, it))).collect())
    }

    /// True if both modules add systems, sets and edges of the same shape to this schedule.
    pub fn are_equal_in(&self, other: &Self, label: InternedScheduleLabel) -> bool {
        self.shape_in(label) == other.shape_in(label)
    }

    fn shape_in(&self, label: InternedScheduleLabel) -> Option<&Shape> {
        self.0.get(&label).map(|added| &added.shape)
    }

    /// The systems that do not run again when they get new code.
    pub fn set_up(&self) -> impl Iterator<Item = SetUpSystem> {
        let once = |label: &InternedScheduleLabel| {
            startups().contains(label) || format!("{label:?}").starts_with("OnEnter(")
        };
        let systems = self.0.iter().filter(move |(label, _)| once(label));
        systems.flat_map(|(_, added)| &added.systems).map(|system| SetUpSystem {
            schedule: system.schedule.clone(),
            name: system.name.clone(),
        })
    }

    /// The places of the systems in schedules that run more than once, schedule by schedule.
    pub fn systems(&self) -> Vec<Place> {
        self.repeated().into_iter().flat_map(|added| added.systems.iter().cloned()).collect()
    }

    /// As [`Additions::systems`], for the run conditions of systems and sets.
    pub fn conditions(&self) -> Vec<Place> {
        self.repeated().into_iter().flat_map(|added| added.conditions.iter().cloned()).collect()
    }

    fn repeated(&self) -> Vec<&Added> {
        let mut labels: Vec<_> = self.0.iter().filter(|(label, _)| !runs_apart(**label)).collect();
        labels.sort_by_cached_key(|(label, _)| format!("{label:?}"));
        labels.into_iter().map(|(_, added)| added).collect()
    }
}

impl Added {
    fn to(label: InternedScheduleLabel, schedule: &Schedule) -> Self {
        let graph = schedule.graph();
        let systems = || graph.systems.iter().map(|(key, ..)| key);
        let sets = graph.system_sets.iter().map(|(key, ..)| key);
        let nodes = systems().map(NodeId::System).chain(sets.map(NodeId::Set));
        Self {
            shape: Shape::of(schedule),
            systems: systems().map(|key| Place::of_system(label, graph, key)).collect(),
            conditions: nodes.flat_map(|node| Place::of_conditions(label, graph, node)).collect(),
        }
    }
}
