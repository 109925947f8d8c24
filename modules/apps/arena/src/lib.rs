//! The arena: one ship against waves of enemies.
#![forbid(unsafe_code)]

mod game;
mod ship;

use core_arena::ArenaSet;
use playground_api::prelude::*;
use ship::ShipTuning;

export_module! {
    kind: Apps,
    requires: {
        core_physics: "^0.1",
        core_arena: "^0.1",
        core_canvas: "^0.1",
        systems_movement: "^0.1",
        systems_steering: "^0.1",
        systems_combat: "^0.1",
        systems_player_input: "^0.1",
        systems_render: "^0.1",
        plugins_hud: "^0.1",
        plugins_trails: "^0.1",
        plugins_sparks: "^0.1",
    },
    persist: [],
    build: build,
}

fn build(module: &mut ModuleApp) {
    module
        .add_tuning_file::<ShipTuning>("arena/ship.toml")
        .add_systems(OnLoad, game::enter)
        .add_systems(FixedUpdate, (game::end, game::restart).chain().in_set(ArenaSet::Flow));
}
