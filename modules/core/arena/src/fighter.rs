//! Fighters: the player's ship and the enemies.

use playground_api::prelude::*;

/// The player's ship.
#[persist]
#[derive(Component, Clone, Debug, Default, PartialEq)]
pub struct Player {
    /// Seconds until the next dash is ready.
    pub dash_cooldown_s: f32,
    /// Cooldown of the dash, in seconds.
    pub dash_interval_s: f32,
    /// Seconds until the current dash ends; the ship is invulnerable until then.
    pub dash_left_s: f32,
}

impl Player {
    /// Progress of the dash's cooldown, from 0 to 1.
    pub fn dash_readiness(&self) -> f32 {
        1.0 - (self.dash_cooldown_s / self.dash_interval_s.max(0.01)).clamp(0.0, 1.0)
    }

    /// True while the ship is invulnerable.
    pub fn is_dashing(&self) -> bool {
        self.dash_left_s > 0.0
    }
}

/// An enemy.
#[persist]
#[derive(Component, Clone, Debug, Default, PartialEq)]
pub struct Enemy {
    pub kind: EnemyKind,
}

/// The kinds of enemies.
#[persist]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum EnemyKind {
    /// Small and quick, in large flocks; rams the player.
    #[default]
    Swarmer,
    /// Keeps its distance and shoots.
    Gunner,
    /// Slow, large and tough.
    Brute,
}

impl EnemyKind {
    /// All kinds, in the order of their appearance.
    pub const ALL: [Self; 3] = [Self::Swarmer, Self::Gunner, Self::Brute];
}

/// The team of a fighter or bullet.
#[persist]
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Team {
    /// The player's team.
    #[default]
    Player,
    /// The enemies' team.
    Enemies,
}

/// A fighter's health, in integers, so that the order of hits does not matter.
#[persist]
#[derive(Component, Clone, Debug, PartialEq)]
pub struct Health {
    /// Current points.
    pub current: i32,
    /// Maximum points.
    pub max: i32,
}

impl Default for Health {
    fn default() -> Self {
        Self::full(1)
    }
}

impl Health {
    /// Full health of `max` points.
    pub fn full(max: i32) -> Self {
        Self { current: max, max }
    }

    /// The current health as a fraction, from 0 to 1.
    pub fn fraction(&self) -> f32 {
        self.current.max(0) as f32 / self.max.max(1) as f32
    }

    /// True without health.
    pub fn is_spent(&self) -> bool {
        self.current <= 0
    }
}
