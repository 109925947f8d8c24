//! Edits that shape types: values are carried over, storage is never shared between two layouts.

use playground_tests::{Scene, number};

use crate::{EXTRA, OBSERVE, SCENE};

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

/// A message that is written after its readers ran, so that one always waits.
const LATE_PING: &[(&str, &str)] = &[
    (
        "fn despawn(",
        "fn late(mut tally: ResMut<Tally>, mut pings: MessageWriter<Ping>) {\n    \
         tally.sent += 1;\n    pings.write(Ping::default());\n}\n\nfn despawn(",
    ),
    (
        "        .add_systems(Startup, spawn)",
        "        .add_systems(FixedLast, late)\n        .add_systems(Startup, spawn)",
    ),
    ("    pings.write(Ping);", "    pings.write(Ping::default());"),
];

#[test]
fn messages_go_on_in_another_form_each_read_once() {
    let mut scene = Scene::demo();
    scene.edit_all(
        SCENE,
        &[
            ("persist: [Body, Tally, Phase]", "persist: [Body, Tally, Phase, Ping]"),
            (
                "#[derive(Message, Clone, Debug)]\npub struct Ping;",
                "#[derive(Message, Persist, Clone, Debug, Default, Serialize, Deserialize)]\n\
                 pub struct Ping {\n    /// A number.\n    pub loudness: u8,\n}",
            ),
        ],
    );
    scene.edit_all("systems/walk/src/lib.rs", LATE_PING);
    scene.wait_for("swapped", "systems_walk");
    scene.frames(3);
    let waits = |scene: &mut Scene| {
        let tally = scene.tally();
        tally.get("sent") - tally.get("pings")
    };
    assert_eq!(waits(&mut scene), 1, "one is written after the readers ran");

    // The type changes while one waits: it is read in its new form, and no other one again.
    let swapped = scene.swap(SCENE, &[("pub loudness: u8", "pub loudness: u32")]);
    assert!(
        swapped["reason"].as_str().is_some_and(|reason| reason.contains("carried over")),
        "{swapped}"
    );
    assert_eq!(waits(&mut scene), 1, "{}", scene.story());
    scene.frames(3);
    assert_eq!(waits(&mut scene), 1);
    let tally = scene.tally();
    assert_eq!(tally.get("removed"), tally.get("despawned"), "{tally:?}");
    assert_eq!(tally.get("added"), 100, "{tally:?}");
}

/// What ties an entity to a state, a value that survives in a system, and what looks at them.
const TIED: &str = r#"
/// An entity of the first phase.
#[derive(Component)]
pub struct Tied;

/// What a system remembers.
#[derive(Persist, Serialize, Deserialize, Clone, Debug, Default)]
pub struct Memory {
    runs: u8,
}

fn tie(mut commands: Commands, tied: Query<(), With<DespawnOnExit<Phase>>>) {
    if tied.is_empty() {
        commands.spawn((DespawnOnExit(Phase::First), Tied));
    }
}

fn remember(mut memory: Keep<Memory>, mut extra: ResMut<Extra>) {
    memory.runs = memory.runs.saturating_add(1);
    extra.remembered = u64::from(memory.runs);
}

fn tied(In(_): In<Vec<String>>, tied: Query<&DespawnOnExit<Phase>>, extra: Res<Extra>) -> String {
    format!("tied={} remembered={}", tied.iter().count(), extra.remembered)
}

fn extra("#;

#[test]
fn bevys_wrappers_and_kept_locals_follow_to_a_new_epoch() {
    let mut scene = Scene::demo();
    scene.swap(
        EXTRA,
        &[
            ("use playground_api", "use core_scene::Phase;\nuse playground_api"),
            ("\nfn extra(", TIED),
            ("    pub runs: u64,", "    pub runs: u64,\n    remembered: u64,"),
            (
                "        .add_systems(OnLoad",
                "        .add_systems(OnLoad, tie)\n        .add_systems(FixedUpdate, remember.after(run))\n        \
                 .add_console_command(\"tied\", \"\", tied)\n        .add_systems(OnLoad",
            ),
        ],
    );
    scene.frames(20);
    let before = scene.console("tied");
    assert_eq!(number(&before, "tied"), Some(1), "{before}");
    let remembered = number(&before, "remembered").unwrap();
    assert!(remembered >= 20, "{before}");

    // The state's type, and with it everything in that core's dependents, gets a new form.
    scene.swap(
        SCENE,
        &[("    Second,", "    /// New.\n    Between,\n    /// The second.\n    Second,")],
    );
    scene.frames(2);
    let after = scene.console("tied");
    assert_eq!(number(&after, "tied"), Some(1), "{after}");
    assert!(number(&after, "remembered") > Some(remembered), "{before} {after}");
    assert_eq!(scene.console("phase"), "phase First");

    // `Keep` goes on in another form of its own type as well.
    scene.swap(EXTRA, &[("    runs: u8,\n", "    runs: u16,\n")]);
    scene.frames(2);
    assert!(number(&scene.console("tied"), "remembered") > Some(remembered));

    scene.console("phase second");
    scene.frames(3);
    assert_eq!(scene.console("phase"), "phase Second");
    assert_eq!(number(&scene.console("tied"), "tied"), Some(0), "it went with the phase");
}

#[test]
fn what_nobody_persists_is_named_when_it_goes() {
    let mut scene = Scene::demo();
    scene.frames(5);
    assert_eq!(number(&scene.console("extra"), "marks"), Some(1));
    // Another field in a persisted type: a new epoch, for the marker beside it as well.
    let field = ("    pub runs: u64,", "    pub runs: u64,\n    more: u8,");
    scene.edit_all(EXTRA, &[field]);
    scene.wait_for("swapped", "plugins_extra");
    let line = scene.wait_for_line("went with the old form");
    assert!(line.contains("1 value of `plugins_extra::Mark`"), "{line}");
    assert!(number(&scene.console("extra"), "runs") > Some(4), "what is persisted stays");

    // So are resources, and messages that wait; buffers of Bevy's that hold nothing are not.
    let cache = "/// Not worth keeping.\n#[derive(Resource, Default)]\npub struct Cache(u8);\n\n\
                 /// Its state.";
    scene.swap(
        EXTRA,
        &[
            ("/// Its state.", cache),
            ("init_resource::<Extra>()", "init_resource::<Extra>().init_resource::<Cache>()"),
        ],
    );
    scene.frames(5);
    scene.mark();
    scene.edit(
        SCENE,
        "    pub speed: f32,",
        "    pub speed: f32,\n    /// New.\n    pub mass: u8,",
    );
    scene.wait_for("swapped", "core_scene");
    let line = scene.wait_for_line("of `core_scene::Ping`");
    assert!(line.contains("went with the old form"), "{line}");
    assert!(line.contains("1 value of `plugins_extra::Cache`"), "{line}");
    assert!(!line.contains("Messages<") && !line.contains("NextState<"), "{line}");

    // `plan` tells before it happens.
    scene.frames(5);
    scene.mark();
    scene.write(EXTRA, &scene.read(EXTRA).replace("    more: u8,", "    more: u16,"));
    let plan = scene.console("plan plugins_extra");
    assert!(plan.contains("type migrated") && plan.contains("more: u8 -> u16"), "{plan}");
    assert!(plan.contains("1 value"), "{plan}");
}

#[test]
fn a_feature_that_shapes_a_type_is_an_edit_of_it() {
    let mut scene = Scene::demo();
    let field = "    pub runs: u64,\n    #[cfg(feature = \"wide\")]\n    pub wide: [u64; 8],";
    scene.edit(EXTRA, "    pub runs: u64,", field);
    scene.wait_for("swapped", "plugins_extra");
    scene.frames(5);
    let runs = number(&scene.console("extra"), "runs");
    scene.mark();
    let manifest = "plugins/extra/Cargo.toml";
    scene.edit(manifest, "[lints]", "[features]\ndefault = [\"wide\"]\nwide = []\n\n[lints]");
    let swapped = scene.wait_for("swapped", "plugins_extra");
    let reason = swapped["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("1 value carried over"), "{swapped}");
    assert!(number(&scene.console("extra"), "runs") >= runs);
}

/// A component whose hook and observer would count it a second time.
const COUNTED: &str = r#"
/// Counted when it comes.
#[derive(Component, Persist, Serialize, Deserialize, Clone, Debug, Default)]
#[component(on_add = came)]
pub struct Counted {
    value: u8,
}

fn came(mut world: bevy::ecs::world::DeferredWorld, _: bevy::ecs::lifecycle::HookContext) {
    if world.contains_resource::<Restoring>() {
        return;
    }
    if let Some(mut extra) = world.get_resource_mut::<Extra>() {
        extra.hooked += 1;
    }
}

fn seen(_: On<Add, Counted>, mut extra: ResMut<Extra>) {
    extra.observed += 1;
}

fn counted(In(words): In<Vec<String>>, mut commands: Commands, all: Query<&Counted>, extra: Res<Extra>) -> String {
    if words.first().is_some() {
        commands.spawn(Counted { value: 3 });
    }
    let sum: u32 = all.iter().map(|counted| u32::from(counted.value)).sum();
    format!("sum={sum} hooked={} observed={}", extra.hooked, extra.observed)
}

fn extra("#;

#[test]
fn a_value_that_only_changes_its_form_does_not_come_a_second_time() {
    let mut scene = Scene::demo();
    scene.swap(
        EXTRA,
        &[
            ("persist: [Extra]", "persist: [Extra, Counted]"),
            ("\nfn extra(", COUNTED),
            ("    pub runs: u64,", "    pub runs: u64,\n    hooked: u64,\n    observed: u64,"),
            (
                "        .add_systems(OnLoad",
                "        .add_observer(seen)\n        .add_console_command(\"counted\", \"\", counted)\n        .add_systems(OnLoad",
            ),
        ],
    );
    for _ in 0..3 {
        scene.console("counted more");
    }
    assert_eq!(scene.console("counted"), "sum=9 hooked=3 observed=3");
    scene.swap(
        EXTRA,
        &[
            ("    value: u8,", "    value: u8,\n    more: u8,"),
            ("value: 3 }", "value: 3, more: 0 }"),
        ],
    );
    assert_eq!(scene.console("counted"), "sum=9 hooked=3 observed=3");
    scene.console("counted more");
    assert_eq!(scene.console("counted"), "sum=12 hooked=4 observed=4");
}
