//! Sets for tuples of systems with a run condition.
//!
//! Bevy makes a new anonymous set for each such tuple that is added, and never removes one. Here a
//! tuple of a module's new generation gets the set of the tuple in its place before.

use bevy::ecs::schedule::{InternedSystemSet, ScheduleConfigs};
use bevy::ecs::system::ScheduleSystem;
use bevy::prelude::*;

use super::schedules::ModuleSet;

/// The set of a tuple: nothing but its systems and conditions belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct TupleSet {
    module: ModuleSet,
    number: usize,
}

impl SystemSet for TupleSet {
    fn is_anonymous(&self) -> bool {
        true
    }

    fn dyn_clone(&self) -> Box<dyn SystemSet> {
        Box::new(*self)
    }
}

/// Puts the systems of each tuple with a run condition into a set that has the condition. `next` is the
/// number of the next tuple of the module in this schedule. Returns the sets' configuration.
pub fn take_conditions(
    configs: &mut ScheduleConfigs<ScheduleSystem>,
    module: ModuleSet,
    next: &mut usize,
) -> Vec<ScheduleConfigs<InternedSystemSet>> {
    let ScheduleConfigs::Configs { configs, collective_conditions, .. } = configs else {
        return Vec::new();
    };
    let mut sets = Vec::new();
    // Bevy gives the condition of a single system to that system.
    if configs.len() > 1 && !collective_conditions.is_empty() {
        let set = TupleSet { module, number: *next };
        *next += 1;
        configs.iter_mut().for_each(|config| config.in_set_inner(set.intern()));
        let mut own = set.into_configs();
        collective_conditions.drain(..).for_each(|condition| own.run_if_dyn(condition));
        sets.push(own);
    }
    for config in configs {
        sets.extend(take_conditions(config, module, next));
    }
    sets
}
