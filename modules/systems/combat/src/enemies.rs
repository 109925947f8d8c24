//! Spawns enemies.

use core_arena::{Contact, Enemy, EnemyKind, Health, Team, Weapon};
use core_physics::{Flocker, Goal, Heading, Outline, Position, Radius, Shape, StableId, Velocity};
use playground_api::prelude::*;

use crate::tuning::CombatTuning;

/// The maximum radius of an enemy, in world units.
pub const LARGEST_RADIUS: f32 = 60.0;

/// Spawns one enemy at rest, with a white flash.
pub fn spawn(
    commands: &mut Commands,
    tuning: &CombatTuning,
    kind: EnemyKind,
    wave: u32,
    id: StableId,
    at: Vec2,
) {
    let enemy = tuning.enemy(kind);
    let speed = enemy.speed * (1.0 + tuning.speed_up * wave.saturating_sub(1) as f32);
    let (outline, color, personal_space) = look(kind);
    let mut spawned = commands.spawn((
        Enemy { kind },
        Team::Enemies,
        id,
        Position(at),
        Velocity::default(),
        Heading::along(-at),
        Radius((enemy.size * 0.9).min(LARGEST_RADIUS)),
        Health::full(enemy.health),
        Contact { damage: enemy.contact_damage, ..default() },
        Flocker {
            flock: kind as u8,
            max_speed: speed,
            max_force: enemy.force,
            personal_space,
            sight: 1.0,
        },
        Goal::default(),
        Shape { flash: 1.0, ..Shape::new(outline, enemy.size, color) },
        despawn_on_unload!(),
    ));
    if kind == EnemyKind::Gunner {
        spawned.insert(Weapon {
            interval_s: tuning.gunner_interval_s,
            cooldown_s: tuning.gunner_interval_s,
            bullet_speed: tuning.gunner_bullet_speed,
            damage: tuning.gunner_damage,
            spread: 0.08,
            trigger: true,
        });
    }
}

/// Outline, colour, and personal space as a multiple of the flocks' default.
fn look(kind: EnemyKind) -> (Outline, LinearRgba, f32) {
    match kind {
        EnemyKind::Swarmer => (Outline::Dart, LinearRgba::rgb(1.0, 0.16, 0.18), 1.5),
        EnemyKind::Gunner => (Outline::Diamond, LinearRgba::rgb(1.0, 0.55, 0.08), 3.0),
        EnemyKind::Brute => (Outline::Hexagon, LinearRgba::rgb(0.5, 0.16, 0.95), 3.5),
    }
}
