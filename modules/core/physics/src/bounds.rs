//! The world's edge.

use playground_api::prelude::*;

/// The game's rectangle around the origin, set by the app.
#[persist]
#[derive(Resource, Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// Distance from the origin to the right and upper edge, in world units.
    pub half_size: Vec2,
    /// The effect of the edge on bodies.
    pub edge: Edge,
}

/// The effect of the world's edge on bodies.
#[persist]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Edge {
    /// Bodies stop at the edge.
    #[default]
    Wall,
    /// Bodies come in again on the opposite side.
    Wrap,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { half_size: Vec2::new(800.0, 450.0), edge: Edge::Wall }
    }
}

impl Bounds {
    /// True if a circle around `point` is entirely outside.
    pub fn excludes(&self, point: Vec2, radius: f32) -> bool {
        point.abs().cmpgt(self.half_size + radius).any()
    }
}
