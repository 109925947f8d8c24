//! Renders the canvas, and draws the world's floor and edge and every [`Shape`] on it.
//!
//! [`Shape`]: core_physics::Shape
#![forbid(unsafe_code)]

mod bodies;
mod ground;
mod screen;

use core_canvas::CanvasSet;
use playground_api::prelude::*;

export_module! {
    kind: Systems,
    requires: { core_physics: "^0.1", core_canvas: "^0.1" },
    persist: [],
    build: build,
}

fn build(module: &mut ModuleApp) {
    module.add_systems(OnLoad, (screen::set_up_camera, screen::set_up_surface)).add_systems(
        Update,
        (
            screen::clear.in_set(CanvasSet::Clear),
            (ground::draw, bodies::draw).in_set(CanvasSet::Draw),
            (screen::frame_world, screen::show).in_set(CanvasSet::Show),
        ),
    );
}
