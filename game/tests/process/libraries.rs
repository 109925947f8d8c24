//! Another terminal builds other libraries while the game runs.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use playground_tests::Copy;
use playground_tests::game::Game;

use crate::{PROGRAM, WALK};

/// The folder with the libraries that a game of the copy is started with, as `cargo run` says.
fn deps(copy: &Copy) -> PathBuf {
    let profiles = fs::read_dir(copy.root.join("target")).expect("a folder").flatten();
    let mut folders = profiles.map(|profile| profile.path().join("deps"));
    folders.find(|folder| folder.is_dir()).expect("what cargo built")
}

/// `cargo test -p systems_x` leaves an API without the feature `hot`, with which this program does not
/// start. The probes of a running game do.
#[test]
fn the_probe_has_the_libraries_of_the_game() {
    let copy = Copy::of_fixtures();
    copy.own_target();
    let deps = deps(&copy);
    let mut paths = vec![deps.clone()];
    paths.extend(env::var_os("LD_LIBRARY_PATH").iter().flat_map(env::split_paths));
    let mut command = Command::new(PROGRAM);
    command.env("LD_LIBRARY_PATH", env::join_paths(paths).expect("paths"));
    let mut game = Game::start_by(command, copy, &[]);
    game.wait_for("ready: apps_demo");

    let libraries = || fs::read_dir(&deps).expect("libraries").flatten().map(|entry| entry.path());
    let is_macro = |path: &PathBuf| path.to_string_lossy().contains("libserde_derive-");
    let other = libraries().find(is_macro).expect("a library of macros");
    let new = deps.join("new");
    fs::copy(other, &new).expect("a copy");
    fs::rename(new, deps.join("libplayground_api.so")).expect("another library");
    // The first probe was started before.
    for version in 2..5 {
        let from = format!("tally.version = {};", version - 1);
        game.copy.edit(WALK, &[(&from, &format!("tally.version = {version};"))]);
        let swaps = usize::try_from(version).expect("a small number");
        game.wait_for_swaps(swaps);
        assert_eq!(game.tally().get("version"), version, "{}", game.story());
    }
}
