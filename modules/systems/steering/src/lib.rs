//! Steers flocks: separation, alignment, cohesion and goals.
//!
//! Both the arena's enemies and the boids are steered here; the data is in
//! [`core_physics::Flocker`].
#![forbid(unsafe_code)]

mod flock;
mod index;
mod tuning;

use core_physics::PhysicsSet;
use playground_api::prelude::*;
use tuning::SteeringTuning;

export_module! {
    kind: Systems,
    requires: { core_physics: "^0.1" },
    persist: [],
    build: build,
}

fn build(module: &mut ModuleApp) {
    module.add_tuning_file::<SteeringTuning>("steering/flocks.toml").add_systems(
        FixedUpdate,
        (index::fill_grid.in_set(PhysicsSet::Index), flock::steer.in_set(PhysicsSet::Steer)),
    );
}
