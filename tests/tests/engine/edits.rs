//! Nothing of one edit leaks into another: an argument is of one request, a time of one save, a
//! process of one build.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use playground_tests::game::{kill, runs};
use playground_tests::{Scene, number};

use crate::{EXTRA, OTHER, SCENE, WALK};

/// Another field of the plugin's resource, which its systems and its command use.
const LIVES: &[(&str, &str)] = &[
    ("    pub runs: u64,", "    pub runs: u64,\n    /// Set by its system.\n    pub lives: u64,"),
    ("extra.runs += 1;", "extra.runs += 1;\n    extra.lives = 9;"),
    (
        "\"runs={} marks={}\", extra.runs,",
        "\"runs={} lives={} marks={}\", extra.runs, extra.lives,",
    ),
];

#[test]
fn force_is_of_one_module_and_one_attempt() {
    let mut scene = Scene::demo();
    scene.swap(EXTRA, LIVES);
    scene.frames(2);
    let broken = [("tally.version = 1;", "tally.version = nothing;")];
    scene.refusal("build_failed", WALK, &broken);
    scene.mark();
    scene.console("reload systems_walk --force");

    // A field of another module goes, and nobody allowed that.
    let without: Vec<(&str, &str)> =
        LIVES.iter().map(|(without, with)| (*with, *without)).collect();
    let reason = scene.refusal("refused", EXTRA, &without);
    assert!(reason.contains("H0605") && reason.contains("plugins_extra"), "{reason}");
    assert!(reason.contains("lives") && reason.contains("--force"), "{reason}");
    assert_eq!(scene.count("swapped"), 0, "{}", scene.story());
    let before = scene.console("extra");
    assert_eq!(number(&before, "lives"), Some(9), "the value is kept: {before}");
    scene.frames(5);
    let after = scene.console("extra");
    assert!(number(&after, "runs") > number(&before, "runs"), "the old code goes on: {after}");
    assert_eq!(number(&after, "lives"), Some(9), "{after}");

    // Mended, the first one goes live by itself, and what was asked about is still open.
    scene.swap(WALK, &[("tally.version = nothing;", "tally.version = 2;")]);
    scene.frames(2);
    assert_eq!(scene.exact_tally().get("version"), 2);
    assert_eq!(number(&scene.console("extra"), "lives"), Some(9), "{}", scene.story());
}

#[test]
fn a_save_goes_live_while_its_plan_is_asked_for() {
    let mut scene = Scene::demo();
    let second = "fn second(mut tally: ResMut<Tally>) {\n    tally.version = 2;\n}\n\nfn walk(";
    scene.edit_all(WALK, &[("(walk, despawn)", "(walk, second, despawn)"), ("fn walk(", second)]);
    scene.wait_for("build_started", "systems_walk");
    let plan = scene.console("plan systems_walk");
    assert!(plan.contains("systems_walk") && plan.contains("second"), "{plan}");
    scene.wait_for("swapped", "systems_walk");
    scene.frames(1);
    assert_eq!(scene.exact_tally().get("version"), 2);
    scene.frames(50);
    assert_eq!(scene.count("swapped"), 1, "{}", scene.story());
}

#[test]
fn the_time_of_a_repair_counts_from_its_own_save() {
    let mut scene = Scene::demo();
    let broken = [("tally.version = 1;", "tally.version = nothing;")];
    scene.refusal("build_failed", WALK, &broken);
    // Somebody thinks about it.
    let failed = Instant::now();
    scene.until("time passes", |_| failed.elapsed() > Duration::from_secs(4));
    let saved = Instant::now();
    let swapped = scene.swap(WALK, &[("tally.version = nothing;", "tally.version = 2;")]);
    let most = saved.elapsed().as_secs_f64() * 1000.0;
    let total = swapped["ms"]["total"].as_f64().expect("a swap has times");
    // A file's time may be one tick of the system's clock older.
    assert!(total > 0.0 && total < most + 50.0, "{total} of {most} ms: {swapped}");
}

#[test]
fn an_error_in_a_core_is_of_that_core_alone() {
    let mut scene = Scene::demo();
    let broken = [("self.x += self.speed", "self.x += nothing")];
    let reason = scene.refusal("build_failed", SCENE, &broken);
    assert!(reason.contains(&format!("modules/{SCENE}:")), "{reason}");
    assert!(reason.contains("cannot find value `nothing`"), "{reason}");
    scene.frames(50);
    let failed = scene.events().into_iter().filter(|event| event["event"] == "build_failed");
    let failed: Vec<String> = failed.map(|event| event["module"].to_string()).collect();
    assert_eq!(failed, ["\"core_scene\""], "{}", scene.story());
    let waits = scene.log().into_iter().filter(|line| line.contains("wait for"));
    let waits: Vec<String> = waits.collect();
    assert_eq!(waits.len(), 1, "{waits:?}\n{}", scene.story());
    // The walking, the observing and the other system, and both apps.
    assert!(waits[0].contains("5 modules wait for"), "{waits:?}");

    // Repaired, all of them go live together.
    let swapped = scene.swap(SCENE, &[("self.x += nothing", "self.x -= self.speed")]);
    assert_eq!(swapped["modules"].as_array().map(Vec::len), Some(5), "{swapped}");
    scene.exact_tally();
}

#[test]
fn a_broken_module_of_another_app_holds_up_nobody_and_is_shown_once() {
    let mut scene = Scene::demo();
    scene.refusal("build_failed", OTHER, &[("\"the other app\".to_owned()", "nothing")]);
    let error = "cannot find value `nothing`";
    // It links to the core, and is built again, but nobody waits for it.
    for (edits, times) in [
        (("self.x += self.speed", "self.x -= self.speed"), 1),
        (("pub speed: f32,", "pub speed: f32,\n    /// New.\n    pub mass: u64,"), 2),
    ] {
        scene.swap(SCENE, &[edits]);
        let still = |line: &String| line.contains("apps_other still not built");
        scene.until("it is built again", |scene| {
            scene.log().iter().filter(|line| still(line)).count() == times
        });
    }
    scene.swap(WALK, &[("tally.version = 1;", "tally.version = 2;")]);
    scene.frames(2);
    assert_eq!(scene.exact_tally().get("version"), 2);
    let log = scene.log();
    let count = |text: &str| log.iter().filter(|line| line.contains(text)).count();
    assert_eq!(count(error), 1, "{}", scene.story());
    assert_eq!(count("apps_other still not built"), 2, "{}", scene.story());
    // Its last good code was built with other types of the core.
    let told = scene.console("app other");
    assert!(told.contains("H0404") && told.contains("correct `apps_other`"), "{told}");
    scene.exact_tally();

    // Repaired, it can.
    scene.edit(OTHER, "nothing", "\"the other app\".to_owned()");
    scene.wait_for("build_started", "apps_other");
    scene.console("plan apps_other; app other");
    assert_eq!(scene.console("other"), "the other app", "{}", scene.story());
}

/// A linker that hangs the first time that it is called, with a process of its own below it.
const HANGS_ONCE: &str = r#"#!/bin/sh
if mkdir "$0.first" 2>/dev/null; then
    sleep 1000 &
    echo "$$ $!" > "$0.first/new"
    mv "$0.first/new" "$0.first/processes"
    wait
fi
exec "$0.own" "$@"
"#;

#[test]
fn a_cancelled_build_leaves_no_process() {
    let mut scene = Scene::demo();
    let linker = replace_linker(&scene, HANGS_ONCE);
    let processes = linker.with_extension("sh.first").join("processes");

    scene.edit(WALK, "tally.version = 1;", "tally.version = 2;");
    scene.until("the linker hangs", |_| processes.exists());
    let text = fs::read_to_string(&processes).expect("their numbers");
    let started: Vec<u32> = text.split_whitespace().flat_map(str::parse).collect();
    assert_eq!(started.len(), 2, "{text}");
    assert!(started.iter().all(|id| runs(*id)), "{text}");
    scene.swap(WALK, &[("tally.version = 2;", "tally.version = 3;")]);
    let left: Vec<u32> = started.into_iter().filter(|id| runs(*id)).collect();
    left.iter().for_each(|id| kill(*id));
    assert!(left.is_empty(), "the linker of a build that was replaced runs on: {left:?}");
    scene.frames(1);
    assert_eq!(scene.exact_tally().get("version"), 3);
}

/// Puts a script in the place of the linker, which is beside it as `link.sh.own`.
pub fn replace_linker(scene: &Scene, script: &str) -> PathBuf {
    let linker = find(&scene.root().join("target/playground"), "link.sh").expect("the linker");
    let own = linker.with_extension("sh.own");
    fs::rename(&linker, &own).expect("the linker");
    fs::copy(&own, &linker).expect("one of the same mode");
    fs::write(&linker, script).expect("a linker");
    linker
}

/// The file of that name in a folder or below it.
fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    for entry in fs::read_dir(folder).ok()?.flatten() {
        let path = entry.path();
        let found = if path.is_dir() { find(&path, name) } else { None };
        let own = path.file_name().is_some_and(|own| own == name).then_some(path);
        if let Some(found) = own.or(found) {
            return Some(found);
        }
    }
    None
}
