//! Dependents of an edited core: they are checked before its library exists, and what does not run is
//! built after the edit is live.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use playground_tests::Scene;

use crate::edits::replace_linker;
use crate::relinked::assert_compiled_alike;
use crate::{SCENE, WALK};

/// A linker that waits for a line in a pipe before it links the core.
const WAITS: &str = r#"#!/bin/sh
case "$*" in
*libcore_scene.so*) read -r line <"$0.gate" ;;
esac
exec "$0.own" "$@"
"#;

#[test]
fn errors_of_dependents_are_known_before_the_core_is_linked() {
    let mut scene = Scene::demo();
    let linker = replace_linker(&scene, WAITS);
    let beside = |ending: &str| linker.with_extension(format!("sh.{ending}"));
    assert!(Command::new("mkfifo").arg(beside("gate")).status().expect("mkfifo").success());

    let (walked, added) = ("pub walked: u64", "pub added: u64");
    scene.edit_all(SCENE, &[(walked, "pub walks: u64"), (added, "pub adds: u64")]);
    // All three use one of the fields, and the core waits for its linker.
    let broken = ["apps_demo", "systems_observe", "systems_walk"];
    for module in broken {
        scene.wait_for("build_failed", module);
    }
    assert_eq!(scene.count("swapped"), 0, "{}", scene.story());

    // Taken back, the core's compilation is cancelled, and nothing is left to do.
    scene.edit_all(SCENE, &[("pub walks: u64", walked), ("pub adds: u64", added)]);
    fs::rename(beside("own"), &linker).expect("the linker");
    scene.swap(SCENE, &[("self.x += self.speed", "self.x += self.speed + 0.0")]);
    scene.exact_tally();
    let failed = scene.events().into_iter().filter(|event| event["event"] == "build_failed");
    let failed: Vec<String> = failed.map(|it| it["module"].as_str().unwrap().to_owned()).collect();
    assert_eq!(failed.len(), broken.len(), "each once: {failed:?}");
    assert_eq!(failed.iter().map(String::as_str).collect::<BTreeSet<_>>(), broken.into());
}

#[test]
fn modules_that_do_not_run_are_built_once_the_edit_is_live_and_causes_are_named() {
    let mut scene = Scene::demo();
    scene.mark();
    let event = scene.swap(SCENE, &[("pub speed: f32,", "pub speed: f32,\n    pub mass: u64,")]);
    assert_eq!(event["modules"].as_array().map(Vec::len), Some(5), "{event}");
    scene.wait_for("build_started", "apps_other");
    let place = |kind: &str, module: &str| {
        let is_it = |event: &serde_json::Value| event["event"] == kind && event["module"] == module;
        scene.events().iter().position(is_it)
    };
    let (swapped, other) = (place("swapped", "core_scene"), place("build_started", "apps_other"));
    assert!(swapped < other, "{}", scene.story());
    // Compiled before the core had a library, it is what it would be after.
    assert_compiled_alike(&mut scene, "systems_walk");
    let shared = "code that the types of core_scene share changed";
    let line = format!("{shared}: 4 other modules compiled");
    assert!(scene.log().iter().any(|text| text.contains(&line)), "{}", scene.story());

    scene.swap(SCENE, &[("self.x += self.speed", "self.x -= self.speed")]);
    let why = scene.console("why systems_walk");
    assert!(why.contains("only linked again"), "{why}");
    assert!(why.contains("function bodies of core_scene changed"), "{why}");
    let why = scene.console("why core_scene");
    assert!(why.contains(&format!("modules/{SCENE} was written")), "{why}");
    scene.swap(SCENE, &[("pub mass: u64,", "pub mass: u32,")]);
    let why = scene.console("why systems_observe");
    assert!(why.contains(shared) && why.contains(" → "), "{why}");
    scene.swap(WALK, &[("tally.version = 1;", "tally.version = 2;")]);
    let why = scene.console("why systems_walk");
    assert!(why.contains(&format!("modules/{WALK} was written")), "{why}");
    assert!(!why.contains("core_scene"), "{why}");

    // The other app runs with the core's newest types.
    scene.console("app other");
    assert_eq!(scene.console("other"), "the other app", "{}", scene.story());
}
