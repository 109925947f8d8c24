//! Snapshots as files: all persisted values, with the schemas that wrote them.
//!
//! ```text
//!  world ── world::take ──► Saved ── format ──► bytes ── Saves::write ──► saves/NAME.snap
//!  world ◄─ world::load ─── Saved ◄─ format ─── bytes ◄─ Saves::read ────┘
//! ```
//!
//! A file is written beside its place and moved there, so that a crash leaves the old one or the new
//! one. Values are read by the schemas in the file, so older modules' snapshots load into newer ones.

pub mod format;
pub mod world;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use thiserror::Error;

use crate::atomic_write;
use crate::os_remedies::remedy;

use format::{FormatError, Header, Saved};

/// What the snapshots that the game makes by itself are called, before the app's name.
pub const AUTOSAVE: &str = "autosave";
const ENDING: &str = "snap";
const MAX_NAME: usize = 64;

/// Why a snapshot cannot be written, found or used. Nothing was changed then.
#[derive(Debug, Error)]
pub enum SaveError {
    /// A name that could be a path.
    #[error(
        "H0901: `{0}` cannot be a snapshot's name: expected up to {MAX_NAME} letters, digits, `_` \
         and `-`"
    )]
    Name(String),
    /// No such snapshot.
    #[error("H0902: there is no snapshot `{name}` in {}; `snapshot list` tells which there are", folder.display())]
    Missing {
        /// The name.
        name: String,
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// The file system says no.
    #[error("H0903: {}: {source}. {}", path.display(), remedy(source))]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Not a snapshot, or a damaged one.
    #[error("H0904: {}: {source}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: FormatError,
    },
    /// A snapshot of another app.
    #[error("H0905: snapshot `{name}` is of `{saved}`, and `{running}` runs: `app {saved}` first")]
    App {
        /// The snapshot.
        name: String,
        /// Its app.
        saved: String,
        /// The one that runs.
        running: String,
    },
    /// Values that nobody takes.
    #[error(
        "H0906: snapshot `{name}` holds what the running modules do not take:\n  {}\nSwitch their \
         modules on, or leave these out with `snapshot load {name} --force`",
        .lost.join("\n  ")
    )]
    Lost {
        /// The snapshot.
        name: String,
        /// What would be lost, one line each.
        lost: Vec<String>,
    },
    /// Values that cannot be read as their types are now.
    #[error("H0907: snapshot `{name}`: {reason}")]
    Values {
        /// The snapshot.
        name: String,
        /// Which value and why.
        reason: String,
    },
    /// Values that cannot be written.
    #[error("H0908: no snapshot: {0}")]
    Encode(String),
}

/// The folder that holds an app's snapshots.
#[derive(Clone, Debug)]
pub struct Saves {
    folder: PathBuf,
}

/// A snapshot on disk.
#[derive(Debug)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// When it was written.
    pub written: SystemTime,
    /// Bytes of the file.
    pub size: u64,
    /// What it says of itself, or what is wrong with it.
    pub header: Result<Header, FormatError>,
}

impl Saves {
    /// Snapshots in `folder`, which is made when the first one is written.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Where they are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file of a snapshot.
    ///
    /// # Errors
    ///
    /// When the name could be a path.
    pub fn path(&self, name: &str) -> Result<PathBuf, SaveError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(plain) {
            return Err(SaveError::Name(name.to_owned()));
        }
        Ok(self.folder.join(format!("{name}.{ENDING}")))
    }

    /// Writes a snapshot, in place of one of the same name.
    ///
    /// # Errors
    ///
    /// When the file system does not take it; an older one is as it was then.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, SaveError> {
        let path = self.path(name)?;
        if let Err(source) = atomic_write::write(&path, bytes) {
            return Err(SaveError::File { path, source });
        }
        Ok(path)
    }

    /// Reads a snapshot.
    ///
    /// # Errors
    ///
    /// When there is none, or it is damaged.
    pub fn read(&self, name: &str) -> Result<Saved, SaveError> {
        let path = self.path(name)?;
        let bytes = fs::read(&path).map_err(|source| self.failed(name, &path, source))?;
        format::parse(&bytes).map_err(|source| SaveError::Format { path, source })
    }

    /// Removes a snapshot.
    ///
    /// # Errors
    ///
    /// When there is none, or it cannot be removed.
    pub fn delete(&self, name: &str) -> Result<(), SaveError> {
        let path = self.path(name)?;
        fs::remove_file(&path).map_err(|source| self.failed(name, &path, source))
    }

    /// Gives a snapshot another name, in place of one that has it.
    ///
    /// # Errors
    ///
    /// When there is none, or it cannot be moved.
    pub fn rename(&self, name: &str, to: &str) -> Result<(), SaveError> {
        let (path, to) = (self.path(name)?, self.path(to)?);
        fs::rename(&path, to).map_err(|source| self.failed(name, &path, source))
    }

    /// The snapshots there are, newest first.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read; one that is not there holds none.
    pub fn list(&self) -> Result<Vec<Listed>, SaveError> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(SaveError::File { path: self.folder.clone(), source }),
        };
        let mut listed: Vec<Listed> = entries.flatten().filter_map(|e| listed(&e.path())).collect();
        listed.sort_by_key(|listed| std::cmp::Reverse(listed.written));
        Ok(listed)
    }

    fn failed(&self, name: &str, path: &Path, source: io::Error) -> SaveError {
        if source.kind() == io::ErrorKind::NotFound {
            return SaveError::Missing { name: name.to_owned(), folder: self.folder.clone() };
        }
        SaveError::File { path: path.to_owned(), source }
    }
}

fn listed(path: &Path) -> Option<Listed> {
    if path.extension()? != ENDING {
        return None;
    }
    let data = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    Some(Listed {
        name: path.file_stem()?.to_str()?.to_owned(),
        written: data.modified().ok()?,
        size: data.len(),
        header: format::parse(&fs::read(path).ok()?).map(|saved| saved.header),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_no_paths() {
        let saves = Saves::new("saves".into());
        for name in ["", ".", "..", "a/b", "/a", "a.b", "a b", "ä", &"a".repeat(65), "a\0"] {
            assert!(matches!(saves.path(name), Err(SaveError::Name(_))), "{name:?}");
        }
        assert_eq!(saves.path("before_boss-2").unwrap(), Path::new("saves/before_boss-2.snap"));
    }

    #[test]
    fn a_failed_write_leaves_the_old_file() {
        let folder = std::env::temp_dir().join(format!("playground-saves-{}", std::process::id()));
        let saves = Saves::new(folder.clone());
        saves.write("one", b"first").unwrap();
        // A folder stands where the new file is made.
        fs::create_dir(folder.join("one.snap.part")).unwrap();
        let error = saves.write("one", b"second").unwrap_err().to_string();
        assert!(error.contains("H0903") && error.contains("one.snap"), "{error}");
        assert_eq!(fs::read(folder.join("one.snap")).unwrap(), b"first");
        assert!(matches!(saves.read("two"), Err(SaveError::Missing { .. })));
        assert!(matches!(saves.read("one"), Err(SaveError::Format { .. })));
        fs::remove_dir_all(&folder).unwrap();
    }
}
