//! Signals from outside while code is on probation: they blame nobody.

use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use std::thread;

use playground_tests::Copy;
use playground_tests::game::{Game, Signal, send};

use crate::{PROGRAM, WALK};

/// A game that has what to go back to, and version 2 of a module on probation.
fn on_probation(arguments: &[&str]) -> Game {
    let mut game = Game::start(PROGRAM, Copy::of_fixtures(), arguments);
    game.wait_for("ready: apps_demo");
    game.wait_for_events("committed", 5);
    game.copy.edit(WALK, &[("tally.version = 1;", "tally.version = 2;")]);
    game.wait_for("systems_walk live in");
    game
}

/// The module's newest code runs, and nothing is in quarantine.
fn assert_nobody_is_blamed(game: &mut Game, version: i64) {
    game.wait_for("ready: apps_demo");
    let told = game.ask("quarantine list");
    assert!(told.contains("nothing is in quarantine"), "{told}");
    assert_eq!(game.tally().get("version"), version, "{}", game.story());
    assert_eq!(game.events("quarantined").len(), 0);
}

#[test]
fn a_signal_that_asks_the_game_to_end_blames_nobody() {
    // At the same time: mostly they wait for frames.
    thread::scope(|scope| {
        for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
            if is_ignored(signal) {
                eprintln!("left out: this process and its children ignore {signal:?}");
                continue;
            }
            scope.spawn(move || end_by(signal));
        }
    });
}

fn end_by(signal: Signal) {
    let mut game = on_probation(&["--no-autosave"]);
    send(game.id(), signal);
    let ended = game.ended();
    if signal == Signal::INT {
        assert_eq!(ended.code(), Some(130), "as Bevy ends: {ended}");
    } else {
        assert_eq!(ended.signal(), Some(signal.as_raw()), "as without us: {ended}");
    }
    let mut next = Game::start(PROGRAM, game.copy.clone(), &["--no-autosave"]);
    assert_nobody_is_blamed(&mut next, 2);
    // At the start, before anything of it is committed.
    next.copy.edit(WALK, &[("tally.version = 2;", "tally.version = 3;")]);
    next.wait_for("systems_walk live in");
    send(next.id(), signal);
    next.ended();
    let mut last = Game::start(PROGRAM, next.copy.clone(), &["--no-autosave"]);
    last.wait_for("ready: apps_demo");
    send(last.id(), signal);
    last.ended();
    let mut last = Game::start(PROGRAM, last.copy.clone(), &["--no-autosave"]);
    assert_nobody_is_blamed(&mut last, 3);
}

/// True if this process, and so what it starts, ignores the signal: under `nohup`, or in the
/// background of a script.
fn is_ignored(signal: Signal) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_some_and(|mask| mask >> (signal.as_raw() - 1) & 1 == 1)
}

#[test]
fn a_supervised_game_that_somebody_killed_goes_on_with_its_new_code() {
    let mut game = on_probation(&["--supervise"]);
    send(game.child(), Signal::KILL);
    let told = game.wait_for("the game died of SIGKILL");
    assert!(told.contains("sent from outside"), "{told}");
    assert_nobody_is_blamed(&mut game, 2);
    game.say("quit");
    assert!(game.ended().success());
}

#[test]
fn a_game_under_nohup_ignores_a_hang_up() {
    let mut command = Command::new("nohup");
    command.arg(PROGRAM);
    let mut game = Game::start_by(command, Copy::of_fixtures(), &[]);
    game.wait_for("ready: apps_demo");
    send(game.id(), Signal::HUP);
    game.say("wait 10; quit");
    assert!(game.ended().success());
}
