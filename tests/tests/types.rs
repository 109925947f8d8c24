//! Edits that shape types: values are carried over, storage is never shared between two layouts.

use playground_tests::{Scene, number};

const OBSERVE: &str = "systems/observe/src/lib.rs";
const EXTRA: &str = "plugins/extra/src/lib.rs";
const SCENE: &str = "core/scene/src/lib.rs";

/// A component that nobody persists, which holds a core's type and an array of a core's length.
const SHADOW: &str = r#"
/// Holds what belongs to the core.
#[derive(Component)]
pub struct Shadow {
    before: u32,
    body: Body,
    trail: [u8; TRAIL],
    after: u32,
}

fn cast(shadows: Query<(), With<Shadow>>, mut commands: Commands) {
    if shadows.is_empty() {
        let body = Body::with_speed(3.0);
        commands.spawn(Shadow { before: 7, body, trail: [1; TRAIL], after: 8 });
    }
}

fn shadow(In(_): In<Vec<String>>, shadows: Query<&Shadow>) -> String {
    let whole = shadows.iter().all(|shadow| {
        shadow.before == 7
            && shadow.body.speed == 3.0
            && shadow.trail.iter().all(|part| *part == 1)
            && shadow.after == 8
    });
    let (count, size) = (shadows.iter().count(), size_of::<Shadow>());
    format!("count={count} size={size} whole={}", u8::from(whole))
}

fn observe("#;

#[test]
fn values_are_carried_over_by_the_names_of_their_fields() {
    let mut scene = Scene::demo();
    scene.edit(
        SCENE,
        "/// Something that moves.",
        "/// A length.\npub const TRAIL: usize = 4;\n\n/// Something that moves.",
    );
    scene.edit_all(
        OBSERVE,
        &[
            ("use core_scene::{Body,", "use core_scene::{Body, TRAIL,"),
            (
                "    module.add",
                "    module.add_systems(OnLoad, cast);\n    \
                 module.add_console_command(\"shadow\", \"what holds a core's type\", shadow);\n    \
                 module.add",
            ),
            ("\nfn observe(", SHADOW),
        ],
    );
    scene.wait_for("swapped", "systems_observe");
    assert_eq!(scene.console("phase second"), "phase First");
    scene.frames(2);
    assert_eq!(scene.console("phase"), "phase Second");
    let shadow = scene.console("shadow");
    assert_eq!(
        (number(&shadow, "count"), number(&shadow, "whole")),
        (Some(1), Some(1)),
        "{shadow}"
    );
    let size = number(&shadow, "size");

    // Fields are added, and a variant: the rest stays as it was. The component in the other module
    // has another layout now, and shares nothing with the one of old.
    let before = scene.tally();
    let swapped = scene.swap(
        SCENE,
        &[
            ("pub speed: f32,", "pub speed: f32,\n    /// New.\n    pub mass: u64,"),
            ("pub version: u64,", "/// New.\n    pub more: u64,\n    pub version: u64,"),
            ("    Second,", "    Second,\n    /// New.\n    Third,"),
        ],
    );
    assert!(
        swapped["reason"].as_str().is_some_and(|reason| reason.contains("carried over")),
        "{swapped}"
    );
    let after = scene.tally();
    assert!(after.get("walked") > before.get("walked"), "{before:?} {after:?}");
    assert!(after.get("sum") > before.get("sum"), "{before:?} {after:?}");
    assert_eq!(after.get("bodies") + after.get("despawned"), 100);
    assert_eq!(scene.console("phase"), "phase Second");
    let shadow = scene.console("shadow");
    assert_eq!(
        (number(&shadow, "count"), number(&shadow, "whole")),
        (Some(1), Some(1)),
        "{shadow}"
    );
    assert!(number(&shadow, "size") > size, "{shadow}");

    // A number gets wider, and a const makes an array longer.
    let before = scene.tally();
    let size = number(&shadow, "size");
    scene.swap(
        SCENE,
        &[
            ("pub x: f32", "pub x: f64"),
            ("self.x += self.speed", "self.x += f64::from(self.speed)"),
            ("TRAIL: usize = 4", "TRAIL: usize = 400"),
        ],
    );
    let after = scene.tally();
    assert!(after.get("sum") > before.get("sum"), "{before:?} {after:?}");
    assert_eq!(after.get("bodies") + after.get("despawned"), 100);
    let shadow = scene.console("shadow");
    assert_eq!(
        (number(&shadow, "count"), number(&shadow, "whole")),
        (Some(1), Some(1)),
        "{shadow}"
    );
    assert!(number(&shadow, "size") > size, "{shadow}");
    scene.frames(5);
    let tally = scene.tally();
    assert_eq!(tally.get("pings"), tally.get("sent"));
    assert_eq!(tally.get("removed"), tally.get("despawned"));
}

#[test]
fn edited_drops_and_hooks_run_their_new_code() {
    let mut scene = Scene::demo();
    scene.swap(
        EXTRA,
        &[
            (
                "#[derive(Component)]\npub struct Mark;",
                "#[derive(Component, Default, Persist, Serialize, Deserialize)]\n\
                 #[component(on_remove = gone)]\npub struct Mark;\n\n\
                 impl Drop for Mark {\n    fn drop(&mut self) {\n        \
                 DROPS.fetch_add(1, Ordering::Relaxed);\n    }\n}\n\n\
                 static DROPS: AtomicU32 = AtomicU32::new(0);\n\n\
                 fn gone(mut world: bevy::ecs::world::DeferredWorld, _: bevy::ecs::lifecycle::HookContext) {\n    \
                 if let Some(mut extra) = world.get_resource_mut::<Extra>() {\n        \
                 extra.runs += 1_000_000;\n    }\n}\n\n\
                 fn unmark(In(_): In<Vec<String>>, world: &mut World) -> String {\n    \
                 DROPS.store(0, Ordering::Relaxed);\n    \
                 let before = world.resource::<Extra>().runs;\n    \
                 let mut marks = world.query_filtered::<Entity, With<Mark>>();\n    \
                 let marks: Vec<Entity> = marks.iter(world).collect();\n    \
                 for mark in &marks {\n        world.despawn(*mark);\n    }\n    \
                 let hooked = world.resource::<Extra>().runs - before;\n    \
                 format!(\"marks={} drops={} hooked={hooked}\", marks.len(), DROPS.load(Ordering::Relaxed))\n}",
            ),
            ("persist: [Extra]", "persist: [Extra, Mark]"),
            ("use playground_api", "use std::sync::atomic::{AtomicU32, Ordering};\n\nuse playground_api"),
            ("        .add_systems(OnLoad", "        .add_console_command(\"unmark\", \"\", unmark)\n        .add_systems(OnLoad"),
        ],
    );
    // Carried-over values of the new type, whose storage began with this code.
    let swapped =
        scene.swap(EXTRA, &[("fetch_add(1,", "fetch_add(100,"), ("+= 1_000_000", "+= 2_000_000")]);
    assert!(!swapped["reason"].is_null(), "an edited `Drop` and hook make a new type: {swapped}");
    let marks = number(&scene.console("extra"), "marks").unwrap();
    assert!(marks > 0);
    let answer = scene.console("unmark");
    assert_eq!(number(&answer, "marks"), Some(marks));
    assert_eq!(number(&answer, "drops"), Some(100 * marks), "{answer}");
    assert_eq!(number(&answer, "hooked"), Some(2_000_000 * marks), "{answer}");
}

#[test]
fn what_a_swap_would_drop_is_refused_unless_forced() {
    let mut scene = Scene::demo();
    scene.frames(200);
    let reason = scene.refusal("refused", EXTRA, &[("persist: [Extra]", "persist: []")]);
    assert!(reason.contains("H0602") && reason.contains("plugins_extra"), "{reason}");
    assert!(reason.contains("Extra") && reason.contains("--force"), "{reason}");
    assert_eq!(scene.generation("plugins_extra"), 1);
    let before = number(&scene.console("extra"), "runs");
    assert!(before > Some(200));
    scene.frames(5);
    assert!(number(&scene.console("extra"), "runs") > before, "the old code goes on");

    scene.mark();
    scene.console("reload plugins_extra --force");
    scene.wait_for("swapped", "plugins_extra");
    let after = number(&scene.console("extra"), "runs");
    assert!(after < Some(200), "dropped, and made anew: {after:?}");
    let tally = scene.exact_tally();
    assert_eq!(tally.get("local"), tally.get("walked"), "nobody else noticed");
}
