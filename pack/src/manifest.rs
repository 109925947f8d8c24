//! `pack.toml`: what a pack is, what it needs, and the size and hash of each of its files.

mod check;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use semver::{Version, VersionReq};
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub(crate) use check::has_place;
pub use check::{ManifestError, is_id};

/// The manifest's name in the pack.
pub const MANIFEST: &str = "pack.toml";
/// The format that this code reads and writes.
pub const FORMAT: u32 = 1;

/// A pack's manifest. [`Manifest::parse`] checks everything that can be checked without the files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// A lower-case name; no two installed packs have the same.
    pub id: String,
    /// The pack's version.
    pub version: Version,
    /// The name that players see.
    pub title: String,
    /// Who made it.
    #[serde(default)]
    pub authors: Vec<String>,
    /// An SPDX expression, for example `MIT OR Apache-2.0`.
    pub licence: String,
    /// A text for players.
    #[serde(default)]
    pub description: String,
    /// The versions of the game that it runs in.
    pub host: VersionReq,
    /// The versions of `playground_api` that it runs with.
    pub api: VersionReq,
    /// Who signed it; `None` for an unsigned pack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publisher: Option<Publisher>,
    /// The systems that its modules were built for.
    #[serde(rename = "target")]
    pub targets: Vec<Target>,
    /// Its modules, each built for each target.
    #[serde(rename = "module")]
    pub modules: Vec<Module>,
    /// Its files, ordered by path.
    #[serde(rename = "file")]
    pub files: Vec<File>,
}

/// Who signed a pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publisher {
    /// A name, which nobody has verified: trust belongs to the key.
    pub name: String,
    /// The public key, as minisign writes it in base64.
    pub key: String,
}

/// A system that modules were built for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// rustc's name for it, for example `x86_64-unknown-linux-gnu`.
    pub triple: String,
    /// The ABI fingerprint of the API that its modules were built against.
    pub abi: String,
}

/// A module of a pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Module {
    /// Its package name.
    pub id: String,
    /// Its kind.
    pub kind: Kind,
    /// The version of its package.
    pub version: Version,
    /// Modules that it needs, each with the versions that will do.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub requires: BTreeMap<String, VersionReq>,
    /// Modules that it uses if they are there. Of other versions, it needs that they are not there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub optional: BTreeMap<String, VersionReq>,
    /// Modules that cannot run beside it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub conflicts: BTreeMap<String, VersionReq>,
    /// Modules that are loaded before it, if they are there.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub after: BTreeSet<String>,
    /// Modules that are loaded after it, if they are there.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub before: BTreeSet<String>,
}

/// The kind of a module: the first word of its package name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Data and contracts.
    Core,
    /// Behaviour.
    Systems,
    /// An optional feature.
    Plugins,
    /// A whole game.
    Apps,
}

impl Kind {
    /// The kind that a module's name begins with.
    pub fn of_name(id: &str) -> Option<Self> {
        Some(match id.split_once(['_', '-'])?.0 {
            "core" => Self::Core,
            "systems" => Self::Systems,
            "plugins" => Self::Plugins,
            "apps" => Self::Apps,
            _ => return None,
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Core => "core",
            Self::Systems => "systems",
            Self::Plugins => "plugins",
            Self::Apps => "apps",
        })
    }
}

/// A file of a pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Relative to the pack's folder, with `/` between names.
    pub path: String,
    /// In bytes.
    pub size: u64,
    /// The blake3 hash of its content.
    pub blake3: Hash,
}

/// A blake3 hash, written as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hash(blake3::Hash);

/// A text that is no hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a blake3 hash has 64 lower-case hex digits")]
pub struct HashError;

impl Hash {
    /// The hash of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(blake3::hash(bytes))
    }
}

impl From<blake3::Hash> for Hash {
    fn from(hash: blake3::Hash) -> Self {
        Self(hash)
    }
}

impl TryFrom<String> for Hash {
    type Error = HashError;

    fn try_from(text: String) -> Result<Self, HashError> {
        let is_lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        let hash = blake3::Hash::from_hex(text.as_bytes()).ok().filter(|_| is_lower);
        hash.map(Self).ok_or(HashError)
    }
}

impl From<Hash> for String {
    fn from(hash: Hash) -> Self {
        hash.to_string()
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.to_hex().as_str())
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Only the format, which is read before anything else.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

impl Manifest {
    /// Reads and checks a manifest.
    ///
    /// # Errors
    ///
    /// If it is not TOML of this format, or breaks one of the format's rules.
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        let text = std::str::from_utf8(bytes).map_err(|_| ManifestError::NotText)?;
        let format: Format = toml::from_str(text)?;
        if format.format != FORMAT {
            return Err(ManifestError::Format { found: format.format });
        }
        let manifest: Self = toml::from_str(text)?;
        manifest.check()?;
        Ok(manifest)
    }

    /// The manifest as text; the same manifest gives the same text.
    ///
    /// # Errors
    ///
    /// If it breaks one of the format's rules: such a pack could not be read.
    pub fn render(&self) -> Result<String, ManifestError> {
        self.check()?;
        Ok(toml::to_string(self)?)
    }

    /// The file of a module's library for a target.
    pub fn library(&self, triple: &str, module: &str) -> Option<&File> {
        let path = library_path(triple, module);
        self.files.binary_search_by(|file| file.path.cmp(&path)).ok().map(|at| &self.files[at])
    }

    /// The size of all files, in bytes.
    pub fn total_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size).fold(0, u64::saturating_add)
    }
}

/// The path of a module's library in a pack.
pub fn library_path(triple: &str, module: &str) -> String {
    // As rustc names the crate.
    let module = module.replace('-', "_");
    let name = if triple.contains("-windows-") {
        format!("{module}.dll")
    } else if triple.contains("-apple-") {
        format!("lib{module}.dylib")
    } else {
        format!("lib{module}.so")
    };
    format!("targets/{triple}/{name}")
}
