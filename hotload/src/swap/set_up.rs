//! Sets up systems and run conditions that were just added to a schedule, and guards them.

use bevy::ecs::schedule::{
    ConditionWithAccess, InternedScheduleLabel, NodeId, ScheduleGraph, SystemWithAccess,
};
use bevy::ecs::system::{AdapterSystem, IntoSystem, ScheduleSystem, System};
use bevy::prelude::*;
use playground_api::handover::Handovers;

use super::succession::{Memories, Memory, Place};
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

/// As [`set_up`], for the conditions that were just added to a system or set. One that panics is false
/// from then on.
pub(super) fn set_up_conditions(
    world: &mut World,
    label: InternedScheduleLabel,
    graph: &mut ScheduleGraph,
    node: NodeId,
    memories: &mut Memories,
    id: &ModuleId,
    reports: &Reports,
) -> Vec<(Place, Memory)> {
    let places = Place::of_conditions(label, graph, node);
    let conditions = match node {
        NodeId::System(key) => graph.systems.get_conditions_mut(key),
        NodeId::Set(key) => graph.system_sets.get_conditions_mut(key),
    };
    let mut added = Vec::with_capacity(places.len());
    for (condition, place) in conditions.into_iter().flatten().zip(places) {
        let memory = memories.take(&place);
        let what = format!("run condition {}, while its parameters were set up,", condition.name());
        let initialized = remembering(world, memory, |world| {
            reports.contain(id, &what, || condition.initialize(world))
        });
        if initialized.is_none() {
            *condition = ConditionWithAccess::new(Box::new(IntoSystem::into_system(|| false)));
        }
        added.push((place, memory));
    }
    added
}

/// The sets to which conditions were just added: all others are in the executable part.
pub(super) fn sets_with_new_conditions(graph: &ScheduleGraph) -> Vec<NodeId> {
    let sets = graph.system_sets.iter().filter(|(_, _, new)| !new.is_empty());
    sets.map(|(key, ..)| NodeId::Set(key)).collect()
}

/// Calls `initialize`, in which parameters find the values that their predecessors handed over.
pub(super) fn remembering<T>(
    world: &mut World,
    memory: Memory,
    initialize: impl FnOnce(&mut World) -> T,
) -> T {
    if let Some(mut handovers) = world.get_resource_mut::<Handovers>() {
        handovers.begin(memory.to_string());
    }
    let initialized = initialize(world);
    if let Some(mut handovers) = world.get_resource_mut::<Handovers>() {
        handovers.end();
    }
    initialized
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
