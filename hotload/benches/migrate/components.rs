//! Three components, compiled into the module and into the baseline.

use playground_api::prelude::*;

/// Position.
#[derive(Component, Reflect, Clone, Debug, Persist, Serialize, Deserialize)]
#[reflect(Component)]
pub struct Position {
    pub x: f32,
    pub y: f32,
}

/// Velocity.
#[derive(Component, Reflect, Clone, Debug, Persist, Serialize, Deserialize)]
#[reflect(Component)]
#[persist(dropped("drag"))]
pub struct Motion {
    pub vx: f32,
    pub vy: f32,
    pub spin: f32,
}

/// Some numbers.
#[derive(Component, Reflect, Clone, Debug, Persist, Serialize, Deserialize)]
#[reflect(Component)]
pub struct Stats {
    pub health: i32,
    pub armor: u32,
    pub name: u64,
}

/// The values of the entity with this number; all entities differ.
pub fn values(number: u64) -> (Position, Motion, Stats) {
    let part = number as f32;
    let position = Position { x: part * 0.5, y: part * -0.25 };
    let motion = Motion { vx: part * 0.125, vy: part + 1.0, spin: 0.5 };
    let stats = Stats {
        health: 100 - (number % 50) as i32,
        armor: (number % 1_000) as u32,
        name: number.wrapping_mul(0x9E37_79B9_7F4A_7C15),
    };
    (position, motion, stats)
}
