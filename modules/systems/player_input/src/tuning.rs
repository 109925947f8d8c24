//! The tuning file `assets/arena/player.toml`.

use playground_api::prelude::*;

/// The flight of the player's ship.
#[own_identity]
#[derive(Resource, Deserialize, Clone, Debug)]
#[serde(default)]
pub struct PlayerTuning {
    /// Top speed in world units per second.
    pub speed: f32,
    /// Rate at which the velocity follows the input, per second.
    pub response: f32,
    /// Speed of a dash, in world units per second.
    pub dash_speed: f32,
    /// Duration of a dash, in seconds.
    pub dash_s: f32,
    /// Cooldown of the dash, in seconds.
    pub dash_interval_s: f32,
}

impl Default for PlayerTuning {
    fn default() -> Self {
        Self { speed: 330.0, response: 9.0, dash_speed: 980.0, dash_s: 0.16, dash_interval_s: 1.1 }
    }
}
