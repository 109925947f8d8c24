//! Detects hits by bullets and by touch.

use core_arena::{Bullet, Contact, Damage, Enemy, Player, Team};
use core_physics::{Bounds, Position, Radius, SpatialGrid, StableId, Velocity};
use playground_api::prelude::*;

use crate::{enemies::LARGEST_RADIUS, tuning::CombatTuning};

type Target<'a> = (Entity, &'a StableId, &'a Position, &'a Radius);

/// Lets each bullet hit the first body of the other team on its path in this step.
pub fn strike(
    mut commands: Commands,
    time: Res<Time>,
    grid: Res<SpatialGrid>,
    mut damage: MessageWriter<Damage>,
    bullets: Query<(Entity, &Bullet, &Team, &Position, &Velocity)>,
    player: Query<(Target, &Player)>,
    enemies: Query<Target, With<Enemy>>,
) {
    for (entity, bullet, team, position, velocity) in &bullets {
        let way = Way { to: position.0, step: velocity.0 * time.delta_secs() };
        let struck = match team {
            Team::Player => way.first_of(&grid, &enemies),
            Team::Enemies => player.iter().find_map(|((target, _, position, radius), player)| {
                let hit = way.meets(position.0, radius.0).is_some();
                (hit && !player.is_dashing()).then_some(target)
            }),
        };
        if let Some(target) = struck {
            let along = velocity.0.normalize_or_zero();
            damage.write(Damage { target, points: bullet.damage, at: position.0, along });
            commands.entity(entity).despawn();
        }
    }
}

/// Lets enemies hurt the player by touching it.
pub fn touch(
    time: Res<Time>,
    tuning: Res<CombatTuning>,
    mut damage: MessageWriter<Damage>,
    player: Query<(Entity, &Position, &Radius, &Player)>,
    mut enemies: Query<(&Position, &Radius, &mut Contact), Without<Player>>,
) {
    for (position, radius, mut contact) in &mut enemies {
        contact.cooldown_s = (contact.cooldown_s - time.delta_secs()).max(0.0);
        let Ok((target, at, reach, player)) = player.single() else { continue };
        let touches = position.0.distance(at.0) < radius.0 + reach.0;
        if touches && contact.cooldown_s == 0.0 && !player.is_dashing() {
            contact.cooldown_s = tuning.contact_interval_s;
            let along = (at.0 - position.0).normalize_or_zero();
            damage.write(Damage { target, points: contact.damage, at: at.0, along });
        }
    }
}

/// Despawns bullets whose lifetime is over or that left the world.
pub fn expire(
    mut commands: Commands,
    time: Res<Time>,
    bounds: Res<Bounds>,
    mut bullets: Query<(Entity, &mut Bullet, &Position)>,
) {
    for (entity, mut bullet, position) in &mut bullets {
        bullet.left_s -= time.delta_secs();
        if bullet.left_s <= 0.0 || bounds.excludes(position.0, 0.0) {
            commands.entity(entity).try_despawn();
        }
    }
}

/// The path of a bullet in this step.
struct Way {
    to: Vec2,
    step: Vec2,
}

impl Way {
    /// The position on the path where it meets a circle, from 0 to 1.
    fn meets(&self, center: Vec2, radius: f32) -> Option<f32> {
        let from = self.to - self.step;
        let along = (center - from).dot(self.step) / self.step.length_squared().max(0.01);
        let nearest = along.clamp(0.0, 1.0);
        let distance_squared = (from + self.step * nearest).distance_squared(center);
        (distance_squared < radius * radius).then_some(nearest)
    }

    /// The first enemy on the path; of two at the same place, the one with the lower id.
    fn first_of(&self, grid: &SpatialGrid, enemies: &Query<Target, With<Enemy>>) -> Option<Entity> {
        let mut first: Option<(f32, StableId, Entity)> = None;
        let reach = LARGEST_RADIUS + self.step.length();
        grid.visit(self.to, reach, |neighbour| {
            if let Ok((entity, id, position, radius)) = enemies.get(neighbour.entity)
                && let Some(along) = self.meets(position.0, radius.0)
                && first.is_none_or(|(best, best_id, _)| (along, *id) < (best, best_id))
            {
                first = Some((along, *id, entity));
            }
            true
        });
        first.map(|(_, _, entity)| entity)
    }
}
