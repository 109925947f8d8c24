//! Trails behind ships and bullets.
//!
//! Trails are purely visual: they follow bodies by [`StableId`] and draw on the canvas, so the game
//! is the same without them.
#![forbid(unsafe_code)]

mod trail;

use core_arena::{Bullet, Enemy, Player};
use core_canvas::{Canvas, CanvasSet, Layer};
use core_physics::{Position, Shape, StableId};
use playground_api::prelude::*;
use trail::{Style, Trails};

export_module! {
    kind: Plugins,
    requires: { core_physics: "^0.1", core_arena: "^0.1", core_canvas: "^0.1" },
    persist: [],
    build: build,
}

fn build(module: &mut ModuleApp) {
    module
        .init_resource::<Trails>()
        .add_systems(Update, (follow, draw).chain().in_set(CanvasSet::Draw))
        .add_systems(OnUnload, forget);
}

/// The bodies that leave a trail.
type Flying = Or<(With<Player>, With<Enemy>, With<Bullet>)>;

/// Extends all trails by one step.
fn follow(
    time: Res<Time>,
    mut trails: ResMut<Trails>,
    flying: Query<(&StableId, &Position, &Shape, Has<Bullet>, Has<Player>), Flying>,
) {
    trails.age(time.delta_secs());
    for (id, position, shape, is_bullet, is_player) in &flying {
        let style = match (is_bullet, is_player) {
            (true, _) => Style { life_s: 0.16, width: 4.0, opacity: 0.55 },
            (_, true) => Style { life_s: 0.45, width: shape.size * 0.8, opacity: 0.35 },
            _ => Style { life_s: 0.35, width: shape.size * 0.5, opacity: 0.22 },
        };
        trails.extend(*id, position.0, shape.color, style);
    }
}

/// Draws all trails, fading to their ends.
fn draw(trails: Res<Trails>, mut canvas: ResMut<Canvas>) {
    for trail in trails.iter() {
        for (older, newer) in trail.pieces() {
            canvas.ribbon(Layer::Trails, older, newer);
        }
    }
}

/// Removes all trails, which would be outdated when the plugin is enabled again.
fn forget(mut trails: ResMut<Trails>) {
    *trails = Trails::default();
}
