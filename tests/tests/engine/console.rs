//! The console's commands, on a running game.

use playground_api::unload::DespawnOnUnload;
use playground_tests::{Scene, number};

use crate::WALK;

fn tied(scene: &mut Scene) -> usize {
    let world = scene.app.world_mut();
    world.query::<&DespawnOnUnload>().iter(world).count()
}

#[test]
fn modules_are_switched_off_and_on() {
    let mut scene = Scene::demo();
    scene.frames(30);
    assert_eq!(tied(&mut scene), 1);
    let runs = number(&scene.console("extra"), "runs").expect("runs");
    assert!(runs >= 30);

    scene.mark();
    scene.console("disable plugins_extra");
    scene.wait_for("disabled", "plugins_extra");
    assert_eq!(tied(&mut scene), 0, "its entities went with it");
    assert!(scene.console("extra").contains("there is no command `extra`"));
    assert!(scene.console("disable plugins_extra").contains("off already"));
    assert!(
        scene
            .console("modules")
            .lines()
            .any(|l| l.contains("plugins_extra") && l.contains("disabled"))
    );
    scene.frames(10);

    scene.mark();
    scene.console("enable plugins_extra");
    scene.wait_for("enabled", "plugins_extra");
    assert_eq!(tied(&mut scene), 1, "they are back");
    let back = number(&scene.console("extra"), "runs").expect("runs");
    assert!(back >= runs && back < runs + 20, "its state as it was: {runs} and {back}");
    assert!(scene.console("enable plugins_extra").contains("on already"));

    // A core goes when nothing needs it any more, and an app gives way to an app only.
    let answer = scene.console("disable core_scene");
    assert!(answer.contains("systems_walk") && answer.contains("systems_observe"), "{answer}");
    assert!(scene.console("disable apps_demo").contains("app <name>"));
    let tally = scene.exact_tally();
    assert_eq!(tally.get("local"), tally.get("walked"), "nobody else noticed");

    // An edit to a module that is off waits until it is on.
    scene.console("disable systems_walk");
    let before = scene.tally();
    scene.frames(5);
    assert_eq!(scene.tally().get("walked"), before.get("walked"));
    scene.edit(WALK, "tally.version = 1", "tally.version = 2");
    scene.wait_for("build_started", "systems_walk");
    scene.frames(5);
    assert_eq!(scene.tally().get("version"), 1);
    scene.console("enable systems_walk");
    scene.until("the new code runs", |scene| {
        let new = |e: &serde_json::Value| {
            (e["event"] == "enabled" || e["event"] == "swapped") && e["generation"] == 2
        };
        scene.events().iter().any(new)
    });
    scene.frames(2);
    assert_eq!(scene.exact_tally().get("version"), 2);
}

#[test]
fn a_plan_tells_and_a_reload_does() {
    let mut scene = Scene::demo_with(|plugin| plugin.watch = false);
    let second = "fn second(mut tally: ResMut<Tally>) {\n    tally.version = 2;\n}\n\nfn walk(";
    scene.edit_all(WALK, &[("(walk, despawn)", "(walk, second, despawn)"), ("fn walk(", second)]);
    scene.frames(50);
    assert_eq!(scene.count("build_started"), 0, "nobody watches");

    let plan = scene.console("plan systems_walk");
    assert!(plan.contains("systems_walk") && plan.contains("second"), "{plan}");
    scene.frames(50);
    assert_eq!(scene.count("swapped"), 0, "a plan changes nothing");
    assert_eq!(scene.generation("systems_walk"), 1);

    scene.console("reload systems_walk");
    scene.wait_for("swapped", "systems_walk");
    scene.frames(1);
    assert_eq!(scene.exact_tally().get("version"), 2);

    // Of a core the plan says who comes along.
    let plan = scene.console("plan core_scene");
    assert!(plan.contains("systems_walk") && plan.contains("apps_demo"), "{plan}");

    // A module that did not change is swapped all the same, when asked to.
    scene.mark();
    scene.console("reload plugins_extra");
    scene.wait_for("swapped", "plugins_extra");
    scene.exact_tally();
}

#[test]
fn a_rollback_brings_the_old_code_back_until_the_next_save() {
    let mut scene = Scene::demo();
    assert!(scene.console("rollback systems_walk").contains("no older generation"));
    scene.swap(WALK, &[("tally.version = 1", "tally.version = 2")]);
    scene.frames(2);
    let before = scene.exact_tally();
    assert_eq!(before.get("version"), 2);
    scene.mark();
    scene.console("rollback systems_walk");
    scene.wait_for("rolled_back", "systems_walk");
    scene.frames(2);
    let after = scene.exact_tally();
    assert_eq!(after.get("version"), 1);
    assert!(after.get("walked") > before.get("walked"), "the state goes on");
    assert_eq!(after.get("local"), after.get("walked"), "nobody else noticed");
    scene.frames(100);
    assert_eq!(scene.count("swapped"), 0, "what was taken back stays so: {}", scene.story());

    scene.swap(WALK, &[("tally.version = 2", "tally.version = 3")]);
    scene.frames(2);
    assert_eq!(scene.exact_tally().get("version"), 3);
}

#[test]
fn apps_change_and_words_that_mean_nothing_get_a_hint() {
    let mut scene = Scene::demo();
    let answer = scene.console("app");
    assert!(answer.contains("apps_demo runs") && answer.contains("apps_other"), "{answer}");
    assert!(scene.console("app demo").contains("runs already"));
    scene.frames(10);
    let before = scene.exact_tally();

    scene.mark();
    scene.console("app other");
    scene.wait_for("app_changed", "apps_other");
    assert_eq!(scene.console("other"), "the other app");
    assert!(scene.console("tally").contains("there is no command `tally`"));
    let modules = scene.console("modules");
    assert!(
        modules.lines().any(|l| l.starts_with("systems_walk") && l.contains("disabled")),
        "{modules}"
    );
    scene.frames(20);

    scene.mark();
    scene.console("app demo");
    scene.wait_for("app_changed", "apps_demo");
    assert!(scene.console("other").contains("there is no command `other`"));
    scene.frames(5);
    let after = scene.tally();
    assert!(after.get("walked") > before.get("walked"), "{before:?} {after:?}");
    assert_eq!(
        after.get("bodies") + after.get("despawned"),
        100,
        "the world as it was left: {after:?}"
    );

    for (line, hint) in [
        ("moduels", "Did you mean `modules`?"),
        ("taly", "Did you mean `tally`?"),
        ("reload systems_wlak", "did you mean `systems_walk`?"),
        ("app nothing", "there is no app `nothing`; there are apps_demo, apps_other"),
        ("gibberish", "`help` lists them"),
        ("wait", "usage: wait <frames>"),
    ] {
        let answer = scene.console(line);
        assert!(answer.contains(hint), "{line}: {answer}");
    }
    let help = scene.console("help");
    for command in ["enable", "rollback", "wait", "tally", "extra"] {
        assert!(help.contains(command), "{help}");
    }
    assert!(scene.console("help wait").contains("wait <frames>"));
}

/// Runs commands from `ready` on and gives the hashes they print.
fn hashes(commands: &str) -> Vec<String> {
    let commands = commands.to_owned();
    let mut scene = Scene::demo_with(move |plugin| plugin.exec = vec![commands]);
    scene.wait_for_line("there is no command `end`");
    let log = scene.log();
    log.iter().filter(|line| line.starts_with("hash ")).cloned().collect()
}

#[test]
fn a_hash_says_whether_the_state_is_the_same() {
    let plain = hashes("hash; hash; wait 40; hash; wait 40; hash; end");
    assert_eq!(plain.len(), 4, "{plain:?}");
    assert_eq!(plain[0], plain[1], "of one moment");
    assert_ne!(plain[0], plain[2]);
    assert_eq!(plain, hashes("hash; hash; wait 40; hash; wait 40; hash; end"), "in another run");

    // Walking and the core are swapped in between. (The observing module counts in a `Local`.)
    let swapped = hashes(
        "hash; hash; wait 40; reload systems_walk; reload plugins_extra; reload apps_demo; hash; wait 40; hash; end",
    );
    assert_eq!(plain, swapped, "a swap of the same code changes nothing");
    let off = hashes("wait 40; disable plugins_extra; enable plugins_extra; wait 40; hash; end");
    assert_eq!(off.last(), plain.last(), "off and on again, while time stands still");
}
