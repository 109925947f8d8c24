//! The world's edge.

use playground_api::prelude::*;

/// The part of the plane that the game takes place in, around the origin. The app sets it.
#[derive(Resource, Persist, Serialize, Deserialize, Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// Distance from the origin to the right and upper edge, in world units.
    pub half_size: Vec2,
    /// What the edge does.
    pub edge: Edge,
}

/// What happens to a body at the world's edge.
#[derive(Persist, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Edge {
    /// It stops there.
    #[default]
    Wall,
    /// It comes in again on the other side.
    Wrap,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { half_size: Vec2::new(800.0, 450.0), edge: Edge::Wall }
    }
}

impl Bounds {
    /// True if a circle around `point` lies wholly outside.
    pub fn excludes(&self, point: Vec2, radius: f32) -> bool {
        point.abs().cmpgt(self.half_size + radius).any()
    }
}
