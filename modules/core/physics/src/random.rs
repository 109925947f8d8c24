//! The only random number generator of gameplay.

use std::ops::Range;

use fastrand::Rng;
use playground_api::prelude::*;

/// A seeded random number generator; its state is part of the game's.
///
/// Visual effects (sparks, trails) must not draw from it: disabling a plugin would change the game.
#[persist]
#[derive(Resource, Clone, Debug, Default, PartialEq, Eq)]
pub struct GameRng {
    state: u64,
}

impl GameRng {
    /// Restarts from `seed`.
    pub fn reseed(&mut self, seed: u64) {
        self.state = seed;
        // The first numbers from small seeds are similar.
        self.draw(|rng| rng.u64(..));
    }

    /// A number in `range`.
    pub fn range(&mut self, range: Range<f32>) -> f32 {
        self.draw(|rng| range.start + (range.end - range.start) * rng.f32())
    }

    /// An integer in `range`, which must not be empty.
    pub fn index(&mut self, range: Range<usize>) -> usize {
        self.draw(|rng| rng.usize(range))
    }

    /// A unit vector.
    pub fn direction(&mut self) -> Vec2 {
        Vec2::from_angle(self.range(0.0..std::f32::consts::TAU))
    }

    /// A point in the rectangle around the origin.
    pub fn point(&mut self, half_size: Vec2) -> Vec2 {
        let x = self.range(-1.0..1.0);
        let y = self.range(-1.0..1.0);
        half_size * Vec2::new(x, y)
    }

    fn draw<T>(&mut self, draw: impl FnOnce(&mut Rng) -> T) -> T {
        let mut rng = Rng::with_seed(self.state);
        let drawn = draw(&mut rng);
        self.state = rng.get_seed();
        drawn
    }
}
