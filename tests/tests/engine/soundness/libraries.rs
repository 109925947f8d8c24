//! The shared libraries that modules are compiled against are those that the game runs with.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use playground_tests::Scene;

use super::{HEAD, Report, check, wait_for};
use crate::EXTRA;

const LOCK: &str = "#[derive(Component, Debug, Default)]\npub struct Lock(u32);\n\n\
                    fn probed(world: &mut World) -> String {\n    \
                    probe::<Lock>(world) + \"version=1\"\n}\n";

/// The app with a plugin that has a type, over a copy in which libraries may be replaced.
fn scene() -> Scene {
    let mut scene = Scene::demo();
    scene.copy().own_target();
    scene.write(EXTRA, &format!("{HEAD}\n{LOCK}"));
    wait_for(&mut scene, "the first code", "swapped");
    check(&mut scene, "the first code", &Report(&[4], "Lock(0) version=1"));
    scene
}

/// The file in the folder where rustc looks for libraries. There may be several builds of one
/// library; a library that this process has mapped is meant rather than another build of it.
fn library(scene: &Scene, name: &str) -> PathBuf {
    let maps = fs::read_to_string("/proc/self/maps").expect("what is mapped");
    let mut mapped = maps.lines().filter_map(|line| line.rsplit('/').next());
    let name = mapped.find(|file| file.starts_with(name)).unwrap_or(name);
    let profiles = fs::read_dir(scene.root().join("target")).expect("a folder").flatten();
    let folders = profiles.filter_map(|profile| fs::read_dir(profile.path().join("deps")).ok());
    let mut files = folders.flatten().flatten().map(|entry| entry.path());
    let is_one = |file: &PathBuf| {
        let file = file.file_name().unwrap_or_default().to_string_lossy();
        file.starts_with(name) && file.ends_with(".so")
    };
    files.find(is_one).expect("a library of that name")
}

#[test]
fn another_build_of_a_library_is_noticed_before_rustc_starts() {
    let mut scene = scene();
    let bevy = library(&scene, "libbevy_dylib-");
    let aside = bevy.with_extension("aside");
    fs::rename(&bevy, &aside).expect("a move");

    // Built anew from the same sources, it is the same one.
    fs::copy(&aside, &bevy).expect("a copy");
    scene.edit(EXTRA, "version=1", "version=2");
    wait_for(&mut scene, "the same content", "swapped");
    check(&mut scene, "the same content", &Report(&[4], "Lock(0) version=2"));

    let mut file = fs::File::options().append(true).open(&bevy).expect("the library");
    file.write_all(b"another build").expect("a change");
    scene.edit(EXTRA, "Lock(u32)", "Lock([u64; 32])");
    let reason = wait_for(&mut scene, "another build", "refused");
    let name = bevy.file_name().unwrap_or_default().to_string_lossy();
    for part in ["H0242", &*name, "Start the game again with `cargo run`"] {
        assert!(reason.contains(part), "no `{part}` in {reason}");
    }
    assert_eq!(scene.count("build_started"), 0, "{}", scene.story());
    check(&mut scene, "another build", &Report(&[4], "Lock(0) version=2"));

    fs::rename(&aside, &bevy).expect("a move");
    scene.edit(EXTRA, "Lock([u64; 32])", "Lock([u64; 16])");
    wait_for(&mut scene, "it is back", "swapped");
    check(&mut scene, "it is back", &Report(&[128], "version=2"));
}

/// As after `cargo test -p systems_x` in another terminal: a library without `libbevy_dylib` takes the
/// place of the API's, next to which all others are as they were.
#[test]
fn modules_are_built_although_the_api_was_built_without_hot() {
    let mut scene = scene();
    let (api, other) = (library(&scene, "libplayground_api"), library(&scene, "libserde_derive"));
    let new = api.with_extension("new");
    fs::copy(other, &new).expect("a copy");
    fs::rename(new, &api).expect("another library");
    for pair in ["version=1", "version=2", "version=3", "version=4"].windows(2) {
        scene.edit(EXTRA, pair[0], pair[1]);
        wait_for(&mut scene, pair[1], "swapped");
        check(&mut scene, pair[1], &Report(&[4], pair[1]));
    }
}
