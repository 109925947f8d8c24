//! A temporary copy of the workspace. Tracked files are never edited in place.
//!
//! What cargo built for the workspace is linked into the copy's target folder, so that Bevy and the
//! API are not built again: cargo knows packages by their path within the workspace, and files by
//! their times.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// A workspace of its own, removed when it is dropped.
pub struct Copy {
    /// Its root.
    pub root: PathBuf,
}

/// The workspace that this test belongs to.
pub fn workspace() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().map(Path::to_path_buf).expect("the tests lie in the workspace")
}

/// The profile's folder that this test runs from.
fn profile_folder() -> PathBuf {
    let executable = std::env::current_exe().expect("a process has an executable");
    let deps = executable.ancestors().find(|path| path.ends_with("deps"));
    deps.and_then(Path::parent).map(Path::to_path_buf).expect("tests lie in target/<profile>/deps")
}

/// Where cargo builds the workspace.
fn target() -> PathBuf {
    profile_folder().parent().map(Path::to_path_buf).expect("a profile lies in a target folder")
}

fn fixtures() -> PathBuf {
    workspace().join("tests/fixtures/modules")
}

fn unused_folder() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    target().join("tests").join(format!("{}-{number}", std::process::id()))
}

/// Builds the test modules once, for all tests and all later runs. Whatever changed since the last
/// run is built again, as in a game that is started again.
fn build_template(root: &Path) {
    // Several test programs may come here at the same time.
    let lock = target().join("tests/template.lock");
    fs::create_dir_all(target().join("tests")).expect("a folder for the tests");
    let lock = fs::File::create(lock).expect("a lock file");
    lock.lock().expect("the lock");
    let _ = fs::remove_dir_all(root.join("modules"));
    let _ = fs::remove_dir_all(root.join("api"));
    let template = std::mem::ManuallyDrop::new(Copy::at(root.to_path_buf()));
    copy_tree(&fixtures(), &root.join("modules"), false).expect("a copy");
    let _ = fs::remove_dir_all(root.join("target/debug"));
    template.link_target();
    crate::Scene::build_all(&template);
}

impl Copy {
    /// The API with the test modules, built already.
    pub fn of_fixtures() -> Self {
        static BUILT: OnceLock<()> = OnceLock::new();
        let template = target().join("tests/template");
        BUILT.get_or_init(|| build_template(&template));
        let copy = Self::at(unused_folder());
        copy_tree(&fixtures(), &copy.root.join("modules"), false).expect("a copy");
        copy.link_target();
        copy.link_modules(&template.join("target/playground"), &template);
        copy
    }

    /// The API with the game's own modules and assets.
    pub fn of_game() -> Self {
        let copy = Self::at(unused_folder());
        for folder in ["modules", "assets"] {
            copy_tree(&workspace().join(folder), &copy.root.join(folder), false).expect("a copy");
        }
        copy.link_target();
        copy.link_modules(&target().join("playground"), &workspace());
        copy
    }

    /// The API in a workspace at `root`, with the same profiles, versions and features, and without
    /// the members that are not there.
    fn at(root: PathBuf) -> Self {
        fs::create_dir_all(root.join("assets")).expect("a temporary folder");
        let workspace = workspace();
        copy_tree(&workspace.join("api"), &root.join("api"), false).expect("a copy of the API");
        for file in ["Cargo.lock", "rust-toolchain.toml"] {
            fs::copy(workspace.join(file), root.join(file)).expect("a copy");
        }
        let manifest = fs::read_to_string(workspace.join("Cargo.toml")).expect("the manifest");
        let lines = manifest.lines().map(|line| {
            if line.starts_with("members = ") {
                "members = [\"api\", \"modules/*/*\"]"
            } else if line.starts_with("default-members = ") {
                "default-members = [\"api\"]"
            } else {
                line
            }
        });
        let manifest = lines.collect::<Vec<_>>().join("\n");
        fs::write(root.join("Cargo.toml"), manifest).expect("the copy's manifest");
        Self { root }
    }

    fn link_target(&self) {
        let from = profile_folder();
        let to = self.root.join("target").join(from.file_name().expect("a profile"));
        for folder in ["deps", "build", ".fingerprint"] {
            copy_tree(&from.join(folder), &to.join(folder), true).expect("links to what is built");
        }
    }

    /// Takes over modules that were built in the workspace at `origin`.
    fn link_modules(&self, built: &Path, origin: &Path) {
        let to = self.root.join("target/playground");
        let Ok(recipes) = fs::read_to_string(built.join("recipes.json")) else { return };
        copy_tree(built, &to, true).expect("links to the built modules");
        let origin = origin.to_string_lossy();
        let recipes = recipes.replace(&*origin, &self.root.to_string_lossy());
        // A new file: the old one is linked to the original.
        fs::remove_file(to.join("recipes.json")).expect("the link");
        fs::write(to.join("recipes.json"), recipes).expect("the recipes");
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.join("modules").join(path)
    }

    /// The text of a file below `modules/`.
    pub fn read(&self, path: &str) -> String {
        let path = self.path(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Writes a file below `modules/`, and the folders to it.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a file in a folder")).expect("folders");
        fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    /// Replaces `from` with `to` in a file below `modules/`, which has to hold it.
    pub fn edit(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert!(text.contains(from), "{path} does not hold `{from}`:\n{text}");
        self.write(path, &text.replace(from, to));
    }

    /// Removes a file or folder below `modules/`.
    pub fn remove(&self, path: &str) {
        let path = self.path(path);
        let removed =
            if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        removed.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // What cannot be removed lies in the target folder, where `cargo clean` finds it.
        let _ = fs::remove_dir_all(&self.root);
    }
}

/// Copies a folder with its files' times, or links its files.
fn copy_tree(from: &Path, to: &Path, link: bool) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy_tree(&source, &target, link)?;
        } else if link && kind.is_file() {
            match fs::hard_link(&source, &target) {
                // A compiler next door may take its temporary files away meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                other => other?,
            }
        } else if kind.is_file() {
            fs::copy(&source, &target)?;
            keep_time(&source, &target)?;
        }
    }
    // cargo looks at the times of folders as well.
    keep_time(from, to)
}

fn keep_time(from: &Path, to: &Path) -> io::Result<()> {
    let modified = fs::metadata(from)?.modified()?;
    fs::File::open(to)?.set_modified(modified)
}
