//! An error's notice stays until its cause is gone, and no longer.

use std::fs;

use playground_hotload::console::Console;
use playground_hotload::console::notices::NoticeLevel;
use playground_tests::Scene;

use crate::{EXTRA, OBSERVE, WALK};

/// The titles of the errors on screen.
fn errors(scene: &Scene) -> Vec<String> {
    let notices = scene.app.world().resource::<Console>().notices.iter();
    let errors = notices.filter(|(_, notice)| notice.level == NoticeLevel::Error);
    errors.map(|(_, notice)| notice.title.clone()).collect()
}

/// Waits for an error whose title holds `text`, and for nothing else on screen.
fn wait_for_error(scene: &mut Scene, text: &str) {
    scene.until(text, |scene| !errors(scene).is_empty());
    let [title] = &errors(scene)[..] else { panic!("{:?}", errors(scene)) };
    assert!(title.contains(text), "{title}");
}

fn wait_until_gone(scene: &mut Scene) {
    scene.until("no error is left", |scene| errors(scene).is_empty());
}

#[test]
fn errors_are_dismissed_with_their_cause() {
    let mut scene = Scene::demo();
    scene.frames(5);

    // The workspace cannot be read, and can be again, without any change to a module.
    let manifest = scene.root().join("Cargo.toml");
    let text = fs::read_to_string(&manifest).expect("the manifest");
    fs::write(&manifest, "[workspace\n").expect("a file");
    wait_for_error(&mut scene, "The modules cannot be built");
    fs::write(&manifest, &text).expect("a file");
    wait_until_gone(&mut scene);
    scene.wait_for_line("the modules can be built again");

    // A new module that does not compile is removed again.
    let own = scene.read("plugins/extra/Cargo.toml").replace("plugins_extra", "plugins_late");
    scene.write("plugins/late/Cargo.toml", &own);
    scene.write("plugins/late/src/lib.rs", "fn");
    wait_for_error(&mut scene, "plugins_late was not built");
    scene.remove("plugins/late");
    wait_until_gone(&mut scene);

    // Two modules that do not compile: the error stays until both do.
    scene.edit(WALK, "tally.walked += 1;", "tally.walked += one;");
    wait_for_error(&mut scene, "systems_walk was not built");
    scene.edit(EXTRA, "extra.runs += 1", "extra.runs += one");
    scene.until("another error", |scene| errors(scene).len() == 2);
    scene.edit(WALK, "tally.walked += one;", "tally.walked += 1;");
    scene.until("one error is left", |scene| errors(scene).len() == 1);
    wait_for_error(&mut scene, "plugins_extra was not built");
    scene.edit(EXTRA, "extra.runs += one", "extra.runs += 1");
    wait_until_gone(&mut scene);

    // An edit that is refused is undone.
    let (ordered, backwards) = ("observe.in_set(SceneSet::Read)", "observe.before(observe)");
    scene.edit(OBSERVE, ordered, backwards);
    wait_for_error(&mut scene, "systems_observe refused");
    scene.edit(OBSERVE, backwards, ordered);
    wait_until_gone(&mut scene);
}

#[test]
fn a_module_that_was_switched_off_has_no_error_once_it_is_on() {
    let mut scene = Scene::demo();
    let edit = [
        (
            "use core_scene::{Body, ",
            "use std::sync::atomic::{AtomicBool, Ordering};\n\nuse core_scene::{Body, Phase, ",
        ),
        ("fn walk(", "fn walk(phase: Res<State<Phase>>, "),
        (
            "    tally.walked += 1;",
            "    static LATE: AtomicBool = AtomicBool::new(false);\n    \
             let is_late = *phase.get() == Phase::Second;\n    \
             assert!(!is_late || LATE.swap(true, Ordering::Relaxed), \"late\");\n    \
             tally.walked += 1;",
        ),
    ];
    scene.swap(WALK, &edit);
    scene.until("the new code is committed", |scene| {
        let committed = |e: &serde_json::Value| e["event"] == "committed" && e["generation"] == 2;
        scene.events().iter().any(committed)
    });
    scene.console("phase second");
    wait_for_error(&mut scene, "systems_walk is switched off");
    scene.console("enable systems_walk");
    wait_until_gone(&mut scene);
    scene.frames(5);
    assert_eq!(errors(&scene), [""; 0]);
}

#[test]
fn a_tuning_file_has_no_error_once_it_is_mended() {
    let mut scene = Scene::game("arena");
    let file = scene.root().join("assets/arena/ship.toml");
    let text = fs::read_to_string(&file).expect("a tuning file");
    for broken in ["health = \"much\"\n", "="] {
        fs::write(&file, broken).expect("a file");
        wait_for_error(&mut scene, "Tuning values refused");
        fs::write(&file, &text).expect("a file");
        wait_until_gone(&mut scene);
    }
    // A key that the resource has no field for is named, and the others are used.
    fs::write(&file, format!("{text}\nhaelth = 5\n")).expect("a file");
    let line = scene.wait_for_line("H0703");
    let named =
        "assets/arena/ship.toml has keys that apps_arena::ship::ShipTuning has no fields for";
    assert!(line.contains(&format!("{named}: `haelth`")), "{line}");
    assert_eq!(scene.log().iter().filter(|line| line.contains("read again")).count(), 3);
    scene.frames(3);
    assert_eq!(errors(&scene), [""; 0]);
}

#[test]
fn an_error_stays_while_older_code_runs() {
    let mut scene = Scene::demo();
    scene.frames(5);
    let row = |scene: &mut Scene| {
        let modules = scene.console("modules");
        modules.lines().find(|line| line.starts_with("plugins_extra")).map(str::to_owned)
    };
    scene.console("disable plugins_extra");
    scene.edit(EXTRA, "extra.runs += 1", "extra.runs += one");
    wait_for_error(&mut scene, "plugins_extra was not built");
    // The code from before is switched on again.
    assert_eq!(scene.console("enable plugins_extra"), "plugins_extra is on");
    scene.frames(3);
    wait_for_error(&mut scene, "plugins_extra was not built");
    let failed = row(&mut scene);
    assert!(failed.as_ref().is_some_and(|row| row.contains("failed")), "{failed:?}");
    scene.edit(EXTRA, "extra.runs += one", "extra.runs += 1");
    wait_until_gone(&mut scene);
    scene.wait_for("swapped", "plugins_extra");
    let runs = row(&mut scene);
    assert!(runs.as_ref().is_some_and(|row| !row.contains("failed")), "{runs:?}");
}
