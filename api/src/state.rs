//! Adds states at run time, like `App::init_state`, and removes them again.

use bevy::ecs::message::MessageRegistry;
use bevy::ecs::schedule::{InternedScheduleLabel, ScheduleLabel};
use bevy::prelude::*;
use bevy::state::state::{
    EnterSchedules, ExitSchedules, FreelyMutableState, PreviousState, StateTransition,
    StateTransitionEvent, TransitionSchedules,
};
use bevy::state::state_scoped::{
    despawn_entities_on_enter_state, despawn_entities_on_exit_state,
    disable_entities_on_enter_state, disable_entities_on_exit_state,
    enable_entities_on_enter_state, enable_entities_on_exit_state,
};

/// Sets up the transitions, without a value.
pub fn prepare<S: FreelyMutableState>(world: &mut World) {
    world.init_resource::<NextState<S>>();
    // Present if an earlier epoch comes back: Bevy cannot remove transition schedules.
    if world.contains_resource::<Messages<StateTransitionEvent<S>>>() {
        return;
    }
    MessageRegistry::register_message::<StateTransitionEvent<S>>(world);
    let (enter, exit) = (EnterSchedules::<S>::default(), ExitSchedules::<S>::default());
    world.schedule_scope(StateTransition, |_, schedule| {
        S::register_state(schedule);
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
        ));
        // None of these run once the epoch is gone.
        let all = (exit, TransitionSchedules::<S>::default(), enter);
        schedule.configure_sets(all.run_if(resource_exists::<State<S>>));
    });
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

/// Removes the state's resources.
pub fn remove<S: FreelyMutableState>(world: &mut World) {
    world.remove_resource::<State<S>>();
    world.remove_resource::<NextState<S>>();
    world.remove_resource::<PreviousState<S>>();
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
