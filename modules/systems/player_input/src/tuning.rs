//! `assets/arena/player.toml`.

use playground_api::prelude::*;

/// How the player's ship flies.
#[derive(Resource, Deserialize, Clone, Debug)]
#[serde(default)]
pub struct PlayerTuning {
    /// Top speed in world units per second.
    pub speed: f32,
    /// How quickly the velocity follows the wish, per second.
    pub response: f32,
    /// Speed of a dash, in world units per second.
    pub dash_speed: f32,
    /// Seconds that a dash lasts.
    pub dash_s: f32,
    /// Seconds from one dash to the next.
    pub dash_interval_s: f32,
}

impl Default for PlayerTuning {
    fn default() -> Self {
        Self { speed: 330.0, response: 9.0, dash_speed: 980.0, dash_s: 0.16, dash_interval_s: 1.1 }
    }
}
