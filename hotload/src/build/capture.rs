//! Asks cargo how it would compile the modules, and keeps the answer for as long as nothing that
//! could change it has changed: manifests, lock file, cargo's configuration, toolchain.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::{fs, io};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::rustc::Cancel;
use crate::atomic_write;
use crate::ids::ModuleId;
use crate::os_remedies::remedy;
use crate::workspace::{Folders, Members};

/// How cargo would compile a module's library.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Recipe {
    /// The folder in which cargo runs rustc.
    pub folder: PathBuf,
    /// The program and its arguments.
    pub arguments: Vec<String>,
    /// The whole environment.
    pub environment: Vec<(String, String)>,
}

/// Why cargo did not say how to compile the modules.
#[derive(Debug, Error)]
pub enum CaptureError {
    /// A file could not be read or written.
    #[error("H0301: {}: {source}. {}", path.display(), remedy(source))]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// cargo failed before it came to the modules.
    #[error("H0302: cargo cannot build {modules}:\n{message}")]
    Cargo {
        /// The modules it did not come to.
        modules: String,
        /// What cargo said.
        message: String,
    },
    /// A module's dependency would need another build of Bevy.
    #[error(
        "H0303: module `{module}` would need another build of `{package}`: it turns on {added} \
         (the host has {present}). Take the feature out, or add it to playground_api's \
         dependencies and start the game again"
    )]
    Features {
        /// The module.
        module: ModuleId,
        /// The package whose features differ.
        package: String,
        /// The features that the host's build lacks.
        added: String,
        /// The features that the host's build has.
        present: String,
    },
    /// The API on disk is no longer the one in the process.
    #[error(
        "H0304: playground_api was changed since the game started, and modules built against the \
         new one cannot run in it. Start the game again"
    )]
    ApiChanged,
    /// A library that is no module is no longer the one that modules were built with.
    #[error(
        "H0313: `{library}` in {folder} was changed since the game started. It is a library and no \
         module: what runs would share its types with code that has other ones. Start the game \
         again, or make it a core module, which is swapped"
    )]
    LibraryChanged {
        /// The package.
        library: String,
        /// Where it is.
        folder: String,
    },
}

/// The recipes of all modules, and what they were made from.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Recipes {
    /// The workspace that they were made in: they hold its paths.
    pub workspace: PathBuf,
    /// Hash of everything that the recipes depend on.
    pub key: String,
    /// By module.
    pub by_module: BTreeMap<ModuleId, Recipe>,
    /// Hash of the API's library that modules are compiled against. Two builds of the same source
    /// differ when they were made in different folders, and rustc does not take a crate that was
    /// compiled against the one for use with the other.
    #[serde(skip)]
    pub api: String,
}

/// Reads the recipes of an earlier run, if they still hold.
pub fn kept(folders: &Folders, members: &Members) -> Option<Recipes> {
    let text = fs::read(folders.built.join("recipes.json")).ok()?;
    let mut recipes: Recipes = serde_json::from_slice(&text).ok()?;
    let complete = members.crates.keys().all(|id| recipes.by_module.contains_key(id));
    let holds =
        complete && recipes.workspace == folders.workspace && recipes.key == key(folders, members);
    recipes.api = check_api(&recipes).ok().filter(|_| holds)?;
    Some(recipes)
}

/// Compares the API that modules would be built against with the one in this process. Gives the
/// hash of its library; nothing where it is not one.
fn check_api(recipes: &Recipes) -> Result<String, CaptureError> {
    const LIBRARY: &str = "libplayground_api.so";
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let loaded = maps.lines().find_map(|line| {
        let path = line.get(line.find('/')?..)?;
        path.ends_with(LIBRARY).then(|| PathBuf::from(path))
    });
    let built = recipes.by_module.values().flat_map(|recipe| &recipe.arguments).find_map(|a| {
        let path = Path::new(a.strip_prefix("playground_api=")?);
        path.ends_with(LIBRARY).then(|| path.to_owned())
    });
    match (loaded, built) {
        (Some(loaded), Some(built)) => {
            let hash = hash_of(&built).ok_or(CaptureError::ApiChanged)?;
            let same = same_file(&loaded, &built) || hash_of(&loaded).as_ref() == Some(&hash);
            if same { Ok(hash) } else { Err(CaptureError::ApiChanged) }
        }
        // The path that the process loaded from ends in ` (deleted)` once it was written anew.
        (None, Some(_)) => Err(CaptureError::ApiChanged),
        (_, None) => Ok(String::new()),
    }
}

fn same_file(a: &Path, b: &Path) -> bool {
    let id = |path: &Path| fs::metadata(path).map(|data| (data.dev(), data.ino())).ok();
    id(a).is_some() && id(a) == id(b)
}

fn hash_of(path: &Path) -> Option<String> {
    fs::read(path).map(|bytes| blake3::hash(&bytes).to_hex().to_string()).ok()
}

/// Asks cargo for the recipes of all modules. `said` gets cargo's lines as they come.
///
/// # Errors
///
/// When cargo fails, or a module's dependencies would need another build of Bevy.
pub fn capture(
    folders: &Folders,
    members: &Members,
    cancel: &Cancel,
    mut said: impl FnMut(&str),
) -> Result<Recipes, CaptureError> {
    if members.crates.is_empty() {
        return Ok(Recipes::default());
    }
    check_features(folders, members)?;
    let folder = folders.built.join("capture");
    let wrapper = folder.join("capture.sh");
    recreate(&folder)?;
    write_script(&wrapper, include_str!("capture.sh"))?;

    let mut missing = run_cargo(folders, members, &folder, &wrapper, cancel, &mut said)?;
    if !missing.is_empty() && !cancel.is_cancelled() {
        // What cargo holds for fresh it does not hand to rustc: make it forget those.
        clean(folders, &missing)?;
        missing = run_cargo(folders, members, &folder, &wrapper, cancel, &mut said)?;
    }
    if !missing.is_empty() {
        let message = fs::read_to_string(folder.join("cargo.log")).unwrap_or_default();
        return Err(CaptureError::Cargo {
            modules: missing.iter().map(ModuleId::as_str).collect::<Vec<_>>().join(", "),
            message,
        });
    }
    let mut by_module = BTreeMap::new();
    for id in members.crates.keys() {
        by_module.insert(id.clone(), read_recipe(&folder.join(format!("{id}.captured")))?);
    }
    let workspace = folders.workspace.clone();
    let mut recipes =
        Recipes { workspace, key: key(folders, members), by_module, api: String::new() };
    recipes.api = check_api(&recipes)?;
    let path = folders.built.join("recipes.json");
    let text = serde_json::to_vec(&recipes)
        .map_err(|source| CaptureError::File { path: path.clone(), source: source.into() })?;
    write(&path, &text)?;
    Ok(recipes)
}

/// Runs cargo once over all modules, so that they share one resolution of features. Gives the
/// modules that were not captured.
fn run_cargo(
    folders: &Folders,
    members: &Members,
    folder: &Path,
    wrapper: &Path,
    cancel: &Cancel,
    said: &mut impl FnMut(&str),
) -> Result<Vec<ModuleId>, CaptureError> {
    let linked = members.linked();
    let all: Vec<&str> = members.crates.keys().map(ModuleId::as_str).collect();
    let only: Vec<&str> = all.iter().copied().filter(|id| !linked.contains(*id)).collect();
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
        .env("PLAYGROUND_CAPTURE_ONLY", only.join(" "))
        .env("PLAYGROUND_CAPTURE_DIR", folder)
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let failed = |source| CaptureError::File { path: "cargo".into(), source };
    let mut child = command.spawn().map_err(failed)?;
    let mut log = String::new();
    let stderr = child.stderr.take();
    let child = Arc::new(Mutex::new(child));
    cancel.own(&child);
    if let Some(stderr) = stderr {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            said(&line);
            log.push_str(&line);
            log.push('\n');
        }
    }
    // A failure is expected: the wrapper leaves modules uncompiled.
    child.lock().unwrap_or_else(PoisonError::into_inner).wait().map_err(failed)?;
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

fn cargo(folders: &Folders) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(&folders.workspace).stdin(Stdio::null());
    // What `cargo run` sets for the game would make cargo take the modules for changed.
    for (name, _) in std::env::vars_os() {
        let name_text = name.to_string_lossy();
        if name_text.starts_with("CARGO_PKG_") || name_text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

fn read_recipe(path: &Path) -> Result<Recipe, CaptureError> {
    let file = |source| CaptureError::File { path: path.into(), source };
    let bytes = fs::read(path).map_err(file)?;
    let invalid = || file(io::Error::new(io::ErrorKind::InvalidData, "not a recorded command"));
    let text = String::from_utf8(bytes).map_err(|_| invalid())?;
    let mut parts = text.split_terminator('\0').map(str::to_owned);
    let folder = PathBuf::from(parts.next().ok_or_else(invalid)?);
    let count: usize = parts.next().and_then(|n| n.parse().ok()).ok_or_else(invalid)?;
    let arguments: Vec<String> = parts.by_ref().take(count).map(with_code).collect();
    if arguments.len() < 2 {
        return Err(invalid());
    }
    let ours = |name: &str| {
        // The job server's descriptors are closed by then.
        matches!(name, "RUSTC_WRAPPER" | "CARGO_MAKEFLAGS" | "MAKEFLAGS" | "MFLAGS")
            || name.starts_with("PLAYGROUND_")
    };
    let environment = parts
        .filter_map(|part| part.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned())))
        .filter(|(name, _)| !ours(name))
        .collect();
    Ok(Recipe { folder, arguments, environment })
}

/// cargo compiles a library against the metadata of what it depends on; a dylib takes the code in.
fn with_code(argument: String) -> String {
    let library = argument.strip_suffix(".rmeta").map(|path| format!("{path}.rlib"));
    let is_there = |library: &String| {
        library.split_once('=').is_some_and(|(_, path)| Path::new(path).is_file())
    };
    library.filter(is_there).unwrap_or(argument)
}

/// Hash of everything that could change what cargo answers.
pub fn key(folders: &Folders, members: &Members) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(playground_api::ABI.as_bytes());
    hasher.update(include_bytes!("capture.sh"));
    hasher.update(include_bytes!("capture.rs"));
    let workspace = &folders.workspace;
    let shared = ["Cargo.toml", "Cargo.lock", ".cargo/config.toml", "rust-toolchain.toml"];
    let own = members
        .crates
        .values()
        .flat_map(|module| ["Cargo.toml", "build.rs"].map(|name| module.folder.join(name)));
    for path in shared.map(|name| workspace.join(name)).into_iter().chain(own) {
        let name = path.strip_prefix(workspace).unwrap_or(&path);
        hasher.update(name.to_string_lossy().as_bytes());
        hasher.update(&[0]);
        hasher.update(&fs::read(&path).unwrap_or_default());
    }
    for (name, library) in &members.libraries {
        hasher.update(name.as_bytes());
        hasher.update(library.hash.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

/// A library that is no module has one form in a process: its types are the same ones for code of
/// old and new.
///
/// # Errors
///
/// When one of those that modules were built with is another one now.
pub fn check_libraries(before: &Members, now: &Members) -> Result<(), CaptureError> {
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

/// Compares the features that the modules' dependencies ask for with those of the host's build.
fn check_features(folders: &Folders, members: &Members) -> Result<(), CaptureError> {
    // Where the API is no member, cargo takes no features for it: the host asks for them there.
    let host = features(folders, ["playground_api"], true)
        .or_else(|_| features(folders, ["playground_api"], false))?;
    let together = features(folders, members.crates.keys().map(ModuleId::as_str), true)?;
    if differing(&host, &together).is_none() {
        return Ok(());
    }
    for id in members.crates.keys() {
        let module = features(folders, [id.as_str()], true)?;
        if let Some((package, present, asked)) = differing(&host, &module) {
            let added: Vec<&str> = asked.iter().filter(|f| !present.contains(f)).copied().collect();
            return Err(CaptureError::Features {
                module: id.clone(),
                package: package.to_owned(),
                added: format!("`{}`", added.join("`, `")),
                present: present.join(", "),
            });
        }
    }
    Ok(())
}

type Features = BTreeMap<String, Vec<String>>;

/// The first package of the host's build that the modules' dependencies ask more of.
fn differing<'a>(
    host: &'a Features,
    modules: &'a Features,
) -> Option<(&'a str, Vec<&'a str>, Vec<&'a str>)> {
    let split = |sets: &'a [String]| -> Vec<&'a str> {
        let all = sets.iter().flat_map(|set| set.split(','));
        all.filter(|feature| !feature.is_empty()).collect()
    };
    host.iter().find_map(|(package, present)| {
        let asked = modules.get(package)?;
        // A build dependency may stand there with a set of features of its own.
        let more = asked.iter().any(|set| !present.contains(set));
        more.then(|| (package.as_str(), split(present), split(asked)))
    })
}

/// The sets of features of every package below `roots`, as cargo resolves them.
fn features<'a>(
    folders: &Folders,
    roots: impl IntoIterator<Item = &'a str>,
    hot: bool,
) -> Result<Features, CaptureError> {
    let mut command = cargo(folders);
    command.args(["tree", "--edges", "normal,build", "--prefix", "none"]);
    command.args(["--format", "{p}\t{f}"]);
    if hot {
        command.args(["--features", "playground_api/hot"]);
    }
    let mut names = Vec::new();
    for root in roots {
        command.args(["-p", root]);
        names.push(root);
    }
    let output =
        command.output().map_err(|source| CaptureError::File { path: "cargo".into(), source })?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(CaptureError::Cargo { modules: names.join(", "), message });
    }
    let mut features = Features::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let line = line.trim_end_matches(" (*)");
        if let Some((package, set)) = line.split_once('\t') {
            let sets = features.entry(package.to_owned()).or_default();
            let set = set.trim_end_matches(" (*)").to_owned();
            if !sets.contains(&set) {
                sets.push(set);
            }
        }
    }
    Ok(features)
}

fn recreate(folder: &Path) -> Result<(), CaptureError> {
    let file = |source| CaptureError::File { path: folder.into(), source };
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(file(error)),
        _ => fs::create_dir_all(folder).map_err(file),
    }
}

/// Writes an executable script, where it is not there yet.
pub fn write_script(path: &Path, text: &str) -> Result<(), CaptureError> {
    write_new(path, text.as_bytes())?;
    let runs = fs::metadata(path).is_ok_and(|data| data.permissions().mode() & 0o111 == 0o111);
    if runs {
        return Ok(());
    }
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
        .map_err(|source| CaptureError::File { path: path.into(), source })
}

/// Writes a file, where it is not there as it is to be: a folder that nobody may write to will do
/// then.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<(), CaptureError> {
    if fs::read(path).is_ok_and(|there| there == bytes) { Ok(()) } else { write(path, bytes) }
}

/// Writes a file that others never see half written.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), CaptureError> {
    atomic_write::replace(path, bytes)
        .map_err(|source| CaptureError::File { path: path.into(), source })
}
