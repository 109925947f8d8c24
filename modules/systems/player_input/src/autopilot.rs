//! Plays without a player.

use core_arena::{Bullet, Enemy, GameState, Player, PlayerIntent, Score, Team, Weapon};
use core_physics::{Bounds, Position, StableId, Velocity};
use playground_api::prelude::*;

/// Distance within which the autopilot flees from enemies, in world units.
const ENEMY_FEAR: f32 = 150.0;
/// Distance within which the autopilot flees from bullets, in world units.
const BULLET_FEAR: f32 = 70.0;
/// Distance of a threat within which the autopilot dashes, in world units.
const DASH_FEAR: f32 = 36.0;
/// Seconds from the end of a game to the start of the next one.
const PAUSE_S: f32 = 2.5;

/// True if the autopilot controls the ship.
pub fn flies(options: Res<RunOptions>) -> bool {
    options.autopilot
}

/// Shoots at the nearest enemy, and flees from near threats.
pub fn decide(
    state: Res<State<GameState>>,
    score: Res<Score>,
    bounds: Res<Bounds>,
    ship: Query<(&Position, &Weapon), With<Player>>,
    enemies: Query<(&StableId, &Position, &Velocity), With<Enemy>>,
    bullets: Query<(&StableId, &Position, &Velocity, &Team), With<Bullet>>,
    mut intent: ResMut<PlayerIntent>,
) {
    let restart = *state.get() == GameState::GameOver && score.over_for_s > PAUSE_S;
    *intent = PlayerIntent { restart, aim: intent.aim, ..PlayerIntent::default() };
    let Ok((ship, weapon)) = ship.single() else { return };

    // Ordered by id, since sums of floats depend on the order.
    let mut threats: Vec<Threat> =
        enemies
            .iter()
            .map(|(id, at, velocity)| Threat::new(*id, at.0, velocity.0, ship.0, ENEMY_FEAR))
            .chain(bullets.iter().filter(|(.., team)| **team == Team::Enemies).map(
                |(id, at, velocity, _)| Threat::new(*id, at.0, velocity.0, ship.0, BULLET_FEAR),
            ))
            .collect();
    threats.sort_unstable_by_key(|threat| threat.id);

    // To the middle, a little around it, and away from threats.
    let home = -ship.0 / bounds.half_size;
    let away: Vec2 = threats.iter().map(Threat::away).sum();
    let thrust = away * 1.6 + home * 1.2 + home.perp() * 0.5;
    intent.thrust = thrust.clamp_length_max(1.0);
    intent.dash = threats.iter().any(|threat| threat.offset.length() < DASH_FEAR);

    let nearest = threats
        .iter()
        .filter(|threat| threat.fear == ENEMY_FEAR)
        .min_by(|a, b| a.offset.length_squared().total_cmp(&b.offset.length_squared()));
    if let Some(target) = nearest {
        // The enemy's position when the bullet arrives.
        let flight_s = target.offset.length() / weapon.bullet_speed.max(1.0);
        intent.aim = ship.0 - target.offset + target.velocity * flight_s;
        intent.fire = true;
    }
}

/// Something to flee from.
struct Threat {
    id: StableId,
    /// From the threat to the ship.
    offset: Vec2,
    velocity: Vec2,
    fear: f32,
}

impl Threat {
    fn new(id: StableId, at: Vec2, velocity: Vec2, ship: Vec2, fear: f32) -> Self {
        Self { id, offset: ship - at, velocity, fear }
    }

    /// The direction away from the threat and out of its path, the longer the nearer the threat.
    fn away(&self) -> Vec2 {
        let nearness = (1.0 - self.offset.length() / self.fear).max(0.0);
        let aside = self.offset.reject_from_normalized(self.velocity.normalize_or(Vec2::X));
        (self.offset.normalize_or_zero() + aside.normalize_or_zero() * 0.7) * nearness
    }
}
