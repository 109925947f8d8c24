//! A canvas of triangles that is redrawn every frame.
//!
//! Modules draw into [`Canvas`] in [`CanvasSet::Draw`]; it is rendered in [`CanvasSet::Show`].
//! Since nothing lasts longer than a frame, a swap can neither lose nor duplicate anything on
//! screen, and 20,000 boids are a single mesh.
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
    /// The triangles of the previous frame are removed.
    Clear,
    /// Modules draw, in any order; layers determine what covers what.
    Draw,
    /// The triangles are rendered.
    Show,
}

fn build(module: &mut ModuleApp) {
    module
        .init_resource::<Canvas>()
        .configure_sets(Update, (CanvasSet::Clear, CanvasSet::Draw, CanvasSet::Show).chain());
}
