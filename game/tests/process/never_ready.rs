//! A run of a limited number of frames whose app cannot start: it ends, and says why.

use playground_tests::Copy;
use playground_tests::game::Game;

use crate::{PROGRAM, WALK};

/// The app of this copy does not start: the run ends with an error that names the cause.
fn assert_ends(copy: Copy, cause: &str, named: &str) {
    let mut game = Game::start(PROGRAM, copy, &["--frames", "5"]);
    game.wait_for(cause);
    let told = game.wait_for("H0809");
    assert!(told.contains("5 frames of `apps_demo`") && told.contains(named), "{told}");
    assert_eq!(game.ended().code(), Some(1), "{}", game.story());
    assert_eq!(game.events("ready").len(), 0);
}

#[test]
fn a_run_of_some_frames_ends_where_its_app_does_not_build() {
    let copy = Copy::of_fixtures();
    copy.edit(WALK, &[("tally.version = 1;", "tally.version = nothing;")]);
    assert_ends(copy, "cannot find value `nothing`", "systems_walk");
}

#[test]
fn a_run_of_some_frames_ends_where_its_app_is_refused() {
    let copy = Copy::of_fixtures();
    let begin = "fn build(module: &mut ModuleApp) {";
    copy.edit(WALK, &[(begin, &format!("{begin}\n    std::process::abort();"))]);
    assert_ends(copy, "H0504", "systems_walk");
}

#[test]
fn a_run_of_some_frames_ends_where_the_workspace_cannot_be_read() {
    let copy = Copy::of_fixtures();
    copy.write("systems/walk/Cargo.toml", "[package\n");
    assert_ends(copy, "H0102", "the reason is above");
}
