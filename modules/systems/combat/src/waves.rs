//! Spawns waves of enemies.

use core_arena::{Enemy, EnemyKind, Health, Player, Wave};
use core_physics::{Bounds, GameRng, Position, StableIds};
use playground_api::prelude::*;

use crate::{enemies, tuning::CombatTuning};

/// Minimum distance of new enemies from the player, in world units.
const CLEARANCE: f32 = 380.0;

/// Spawns the wave's next group; when all enemies are dead, begins the next wave.
pub fn advance(
    mut commands: Commands,
    time: Res<Time>,
    tuning: Res<CombatTuning>,
    bounds: Res<Bounds>,
    mut rng: ResMut<GameRng>,
    mut ids: ResMut<StableIds>,
    mut wave: ResMut<Wave>,
    mut player: Query<(&Position, &mut Health), With<Player>>,
    enemies: Query<(), With<Enemy>>,
) {
    let Ok((player, mut health)) = player.single_mut() else { return };
    let all_in = wave.pending.iter().all(|left| *left == 0);
    if all_in && !enemies.is_empty() {
        wave.next_in_s = tuning.wave_pause_s;
        return;
    }
    wave.next_in_s -= time.delta_secs();
    if wave.next_in_s > 0.0 {
        return;
    }
    if all_in {
        wave.number += 1;
        wave.pending = enemies_of(wave.number);
        if wave.number > 1 {
            health.current = (health.current + tuning.heal).min(health.max);
        }
    }
    wave.next_in_s = tuning.group_interval_s;

    let gate = gate(&mut rng, &bounds, player.0);
    for _ in 0..tuning.group_size {
        let Some(kind) = draw_kind(&mut rng, &mut wave.pending) else { break };
        let at = gate + rng.direction() * rng.range(0.0..60.0);
        enemies::spawn(&mut commands, &tuning, kind, wave.number, ids.next_id(), at);
    }
}

/// The number of swarmers, gunners and brutes in a wave.
fn enemies_of(number: u32) -> [u32; 3] {
    [8 + 6 * number, number.saturating_sub(1) * 3 / 2, number / 2]
}

/// Picks one of the pending enemies, each with the same probability.
fn draw_kind(rng: &mut GameRng, pending: &mut [u32; 3]) -> Option<EnemyKind> {
    let total: u32 = pending.iter().sum();
    if total == 0 {
        return None;
    }
    let mut drawn = rng.index(0..total as usize) as u32;
    for (kind, left) in EnemyKind::ALL.into_iter().zip(pending) {
        if drawn < *left {
            *left -= 1;
            return Some(kind);
        }
        drawn -= *left;
    }
    None
}

/// A random place at the edge of the arena, away from the player.
fn gate(rng: &mut GameRng, bounds: &Bounds, player: Vec2) -> Vec2 {
    let mut gate = Vec2::ZERO;
    for _ in 0..8 {
        let point = rng.point(bounds.half_size);
        // Out to the nearer edge, in units of the half size.
        let unit = point / bounds.half_size;
        gate = point / unit.abs().max_element().max(0.01);
        if gate.distance(player) > CLEARANCE {
            break;
        }
    }
    gate
}
