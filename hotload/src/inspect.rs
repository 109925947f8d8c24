//! Inspect: from an artifact's bytes alone, whether it may be loaded. Nothing of it runs.
//!
//! ```text
//!  bytes ─► size ─► machine ─► headers ─► libraries ─► PLAYGROUND_MODULE ─► tables ─► manifest ─► ABI ─► symbols ─► Inspected
//! ```
//!
//! What is checked here is what the system's loader takes for granted.

mod elf;
pub mod graph;
pub mod host_symbols;
pub mod manifest;

use std::fmt;
use std::path::{Path, PathBuf};

use object::elf as format;
use playground_api::schema::{Definition, SchemaError};
use thiserror::Error;

pub use graph::{GraphError, check_graph};
pub use host_symbols::{HostError, HostFacts, HostLibrary};
pub use manifest::{Kind, Manifest, ManifestError};

use elf::{Fault, Image, Machine};

use crate::ids::{AbiFingerprint, ArtifactHash, ModuleId};

/// What `PLAYGROUND_MODULE` begins with; the last byte is the layout's version. The same as
/// `playground_api::export::MAGIC`: this stage stands alone, so that it can be tried without Bevy.
const MAGIC: [u8; 16] = *b"playground-mod\0\x02";
/// Size of `playground_api::export::ModuleEntry`: magic, lengths of manifest and schemas, address of
/// `build`.
const ENTRY_BYTES: u64 = 40;
/// The part of it that holds no address.
const PLAIN_BYTES: u64 = 32;

/// Smaller is no ELF file.
pub const MIN_FILE_BYTES: usize = 64;
/// Larger is no module: the largest have a few megabytes.
pub const MAX_FILE_BYTES: usize = 512 << 20;
const MAX_MANIFEST_BYTES: u64 = 64 << 10;
const MAX_SCHEMAS_BYTES: u64 = 4 << 20;
const MISSING_SHOWN: usize = 5;

/// An artifact that may be loaded. Only [`inspect`] makes one.
pub struct Inspected {
    bytes: Vec<u8>,
    /// blake3 hash of the bytes, in hex digits.
    pub hash: ArtifactHash,
    /// What the artifact says of its module.
    pub manifest: Manifest,
    /// What its persisted types look like, in the order of the manifest.
    pub schemas: Vec<Definition>,
    /// The name of its `PLAYGROUND_MODULE`, as it stands in the symbol table.
    pub export_symbol: String,
    /// What is odd about it, but no reason to refuse it.
    pub warnings: Vec<InspectWarning>,
}

impl Inspected {
    /// The bytes that were inspected.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
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

/// What is odd about an artifact, but no reason to refuse it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InspectWarning {
    /// Folders of its own in which to look for libraries. All it needs is loaded already.
    #[error("W0201: {}: its search path for libraries `{folders}` is not used", file.display())]
    SearchPath {
        /// The artifact.
        file: PathBuf,
        /// The folders.
        folders: String,
    },
    /// Not built by the host.
    #[error("W0202: {}: built without an epoch: its types cannot be told from those of other builds", file.display())]
    NoEpoch {
        /// The artifact.
        file: PathBuf,
    },
}

/// Why an artifact may not be loaded.
#[derive(Debug, Error)]
pub enum InspectError {
    /// Too small or too large for an artifact.
    #[error("H0201: {}: expected {MIN_FILE_BYTES} to {MAX_FILE_BYTES} bytes, found {found}. Build the module again", file.display())]
    Size {
        /// The artifact.
        file: PathBuf,
        /// Its size in bytes.
        found: usize,
    },
    /// Another format.
    #[error("H0202: {}: expected an ELF file, found one that begins with {found:02x?}. Build the module again", file.display())]
    NotElf {
        /// The artifact.
        file: PathBuf,
        /// Its first bytes.
        found: Vec<u8>,
    },
    /// Another machine.
    #[error("H0203: {}: expected {expected}, found {found}. Build the module for this machine", file.display())]
    Machine {
        /// The artifact.
        file: PathBuf,
        /// The host's machine.
        expected: String,
        /// The artifact's.
        found: String,
    },
    /// Damaged, or not made by a linker for Rust.
    #[error("H0204: {}: {what}: expected {expected}, found {found}. The file is damaged or not a module: build it again", file.display())]
    Malformed {
        /// The artifact.
        file: PathBuf,
        /// Which part of it.
        what: String,
        /// What would be right.
        expected: String,
        /// What is there.
        found: String,
    },
    /// It needs a library which the host did not start with.
    #[error("H0205: {}: expected only libraries that the game has loaded, found `{library}`{}. Build the module with this game's toolchain and dependencies", file.display(), similar(.loaded))]
    Library {
        /// The artifact.
        file: PathBuf,
        /// The library's name.
        library: String,
        /// A loaded one of a similar name.
        loaded: Option<String>,
    },
    /// No `PLAYGROUND_MODULE` of its own.
    #[error("H0206: {}: expected one symbol `{expected}`, found {}. Put `export_module!` at the top of the crate's lib.rs", file.display(), list(.found))]
    NoExport {
        /// The artifact.
        file: PathBuf,
        /// The symbol's path.
        expected: String,
        /// Those that are there: of embedded crates, or several of its own.
        found: Vec<String>,
    },
    /// `PLAYGROUND_MODULE` of another shape.
    #[error("H0207: {}: PLAYGROUND_MODULE: expected {expected}, found {found}. Build the module with this game's playground_api", file.display())]
    Export {
        /// The artifact.
        file: PathBuf,
        /// What would be right.
        expected: String,
        /// What is there.
        found: String,
    },
    /// The manifest is not as `export_module!` writes it.
    #[error("H0208: {}: manifest: {fault}. Correct `export_module!` and build the module again", file.display())]
    Manifest {
        /// The artifact.
        file: PathBuf,
        /// What is wrong.
        #[source]
        fault: ManifestError,
    },
    /// Built for another host.
    #[error("H0209: {}: expected ABI {expected}, found {found}. Rebuild the module with this game's toolchain and playground_api", file.display())]
    Abi {
        /// The artifact.
        file: PathBuf,
        /// The host's ABI.
        expected: AbiFingerprint,
        /// The artifact's.
        found: AbiFingerprint,
    },
    /// The schemas are not as `export_module!` writes them.
    #[error("H0211: {}: schemas of the persisted types: {fault}. Build the module again", file.display())]
    Schemas {
        /// The artifact.
        file: PathBuf,
        /// What is wrong.
        #[source]
        fault: SchemaError,
    },
    /// Another number of schemas than of persisted types.
    #[error("H0212: {}: expected a schema for each of {expected} persisted types, found {found}. Build the module again", file.display())]
    SchemaCount {
        /// The artifact.
        file: PathBuf,
        /// Persisted types in the manifest.
        expected: usize,
        /// Schemas.
        found: usize,
    },
    /// It uses what the host does not have.
    #[error("H0210: {}: expected every symbol it uses in the game's libraries, found {count} that are not there: {}. Rebuild the module with this game's dependencies and features", file.display(), .first.join(", "))]
    Symbols {
        /// The artifact.
        file: PathBuf,
        /// How many.
        count: usize,
        /// The first of them, demangled.
        first: Vec<String>,
    },
}

fn similar(loaded: &Option<String>) -> String {
    loaded.as_ref().map_or_else(String::new, |loaded| format!(" (the game has `{loaded}`)"))
}

fn list(found: &[String]) -> String {
    if found.is_empty() { "none".into() } else { found.join(", ") }
}

/// Checks `bytes` as an artifact of the module `expected_id`. The path is only for messages.
///
/// # Errors
///
/// When loading the bytes into a process like `host` could do other than what it should.
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
    if image.file_type != format::ET_DYN {
        let found = format!("type {}", image.file_type.0);
        return Err(malformed(Fault::new("kind of ELF file", "a shared library", found)));
    }
    if image.executable_stack {
        return Err(malformed(Fault::new("stack", "data only", "a request to run code on it")));
    }

    let mut libraries = image.needed().map_err(malformed)?;
    libraries.extend(image.versioned().map_err(malformed)?);
    if let Some(library) = libraries.into_iter().find(|name| !host.has_library(name)) {
        let loaded = same_stem(library, host);
        return Err(InspectError::Library { file: file(), library: library.into(), loaded });
    }

    let symbols = image.symbols().map_err(malformed)?;
    let (mut export, mut missing) = (Exports::new(expected_id), Vec::new());
    for symbol in symbols {
        let name = image.name_of(symbol).map_err(malformed)?;
        if elf::is_offered(symbol) {
            export.see(name, symbol);
        } else if elf::is_required(symbol) && !host.has_symbol(name) {
            missing.push(name);
        }
    }
    let (export_symbol, symbol) = export.only_one(path)?;
    check_export(path, symbol)?;
    image.check_found(export_symbol.as_bytes(), symbol, symbols).map_err(malformed)?;

    let address = symbol.st_value.get(object::NativeEndian);
    let size = symbol.st_size.get(object::NativeEndian);
    let Told { manifest, schemas } = told(path, &image, address, size)?;
    let told_bytes = (manifest.len() + schemas.len()) as u64;
    let kept = [(address, PLAIN_BYTES), (address + ENTRY_BYTES, told_bytes)];
    image.check_loading(symbols, &kept, address + PLAIN_BYTES).map_err(malformed)?;

    let manifest = Manifest::parse(manifest, expected_id)
        .map_err(|fault| InspectError::Manifest { file: file(), fault })?;
    if manifest.abi != host.abi {
        let (expected, found) = (host.abi.clone(), manifest.abi);
        return Err(InspectError::Abi { file: file(), expected, found });
    }
    let schemas = Definition::parse(schemas)
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
    if let Some(folders) = image.search_path() {
        warnings.push(InspectWarning::SearchPath { file: file(), folders });
    }
    if manifest.epoch == manifest::UNSET {
        warnings.push(InspectWarning::NoEpoch { file: file() });
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

/// The symbols named `PLAYGROUND_MODULE`.
struct Exports<'a, S> {
    expected: String,
    own: Vec<(&'a [u8], &'a S)>,
    others: Vec<String>,
}

impl<'a, S> Exports<'a, S> {
    fn new(id: &ModuleId) -> Self {
        let expected = format!("{}::PLAYGROUND_MODULE", id.crate_name());
        Self { expected, own: Vec::new(), others: Vec::new() }
    }

    fn see(&mut self, name: &'a [u8], symbol: &'a S) {
        const NAME: &[u8] = b"PLAYGROUND_MODULE";
        if name.windows(NAME.len()).any(|part| part == NAME) {
            match demangle(name) {
                path if path == self.expected => self.own.push((name, symbol)),
                path => self.others.push(path),
            }
        }
    }

    fn only_one(self, path: &Path) -> Result<(String, &'a S), InspectError> {
        if let [(name, symbol)] = self.own.as_slice()
            && let Ok(name) = std::str::from_utf8(name)
        {
            return Ok((name.to_owned(), symbol));
        }
        let mut found = self.others;
        found.extend(self.own.iter().map(|(name, _)| String::from_utf8_lossy(name).into_owned()));
        found.truncate(MISSING_SHOWN);
        Err(InspectError::NoExport { file: path.to_owned(), expected: self.expected, found })
    }
}

/// The loader adds nothing to an absolute address, and calls an indirect function to ask for one.
fn check_export(path: &Path, symbol: &elf::Symbol) -> Result<(), InspectError> {
    let section = symbol.st_shndx.get(object::NativeEndian);
    let found = match symbol.st_type() {
        format::STT_OBJECT if section.is_reserved() => "one without a section".into(),
        format::STT_OBJECT
            if ![format::STB_GLOBAL, format::STB_WEAK].contains(&symbol.st_bind()) =>
        {
            format!("a symbol of binding {}", symbol.st_bind().0)
        }
        format::STT_OBJECT => return Ok(()),
        kind => format!("a symbol of type {}", kind.0),
    };
    Err(InspectError::Export { file: path.to_owned(), expected: "a static".into(), found })
}

fn demangle(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    format!("{:#}", rustc_demangle::demangle(&name))
}

/// What stands behind the `ModuleEntry`.
struct Told<'a> {
    manifest: &'a [u8],
    schemas: &'a [u8],
}

/// Manifest and schemas behind the `ModuleEntry` at `address`.
fn told<'a>(
    path: &Path,
    image: &Image<'a, &'a [u8]>,
    address: u64,
    size: u64,
) -> Result<Told<'a>, InspectError> {
    let export = |expected: String, found: String| InspectError::Export {
        file: path.to_owned(),
        expected,
        found,
    };
    let in_file = |fault: Fault| export(fault.expected, fault.found);
    let most = ENTRY_BYTES + MAX_MANIFEST_BYTES + MAX_SCHEMAS_BYTES + 8;
    if !(ENTRY_BYTES..=most).contains(&size) {
        let found = format!("{size} bytes");
        return Err(export(format!("{ENTRY_BYTES} to {most} bytes"), found));
    }
    let bytes = image.bytes(address, size, "PLAYGROUND_MODULE").map_err(in_file)?;

    let (magic, rest) = bytes.split_at(MAGIC.len());
    if magic[..15] != MAGIC[..15] {
        let show = |bytes: &[u8]| format!("{:?}", String::from_utf8_lossy(bytes));
        return Err(export(show(&MAGIC[..15]), show(&magic[..15])));
    }
    if magic[15] != MAGIC[15] {
        let show = |version: u8| format!("version {version} of its layout");
        return Err(export(show(MAGIC[15]), show(magic[15])));
    }
    let mut room = bytes.get(ENTRY_BYTES as usize..).unwrap_or_default();
    let mut part = |what: &str, at: usize, most: u64| {
        let len =
            rest.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |len| u64::from_ne_bytes(*len));
        let taken = usize::try_from(len).ok().filter(|_| len <= most);
        let taken = taken.and_then(|len| room.split_at_checked(len));
        let (taken, behind) = taken.ok_or_else(|| {
            let most = (room.len() as u64).min(most);
            export(format!("{what} of at most {most} bytes"), format!("one of {len} bytes"))
        })?;
        room = behind;
        Ok(taken)
    };
    let manifest = part("a manifest", 0, MAX_MANIFEST_BYTES)?;
    let schemas = part("a list of schemas", 8, MAX_SCHEMAS_BYTES)?;
    // All but zeros to the next multiple of 8 belongs to one of them.
    if room.iter().any(|byte| *byte != 0) {
        let found = format!("{} bytes that belong to neither", room.len());
        return Err(export("a manifest and a list of schemas".into(), found));
    }
    Ok(Told { manifest, schemas })
}

#[cfg(test)]
mod tests;
