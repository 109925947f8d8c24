//! Controls the number of boids.

use core_physics::{
    Bounds, Edge, Flocker, GameRng, Heading, Outline, Position, Radius, Shape, StableId, StableIds,
    Velocity,
};
use playground_api::prelude::*;

use crate::tuning::BoidsTuning;

/// The maximum number of boids.
const MOST: u32 = 200_000;

/// Marks a boid.
#[persist]
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Boid;

/// The target number of boids.
#[persist]
#[derive(Resource, Clone, Debug, Default, PartialEq, Eq)]
pub struct Population {
    /// The target number: the last one set in the console or in the file.
    wanted: u32,
    /// The number that was last read from the file.
    in_file: u32,
}

/// Sets the world's size; seeds the random numbers if there are no boids yet.
pub fn enter(
    options: Res<RunOptions>,
    population: Res<Population>,
    boids: Query<(), With<Boid>>,
    mut bounds: ResMut<Bounds>,
    mut rng: ResMut<GameRng>,
    tuning: Res<BoidsTuning>,
) {
    if boids.is_empty() {
        rng.reseed(options.seed);
    }
    bounds.set_if_neq(world_for(population.wanted, &tuning));
}

/// The console command `boids`.
pub fn command(
    In(words): In<Vec<String>>,
    mut population: ResMut<Population>,
    boids: Query<(), With<Boid>>,
) -> String {
    let Some(word) = words.first() else { return format!("{} boids", boids.count()) };
    match word.parse() {
        Ok(count) if count <= MOST => {
            population.wanted = count;
            format!("{count} boids from the next step on")
        }
        _ => format!("`{word}` is not a number from 0 to {MOST}; for example: boids 20000"),
    }
}

/// Applies the file's number when it changes.
pub fn follow_file(tuning: Res<BoidsTuning>, mut population: ResMut<Population>) {
    if population.in_file != tuning.count {
        population.in_file = tuning.count;
        population.wanted = tuning.count.min(MOST);
    }
}

/// Spawns missing boids, or despawns the youngest if there are too many.
pub fn adjust(
    mut commands: Commands,
    population: Res<Population>,
    tuning: Res<BoidsTuning>,
    mut bounds: ResMut<Bounds>,
    mut rng: ResMut<GameRng>,
    mut ids: ResMut<StableIds>,
    boids: Query<(Entity, &StableId), With<Boid>>,
) {
    let (count, wanted) = (boids.count(), population.wanted as usize);
    if count == wanted {
        return;
    }
    bounds.set_if_neq(world_for(population.wanted, &tuning));
    if count > wanted {
        let mut by_age: Vec<_> = boids.iter().map(|(entity, id)| (*id, entity)).collect();
        by_age.sort_unstable();
        for (_, entity) in by_age.drain(wanted..) {
            commands.entity(entity).despawn();
        }
        return;
    }
    let flocks = tuning.flocks.max(1);
    for index in count..wanted {
        let flock = (index % usize::from(flocks)) as u8;
        let at = rng.point(bounds.half_size);
        commands.spawn(boid(&tuning, flock, ids.next_id(), at, rng.direction()));
    }
}

fn boid(tuning: &BoidsTuning, flock: u8, id: StableId, at: Vec2, along: Vec2) -> impl Bundle {
    (
        Boid,
        id,
        Position(at),
        Velocity(along * tuning.speed * 0.6),
        Heading::along(along),
        Radius(tuning.size),
        Flocker {
            flock,
            max_speed: tuning.speed,
            max_force: tuning.force,
            personal_space: 1.0,
            sight: 0.65,
        },
        Shape::new(Outline::Dart, tuning.size, color(flock)),
        despawn_on_unload!(),
    )
}

fn color(flock: u8) -> LinearRgba {
    Oklcha::new(0.74, 0.15, 205.0 + 83.0 * f32::from(flock), 1.0).into()
}

/// A wrapping world with room for `count` boids.
fn world_for(count: u32, tuning: &BoidsTuning) -> Bounds {
    let area = f64::from(count.max(500)) * f64::from(tuning.spacing).powi(2);
    let height = (area * 9.0 / 16.0).sqrt() as f32;
    Bounds { half_size: Vec2::new(height * 16.0 / 9.0, height) * 0.5, edge: Edge::Wrap }
}
