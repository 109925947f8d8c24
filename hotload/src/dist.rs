//! Dist: the game as a folder and an archive that run on a machine without Rust.
//!
//! ```text
//!  playground           the executable, which looks for its libraries in lib/
//!  lib/                 Bevy, the API and Rust's own library
//!  modules/             the game's own modules, with a manifest like that of a pack
//!  assets/              the game's data
//!  licences.txt         those of everything that is in it
//! ```
//!
//! The static form has neither `lib/` nor `modules/`: the modules are linked into the executable, which
//! cargo builds for it, and it takes no packs.
//!
//! Everything is put together in a folder beside the final one, which replaces that at the end.

pub(crate) mod archive;
mod explain;
pub(crate) mod licences;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use playground_pack::{PackError, Source, SourceError};
use semver::VersionReq;
use serde::Deserialize;
use thiserror::Error;

use crate::explain::Explain;
use crate::ids::ModuleId;
use crate::inspect::HostFacts;
use crate::packs::{self, PacksError};
use crate::sdk::SdkError;
use crate::toolchain::Toolchain;
use crate::workspace::{self, WorkspaceError};
use archive::Packing;

/// The name of the folder for the game's own modules.
pub const MODULES: &str = "modules";
/// The name of the file with the licences.
const LICENCES: &str = "licences.txt";
/// The id of the manifest of the game's own modules.
const ID: &str = "playground";

/// A request for a release.
#[derive(Clone, Debug)]
pub struct Release {
    /// A folder in the workspace of the modules.
    pub workspace: PathBuf,
    /// The game's data; the workspace's folder `assets` if `None`.
    pub assets: Option<PathBuf>,
    /// The folder to write; `dist/NAME` in the workspace if `None`.
    pub out: Option<PathBuf>,
    /// Also write an archive beside the folder.
    pub archive: bool,
    /// The form of the program.
    pub form: Form,
}

/// The form of a released program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// The running program: it loads its modules, and packs.
    #[default]
    Hot,
    /// A program that cargo builds with the modules linked in, and without a loader.
    Static {
        /// The package of the program. Its feature `static` links the modules.
        package: String,
        /// cargo's profile.
        profile: String,
    },
}

/// A finished release.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Released {
    /// The folder.
    pub folder: PathBuf,
    /// Its parts, each with its size in bytes.
    pub parts: Vec<(String, u64)>,
    /// The archive with its size in bytes.
    pub archive: Option<(PathBuf, u64)>,
}

/// Why a game cannot be released.
#[derive(Debug, Error)]
#[error("{}", self.explain())]
pub enum DistError {
    /// A file cannot be read or written.
    File {
        /// The action that failed, for example `copy`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The folder to write has something else in it.
    Occupied {
        /// The folder.
        folder: PathBuf,
    },
    /// A tool of Rust's failed.
    Tool {
        /// The command.
        command: String,
        /// Its output.
        output: String,
    },
    /// Packages have neither a licence's text nor its name.
    NoLicence {
        /// The packages.
        packages: Vec<String>,
    },
    /// The modules cannot be built or packed.
    Packs(Box<PacksError>),
    /// The workspace is no game's.
    Sdk(Box<SdkError>),
}

impl From<SdkError> for DistError {
    fn from(error: SdkError) -> Self {
        Self::Sdk(Box::new(error))
    }
}

impl From<PacksError> for DistError {
    fn from(error: PacksError) -> Self {
        Self::Packs(Box::new(error))
    }
}

impl From<WorkspaceError> for DistError {
    fn from(error: WorkspaceError) -> Self {
        PacksError::from(error).into()
    }
}

pub(crate) fn failed(
    action: &'static str,
    path: &Path,
) -> impl FnOnce(io::Error) -> DistError + use<> {
    let path = path.to_owned();
    move |source| DistError::File { action, path, source }
}

/// Releases the running program with the modules of a workspace. Calls `report` with each step.
///
/// # Errors
///
/// If a module does not compile, or a file cannot be written. The folder of an earlier release is
/// left as it was then.
pub fn dist(release: &Release, report: &mut dyn FnMut(&str)) -> Result<Released, DistError> {
    let version = packs::own_version();
    let name = match release.form {
        Form::Hot => format!("{ID}-{version}-{}", packs::triple()),
        Form::Static { .. } => format!("{ID}-{version}-{}-static", packs::triple()),
    };
    let (folders, members) = workspace::scan(&release.workspace)?;
    if members.project.is_some() {
        return Err(SdkError::NoGame { folder: folders.workspace, asked: "`dist`" }.into());
    }
    let folder = release.out.clone().unwrap_or_else(|| folders.workspace.join("dist").join(name));
    // A folder that is there and is none of ours may be anything.
    let is_ours = folder.join(LICENCES).is_file() && folder.join(ID).is_file();
    let is_empty = fs::read_dir(&folder).map_or(true, |mut entries| entries.next().is_none());
    if !is_ours && !is_empty {
        return Err(DistError::Occupied { folder });
    }
    let part = folder.with_added_extension("part");
    remove(&part)?;
    fs::create_dir_all(&part).map_err(failed("create", &part))?;
    let ids = members.crates.keys().cloned().collect();
    let assets = release.assets.clone().unwrap_or_else(|| folders.workspace.join("assets"));
    let written = fill(release, &ids, &assets, &part, report);
    if let Err(error) = written {
        let _ = fs::remove_dir_all(&part);
        return Err(error);
    }
    remove(&folder)?;
    fs::rename(&part, &folder).map_err(failed("create", &folder))?;
    let mut released = Released { parts: parts(&folder)?, archive: None, folder };
    if release.archive {
        report("writing the archive");
        let path = released.folder.with_added_extension("tar.gz");
        let size = archive::write(&released.folder, &path, Packing::Gzip)
            .map_err(failed("write", &path))?;
        released.archive = Some((path, size));
    }
    Ok(released)
}

fn fill(
    release: &Release,
    ids: &BTreeSet<ModuleId>,
    assets: &Path,
    folder: &Path,
    report: &mut dyn FnMut(&str),
) -> Result<(), DistError> {
    let readme = match &release.form {
        Form::Hot => {
            hot(release, ids, folder, report)?;
            README
        }
        Form::Static { package, profile } => {
            report("building the program with its modules linked in");
            let program = linked(&release.workspace, package, profile)?;
            strip(&toolchain(&release.workspace)?, &program, &folder.join(ID))?;
            README_OF_STATIC
        }
    };
    report("copying the assets");
    copy_folder(assets, &folder.join("assets"))?;
    report("collecting the licences");
    let text = licences::collect(&release.workspace)?;
    let path = folder.join(LICENCES);
    fs::write(&path, text).map_err(failed("write", &path))?;
    let path = folder.join("README.txt");
    fs::write(&path, readme).map_err(failed("write", &path))
}

/// The running program, its libraries, and its modules.
fn hot(
    release: &Release,
    ids: &BTreeSet<ModuleId>,
    folder: &Path,
    report: &mut dyn FnMut(&str),
) -> Result<(), DistError> {
    let facts = HostFacts::of_this_process(playground_api::ABI).map_err(PacksError::from)?;
    modules(release, ids, &facts, &folder.join(MODULES), report)?;
    report("copying the program and its libraries");
    let toolchain = toolchain(&release.workspace)?;
    let lib = folder.join("lib");
    fs::create_dir(&lib).map_err(failed("create", &lib))?;
    for library in facts.libraries() {
        let name = library.path.file_name().unwrap_or_default();
        // The first one is the program itself.
        if is_of_rust(&name.to_string_lossy()) {
            strip(&toolchain, &library.path, &lib.join(name))?;
        }
    }
    let own = std::env::current_exe().map_err(failed("find", Path::new("the program")))?;
    strip(&toolchain, &own, &folder.join(ID))
}

/// Has cargo build the program with its modules linked in. cargo prints its progress itself.
fn linked(workspace: &Path, package: &str, profile: &str) -> Result<PathBuf, DistError> {
    #[derive(Deserialize)]
    struct Artifact {
        executable: Option<PathBuf>,
    }
    let mut cargo = Command::new("cargo");
    cargo
        .args(["build", "--locked", "--package", package, "--profile", profile])
        .args(["--no-default-features", "--features", "static"])
        .arg("--message-format=json-render-diagnostics")
        .current_dir(workspace)
        .stderr(Stdio::inherit());
    let output = run(&mut cargo)?;
    let artifacts = output.lines().filter_map(|line| serde_json::from_str::<Artifact>(line).ok());
    let mut programs = artifacts.filter_map(|artifact| artifact.executable);
    let program = programs.next_back();
    program.ok_or_else(|| DistError::Tool {
        command: format!("cargo build --package {package}"),
        output: "it made no executable".to_owned(),
    })
}

/// The README of a release, for players.
const README: &str = "\
Playground

    ./playground                    starts the game
    ./playground pack install FILE  installs a pack of modules; a game that runs takes it at once

A pack can also be dropped onto the window. F1 opens the console; its page Packs lists what is
installed. Modules are native code, and can do all that the game can: install packs of publishers
that you trust. A signature says who made a pack, and is no sandbox.

Saves and packs are in ~/.local/share/playground, or in $XDG_DATA_HOME/playground if that is set, or
where `--data FOLDER` says. This folder is only read. ./playground --help has more.
";

/// The README of a static release, for players.
const README_OF_STATIC: &str = "\
Playground

    ./playground                    starts the game

This folder is only read. ./playground --help has more.
";

/// Builds the game's own modules, with their manifest.
fn modules(
    release: &Release,
    ids: &BTreeSet<ModuleId>,
    facts: &HostFacts,
    folder: &Path,
    report: &mut dyn FnMut(&str),
) -> Result<(), DistError> {
    let libraries = packs::build_modules(&release.workspace, ids, facts, report)?;
    let version = packs::own_version();
    let exactly = format!("={version}").parse().unwrap_or(VersionReq::STAR);
    let source = Source {
        id: ID.to_owned(),
        version,
        title: "Playground".to_owned(),
        authors: Vec::new(),
        licence: env!("CARGO_PKG_LICENSE").to_owned(),
        description: "The game's own modules.".to_owned(),
        host: exactly.clone(),
        api: exactly,
        modules: ids.iter().map(ToString::to_string).collect(),
        relations: Default::default(),
    };
    fs::create_dir(folder).map_err(failed("create", folder))?;
    let draft = source
        .draft(folder, libraries)
        .map_err(|error: SourceError| DistError::from(PacksError::Source(error)))?;
    let written = draft.unpack(folder);
    written.map_err(|error: PackError| PacksError::Pack { file: folder.to_owned(), error }.into())
}

/// True for a library that comes with the game and not with the system.
fn is_of_rust(name: &str) -> bool {
    ["libstd-", "libbevy_dylib-", "libplayground_"].iter().any(|start| name.starts_with(start))
}

pub(crate) fn toolchain(workspace: &Path) -> Result<Toolchain, DistError> {
    Toolchain::of(workspace).map_err(failed("start", Path::new("rustc")))
}

/// Copies a program or library without what only debuggers need.
fn strip(toolchain: &Toolchain, from: &Path, to: &Path) -> Result<(), DistError> {
    run(toolchain.objcopy().arg("--strip-all").args([from, to]))?;
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(to, mode).map_err(failed("write", to))
}

/// The output of a command.
pub(crate) fn run(command: &mut Command) -> Result<String, DistError> {
    let shown = format!("{command:?}").replace('"', "");
    let name = PathBuf::from(command.get_program());
    let output = command.stdin(Stdio::null()).output().map_err(failed("start", &name))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(DistError::Tool { command: shown, output: text })
}

pub(crate) fn remove(folder: &Path) -> Result<(), DistError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(failed("remove", folder)(error))
        }
        _ => Ok(()),
    }
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), DistError> {
    fs::create_dir_all(to).map_err(failed("create", to))?;
    for entry in fs::read_dir(from).map_err(failed("read", from))? {
        let path = entry.map_err(failed("read", from))?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy_folder(&path, &target)?;
        } else {
            fs::copy(&path, &target).map_err(failed("copy", &path))?;
        }
    }
    Ok(())
}

/// The entries of a folder, with the sizes of all files in them.
pub(crate) fn parts(folder: &Path) -> Result<Vec<(String, u64)>, DistError> {
    let mut parts = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed("read", folder))? {
        let path = entry.map_err(failed("read", folder))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        parts.push((name, size_of(&path)?));
    }
    parts.sort();
    Ok(parts)
}

fn size_of(path: &Path) -> Result<u64, DistError> {
    if !path.is_dir() {
        return fs::metadata(path).map(|data| data.len()).map_err(failed("read", path));
    }
    let mut size = 0;
    for entry in fs::read_dir(path).map_err(failed("read", path))? {
        size += size_of(&entry.map_err(failed("read", path))?.path())?;
    }
    Ok(size)
}
