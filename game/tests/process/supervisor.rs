//! The game as a process that dies: what comes back, and what does not.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use playground_tests::Copy;
use playground_tests::game::{Game, kill, runs};

use crate::{PROGRAM, WALK};

/// How long anything may take before the test fails; a busy machine is slow.
const PATIENCE: Duration = Duration::from_secs(300);

/// A supervised game.
fn start(copy: Copy) -> Game {
    Game::start(PROGRAM, copy, &["--supervise"])
}

#[test]
fn a_module_that_aborts_is_quarantined_and_the_game_goes_on() {
    let copy = Copy::of_fixtures();
    let mut game = start(copy);
    game.wait_for("ready: apps_demo");
    // What runs well is what can be gone back to.
    game.wait_for_events("committed", 5);
    game.say("snapshot save before; tally");
    game.wait_for("snapshot `before`");
    let before = game.wait_for("walked=");

    let source = game.copy.read(WALK);
    game.copy.edit(WALK, &[("tally.version = 1;", "tally.version = 2;\n    if tally.walked % 50 == 0 {\n        std::process::abort();\n    }")]);
    game.wait_for("the game died of SIGABRT");
    game.wait_for("systems_walk: the last good code runs");
    game.wait_for("snapshot `before`");
    assert_eq!(game.events("quarantined").len(), 1);
    assert_eq!(game.events("ready").len(), 2);
    game.say("tally; quarantine list; modules");
    let after = game.wait_for("walked=");
    assert!(after.contains("version=1"), "{before}\n{after}");
    let listed = game.wait_for("systems_walk (artifact ");
    assert!(listed.contains("the game died in its first frames"), "{listed}");
    let row = game.wait_for("systems_walk ");
    assert!(row.contains("quarantined"), "{row}");

    // The same code is not let in again; other code is.
    game.say("reload systems_walk");
    game.wait_for("H1001");
    game.copy.write(WALK, &source.replace("tally.version = 1;", "tally.version = 3;"));
    game.wait_for("systems_walk live in");
    // A step of the game has to come first.
    game.say("wait 60; tally");
    let mended = game.wait_for("walked=");
    assert!(mended.contains("version=3"), "{mended}");
    game.say("quarantine clear; quit");
    game.wait_for("1 out of quarantine");
    let ended = game.ended();
    assert!(ended.success(), "{ended}");
    let journals =
        fs::read_dir(game.copy.root.join("target/playground/journal")).expect("a folder");
    assert_eq!(journals.count(), 0, "an end is no death");
}

/// A value that Bevy holds, and that panics when it is dropped.
const DOOMED: &str = "#[derive(Component)]
struct Doomed(u64);

impl Drop for Doomed {
    fn drop(&mut self) {
        assert!(self.0 == 0, \"no end\");
    }
}

fn despawn(";

/// A component whose required one cannot be made.
const REQUIRING: &str = "#[derive(Component)]
#[require(Part)]
struct Whole;

#[derive(Component)]
struct Part(String);

impl Default for Part {
    fn default() -> Self {
        assert!(std::process::id() == 0, \"no part\");
        Self(String::new())
    }
}

fn despawn(";

#[test]
fn a_panic_that_breaks_bevys_storage_ends_the_game_at_once() {
    let doomed = "    let doomed = commands.spawn(Doomed(tally.walked)).id();\n    \
                  commands.entity(doomed).despawn();\n";
    for (types, spawns, what, message) in [
        (DOOMED, doomed, "the `Drop` of a stored value", "no end"),
        (REQUIRING, "    commands.spawn(Whole);\n", "a required component", "no part"),
    ] {
        let mut game = start(Copy::of_fixtures());
        game.wait_for("ready: apps_demo");
        game.wait_for_events("committed", 5);
        let begin = "    if tally.walked % 7 != 0";
        let spawns = format!("{spawns}{begin}");
        game.copy.edit(WALK, &[("fn despawn(", types), (begin, &spawns)]);
        let last = game.wait_for("H1003");
        assert!(last.contains("systems_walk") && last.contains("walk/src/lib.rs:"), "{last}");
        assert!(last.contains(what) && last.contains(message), "{last}");
        game.wait_for("the game died of SIGABRT");
        game.wait_for("systems_walk: the last good code runs");
        game.say("wait 60; tally; quit");
        game.wait_for("walked=");
        assert!(game.ended().success());
    }
}

#[test]
fn a_system_that_never_returns_ends_the_game_for_its_supervisor() {
    let arguments = ["--supervise", "--hang-limit", "2"];
    let mut game = Game::start(PROGRAM, Copy::of_fixtures(), &arguments);
    game.wait_for("ready: apps_demo");
    game.wait_for_events("committed", 5);
    game.say("snapshot save before");
    game.wait_for("snapshot `before`");
    let hang = "tally.version = 2;\n    while tally.walked > 0 {\n        \
                std::hint::spin_loop();\n    }";
    game.copy.edit(WALK, &[("tally.version = 1;", hang)]);
    let told = game.wait_for("H1004");
    assert!(told.contains("systems_walk::walk of module `systems_walk`"), "{told}");
    assert!(told.contains("after 2 s the game ends"), "{told}");
    let ends = game.wait_for("H1005");
    assert!(ends.contains("systems_walk::walk of module `systems_walk`"), "{ends}");
    game.wait_for("the game died of SIGABRT");
    game.wait_for("systems_walk: the last good code runs");
    game.say("wait 60; tally; quarantine list; quit");
    let after = game.wait_for("walked=");
    assert!(after.contains("version=1"), "{after}");
    game.wait_for("systems_walk (artifact ");
    assert!(game.ended().success());
}

#[test]
fn no_probe_outlives_a_game_that_is_killed() {
    let mut game = start(Copy::of_fixtures());
    game.wait_for("ready: apps_demo");
    let begin = "fn build(module: &mut ModuleApp) {";
    let source = game.copy.read(WALK);
    let pid = game.child();
    let until = Instant::now() + PATIENCE;
    let mut refused = 0;
    game.copy.write(WALK, &hangs(&source, begin, refused));
    // In the middle of the loop: what a probe does otherwise takes a tick or two.
    while !playground_tests::probes_of(pid).iter().any(|ticks| *ticks > 30) {
        assert!(Instant::now() < until, "no probe at work\n{:?}", game.events("refused"));
        if game.events("refused").len() > refused {
            // The machine was too busy with other things until the time limit.
            refused += 1;
            game.copy.write(WALK, &hangs(&source, begin, refused));
        }
        thread::sleep(Duration::from_millis(10));
    }
    kill(pid);
    game.wait_for("SIGKILL");
    while !playground_tests::probes_of(pid).is_empty() {
        assert!(Instant::now() < until, "a probe without a game");
        thread::sleep(Duration::from_millis(10));
    }
}

/// The module with an endless loop where it begins; each attempt has other code.
fn hangs(source: &str, begin: &str, attempt: usize) -> String {
    let loops =
        format!("    for turn in {attempt}_u64.. {{\n        std::hint::black_box(turn);\n    }}");
    source.replace(begin, &format!("{begin}\n{loops}"))
}

#[test]
fn three_deaths_within_a_minute_are_enough() {
    let mut game = start(Copy::of_fixtures());
    for _ in 0..3 {
        game.wait_for("ready: apps_demo");
        kill(game.child());
        game.wait_for("SIGKILL");
    }
    let ended = game.ended();
    assert_eq!(ended.code(), Some(1));
    game.wait_for("quarantine list");
}

#[test]
fn the_game_ends_with_its_supervisor() {
    let mut game = start(Copy::of_fixtures());
    game.wait_for("ready: apps_demo");
    let child = game.child();
    kill(game.id());
    game.ended();
    let until = Instant::now() + PATIENCE;
    // Its parent is gone: whoever adopted it takes its remains away.
    while runs(child) {
        assert!(Instant::now() < until, "the game goes on without its supervisor");
        thread::sleep(Duration::from_millis(10));
    }
}
