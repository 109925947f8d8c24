//! What changes while rustc runs, between two starts of the game, or in a library behind an
//! `--extern`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use playground_tests::{Copy, Scene};

use super::{HEAD, Report, check, wait_for};
use crate::{EXTRA, SCENE};

const LOCK: &str = "#[derive(Component, Debug, Default)]\npub struct Lock(u32);\n\n\
                    fn probed(world: &mut World) -> String {\n    \
                    probe::<Lock>(world) + \"version=1\"\n}\n";

/// Has the linker of the copy run a command before it links the library of that name.
fn when_linked(scene: &Scene, library: &str, command: &str) {
    let linker = scene.root().join("target/playground/link.sh");
    let own = linker.with_extension("sh.own");
    if !own.exists() {
        fs::rename(&linker, &own).expect("the linker");
        fs::write(&linker, "#!/bin/sh\n").expect("a linker");
    }
    let mut text = fs::read_to_string(&linker).expect("the linker");
    text = text.replace("exec \"$0.own\" \"$@\"\n", "");
    let once = format!("\"$0.{library}\"");
    text += &format!(
        "out=; for argument in \"$@\"; do [ \"$before\" = -o ] && out=$argument; before=$argument; done\n\
         case \"$out\" in *{library}*) mkdir {once} 2>/dev/null && {command} ;; esac\n\
         exec \"$0.own\" \"$@\"\n"
    );
    // A new file: the old one may be linked to the template's.
    let new = linker.with_extension("sh.new");
    fs::write(&new, text).expect("a linker");
    fs::set_permissions(&new, fs::Permissions::from_mode(0o755)).expect("an executable");
    fs::rename(&new, &linker).expect("a linker");
}

fn replace(file: &Path, from: &str, to: &str) -> String {
    format!("sed -i 's/{from}/{to}/' '{}'", file.display())
}

#[test]
fn sources_that_change_during_a_build_are_built_again() {
    let mut scene = Scene::demo_with(|plugin| plugin.watch = false);
    let file = scene.root().join("modules").join(EXTRA);
    scene.write(EXTRA, &format!("{HEAD}\n{LOCK}"));
    scene.console("reload plugins_extra");
    wait_for(&mut scene, "the first code", "swapped");
    check(&mut scene, "before", &Report(&[4], "Lock(0) version=1"));

    // Saved while the core below is compiled, after everything was hashed.
    when_linked(&scene, "core_scene", &replace(&file, "Lock(u32)", "Lock([u64; 32])"));
    scene.edit(SCENE, "self.x += self.speed", "self.x += self.speed * 2.0");
    scene.console("reload core_scene");
    wait_for(&mut scene, "a save during a build", "swapped");
    assert!(scene.read(EXTRA).contains("[u64; 32]"), "the linker of the core ran");
    check(&mut scene, "a save during a build", &Report(&[256], "version=1"));
    scene.edit(EXTRA, "version=1", "version=2");
    scene.console("reload plugins_extra");
    wait_for(&mut scene, "an ordinary edit", "swapped");
    check(&mut scene, "an ordinary edit", &Report(&[256], "version=2"));
}

#[test]
fn a_change_that_is_undone_during_a_build_leaves_no_wrong_artifact() {
    let mut scene = Scene::demo_with(|plugin| plugin.watch = false);
    let file = scene.root().join("modules").join(EXTRA);
    scene.write(EXTRA, &format!("{HEAD}\n{LOCK}"));
    scene.console("reload plugins_extra");
    wait_for(&mut scene, "the first code", "swapped");
    check(&mut scene, "before", &Report(&[4], "Lock(0) version=1"));

    when_linked(&scene, "core_scene", &replace(&file, "Lock(u32)", "Lock([u64; 32])"));
    when_linked(&scene, "plugins_extra", &replace(&file, "Lock(\\[u64; 32\\])", "Lock(u32)"));
    scene.edit(SCENE, "self.x += self.speed", "self.x += self.speed * 2.0");
    scene.console("reload core_scene");
    wait_for(&mut scene, "a change and back", "swapped");
    let done = |library: &str| {
        scene.root().join("target/playground").join(format!("link.sh.{library}")).is_dir()
    };
    assert!(done("core_scene") && done("plugins_extra"), "both linkers ran");
    assert!(scene.read(EXTRA).contains("Lock(u32)"));
    check(&mut scene, "a change and back", &Report(&[4], "Lock(0) version=1"));

    // Nor does a restart find one.
    let copy = scene.quit();
    let _ = fs::remove_file(copy.root.join("events.jsonl"));
    let mut again = Scene::with_plugin(copy, |_| {});
    check(&mut again, "after a restart", &Report(&[4], "Lock(0) version=1"));
}

/// A type whose size a variable decides.
const FROM_VARIABLE: &str = "const LENGTH: usize = match option_env!(\"SOUNDNESS_LENGTH\") {\n    \
                             Some(text) => text.len(),\n    None => 1,\n};\n\n\
                             #[derive(Component)]\npub struct Lock([u8; LENGTH]);\n\n\
                             fn probed(world: &mut World) -> String {\n    \
                             size(world, Lock([0; LENGTH]))\n}\n";

#[test]
fn a_variable_that_changes_between_two_starts_counts() {
    let copy = Copy::of_fixtures();
    // Another configuration of cargo's means that it is asked for its commands again.
    copy.own_target();
    copy.write(EXTRA, &format!("{HEAD}\n{FROM_VARIABLE}"));
    let mut scene = Scene::with_plugin(copy, |_| {});
    check(&mut scene, "without", &Report(&[1], ""));
    let starts: [(_, &[usize]); 3] = [(Some("12345"), &[5]), (Some("123"), &[3]), (None, &[1])];
    for (value, sizes) in starts {
        let copy = scene.quit();
        let configuration = copy.root.join(".cargo/config.toml");
        fs::create_dir_all(copy.root.join(".cargo")).expect("a folder");
        let text = value.map(|value| format!("[env]\nSOUNDNESS_LENGTH = \"{value}\"\n"));
        fs::write(configuration, text.unwrap_or_default()).expect("cargo's configuration");
        let _ = fs::remove_file(copy.root.join("events.jsonl"));
        scene = Scene::with_plugin(copy, |_| {});
        check(&mut scene, value.unwrap_or("without"), &Report(sizes, ""));
    }
}

#[test]
fn another_build_of_a_library_under_the_same_name_counts() {
    let mut scene = Scene::demo_with(|plugin| plugin.watch = false);
    let library = scene.root().join("libs/steps");
    fs::create_dir_all(library.join("src")).expect("folders");
    let manifest = "[package]\nname = \"steps\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    fs::write(library.join("Cargo.toml"), manifest).expect("a manifest");
    let small = "#[derive(Debug, Default)]\npub struct Step(pub u8);\n";
    fs::write(library.join("src/lib.rs"), small).expect("a library");
    let source = "#[derive(Component, Debug, Default)]\npub struct Lock(steps::Step);\n\n\
                  fn probed(world: &mut World) -> String {\n    \
                  probe::<Lock>(world) + \"version=1\"\n}\n";
    scene.write(EXTRA, &format!("{HEAD}\n{source}"));
    let with = "[dependencies]\nsteps = { path = \"../../../libs/steps\" }";
    scene.edit("plugins/extra/Cargo.toml", "[dependencies]", with);
    scene.console("reload plugins_extra");
    wait_for(&mut scene, "a library", "swapped");
    check(&mut scene, "a library", &Report(&[1], "Step(0)"));

    // Somebody builds it from another source, which is gone afterwards.
    let large = small.replace("u8", "[u64; 32]");
    fs::write(library.join("src/lib.rs"), large).expect("a library");
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--offline", "-p", "steps"]).current_dir(scene.root());
    assert!(cargo.status().expect("cargo").success());
    fs::write(library.join("src/lib.rs"), small).expect("a library");
    scene.edit(EXTRA, "version=1", "version=2");
    scene.console("reload plugins_extra");
    wait_for(&mut scene, "another build of it", "swapped");
    check(&mut scene, "another build of it", &Report(&[256], "version=2"));
}

/// Another revision of a git dependency has the same version, file name and metadata.
#[test]
fn another_revision_of_a_git_dependency_counts() {
    let mut scene = Scene::demo();
    let library = scene.root().join("elsewhere/steps");
    fs::create_dir_all(library.join("src")).expect("folders");
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=t", "-c", "user.email=t@localhost"]);
        let output = git.args(arguments).current_dir(&library).output().expect("git");
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    };
    let commit = |field: &str| {
        let source = format!("#[derive(Debug, Default)]\npub struct Step(pub {field});\n");
        fs::write(library.join("src/lib.rs"), source).expect("a library");
        git(&["add", "."]);
        git(&["commit", "--quiet", "--message", field]);
    };
    // The empty table keeps cargo from looking for a workspace in the folders above.
    let manifest =
        "[package]\nname = \"steps\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n";
    fs::write(library.join("Cargo.toml"), manifest).expect("a manifest");
    git(&["init", "--quiet", "--initial-branch", "main"]);
    commit("u8");

    let source = "#[derive(Component, Debug, Default)]\npub struct Lock(steps::Step);\n\n\
                  fn probed(world: &mut World) -> String {\n    probe::<Lock>(world)\n}\n";
    let with = format!(
        "[dependencies]\nsteps = {{ git = \"file://{}\", branch = \"main\" }}",
        library.display()
    );
    scene.copy().own_target();
    // Both at once: the source alone does not compile.
    scene.mark();
    scene.copy().edit("plugins/extra/Cargo.toml", &[("[dependencies]", &*with)]);
    scene.copy().write(EXTRA, &format!("{HEAD}\n{source}"));
    wait_for(&mut scene, "a git dependency", "swapped");
    check(&mut scene, "a git dependency", &Report(&[1], "Step(0)"));

    commit("[u64; 4]");
    scene.mark();
    let mut cargo = Command::new("cargo");
    cargo.args(["update", "--quiet", "--package", "steps"]).current_dir(scene.root());
    assert!(cargo.status().expect("cargo").success());
    wait_for(&mut scene, "another revision", "swapped");
    check(&mut scene, "another revision", &Report(&[32], "Step([0, 0, 0, 0])"));
}
