//! Build scripts run again when what they read changes, and what they write counts.

use std::fs;

use playground_tests::Scene;

use super::{HEAD, Report, check, outside, wait_for};
use crate::EXTRA;

/// Writes a type whose fields come from two data files: one beside the script, one outside.
const SCRIPT: &str = r##"fn main() {
    println!("cargo:rerun-if-changed=fields.txt");
    println!("cargo::rerun-if-changed=../../../shared/levels");
    let fields = std::fs::read_to_string("fields.txt").unwrap();
    let levels = std::fs::read_dir("../../../shared/levels").unwrap().count();
    let text = format!(
        "#[derive(Component, Debug, Default)] pub struct Lock({fields}); \
         pub const LEVELS: usize = {levels};"
    );
    let folder = std::env::var("OUT_DIR").unwrap();
    std::fs::write(format!("{folder}/fields.rs"), text).unwrap();
}
"##;

const SOURCE: &str = r#"include!(concat!(env!("OUT_DIR"), "/fields.rs"));

fn probed(world: &mut World) -> String {
    probe::<Lock>(world) + &format!("levels={LEVELS} version=1")
}
"#;

const FIELDS: &str = "plugins/extra/fields.txt";

#[test]
fn what_a_build_script_reads_counts() {
    let mut scene = Scene::demo();
    fs::write(outside(&scene, "shared/levels/one.txt"), "").expect("a file");
    scene.copy().write(FIELDS, "u32");
    scene.copy().write("plugins/extra/build.rs", SCRIPT);
    scene.write(EXTRA, &format!("{HEAD}\n{SOURCE}"));
    wait_for(&mut scene, "a build script", "swapped");
    check(&mut scene, "before", &Report(&[4], "values=Lock(0) levels=1 version=1"));

    scene.edit(FIELDS, "u32", "[usize; 3]");
    wait_for(&mut scene, "a data file", "swapped");
    check(&mut scene, "a data file", &Report(&[24], "Lock([0, 0, 0]) levels=1"));
    scene.edit(FIELDS, "[usize; 3]", "String");
    wait_for(&mut scene, "a data file", "swapped");
    check(&mut scene, "a data file", &Report(&[24], "Lock(\"\") levels=1"));
    scene.edit(EXTRA, "version=1", "version=2");
    wait_for(&mut scene, "an ordinary edit", "swapped");
    check(&mut scene, "an ordinary edit", &Report(&[24], "Lock(\"\") levels=1 version=2"));

    // A file that is new in a folder.
    scene.mark();
    fs::write(outside(&scene, "shared/levels/two.txt"), "").expect("a file");
    wait_for(&mut scene, "a new file in a folder", "swapped");
    check(&mut scene, "a new file in a folder", &Report(&[24], "Lock(\"\") levels=2 version=2"));

    // Changed while no game runs.
    let copy = scene.quit();
    copy.edit(FIELDS, &[("String", "u8")]);
    let _ = fs::remove_file(copy.root.join("events.jsonl"));
    let mut again = Scene::with_plugin(copy, |_| {});
    check(&mut again, "after a restart", &Report(&[1], "Lock(0) levels=2 version=2"));
}
