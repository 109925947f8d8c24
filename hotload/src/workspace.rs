//! Reads the cargo workspace that holds the modules: its folders, its packages and their files.

mod local_deps;
mod members;

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::{fs, io};

use semver::{Version, VersionReq};
use serde::Deserialize;
use thiserror::Error;

use crate::explain::{Explain, Explanation};
use crate::ids::ModuleId;
use crate::os_remedies::remedy;
use crate::sdk::{self, Sdk, SdkError};

pub use local_deps::LocalDep;
pub use members::{Members, ModuleCrate};

/// The folders of the modules and of build results.
#[derive(Clone, Debug, Default)]
pub struct Folders {
    /// The cargo workspace that holds the modules.
    pub workspace: PathBuf,
    /// The folder of the modules.
    pub modules: PathBuf,
    /// The folder for build results; below cargo's target folder.
    pub built: PathBuf,
}

/// Errors of reading the workspace.
#[derive(Debug, Error)]
#[error("{}", self.explain())]
pub enum WorkspaceError {
    /// cargo could not be started.
    Start {
        /// The working directory.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// cargo refused a manifest.
    Refused {
        /// The folder.
        folder: PathBuf,
        /// cargo's message.
        message: String,
    },
    /// cargo's output is not valid JSON.
    Answer {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// A module gives a core crate another name.
    Renamed {
        /// The module.
        module: ModuleId,
        /// The core crate.
        core: ModuleId,
        /// Its name there.
        name: String,
    },
    /// A package among the modules has no library.
    NoLibrary {
        /// The package.
        module: ModuleId,
        /// Its manifest.
        manifest: PathBuf,
    },
    /// A module's library is not called as its package is.
    LibraryName {
        /// The module.
        module: ModuleId,
        /// Its manifest.
        manifest: PathBuf,
        /// The library's name.
        found: String,
    },
    /// Two modules have the same crate name.
    SameCrate {
        /// The modules.
        modules: [ModuleId; 2],
        /// The manifest of the second.
        manifest: PathBuf,
    },
    /// A source or a folder with sources cannot be read.
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Links between modules form a cycle.
    Circle(String),
    /// The workspace is a project of an SDK, which cannot be used.
    Sdk(Box<SdkError>),
}

impl From<SdkError> for WorkspaceError {
    fn from(error: SdkError) -> Self {
        Self::Sdk(Box::new(error))
    }
}

impl Explain for WorkspaceError {
    fn explain(&self) -> Explanation {
        match self {
            Self::Start { folder, source } => Explanation::new(
                "H0101",
                format!("cargo could not be started in {}: {source}", folder.display()),
            )
            .remedy("Install Rust with rustup, or start the game from a shell that finds `cargo`"),
            Self::Refused { folder, message } => Explanation::new(
                "H0102",
                format!("cargo cannot read the workspace at {}", folder.display()),
            )
            .details(message),
            Self::Answer { folder, source } => Explanation::new(
                "H0103",
                format!(
                    "`cargo metadata` in {} answered in an unknown form: {source}",
                    folder.display()
                ),
            )
            .remedy("Start the game with the toolchain that it was built with"),
            Self::Circle(circle) => Explanation::new(
                "H0104",
                format!("these core crates depend on each other in a circle: {circle}"),
            )
            .remedy("Move what they share into a core crate of its own"),
            Self::Sdk(error) => error.explain(),
            Self::Renamed { module, core, name } => Explanation::new(
                "H0105",
                format!(
                    "module `{module}` depends on `{core}` under the name `{name}`: modules are \
                     linked by their own names"
                ),
            )
            .remedy(format!("Remove `package = \"{core}\"`, and write `use {core} as {name};`")),
            Self::NoLibrary { module, manifest } => Explanation::new(
                "H0108",
                format!("{}: `{module}` has no library, and a module is one", manifest.display()),
            )
            .remedy(
                "Give it a `src/lib.rs` with `export_module!`, or move it out of `modules/` if it is \
                 no module",
            ),
            Self::LibraryName { module, manifest, found } => Explanation::new(
                "H0109",
                format!(
                    "{}: the library of module `{module}` is called `{found}`: a module is found by \
                     its package's name, `{}`",
                    manifest.display(),
                    module.crate_name()
                ),
            )
            .remedy("Remove `name` from `[lib]`, or give the package that name"),
            Self::SameCrate { modules: [first, second], manifest } => Explanation::new(
                "H0110",
                format!(
                    "{}: rustc cannot tell the modules `{first}` and `{second}` apart: both crates are \
                     called `{}`",
                    manifest.display(),
                    second.crate_name()
                ),
            )
            .remedy("Rename one of them"),
            Self::Unreadable { path, source } => {
                Explanation::new("H0106", format!("{} cannot be read: {source}", path.display()))
                    .remedy(format!("{}; what runs goes on until then", remedy(source)))
            }
        }
    }
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
    workspace_root: PathBuf,
    /// The table `[workspace.metadata]`.
    #[serde(default)]
    metadata: serde_json::Value,
}

/// A package, as `cargo metadata` describes it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Package {
    pub name: String,
    pub version: Version,
    pub manifest_path: PathBuf,
    pub dependencies: Vec<Dependency>,
    pub targets: Vec<Target>,
    #[serde(default)]
    pub edition: String,
    #[serde(default)]
    pub features: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub authors: Vec<String>,
    pub description: Option<String>,
    pub homepage: Option<String>,
    pub license: Option<String>,
    pub repository: Option<String>,
}

impl Package {
    /// True if the package is a module: below the folder `modules`, and no procedural macro, which
    /// runs in the compiler.
    fn is_module(&self, modules: &Path) -> bool {
        let is_macro = |target: &Target| target.kind.iter().any(|kind| kind == "proc-macro");
        self.manifest_path.starts_with(modules) && !self.targets.iter().any(is_macro)
    }

    /// Its library, if it has one.
    fn library(&self) -> Option<&Target> {
        let is_library = |target: &&Target| target.kind.iter().any(|kind| kind.ends_with("lib"));
        self.targets.iter().find(is_library)
    }

    /// The crate name of its library, if it has one.
    fn library_name(&self) -> Option<String> {
        self.library().map(|target| target.name.replace('-', "_"))
    }

    /// The first source file of its library, if it has one.
    pub fn library_source(&self) -> Option<PathBuf> {
        self.library().map(|target| target.src_path.clone())
    }
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Target {
    pub name: String,
    pub kind: Vec<String>,
    #[serde(default)]
    pub src_path: PathBuf,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Dependency {
    pub name: String,
    /// The name in the crate, if it differs.
    pub rename: Option<String>,
    pub kind: Option<String>,
    #[serde(default)]
    pub req: VersionReq,
    #[serde(default)]
    pub optional: bool,
    /// Its folder, if it is on this disk.
    path: Option<PathBuf>,
}

impl Dependency {
    /// The name in the crate.
    pub fn own_name(&self) -> &str {
        self.rename.as_deref().unwrap_or(&self.name)
    }
}

/// The modules in the workspace that holds `folder`, and the folders to build them in.
///
/// # Errors
///
/// If cargo cannot be started, or cannot read a manifest; for a project of an SDK, if that is not one
/// for this game.
pub fn scan(folder: &Path) -> Result<(Folders, Members), WorkspaceError> {
    let metadata = metadata(folder)?;
    let folders = Folders {
        modules: metadata.workspace_root.join("modules"),
        built: metadata.target_directory.join("playground"),
        workspace: metadata.workspace_root,
    };
    let sdk = match sdk::folder_of(&folders.workspace, &metadata.metadata) {
        Some(folder) => Some(Arc::new(Sdk::of_project(&folders.workspace, &folder)?)),
        None => None,
    };
    let members = Members::among(metadata.packages, &folders.modules, sdk)?;
    members.build_order()?;
    Ok((folders, members))
}

/// The output of `cargo metadata` for the workspace that holds `folder`.
fn metadata(folder: &Path) -> Result<Metadata, WorkspaceError> {
    // Starting cargo would fail as if there were no cargo.
    fs::metadata(folder)
        .map_err(|source| WorkspaceError::Unreadable { path: folder.into(), source })?;
    let output = Command::new("cargo")
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .map_err(|source| WorkspaceError::Start { folder: folder.into(), source })?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(WorkspaceError::Refused { folder: folder.into(), message });
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|source| WorkspaceError::Answer { folder: folder.into(), source })
}

/// A crate's own files with their content, sorted, with paths relative to its folder: a change of
/// any of them requires a new build.
///
/// # Errors
///
/// If one exists and cannot be read: it is not treated as empty.
pub fn files(folder: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>, WorkspaceError> {
    let read = |path: PathBuf| {
        let bytes = read_existing(&folder.join(&path))?.unwrap_or_default();
        Ok((path, bytes))
    };
    list(folder)?.into_iter().map(read).collect()
}

/// The paths of a crate's own files, sorted, relative to its folder.
///
/// # Errors
///
/// If a folder exists and cannot be read.
pub fn list(folder: &Path) -> Result<Vec<PathBuf>, WorkspaceError> {
    let mut paths = Vec::new();
    collect(folder, folder, &mut paths)?;
    paths.sort();
    Ok(paths)
}

/// The content of a file; `None` if there is none.
///
/// # Errors
///
/// If it exists and cannot be read.
pub fn read_existing(path: &Path) -> Result<Option<Vec<u8>>, WorkspaceError> {
    // Reading a pipe could block forever.
    let is_file = |path: PathBuf| fs::metadata(path).map(|data| data.is_file());
    if there(path, is_file)?.unwrap_or(false) { there(path, fs::read) } else { Ok(None) }
}

/// The result of reading; `None` if the file was removed meanwhile: a change event follows.
fn there<T>(
    path: &Path,
    read: impl FnOnce(PathBuf) -> io::Result<T>,
) -> Result<Option<T>, WorkspaceError> {
    match read(path.to_owned()) {
        Ok(read) => Ok(Some(read)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(WorkspaceError::Unreadable { path: path.to_owned(), source }),
    }
}

/// The path without `.` and `..`, so that a file has one name. Symbolic links after the last `..` stay:
/// they may lead elsewhere one day.
pub fn resolved(path: &Path) -> PathBuf {
    let is_parent = |part: &Component| matches!(part, Component::ParentDir);
    let parts: Vec<Component> = path.components().collect();
    let Some(last) = parts.iter().rposition(is_parent) else { return parts.iter().collect() };
    let (above, below) = parts.split_at(last + 1);
    let above: PathBuf = above.iter().collect();
    let real = above.canonicalize().unwrap_or_else(|_| {
        let mut parts = PathBuf::new();
        for part in above.components() {
            match part {
                Component::ParentDir => _ = parts.pop(),
                part => parts.push(part),
            }
        }
        parts
    });
    below.iter().fold(real, |path, part| path.join(part))
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), WorkspaceError> {
    let entries = there(folder, fs::read_dir)?;
    for entry in entries.into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let path = entry.path();
        // Editors write swap files and backups beside the source. What rustc reads of them all the
        // same is known from its dep-info.
        let is_build_folder = name == "target" && folder == root;
        if name.starts_with('.') || name.ends_with('~') || is_build_folder {
            continue;
        }
        let kind = there(&path, fs::metadata)?.map(|data| data.file_type());
        if kind.is_some_and(|kind| kind.is_dir()) {
            collect(root, &path, found)?;
        } else if kind.is_none_or(|kind| kind.is_file())
            && let Ok(relative) = path.strip_prefix(root)
        {
            // Reading a pipe could block forever.
            found.push(relative.to_owned());
        }
    }
    Ok(())
}
