//! The SDK of a released game: what it takes to build modules for the game without its sources, and
//! without compiling Bevy.
//!
//! ```text
//!  workspace ─► export ─► sdk.toml, lib/ (metadata, procedural macros), cores/, docs/
//!  project of modules, sdk.toml ─► recipes ─► the pipeline, which then needs no cargo
//! ```
//!
//! A project says in its `Cargo.toml` where its SDK is. rustc compiles its modules against the
//! metadata of the game's libraries; they are linked as those of the game's workspace are, and
//! inspection looks up each symbol in the game.

mod docs;
mod explain;
mod export;
mod libraries;
mod project;
mod recipes;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use semver::{Version, VersionReq};
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use export::{Export, Exported, export};
pub use project::{NewProject, new_project};
pub use recipes::Project;

use crate::build::Inputs;
use crate::epoch::{Facts, Identity};
use crate::explain::Explain;
use crate::ids::{AbiFingerprint, Epoch, InputsHash, ModuleId};

/// The name of the file that describes an SDK.
pub const MANIFEST: &str = "sdk.toml";
/// The folder of libraries that modules are compiled against.
const LIBRARIES: &str = "lib";
/// The folder of the game's core modules.
const CORES: &str = "cores";
/// The form of the files, in [`Manifest::format`].
const FORMAT: u32 = 1;

/// The content of `sdk.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The form of the SDK's files.
    format: u32,
    /// The game's version.
    pub game: Version,
    /// The system that modules are built for.
    pub target: String,
    /// The API that modules are built against.
    pub abi: AbiFingerprint,
    /// The compiler, as `rustc --version` prints it. Metadata of another one cannot be read.
    pub rustc: String,
    /// Its name for rustup.
    pub toolchain: String,
    /// The options of rustc that shape code.
    options: Vec<String>,
    /// The crates that modules can depend on, by crate name.
    pub crates: BTreeMap<String, SdkCrate>,
    /// The game's core modules, with their versions.
    pub cores: BTreeMap<ModuleId, Version>,
    /// The sizes of the files of libraries and cores, in bytes.
    files: BTreeMap<PathBuf, u64>,
}

/// A crate that modules can depend on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SdkCrate {
    /// The version of its package.
    pub version: Version,
    /// Its file in the SDK.
    file: PathBuf,
}

/// An SDK on this disk, for this game.
#[derive(Clone, Debug)]
pub struct Sdk {
    /// Its folder.
    pub folder: PathBuf,
    /// Its manifest, `sdk.toml`.
    pub manifest: Manifest,
    /// The hash of `sdk.toml` and of the cores' descriptions.
    pub hash: String,
    cores: BTreeMap<ModuleId, SdkCore>,
}

/// One of the game's core modules.
#[derive(Clone, Debug)]
pub struct SdkCore {
    /// The cores that it links to itself.
    pub links: BTreeSet<ModuleId>,
    /// The folder of its rlib.
    pub folder: PathBuf,
    /// The inputs that it was built from, as far as dependents need them.
    pub inputs: Inputs,
}

/// The inputs of a core module on disk.
#[derive(Debug, Serialize, Deserialize)]
struct CoreRecord<I, F> {
    links: BTreeSet<ModuleId>,
    hash: InputsHash,
    interface: InputsHash,
    identity: I,
    cores: BTreeMap<ModuleId, Epoch>,
    facts: F,
}

/// Why an SDK, or a project that uses one, is not usable.
#[derive(Debug, Error)]
#[error("{}", self.explain())]
pub enum SdkError {
    /// The project's SDK is not where the project says.
    Missing {
        /// The project's manifest.
        manifest: PathBuf,
        /// The folder.
        folder: PathBuf,
    },
    /// A file of the SDK is not as it was written.
    Invalid {
        /// The file.
        file: PathBuf,
        /// The fault.
        reason: String,
    },
    /// The SDK is that of another release of the game, or for another system.
    OtherGame {
        /// The SDK's folder.
        folder: PathBuf,
        /// The property that differs, for example its ABI.
        what: &'static str,
        /// The SDK's value.
        found: String,
        /// The value of the game that runs.
        expected: String,
    },
    /// The metadata is that of another compiler.
    OtherCompiler {
        /// The project.
        folder: PathBuf,
        /// The toolchain that rustup knows the compiler by.
        toolchain: String,
        /// The SDK's compiler.
        expected: String,
        /// The compiler that was found, or why there is none.
        found: String,
    },
    /// A module depends on a crate that the SDK does not have.
    Dependency {
        /// The module's manifest.
        manifest: PathBuf,
        /// The dependency.
        name: String,
        /// The crates that modules can depend on.
        known: Vec<String>,
    },
    /// The SDK has another version of a crate.
    Version {
        /// The module's manifest.
        manifest: PathBuf,
        /// The dependency.
        name: String,
        /// The versions that the module can use.
        wanted: VersionReq,
        /// The SDK's version.
        found: Version,
    },
    /// A module has a build script, which cargo would have to run.
    BuildScript {
        /// The module's manifest.
        manifest: PathBuf,
    },
    /// A game that was released runs the modules of an SDK's projects only.
    NoProject {
        /// The workspace.
        folder: PathBuf,
    },
    /// A project is given in place of a game's own workspace.
    NoGame {
        /// The project.
        folder: PathBuf,
        /// The kind of thing that was asked for.
        asked: &'static str,
    },
    /// The path from which a project was to be made is no SDK.
    NoSdk {
        /// The folder or file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// A project cannot be made in a folder.
    CannotMake {
        /// The folder.
        folder: PathBuf,
        /// Why not.
        reason: String,
    },
}

/// The folder of the SDK that a workspace names: `sdk` in its table
/// `[workspace.metadata.playground]`.
pub(crate) fn folder_of(workspace: &Path, metadata: &serde_json::Value) -> Option<PathBuf> {
    let folder = metadata.get("playground")?.get("sdk")?.as_str()?;
    Some(workspace.join(folder))
}

impl Sdk {
    /// The SDK of a project, which names its folder.
    ///
    /// # Errors
    ///
    /// As for [`Self::read`].
    pub fn of_project(workspace: &Path, folder: &Path) -> Result<Self, SdkError> {
        if !folder.join(MANIFEST).is_file() {
            let (manifest, folder) = (workspace.join("Cargo.toml"), folder.to_owned());
            return Err(SdkError::Missing { manifest, folder });
        }
        Self::read(folder)
    }

    /// Reads the SDK in a folder.
    ///
    /// # Errors
    ///
    /// If there is none, if a file of it is damaged, or if it is that of another game than this.
    pub fn read(folder: &Path) -> Result<Self, SdkError> {
        let path = folder.join(MANIFEST);
        let mut hasher = blake3::Hasher::new();
        let mut read = |path: &Path| -> Result<Vec<u8>, SdkError> {
            let unreadable = |error: std::io::Error| SdkError::Invalid {
                file: path.to_owned(),
                reason: error.to_string(),
            };
            let bytes = fs::read(path).map_err(unreadable)?;
            hasher.update(&(bytes.len() as u64).to_le_bytes());
            hasher.update(&bytes);
            Ok(bytes)
        };
        let text = read(&path)?;
        let invalid = |reason: String| SdkError::Invalid { file: path.clone(), reason };
        let text = String::from_utf8(text).map_err(|error| invalid(error.to_string()))?;
        let table: toml::Table = text.parse().map_err(|error| invalid(format!("{error}")))?;
        let format = table.get("format").and_then(toml::Value::as_integer);
        if format != Some(FORMAT.into()) {
            let found = format.map_or("none".to_owned(), |format| format.to_string());
            return Err(invalid(format!("this game reads format {FORMAT}, and it has {found}")));
        }
        let manifest: Manifest = table.try_into().map_err(|error| invalid(format!("{error}")))?;
        for (what, found, expected) in [
            ("system", manifest.target.as_str(), &*crate::packs::triple()),
            ("API", manifest.abi.as_str(), playground_api::ABI),
        ] {
            if found != expected {
                let (folder, found, expected) = (folder.into(), found.into(), expected.into());
                return Err(SdkError::OtherGame { folder, what, found, expected });
            }
        }
        for (file, &size) in &manifest.files {
            let file = folder.join(file);
            let reason = match fs::metadata(&file) {
                Ok(data) if data.len() == size => continue,
                Ok(data) => format!("it has {} bytes in place of {size}", data.len()),
                Err(error) => error.to_string(),
            };
            return Err(SdkError::Invalid { file, reason });
        }
        let mut cores = BTreeMap::new();
        for id in manifest.cores.keys() {
            let path = folder.join(CORES).join(format!("{id}.json"));
            let record: CoreRecord<Identity, Facts> = serde_json::from_slice(&read(&path)?)
                .map_err(|error| SdkError::Invalid {
                    file: path.clone(),
                    reason: error.to_string(),
                })?;
            cores.insert(id.clone(), SdkCore::new(record, folder.join(CORES)));
        }
        let hash = hasher.finalize().to_hex().to_string();
        Ok(Self { folder: folder.to_owned(), manifest, hash, cores })
    }

    /// One of the game's core modules.
    pub fn core(&self, id: &ModuleId) -> Option<&SdkCore> {
        self.cores.get(id)
    }
}

impl SdkCore {
    fn new(record: CoreRecord<Identity, Facts>, folder: PathBuf) -> Self {
        let CoreRecord { links, hash, interface, identity, cores, facts } = record;
        let inputs = Inputs {
            compiled: hash.clone(),
            hash,
            interface,
            identity: Arc::new(identity),
            cores,
            facts: Arc::new(facts),
            refused: None,
            known: None,
            failed: false,
            stamps: Arc::default(),
        };
        Self { links, folder, inputs }
    }
}

impl<'a> CoreRecord<&'a Identity, &'a Facts> {
    fn of(links: BTreeSet<ModuleId>, inputs: &'a Inputs) -> Self {
        let Inputs { hash, interface, cores, .. } = inputs.clone();
        Self { links, hash, interface, identity: &inputs.identity, cores, facts: &inputs.facts }
    }
}
