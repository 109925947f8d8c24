//! Artifacts that are not exactly right are refused before the game executes any byte of them, and the
//! game goes on: one row a fault, with all that has to hold after it.

use std::fs;
use std::path::{Path, PathBuf};

use playground_tests::faults::{Barrier, FILE_FAULTS, GOOD_VARIANTS, Good, Hash, Made, bit_flips};
use playground_tests::{Scene, Tally};

const WALK: &str = "systems_walk";

/// A running app, and what its `systems_walk` was built to.
struct Bench {
    scene: Scene,
    root: PathBuf,
    good: Good,
    rows: usize,
}

impl Bench {
    fn new() -> Self {
        let scene = Scene::demo();
        let root = fs::canonicalize(scene.root()).expect("it is there");
        let artifact = scene.root().join("target/playground/artifacts").join(format!("{WALK}.so"));
        let bytes = fs::read(artifact).expect("the module was built");
        Self { scene, root, good: Good { bytes, id: WALK.to_owned() }, rows: 0 }
    }

    /// A folder for the next row.
    fn folder(&mut self) -> PathBuf {
        self.rows += 1;
        let folder = self.scene.root().join("brought").join(self.rows.to_string());
        fs::create_dir_all(&folder).expect("a folder");
        folder
    }

    /// Has it loaded, with the hash that goes with it beside it; gives what the console printed,
    /// the state's hash before and after it included. No time of the game passes in between.
    fn load(&mut self, made: &Made) -> String {
        let hash = match &made.hash {
            Hash::Right if made.path.is_file() => {
                let bytes = fs::read(&made.path).unwrap_or_default();
                blake3::hash(&bytes).to_hex().to_string()
            }
            Hash::Right | Hash::Recorded => blake3::hash(&self.good.bytes).to_hex().to_string(),
            Hash::Text(text) => text.clone(),
        };
        let folder = made.path.parent().and_then(|folder| fs::canonicalize(folder).ok());
        if folder.is_some_and(|folder| folder.starts_with(&self.root)) {
            // Some paths have no place for a file beside them: in a file, or of a longest name.
            let _ = fs::write(with_hash(&made.path), hash);
        }
        self.scene.mark();
        let path = made.path.to_string_lossy().replace('\\', "\\\\").replace('"', "\\\"");
        self.scene.console(&format!("hash; load {WALK} \"{path}\"; hash"))
    }

    /// The reason why it is not loaded, after a check that nothing else came of it.
    fn refusal(&mut self, name: &str, made: &Made) -> String {
        let tally = self.scene.exact_tally();
        let said = self.load(made);
        let reason = self.scene.event("refused", Some(WALK));
        let reason = reason.unwrap_or_else(|| panic!("{name}: taken\n{}", self.scene.story()));
        assert_eq!(self.scene.count("swapped"), 0, "{name}\n{}", self.scene.story());
        let hashes: Vec<&str> = said.lines().filter(|line| line.starts_with("hash ")).collect();
        assert!(hashes.len() == 2 && hashes[0] == hashes[1], "{name}: {said}");
        self.goes_on(name, &tally);
        reason["reason"].as_str().unwrap_or_default().to_owned()
    }

    /// The old code runs, and is the old code.
    fn goes_on(&mut self, name: &str, before: &Tally) {
        self.scene.frames(2);
        let after = self.scene.exact_tally();
        assert!(after.get("walked") > before.get("walked"), "{name}: {before:?} {after:?}");
        assert_eq!(after.get("version"), 1, "{name}");
    }
}

fn with_hash(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".b3");
    name.into()
}

#[test]
fn every_faulty_file_is_refused_and_the_game_goes_on() {
    let mut bench = Bench::new();
    let mut wrong = Vec::new();
    for fault in FILE_FAULTS {
        let folder = bench.folder();
        let made = (fault.make)(&bench.good, &folder);
        let reason = bench.refusal(fault.name, &made);
        let file = made.path.to_string_lossy().into_owned();
        let named = match fault.barrier {
            Barrier::Inspection => &file,
            Barrier::Probe => WALK,
        };
        for word in [fault.code, fault.reason, fault.remedy, named] {
            if !reason.contains(word) {
                wrong.push(format!("{}: no `{word}` in\n{reason}", fault.name));
            }
        }
        let _ = fs::remove_dir_all(&folder);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(bench.rows >= 120, "{} rows", bench.rows);
    let by_probe = FILE_FAULTS.iter().filter(|fault| fault.barrier == Barrier::Probe).count();
    println!("{} rows refused by inspection, {by_probe} by the probe", bench.rows - by_probe);

    // The module is as live as before.
    bench.scene.swap("systems/walk/src/lib.rs", &[("tally.version = 1", "tally.version = 2")]);
    bench.scene.frames(1);
    assert_eq!(bench.scene.exact_tally().get("version"), 2);
}

#[test]
fn each_flipped_bit_is_refused() {
    let mut bench = Bench::new();
    let flipped: Vec<Vec<u8>> = bit_flips(&bench.good.bytes, 400).collect();
    let mut refused = 0;
    for (row, bytes) in flipped.iter().enumerate() {
        let folder = bench.folder();
        let made = Made { hash: Hash::Recorded, ..bench.good.write(&folder, bytes) };
        let reason = bench.refusal(&format!("flip {row}"), &made);
        assert!(reason.contains("H0219") && reason.contains("build the module again"), "{reason}");
        refused += 1;
        fs::remove_dir_all(&folder).expect("it is there");
    }
    assert_eq!(refused, 400);
}

#[test]
fn good_variants_of_an_artifact_are_taken() {
    let mut bench = Bench::new();
    for (row, variant) in GOOD_VARIANTS.iter().enumerate() {
        let folder = bench.folder();
        let made = (variant.make)(&bench.good, &folder);
        let tally = bench.scene.exact_tally();
        bench.load(&made);
        let swapped = bench.scene.event("swapped", Some(WALK));
        assert!(swapped.is_some(), "{}\n{}", variant.name, bench.scene.story());
        assert_eq!(bench.scene.generation(WALK), row as u32 + 2, "{}", variant.name);
        bench.goes_on(variant.name, &tally);
    }
    // What is built from the source takes its place back.
    bench.scene.swap("systems/walk/src/lib.rs", &[("tally.version = 1", "tally.version = 2")]);
    bench.scene.frames(1);
    assert_eq!(bench.scene.exact_tally().get("version"), 2);
}

#[test]
fn an_artifact_without_its_hash_or_module_is_refused() {
    let mut bench = Bench::new();
    let folder = bench.folder();
    let made = bench.good.write(&folder, &bench.good.bytes);
    bench.scene.mark();
    bench.scene.console(&format!("load {WALK} \"{}\"", made.path.display()));
    let reason = bench.scene.wait_for("refused", WALK)["reason"].to_string();
    assert!(reason.contains("H0220") && reason.contains("b3sum"), "{reason}");
    let said = bench.scene.console("load systems_wlk x.so");
    assert!(said.contains("did you mean `systems_walk`?"), "{said}");

    // Another module's artifact, and a core's.
    for other in ["systems_observe", "core_scene"] {
        let artifact = bench.scene.root().join(format!("target/playground/artifacts/{other}.so"));
        let bytes = fs::read(artifact).expect("the module was built");
        let made = bench.good.write(&folder, &bytes);
        let reason = bench.refusal(other, &made);
        assert!(reason.contains(other) && reason.contains(WALK), "{reason}");
    }
}
