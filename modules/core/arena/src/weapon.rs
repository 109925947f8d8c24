//! What fighters fight with.

use playground_api::prelude::*;

/// Fires bullets along its bearer's heading.
#[derive(Component, Persist, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct Weapon {
    /// Seconds between two shots.
    pub interval_s: f32,
    /// Seconds until the next shot is ready.
    pub cooldown_s: f32,
    /// Speed of the bullets in world units per second.
    pub bullet_speed: f32,
    /// Health points that a bullet takes.
    pub damage: i32,
    /// Greatest deviation from the heading, in radians.
    pub spread: f32,
    /// Whether the bearer pulls the trigger.
    pub trigger: bool,
}

/// Hurts the player by touching.
#[derive(Component, Persist, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct Contact {
    /// Health points that a touch takes.
    pub damage: i32,
    /// Seconds until it can hurt again.
    pub cooldown_s: f32,
}

/// A shot on its way.
#[derive(Component, Persist, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct Bullet {
    /// Health points that it takes.
    pub damage: i32,
    /// Seconds until it is gone.
    pub left_s: f32,
}
