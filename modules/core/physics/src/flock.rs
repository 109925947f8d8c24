//! Flockers that steer around each other.

use playground_api::prelude::*;

/// A member of a flock: keeps apart from all neighbours, goes along with those of its own flock.
#[derive(Component, Persist, Serialize, Deserialize, Clone, Copy, Debug, PartialEq)]
pub struct Flocker {
    /// Neighbours of the same flock attract and align each other.
    pub flock: u8,
    /// Top speed in world units per second.
    pub max_speed: f32,
    /// Greatest change of velocity in world units per second squared.
    pub max_force: f32,
    /// Distance to keep from neighbours, as a multiple of the tuning value.
    pub personal_space: f32,
    /// How far it sees, as a multiple of the tuning value.
    pub sight: f32,
}

impl Default for Flocker {
    fn default() -> Self {
        Self { flock: 0, max_speed: 120.0, max_force: 400.0, personal_space: 1.0, sight: 1.0 }
    }
}

/// Where a flocker wants to be.
#[derive(Component, Persist, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq)]
pub struct Goal {
    /// The place.
    pub point: Vec2,
    /// How much it wants it, next to what its flock does; negative to flee from the point.
    pub weight: f32,
}

/// A place that draws all flockers near it, or drives them away.
#[derive(Resource, Persist, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq)]
pub struct Lure {
    /// The place.
    pub point: Vec2,
    /// Positive to attract, negative to repel, 0 for no lure.
    pub strength: f32,
    /// How far it reaches, in world units.
    pub radius: f32,
}
