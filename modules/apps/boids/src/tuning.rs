//! The tuning file `assets/boids/boids.toml`.

use playground_api::prelude::*;

/// The number and properties of boids.
#[own_identity]
#[derive(Resource, Deserialize, Clone, Debug)]
#[serde(default)]
pub struct BoidsTuning {
    /// The number of boids, applied at the start and when it changes.
    pub count: u32,
    /// The number of flocks.
    pub flocks: u8,
    /// Top speed in world units per second.
    pub speed: f32,
    /// Maximum acceleration, in world units per second squared.
    pub force: f32,
    /// Half a boid's length, in world units.
    pub size: f32,
    /// Side of the square that the world provides for each boid, in world units.
    pub spacing: f32,
}

impl Default for BoidsTuning {
    fn default() -> Self {
        Self { count: 2_000, flocks: 4, speed: 170.0, force: 420.0, size: 6.0, spacing: 22.0 }
    }
}
