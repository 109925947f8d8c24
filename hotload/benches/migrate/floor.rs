//! The least that carrying values over can take: bincode, and an insertion of what comes out of it.
//! No other form, no change ticks, nothing to be taken out, one archetype.

use std::time::Instant;

use bevy::prelude::*;
use bincode::config::standard;
use bincode::serde::{decode_from_slice, encode_into_std_write};

use crate::components::{Motion, Position, Stats, values};

/// One run, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Floor {
    /// Values to bincode.
    pub encode_ms: f64,
    /// Bincode to values.
    pub decode_ms: f64,
    /// Values onto entities that have nothing yet.
    pub insert_ms: f64,
}

impl Floor {
    /// Does it for so many entities.
    pub fn run(count: usize) -> Self {
        let mut world = World::new();
        let entities: Vec<Entity> = world.spawn_batch((0..count).map(|_| ())).collect();
        let all: Vec<(Position, Motion, Stats)> = (0..count as u64).map(values).collect();

        let started = Instant::now();
        let mut bytes = Vec::new();
        for one in &all {
            encode_into_std_write(one, &mut bytes, standard()).expect("bincode takes it");
        }
        let encode_ms = ms(started);

        let started = Instant::now();
        let mut rest = bytes.as_slice();
        let mut decoded = Vec::with_capacity(count);
        for entity in entities {
            let (one, read) = decode_from_slice::<(Position, Motion, Stats), _>(rest, standard())
                .expect("bincode made it");
            decoded.push((entity, one));
            rest = &rest[read..];
        }
        let decode_ms = ms(started);

        let started = Instant::now();
        world.insert_batch(decoded);
        let insert_ms = ms(started);
        assert_eq!(world.query::<&Stats>().iter(&world).count(), count);
        Self { encode_ms, decode_ms, insert_ms }
    }

    /// All of it, in milliseconds.
    pub fn total_ms(&self) -> f64 {
        self.encode_ms + self.decode_ms + self.insert_ms
    }
}

fn ms(started: Instant) -> f64 {
    started.elapsed().as_secs_f64() * 1000.0
}
