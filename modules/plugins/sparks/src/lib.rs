//! Sparks for hits, and bursts for deaths.
//!
//! Sparks are purely visual: they do not draw from the game's random numbers.
#![forbid(unsafe_code)]

mod spark;

use core_arena::{Damage, Died, Fired};
use core_canvas::{Canvas, CanvasSet, Layer};
use playground_api::prelude::*;
use spark::{Burst, Sparks};

export_module! {
    kind: Plugins,
    requires: { core_arena: "^0.1", core_canvas: "^0.1" },
    persist: [],
    build: build,
}

fn build(module: &mut ModuleApp) {
    module
        .init_resource::<Sparks>()
        .add_systems(Update, (burst, fly, draw).chain().in_set(CanvasSet::Draw))
        .add_systems(OnUnload, forget);
}

/// Adds sparks for the messages since the last frame.
fn burst(
    mut damage: MessageReader<Damage>,
    mut died: MessageReader<Died>,
    mut fired: MessageReader<Fired>,
    mut sparks: ResMut<Sparks>,
) {
    for hit in damage.read() {
        let color = LinearRgba::rgb(1.0, 0.85, 0.5);
        sparks.throw(Burst { at: hit.at, along: -hit.along, count: 5, speed: 190.0, color });
    }
    for shot in fired.read() {
        let color = LinearRgba::rgb(0.8, 0.9, 1.0);
        sparks.throw(Burst { at: shot.at, along: shot.along, count: 2, speed: 130.0, color });
    }
    for death in died.read() {
        let count = (death.size * 1.6) as u32 + 6;
        let speed = 150.0 + 6.0 * death.size;
        let (at, color) = (death.at, death.color);
        sparks.throw(Burst { at, along: Vec2::ZERO, count, speed, color });
        sparks.ring(at, death.size, color);
    }
}

/// Advances sparks and rings.
fn fly(time: Res<Time>, mut sparks: ResMut<Sparks>) {
    sparks.advance(time.delta_secs());
}

/// Draws sparks as short streaks, and rings.
fn draw(sparks: Res<Sparks>, mut canvas: ResMut<Canvas>) {
    for spark in sparks.sparks() {
        let strength = spark.strength();
        let tail = spark.at - spark.velocity * 0.035;
        let head = spark.color.with_alpha(strength);
        let end = spark.color.with_alpha(0.0);
        let width = 3.2 * strength.sqrt();
        canvas.ribbon(Layer::Effects, (tail, 0.5, end), (spark.at, width, head));
    }
    for ring in sparks.rings() {
        let strength = ring.strength();
        let color = ring.color.with_alpha(strength * 0.6);
        canvas.ring(Layer::Effects, ring.at, ring.radius(), 3.0 * strength, color);
    }
}

fn forget(mut sparks: ResMut<Sparks>) {
    *sparks = Sparks::default();
}
