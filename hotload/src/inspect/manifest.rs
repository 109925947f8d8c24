//! The manifest in an artifact: TOML, as `export_module!` writes it.
//!
//! ```toml
//! kind = "Systems"
//! id = "systems_walk"
//! version = "0.1.0"
//! abi = "…"                      # fingerprint of playground_api
//! epoch = "0123456789abcdef"     # "-" where plain cargo built it
//! crate_epoch = "fedcba9876543210"
//! types = "Pace 00112233445566aa systems_walk"
//! cores = { core_scene = "0123456789abcdef" }
//! persist = ["Pace"]
//! dropped = ["core_scene::Shield"]
//!
//! [requires]
//! core_scene = "^0.1"
//! ```

use std::collections::BTreeMap;
use std::fmt;

use semver::{Version, VersionReq};
use serde::Deserialize;
use thiserror::Error;

use crate::ids::{AbiFingerprint, Epoch, ModuleId};

/// The purpose of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
pub enum Kind {
    /// Data and contracts.
    Core,
    /// Behaviour over core data.
    Systems,
    /// An optional feature.
    Plugins,
    /// A whole game.
    Apps,
}

impl Kind {
    /// All kinds, in the order of their layers.
    pub const ALL: [Self; 4] = [Self::Core, Self::Systems, Self::Plugins, Self::Apps];

    /// The kind's name, as in the folders under `modules/`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Systems => "systems",
            Self::Plugins => "plugins",
            Self::Apps => "apps",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A module's description in its artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The purpose of the module.
    pub kind: Kind,
    /// The module's id: its package name.
    pub id: ModuleId,
    /// The package's version.
    pub version: Version,
    /// Fingerprint of the API it was built with.
    pub abi: AbiFingerprint,
    /// Epoch of its types; [`UNSET`] where plain cargo built it, which is not loaded.
    pub epoch: Epoch,
    /// The part of the epoch that all types of the crate share.
    pub crate_epoch: Epoch,
    /// The epochs of the types that have an identity of their own, by name.
    pub types: BTreeMap<String, Epoch>,
    /// The core crates linked into it, with their epochs.
    pub cores: BTreeMap<ModuleId, Epoch>,
    /// The modules it requires.
    pub requires: BTreeMap<ModuleId, VersionReq>,
    /// The types whose values are kept, as the author wrote them.
    pub persisted: Vec<String>,
    /// Types that it persisted before, and whose values may be dropped.
    pub dropped: Vec<String>,
}

/// Stands for a value that the build did not set.
pub const UNSET: &str = "-";

/// A fault in a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ManifestError {
    /// It is not UTF-8 text.
    #[error("expected UTF-8, found the byte {byte:#04x} at {at}")]
    NotText {
        /// The first byte that is wrong.
        byte: u8,
        /// Its offset.
        at: usize,
    },
    /// It is not TOML, or has other keys or types of values.
    #[error("expected TOML as `export_module!` writes it, found{}: {found}", in_line(.line))]
    NotToml {
        /// Counted from 1; `None` for a key that is missing from the whole.
        line: Option<usize>,
        /// The parser's message.
        found: String,
    },
    /// A value has the wrong form.
    #[error("{key}: expected {expected}, found {found:?}")]
    Invalid {
        /// The key.
        key: &'static str,
        /// The expected value.
        expected: &'static str,
        /// The actual value.
        found: String,
    },
    /// It is the manifest of another module.
    #[error("id: expected `{expected}`, found `{found}`")]
    OtherModule {
        /// The requested module.
        expected: ModuleId,
        /// The module that it belongs to.
        found: ModuleId,
    },
    /// The module requires itself.
    #[error("requires: expected other modules, found `{id}` itself")]
    RequiresItself {
        /// The module.
        id: ModuleId,
    },
}

fn in_line(line: &Option<usize>) -> String {
    line.map_or_else(String::new, |line| format!(" in line {line}"))
}

/// The TOML as it is parsed, before its values are checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    kind: Kind,
    id: ModuleId,
    version: String,
    abi: AbiFingerprint,
    epoch: Epoch,
    crate_epoch: Epoch,
    types: String,
    cores: BTreeMap<ModuleId, Epoch>,
    persist: Vec<String>,
    dropped: Vec<String>,
    requires: BTreeMap<ModuleId, String>,
}

impl Document {
    fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let at = error.valid_up_to();
            ManifestError::NotText { byte: bytes.get(at).copied().unwrap_or_default(), at }
        })?;
        toml::from_str(text).map_err(|error| {
            let missing = error.message().starts_with("missing field");
            let before = error.span().filter(|_| !missing).and_then(|span| text.get(..span.start));
            let line = before.map(|before| before.matches('\n').count() + 1);
            ManifestError::NotToml { line, found: error.message().trim().to_owned() }
        })
    }
}

const MAX_NAME_BYTES: usize = 64;

/// True for valid cargo package names, in ASCII: these are never paths.
pub fn is_package_name(name: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.len() <= MAX_NAME_BYTES
        && name.starts_with(letter)
        && name.chars().all(|c| letter(c) || c.is_ascii_digit() || c == '-')
}

impl Manifest {
    /// Reads the manifest of the module `expected_id`. Every key is required.
    ///
    /// # Errors
    ///
    /// If `export_module!` would not write such a manifest.
    pub fn parse(bytes: &[u8], expected_id: &ModuleId) -> Result<Self, ManifestError> {
        let document = Document::parse(bytes)?;

        let id = document.id;
        if !is_package_name(id.as_str()) {
            return Err(invalid("id", "a package name of up to 64 letters, digits, `_`, `-`", id));
        }
        if id != *expected_id {
            return Err(ManifestError::OtherModule { expected: expected_id.clone(), found: id });
        }
        let version = Version::parse(&document.version)
            .map_err(|_| invalid("version", "a semver version such as 0.1.0", document.version))?;
        let abi = document.abi;
        if abi.as_str().is_empty() || !abi.as_str().bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(invalid("abi", "a fingerprint without blanks", abi));
        }
        check_epoch("epoch", &document.epoch)?;
        check_epoch("crate_epoch", &document.crate_epoch)?;
        let types = own_types(&document.types)?;
        for (core, epoch) in &document.cores {
            if !is_package_name(core.as_str()) {
                return Err(invalid("cores", "package names and epochs", core));
            }
            check_epoch("cores", epoch)?;
        }
        check_types("persist", &document.persist)?;
        check_types("dropped", &document.dropped)?;

        Ok(Self {
            kind: document.kind,
            version,
            abi,
            epoch: document.epoch,
            crate_epoch: document.crate_epoch,
            types,
            cores: document.cores,
            requires: requires(document.requires, &id)?,
            persisted: document.persist,
            dropped: document.dropped,
            id,
        })
    }

    /// The module, or else a core crate in it, if the build set no epoch for it.
    pub(super) fn without_epoch(&self) -> Option<&ModuleId> {
        let own = std::iter::once((&self.id, &self.epoch));
        own.chain(&self.cores).find(|(_, epoch)| **epoch == UNSET).map(|(id, _)| id)
    }
}

fn requires(
    document: BTreeMap<ModuleId, String>,
    own: &ModuleId,
) -> Result<BTreeMap<ModuleId, VersionReq>, ManifestError> {
    let parse = |(id, requirement): (ModuleId, String)| {
        if !is_package_name(id.as_str()) {
            return Err(invalid("requires", "a package name and a semver requirement", id));
        }
        if id == *own {
            return Err(ManifestError::RequiresItself { id });
        }
        match VersionReq::parse(&requirement) {
            Ok(requirement) => Ok((id, requirement)),
            Err(_) => {
                let found = format!("{id} = {requirement}");
                Err(invalid("requires", "a semver requirement such as ^0.1", found))
            }
        }
    };
    document.into_iter().map(parse).collect()
}

/// Checks that each type has a name, on one line, and is listed once.
fn check_types(key: &'static str, types: &[String]) -> Result<(), ManifestError> {
    for (index, name) in types.iter().enumerate() {
        if name.trim().is_empty() || name.chars().any(char::is_control) {
            return Err(invalid(key, "a type", name));
        }
        if types[..index].contains(name) {
            return Err(invalid(key, "each type once", name));
        }
    }
    Ok(())
}

/// The types with an identity of their own: a line each, with name, epoch, and the path of a module.
fn own_types(text: &str) -> Result<BTreeMap<String, Epoch>, ManifestError> {
    let own_type = |line: &str| match line.split(' ').collect::<Vec<_>>()[..] {
        [name, epoch, module] if !name.is_empty() && is_epoch(epoch) && !module.is_empty() => {
            Ok((name.to_owned(), Epoch::from(epoch)))
        }
        _ => Err(invalid("types", "a type, an epoch and a module in each line", line)),
    };
    text.lines().map(own_type).collect()
}

fn is_epoch(text: &str) -> bool {
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == 16 && text.bytes().all(hex)
}

fn check_epoch(key: &'static str, epoch: &Epoch) -> Result<(), ManifestError> {
    let epoch = epoch.as_str();
    if epoch == UNSET || is_epoch(epoch) {
        return Ok(());
    }
    Err(invalid(key, "an epoch of 16 hex digits, or - where the build set none", epoch))
}

fn invalid(key: &'static str, expected: &'static str, found: impl ToString) -> ManifestError {
    ManifestError::Invalid { key, expected, found: found.to_string() }
}

#[cfg(test)]
mod tests;
