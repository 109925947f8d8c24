//! Variables of the game's own environment that modules read with `option_env!`.

use std::process::Command;

use playground_tests::Copy;
use playground_tests::game::Game;

use crate::{PROGRAM, WALK};

fn start(copy: Copy, value: Option<&str>) -> Game {
    let mut command = Command::new(PROGRAM);
    match value {
        Some(value) => command.env("LEVELS", value),
        None => command.env_remove("LEVELS"),
    };
    let mut game = Game::start_by(command, copy, &[]);
    game.wait_for("ready: apps_demo");
    game
}

#[test]
fn a_start_with_another_value_builds_what_reads_it() {
    let copy = Copy::of_fixtures();
    let reads = "tally.version = size_of::<Levels>() as u64;";
    let source = copy.read(WALK);
    let line = source.lines().find(|line| line.contains("tally.version = ")).expect("the line");
    let source = source.replace(line, &format!("    {reads}"))
        + "\nstruct Levels([u8; match option_env!(\"LEVELS\") {\n    Some(text) => text.len() + 10,\n    \
           None => 5,\n}]);\n";
    copy.write(WALK, &source);
    for (value, version) in [(None, 5), (Some("abc"), 13), (Some("abcd"), 14), (None, 5)] {
        let mut game = start(copy.clone(), value);
        assert_eq!(game.tally().get("version"), version, "{value:?}: {}", game.story());
        game.say("quit");
        assert!(game.ended().success());
    }
}
