//! Adds states at run time, like `App::init_state`, and removes them again.

use std::any::{TypeId, type_name};
use std::collections::HashMap;

use bevy::ecs::message::MessageRegistry;
use bevy::ecs::schedule::{
    InternedScheduleLabel, InternedSystemSet, ScheduleCleanupPolicy, ScheduleLabel,
};
use bevy::prelude::*;
use bevy::state::state::{
    EnterSchedules, ExitSchedules, FreelyMutableState, PreviousState, StateTransition,
    StateTransitionEvent, TransitionSchedules,
};
use bevy::state::state_scoped::{
    despawn_entities_on_enter_state, despawn_entities_on_exit_state, despawn_entities_when_state,
    disable_entities_on_enter_state, disable_entities_on_exit_state, disable_entities_when_state,
    enable_entities_on_enter_state, enable_entities_on_exit_state, enable_entities_when_state,
};

/// The systems of a state's transitions, except the one that takes the next value.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Transitions(TypeId);

/// The states whose sets are in [`StateTransition`]. They stay there, since Bevy can never add a set again
/// that was removed. Each has the set of the system that takes its next value, which is a private one of
/// Bevy's.
#[derive(Resource, Default)]
struct StatesWithSets(HashMap<TypeId, Option<InternedSystemSet>>);

/// Sets up the transitions, without a value.
pub fn prepare<S: FreelyMutableState>(world: &mut World) {
    world.init_resource::<NextState<S>>();
    if world.contains_resource::<Messages<StateTransitionEvent<S>>>() {
        return;
    }
    MessageRegistry::register_message::<StateTransitionEvent<S>>(world);
    let states = world.get_resource_or_init::<StatesWithSets>();
    let has_sets = states.0.contains_key(&TypeId::of::<S>());
    let (enter, exit) = (EnterSchedules::<S>::default(), ExitSchedules::<S>::default());
    let transition = TransitionSchedules::<S>::default();
    let name_of_apply = format!("::apply_state_transition<{}>", type_name::<S>());
    let apply = world.schedule_scope(StateTransition, |_, schedule| {
        S::register_state(schedule);
        // The systems from before are in the executable part of the schedule.
        let new = schedule.graph().systems.iter().map(|(_, system, _)| system);
        let apply = new
            .filter(|system| system.name().ends_with(&name_of_apply))
            .find_map(|system| system.default_system_sets().first().copied());
        // Entities with state-scoped components.
        schedule.add_systems((
            (
                despawn_entities_on_exit_state::<S>,
                disable_entities_on_exit_state::<S>,
                enable_entities_on_exit_state::<S>,
            )
                .in_set(exit.clone()),
            (
                despawn_entities_on_enter_state::<S>,
                disable_entities_on_enter_state::<S>,
                enable_entities_on_enter_state::<S>,
            )
                .in_set(enter.clone()),
            (
                despawn_entities_when_state::<S>,
                disable_entities_when_state::<S>,
                enable_entities_when_state::<S>,
            )
                .in_set(transition.clone()),
        ));
        if !has_sets {
            let all = (exit, transition, enter);
            schedule.configure_sets(all.clone().in_set(Transitions(TypeId::of::<S>())));
            // Also while it has no value yet.
            schedule.configure_sets(all.run_if(resource_exists::<State<S>>));
        }
        apply
    });
    world.resource_mut::<StatesWithSets>().0.insert(TypeId::of::<S>(), apply);
}

/// Enters the default value if the state has no value.
pub fn init<S: FreelyMutableState + FromWorld>(world: &mut World) {
    if world.contains_resource::<State<S>>() {
        return;
    }
    world.init_resource::<State<S>>();
    let entered = Some(world.resource::<State<S>>().get().clone());
    world.write_message(StateTransitionEvent {
        exited: None,
        entered,
        allow_same_state_transitions: true,
    });
}

/// Removes the state's resources and its transitions.
pub fn remove<S: FreelyMutableState>(world: &mut World) {
    world.remove_resource::<State<S>>();
    world.remove_resource::<NextState<S>>();
    world.remove_resource::<PreviousState<S>>();
    let states = world.get_resource::<StatesWithSets>();
    let Some(apply) = states.and_then(|states| states.0.get(&TypeId::of::<S>())) else { return };
    let sets = [Some(Transitions(TypeId::of::<S>()).intern()), *apply];
    let removed = world.schedule_scope(StateTransition, |world, schedule| {
        let policy = ScheduleCleanupPolicy::RemoveSystemsOnlyAllowBreakages;
        let mut sets = sets.into_iter().flatten();
        sets.try_for_each(|set| schedule.remove_systems_in_set(set, world, policy).map(|_| ()))
    });
    match removed {
        Ok(()) => MessageRegistry::deregister_messages::<StateTransitionEvent<S>>(world),
        // They do nothing where there is no value.
        Err(error) => warn!("the transitions of {} stay: {error}", type_name::<S>()),
    }
}

/// `OnEnter` of the current value, if there is one.
pub fn entered<S: States>(world: &World) -> Option<InternedScheduleLabel> {
    let state = world.get_resource::<State<S>>()?;
    Some(OnEnter(state.get().clone()).intern())
}

/// True for entities with a `DespawnOnExit` of this state.
pub fn is_scoped<S: States>(world: &World, entity: Entity) -> bool {
    world.get::<DespawnOnExit<S>>(entity).is_some()
}
