//! Any of the last generations comes back by hand, with all that came together with it.

use playground_tests::Scene;

use crate::{EXTRA, SCENE, WALK};

fn version(scene: &mut Scene) -> i64 {
    scene.frames(2);
    scene.exact_tally().get("version")
}

/// Saves another version of the walking system, and lets it run through its probation.
fn commit_version(scene: &mut Scene, from: u32, to: u32) {
    let (from, to) = (format!("version = {from};"), format!("version = {to};"));
    scene.swap(WALK, &[(&from, &to)]);
    scene.wait_for("committed", "systems_walk");
}

#[test]
fn any_generation_comes_back_and_the_newest_again() {
    let mut scene = Scene::demo();
    let none = scene.console("history systems_walk");
    assert!(none.contains("   1  ") && none.contains("runs"), "{none}");
    assert!(!none.contains("brings one back"), "{none}");
    scene.wait_for("committed", "systems_walk");
    commit_version(&mut scene, 1, 2);
    commit_version(&mut scene, 2, 3);
    scene.swap(WALK, &[("version = 3;", "version = 4;")]);
    let told = scene.console("history systems_walk");
    let rows: Vec<&str> = told.lines().filter(|line| line.contains("artifact")).collect();
    assert_eq!(rows.len(), 4, "{told}");
    for (row, number) in rows.iter().zip(["4", "3", "2", "1"]) {
        assert_eq!(row.split_whitespace().next(), Some(number), "{told}");
        assert_eq!(row.contains("not committed"), number == "4", "{told}");
    }
    scene.wait_for("committed", "systems_walk");

    for (command, expected) in [
        ("rollback systems_walk 2", 2),
        // And on to what was newer.
        ("rollback systems_walk 4", 4),
        ("rollback systems_walk", 3),
        ("rollback systems_walk", 2),
        ("rollback systems_walk 1", 1),
        ("rollback systems_walk 3", 3),
    ] {
        scene.mark();
        scene.console(command);
        assert_eq!(version(&mut scene), expected, "{command}\n{}", scene.story());
        let event = scene.event("rolled_back", Some("systems_walk")).expect("it is told");
        assert_eq!(event["generation"], expected, "{command}");
    }
    assert!(scene.console("rollback systems_walk 3").contains("generation 3 of systems_walk runs"));
    let unknown = scene.console("rollback systems_walk 9");
    assert!(unknown.contains("H0807") && unknown.contains("1, 2, 3, 4"), "{unknown}");
    let none = scene.console("rollback plugins_extra");
    assert!(none.contains("no older generation"), "{none}");

    // The source goes on from what it is.
    scene.swap(WALK, &[("version = 4;", "version = 5;")]);
    assert_eq!(version(&mut scene), 5);
}

#[test]
fn what_came_together_goes_back_together() {
    let mut scene = Scene::demo();
    commit_version(&mut scene, 1, 2);
    // A body in the core: all that link to it come along.
    scene.swap(SCENE, &[("self.x += self.speed;", "self.x -= self.speed;")]);
    scene.wait_for("committed", "systems_walk");
    commit_version(&mut scene, 2, 3);
    let sum = scene.exact_tally().get("sum");

    scene.console("rollback systems_walk 2");
    let before = scene.exact_tally();
    assert_eq!(version(&mut scene), 2);
    let after = scene.exact_tally();
    assert!(after.get("sum") > before.get("sum"), "the old core's body: {before:?} {after:?}");
    assert!(before.get("walked") > 30 && sum != 0, "the state goes on");
    for module in ["core_scene", "systems_walk", "systems_observe"] {
        let told = scene.console(&format!("history {module}"));
        let runs = told.lines().find(|line| line.contains("runs")).unwrap_or_default().to_owned();
        let expected = if module == "systems_walk" { "2" } else { "1" };
        assert_eq!(runs.split_whitespace().next(), Some(expected), "{told}");
    }

    // To what was built with the new core, and to the very state that it left with.
    let left = scene.console("rollback systems_walk 3 --state; tally");
    let walked = playground_tests::number(&left, "walked").expect("a tally");
    assert!(walked <= before.get("walked"), "{left}");
    let before = scene.tally();
    scene.frames(3);
    let after = scene.tally();
    assert!(after.get("sum") < before.get("sum"), "{before:?} {after:?}");
    assert_eq!(after.get("version"), 2);
}

#[test]
fn a_module_that_panicked_late_comes_back_by_hand() {
    let mut scene = Scene::demo();
    scene.wait_for("committed", "plugins_extra");
    let system = "fn build(module: &mut ModuleApp) {";
    let late = format!(
        "fn late(mut runs: Local<u32>) {{\n    *runs += 1;\n    \
         assert!(*runs < 60, \"too late\");\n}}\n\n{system}\n    module.add_systems(Update, late);"
    );
    scene.swap(EXTRA, &[(system, &late)]);
    scene.wait_for("committed", "plugins_extra");
    scene.wait_for("disabled", "plugins_extra");
    assert_eq!(scene.generation("plugins_extra"), 0);
    scene.mark();
    scene.console("rollback plugins_extra");
    scene.frames(2);
    assert_eq!(scene.generation("plugins_extra"), 1);
    scene.frames(100);
    assert_eq!(scene.count("disabled"), 0, "{}", scene.story());
    // It stays on: nothing wants it off any more.
    scene.swap(EXTRA, &[("*runs < 60", "*runs < 60_000")]);
    scene.frames(100);
    assert_eq!(scene.count("disabled"), 0, "{}", scene.story());
}

#[test]
fn what_cannot_go_back_stays_as_it_is() {
    let mut scene = Scene::demo();
    scene.wait_for("committed", "systems_walk");
    // A number grows out of its old type.
    let wide = [("pub version: u64,", "pub version: u64,\n    /// Grows.\n    pub wide: u8,")];
    scene.swap(SCENE, &wide);
    scene.swap(SCENE, &[("pub wide: u8,", "pub wide: u64,")]);
    scene.swap(WALK, &[("tally.version = 1;", "tally.version = 2;\n    tally.wide = 300;")]);
    assert_eq!(version(&mut scene), 2);
    scene.mark();
    let said = scene.console("rollback core_scene 2");
    assert!(said.contains("H0808") && said.contains("H0603") && said.contains("300"), "{said}");
    assert_eq!(scene.count("disabled") + scene.count("rolled_back"), 0, "{}", scene.story());
    assert_eq!(version(&mut scene), 2);
    for module in ["core_scene", "systems_walk", "systems_observe", "apps_demo"] {
        assert!(scene.generation(module) > 0, "{module} runs");
    }
}

#[test]
fn a_panic_after_a_rollback_by_hand_forgets_nothing_else() {
    // No time of the game passes while something is built.
    let mut scene = Scene::demo_with(|plugin| plugin.watch = false);
    scene.wait_for("committed", "systems_walk");
    let bad = "tally.version = 2;\n    *runs += 1;\n    assert!(*runs < 20, \"the bad one\");";
    let parameters = "mut pings: MessageWriter<Ping>) {\n    for";
    let more = "mut pings: MessageWriter<Ping>, mut runs: Local<u32>) {\n    for";
    scene.edit_all(WALK, &[("tally.version = 1;", bad), (parameters, more)]);
    scene.console("reload systems_walk");
    let good = [("*runs < 20", "*runs < 20_000"), ("version = 2", "version = 3")];
    scene.edit_all(WALK, &good);
    scene.console("reload systems_walk");
    assert_eq!(scene.generation("systems_walk"), 3);
    assert_eq!(scene.count("rolled_back"), 0, "{}", scene.story());

    scene.mark();
    scene.console("rollback systems_walk 2");
    assert_eq!(version(&mut scene), 2);
    scene.mark();
    let back = scene.wait_for("rolled_back", "systems_walk");
    assert!(back["reason"].as_str().is_some_and(|it| it.contains("the bad one")), "{back}");
    assert_eq!(version(&mut scene), 3);
    let told = scene.console("history systems_walk");
    assert!(told.lines().any(|line| line.trim_start().starts_with("1 ")), "{told}");
    scene.console("rollback systems_walk 1");
    assert_eq!(version(&mut scene), 1, "{}", scene.story());
}

#[test]
fn whoever_waits_for_a_module_that_is_off_goes_on() {
    let mut scene = Scene::demo();
    scene.console("disable plugins_extra");
    // The next line's turn comes, whatever became of this one.
    scene.console("reload plugins_extra");
    let said = scene.console("enable plugins_extra; modules");
    assert!(said.contains("plugins_extra is on"), "{said}");
    // A core that cannot be swapped, for a module that is linked with it.
    scene.edit(WALK, "tally.version = 1;", "tally.version = nothing;");
    scene.wait_for("build_failed", "systems_walk");
    let said = scene.console("reload core_scene; modules");
    assert!(said.contains("core_scene"), "{said}");
}
