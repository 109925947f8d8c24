//! The minimum time to carry values over: encoding and decoding with bincode, and insertion.
//! Without conversion, change ticks and removal, and with a single archetype.

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
    /// Inserting the values into empty entities.
    pub insert_ms: f64,
}

impl Floor {
    /// Runs it for `count` entities.
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

    /// The total time, in milliseconds.
    pub fn total_ms(&self) -> f64 {
        self.encode_ms + self.decode_ms + self.insert_ms
    }
}

fn ms(started: Instant) -> f64 {
    started.elapsed().as_secs_f64() * 1000.0
}
