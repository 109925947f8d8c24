//! Edits of running modules: code changes, the world stays.

use playground_tests::{Scene, number};

use crate::{DEMO, EXTRA, OBSERVE, SCENE, WALK};

#[test]
fn a_body_of_every_kind_is_edited_and_the_world_stays() {
    let mut scene = Scene::demo();
    scene.frames(20);
    let before = scene.exact_tally();

    // A system. Modules outside of the swap notice nothing: the other one's `Local` counts on.
    let swapped = scene.swap(WALK, &[("tally.version = 1", "tally.version = 2")]);
    assert_eq!(swapped["module"], "systems_walk");
    assert_eq!(swapped["generation"], 2);
    assert_eq!(swapped["modules"].as_array().map(Vec::len), Some(1));
    scene.frames(1);
    let after = scene.exact_tally();
    assert_eq!(after.get("version"), 2);
    assert!(after.get("walked") > before.get("walked"), "{before:?} {after:?}");
    assert_eq!(after.get("local"), after.get("walked"));

    // A plugin: its resource and its entities stay.
    let before = scene.console("extra");
    scene.swap(EXTRA, &[("extra.runs += 1", "extra.runs += 1_000_000")]);
    scene.frames(1);
    let after = scene.console("extra");
    assert!(number(&after, "runs") >= number(&before, "runs").map(|runs| runs + 1_000_000));
    assert_eq!(number(&after, "marks"), Some(1));

    // An app.
    scene.swap(DEMO, &[("\"phase {:?}\"", "\"the phase is {:?}\"")]);
    assert_eq!(scene.console("phase"), "the phase is First");
    let tally = scene.exact_tally();
    assert_eq!(tally.get("local"), tally.get("walked"));

    // A core crate: all that link to it come along, in one transaction. Its types are the same, so
    // nobody sees a body for the first time again.
    let events = scene.events().len();
    let before = scene.tally();
    let swapped = scene.swap(SCENE, &[("self.x += self.speed", "self.x = self.speed")]);
    scene.frames(1);
    let mut modules: Vec<&str> = swapped["modules"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|m| m["module"].as_str())
        .collect();
    modules.sort_unstable();
    let all = ["apps_demo", "core_scene", "plugins_extra", "systems_observe", "systems_walk"];
    assert_eq!(modules, all);
    assert_eq!(swapped["module"], "core_scene");
    assert!(swapped["reason"].is_null(), "nothing is carried over: {swapped}");
    let events = scene.events().split_off(events);
    assert_eq!(events.iter().filter(|event| event["event"] == "swapped").count(), 1);
    let after = scene.exact_tally();
    assert!(after.get("walked") > before.get("walked"), "{before:?} {after:?}");
    assert_eq!(after.get("version"), 2);
    assert!(after.get("sum") < before.get("sum"), "{before:?} {after:?}");
    let runs = number(&scene.console("extra"), "runs");
    assert!(runs > Some(1_000_000), "{runs:?}");
    // The observing system is a new one, so its `Local` began anew.
    assert!(after.get("local") < after.get("walked"), "{after:?}");

    scene
        .until("all are committed", |scene| scene.event("committed", Some("core_scene")).is_some());
    for module in all {
        assert!(scene.event("committed", Some(module)).is_some(), "{module}\n{}", scene.story());
    }
}

#[test]
fn a_swapped_module_sees_nothing_twice_and_misses_nothing() {
    let mut scene = Scene::demo();
    for round in 2..6 {
        let (from, to) = (format!("runs += {}", round - 1), format!("runs += {round}"));
        scene.swap(OBSERVE, &[(&from, &to)]);
        scene.exact_tally();
        scene.frames(3);
        let tally = scene.exact_tally();
        assert_eq!(
            tally.get("local") % round,
            0,
            "a new `Local`, counted by the new code: {tally:?}"
        );
        // A save without a change of behaviour: the module that writes is a new one as well.
        scene.mark();
        scene.console("reload systems_walk");
        scene.frames(round as u64);
        scene.exact_tally();
    }
    assert_eq!(scene.generation("systems_observe"), 5);
    assert_eq!(scene.generation("systems_walk"), 5);
}

/// A second system in the observing module, and what belongs to it.
const COUNT: &str = r#"
fn build(module: &mut ModuleApp) {
    module
        .init_resource::<Seen>()
        .add_systems(FixedFirst, count)
        .add_console_command("seen", "what the second system saw", seen)
"#;

const SEEN: &str = r#"
/// What the second system saw.
#[derive(Resource, Debug, Default, Persist, Serialize, Deserialize)]
pub struct Seen {
    runs: u64,
    sent: u64,
    bodies: u64,
}

fn count(mut seen: ResMut<Seen>, tally: Res<Tally>) {
    seen.runs += 1;
    seen.sent = tally.sent;
}

fn seen(In(_): In<Vec<String>>, seen: Res<Seen>, tally: Res<Tally>) -> String {
    format!("runs={} behind={} bodies={}", seen.runs, tally.sent - seen.sent, seen.bodies)
}

fn seldom(tally: Res<Tally>) -> bool {
    tally.sent % 4 == 0
}

fn never() -> bool {
    false
}

fn observe("#;

#[test]
fn systems_come_move_change_and_go() {
    let mut scene = Scene::demo();
    scene.frames(5);
    let runs = |scene: &mut Scene| number(&scene.console("seen"), "runs").unwrap();
    let grows_by = |scene: &mut Scene, frames: u64| {
        let before = runs(scene);
        scene.console(&format!("wait {frames}"));
        // The command that asks is one frame behind the one that waited.
        (runs(scene) - before) as f64 / frames as f64
    };

    // A system, a resource and a command are added.
    scene.swap(
        OBSERVE,
        &[
            ("\nfn build(module: &mut ModuleApp) {\n    module", COUNT.trim_end()),
            ("\nfn observe(", SEEN),
            ("persist: []", "persist: [Seen]"),
        ],
    );
    scene.frames(2);
    assert_eq!(number(&scene.console("seen"), "behind"), Some(1), "it runs before the sender");
    assert!(grows_by(&mut scene, 20) >= 1.0);
    scene.exact_tally();

    // It moves to another schedule, and its resource stays.
    let before = runs(&mut scene);
    scene.swap(OBSERVE, &[("(FixedFirst, count)", "(FixedPostUpdate, count)")]);
    scene.frames(2);
    assert_eq!(number(&scene.console("seen"), "behind"), Some(0), "it runs after the sender");
    assert!(runs(&mut scene) > before);
    let growth = grows_by(&mut scene, 40);
    assert!((1.0..1.5).contains(&growth), "it left the old schedule: {growth}");

    // It gets a condition, another one, and other parameters.
    scene.swap(OBSERVE, &[("FixedPostUpdate, count)", "FixedPostUpdate, count.run_if(seldom))")]);
    scene.frames(2);
    let growth = grows_by(&mut scene, 80);
    assert!((0.1..0.5).contains(&growth), "a quarter of the frames: {growth}");
    scene.swap(OBSERVE, &[("count.run_if(seldom)", "count.run_if(never)")]);
    scene.frames(2);
    assert_eq!(grows_by(&mut scene, 20), 0.0);
    scene.swap(
        OBSERVE,
        &[
            ("count.run_if(never)", "count"),
            ("fn count(", "fn count(bodies: Query<&Body>, "),
            ("seen.runs += 1", "seen.bodies = bodies.iter().count() as u64;\n    seen.runs += 1"),
        ],
    );
    scene.frames(2);
    let answer = scene.console("seen");
    assert!(number(&answer, "bodies") > Some(0), "{answer}");
    assert!(grows_by(&mut scene, 20) >= 1.0);

    // It goes.
    scene.swap(OBSERVE, &[("        .add_systems(FixedPostUpdate, count)\n", "")]);
    scene.frames(2);
    assert_eq!(grows_by(&mut scene, 20), 0.0);
    // In all that, nobody else noticed anything.
    let tally = scene.exact_tally();
    assert!(tally.get("local") > 0);
}

#[test]
fn a_set_gets_another_run_condition() {
    let mut scene = Scene::demo();
    let sets = "(SceneSet::Write, SceneSet::Read).chain()";
    let never = "(SceneSet::Write, SceneSet::Read.run_if(never)).chain()";
    let always = "(SceneSet::Write, SceneSet::Read.run_if(always)).chain()";
    let functions = "fn never() -> bool {\n    false\n}\n\nfn always() -> bool {\n    true\n}\n\n\
                     /// Something that moves.";
    let steps = |scene: &mut Scene| {
        let before = scene.tally();
        scene.frames(10);
        let after = scene.tally();
        let grown = |name| after.get(name) - before.get(name);
        (grown("walked"), grown("local"))
    };
    scene.swap(SCENE, &[(sets, never), ("/// Something that moves.", functions)]);
    let (walked, local) = steps(&mut scene);
    assert!(walked >= 10 && local == 0, "the set rests: {walked} {local}");
    scene.swap(SCENE, &[(never, always)]);
    let (walked, local) = steps(&mut scene);
    assert!(walked >= 10 && walked == local, "the old condition is gone: {walked} {local}");
    scene.swap(SCENE, &[(always, sets)]);
    let (walked, local) = steps(&mut scene);
    assert!(walked >= 10 && walked == local, "and so is the last one: {walked} {local}");
}

const LATE: &str = r#"//! Comes later.
#![forbid(unsafe_code)]

use playground_api::prelude::*;

export_module! {
    kind: Plugins,
    requires: { core_scene: "^0.1" },
    persist: [Late],
    build: build,
}

/// Its state.
#[derive(Resource, Debug, Default, Persist, Serialize, Deserialize)]
pub struct Late {
    runs: u64,
}

fn build(module: &mut ModuleApp) {
    module
        .init_resource::<Late>()
        .add_systems(FixedUpdate, run)
        .add_console_command("late", "how often the late module ran", late);
}

fn run(mut late: ResMut<Late>) {
    late.runs += 1;
}

fn late(In(_): In<Vec<String>>, late: Res<Late>) -> String {
    format!("runs={}", late.runs)
}
"#;

fn wait_until_late_runs(scene: &mut Scene) {
    scene.until("the new module runs", |scene| {
        let entered = |kind| scene.event(kind, Some("plugins_late")).is_some();
        entered("swapped") || entered("enabled")
    });
}

#[test]
fn a_module_folder_comes_and_goes_while_the_game_runs() {
    let mut scene = Scene::demo();
    scene.frames(5);
    let manifest = scene.read("plugins/extra/Cargo.toml").replace("plugins_extra", "plugins_late");
    let add = |scene: &mut Scene| {
        scene.write("plugins/late/Cargo.toml", &manifest);
        scene.write("plugins/late/src/lib.rs", LATE);
        wait_until_late_runs(scene);
    };
    add(&mut scene);
    scene.frames(100);
    let runs = number(&scene.console("late"), "runs");
    assert!(runs >= Some(100), "{runs:?}");

    scene.remove("plugins/late");
    scene.wait_for("disabled", "plugins_late");
    assert!(scene.console("late").contains("there is no command `late`"));
    assert!(!scene.console("modules").contains("plugins_late"));
    let before = scene.exact_tally();
    scene.frames(5);
    let after = scene.exact_tally();
    assert!(after.get("walked") > before.get("walked"), "the game goes on");
    assert_eq!(after.get("local"), after.get("walked"), "nobody else noticed");

    // What it kept went with its folder.
    add(&mut scene);
    let runs = number(&scene.console("late"), "runs");
    assert!(runs < Some(100), "{runs:?}");
    let tally = scene.exact_tally();
    assert_eq!(tally.get("local"), tally.get("walked"));
}

#[test]
fn a_module_folder_that_goes_while_its_module_is_built_leaves() {
    let mut scene = Scene::demo();
    scene.frames(5);
    let manifest = scene.read("plugins/extra/Cargo.toml").replace("plugins_extra", "plugins_late");
    scene.write("plugins/late/Cargo.toml", &manifest);
    scene.write("plugins/late/src/lib.rs", LATE);
    scene.wait_for("swapped", "plugins_late");
    let edited = LATE.replace("late.runs += 1", "late.runs += 2");
    let broken = edited.replace("late.runs", "late.walks");
    for edit in [edited, broken] {
        scene.write("plugins/late/src/lib.rs", &edit);
        scene.until("its build begins", |scene| {
            scene.event("build_started", Some("plugins_late")).is_some()
        });
        scene.remove("plugins/late");
        scene.until("it has left", |scene| scene.event("disabled", Some("plugins_late")).is_some());
        assert!(!scene.console("modules").contains("plugins_late"));

        scene.write("plugins/late/Cargo.toml", &manifest);
        scene.write("plugins/late/src/lib.rs", LATE);
        wait_until_late_runs(&mut scene);
        scene.frames(2);
        assert!(scene.console("late").contains("runs="));
    }
    let tally = scene.exact_tally();
    assert_eq!(tally.get("local"), tally.get("walked"));
}

#[test]
fn an_edit_of_a_core_goes_live_once_a_dependent_that_does_not_compile_is_gone_or_unlinked() {
    let mut scene = Scene::demo();
    let core = "core/scene/src/lib.rs";
    scene.frames(5);
    let manifest = scene.read("plugins/extra/Cargo.toml").replace("plugins_extra", "plugins_late");
    let with_limit = scene.read(core) + "\n/// A limit.\npub const LIMIT: u64 = 1000;\n";
    let late = LATE.replace("late.runs += 1", "late.runs += core_scene::LIMIT / 1000");
    let unlinked = manifest.replace("core_scene = { path = \"../../core/scene\" }\n", "");
    assert_ne!(manifest, unlinked);
    for unlinks in [false, true] {
        scene.write(core, &with_limit);
        scene.wait_for("swapped", "core_scene");
        scene.write("plugins/late/Cargo.toml", &manifest);
        scene.write("plugins/late/src/lib.rs", &late);
        wait_until_late_runs(&mut scene);
        let renamed = format!("LIMIT_{unlinks}").to_uppercase();
        scene.edit(core, "const LIMIT", &format!("const {renamed}"));
        scene.wait_for("build_failed", "plugins_late");
        let before = scene.generation("core_scene");
        if unlinks {
            scene.write("plugins/late/src/lib.rs", LATE);
            scene.write("plugins/late/Cargo.toml", &unlinked);
        } else {
            scene.remove("plugins/late");
        }
        scene.until("the core is live", |scene| {
            scene.event("swapped", Some("core_scene")).is_some()
        });
        assert_eq!(scene.generation("core_scene"), before + 1);
        assert_eq!(scene.console("modules").contains("plugins_late"), unlinks);
        scene.frames(5);
        scene.exact_tally();
    }
    wait_until_late_runs(&mut scene);
}
