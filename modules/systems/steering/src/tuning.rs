//! `assets/steering/flocks.toml`.

use playground_api::prelude::*;

/// How flocks behave.
#[derive(Resource, Deserialize, Clone, Debug)]
#[serde(default)]
pub struct SteeringTuning {
    /// How far flockers see, in world units; twice the size of the grid's cells.
    pub sight: f32,
    /// The distance that flockers keep, in world units.
    pub personal_space: f32,
    /// Weight of keeping apart.
    pub separation: f32,
    /// Weight of flying along with the others.
    pub alignment: f32,
    /// Weight of staying with the others.
    pub cohesion: f32,
    /// Weight of staying away from walls.
    pub wall: f32,
    /// Distance from which walls are felt, in world units.
    pub wall_margin: f32,
    /// Slowest flight, as a part of the top speed.
    pub slowest: f32,
    /// No more neighbours than this are looked at.
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
