//! The player's input, from keyboard and mouse or the autopilot, and its effect on the ship.
//!
//! Devices are read once a frame; fixed steps read the input from [`PlayerIntent`].
//!
//! [`PlayerIntent`]: core_arena::PlayerIntent
#![forbid(unsafe_code)]

mod autopilot;
mod devices;
mod fly;
mod tuning;

use bevy::input::InputSystems;
use core_arena::ArenaSet;
use playground_api::prelude::*;
use tuning::PlayerTuning;

export_module! {
    kind: Systems,
    requires: { core_physics: "^0.1", core_arena: "^0.1" },
    persist: [],
    build: build,
}

fn build(module: &mut ModuleApp) {
    module
        .add_tuning_file::<PlayerTuning>("arena/player.toml")
        .add_systems(
            PreUpdate,
            (devices::keyboard, devices::mouse)
                .chain()
                .after(InputSystems)
                .run_if(not(autopilot::flies)),
        )
        .add_systems(
            FixedUpdate,
            (autopilot::decide.run_if(autopilot::flies), fly::obey)
                .chain()
                .in_set(ArenaSet::Intent),
        );
}
