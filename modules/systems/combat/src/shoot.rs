//! Weapons cool down and fire.

use core_arena::{Bullet, Enemy, Fired, Player, Team, Weapon};
use core_physics::{
    GameRng, Heading, Outline, Position, Radius, Shape, StableId, StableIds, Velocity,
};
use playground_api::prelude::*;

use crate::tuning::CombatTuning;

/// Turns armed enemies to the player. Without a player they do not fire.
pub fn aim_gunners(
    player: Query<&Position, With<Player>>,
    mut gunners: Query<(&Position, &mut Heading, &mut Weapon), (With<Enemy>, Without<Player>)>,
) {
    let player = player.single().ok();
    for (position, mut heading, mut weapon) in &mut gunners {
        weapon.trigger = player.is_some();
        if let Some(player) = player {
            *heading = Heading::along(player.0 - position.0);
        }
    }
}

/// Spawns the bullets of all weapons that are ready, ordered by the bearers' ids, so that random
/// numbers are drawn in a deterministic order.
pub fn fire(
    mut commands: Commands,
    time: Res<Time>,
    tuning: Res<CombatTuning>,
    mut rng: ResMut<GameRng>,
    mut ids: ResMut<StableIds>,
    mut fired: MessageWriter<Fired>,
    mut bearers: Query<(&StableId, &Team, &Position, &Heading, &Radius, &mut Weapon)>,
) {
    let mut ready = Vec::new();
    for (id, team, position, heading, radius, mut weapon) in &mut bearers {
        weapon.cooldown_s = (weapon.cooldown_s - time.delta_secs()).max(0.0);
        if weapon.trigger && weapon.cooldown_s == 0.0 {
            weapon.cooldown_s = weapon.interval_s;
            ready.push((*id, *team, position.0, *heading, radius.0, weapon.clone()));
        }
    }
    ready.sort_unstable_by_key(|(id, ..)| *id);

    for (_, team, position, heading, radius, weapon) in ready {
        let heading = heading.turned(rng.range(-weapon.spread..weapon.spread));
        let along = heading.0;
        let at = position + along * radius;
        fired.write(Fired { team, at, along });
        commands.spawn((
            Bullet { damage: weapon.damage, left_s: tuning.bullet_life_s },
            team,
            ids.next_id(),
            Position(at),
            Velocity(along * weapon.bullet_speed),
            heading,
            Shape::new(Outline::Bolt, 9.0, color(team)),
            despawn_on_unload!(),
        ));
    }
}

fn color(team: Team) -> LinearRgba {
    match team {
        Team::Player => LinearRgba::rgb(0.75, 1.0, 0.95),
        Team::Enemies => LinearRgba::rgb(1.0, 0.6, 0.15),
    }
}
