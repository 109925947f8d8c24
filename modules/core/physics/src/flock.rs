//! Flockers, their goals, and the lure.

use playground_api::prelude::*;

/// A member of a flock: avoids all neighbours, and flies along with those of its own flock.
#[persist]
#[derive(Component, Clone, Copy, Debug, PartialEq)]
pub struct Flocker {
    /// The flock. Neighbours of the same flock attract and align each other.
    pub flock: u8,
    /// Top speed in world units per second.
    pub max_speed: f32,
    /// Maximum acceleration, in world units per second squared.
    pub max_force: f32,
    /// Distance from neighbours, as a multiple of the tuning value.
    pub personal_space: f32,
    /// Sight, as a multiple of the tuning value.
    pub sight: f32,
}

impl Default for Flocker {
    fn default() -> Self {
        Self { flock: 0, max_speed: 120.0, max_force: 400.0, personal_space: 1.0, sight: 1.0 }
    }
}

/// A flocker's goal.
#[persist]
#[derive(Component, Clone, Copy, Debug, Default, PartialEq)]
pub struct Goal {
    /// The place, in world units.
    pub point: Vec2,
    /// Weight relative to the flock's behaviour; negative to flee from the point.
    pub weight: f32,
}

/// A place that attracts or repels all flockers near it.
#[persist]
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq)]
pub struct Lure {
    /// The place, in world units.
    pub point: Vec2,
    /// Positive to attract, negative to repel, 0 for no lure.
    pub strength: f32,
    /// Reach, in world units.
    pub radius: f32,
}
