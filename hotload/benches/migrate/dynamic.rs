//! The baseline with Bevy's means: a `DynamicWorld`, serialized to RON and back by reflection.

use std::any::TypeId;
use std::time::Instant;

use bevy::asset::{AssetPath, LoadFromPath, UntypedHandle};
use bevy::prelude::*;
use bevy_world_serialization::DynamicWorldBuilder;
use bevy_world_serialization::serde::WorldDeserializer;
use serde::de::DeserializeSeed;

use crate::components::{Motion, Position, Stats, values};
use crate::memory;

/// One run, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Dynamic {
    /// Values to RON.
    pub serialize_ms: f64,
    /// RON to reflected values.
    pub deserialize_ms: f64,
    /// Reflected values onto entities of a fresh world.
    pub write_ms: f64,
    /// Peak memory above that before the run, in megabytes.
    pub peak_mb: f64,
}

impl Dynamic {
    /// Runs it for `count` entities.
    pub fn run(count: usize) -> Self {
        let mut world = world();
        let entities: Vec<Entity> = world.spawn_batch((0..count as u64).map(values)).collect();
        let registry = world.resource::<AppTypeRegistry>().clone();
        let registry = registry.read();
        let before_mb = memory::begin();

        let started = Instant::now();
        let dynamic = DynamicWorldBuilder::from_world(&world, &registry)
            .extract_entities(entities.into_iter())
            .build();
        let text = dynamic.serialize(&registry).expect("all types are registered");
        drop(dynamic);
        let serialize_ms = ms(started);

        let started = Instant::now();
        let mut deserializer =
            ron::de::Deserializer::from_str(&text).expect("it begins as RON does");
        let reader = WorldDeserializer { type_registry: &registry, load_from_path: &mut NoAssets };
        let dynamic = reader.deserialize(&mut deserializer).expect("Bevy can read its own output");
        let deserialize_ms = ms(started);

        let mut fresh = self::world();
        let started = Instant::now();
        dynamic.write_to_world(&mut fresh, &mut default()).expect("all types are registered");
        let write_ms = ms(started);
        let peak_mb = memory::peak_mb() - before_mb;
        let all = fresh.query::<(&Position, &Motion, &Stats)>().iter(&fresh).count();
        assert_eq!(all, count);
        Self { serialize_ms, deserialize_ms, write_ms, peak_mb }
    }

    /// The total time, in milliseconds.
    pub fn total_ms(&self) -> f64 {
        self.serialize_ms + self.deserialize_ms + self.write_ms
    }
}

/// No component here has a handle in it.
struct NoAssets;

impl LoadFromPath for NoAssets {
    fn load_from_path_erased(&mut self, _: TypeId, path: AssetPath<'static>) -> UntypedHandle {
        unreachable!("there is no asset, and no {path}")
    }
}

fn world() -> World {
    let mut world = World::new();
    let registry = world.get_resource_or_init::<AppTypeRegistry>();
    let mut registry = registry.write();
    registry.register::<Position>();
    registry.register::<Motion>();
    registry.register::<Stats>();
    drop(registry);
    world
}

fn ms(started: Instant) -> f64 {
    started.elapsed().as_secs_f64() * 1000.0
}
