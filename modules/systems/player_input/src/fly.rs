//! Applies the player's input to the ship.

use core_arena::{Player, PlayerIntent, Weapon};
use core_physics::{Heading, Position, Velocity};
use playground_api::prelude::*;

use crate::tuning::PlayerTuning;

/// Turns the ship to the aim, moves its velocity towards the thrust, dashes and fires.
pub fn obey(
    time: Res<Time>,
    tuning: Res<PlayerTuning>,
    mut intent: ResMut<PlayerIntent>,
    mut ships: Query<(&mut Player, &Position, &mut Velocity, &mut Heading, &mut Weapon)>,
) {
    let step_s = time.delta_secs();
    let wants_dash = std::mem::take(&mut intent.dash);
    for (mut ship, position, mut velocity, mut heading, mut weapon) in &mut ships {
        ship.dash_cooldown_s = (ship.dash_cooldown_s - step_s).max(0.0);
        ship.dash_left_s = (ship.dash_left_s - step_s).max(0.0);
        if wants_dash && ship.dash_cooldown_s == 0.0 && intent.thrust != Vec2::ZERO {
            ship.dash_interval_s = tuning.dash_interval_s;
            ship.dash_cooldown_s = tuning.dash_interval_s;
            ship.dash_left_s = tuning.dash_s;
            velocity.0 = intent.thrust.normalize_or_zero() * tuning.dash_speed;
        }
        if !ship.is_dashing() {
            let target = intent.thrust.clamp_length_max(1.0) * tuning.speed;
            let follow = 1.0 - (-tuning.response * step_s).exp();
            velocity.0 = velocity.0.lerp(target, follow);
        }
        if intent.aim != position.0 {
            *heading = Heading::along(intent.aim - position.0);
        }
        weapon.trigger = intent.fire;
    }
}
