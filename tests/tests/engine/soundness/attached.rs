//! A core's functions that its dependents attach to their types, and a core's own files.

use std::fs;

use playground_tests::Scene;

use super::{Report, Row, component, live, outside, try_rows};
use crate::SCENE;

const FUNCTIONS: &str = r#"use bevy::ecs::lifecycle::HookContext;
use bevy::ecs::world::DeferredWorld;
use std::sync::atomic::{AtomicU32, Ordering};

/// Counts.
pub fn release(count: &AtomicU32) {
    count.fetch_add(amount(), Ordering::Relaxed);
}

fn amount() -> u32 {
    1
}

/// Counts, too.
pub fn seen(mut world: DeferredWorld, _: HookContext) {
    world.resource_mut::<Tally>().sent += 5;
}

/// A level.
pub fn level() -> u32 {
    3
}

/// Something that moves."#;

const ROWS: &[Row] = &[
    Row {
        name: "a `Drop` that calls a core's function",
        source: r#"use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

#[derive(Component, Debug, Default)]
pub struct Trail(Arc<AtomicU32>);

impl Drop for Trail {
    fn drop(&mut self) {
        core_scene::release(&self.0);
    }
}

fn probed(world: &mut World) -> String {
    let size = probe::<Trail>(world);
    let mut trails = world.query::<(Entity, &Trail)>();
    let trails: Vec<_> = trails.iter(world).map(|(id, trail)| (id, trail.0.clone())).collect();
    let mut dropped = 0;
    for (entity, count) in trails {
        world.despawn(entity);
        dropped += count.load(Ordering::Relaxed);
    }
    format!("{size}dropped={dropped} ")
}
"#,
        files: &[],
        before: Report(&[8], "dropped=1"),
        edits: &[
            live(
                SCENE,
                &[("count.fetch_add(amount()", "count.fetch_add(7 + amount()")],
                &[8],
                "dropped=8",
            ),
            live(SCENE, &[("u32 {\n    1\n}", "u32 {\n    2\n}")], &[8], "dropped=9"),
        ],
    },
    Row {
        name: "a hook that is a core's function",
        source: r#"use core_scene::Tally;

#[derive(Component)]
#[component(on_add = core_scene::seen)]
pub struct Seen;

fn probed(world: &mut World) -> String {
    let before = world.resource::<Tally>().sent;
    let entity = world.spawn(Seen).id();
    let size = size(world, Seen);
    world.despawn(entity);
    format!("{size}seen={} ", world.resource::<Tally>().sent - before)
}
"#,
        files: &[],
        before: Report(&[0], "seen=5"),
        edits: &[live(SCENE, &[("sent += 5", "sent += 6")], &[0], "seen=6")],
    },
    Row {
        name: "a required component that a core's function makes",
        source: r#"#[derive(Component, Debug, Default)]
#[require(Level = Level(core_scene::level()))]
pub struct Owner;

#[derive(Component, Debug)]
pub struct Level(u32);

fn probed(world: &mut World) -> String {
    let size = probe::<Owner>(world);
    let mut owners = world.query::<(Entity, &Level)>();
    let owners: Vec<_> = owners.iter(world).map(|(id, level)| (id, level.0)).collect();
    for (entity, _) in &owners {
        world.despawn(*entity);
    }
    format!("{size}levels={:?}", owners.iter().map(|(_, level)| level).collect::<Vec<_>>())
}
"#,
        files: &[],
        before: Report(&[0], "levels=[3]"),
        edits: &[live(SCENE, &[("u32 {\n    3\n}", "u32 {\n    4\n}")], &[0], "levels=[4]")],
    },
    Row {
        name: "an include of a core",
        source: "fn probed(world: &mut World) -> String {\n    \
                 probe::<core_scene::outer::Lock>(world) + &probe::<Held>(world)\n}\n\n\
                 #[derive(Component, Debug, Default)]\n\
                 pub struct Held(u64, core_scene::outer::Lock);\n",
        files: &[],
        before: Report(&[4, 16], "Held(0, Lock(0))"),
        edits: &[
            live(
                "../shared/core.rs",
                &[("u32", "[usize; 3]")],
                &[24, 32],
                "Held(0, Lock([0, 0, 0]))",
            ),
            live("../shared/core.rs", &[("[usize; 3]", "String")], &[24, 32], "Lock(\"\")"),
        ],
    },
];

#[test]
fn what_a_core_says_reaches_its_dependents_types() {
    let mut scene = Scene::demo();
    fs::write(outside(&scene, "shared/core.rs"), component!("Lock(u32)")).expect("a file");
    let functions = FUNCTIONS.replacen(
        "use bevy",
        "/// More.\npub mod outer {\n    \
         include!(\"../../../../shared/core.rs\");\n}\n\nuse bevy",
        1,
    );
    scene.swap(SCENE, &[("/// Something that moves.", &functions)]);
    try_rows(&mut scene, ROWS);
}
