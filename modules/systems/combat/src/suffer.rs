//! Applies damage, and despawns dead fighters.

use core_arena::{Damage, Died, Enemy, Health};
use core_physics::{Position, Shape, StableId};
use playground_api::prelude::*;

/// Seconds until a flash has faded.
const FLASH_S: f32 = 0.18;

/// Lets flashes fade.
pub fn fade_flashes(time: Res<Time>, mut shapes: Query<&mut Shape, With<Health>>) {
    for mut shape in &mut shapes {
        if shape.flash > 0.0 {
            shape.flash = (shape.flash - time.delta_secs() / FLASH_S).max(0.0);
        }
    }
}

/// Reduces the health of fighters that were hit, and lets them flash.
pub fn lose_health(
    mut damage: MessageReader<Damage>,
    mut fighters: Query<(&mut Health, &mut Shape)>,
) {
    for hit in damage.read() {
        if let Ok((mut health, mut shape)) = fighters.get_mut(hit.target) {
            health.current -= hit.points;
            shape.flash = 1.0;
        }
    }
}

/// Despawns fighters without health, in the order of their ids.
pub fn die(
    mut commands: Commands,
    mut died: MessageWriter<Died>,
    fighters: Query<(Entity, &StableId, &Health, &Position, &Shape, Option<&Enemy>)>,
) {
    let mut dead: Vec<_> = fighters.iter().filter(|(_, _, health, ..)| health.is_spent()).collect();
    dead.sort_unstable_by_key(|(_, id, ..)| **id);
    for (entity, _, _, position, shape, enemy) in dead {
        died.write(Died {
            enemy: enemy.map(|enemy| enemy.kind),
            at: position.0,
            color: shape.color,
            size: shape.size,
        });
        commands.entity(entity).despawn();
    }
}
