//! A flocking sandbox with any number of boids, steered by the same systems as the arena's enemies.
//!
//! `boids N` in the console or `count` in `assets/boids/boids.toml` sets the number. The left mouse
//! button attracts them to the pointer, the right one repels them.
#![forbid(unsafe_code)]

mod caption;
mod lure;
mod population;
mod tuning;

use bevy::input::InputSystems;
use core_canvas::CanvasSet;
use core_physics::PhysicsSet;
use playground_api::prelude::*;
use population::{Boid, Population};
use tuning::BoidsTuning;

export_module! {
    kind: Apps,
    requires: {
        core_physics: "^0.1",
        core_canvas: "^0.1",
        systems_movement: "^0.1",
        systems_steering: "^0.1",
        systems_render: "^0.1",
    },
    persist: [Boid, Population],
    build: build,
}

fn build(module: &mut ModuleApp) {
    module
        .add_tuning_file::<BoidsTuning>("boids/boids.toml")
        .init_resource::<Population>()
        .add_console_command(
            "boids",
            "boids [N]: shows or sets the number of boids",
            population::command,
        )
        .add_systems(OnLoad, (population::follow_file, population::enter, caption::set_up).chain())
        .add_systems(PreUpdate, lure::follow_mouse.after(InputSystems).run_if(not(lure::wanders)))
        .add_systems(
            FixedUpdate,
            (population::follow_file, population::adjust, lure::wander.run_if(lure::wanders))
                .chain()
                .before(PhysicsSet::Index),
        )
        .add_systems(Update, (lure::draw.in_set(CanvasSet::Draw), caption::update));
}
