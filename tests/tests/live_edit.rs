//! Edits of running modules.

use playground_tests::Scene;

#[test]
fn a_body_edit_of_a_system_goes_live_and_keeps_the_world() {
    let mut scene = Scene::demo();
    scene.frames(20);
    let before = scene.tally();
    scene.edit("systems/walk/src/lib.rs", "tally.version = 1", "tally.version = 2");
    let swapped = scene.wait_for("swapped", "systems_walk");
    assert_eq!(swapped["generation"], 2);
    scene.frames(1);
    let after = scene.tally();
    assert_eq!(after.get("version"), 2);
    assert!(after.get("walked") > before.get("walked"), "{before:?} {after:?}");
    assert_eq!(after.get("added"), 100);
    assert_eq!(after.get("pings"), after.get("sent"));
    assert_eq!(after.get("removed"), after.get("despawned"));
    assert_eq!(after.get("local"), after.get("walked"));
}
