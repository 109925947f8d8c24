//! The part of a module that decides whether Bevy can build the schedules that it adds to.

use bevy::prelude::*;

use super::{Mirror, Source};

/// Systems, sets and edges, without the systems' code. A schedule that can be built with one module
/// can be built with another one of the same shape in its place.
#[derive(PartialEq)]
pub struct Shape {
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

impl Shape {
    /// The shape of what was added to a schedule that is not built yet.
    pub fn of(schedule: &Schedule) -> Self {
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
