//! Builds of a small workspace, with a script in place of rustc.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::sync::mpsc::channel;
use std::thread;

use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};
use rustix::io::Errno;
use semver::Version;

use super::standby::Standby;
use super::*;
use crate::inspect::MIN_FILE_BYTES;
use crate::workspace::{Members, ModuleCrate};

/// Writes an rlib and a dylib that contain the source. If the module has a `gate`, its "linker"
/// waits until a line is written there.
const RUSTC: &str = r#"#!/bin/sh
while [ $# -gt 0 ]; do
    case "$1" in
    --crate-name) name=$2 ;;
    --out-dir) out=$2 ;;
    esac
    shift
done
echo "$name" >>../log
grep -q error lib.rs && { echo "error in $name" >&2; exit 1; }
if [ -e "../$name.gate" ]; then
    sh -c 'exec 2>/dev/null 3<>$0.gate; mv $0.closed $0.started; read line <&3; echo >$0.linked' \
        "../$name" &
    wait
fi
cat lib.rs >"$out/lib$name.rlib"
echo "lib.rs:" >"$out/$name.d"
{ head -c MIN_FILE_BYTES /dev/zero; cat lib.rs; } >"$out/lib$name.so"
"#;

/// `systems_b` links to `core_arena`, which links to `core_physics`.
const MODULES: [(&str, &[&str]); 3] =
    [("core_arena", &["core_physics"]), ("core_physics", &[]), ("systems_b", &["core_arena"])];

/// A temporary workspace for one test, removed on drop.
struct Workspace(PathBuf);

impl Workspace {
    fn new(name: &str) -> Self {
        let folder = format!("playground-build-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        let _ = fs::remove_dir_all(&folder);
        let workspace = Self(folder);
        for (id, _) in MODULES {
            fs::create_dir_all(workspace.module(id)).unwrap();
            workspace.write(id, "pub struct Thing;");
        }
        let script = RUSTC.replace("MIN_FILE_BYTES", &MIN_FILE_BYTES.to_string());
        fs::write(workspace.0.join("rustc"), script).unwrap();
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(workspace.0.join("rustc"), mode).unwrap();
        workspace
    }

    fn module(&self, id: &str) -> PathBuf {
        self.0.join("modules").join(id)
    }

    /// A file beside the module's folder, where it does not count as a source.
    fn beside(&self, id: &str, ending: &str) -> PathBuf {
        self.0.join("modules").join(format!("{id}.{ending}"))
    }

    fn write(&self, id: &str, source: &str) {
        fs::write(self.module(id).join("lib.rs"), source).unwrap();
    }

    /// Makes the linker of a module wait.
    fn close(&self, id: &str) {
        mknodat(CWD, self.beside(id, "gate"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        fs::write(self.beside(id, "closed"), "").unwrap();
    }

    fn wait_for_linker(&self, id: &str) {
        while !self.beside(id, "started").exists() {
            thread::yield_now();
        }
    }

    /// Lets the linker of a module continue, and later ones start without waiting.
    fn open(&self, id: &str) {
        fs::write(self.beside(id, "gate"), "\n").unwrap();
        fs::remove_file(self.beside(id, "gate")).unwrap();
    }

    /// A batch for the modules, with their current inputs.
    fn batch(&self, ids: &[&str]) -> Batch {
        let folders = Folders {
            workspace: self.0.clone(),
            modules: self.0.join("modules"),
            built: self.0.join("built"),
        };
        let crates = MODULES.map(|(id, links)| {
            let links = links.iter().map(|&link| link.into()).collect();
            let (id, folder) = (ModuleId::from(id), self.module(id));
            (
                id.clone(),
                ModuleCrate {
                    id,
                    version: Version::new(0, 1, 0),
                    folder,
                    links,
                    libraries: BTreeSet::new(),
                },
            )
        });
        let members = Members { crates: crates.into(), ..Members::default() };
        let path = ("PATH".to_owned(), std::env::var("PATH").unwrap());
        let recipe = |id: &str| recipe::Recipe {
            folder: self.module(id),
            arguments: vec![
                self.0.join("rustc").display().to_string(),
                "--crate-name".to_owned(),
                id.to_owned(),
            ],
            environment: vec![path.clone()],
        };
        let by_module = MODULES.map(|(id, _)| (ModuleId::from(id), recipe(id))).into();
        let recipes = Recipes { by_module, ..Recipes::default() };
        let inputs = inputs(&folders, &members, &recipes, &BTreeMap::new()).unwrap();
        let ids = ids.iter().map(|&id| id.into()).collect();
        let standby = Standby::default();
        Batch { folders, members, recipes, inputs, ids, linker: None, standby, libraries: None }
    }

    /// The compilations since the last call, sorted.
    fn compiled(&self) -> Vec<String> {
        let log = fs::read_to_string(self.0.join("modules/log")).unwrap_or_default();
        let _ = fs::remove_file(self.0.join("modules/log"));
        let mut compiled: Vec<String> = log.lines().map(str::to_owned).collect();
        compiled.sort();
        compiled
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const ALL: [&str; 3] = ["core_arena", "core_physics", "systems_b"];

fn run(batch: &Batch) -> BTreeMap<ModuleId, Outcome> {
    build(batch.clone(), &Cancel::default(), |_| {}).unwrap().outcomes
}

fn assert_built(outcomes: &BTreeMap<ModuleId, Outcome>, ids: &[&str]) {
    assert!(outcomes.keys().map(ModuleId::as_str).eq(ids.iter().copied()), "{outcomes:?}");
    let is_built = |outcome: &Outcome| matches!(outcome, Outcome::Built(_));
    assert!(outcomes.values().all(is_built), "{outcomes:?}");
}

#[test]
fn an_artifact_is_used_again_only_as_it_was_written() {
    let workspace = Workspace::new("again");
    let batch = workspace.batch(&ALL);
    assert_built(&run(&batch), &ALL);
    assert_eq!(workspace.compiled(), ALL);
    assert_built(&run(&batch), &ALL);
    assert!(workspace.compiled().is_empty());

    // rustc was killed after it wrote the rlib of another source.
    let library =
        store::output_folder(&batch.folders, &"core_physics".into()).join("libcore_physics.rlib");
    fs::write(library, "another").unwrap();
    assert_built(&run(&batch), &ALL);
    assert_eq!(workspace.compiled(), ["core_physics"]);

    // The game was killed after it moved the artifact and before it wrote the record.
    let artifact = batch.folders.built.join("artifacts/systems_b.so");
    fs::write(artifact, vec![8; MIN_FILE_BYTES]).unwrap();
    assert_built(&run(&batch), &ALL);
    assert_eq!(workspace.compiled(), ["systems_b"]);
}

#[test]
fn an_artifact_holds_in_a_copy_of_the_workspace() {
    let (workspace, copy) = (Workspace::new("original"), Workspace::new("copy"));
    run(&workspace.batch(&ALL));
    for folder in ["modules", "built"] {
        let (from, to) = (workspace.0.join(folder), copy.0.join(folder));
        let _ = fs::remove_dir_all(&to);
        assert!(
            std::process::Command::new("cp").arg("-r").args([from, to]).status().unwrap().success()
        );
    }
    copy.compiled();
    assert_built(&run(&copy.batch(&ALL)), &ALL);
    assert!(copy.compiled().is_empty());
}

#[test]
fn modules_are_skipped_for_the_crate_that_failed() {
    let workspace = Workspace::new("skipped");
    workspace.write("core_physics", "error");
    let outcomes = run(&workspace.batch(&ALL));
    assert_eq!(workspace.compiled(), ["core_physics"]);
    for id in ["core_arena", "systems_b"] {
        assert!(
            matches!(&outcomes[id], Outcome::Skipped(core) if *core == "core_physics"),
            "{outcomes:?}"
        );
    }
    let Outcome::Failed(messages) = &outcomes["core_physics"] else { panic!("{outcomes:?}") };
    assert_eq!(messages, &["error in core_physics"]);
}

#[test]
fn the_second_of_two_builds_waits_and_uses_what_the_first_built() {
    let workspace = Workspace::new("two");
    workspace.close("core_physics");
    let batches = [(); 2].map(|()| workspace.batch(&ALL));
    let (report, reported) = channel();
    let first = &batches[0];
    thread::scope(|scope| {
        let first = scope.spawn(|| run(first));
        workspace.wait_for_linker("core_physics");
        let second = scope.spawn(|| {
            let second = batches[1].clone();
            build(second, &Cancel::default(), |progress| report.send(progress).unwrap())
        });
        assert_eq!(reported.recv(), Ok(BuildProgress::Waiting));
        workspace.open("core_physics");
        assert_built(&first.join().unwrap(), &ALL);
        assert_built(&second.join().unwrap().unwrap().outcomes, &ALL);
    });
    assert!(reported.try_recv().is_err(), "the second build compiles nothing");
    assert_eq!(workspace.compiled(), ALL);
}

#[test]
fn a_cancelled_build_leaves_no_linker_behind() {
    let workspace = Workspace::new("cancelled");
    workspace.close("core_physics");
    let batch = workspace.batch(&ALL);
    let cancel = Cancel::default();
    thread::scope(|scope| {
        let build = scope.spawn(|| build(batch.clone(), &cancel, |_| {}));
        workspace.wait_for_linker("core_physics");
        cancel.cancel();
        assert!(build.join().unwrap().is_none());
    });
    // The linker no longer waits at the gate: it was ended.
    let gate = workspace.beside("core_physics", "gate");
    let flags = OFlags::NONBLOCK.bits() as i32;
    let opened = OpenOptions::new().write(true).custom_flags(flags).open(gate);
    let error = opened.expect_err("the linker runs");
    assert_eq!(Errno::from_io_error(&error), Some(Errno::NXIO));
    assert!(!workspace.beside("core_physics", "linked").exists());
    assert_eq!(workspace.compiled(), ["core_physics"], "nothing is started after that");
}

#[test]
fn a_source_that_changes_during_the_build_is_built_again() {
    let workspace = Workspace::new("changed");
    workspace.close("core_physics");
    let batch = workspace.batch(&ALL);
    thread::scope(|scope| {
        let build = scope.spawn(|| run(&batch));
        workspace.wait_for_linker("core_physics");
        workspace.write("core_physics", "pub struct Other;");
        workspace.open("core_physics");
        assert_built(&build.join().unwrap(), &ALL);
    });
    assert!(workspace.beside("core_physics", "linked").exists());
    let twice = ["core_arena", "core_physics", "core_physics", "systems_b"];
    assert_eq!(workspace.compiled(), twice, "all are of the newer source");
    assert_built(&run(&workspace.batch(&ALL)), &ALL);
    assert!(workspace.compiled().is_empty());
    // The edit is undone: the artifact that was built from it does not count.
    workspace.write("core_physics", "pub struct Thing;");
    assert_built(&run(&workspace.batch(&ALL)), &ALL);
    assert_eq!(workspace.compiled(), ALL);
}

#[test]
fn a_core_that_another_build_replaced_is_built_again_first() {
    let workspace = Workspace::new("replaced");
    run(&workspace.batch(&ALL));
    workspace.write("core_physics", "pub struct Other;");
    run(&workspace.batch(&ALL));
    workspace.compiled();
    workspace.write("core_physics", "pub struct Thing;");
    assert_built(&run(&workspace.batch(&["systems_b"])), &["systems_b"]);
    assert_eq!(workspace.compiled(), ALL);
}

#[test]
fn every_module_is_compiled_with_the_lint_against_unsafe_code() {
    let workspace = Workspace::new("lint");
    let mut batch = workspace.batch(&ALL);
    for recipe in batch.recipes.by_module.values_mut() {
        // They would turn it into a warning.
        let options = ["--cap-lints", "allow", "--cap-lints=warn", "--edition=2024"];
        recipe.arguments.extend(options.map(str::to_owned));
    }
    for id in ALL {
        let command = batch.job(&id.into(), &BTreeSet::new()).unwrap().command();
        let arguments: Vec<&str> = command.get_args().map(|it| it.to_str().unwrap()).collect();
        assert!(arguments.windows(2).any(|pair| pair == ["-F", "unsafe_code"]), "{arguments:?}");
        let caps = |it: &&str| it.starts_with("--cap-lints") || **it == *"allow";
        assert!(!arguments.iter().any(caps), "{arguments:?}");
        assert!(arguments.contains(&"--edition=2024"), "{arguments:?}");
    }
}

#[test]
fn code_that_rust_does_not_check_is_refused_before_rustc_starts() {
    let workspace = Workspace::new("unchecked");
    let macro_of_core = "macro_rules! a {\n    () => { #[no_mangle] fn b() {} };\n}";
    for (id, source, place, compiled) in [
        ("systems_b", "// 1\nfn a() { unsafe{} }", "lib.rs:2: `unsafe`", &ALL[..2]),
        ("core_arena", macro_of_core, "lib.rs:2: `no_mangle`", &[]),
    ] {
        workspace.write(id, source);
        let outcomes = run(&workspace.batch(&ALL));
        let Outcome::Failed(messages) = &outcomes[id] else { panic!("{outcomes:?}") };
        let message = messages.concat();
        assert!(message.starts_with("H0325") && message.contains(place), "{message}");
        assert!(message.contains(workspace.module(id).to_str().unwrap()), "{message}");
        assert_eq!(workspace.compiled(), compiled);
        workspace.write(id, "#![forbid(unsafe_code)]\npub struct Thing;");
    }
    assert_built(&run(&workspace.batch(&ALL)), &ALL);
}
