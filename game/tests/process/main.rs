//! The game as a process of its own: killed, limited, supervised, two at a time; and what its
//! executable does with packs.

mod dist;
mod kills;
mod libraries;
mod limits;
mod never_ready;
mod packs;
mod restart;
mod sdk;
mod signals;
mod supervisor;
mod two_games;
mod variables;

/// The game.
const PROGRAM: &str = env!("CARGO_BIN_EXE_playground");

/// Source files of the test modules, below `modules/`.
const WALK: &str = "systems/walk/src/lib.rs";
const DEMO: &str = "apps/demo/src/lib.rs";
const SCENE: &str = "core/scene/src/lib.rs";

/// The output of a command, and whether it succeeded.
fn run(command: &mut std::process::Command) -> (bool, String) {
    let output = command.output().expect("the command starts");
    let text = [output.stdout, output.stderr].map(|it| String::from_utf8_lossy(&it).into_owned());
    (output.status.success(), text.concat())
}
