//! Modules that are built with the SDK of a released game, in an environment without the game's
//! workspace, without the registry, and without sources of Bevy.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use playground_tests::Copy;
use playground_tests::game::Game;

use crate::{PROGRAM, run};

/// The machine of an author: Rust, a released game and its SDK.
struct Author {
    /// The folder of all of it.
    root: PathBuf,
    path: String,
}

impl Author {
    fn new(root: &Path) -> Self {
        let (_, sysroot) = run(Command::new("rustc").args(["--print", "sysroot"]));
        // Without rustup, which would look for its toolchains in the home.
        let path = format!("{}/bin:/usr/bin:/bin", sysroot.trim());
        Self { root: root.to_owned(), path }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.root.join("game/playground"));
        let home = self.root.join("home");
        command.env_clear().env("HOME", &home).env("CARGO_HOME", home.join("cargo"));
        command.env("CARGO_NET_OFFLINE", "true").env("PATH", &self.path).current_dir(&self.root);
        command
    }

    #[track_caller]
    fn says(&self, arguments: &[&str], expected: &[&str]) -> String {
        let (_, text) = run(self.command().args(arguments));
        for expected in expected {
            assert!(text.contains(expected), "{expected} is not in\n{text}");
        }
        text
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    fn edit(&self, path: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.root.join(path)).expect("a file");
        assert!(text.contains(from), "{from} is not in\n{text}");
        self.write(path, &text.replace(from, to));
    }
}

const MANIFEST: &str = "counter/modules/plugins/counter/Cargo.toml";
const SOURCE: &str = "counter/modules/plugins/counter/src/lib.rs";
/// A tuning file of the pack.
const TUNING: &str = "counter/packs/counter/assets/counter.toml";
/// Counts frames with bodies of the game.
const COUNTER: &str = "\
#![forbid(unsafe_code)]

use core_scene::{Body, SceneSet};
use playground_api::prelude::*;

export_module! {
    kind: Plugins,
    requires: { core_scene: \"^0.1\" },
    persist: [Seen],
    build: build,
}

#[derive(Resource, Clone, Debug, Default, Persist, Serialize, Deserialize)]
pub struct Seen {
    pub frames: u64,
}

#[derive(Resource, Default, Deserialize)]
pub struct Label {
    pub word: String,
}

fn build(module: &mut ModuleApp) {
    module
        .init_resource::<Seen>()
        .add_tuning_file::<Label>(\"counter.toml\")
        .add_console_command(\"label\", \"the pack's word\", label)
        .add_systems(FixedUpdate, see.in_set(SceneSet::Read))
        .add_console_command(\"counter\", \"how many frames had bodies?\", say);
}

fn see(bodies: Query<&Body>, mut seen: ResMut<Seen>) {
    seen.frames += u64::from(!bodies.is_empty());
}

fn label(_: In<Vec<String>>, label: Res<Label>) -> String {
    format!(\"the word is {}\", label.word)
}

fn say(_: In<Vec<String>>, seen: Res<Seen>) -> String {
    format!(\"seen: {}\", seen.frames)
}
";

const MARKS_MANIFEST: &str = "\
[package]
name = \"core_marks\"
version = \"0.1.0\"
edition = \"2024\"

[dependencies]
bevy.workspace = true
core_scene.workspace = true
playground_api.workspace = true
serde.workspace = true
";
const MARKS_SOURCE: &str = "counter/modules/core/marks/src/lib.rs";
/// Data of the project's own, beside that of the game.
const MARKS: &str = "\
#![forbid(unsafe_code)]

use core_scene::Tally;
use playground_api::prelude::*;

export_module! {
    kind: Core,
    requires: { core_scene: \"^0.1\" },
    persist: [Marks],
    build: build,
}

#[derive(Resource, Clone, Debug, Default, Persist, Serialize, Deserialize)]
pub struct Marks {
    pub count: u8,
}

fn build(module: &mut ModuleApp) {
    module.insert_resource(Marks { count: 7 });
}

pub fn has_walked(tally: &Tally) -> bool {
    tally.walked > 0
}
";

fn number_after(text: &str, word: &str) -> u64 {
    let rest = text.split(word).nth(1).unwrap_or_else(|| panic!("no {word} in\n{text}"));
    let digits: String = rest.trim_start().chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_else(|_| panic!("no number after {word} in\n{text}"))
}

/// Waits for what becomes of a module's edit.
#[track_caller]
fn goes_live(game: &mut Game, module: &str) {
    let is_progress = |line: &str| ["building ", "built "].iter().any(|it| line.starts_with(it));
    let mut line = game.wait_for(&format!("{module} "));
    while is_progress(&line) {
        line = game.wait_for(&format!("{module} "));
    }
    assert!(line.contains(" live"), "{}", game.story());
}

#[test]
fn a_released_game_takes_modules_that_were_built_with_its_sdk() {
    let copy = Copy::of_fixtures();
    let root = copy.root.clone();
    fs::create_dir_all(root.join("assets")).expect("a folder");
    let playground = |arguments: &[&str], code: &str| {
        let mut command = Command::new(PROGRAM);
        let (_, text) = run(command.args(arguments).current_dir(&root));
        assert!(text.contains(code), "{code} is not in\n{text}");
    };
    playground(&["dist", "--out", "game", "--no-archive"], "modules");
    playground(&["sdk", "export", "sdk", "--no-archive"], "cores");
    assert!(
        ["GUIDE.md", "ERRORS.md", "docs/core_scene/index.html"]
            .iter()
            .all(|file| { root.join("sdk").join(file).exists() })
    );
    // What is there is replaced if it is an SDK, and nothing else.
    playground(&["sdk", "export", "modules", "--no-archive"], "H1202");
    // Of the workspace, nothing is left.
    for name in ["modules", "Cargo.toml", "Cargo.lock"] {
        fs::rename(root.join(name), root.join(format!("{name}.gone"))).expect("a file");
    }

    let author = Author::new(&root);
    author.says(&["sdk", "new", "Counter", "--sdk", "sdk"], &["H1310", "no id"]);
    author.says(&["sdk", "new", "counter", "--sdk", "game"], &["H1311", "sdk.toml"]);
    author.says(&["sdk", "new", "counter", "--sdk", "nowhere"], &["H1311", "nowhere"]);
    assert!(!root.join("counter").exists());
    let made = ["counter/packs/counter/pack.toml", SOURCE, "playground --project counter"];
    author.says(&["sdk", "new", "counter", "--sdk", "sdk"], &made);
    author.says(&["sdk", "new", "counter", "--sdk", "sdk"], &["H1310", "exists"]);

    // The module that a project begins with runs.
    let arguments = ["--project", "counter"];
    let mut game = Game::start_by(author.command(), copy, &arguments);
    game.wait_for("ready: apps_demo");
    assert!(game.ask("counter").contains("Counter is there"));

    // It becomes one that uses the game's types, while the game runs.
    author.edit(
        MANIFEST,
        "[dependencies]",
        "[dependencies]\ncore_scene.workspace = true\nserde.workspace = true",
    );
    author.write(TUNING, "word = \"first\"\n");
    author.write(SOURCE, COUNTER);
    goes_live(&mut game, "plugins_counter");
    let first = number_after(&game.ask("wait 5; counter"), "seen:");
    assert!(first > 0);

    // So are the assets of its pack.
    assert!(game.ask("label").contains("the word is first"), "{}", game.story());
    author.write(TUNING, "word = 2\n");
    game.wait_for("H0702: pack://counter/counter.toml does not fit");
    author.write(TUNING, "word = \"second\"\n");
    game.wait_for("pack://counter/counter.toml read again");
    assert!(game.ask("label").contains("the word is second"), "{}", game.story());

    // Bodies and types are edited as in the game's own workspace.
    author.edit(SOURCE, "seen: {}", "counted: {}");
    goes_live(&mut game, "plugins_counter");
    let second = number_after(&game.ask("counter"), "counted:");
    assert!(second >= first, "{second} after {first}");
    author.edit(SOURCE, "pub frames: u64,", "pub frames: u64,\n    pub others: f32,");
    goes_live(&mut game, "plugins_counter");
    let third = number_after(&game.ask("counter"), "counted:");
    assert!(third >= second, "{third} after {second}");

    // What the SDK cannot do is refused, and the game goes on.
    author.edit(MANIFEST, "[dependencies]", "[dependencies]\nrand = \"0.9\"");
    game.wait_for("H1305");
    author.edit(MANIFEST, "rand = \"0.9\"\n", "");
    author.write("counter/modules/plugins/counter/build.rs", "fn main() {}\n");
    game.wait_for("H1307");
    author.edit(SOURCE, "counted: {}", "frames: {}");
    fs::remove_file(root.join("counter/modules/plugins/counter/build.rs")).expect("a file");
    goes_live(&mut game, "plugins_counter");
    assert!(number_after(&game.ask("counter"), "frames:") >= third);

    // A module of the project replaces the game's own one of the same name.
    let walk = "counter/modules/systems/walk";
    author.write(
        &format!("{walk}/Cargo.toml"),
        "[package]\nname = \"systems_walk\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
         [dependencies]\nbevy.workspace = true\ncore_scene.workspace = true\n\
         playground_api.workspace = true\n",
    );
    let source = fs::read_to_string(root.join("modules.gone/systems/walk/src/lib.rs"));
    let own = format!("{}\n// Of the project.\n", source.expect("a file"));
    author.write(&format!("{walk}/src/lib.rs"), &own);
    goes_live(&mut game, "systems_walk");

    // A project has cores of its own, whose types migrate.
    author.write("counter/modules/core/marks/Cargo.toml", MARKS_MANIFEST);
    author.write(MARKS_SOURCE, MARKS);
    author.edit(
        MANIFEST,
        "[dependencies]",
        "[dependencies]\ncore_marks = { path = \"../../core/marks\" }",
    );
    for (from, to) in [
        ("use core_scene::", "use core_marks::Marks;\nuse core_scene::"),
        ("core_scene: \"^0.1\"", "core_scene: \"^0.1\", core_marks: \"^0.1\""),
        ("seen: Res<Seen>) ->", "seen: Res<Seen>, marks: Res<Marks>) ->"),
        ("frames: {}\", seen.frames", "frames: {} marks: {}\", seen.frames, marks.count"),
    ] {
        author.edit(SOURCE, from, to);
    }
    let answers = |game: &mut Game, expected: &str| {
        // Saves that come one after another go live in one or more steps.
        (0..400).any(|_| game.ask("wait 5; counter").contains(expected))
    };
    assert!(answers(&mut game, "marks: 7"), "{}", game.story());
    author.edit(MARKS_SOURCE, "pub count: u8,", "pub count: u64,\n    pub more: bool,");
    author.edit(MARKS_SOURCE, "count: 7 }", "count: 9, more: true }");
    author.edit(SOURCE, "marks: {}", "marks, carried over: {}");
    assert!(answers(&mut game, "marks, carried over: 7"), "{}", game.story());
    game.say("quit");
    assert!(game.ended().success(), "{}", game.story());

    // Players get it as a pack, which a game without the project takes.
    let packed = ["pack", "build", "counter/packs/counter", "--out", "counter.pgpack"];
    // Its pack needs the core as well.
    author.edit(
        "counter/packs/counter/pack.toml",
        "[\"plugins_counter\"]",
        "[\"core_marks\", \"plugins_counter\"]",
    );
    author.says(&packed, &["Counter 0.1.0 (counter): 2 modules"]);
    author.says(&["pack", "install", "counter.pgpack", "--developer"], &["installed"]);
    let play = ["--headless", "--app", "demo", "--frames", "5", "--exec", "counter; label"];
    author.says(&play, &["frames: ", "the word is second"]);

    // A damaged SDK is named, and one for another game.
    author.edit("sdk/sdk.toml", playground_api::ABI, "of-another-game");
    let open = [&play[..], &arguments].concat();
    author.says(&open, &["H1303", "of-another-game"]);
    author.edit("sdk/sdk.toml", "of-another-game", playground_api::ABI);
    let metadata = fs::read_dir(root.join("sdk/lib")).expect("a folder").flatten();
    let metadata = metadata.map(|entry| entry.path());
    let file = metadata.filter(|path| path.extension().is_some_and(|it| it == "rmeta")).max();
    fs::write(file.expect("metadata"), "").expect("a file");
    author.says(&open, &["H1302", ".rmeta", "0 bytes"]);
    fs::remove_dir_all(root.join("sdk")).expect("a folder");
    author.says(&open, &["H1301", "counter/Cargo.toml"]);
    // Only projects are built.
    fs::rename(root.join("modules.gone"), root.join("modules")).expect("a folder");
    fs::rename(root.join("Cargo.toml.gone"), root.join("Cargo.toml")).expect("a file");
    author.says(&[&play[..], &["--project", "."]].concat(), &["H1308"]);
    author.says(&[&play[..], &["--project", "nowhere"]].concat(), &["H0106", "nowhere"]);
}

/// The packs of `samples/`, in a game that has neither its workspace nor theirs.
#[test]
fn the_sample_packs_run_in_a_released_game() {
    let copy = Copy::of_game();
    let root = copy.root.clone();
    let playground = |arguments: &[&str]| {
        let mut command = Command::new(PROGRAM);
        command.env("CARGO_MANIFEST_DIR", &root);
        let (succeeded, text) = run(command.args(arguments).current_dir(&root));
        assert!(succeeded, "{text}");
    };
    playground(&["dist", "--out", "game", "--no-archive"]);
    let samples = playground_tests::workspace().join("samples");
    copy_folder(&samples, &root.join("samples"));
    playground(&["sdk", "export", "samples/sdk", "--no-archive"]);
    fs::rename(root.join("modules"), root.join("modules.gone")).expect("a folder");

    let author = Author::new(&root);
    for (pack, contents) in [("boss_wave", "1 module"), ("palette", "2 modules")] {
        let (folder, file) = (format!("samples/packs/{pack}"), format!("{pack}.pgpack"));
        author.says(&["pack", "build", &folder, "--out", &file], &[contents]);
        author.says(&["pack", "install", &file, "--developer"], &["installed"]);
    }
    let play = "modules; boss; wait 500; hash";
    let text = author.says(
        &["--headless", "--frames", "600", "--exec", play],
        &["plugins_boss_wave", "plugins_palette", "a warden is on its way"],
    );
    let hud = text.lines().find(|line| line.starts_with("plugins_hud ")).expect("a HUD");
    assert!(hud.contains("0.1.1"), "{text}");
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        // What authors may have there.
        if ["sdk", "game", "target"].iter().any(|name| path.ends_with(name)) {
            continue;
        }
        match path.is_dir() {
            true => copy_folder(&path, &target),
            false => _ = fs::copy(&path, &target).expect("a file"),
        }
    }
}
