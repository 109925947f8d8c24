//! Packs that the game's executable builds, signs and checks, of real modules in real workspaces.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Instant;

use playground_pack::manifest::library_path;
use playground_pack::{Hash, Manifest, Reader, Writer};
use playground_tests::Copy;
use playground_tests::game::Game;

use crate::{PROGRAM, SCENE, WALK};

const PACK: &str = "packs/walkers/walkers-0.1.0.pgpack";

/// The answer of a command.
struct Answer {
    ok: bool,
    text: String,
}

fn pack(folder: &Path, arguments: &[&str]) -> Answer {
    let Output { status, stdout, stderr } = Command::new(PROGRAM)
        .arg("pack")
        .args(arguments)
        .current_dir(folder)
        .env_remove("CARGO_MANIFEST_DIR")
        .output()
        .expect("the command starts");
    let text = [stdout, stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    Answer { ok: status.success(), text }
}

impl Answer {
    #[track_caller]
    fn says(&self, ok: bool, expected: &[&str]) {
        assert_eq!(self.ok, ok, "{}", self.text);
        for expected in expected {
            assert!(self.text.contains(expected), "{expected} is not in\n{}", self.text);
        }
    }
}

/// A workspace with a pack of two modules.
fn with_pack() -> Copy {
    let copy = Copy::of_fixtures();
    let modules = ["--module", "systems_walk", "--module", "core_scene"];
    pack(&copy.root, &[&["new", "packs/walkers"][..], &modules].concat())
        .says(true, &["made packs/walkers/pack.toml", "pack build packs/walkers"]);
    let assets = copy.root.join("packs/walkers/assets");
    fs::create_dir(&assets).expect("a folder");
    fs::write(assets.join("walk.toml"), "speed = 3\n").expect("a file");
    copy
}

fn build(copy: &Copy) -> PathBuf {
    pack(&copy.root, &["build", "packs/walkers", "--out", PACK])
        .says(true, &["Walkers 0.1.0 (walkers): 2 modules, 4 files", PACK]);
    copy.root.join(PACK)
}

fn triple() -> String {
    playground_hotload::packs::triple()
}

/// The content of a pack's files, in their order.
fn contents(file: &Path) -> (Manifest, Vec<Vec<u8>>) {
    let folder = file.with_extension("unpacked");
    let manifest = Reader::open(file).expect("a pack").unpack(&folder).expect("its files");
    let read = |path: &str| fs::read(folder.join(path)).expect("a file");
    let contents = manifest.files.iter().map(|file| read(&file.path)).collect();
    fs::remove_dir_all(folder).expect("the files");
    (manifest, contents)
}

fn write(file: &Path, manifest: &Manifest, contents: &[Vec<u8>]) {
    let mut writer = Writer::begin(Vec::new(), manifest, None).expect("a manifest");
    contents.iter().for_each(|content| writer.file(content).expect("a file"));
    fs::write(file, writer.finish().expect("a pack")).expect("a file");
}

#[test]
fn a_pack_that_is_built_in_one_folder_fits_a_game_in_another() {
    let (one, other) = (with_pack(), with_pack());
    let packed = build(&one);
    let bytes = fs::read(&packed).expect("the pack");
    assert_eq!(bytes, fs::read(build(&other)).expect("the pack"), "other bytes in another folder");

    pack(&one.root, &["key", "key", "--no-password"]).says(true, &["the public key is RW"]);
    pack(&one.root, &["key", "key", "--no-password"]).says(false, &["H1109", "exists"]);
    pack(&one.root, &["key", "other"]).says(false, &["H1101", "no terminal", "--no-password"]);
    pack(&one.root, &["sign", PACK, "--key", "key"]).says(false, &["H1117", "--name"]);
    assert_eq!(fs::read(&packed).expect("the pack"), bytes, "a refused signature changes nothing");
    pack(&one.root, &["sign", PACK, "--key", "key", "--name", "Somebody"])
        .says(true, &["signed with the key", "\"Somebody\""]);

    let there = other.root.join("downloaded.pgpack");
    fs::copy(&packed, &there).expect("a download");
    pack(&other.root, &["verify", "downloaded.pgpack"])
        .says(true, &["signed with the key", "its modules fit this game", "no sandbox"]);
    pack(&other.root, &["inspect", "downloaded.pgpack"]).says(
        true,
        &[
            "systems_walk 0.1.0",
            "requires core_scene ^0.1",
            "assets/walk.toml",
            "MIT OR Apache-2.0",
        ],
    );
    // A body, and the pack has other bytes; taken back, and it has the old ones.
    one.edit(WALK, &[("tally.version = 1;", "tally.version = 2;")]);
    assert_ne!(fs::read(build(&one)).expect("the pack"), bytes);
    one.edit(WALK, &[("tally.version = 2;", "tally.version = 1;")]);
    assert_eq!(fs::read(build(&one)).expect("the pack"), bytes);
}

#[test]
fn a_pack_that_does_not_fit_the_game_is_refused() {
    let copy = with_pack();
    let packed = build(&copy);
    let (manifest, files) = contents(&packed);
    let at = |module: &str| {
        let path = library_path(&triple(), module);
        manifest.files.iter().position(|file| file.path == path).expect("a library")
    };
    let (walk, scene) = (at("systems_walk"), at("core_scene"));
    type Change<'a> = &'a dyn Fn(&mut Manifest, &mut Vec<Vec<u8>>);
    let verify = |change: Change<'_>| {
        let (mut manifest, mut files) = (manifest.clone(), files.clone());
        change(&mut manifest, &mut files);
        for (file, content) in manifest.files.iter_mut().zip(&files) {
            (file.size, file.blake3) = (content.len() as u64, Hash::of(content));
        }
        write(&copy.root.join("changed.pgpack"), &manifest, &files);
        pack(&copy.root, &["verify", "changed.pgpack"])
    };
    verify(&|_, _| {}).says(true, &["not signed", "its modules fit this game"]);
    verify(&|manifest, _| manifest.targets[0].abi = "0a".into()).says(false, &["H1115", "API 0a"]);
    verify(&|manifest, _| manifest.modules[1].version.minor = 7)
        .says(false, &["H1114", "the version 0.1.0", "says 0.7.0"]);
    verify(&|manifest, _| manifest.modules[1].requires.clear())
        .says(false, &["H1114", "the requirements core_scene"]);
    // The library of another module, one cut off, and something else.
    verify(&|_, files| files[walk] = files[scene].clone())
        .says(false, &["systems_walk", "core_scene"]);
    verify(&|_, files| files[walk].truncate(2000)).says(false, &["libsystems_walk.so"]);
    verify(&|_, files| files[walk] = b"#!/bin/sh\n".repeat(20))
        .says(false, &["libsystems_walk.so"]);
    // Of another machine: the header's field for it.
    verify(&|_, files| files[walk][18] = 0xb7).says(false, &["libsystems_walk.so", "machine"]);
    // For another system: nothing of it is looked at.
    verify(&|manifest, files| {
        manifest.targets[0].triple = "riscv64gc-unknown-linux-gnu".into();
        for file in &mut manifest.files {
            file.path = file.path.replace(&triple(), "riscv64gc-unknown-linux-gnu");
        }
        files[walk] = b"x".to_vec();
    })
    .says(true, &["it has no modules for"]);
    pack(&copy.root, &["verify", "nothing.pgpack"]).says(false, &["H1101", "nothing.pgpack"]);
    pack(&copy.root, &["verify", WALK]).says(false, &["H1101"]);
    fs::write(copy.root.join("text"), "text").expect("a file");
    pack(&copy.root, &["verify", "text"]).says(false, &["H1102", "text: this is no pack"]);
}

#[test]
fn what_cannot_be_packed_says_why() {
    let copy = with_pack();
    let manifest = copy.root.join("packs/walkers/pack.toml");
    let text = fs::read_to_string(&manifest).expect("pack.toml");
    let refused = |from: &str, to: &str, expected: &[&str]| {
        assert!(text.contains(from), "{text}");
        fs::write(&manifest, text.replace(from, to)).expect("pack.toml");
        pack(&copy.root, &["build", "packs/walkers", "--out", PACK]).says(false, expected);
        assert!(!copy.root.join(PACK).exists(), "a pack that was refused");
    };
    refused("title = ", "tytle = ", &["H1110", "packs/walkers/pack.toml", "unknown field `tytle`"]);
    refused("systems_walk", "systems_wolk", &["H1111", "There is `systems_walk`"]);
    refused("version = \"0.1.0\"", "version = \"1\"", &["H1110", "version"]);
    refused(
        "licence = \"MIT OR Apache-2.0\"",
        "licence = \"\"",
        &["H1105", "the licence is empty"],
    );
    copy.edit(WALK, &[("tally.version = 1;", "tally.version = \"one\";")]);
    refused("Walkers", "Walkers", &["H1112", "mismatched types", "walk/src/lib.rs"]);
    // A core that is no part of the pack.
    copy.edit(WALK, &[("tally.version = \"one\";", "tally.version = 1;")]);
    copy.edit(SCENE, &[("pub struct Tally {", "pub struct Tally {\n    pub other: Missing,")]);
    refused(
        ", \"core_scene\"",
        "",
        &["H1112", "`core_scene` does not compile", "scene/src/lib.rs"],
    );
    pack(&copy.root, &["new", "packs/walkers"]).says(false, &["H1116", "it exists"]);
    pack(&copy.root, &["new", "packs/Walkers"]).says(false, &["H1116", "is no id"]);
}

#[test]
fn a_new_pack_has_a_module_that_can_be_built() {
    let copy = Copy::of_fixtures();
    copy.own_target();
    pack(&copy.root, &["new", "packs/extra_life"])
        .says(true, &["made packs/extra_life/pack.toml", "modules/plugins/extra_life/src/lib.rs"]);
    // Without `--out`, into the current folder.
    let packed = "extra_life-0.1.0.pgpack";
    pack(&copy.root, &["build", "packs/extra_life"])
        .says(true, &["Extra life 0.1.0 (extra_life): 1 module, 2 files", packed]);
    pack(&copy.root, &["key", "key", "--no-password"]).says(true, &[]);
    pack(&copy.root, &["sign", packed, "--key", "key", "--name", "x"]).says(true, &["signed"]);
    pack(&copy.root, &["verify", packed]).says(true, &["its modules fit this game"]);
    pack(&copy.root, &["new", "other/extra_life"]).says(false, &["H1116", "there is a module in"]);
}

/// Kills installs at moments between their start and their end, each in another one: one version or
/// the other is installed then, and whole. Leaves 1.0.0 as the one that is installed.
fn installs_are_killed(root: &Path) {
    let commands = [
        ["pack", "install", "2.0.0.pgpack", "--downgrade"],
        ["pack", "install", "1.0.0.pgpack", "--downgrade"],
    ];
    let command = |number: usize| {
        let mut command = Command::new(PROGRAM);
        command.args(commands[number % 2]).current_dir(root).env_remove("CARGO_MANIFEST_DIR");
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    // As long as nobody interferes.
    let undisturbed = |number: usize| {
        let started = Instant::now();
        assert!(command(number).status().expect("the command starts").success());
        started.elapsed()
    };
    let whole = (0..4).map(undisturbed).min().unwrap_or_default();
    const KILLS: u32 = 16;
    let mut killed = 0;
    for number in 1..=KILLS {
        let mut install = command(number as usize).spawn().expect("the command starts");
        thread::sleep(whole * number / KILLS);
        install.kill().expect("a process");
        killed += u32::from(!install.wait().expect("a process").success());
        pack(root, &["list"]).says(true, &["walkers", "on"]);
        pack(root, &["verify", "walkers"]).says(true, &["its modules fit this game"]);
    }
    assert!(killed > 2, "{killed} of {KILLS} were killed");
    pack(root, &["install", "1.0.0.pgpack", "--downgrade"]).says(true, &[]);
    pack(root, &["list"]).says(true, &["walkers", "1.0.0", "on"]);
    let staging = root.join("saves/packs/.staging");
    let left = fs::read_dir(staging).map_or(0, Iterator::count);
    assert_eq!(left, 0, "what was left of killed installs is removed");
}

#[test]
fn a_pack_that_ends_the_game_is_named_and_the_version_before_it_runs() {
    let copy = Copy::of_fixtures();
    pack(&copy.root, &["key", "key", "--no-password"]).says(true, &[]);
    pack(&copy.root, &["new", "packs/walkers", "--module", "systems_walk"]).says(true, &[]);
    let manifest = copy.root.join("packs/walkers/pack.toml");
    let begin = "tally.version = 1;";
    let source = copy.read(WALK);
    for (version, body) in [
        ("1.0.0", "tally.version = 10;"),
        ("2.0.0", "if tally.walked % 50 == 0 {\n        std::process::abort();\n    }"),
    ] {
        let text = fs::read_to_string(&manifest).expect("pack.toml");
        let line = text.lines().find(|line| line.starts_with("version")).expect("its version");
        let text = text.replace(line, &format!("version = \"{version}\""));
        fs::write(&manifest, text).expect("pack.toml");
        copy.edit(WALK, &[(begin, body)]);
        let file = format!("{version}.pgpack");
        pack(&copy.root, &["build", "packs/walkers", "--out", &file]).says(true, &[]);
        pack(&copy.root, &["sign", &file, "--key", "key", "--name", "x"]).says(true, &[]);
        copy.write(WALK, &source);
    }
    // What the command line says, also without a game.
    let untrusted = ["H1123", "signed with the key", "systems_walk 0.1.0", "`--trust`"];
    pack(&copy.root, &["install", "1.0.0.pgpack"]).says(false, &untrusted);
    pack(&copy.root, &["list"]).says(true, &["no packs are installed"]);
    pack(&copy.root, &["install", "1.0.0.pgpack", "--trust"]).says(true, &["installed"]);
    pack(&copy.root, &["list"]).says(true, &["walkers", "1.0.0", "on"]);
    pack(&copy.root, &["verify", "walkers"]).says(true, &["its modules fit this game"]);

    installs_are_killed(&copy.root);

    let mut game = Game::start(PROGRAM, copy, &["--supervise"]);
    game.wait_for("ready: apps_demo");
    game.wait_for_events("committed", 5);
    game.say("tally");
    assert!(game.wait_for("walked=").contains("version=10"));
    // From another process, into the game that runs.
    pack(&game.copy.root, &["update", "2.0.0.pgpack"]).says(true, &["replaces 1.0.0"]);
    game.wait_for("the game died of SIGABRT");
    game.wait_for("systems_walk of pack walkers 2.0.0: the game died");
    game.wait_for("pack walkers 2.0.0 cannot run (its code ended the game): 1.0.0 is installed");
    game.say("wait 60; tally; pack why walkers; quit");
    assert!(game.wait_for("walked=").contains("version=10"));
    game.wait_for("not a newer version: 2.0.0: its code ended the game");
    assert!(game.ended().success());
}

const EXTRA: &str = "plugins/extra/src/lib.rs";

/// Versions of a pack with a plugin and a core, built one after the other.
struct Versions {
    copy: Copy,
    manifest: String,
    sources: [(&'static str, String); 2],
}

impl Versions {
    fn new() -> Self {
        let copy = Copy::of_fixtures();
        let modules = ["--module", "plugins_extra", "--module", "core_scene"];
        pack(&copy.root, &[&["new", "packs/both"][..], &modules].concat()).says(true, &[]);
        let manifest =
            fs::read_to_string(copy.root.join("packs/both/pack.toml")).expect("pack.toml");
        let sources = [EXTRA, SCENE].map(|path| (path, copy.read(path)));
        Self { copy, manifest, sources }
    }

    /// Builds `VERSION.pgpack`, with these edits of the first sources.
    fn build(&self, version: &str, edits: &[(&str, &str, &str)]) {
        let own = self.manifest.replace("version = \"0.1.0\"", &format!("version = \"{version}\""));
        fs::write(self.copy.root.join("packs/both/pack.toml"), own).expect("pack.toml");
        for (path, source) in &self.sources {
            self.copy.write(path, source);
        }
        for (path, from, to) in edits {
            self.copy.edit(path, &[(from, to)]);
        }
        let out = format!("{version}.pgpack");
        pack(&self.copy.root, &["build", "packs/both", "--out", &out]).says(true, &[&out]);
    }

    /// The pack of one version under the number of another.
    fn renumber(&self, old: &str, new: &str) {
        let file = |version: &str| self.copy.root.join(format!("{version}.pgpack"));
        let (mut manifest, contents) = contents(&file(old));
        manifest.version = new.parse().expect("a version");
        write(&file(new), &manifest, &contents);
    }

    fn diff(&self, old: &str, new: &str) -> Answer {
        let [old, new] = [old, new].map(|version| format!("{version}.pgpack"));
        pack(&self.copy.root, &["diff", &old, &new])
    }
}

#[test]
fn a_new_version_is_as_high_as_its_changes_call_for() {
    let versions = Versions::new();
    versions.build("0.1.0", &[]);
    versions.diff("0.1.0", "0.1.0").says(true, &["hold the same"]);

    versions.build("0.1.1", &[(EXTRA, "extra.runs += 1;", "extra.runs += 2;")]);
    versions
        .diff("0.1.0", "0.1.1")
        .says(true, &["patch  the code of `plugins_extra`", "call for 0.1.1 or higher"]);

    let begin = "fn build(module: &mut ModuleApp) {";
    let more = format!(
        "fn idle() {{}}\n\nfn shout(_: In<Vec<String>>) -> String {{\n    String::new()\n}}\n\n\
         {begin}\n    module.add_systems(Update, idle).add_console_command(\"shout\", \"\", shout);"
    );
    // A field is one that saves have no value for, or one whose values would go.
    let field = ("    pub runs: u64,", "    pub runs: u64,\n    pub more: u8,");
    versions.build("0.1.2", &[(EXTRA, begin, &more), (EXTRA, field.0, field.1)]);
    versions.diff("0.1.0", "0.1.2").says(
        true,
        &[
            "minor  system `plugins_extra::idle` is new",
            "minor  the console command `shout` is new",
            "minor  `more` of `plugins_extra::Extra`",
        ],
    );
    versions.diff("0.1.2", "0.1.1").says(
        false,
        &[
            "major  the console command `shout` is gone",
            "major  `more` of `plugins_extra::Extra`",
            "call for 0.2.0",
            "0.1.1 is too low",
        ],
    );

    // A type that is not saved any more, types that other modules link to, a requirement.
    versions.build(
        "0.1.3",
        &[
            (EXTRA, "persist: [Extra]", "persist: []"),
            (EXTRA, "core_scene: \"^0.1\"", "core_scene: \"^0.1.0\""),
            (SCENE, "pub struct Tally {", "pub struct Tally {\n    pub more: u8,"),
        ],
    );
    versions.diff("0.1.0", "0.1.3").says(
        false,
        &[
            "major  `plugins_extra` no longer persists `plugins_extra::Extra`",
            "major  types of `core_scene`",
            "major  `plugins_extra` requires `core_scene` ^0.1.0 in place of ^0.1",
            "call for 0.2.0",
        ],
    );
    // The number that they call for is high enough.
    versions.renumber("0.1.3", "0.2.0");
    versions.diff("0.1.0", "0.2.0").says(true, &["major  types of `core_scene`"]);
}

#[test]
fn packs_that_cannot_be_compared_say_why() {
    let copy = with_pack();
    build(&copy);
    pack(&copy.root, &["diff", PACK, "nothing"]).says(false, &["H1101"]);
    let manifest = copy.root.join("packs/walkers/pack.toml");
    let text = fs::read_to_string(&manifest).expect("pack.toml");
    fs::write(&manifest, text.replace("\"walkers\"", "\"runners\"")).expect("pack.toml");
    pack(&copy.root, &["build", "packs/walkers", "--out", "other.pgpack"]).says(true, &[]);
    pack(&copy.root, &["diff", PACK, "other.pgpack"])
        .says(false, &["H1118", "`walkers` and `runners`"]);
    // A module whose `build` fails.
    fs::write(&manifest, &text).expect("pack.toml");
    let begin = "fn build(module: &mut ModuleApp) {";
    copy.edit(
        WALK,
        &[(begin, &format!("{begin}\n    assert!(std::env::args().count() == 0, \"no\");"))],
    );
    pack(&copy.root, &["build", "packs/walkers", "--out", "other.pgpack"]).says(true, &[]);
    pack(&copy.root, &["diff", PACK, "other.pgpack"]).says(false, &["systems_walk", "panicked"]);
}
