//! Colours of the arena that stay apart with every kind of colour vision: those of Okabe and Ito.
#![forbid(unsafe_code)]

use core_arena::{Bullet, Enemy, EnemyKind, Player, Team};
use core_physics::Shape;
use playground_api::prelude::*;

export_module! {
    kind: Plugins,
    requires: { core_arena: "^0.1", core_physics: "^0.1" },
    persist: [Original],
    build: build,
}

/// The colour that a body was made with.
#[persist]
#[derive(Component, Clone, Copy, Debug, Default, PartialEq)]
pub struct Original(pub LinearRgba);

fn build(module: &mut ModuleApp) {
    module.add_systems(PostUpdate, colour).add_systems(OnUnload, give_back);
}

type Body<'a> = (
    Entity,
    &'a mut Shape,
    Option<&'a Player>,
    Option<&'a Enemy>,
    Option<&'a Bullet>,
    Option<&'a Team>,
);

/// Gives bodies that have their own colour one of the palette.
fn colour(mut commands: Commands, mut bodies: Query<Body, Without<Original>>) {
    for (entity, mut shape, player, enemy, bullet, team) in &mut bodies {
        let color = match (player, enemy, bullet, team) {
            (Some(_), ..) => Srgba::rgb_u8(0x56, 0xb4, 0xe9),
            (_, Some(enemy), ..) => match enemy.kind {
                EnemyKind::Swarmer => Srgba::rgb_u8(0xe6, 0x9f, 0x00),
                EnemyKind::Gunner => Srgba::rgb_u8(0xcc, 0x79, 0xa7),
                EnemyKind::Brute => Srgba::rgb_u8(0xd5, 0x5e, 0x00),
            },
            (_, _, Some(_), Some(Team::Player)) => Srgba::rgb_u8(0xff, 0xff, 0xff),
            (_, _, Some(_), _) => Srgba::rgb_u8(0xf0, 0xe4, 0x42),
            _ => continue,
        };
        commands.entity(entity).insert(Original(shape.color));
        shape.color = color.into();
    }
}

/// Without the pack, bodies have the colours that they were made with.
fn give_back(mut commands: Commands, mut bodies: Query<(Entity, &mut Shape, &Original)>) {
    for (entity, mut shape, original) in &mut bodies {
        shape.color = original.0;
        commands.entity(entity).remove::<Original>();
    }
}
