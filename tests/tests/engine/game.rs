//! The game itself: its own modules, as they are.

use playground_tests::Scene;

/// The last hash in a console's output.
fn last_hash(output: &str) -> String {
    let mut hashes = output.lines().filter_map(|line| line.strip_prefix("hash "));
    hashes.next_back().unwrap_or_else(|| panic!("no hash in {output}")).to_owned()
}

#[test]
fn the_arena_comes_out_the_same_with_and_without_a_swap() {
    let mut plain = Scene::game("arena");
    let start = last_hash(&plain.console("hash"));
    let expected = last_hash(&plain.console("wait 300; hash"));
    assert_ne!(start, expected, "nothing happened in 300 frames");
    drop(plain);

    let mut again = Scene::game("arena");
    assert_eq!(last_hash(&again.console("hash")), start);
    let again = last_hash(&again.console("wait 300; hash"));
    assert_eq!(again, expected, "the same seed gives the same game");

    // While a command is not done the game's time stands still, so that frames count the same.
    let mut swapped = Scene::game("arena");
    assert_eq!(last_hash(&swapped.console("hash")), start);
    let output = swapped.console(
        "wait 60; reload systems_steering; wait 60; reload systems_combat; wait 60; \
         reload core_physics; wait 60; reload apps_arena; wait 60; hash",
    );
    assert_eq!(swapped.count("swapped"), 4, "{}", swapped.story());
    assert_eq!(last_hash(&output), expected, "a swap of the same code changes nothing");
}

#[test]
fn apps_are_changed_in_a_running_game() {
    let mut scene = Scene::game("arena");
    scene.console("wait 60");
    scene.console("app boids; boids 500; wait 5");
    scene.wait_for("app_changed", "apps_boids");
    assert_eq!(scene.console("boids"), "500 boids");
    let modules = scene.console("modules");
    assert!(row(&modules, "systems_combat").contains("disabled"), "{modules}");
    assert!(!row(&modules, "systems_steering").contains("disabled"), "{modules}");

    scene.mark();
    scene.console("app arena; wait 60");
    scene.wait_for("app_changed", "apps_arena");
    let modules = scene.console("modules");
    assert!(!row(&modules, "systems_combat").contains("disabled"), "{modules}");
    assert!(scene.console("boids").contains("no command"), "its command went with the app");
}

#[test]
fn what_is_drawn_comes_and_goes_without_a_window() {
    let mut scene = Scene::game("boids");
    scene.console("wait 20; disable systems_render; wait 20; enable systems_render; wait 20");
    let modules = scene.console("modules");
    assert!(!row(&modules, "systems_render").contains("disabled"), "{modules}");
    assert!(scene.log().iter().all(|line| !line.starts_with("H")), "{}", scene.story());
}

fn row<'a>(table: &'a str, module: &str) -> &'a str {
    table.lines().find(|line| line.starts_with(module)).expect("a row for each module")
}
