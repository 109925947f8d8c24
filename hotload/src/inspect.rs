//! Inspect: decides from an artifact's bytes whether it may be loaded, without running any of them.
//!
//! ```text
//!  bytes ─► size ─► machine ─► headers ─► libraries ─► PLAYGROUND_MODULE ─► tables ─► manifest ─► ABI ─► symbols ─► Inspected
//! ```
//!
//! Threat model: a file that was not made for this game, or was linked, cut or edited wrongly,
//! whatever hash is recorded for it; not a hostile author, whose code cannot be recognized from its
//! bytes.
//!
//! Two kinds of checks follow from it: those that can name a reason and a remedy (format, machine,
//! bounds, libraries, symbols, the export, its manifest), and those for faults that survive a probe,
//! which only loads and builds a module: rights of segments, relocations, the unwind table and
//! destructors fail later, in the game. About half of the malformed files in the tests' table of
//! faults load and build without an error. A fault that the system's loader refuses or crashes on at
//! once is left to the probe.

mod elf;
mod explain;
mod export;
pub mod graph;
pub mod host_symbols;
pub mod manifest;

use std::fmt;
use std::path::{Path, PathBuf};

use object::elf as format;
use playground_api::schema::{Definition, SchemaError};
use thiserror::Error;

pub use graph::{GraphError, check_graph};
pub use host_symbols::{HostError, HostFacts, HostLibrary, needed_libraries};
pub use manifest::{Kind, Manifest, ManifestError};

use crate::explain::Explain;
use elf::{Fault, Image, Machine};
use export::{ENTRY_BYTES, Entry, Exports, PLAIN_BYTES};

use crate::ids::{AbiFingerprint, ArtifactHash, ModuleId};

/// Smaller files are not ELF files.
pub const MIN_FILE_BYTES: usize = 64;
/// Larger files are not modules: the largest modules have a few megabytes.
pub const MAX_FILE_BYTES: usize = 512 << 20;
const MISSING_SHOWN: usize = 5;

/// An artifact that may be loaded. Only [`inspect`] makes one, and nobody changes it:
///
/// ```no_run,standalone_crate
/// use playground_hotload::ids::ArtifactHash;
/// use playground_hotload::inspect::Inspected;
///
/// fn read(inspected: &Inspected) -> (&[u8], &ArtifactHash, &str) {
///     (inspected.bytes(), inspected.hash(), inspected.export_symbol())
/// }
/// ```
///
/// Other code cannot put one together,
///
/// ```compile_fail,E0451
/// use playground_hotload::inspect::Inspected;
///
/// fn forge(inspected: Inspected) -> Inspected {
///     Inspected { bytes: Vec::new(), ..inspected }
/// }
/// ```
///
/// nor exchange what was checked.
///
/// ```compile_fail,E0616
/// use playground_hotload::inspect::Inspected;
///
/// fn exchange(inspected: &mut Inspected) {
///     inspected.bytes = Vec::new();
/// }
/// ```
///
/// ```compile_fail,E0616
/// use playground_hotload::inspect::Inspected;
///
/// fn exchange(inspected: &mut Inspected) {
///     inspected.hash = "0".into();
/// }
/// ```
///
/// ```compile_fail,E0616
/// use playground_hotload::inspect::Inspected;
///
/// fn exchange(inspected: &mut Inspected) {
///     inspected.export_symbol = String::from("main");
/// }
/// ```
///
pub struct Inspected {
    bytes: Vec<u8>,
    hash: ArtifactHash,
    manifest: Manifest,
    schemas: Vec<Definition>,
    export_symbol: String,
    warnings: Vec<InspectWarning>,
}

impl Inspected {
    /// The bytes that were inspected.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The hash of the bytes.
    pub fn hash(&self) -> &ArtifactHash {
        &self.hash
    }

    /// The module's description.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The layouts of its persisted types, in the order of the manifest.
    pub fn schemas(&self) -> &[Definition] {
        &self.schemas
    }

    /// The mangled name of its `PLAYGROUND_MODULE`.
    pub fn export_symbol(&self) -> &str {
        &self.export_symbol
    }

    /// Unusual properties that are no reason to refuse it.
    pub fn warnings(&self) -> &[InspectWarning] {
        &self.warnings
    }
}

impl fmt::Debug for Inspected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inspected")
            .field("hash", &self.hash)
            .field("size_bytes", &self.bytes.len())
            .field("manifest", &self.manifest)
            .field("schemas", &self.schemas)
            .field("export_symbol", &self.export_symbol)
            .field("warnings", &self.warnings)
            .finish()
    }
}

/// An unusual property of an artifact that is no reason to refuse it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}", self.explain())]
pub enum InspectWarning {
    /// It has library search paths of its own, which it does not need: all libraries are loaded
    /// already.
    SearchPath {
        /// The artifact.
        file: PathBuf,
        /// The folders.
        folders: String,
    },
}

/// Why an artifact may not be loaded.
#[derive(Debug, Error)]
#[error("{}", self.explain())]
pub enum InspectError {
    /// It is too small or too large.
    Size {
        /// The artifact.
        file: PathBuf,
        /// Its size in bytes.
        found: usize,
    },
    /// It has a different format.
    NotElf {
        /// The artifact.
        file: PathBuf,
        /// Its first bytes.
        found: Vec<u8>,
    },
    /// It was built for a different machine.
    Machine {
        /// The artifact.
        file: PathBuf,
        /// The host's machine.
        expected: String,
        /// The artifact's machine.
        found: String,
    },
    /// It is damaged, or was not made by a linker for Rust.
    Malformed {
        /// The artifact.
        file: PathBuf,
        /// The part that is wrong.
        what: String,
        /// The expected value.
        expected: String,
        /// The actual value.
        found: String,
    },
    /// It needs a library which the host did not start with.
    Library {
        /// The artifact.
        file: PathBuf,
        /// The library's name.
        library: String,
        /// A loaded library with a similar name.
        loaded: Option<String>,
    },
    /// It has no `PLAYGROUND_MODULE` of its own.
    NoExport {
        /// The artifact.
        file: PathBuf,
        /// The symbol's path.
        expected: String,
        /// Those that exist: of embedded crates, or several of its own.
        found: Vec<String>,
    },
    /// Its `PLAYGROUND_MODULE` has a different layout.
    Export {
        /// The artifact.
        file: PathBuf,
        /// The expected value.
        expected: String,
        /// The actual value.
        found: String,
    },
    /// The manifest is not as `export_module!` writes it.
    Manifest {
        /// The artifact.
        file: PathBuf,
        /// The fault.
        #[source]
        fault: ManifestError,
    },
    /// It was built for a different host.
    Abi {
        /// The artifact.
        file: PathBuf,
        /// The host's ABI.
        expected: AbiFingerprint,
        /// The artifact's ABI.
        found: AbiFingerprint,
    },
    /// It was not built by a host, and records no epoch for a crate in it.
    NoEpoch {
        /// The artifact.
        file: PathBuf,
        /// The module, or a core crate in it.
        id: ModuleId,
    },
    /// The schemas are not as `export_module!` writes them.
    Schemas {
        /// The artifact.
        file: PathBuf,
        /// The fault.
        #[source]
        fault: SchemaError,
    },
    /// The number of schemas differs from the number of persisted types.
    SchemaCount {
        /// The artifact.
        file: PathBuf,
        /// The number of persisted types in the manifest.
        expected: usize,
        /// The number of schemas.
        found: usize,
    },
    /// It uses symbols that the host does not have.
    Symbols {
        /// The artifact.
        file: PathBuf,
        /// Their number.
        count: usize,
        /// The first of them, demangled.
        first: Vec<String>,
    },
}

/// Checks `bytes` as an artifact of the module `expected_id`. The path is only for messages.
///
/// # Errors
///
/// If the bytes are not a module for `host`, or would not load as they were inspected.
pub fn inspect(
    path: &Path,
    bytes: Vec<u8>,
    expected_id: &ModuleId,
    host: &HostFacts,
) -> Result<Inspected, InspectError> {
    let file = || path.to_owned();
    let malformed = |fault: Fault| InspectError::Malformed {
        file: file(),
        what: fault.what,
        expected: fault.expected,
        found: fault.found,
    };
    check_kind(path, &bytes, host)?;

    let image = Image::parse(bytes.as_slice()).map_err(malformed)?;
    if image.file_type() != format::ET_DYN {
        let found = format!("type {}", image.file_type().0);
        return Err(malformed(Fault::new("kind of ELF file", "a shared library", found)));
    }

    let mut libraries = image.needed().map_err(malformed)?;
    libraries.extend(image.versioned().map_err(malformed)?);
    if let Some(library) = libraries.into_iter().find(|name| !host.has_library(name)) {
        let loaded = same_stem(library, host);
        return Err(InspectError::Library { file: file(), library: library.into(), loaded });
    }

    let symbols = image.symbols().map_err(malformed)?;
    let (mut exports, mut missing) = (Exports::new(expected_id), Vec::new());
    for symbol in symbols {
        let name = image.name_of(symbol).map_err(malformed)?;
        if elf::is_offered(symbol) {
            exports.add(name, symbol);
        } else if elf::is_required(symbol) && !host.has_symbol(name) {
            missing.push(name);
        }
    }
    let (export_symbol, symbol) = exports.only_one(path)?;
    let entry = Entry::read(path, &image, symbol)?;
    let texts_bytes = (entry.manifest.len() + entry.schemas.len()) as u64;
    let keep = [(entry.address, PLAIN_BYTES), (entry.address + ENTRY_BYTES, texts_bytes)];
    image.check_loading(symbols, &keep, entry.address + PLAIN_BYTES).map_err(malformed)?;

    let manifest = Manifest::parse(entry.manifest, expected_id)
        .map_err(|fault| InspectError::Manifest { file: file(), fault })?;
    if manifest.abi != host.abi {
        let (expected, found) = (host.abi.clone(), manifest.abi);
        return Err(InspectError::Abi { file: file(), expected, found });
    }
    if let Some(id) = manifest.without_epoch() {
        return Err(InspectError::NoEpoch { file: file(), id: id.clone() });
    }
    let schemas = Definition::parse(entry.schemas)
        .map_err(|fault| InspectError::Schemas { file: file(), fault })?;
    if schemas.len() != manifest.persisted.len() {
        let (expected, found) = (manifest.persisted.len(), schemas.len());
        return Err(InspectError::SchemaCount { file: file(), expected, found });
    }
    if !missing.is_empty() {
        let first = missing.iter().take(MISSING_SHOWN).map(|name| format!("`{}`", demangle(name)));
        let (count, first) = (missing.len(), first.collect());
        return Err(InspectError::Symbols { file: file(), count, first });
    }

    let mut warnings = Vec::new();
    if let Some(folders) = image.search_path().map_err(malformed)? {
        warnings.push(InspectWarning::SearchPath { file: file(), folders });
    }
    let hash = ArtifactHash::of(&bytes);
    Ok(Inspected { bytes, hash, manifest, schemas, export_symbol, warnings })
}

fn check_kind(path: &Path, bytes: &[u8], host: &HostFacts) -> Result<(), InspectError> {
    let file = path.to_owned();
    if !(MIN_FILE_BYTES..=MAX_FILE_BYTES).contains(&bytes.len()) {
        return Err(InspectError::Size { file, found: bytes.len() });
    }
    let Some(machine) = Machine::of(bytes) else {
        let found = bytes.iter().take(4).copied().collect();
        return Err(InspectError::NotElf { file, found });
    };
    if machine != host.machine {
        let (expected, found) = (host.machine.to_string(), machine.to_string());
        return Err(InspectError::Machine { file, expected, found });
    }
    Ok(())
}

/// The loaded library whose name differs from that of `library` only in its hash.
fn same_stem(library: &str, host: &HostFacts) -> Option<String> {
    let stem = |name: &str| name.split(['-', '.']).next().map(str::to_owned);
    let wanted = stem(library);
    let mut names = host.libraries.iter().map(|library| &library.name);
    names.find(|name| stem(name) == wanted).cloned()
}

fn demangle(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    format!("{:#}", rustc_demangle::demangle(&name))
}

#[cfg(test)]
mod tests;
