//! Bodies: points with a velocity, a heading and a round extent.

use playground_api::prelude::*;

/// The middle of a body, in world units (about one pixel of a 1600×900 view).
#[derive(Component, Persist, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq)]
pub struct Position(pub Vec2);

/// World units per second.
#[derive(Component, Persist, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq)]
pub struct Velocity(pub Vec2);

/// Where a body points: a unit vector.
#[derive(Component, Persist, Serialize, Deserialize, Clone, Copy, Debug, PartialEq)]
pub struct Heading(pub Vec2);

impl Default for Heading {
    fn default() -> Self {
        Self(Vec2::X)
    }
}

/// The extent of a body for collisions, in world units.
#[derive(Component, Persist, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq)]
pub struct Radius(pub f32);

impl Heading {
    /// The heading of a body that looks along `direction`, of whatever length.
    pub fn along(direction: Vec2) -> Self {
        Self(direction.normalize_or(Vec2::X))
    }

    /// This heading, turned by an angle in radians, counter-clockwise.
    pub fn turned(self, angle: f32) -> Self {
        Self(Vec2::from_angle(angle).rotate(self.0))
    }
}
