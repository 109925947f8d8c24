//! A canvas of triangles that is drawn anew every frame.
//!
//! Whoever wants to be seen draws into [`Canvas`] in [`CanvasSet::Draw`]; what shows it takes it
//! from there in [`CanvasSet::Show`]. Nothing drawn lasts longer than the frame, so no module has
//! anything on screen to lose or to double when it is swapped, and 20,000 boids are one mesh.
#![forbid(unsafe_code)]

pub mod canvas;

pub use canvas::{Canvas, Layer};

use playground_api::prelude::*;

export_module! {
    kind: Core,
    requires: {},
    persist: [],
    build: build,
}

/// The stages of a drawn frame, in `Update`.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CanvasSet {
    /// The last frame's triangles are thrown away.
    Clear,
    /// Everyone draws; layers, not the order of systems, say what covers what.
    Draw,
    /// The triangles go on screen.
    Show,
}

fn build(module: &mut ModuleApp) {
    module
        .init_resource::<Canvas>()
        .configure_sets(Update, (CanvasSet::Clear, CanvasSet::Draw, CanvasSet::Show).chain());
}
