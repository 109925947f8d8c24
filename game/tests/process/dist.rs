//! A released game: it runs without cargo and without the workspace, from a folder that it cannot
//! write to, for another user.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use playground_tests::Copy;

use crate::{PROGRAM, run};

/// A user without rights.
const NOBODY: u32 = 65_534;

/// A released game on the machine of a player.
struct Player {
    game: PathBuf,
    home: PathBuf,
    is_root: bool,
}

impl Player {
    fn new(game: PathBuf, home: PathBuf) -> Self {
        fs::create_dir_all(&home).expect("a folder");
        let is_root = rustix::process::geteuid().is_root();
        if is_root {
            chown(&home, Some(NOBODY), Some(NOBODY)).expect("another owner");
        }
        Self { game, home, is_root }
    }

    /// Runs the game with nothing in its environment but a home.
    fn run(&self, arguments: &[&str]) -> (bool, String) {
        let mut command = Command::new(self.game.join("playground"));
        command.env_clear().env("HOME", &self.home).current_dir(&self.home).args(arguments);
        if self.is_root {
            command.uid(NOBODY).gid(NOBODY);
        }
        run(&mut command)
    }

    #[track_caller]
    fn says(&self, arguments: &[&str], expected: &[&str]) -> String {
        let (_, text) = self.run(arguments);
        for expected in expected {
            assert!(text.contains(expected), "{expected} is not in\n{text}");
        }
        text
    }
}

/// A folder that every user can reach, removed at the end. The one of this build may be in somebody's
/// home.
struct Open(PathBuf);

impl Open {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("playground-dist-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("its mode");
        Self(folder)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let game = self.0.join(GAME);
        if game.exists() {
            set_writable(&game, true);
        }
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The game's folder there.
const GAME: &str = "Spiel für alle";

/// Takes the right to write away from everybody, or gives it back to the owner.
fn set_writable(path: &Path, writable: bool) {
    let mode = fs::metadata(path).expect("a file").permissions().mode() & 0o7777;
    let mode = if writable { mode | 0o200 } else { mode & !0o222 };
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("its mode");
    if path.is_dir() {
        for entry in fs::read_dir(path).expect("a folder") {
            set_writable(&entry.expect("an entry").path(), writable);
        }
    }
}

fn hash_in(text: &str) -> String {
    let line = text.lines().find(|line| line.starts_with("hash "));
    line.unwrap_or_else(|| panic!("no hash in\n{text}")).to_owned()
}

/// The output of the game in a workspace, with these arguments.
fn in_workspace(copy: &Copy, arguments: &[&str]) -> String {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).current_dir(&copy.root);
    // As cargo sets it: the data lies beside it, wherever the program does.
    command.env("CARGO_MANIFEST_DIR", &copy.root);
    let (succeeded, text) = run(&mut command);
    assert!(succeeded, "{text}");
    text
}

/// The state after 500 frames.
const RUN: [&str; 5] = ["--headless", "--frames", "600", "--exec", "wait 500; hash"];

#[test]
fn a_released_game_runs_for_another_user_and_takes_packs() {
    let copy = Copy::of_game();
    let playground = |arguments: &[&str]| in_workspace(&copy, arguments);
    let open = Open::new();
    let folder = open.0.join(GAME);
    let out = folder.display().to_string();
    let text = playground(&["dist", "--out", &out, "--no-archive"]);
    assert!(["lib ", "modules ", "playground "].iter().all(|part| text.contains(part)), "{text}");
    let licences = fs::read_to_string(folder.join("licences.txt")).expect("the licences");
    assert!(licences.contains("bevy_ecs 0.19.1") && licences.contains("Permission is hereby"));
    let hash = hash_in(&playground(&RUN));

    // A pack of a module that the game has, with other code.
    playground(&["pack", "key", "key", "--no-password"]);
    playground(&["pack", "new", "packs/calm", "--module", "plugins_sparks"]);
    copy.edit(
        "plugins/sparks/src/lib.rs",
        &[("fn build(module: &mut ModuleApp) {", "fn build(module: &mut ModuleApp) {\n    module.add_console_command(\"calm\", \"\", calm);")],
    );
    let source = copy.read("plugins/sparks/src/lib.rs");
    let calm = "\nfn calm(In(_): In<Vec<String>>) -> String {\n    \"all is calm\".to_owned()\n}\n";
    copy.write("plugins/sparks/src/lib.rs", &format!("{source}{calm}"));
    playground(&["pack", "build", "packs/calm", "--out", "calm.pgpack"]);
    playground(&["pack", "sign", "calm.pgpack", "--key", "key", "--name", "Somebody"]);

    let home = open.0.join("home");
    let player = Player::new(folder.clone(), home.clone());
    let pack = home.join("calm.pgpack").display().to_string();
    fs::copy(copy.root.join("calm.pgpack"), &pack).expect("a download");
    set_writable(&folder, false);

    // All libraries are its own or the system's.
    let mut loader = Command::new(folder.join("playground"));
    let (_, libraries) = run(loader.env_clear().env("LD_TRACE_LOADED_OBJECTS", "1"));
    let paths = libraries.lines().filter_map(|line| line.split_once("=> ").map(|(_, path)| path));
    for path in paths {
        let path = path.split(" (").next().unwrap_or_default();
        let is_own =
            path.starts_with(&out) || ["/lib", "/usr/lib"].iter().any(|it| path.starts_with(it));
        assert!(is_own, "{path} in\n{libraries}");
    }
    assert_eq!(hash_in(&player.says(&RUN, &["ready: apps_arena"])), hash);

    player.says(&["pack", "list"], &["no packs are installed"]);
    player.says(&["pack", "install", &pack], &["H1123", "Somebody", "`--trust`"]);
    player.says(&["pack", "install", &pack, "--trust"], &["Calm 0.1.0 (calm)", "installed"]);
    let calm = ["--headless", "--frames", "5", "--exec", "calm; pack why calm"];
    player.says(&calm, &["all is calm", "plugins_sparks replaces the game's own"]);
    player.says(&["pack", "remove", "calm"], &["removed"]);
    player.says(&calm, &["there is no command `calm`"]);
    // Nothing is built there.
    player.says(&["pack", "build", "packs/calm"], &["H11"]);

    // A file that was damaged is named.
    set_writable(&folder, true);
    let modules = folder.join("modules/targets").join(playground_hotload::packs::triple());
    let file = modules.join("libsystems_combat.so");
    let mut bytes = fs::read(&file).expect("a library");
    bytes[5000] ^= 1;
    fs::write(&file, bytes).expect("a library");
    let (succeeded, text) = player.run(&RUN);
    assert!(!succeeded && text.contains("libsystems_combat.so"), "{text}");
    // A release replaces one, and nothing else.
    fs::remove_file(folder.join("licences.txt")).expect("the licences");
    let mut again = Command::new(PROGRAM);
    again.args(["dist", "--out", &out, "--no-archive"]).current_dir(&copy.root);
    let (succeeded, text) = run(again.env("CARGO_MANIFEST_DIR", &copy.root));
    assert!(!succeeded && text.contains("H1202") && folder.join("playground").exists(), "{text}");
}

#[test]
#[ignore = "builds Bevy once more, optimized as a whole"]
fn the_static_form_runs_for_another_user_with_the_same_state() {
    let copy = Copy::of_game();
    let apps = ["arena", "boids"];
    let arguments = |app| ["--headless", "--frames", "600", "--hash", "--app", app];
    let hashes = apps.map(|app| hash_in(&in_workspace(&copy, &arguments(app))));
    let open = Open::new();
    let folder = open.0.join(GAME);
    // The copy's workspace has no game.
    let mut release = Command::new(PROGRAM);
    release.args(["dist", "--static", "--no-archive", "--out"]).arg(&folder);
    let (succeeded, text) = run(&mut release);
    assert!(succeeded, "{text}");
    let player = Player::new(folder.clone(), open.0.join("home"));
    set_writable(&folder, false);
    for (app, hash) in apps.into_iter().zip(&hashes) {
        player.says(&arguments(app), &[hash]);
    }
    // There is no console in it.
    player.says(&["--exec", "modules"], &["unexpected argument '--exec'"]);
    player
        .says(&["--headless", "--frames", "1", "--app", "golf"], &["no app `golf`", "apps_boids"]);
}
