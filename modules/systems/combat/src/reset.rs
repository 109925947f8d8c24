//! Resets the arena for a new game.

use core_arena::{Bullet, Enemy, NewGame, Wave};
use playground_api::prelude::*;

/// Despawns all enemies and bullets, and restarts the waves.
pub fn clear_field(
    mut commands: Commands,
    mut games: MessageReader<NewGame>,
    mut wave: ResMut<Wave>,
    left: Query<Entity, Or<(With<Enemy>, With<Bullet>)>>,
) {
    if games.read().count() == 0 {
        return;
    }
    for entity in &left {
        commands.entity(entity).despawn();
    }
    *wave = Wave { next_in_s: 1.0, ..Wave::default() };
}
