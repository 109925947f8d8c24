//! The game, killed at every moment: what comes back is the old or the new, whole.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use playground_tests::game::Game;
use playground_tests::{Copy, Tally};

use crate::{DEMO, PROGRAM, SCENE, WALK};

/// Test modules that all say which core they were built with.
fn versioned() -> Copy {
    let copy = Copy::of_fixtures();
    let version =
        "/// Tells one core from another.\npub const VERSION: u64 = 1;\n\n/// Written once";
    copy.edit(SCENE, &[("/// Written once", version)]);
    copy.edit(WALK, &[("tally.version = 1;", "tally.version = core_scene::VERSION;")]);
    let told = "         removed={removed} despawned={despawned} version={version}";
    let with_own = "removed={removed} despawned={despawned} version={version} demo={}";
    copy.edit(
        DEMO,
        &[
            (told.trim_start(), with_own),
            (
                "        bodies.iter().count()\n",
                "        core_scene::VERSION,\n        bodies.iter().count()\n",
            ),
        ],
    );
    copy
}

fn start(copy: Copy, arguments: &[&str]) -> Game {
    let mut game = Game::start(PROGRAM, copy, arguments);
    game.wait_for("ready: apps_demo");
    game
}

fn parts(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter(|entry| entry.path().extension().is_some_and(|ending| ending == "part")).count()
}

/// The core's version, which all modules agree on, and the walking system's own.
fn versions(game: &mut Game) -> (i64, i64) {
    let told = game.tally();
    let (core, own) = (told.get("version") % 100, told.get("version") / 100);
    assert_eq!(told.get("demo"), core, "two cores at once: {told:?}");
    (core, own)
}

#[test]
fn a_game_killed_around_a_swap_comes_back_with_one_set() {
    let mut game = start(versioned(), &["--no-autosave"]);
    game.wait_for_events("committed", 5);
    assert_eq!(versions(&mut game), (1, 0));
    // What is saved, what it is killed at, and how long after that.
    let moments: [(&str, &str, u64); 8] = [
        (WALK, "build_started", 0),
        (WALK, "build_started", 200),
        (WALK, "\"stage\":\"load\"", 0),
        (WALK, "\"stage\":\"plan\"", 0),
        (WALK, "\"stage\":\"probation\"", 0),
        (SCENE, "build_started", 300),
        (SCENE, "\"stage\":\"swap\"", 0),
        (SCENE, "swapped", 50),
    ];
    // A commit is told of a moment before it is on disk: there may be two to go back to.
    let (mut goods, mut ran) = (vec![(1, 0)], (1, 0));
    let (mut olds, mut news, mut on_disk) = (0, 0, (1, 0));
    for (number, (path, moment, after_ms)) in (2..).zip(moments) {
        let (before, committed) = (game.events(moment).len(), game.events("committed").len());
        let journal = game.journal();
        if path == SCENE {
            on_disk.0 = number;
        } else {
            on_disk.1 = number;
        }
        save(&game, on_disk);
        // What runs since the start may stand in the journal as well.
        let is_new = |line: &str| line.contains(moment) && !journal.contains(line);
        game.until(moment, || {
            game.events(moment).len() > before || game.journal().lines().any(is_new)
        });
        thread::sleep(Duration::from_millis(after_ms));
        let copy = game.kill();
        game = start(copy, &["--no-autosave"]);
        if game.events("committed").len() > committed {
            goods.push(ran);
        }
        ran = versions(&mut game);
        let is_old = goods.contains(&ran);
        assert!(
            is_old || ran == on_disk,
            "{ran:?} after {goods:?}, {on_disk:?} killed at {moment}\n{}",
            game.story()
        );
        if is_old {
            olds += 1;
            goods = vec![ran];
        } else {
            news += 1;
        }
        assert_eq!(parts(&game.copy.root.join("target/playground/kept")), 0);
    }
    assert!(olds > 0 && news > 0, "{olds} times the old set, {news} times the new one");
    // Other code is not concerned by what died.
    on_disk.0 = 90;
    save(&game, on_disk);
    game.wait_for("live in");
    assert_eq!(versions(&mut game), on_disk);
}

/// Saves the core's version and the walking system's own.
fn save(game: &Game, (core, own): (i64, i64)) {
    for (path, start, line) in [
        (SCENE, "pub const VERSION", format!("pub const VERSION: u64 = {core};")),
        (
            WALK,
            "    tally.version",
            format!("    tally.version = core_scene::VERSION + 100 * {own};"),
        ),
    ] {
        let source = game.copy.read(path);
        let old = source.lines().find(|line| line.starts_with(start)).expect("the line");
        if old != line {
            game.copy.write(path, &source.replace(old, &line));
        }
    }
}

#[test]
fn a_game_killed_while_it_saves_has_the_old_snapshot_or_the_new_one() {
    let copy = Copy::of_fixtures();
    // More to write, and to be killed at.
    copy.edit(WALK, &[("0..100", "0..4000")]);
    let mut game = start(copy, &["--no-autosave"]);
    let told = game.ask("snapshot save loop; snapshot save other");
    assert!(told.contains("snapshot `other`"), "{told}");
    let mut walked = 0;
    for kills in 0..12u64 {
        // More than it comes to.
        for _ in 0..200 {
            game.say("snapshot save loop; wait 1");
        }
        game.wait_for("snapshot `loop`: ");
        let saves = game.copy.root.join("saves");
        if kills % 2 == 0 {
            // In the middle of one.
            game.until("a write", || parts(&saves) > 0);
        } else {
            thread::sleep(Duration::from_micros(kills * kills * 1700));
        }
        let copy = game.kill();
        game = start(copy, &["--no-autosave"]);
        let told = game.ask("snapshot list");
        assert!(told.contains("loop ") && told.contains("other "), "{told}");
        assert!(!told.contains("damaged") && !told.contains("part"), "{told}");
        let told = game.ask("snapshot load other; snapshot load loop; tally");
        assert_eq!(told.matches("entities are back").count(), 2, "{told}");
        let now = Tally(told);
        assert!(now.get("walked") >= walked, "{walked} is not before {now:?}");
        // Entities and resources of one moment.
        assert_eq!(now.get("bodies") + now.get("despawned"), 4000, "{now:?}");
        walked = now.get("walked");
        // What was left is gone with the next one.
        let told = game.ask("snapshot save other");
        assert!(told.contains("snapshot `other`: "), "{told}");
        assert_eq!(parts(&saves), 0);
    }
}
