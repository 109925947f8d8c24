//! Sets that swaps leave behind in Bevy's schedules.

use std::fmt;

use bevy::ecs::schedule::NodeId;
use bevy::prelude::*;

/// Sets of functions in the schedules.
///
/// Bevy gives each function that is added a set of its own, which stays when the function is removed. An
/// edit that gives a crate another epoch makes other functions of all functions in it.
#[derive(Clone, Copy, Debug, Default)]
pub struct FunctionSets {
    /// All of them.
    all: usize,
    /// Those without a system.
    empty: usize,
}

impl FunctionSets {
    /// Counts them in all schedules that do not run at the moment.
    pub fn count(world: &World) -> Self {
        let mut sets = Self::default();
        let Some(schedules) = world.get_resource::<Schedules>() else { return sets };
        for (_, schedule) in schedules.iter() {
            let graph = schedule.graph();
            let functions =
                graph.system_sets.iter().filter(|(_, set, _)| set.system_type().is_some());
            for (key, ..) in functions {
                let mut systems = graph.hierarchy().neighbors(NodeId::Set(key));
                sets.all += 1;
                sets.empty += usize::from(systems.next().is_none());
            }
        }
        sets
    }
}

impl fmt::Display for FunctionSets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { all, empty } = self;
        write!(f, "functions in schedules {all}, {empty} of them gone")?;
        if *empty > all / 2 {
            write!(f, ": pauses are shorter after `restart`")?;
        }
        Ok(())
    }
}
