//! What the machine may refuse: room on the disk, descriptors, permissions. The game goes on with
//! what runs, says what it lacks, and takes the same save once it has it.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use playground_tests::Copy;
use playground_tests::game::{Game, is_root, seen_by};
use serde_json::Value;

use crate::{PROGRAM, WALK};

const BUILT: &str = "target/playground";

/// A game that runs well, and what to go back to is known.
fn running(mut game: Game) -> Game {
    game.wait_for("ready: apps_demo");
    game.wait_for_events("committed", 5);
    assert_eq!(game.tally().get("version"), 1);
    game
}

fn save_version(game: &Game, version: u32) {
    let source = game.copy.read(WALK);
    let line = source.lines().find(|line| line.contains("tally.version = ")).expect("the line");
    game.copy.write(WALK, &source.replace(line, &format!("    tally.version = {version};")));
}

/// How many events say that new code will not run.
fn refusals(game: &Game) -> Vec<Value> {
    [game.events("build_failed"), game.events("refused")].concat()
}

/// The old code goes on, and a refusal holds all of these.
fn assert_refused(game: &mut Game, before: usize, version: i64, expected: &[&str]) {
    game.until("a refusal", || refusals(game).len() > before);
    let walked = game.tally();
    assert_eq!(walked.get("version"), version, "{}", game.story());
    assert!(game.tally().get("walked") > walked.get("walked"), "the old code goes on");
    assert!(game.is_alive());
    let reasons: Vec<String> = refusals(game)[before..].iter().map(reason_of).collect();
    let found = reasons.iter().any(|reason| expected.iter().all(|part| reason.contains(part)));
    assert!(found, "none with {expected:?}: {}\n{}", reasons.join("\n"), game.story());
}

fn reason_of(event: &Value) -> String {
    event["reason"].as_str().unwrap_or_default().to_owned()
}

/// The save that was refused is live after `how`, and the state is what it was.
fn assert_live(game: &mut Game, version: i64, how: impl FnOnce(&mut Game)) {
    let before = game.tally();
    let swaps = game.events("swapped").len();
    how(game);
    game.wait_for_events("swapped", swaps + 1);
    let after = game.tally();
    assert_eq!(after.get("version"), version, "{}", game.story());
    assert!(after.get("walked") > before.get("walked"), "{before:?} {after:?}");
    assert_eq!(after.get("added"), 100, "nobody comes a second time: {after:?}");
}

fn reload(game: &mut Game) {
    game.say("reload systems_walk");
}

/// Files below a folder that were not written to their end.
fn parts(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(parts(&path));
        } else if path.extension().is_some_and(|ending| ending == "part") {
            found.push(path);
        }
    }
    found
}

/// Everything that a later start would take is what was written down of it.
fn assert_whole(built: &Path) {
    assert_eq!(parts(built), Vec::<PathBuf>::new());
    for entry in fs::read_dir(built.join("kept")).expect("a folder").flatten() {
        let hash = blake3::hash(&fs::read(entry.path()).expect("a file")).to_hex();
        assert_eq!(entry.path().file_stem().and_then(|stem| stem.to_str()), Some(hash.as_str()));
    }
}

/// Starts the game with a file system of its own at `folder`, which goes with it and has room for
/// so many megabytes more than are there.
fn start_in_small(copy: Copy, folder: &str, room: u32, arguments: &[&str]) -> Option<Game> {
    let script = "set -e; at=$1; room=$2; shift 2
        mkdir -p \"$at\" \"$at.before\"; cp -a \"$at/.\" \"$at.before\"
        used=$(du -sm \"$at.before\" | cut -f1)
        mount -t tmpfs -o size=$((used + room))m tmpfs \"$at\"
        cp -a \"$at.before/.\" \"$at\"; rm -r \"$at.before\"
        exec \"$@\"";
    let unshared = || {
        let mut command = Command::new("unshare");
        command.arg("--mount");
        if !is_root() {
            command.arg("--map-root-user");
        }
        command
    };
    let try_mount = "mount -t tmpfs tmpfs /tmp";
    let tried = unshared().args(["sh", "-c", try_mount]).stderr(Stdio::null()).status();
    if !tried.is_ok_and(|status| status.success()) {
        eprintln!("left out: no file system can be mounted here (`unshare --mount`)");
        return None;
    }
    let mut command = unshared();
    command
        .args(["sh", "-c", script, "sh"])
        .arg(copy.root.join(folder))
        .arg(room.to_string())
        .arg(PROGRAM);
    Some(Game::start_by(command, copy, arguments))
}

/// Writes until there is no room left.
fn fill(folder: &Path) -> PathBuf {
    let path = folder.join("filler");
    let mut file = File::create(&path).expect("a file");
    for size in [1 << 20, 1 << 12, 1] {
        while file.write_all(&vec![7; size]).is_ok() {}
    }
    path
}

/// Starts the game as somebody whom permissions count for.
fn start_without_privileges(copy: Copy) -> Option<Game> {
    if !is_root() {
        return Some(Game::start(PROGRAM, copy, &[]));
    }
    let without = ["--inh-caps=-all", "--bounding-set=-all"];
    let tried = Command::new("setpriv").args(without).arg("true").status();
    if !tried.is_ok_and(|status| status.success()) {
        eprintln!("left out: this is root, and there is no `setpriv`");
        return None;
    }
    let mut command = Command::new("setpriv");
    command.args(without).arg(PROGRAM);
    Some(Game::start_by(command, copy, &[]))
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("its own file");
}

/// Sets the mode of all folders; files are linked to those of other copies.
fn set_modes(folder: &Path, mode: u32) {
    set_mode(folder, 0o755);
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            set_modes(&entry.path(), mode);
        }
    }
    set_mode(folder, mode);
}

#[test]
fn a_full_disk_holds_a_build_up_and_not_the_game() {
    let copy = Copy::of_fixtures();
    let Some(game) = start_in_small(copy, BUILT, 100, &[]) else { return };
    let mut game = running(game);
    let built = seen_by(game.id(), &game.copy.root.join(BUILT));
    let filler = fill(&built);
    save_version(&game, 2);
    let place = game.copy.root.join(BUILT);
    let place = place.to_string_lossy();
    assert_refused(&mut game, 0, 1, &["H0321", &place, "o space left", "Make room"]);
    assert_whole(&built);
    // So little that the linker still fails, or what comes after it.
    for room in [4096, 64 << 10, 512 << 10] {
        let length = fs::metadata(&filler).expect("the filler").len();
        let file = OpenOptions::new().write(true).open(&filler).expect("the filler");
        file.set_len(length - room).expect("it shrinks");
        let before = refusals(&game).len();
        let swaps = game.events("swapped").len();
        reload(&mut game);
        game.until("an end", || {
            refusals(&game).len() > before || game.events("swapped").len() > swaps
        });
        assert_whole(&built);
        if game.events("swapped").len() > swaps {
            break;
        }
        fill_again(&filler);
    }
    if game.tally().get("version") == 1 {
        fs::remove_file(&filler).expect("it is removed");
        assert_live(&mut game, 2, reload);
    }
    let _ = fs::remove_file(&filler);
    save_version(&game, 3);
    assert_live(&mut game, 3, |_| {});
    assert_whole(&built);
}

fn fill_again(filler: &Path) {
    let mut file = OpenOptions::new().append(true).open(filler).expect("the filler");
    for size in [1 << 12, 1] {
        while file.write_all(&vec![7; size]).is_ok() {}
    }
}

#[test]
fn a_full_disk_keeps_the_older_snapshots() {
    let copy = Copy::of_fixtures();
    let Some(game) = start_in_small(copy, "saves", 1, &[]) else { return };
    let mut game = running(game);
    let saves = seen_by(game.id(), &game.copy.root.join("saves"));
    let told = game.ask("snapshot save old");
    assert!(told.contains("snapshot `old`: "), "{told}");
    let whole = fs::read(saves.join("old.snap")).expect("the snapshot");
    let filler = fill(&saves);
    for name in ["new", "old"] {
        let told = game.ask(&format!("snapshot save {name}"));
        let parts = ["H0903", &format!("saves/{name}.snap"), "No space left", "Make room"];
        assert!(parts.iter().all(|part| told.contains(part)), "{told}");
    }
    assert_eq!(parts(&saves), Vec::<PathBuf>::new());
    assert_eq!(fs::read(saves.join("old.snap")).expect("the snapshot"), whole);
    let told = game.ask("snapshot list; snapshot load old");
    assert!(told.contains("entities are back") && !told.contains("new "), "{told}");
    fs::remove_file(&filler).expect("it is removed");
    let told = game.ask("snapshot save new; snapshot load new");
    assert!(told.contains("snapshot `new`: ") && told.contains("entities are back"), "{told}");
    // The one at the end.
    fill(&saves);
    game.say("quit");
    game.wait_for("no autosave: H0903");
    assert!(game.ended().success());
}

#[test]
fn the_game_may_open_as_many_files_as_the_system_allows() {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -Sn 64; exec \"$0\" \"$@\"", PROGRAM]);
    let mut game = Game::start_by(command, Copy::of_fixtures(), &[]);
    game.wait_for("ready: apps_demo");
    let stats = game.ask("stats");
    let most = stats.split_once("descriptors ").and_then(|(_, rest)| rest.split(' ').nth(2));
    let most: u64 = most.and_then(|most| most.trim_end_matches(',').parse().ok()).expect(&stats);
    assert!(most > 64, "{stats}");
}

#[test]
fn without_descriptors_the_old_code_goes_on() {
    let mut game = running(Game::start(PROGRAM, Copy::of_fixtures(), &[]));
    let mut version = 1;
    for more in [0, 3, 5, 8] {
        let (before, swaps) = (refusals(&game).len(), game.events("swapped").len());
        let was = game.limit_descriptors(more);
        save_version(&game, version + 1);
        game.until("an end", || {
            refusals(&game).len() > before || game.events("swapped").len() > swaps
        });
        let is_refused = refusals(&game).len() > before;
        assert!(is_refused || more > 0, "nothing can be opened");
        if is_refused {
            let expected = ["oo many open files", "ulimit -n"];
            assert_refused(&mut game, before, version.into(), &expected);
            game.set_descriptors(was);
            assert_live(&mut game, i64::from(version) + 1, reload);
        }
        game.set_descriptors(was);
        version += 1;
        assert_whole(&game.copy.root.join(BUILT));
    }
    assert_eq!(game.tally().get("version"), i64::from(version));
}

#[test]
fn a_folder_that_cannot_be_written_is_told_of() {
    let Some(game) = start_without_privileges(Copy::of_fixtures()) else { return };
    let mut game = running(game);
    let built = game.copy.root.join(BUILT);
    set_modes(&built, 0o555);
    save_version(&game, 2);
    let place = built.to_string_lossy().into_owned();
    assert_refused(&mut game, 0, 1, &[&place, "ermission denied", "writ"]);
    set_modes(&built, 0o755);
    assert_whole(&built);
    assert_live(&mut game, 2, reload);

    // A start needs to write nothing that is there already.
    game.wait_for_events("committed", 6);
    let artifact = fs::read(built.join("artifacts/systems_walk.so")).expect("the artifact");
    let hash = blake3::hash(&artifact).to_hex();
    let good = || fs::read_to_string(built.join("good.json")).unwrap_or_default();
    game.until("what ran well is on disk", || good().contains(hash.as_str()));
    let copy = game.kill();
    set_modes(&built, 0o555);
    let mut game = start_without_privileges(copy).expect("it could before");
    game.wait_for("ready: apps_demo");
    assert_eq!(game.tally().get("version"), 2);
    let before = refusals(&game).len();
    save_version(&game, 3);
    assert_refused(&mut game, before, 2, &[&place, "ermission denied", "writ"]);
    set_modes(&built, 0o755);
    assert_live(&mut game, 3, reload);
}

#[test]
fn a_source_that_cannot_be_read_is_no_empty_one() {
    let Some(game) = start_without_privileges(Copy::of_fixtures()) else { return };
    let mut game = running(game);
    let file = game.copy.root.join("modules").join(WALK);
    set_mode(&file, 0o200);
    let before = refusals(&game).len();
    save_version(&game, 2);
    let place = file.to_string_lossy().into_owned();
    assert_refused(&mut game, before, 1, &["H0106", &place, "ermission denied", "readable"]);
    // It is seen that it can be read again.
    assert_live(&mut game, 2, |_| set_mode(&file, 0o644));

    // A folder in which there is a source, and that of a whole module.
    for folder in ["src", ""] {
        let before = refusals(&game).len();
        let version = game.tally().get("version");
        let folder = game.copy.root.join("modules/systems/walk").join(folder);
        save_version(&game, u32::try_from(version).expect("a small number") + 1);
        set_mode(&folder, 0o000);
        let place = folder.to_string_lossy().into_owned();
        let place = place.trim_end_matches('/');
        assert_refused(
            &mut game,
            before,
            version,
            &["H0106", place, "ermission denied", "readable"],
        );
        assert_live(&mut game, version + 1, |_| set_mode(&folder, 0o755));
    }
}

#[test]
fn what_cannot_be_read_at_the_start_is_waited_for() {
    for place in [WALK, "systems/walk"] {
        let copy = Copy::of_fixtures();
        let path = copy.root.join("modules").join(place);
        let mode = fs::metadata(&path).expect("it is there").permissions().mode();
        set_mode(&path, 0o000);
        let Some(mut game) = start_without_privileges(copy) else { return };
        game.until("a refusal", || !refusals(&game).is_empty());
        let reasons: Vec<String> = refusals(&game).iter().map(reason_of).collect();
        let reasons = reasons.join("\n");
        let found = reasons.contains(&*path.to_string_lossy());
        assert!(found && reasons.contains("ermission denied"), "{reasons}");
        assert!(game.is_alive());
        set_mode(&path, mode);
        game.wait_for("ready: apps_demo");
        assert_eq!(game.tally().get("version"), 1);
    }
}
