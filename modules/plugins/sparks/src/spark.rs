//! Sparks and rings.

use playground_api::prelude::*;

/// The maximum number of sparks.
const MOST_SPARKS: usize = 2_000;
/// The maximum lifetime of a spark, in seconds.
const SPARK_LIFE_S: f32 = 0.55;
/// The lifetime of a ring, in seconds.
const RING_LIFE_S: f32 = 0.4;
/// The fraction of its speed that a spark loses per second.
const DRAG: f32 = 3.5;

/// All sparks and rings.
#[own_identity]
#[derive(Resource, Default)]
pub struct Sparks {
    sparks: Vec<Spark>,
    rings: Vec<Ring>,
    thrown: u32,
}

/// A burst of sparks from one place.
pub struct Burst {
    /// The place, in world units.
    pub at: Vec2,
    /// The mean direction; zero for all directions.
    pub along: Vec2,
    /// The number of sparks.
    pub count: u32,
    /// Speed of the fastest, in world units per second.
    pub speed: f32,
    pub color: LinearRgba,
}

/// A point of light.
pub struct Spark {
    /// Position, in world units.
    pub at: Vec2,
    /// Velocity, in world units per second.
    pub velocity: Vec2,
    pub color: LinearRgba,
    life_s: f32,
    age_s: f32,
}

/// A shock wave.
pub struct Ring {
    /// Its centre, in world units.
    pub at: Vec2,
    pub color: LinearRgba,
    size: f32,
    age_s: f32,
}

impl Sparks {
    /// Adds the sparks of a burst.
    pub fn throw(&mut self, burst: Burst) {
        for _ in 0..burst.count {
            if self.sparks.len() >= MOST_SPARKS {
                return;
            }
            let turn = (self.noise() - 0.5) * 2.0;
            let direction = if burst.along == Vec2::ZERO {
                Vec2::from_angle(turn * std::f32::consts::PI)
            } else {
                Vec2::from_angle(turn * 0.9).rotate(burst.along)
            };
            let speed = burst.speed * (0.25 + 0.75 * self.noise());
            let life_s = SPARK_LIFE_S * (0.4 + 0.6 * self.noise());
            self.sparks.push(Spark {
                at: burst.at,
                velocity: direction * speed,
                color: burst.color,
                life_s,
                age_s: 0.0,
            });
        }
    }

    /// Adds a ring around a body of this radius.
    pub fn ring(&mut self, at: Vec2, size: f32, color: LinearRgba) {
        self.rings.push(Ring { at, color, size, age_s: 0.0 });
    }

    /// Advances time, and removes sparks and rings that have burnt out.
    pub fn advance(&mut self, step_s: f32) {
        for spark in &mut self.sparks {
            spark.age_s += step_s;
            spark.at += spark.velocity * step_s;
            spark.velocity *= (-DRAG * step_s).exp();
        }
        for ring in &mut self.rings {
            ring.age_s += step_s;
        }
        self.sparks.retain(|spark| spark.age_s < spark.life_s);
        self.rings.retain(|ring| ring.age_s < RING_LIFE_S);
    }

    pub fn sparks(&self) -> &[Spark] {
        &self.sparks
    }

    pub fn rings(&self) -> &[Ring] {
        &self.rings
    }

    /// A number from 0 to 1 that looks random: a multiple of the golden ratio.
    fn noise(&mut self) -> f32 {
        self.thrown = self.thrown.wrapping_add(0x9E37_79B9);
        let mixed = (self.thrown ^ (self.thrown >> 15)).wrapping_mul(0x85EB_CA6B);
        (mixed >> 8) as f32 / (1 << 24) as f32
    }
}

impl Spark {
    /// Its brightness, from 1 at the start to 0.
    pub fn strength(&self) -> f32 {
        1.0 - self.age_s / self.life_s
    }
}

impl Ring {
    /// Its brightness, from 1 at the start to 0.
    pub fn strength(&self) -> f32 {
        1.0 - self.age_s / RING_LIFE_S
    }

    /// Its current radius, in world units.
    pub fn radius(&self) -> f32 {
        let spent = self.age_s / RING_LIFE_S;
        self.size * (0.6 + 2.4 * spent.sqrt())
    }
}
