//! Records cargo's commands for the modules: cargo runs with a wrapper in place of rustc.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;
use std::{fs, io};

use thiserror::Error;

use super::build_lock::BuildLock;
use super::environment;
use super::features::check_features;
use super::process_group::{Cancel, ProcessGroup};
use super::recipe::{self, Recipes};
use crate::atomic_write;
use crate::explain::Explain;
use crate::ids::ModuleId;
use crate::sdk::SdkError;
use crate::shared_libraries::SharedLibraries;
use crate::workspace::{Folders, Members};

/// Why the recipes could not be recorded.
#[derive(Debug, Error)]
#[error("{}", self.explain())]
pub enum CaptureError {
    /// A file could not be read or written.
    File { path: PathBuf, source: io::Error },
    /// cargo failed before it reached the modules.
    Cargo {
        /// The modules that it did not reach.
        modules: String,
        /// cargo's standard error.
        message: String,
    },
    /// A module's dependency would require a different build of Bevy.
    Features {
        module: ModuleId,
        /// The package whose features differ.
        package: String,
        /// The features that the host's build lacks.
        added: String,
        /// The features that the host's build has.
        present: String,
    },
    /// The API on disk differs from the one in this process.
    ApiChanged,
    /// A library that is not a module changed after modules were built with it.
    LibraryChanged { library: String, folder: String },
    /// A module cannot be built with its project's SDK.
    Sdk(Box<SdkError>),
    /// The game is exiting.
    Cancelled,
}

impl From<SdkError> for CaptureError {
    fn from(error: SdkError) -> Self {
        Self::Sdk(Box::new(error))
    }
}

/// Runs cargo to record the commands of all modules, after any other build in the same folder.
/// `on_line` is called with each line that cargo prints.
///
/// # Errors
///
/// If cargo fails or is cancelled, or a module's dependencies would require a different build of
/// Bevy.
pub fn capture(
    folders: &Folders,
    members: &Members,
    libraries: &SharedLibraries,
    cancel: &Cancel,
    mut on_line: impl FnMut(&str),
) -> Result<Recipes, CaptureError> {
    if members.crates.is_empty() {
        return Ok(Recipes::default());
    }
    check_features(folders, members)?;
    let on_wait = || on_line("Blocking waiting for another game's build");
    let lock = BuildLock::acquire(&folders.built, cancel, on_wait);
    let lock = lock.ok_or(CaptureError::Cancelled)?;
    if lock.was_contended
        && let Some(recipes) = recipe::kept(folders, members, libraries)
    {
        // The other game recorded the same ones.
        return Ok(recipes);
    }
    let folder = folders.built.join("capture");
    let wrapper = folder.join("capture.sh");
    recreate(&folder)?;
    write_script(&wrapper, include_str!("capture.sh"))?;

    let started = SystemTime::now();
    let mut missing = run_cargo(folders, members, &folder, &wrapper, cancel, &mut on_line)?;
    if !missing.is_empty() {
        // cargo does not run rustc for packages that are fresh: remove their output.
        clean(folders, &missing)?;
        missing = run_cargo(folders, members, &folder, &wrapper, cancel, &mut on_line)?;
    }
    if !missing.is_empty() {
        let message = fs::read_to_string(folder.join("cargo.log")).unwrap_or_default();
        let modules: Vec<&str> = missing.iter().map(ModuleId::as_str).collect();
        return Err(CaptureError::Cargo { modules: modules.join(", "), message });
    }
    let configured = environment::configured(&folders.workspace);
    let mut by_module = BTreeMap::new();
    for id in members.crates.keys() {
        let path = folder.join(format!("{id}.captured"));
        let recorded =
            fs::read(&path).map_err(|source| CaptureError::File { path: path.clone(), source })?;
        by_module.insert(id.clone(), recipe::read(&path, &recorded, &configured)?);
    }
    recipe::keep(folders, members, libraries, by_module, started)
}

/// Runs cargo once over all modules, so that they share one resolution of features. Returns the
/// modules whose command was not recorded.
fn run_cargo(
    folders: &Folders,
    members: &Members,
    folder: &Path,
    wrapper: &Path,
    cancel: &Cancel,
    on_line: &mut impl FnMut(&str),
) -> Result<Vec<ModuleId>, CaptureError> {
    let linked = members.linked();
    let all: Vec<&str> = members.crates.keys().map(ModuleId::as_str).collect();
    let cores: Vec<&str> = linked.iter().map(ModuleId::as_str).collect();
    let mut command = cargo(folders);
    command.args(["build", "--lib", "--keep-going", "--features", "playground_api/hot"]);
    for id in &all {
        command.args(["-p", id]);
    }
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    command
        .env("RUSTC_WRAPPER", wrapper)
        .env("PLAYGROUND_CAPTURE", all.join(" "))
        .env("PLAYGROUND_CAPTURE_CORES", cores.join(" "))
        .env("PLAYGROUND_CAPTURE_DIR", folder)
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let failed = |source| CaptureError::File { path: "cargo".into(), source };
    let group = ProcessGroup::spawn(&mut command).map_err(failed)?;
    cancel.add(&group);
    let mut log = String::new();
    if let Some(stderr) = group.take_stderr() {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            on_line(&line);
            log.push_str(&line);
            log.push('\n');
        }
    }
    // A failure is expected: the wrapper leaves modules uncompiled.
    group.wait().map_err(failed)?;
    if cancel.is_cancelled() {
        group.end();
        return Err(CaptureError::Cancelled);
    }
    write(&folder.join("cargo.log"), log.as_bytes())?;
    let captured = |id: &&ModuleId| folder.join(format!("{id}.captured")).exists();
    Ok(members.crates.keys().filter(|id| !captured(id)).cloned().collect())
}

fn clean(folders: &Folders, ids: &[ModuleId]) -> Result<(), CaptureError> {
    let mut command = cargo(folders);
    command.arg("clean");
    for id in ids {
        command.args(["-p", id.as_str()]);
    }
    command
        .output()
        .map(|_| ())
        .map_err(|source| CaptureError::File { path: "cargo".into(), source })
}

/// A cargo command in the workspace.
pub(super) fn cargo(folders: &Folders) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(&folders.workspace).stdin(Stdio::null());
    // With the variables that `cargo run` sets for the game, cargo would see the modules as changed,
    // and what it sets for them could not be told from what it was given.
    for (name, _) in std::env::vars_os().filter(|(name, _)| environment::is_set_by_cargo(name)) {
        command.env_remove(&name);
    }
    command
}

/// A library that is not a module exists once in a process: old and new code share its types.
///
/// # Errors
///
/// If a library that modules were built with has changed.
pub fn check_libraries(before: &Members, now: &Members) -> Result<(), CaptureError> {
    if before.api != now.api {
        return Err(CaptureError::ApiChanged);
    }
    let changed = now.libraries.iter().find(|(name, library)| {
        before.libraries.get(*name).is_some_and(|before| before.hash != library.hash)
    });
    changed.map_or(Ok(()), |(name, library)| {
        Err(CaptureError::LibraryChanged {
            library: name.clone(),
            folder: library.folder.display().to_string(),
        })
    })
}

fn recreate(folder: &Path) -> Result<(), CaptureError> {
    let file = |source| CaptureError::File { path: folder.into(), source };
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(file(error)),
        _ => fs::create_dir_all(folder).map_err(file),
    }
}

/// Writes an executable script, if it differs from the file at `path`.
pub(super) fn write_script(path: &Path, text: &str) -> Result<(), CaptureError> {
    write_if_changed(path, text.as_bytes())?;
    let is_executable =
        fs::metadata(path).is_ok_and(|data| data.permissions().mode() & 0o111 == 0o111);
    if is_executable {
        return Ok(());
    }
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
        .map_err(|source| CaptureError::File { path: path.into(), source })
}

/// Writes a file if its content changes: unchanged files may be in a read-only folder.
pub(super) fn write_if_changed(path: &Path, bytes: &[u8]) -> Result<(), CaptureError> {
    if fs::read(path).is_ok_and(|found| found == bytes) { Ok(()) } else { write(path, bytes) }
}

/// Replaces a file as a whole.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), CaptureError> {
    atomic_write::replace(path, bytes)
        .map_err(|source| CaptureError::File { path: path.into(), source })
}
