//! `assets/boids/boids.toml`.

use playground_api::prelude::*;

/// How many boids there are, and how they are.
#[derive(Resource, Deserialize, Clone, Debug)]
#[serde(default)]
pub struct BoidsTuning {
    /// How many, at the start and when this number changes.
    pub count: u32,
    /// Into how many flocks they are divided.
    pub flocks: u8,
    /// Top speed in world units per second.
    pub speed: f32,
    /// Greatest acceleration in world units per second squared.
    pub force: f32,
    /// Half a boid's length, in world units.
    pub size: f32,
    /// The world has room for a square of this side for each, in world units.
    pub spacing: f32,
}

impl Default for BoidsTuning {
    fn default() -> Self {
        Self { count: 2_000, flocks: 4, speed: 170.0, force: 420.0, size: 6.0, spacing: 22.0 }
    }
}
