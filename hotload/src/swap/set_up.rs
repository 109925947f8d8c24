//! Sets up systems and run conditions that were just added to a schedule, and guards them.

use std::collections::HashMap;

use bevy::ecs::schedule::{
    ConditionWithAccess, InternedScheduleLabel, SystemSetKey, SystemWithAccess,
};
use bevy::ecs::system::{AdapterSystem, IntoSystem, ScheduleSystem, System};
use bevy::prelude::*;
use playground_api::handover::Handovers;
use playground_api::schema::names::stable_name;

use crate::guard::{Guard, Reports};
use crate::ids::ModuleId;

/// Initializes a system's parameters. One whose parameters panic is reported, and does nothing until
/// its module is rolled back before the next frame.
pub(super) fn set_up(
    world: &mut World,
    slot: &mut SystemWithAccess,
    id: &ModuleId,
    reports: &Reports,
) {
    let what = format!("{}, while its parameters were set up,", slot.name());
    if reports.contain(id, &what, || slot.initialize(world)).is_none() {
        *slot = nothing();
        slot.initialize(world);
    }
}

/// As [`set_up`], for the conditions of a system or set, whose name is `of`: one that panics is false
/// from then on.
pub(super) fn set_up_conditions<'a>(
    world: &mut World,
    conditions: impl Iterator<Item = &'a mut ConditionWithAccess>,
    of: &str,
    id: &ModuleId,
    reports: &Reports,
) {
    // Conditions that stay keep their values where others come and go.
    let mut ordinals: HashMap<String, u32> = HashMap::new();
    for condition in conditions {
        let name = stable_name(&condition.name()).into_owned();
        let ordinal = ordinals.entry(name.clone()).or_default();
        if let Some(mut handovers) = world.get_resource_mut::<Handovers>() {
            handovers.begin(format!("{of} if {name}#{ordinal}"));
        }
        *ordinal += 1;
        let what = format!("run condition {}, while its parameters were set up,", condition.name());
        if reports.contain(id, &what, || condition.initialize(world)).is_none() {
            *condition = ConditionWithAccess::new(Box::new(IntoSystem::into_system(|| false)));
        }
    }
    if let Some(mut handovers) = world.get_resource_mut::<Handovers>() {
        handovers.end();
    }
}

/// Initializes the conditions that were just added to sets: all others are in the executable part.
pub(super) fn set_up_set_conditions(
    world: &mut World,
    schedule: &mut Schedule,
    label: InternedScheduleLabel,
    id: &ModuleId,
    ordinals: &mut HashMap<(ModuleId, String), u32>,
    reports: &Reports,
) {
    let sets = &mut schedule.graph_mut().system_sets;
    let with_new: Vec<(SystemSetKey, String)> = sets
        .iter()
        .filter(|(_, _, new)| !new.is_empty())
        .map(|(key, set, _)| {
            // That of a tuple of systems is numbered by Bevy, anew with each swap.
            let set = if set.is_anonymous() { "tuple".to_owned() } else { format!("{set:?}") };
            let name = format!("{label:?}/{set}");
            let ordinal = ordinals.entry((id.clone(), name.clone())).or_default();
            *ordinal += 1;
            (key, format!("{id}/{name}#{ordinal}"))
        })
        .collect();
    for (key, of) in with_new {
        let conditions = sets.get_conditions_mut(key).into_iter().flatten();
        set_up_conditions(world, conditions, &of, id, reports);
    }
}

pub(super) fn nothing() -> SystemWithAccess {
    let nothing: ScheduleSystem = Box::new(IntoSystem::into_system(|| {}));
    SystemWithAccess::new(nothing)
}

pub(super) fn guard(slot: &mut SystemWithAccess, id: &ModuleId, name: String, reports: &Reports) {
    let system = std::mem::replace(slot, nothing());
    let guard = Guard::new(id, name, reports);
    let shown = system.name();
    *slot = SystemWithAccess::new(Box::new(AdapterSystem::new(guard, system, shown)));
}
