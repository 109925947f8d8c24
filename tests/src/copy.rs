//! A temporary copy of the workspace. Tracked files are never edited in place.
//!
//! What cargo built for the workspace is linked into the copy's target folder, so that Bevy and the
//! API are not built again: cargo knows packages by their path within the workspace, and files by
//! their times. That is thousands of small files: copies in which cargo builds nothing share them.

mod outside;
mod profile_folders;

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use rustix::fs::{CWD, RenameFlags, renameat_with};

pub use outside::outside_target;

/// A workspace of its own, removed when the last handle to it is dropped.
#[derive(Clone)]
pub struct Copy {
    /// Its root.
    pub root: PathBuf,
    /// `None` for a template, which stays.
    temporary: Option<Arc<Temporary>>,
}

/// A folder that is removed when this is dropped.
struct Temporary {
    root: PathBuf,
    /// True if several copies share one folder of what cargo built.
    shares_target: AtomicBool,
}

/// The folders that cargo writes to, in a profile's folder.
const BUILT: [&str; 3] = ["deps", "build", ".fingerprint"];

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

/// A new folder of this process.
fn temporary_folder() -> (PathBuf, Arc<Temporary>) {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let root = target().join("tests").join(format!("{}-{number}", std::process::id()));
    fs::create_dir_all(&root).expect("a temporary folder");
    let shares_target = AtomicBool::new(false);
    let temporary = Arc::new(Temporary { root: root.clone(), shares_target });
    (root, temporary)
}

/// One folder of what cargo built, for all copies of this process that only read it.
fn shared_target() -> &'static Path {
    static SHARED: OnceLock<PathBuf> = OnceLock::new();
    SHARED.get_or_init(profile_folders::take)
}

/// A workspace whose modules are built already, kept between runs: every copy starts from it.
struct Template {
    root: PathBuf,
    /// The folders that are copied into it.
    sources: Vec<(PathBuf, &'static str)>,
    /// The app that is started to build it.
    app: &'static str,
    /// Its modules are optimized as those of the workspace are.
    optimized: bool,
}

/// Most tests build modules over and over, and hardly run them.
const UNOPTIMIZED: &str = "
[profile.dev.package]
apps_demo.opt-level = 0
apps_demo.codegen-units = 16
apps_other.opt-level = 0
apps_other.codegen-units = 16
core_scene.opt-level = 0
core_scene.codegen-units = 16
plugins_extra.opt-level = 0
plugins_extra.codegen-units = 16
systems_observe.opt-level = 0
systems_observe.codegen-units = 16
systems_walk.opt-level = 0
systems_walk.codegen-units = 16
";

impl Template {
    fn fixtures() -> Self {
        let sources = vec![(workspace().join("tests/fixtures/modules"), "modules")];
        Self { root: target().join("tests/template"), sources, app: "demo", optimized: false }
    }

    fn game() -> Self {
        let sources = ["modules", "assets"].map(|name| (workspace().join(name), name)).into();
        Self { root: target().join("tests/template_game"), sources, app: "arena", optimized: true }
    }

    /// Builds what changed since the last run, as in a game that is started again.
    fn build(&self) {
        let _lock = self.lock(false);
        sweep();
        for (_, name) in &self.sources {
            let _ = fs::remove_dir_all(self.root.join(name));
        }
        let _ = fs::remove_dir_all(self.root.join("api"));
        // cargo takes what is not needed out of the lock file, and remembers what it made of it.
        let lock = fs::read(workspace().join("Cargo.lock")).expect("the lock file");
        let from = self.root.join("Cargo.lock.from");
        if fs::read(&from).ok().as_ref() != Some(&lock) {
            let _ = fs::create_dir_all(&self.root);
            fs::write(self.root.join("Cargo.lock"), &lock).expect("a lock file");
            fs::write(&from, &lock).expect("a copy of it");
        }
        let template = self.copy_at(self.root.clone(), None);
        profile_folders::update(&template.profile_folder());
        let (built, of_game) = (self.root.join("target/playground"), target().join("playground"));
        if self.app != "demo" && is_newer(&of_game, &built) {
            // A game that was started has built its modules.
            let _ = fs::remove_dir_all(&built);
            template.link_modules(&of_game, &workspace());
        }
        // What became of games that ran here, or in the workspace.
        for name in ["kept", "journal"] {
            let _ = fs::remove_dir_all(built.join(name));
        }
        for name in ["good.json", "quarantine.json"] {
            let _ = fs::remove_file(built.join(name));
        }
        crate::Scene::build_all(template, self.app);
        forget_old_caches(&built.join("build"));
    }

    fn copy(&self) -> Copy {
        let _lock = self.lock(true);
        let (root, temporary) = temporary_folder();
        fs::copy(self.root.join("Cargo.lock"), root.join("Cargo.lock")).expect("a copy");
        let copy = self.copy_at(root, Some(temporary));
        copy.share_target();
        copy.link_modules(&self.root.join("target/playground"), &self.root);
        copy
    }

    fn copy_at(&self, root: PathBuf, temporary: Option<Arc<Temporary>>) -> Copy {
        let copy = Copy::at(root, temporary, if self.optimized { "" } else { UNOPTIMIZED });
        for (from, name) in &self.sources {
            copy_tree(from, &copy.root.join(name), false).expect("a copy");
        }
        copy
    }

    /// Several test programs may come here at the same time.
    fn lock(&self, shared: bool) -> fs::File {
        fs::create_dir_all(target().join("tests")).expect("a folder for the tests");
        let file = fs::File::create(self.root.with_extension("lock")).expect("a lock file");
        if shared { file.lock_shared() } else { file.lock() }.expect("the lock");
        file
    }
}

/// Removes rustc's caches of earlier builds of the API below the folders of the modules: each copy
/// would get them as well.
fn forget_old_caches(modules: &Path) {
    let entries = |folder: PathBuf| fs::read_dir(folder).into_iter().flatten().flatten();
    for module in entries(modules.to_owned()) {
        let mut caches: Vec<_> = entries(module.path().join("incremental"))
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        caches.sort();
        caches.pop();
        for (_, old) in caches {
            fs::remove_dir_all(old).expect("an old cache");
        }
    }
}

/// True if modules were built in the folder `one` after the last ones in `other`, or only there.
fn is_newer(one: &Path, other: &Path) -> bool {
    let built = |folder: &Path| fs::metadata(folder.join("artifacts"))?.modified();
    match (built(one), built(other)) {
        (Ok(one), Ok(other)) => one > other,
        (one, _) => one.is_ok(),
    }
}

/// Removes the copies of test programs that were killed.
fn sweep() {
    for entry in fs::read_dir(target().join("tests")).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let process = name.split_once('-').and_then(|(process, _)| process.parse::<u32>().ok());
        if process.is_some_and(|process| !Path::new("/proc").join(process.to_string()).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

impl Copy {
    /// The API with the test modules, built already.
    pub fn of_fixtures() -> Self {
        static BUILT: OnceLock<()> = OnceLock::new();
        let template = Template::fixtures();
        BUILT.get_or_init(|| template.build());
        template.copy()
    }

    /// The API with the game's own modules and assets, built already.
    pub fn of_game() -> Self {
        static BUILT: OnceLock<()> = OnceLock::new();
        let template = Template::game();
        BUILT.get_or_init(|| template.build());
        template.copy()
    }

    /// The whole workspace, with what cargo built of it.
    pub fn of_workspace() -> Self {
        let (root, temporary) = temporary_folder();
        let copy = Self { root, temporary: Some(temporary) };
        for folder in ["api", "assets", "game", "hotload", "modules", "pack", "tests"] {
            let (from, to) = (workspace().join(folder), copy.root.join(folder));
            copy_tree(&from, &to, false).expect("a copy");
        }
        for file in ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml"] {
            fs::copy(workspace().join(file), copy.root.join(file)).expect("a copy");
        }
        fs::create_dir_all(copy.root.join("target")).expect("a folder");
        fs::rename(profile_folders::take(), copy.profile_folder()).expect("a folder of its own");
        copy
    }

    /// The API in a workspace at `root`, with the same versions, features and profiles, to which
    /// `profiles` are added, and without the members that are not there.
    fn at(root: PathBuf, temporary: Option<Arc<Temporary>>, profiles: &str) -> Self {
        fs::create_dir_all(root.join("assets")).expect("a temporary folder");
        let workspace = workspace();
        copy_tree(&workspace.join("api"), &root.join("api"), false).expect("a copy of the API");
        fs::copy(workspace.join("rust-toolchain.toml"), root.join("rust-toolchain.toml"))
            .expect("a copy");
        let manifest = fs::read_to_string(workspace.join("Cargo.toml")).expect("the manifest");
        let lines = manifest.lines().map(|line| {
            if line.starts_with("members = ") {
                "members = [\"api\", \"api/derive\", \"api/schema\", \"modules/*/*\"]"
            } else if line.starts_with("default-members = ") {
                "default-members = [\"api\"]"
            } else {
                line
            }
        });
        let manifest = lines.collect::<Vec<_>>().join("\n") + "\n" + profiles;
        fs::write(root.join("Cargo.toml"), manifest).expect("the copy's manifest");
        Self { root, temporary }
    }

    fn profile_folder(&self) -> PathBuf {
        self.root.join("target").join(profile_folder().file_name().expect("a profile"))
    }

    fn share_target(&self) {
        let to = self.profile_folder();
        fs::create_dir_all(&to).expect("a folder");
        for folder in BUILT {
            symlink(shared_target().join(folder), to.join(folder)).expect("a link");
        }
        if let Some(temporary) = &self.temporary {
            temporary.shares_target.store(true, Ordering::Relaxed);
        }
    }

    /// Gives the copy a target folder of its own. To be called before anything has cargo build in
    /// it; writing a manifest or a build script does so.
    pub fn own_target(&self) {
        let Some(temporary) = &self.temporary else { return };
        if temporary.shares_target.swap(false, Ordering::Relaxed) {
            let (own, shared) = (self.root.join("target/own"), self.profile_folder());
            fs::rename(profile_folders::take(), &own).expect("a folder of its own");
            // At once: a game that runs here would see missing libraries, and build them.
            renameat_with(CWD, &own, CWD, &shared, RenameFlags::EXCHANGE).expect("an exchange");
            fs::remove_dir_all(&own).expect("the links");
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

    /// The copy's own name for the probe, by which its processes are told from those of others.
    pub fn probe(&self) -> PathBuf {
        let root = fs::canonicalize(&self.root).expect("the copy's root");
        root.join("playground_probe")
    }

    /// Links `program` to that name.
    pub fn link_probe(&self, program: &Path) -> PathBuf {
        let probe = self.probe();
        // A template has the one of an earlier build.
        let _ = fs::remove_file(&probe);
        fs::hard_link(program, &probe).expect("a link to the probe");
        probe
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
        if path.ends_with("/Cargo.toml") || path.ends_with("/build.rs") {
            self.own_target();
        }
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a file in a folder")).expect("folders");
        fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    /// Replaces each first text with the second in a file below `modules/`, which has to hold it.
    pub fn edit(&self, path: &str, replacements: &[(&str, &str)]) {
        let mut text = self.read(path);
        for (from, to) in replacements {
            assert!(text.contains(from), "{path} does not hold `{from}`:\n{text}");
            text = text.replace(from, to);
        }
        self.write(path, &text);
    }

    /// Removes a file or folder below `modules/`.
    pub fn remove(&self, path: &str) {
        let path = self.path(path);
        let removed =
            if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        removed.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let shares = self.shares_target.load(Ordering::Relaxed);
        let profile = Path::new("target").join(profile_folder().file_name().expect("a profile"));
        let profile = self.root.join(profile);
        let built = profile.join(".cargo-lock").exists();
        if !shares {
            profile_folders::give_back(&profile);
        }
        // What cannot be removed lies in the target folder, where `cargo clean` finds it.
        let _ = fs::remove_dir_all(&self.root);
        assert!(
            !(shares && built) || std::thread::panicking(),
            "cargo built in a target folder that is shared: call `Copy::own_target` before"
        );
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
        } else if link && kind.is_file() && replaced_when_written(&source) {
            match fs::hard_link(&source, &target) {
                // A compiler next door may take its temporary files away meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                other => other?,
            }
        } else if kind.is_file() {
            match fs::copy(&source, &target).and_then(|_| keep_time(&source, &target)) {
                Err(error) if link && error.kind() == io::ErrorKind::NotFound => {}
                other => other?,
            }
        }
    }
    // cargo looks at the times of folders as well.
    keep_time(from, to)
}

/// Libraries and programs are written anew under another name and moved into place, so that a link
/// is not written through. cargo's own notes are small, and written in place.
fn replaced_when_written(path: &Path) -> bool {
    let built = ["so", "rlib", "rmeta", "o"];
    let built = path.extension().is_some_and(|end| built.iter().any(|built| end == *built));
    built || fs::metadata(path).is_ok_and(|data| data.len() > 64 << 10)
}

fn keep_time(from: &Path, to: &Path) -> io::Result<()> {
    let modified = fs::metadata(from)?.modified()?;
    fs::File::open(to)?.set_modified(modified)
}
