//! Bodies: position, velocity, heading and radius.

use playground_api::prelude::*;

/// The centre of a body, in world units (about one pixel of a 1600×900 view).
#[persist]
#[derive(Component, Clone, Copy, Debug, Default, PartialEq)]
pub struct Position(pub Vec2);

/// Velocity, in world units per second.
#[persist]
#[derive(Component, Clone, Copy, Debug, Default, PartialEq)]
pub struct Velocity(pub Vec2);

/// The direction that a body points to, a unit vector.
#[persist]
#[derive(Component, Clone, Copy, Debug, PartialEq)]
pub struct Heading(pub Vec2);

impl Default for Heading {
    fn default() -> Self {
        Self(Vec2::X)
    }
}

/// The radius of a body for collisions, in world units.
#[persist]
#[derive(Component, Clone, Copy, Debug, Default, PartialEq)]
pub struct Radius(pub f32);

impl Heading {
    /// The heading along `direction`, which may have any length.
    pub fn along(direction: Vec2) -> Self {
        Self(direction.normalize_or(Vec2::X))
    }

    /// This heading, turned by an angle in radians, counter-clockwise.
    pub fn turned(self, angle: f32) -> Self {
        Self(Vec2::from_angle(angle).rotate(self.0))
    }
}
