//! Chooses the enemies' goals.

use core_arena::{Enemy, EnemyKind, Player};
use core_physics::{Goal, Position};
use playground_api::prelude::*;

use crate::tuning::CombatTuning;

/// Enemies pursue the player; gunners circle it at a distance. Without a player they drift to the
/// middle.
pub fn choose_goals(
    tuning: Res<CombatTuning>,
    player: Query<&Position, With<Player>>,
    mut enemies: Query<(&Enemy, &Position, &mut Goal)>,
) {
    let Ok(player) = player.single() else {
        for (_, _, mut goal) in &mut enemies {
            *goal = Goal { point: Vec2::ZERO, weight: 0.15 };
        }
        return;
    };
    for (enemy, position, mut goal) in &mut enemies {
        let point = match enemy.kind {
            EnemyKind::Swarmer | EnemyKind::Brute => player.0,
            EnemyKind::Gunner => circle(player.0, position.0, tuning.gunner_distance),
        };
        *goal = Goal { point, weight: tuning.enemy(enemy.kind).hunger };
    }
}

/// The point on the circle around `middle` that is half a radian ahead of `from`.
fn circle(middle: Vec2, from: Vec2, radius: f32) -> Vec2 {
    const AHEAD: Vec2 = Vec2::new(0.877_6, 0.479_4); // half a radian
    middle + (from - middle).normalize_or(Vec2::X).rotate(AHEAD) * radius
}
