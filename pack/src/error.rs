//! Why a pack is refused.

use std::fmt;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::manifest::{Hash, ManifestError};
use crate::sign::SignError;

/// Why a pack is refused.
#[derive(Debug, Error)]
pub enum PackError {
    /// A file cannot be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// The action that failed, for example `read`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The packed file is not zstd, or is damaged.
    #[error("this is no pack, or a damaged one: {source}")]
    Compression {
        /// zstd's message.
        source: io::Error,
    },
    /// The archive is not the one that the format demands.
    #[error("the archive does not follow its manifest: {0}")]
    Archive(#[from] ArchiveError),
    /// The manifest is refused.
    #[error("the manifest `pack.toml` is refused: {0}")]
    Manifest(#[from] ManifestError),
    /// A file's content is not the one that the manifest lists.
    #[error(
        "`{path}` has other content than the manifest says: blake3 {found} instead of {expected}"
    )]
    Content {
        /// The file's path in the pack.
        path: String,
        /// The hash in the manifest.
        expected: Hash,
        /// The hash of the content.
        found: Hash,
    },
    /// The pack is larger than allowed, or unpacks to much more than its size.
    #[error("{what} has {found} bytes, and at most {limit} are allowed")]
    TooLarge {
        /// The quantity that is too large.
        what: &'static str,
        /// In bytes.
        found: u64,
        /// In bytes.
        limit: u64,
    },
    /// The signature is wrong.
    #[error("{0}")]
    Signature(#[from] SignError),
}

/// How an archive differs from the one that its manifest describes.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ArchiveError {
    /// Another entry, or an entry in another form.
    #[error("entry {number} is {found}, where {expected} was expected")]
    Entry {
        /// Counted from 1.
        number: usize,
        /// The entry that the manifest demands.
        expected: String,
        /// The entry that is there.
        found: String,
    },
    /// A file of the manifest has no entry.
    #[error("`{0}` is missing")]
    Missing(String),
    /// Something after the last file.
    #[error("there is more after the last file: {0}")]
    More(&'static str),
    /// It ends in the middle of an entry.
    #[error("it is cut off in {0}")]
    CutOff(String),
    /// Non-zero bytes between two entries.
    #[error("the padding after `{0}` is not empty")]
    Padding(String),
}

impl PackError {
    /// Wraps an error of the operating system.
    pub(crate) fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}

/// A number of bytes as people read it.
pub struct Size(pub u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(&str, u64); 3] = [("GB", 1 << 30), ("MB", 1 << 20), ("kB", 1 << 10)];
        match UNITS.iter().find(|(_, size)| self.0 >= *size) {
            Some((unit, size)) => write!(f, "{:.1} {unit}", self.0 as f64 / *size as f64),
            None => write!(f, "{} bytes", self.0),
        }
    }
}
