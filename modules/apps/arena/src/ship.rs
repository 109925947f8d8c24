//! The player's ship.

use core_arena::{Health, Player, Team, Weapon};
use core_physics::{Heading, Outline, Position, Radius, Shape, StableId, Velocity};
use playground_api::prelude::*;

/// The tuning file `assets/arena/ship.toml`: the player's ship at the start of a game.
#[own_identity]
#[derive(Resource, Deserialize, Clone, Debug)]
#[serde(default)]
pub struct ShipTuning {
    /// Health points.
    pub health: i32,
    /// Half its length, in world units.
    pub size: f32,
    /// Shots per second.
    pub shots_per_s: f32,
    /// Speed of a bullet, in world units per second.
    pub bullet_speed: f32,
    /// Damage of a bullet, in health points.
    pub damage: i32,
    /// Maximum deviation of a shot, in radians.
    pub spread: f32,
}

impl Default for ShipTuning {
    fn default() -> Self {
        Self {
            health: 100,
            size: 15.0,
            shots_per_s: 9.0,
            bullet_speed: 900.0,
            damage: 10,
            spread: 0.045,
        }
    }
}

/// The components of the ship at the start of a game.
pub fn ship(tuning: &ShipTuning, id: StableId) -> impl Bundle {
    (
        Player::default(),
        Team::Player,
        id,
        Position::default(),
        Velocity::default(),
        Heading::along(Vec2::Y),
        Radius(tuning.size * 0.75),
        Health::full(tuning.health),
        Weapon {
            interval_s: 1.0 / tuning.shots_per_s.max(0.1),
            cooldown_s: 0.0,
            bullet_speed: tuning.bullet_speed,
            damage: tuning.damage,
            spread: tuning.spread,
            trigger: false,
        },
        Shape::new(Outline::Ship, tuning.size, LinearRgba::rgb(0.10, 0.85, 0.68)),
        despawn_on_unload!(),
    )
}
