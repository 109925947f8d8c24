//! The game, killed at every moment: what comes back is the old or the new, whole.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use playground_tests::game::{Game, kill};
use playground_tests::{Copy, Tally};

const PROGRAM: &str = env!("CARGO_BIN_EXE_playground");
const CORE: &str = "core/scene/src/lib.rs";
const WALK: &str = "systems/walk/src/lib.rs";
const OBSERVE: &str = "systems/observe/src/lib.rs";
const DEMO: &str = "apps/demo/src/lib.rs";

/// Test modules that all say which core they were built with.
fn versioned() -> Copy {
    let copy = Copy::of_fixtures();
    let version =
        "/// Tells one core from another.\npub const VERSION: u64 = 1;\n\n/// Written once";
    copy.edit(CORE, &[("/// Written once", version)]);
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
