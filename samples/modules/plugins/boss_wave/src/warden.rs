//! The warden: how it comes, fires and shields itself.

use core_arena::{Bullet, Contact, Enemy, EnemyKind, Fired, GameState, Health, Player, Team, Wave};
use core_physics::{
    Bounds, Flocker, Goal, Heading, Outline, Position, Radius, Shape, StableIds, Velocity,
};
use playground_api::prelude::*;

/// A warden comes in every wave whose number this divides.
const WAVES: u32 = 3;
/// Half its length, in world units. The arena's grid allows bodies up to a radius of 60.
const SIZE: f32 = 52.0;
/// Health points, and those that each further warden has more.
const HEALTH: (i32, i32) = (90, 30);
/// Seconds between two rings, with full health and with none.
const INTERVAL_S: (f32, f32) = (2.6, 1.1);
/// Seconds for which the shield is up after a ring.
const SHIELD_S: f32 = 0.8;
/// Speed of the bullets, in world units per second.
const BULLET_SPEED: f32 = 260.0;

/// A boss.
#[persist]
#[derive(Component, Clone, Debug, Default, PartialEq)]
pub struct Warden {
    /// Seconds until the next ring of bullets.
    pub ring_in_s: f32,
    /// Seconds until the shield is down.
    pub shield_s: f32,
    /// The turn of the next ring, in radians.
    pub turn: f32,
    /// Its health at the last step: the shield gives it back.
    pub health: i32,
}

/// Wardens that are to come.
#[persist]
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub struct Summons {
    /// The number of wardens that wait to enter.
    pub waiting: u32,
    /// The last wave that was looked at.
    pub wave: u32,
    /// The number of wardens so far in this game.
    pub came: u32,
}

/// Calls a warden when its wave begins.
pub fn announce(wave: Res<Wave>, mut summons: ResMut<Summons>) {
    if wave.number == summons.wave {
        return;
    }
    if wave.number < summons.wave {
        // A new game.
        *summons = Summons::default();
    }
    summons.wave = wave.number;
    if wave.number > 0 && wave.number % WAVES == 0 {
        summons.waiting += 1;
    }
}

/// Lets a warden in at the edge of the arena, opposite to the player.
pub fn arrive(
    mut commands: Commands,
    bounds: Res<Bounds>,
    state: Res<State<GameState>>,
    mut ids: ResMut<StableIds>,
    mut summons: ResMut<Summons>,
    player: Query<&Position, With<Player>>,
) {
    let Ok(player) = player.single() else { return };
    if summons.waiting == 0 || *state.get() != GameState::Playing {
        return;
    }
    summons.waiting -= 1;
    let health = HEALTH.0 + HEALTH.1 * summons.came as i32;
    summons.came += 1;
    let at = Vec2::new(
        -player.0.x.signum() * (bounds.half_size.x - 2.0 * SIZE),
        -player.0.y.signum() * (bounds.half_size.y - 2.0 * SIZE),
    );
    commands.spawn((
        Name::new("warden"),
        Warden { ring_in_s: INTERVAL_S.0, health, ..default() },
        // The arena steers, counts and scores it as one of its own.
        Enemy { kind: EnemyKind::Brute },
        Team::Enemies,
        ids.next_id(),
        Position(at),
        Velocity::default(),
        Heading::along(-at),
        Radius(SIZE),
        Health::full(health),
        Contact { damage: 25, ..default() },
        Flocker {
            flock: u8::MAX,
            max_speed: 70.0,
            max_force: 160.0,
            personal_space: 5.0,
            sight: 1.0,
        },
        Goal::default(),
        Shape {
            flash: 1.0,
            ..Shape::new(Outline::Hexagon, SIZE, LinearRgba::rgb(0.85, 0.05, 0.4))
        },
    ));
}

/// Fires a ring of bullets whenever one is due, and puts the shield up.
pub fn fire_rings(
    mut commands: Commands,
    time: Res<Time>,
    mut ids: ResMut<StableIds>,
    mut fired: MessageWriter<Fired>,
    player: Query<(), With<Player>>,
    mut wardens: Query<(&mut Warden, &Position, &Health)>,
) {
    for (mut warden, position, health) in &mut wardens {
        warden.shield_s = (warden.shield_s - time.delta_secs()).max(0.0);
        warden.ring_in_s -= time.delta_secs();
        if warden.ring_in_s > 0.0 || player.is_empty() {
            continue;
        }
        let anger = 1.0 - health.fraction();
        warden.ring_in_s = INTERVAL_S.0 + (INTERVAL_S.1 - INTERVAL_S.0) * anger;
        warden.shield_s = SHIELD_S;
        let count = 12 + (12.0 * anger) as u32;
        for number in 0..count {
            let part = number as f32 / count as f32;
            let along = Vec2::from_angle(warden.turn + part * std::f32::consts::TAU);
            let at = position.0 + along * SIZE;
            fired.write(Fired { team: Team::Enemies, at, along });
            commands.spawn((
                Bullet { damage: 7, left_s: 5.0 },
                Team::Enemies,
                ids.next_id(),
                Position(at),
                Velocity(along * BULLET_SPEED),
                Heading(along),
                Shape::new(Outline::Bolt, 11.0, LinearRgba::rgb(1.0, 0.2, 0.55)),
                despawn_on_unload!(),
            ));
        }
        warden.turn += 0.21;
    }
}

/// Gives back what was lost while the shield is up.
pub fn shield(mut wardens: Query<(&mut Warden, &mut Health)>) {
    for (mut warden, mut health) in &mut wardens {
        if warden.shield_s > 0.0 && health.current < warden.health {
            health.current = warden.health;
        }
        warden.health = health.current;
    }
}
