//! Weapons and bullets.

use playground_api::prelude::*;

/// Fires bullets along its bearer's heading.
#[persist]
#[derive(Component, Clone, Debug, Default, PartialEq)]
pub struct Weapon {
    /// Seconds between shots.
    pub interval_s: f32,
    /// Seconds until the next shot is ready.
    pub cooldown_s: f32,
    /// Speed of the bullets in world units per second.
    pub bullet_speed: f32,
    /// Damage of a bullet, in health points.
    pub damage: i32,
    /// Maximum deviation from the heading, in radians.
    pub spread: f32,
    /// Whether the bearer fires.
    pub trigger: bool,
}

/// Hurts the player by touching.
#[persist]
#[derive(Component, Clone, Debug, Default, PartialEq)]
pub struct Contact {
    /// Damage of a touch, in health points.
    pub damage: i32,
    /// Seconds until the next touch hurts.
    pub cooldown_s: f32,
}

/// A flying bullet.
#[persist]
#[derive(Component, Clone, Debug, Default, PartialEq)]
pub struct Bullet {
    /// Damage, in health points.
    pub damage: i32,
    /// Remaining lifetime, in seconds.
    pub left_s: f32,
}
