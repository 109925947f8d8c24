//! The tuning file `assets/steering/flocks.toml`.

use playground_api::prelude::*;

/// The behaviour of flocks.
#[own_identity]
#[derive(Resource, Deserialize, Clone, Debug)]
#[serde(default)]
pub struct SteeringTuning {
    /// Sight of flockers, in world units; twice the size of the grid's cells.
    pub sight: f32,
    /// Distance between flockers, in world units.
    pub personal_space: f32,
    /// Weight of separation.
    pub separation: f32,
    /// Weight of alignment with the flock.
    pub alignment: f32,
    /// Weight of cohesion with the flock.
    pub cohesion: f32,
    /// Weight of avoiding walls.
    pub wall: f32,
    /// Distance at which walls are avoided, in world units.
    pub wall_margin: f32,
    /// Minimum speed, as a fraction of the top speed.
    pub slowest: f32,
    /// Maximum number of neighbours that are considered.
    pub max_neighbours: u32,
}

impl Default for SteeringTuning {
    fn default() -> Self {
        Self {
            sight: 40.0,
            personal_space: 16.0,
            separation: 2.2,
            alignment: 0.9,
            cohesion: 0.5,
            wall: 1.6,
            wall_margin: 60.0,
            slowest: 0.35,
            max_neighbours: 48,
        }
    }
}
