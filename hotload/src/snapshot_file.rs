//! Snapshots as files: all persisted values with their schemas.
//!
//! ```text
//!  world ── world::save ──► Saved ── format ──► bytes ── Saves::write ──► saves/NAME.snap
//!  world ◄─ world::load ─── Saved ◄─ format ─── bytes ◄─ Saves::read ────┘
//!              └─► parked, what no module takes
//! ```
//!
//! Files are written atomically, so that a crash leaves the old or the new one. Values are decoded
//! with the schemas in the file, so snapshots of older modules load into newer ones.

pub mod diff;
pub mod format;
pub mod left_behind;
pub mod parked;
pub mod world;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use thiserror::Error;

use crate::atomic_write;
use crate::explain::{Explain, Explanation};
use crate::os_remedies::remedy;

use format::{FormatError, Header, Saved};

/// The name of automatic snapshots, without the app's name.
pub const AUTOSAVE: &str = "autosave";
const ENDING: &str = "snap";
const MAX_NAME: usize = 64;

/// A snapshot cannot be written, found or loaded. Nothing was changed.
#[derive(Debug, Error)]
#[error("{}", self.explain())]
pub enum SaveError {
    /// The name contains characters that are not allowed, or is too long.
    Name(String),
    /// No such snapshot.
    Missing { name: String, folder: PathBuf },
    /// The file system returned an error.
    File { path: PathBuf, source: io::Error },
    /// The file is not a snapshot, or is damaged.
    Format { path: PathBuf, source: FormatError },
    /// The snapshot is of another app.
    App {
        name: String,
        /// The snapshot's app.
        saved: String,
        /// The running app.
        running: String,
    },
    /// The current types of some values have no place for all of their fields.
    Lost {
        name: String,
        /// The values that would be lost, one line per type.
        lost: Vec<String>,
    },
    /// Some values cannot be converted to the current type.
    Values {
        name: String,
        /// The value and the reason.
        reason: String,
    },
    /// Some values cannot be encoded.
    Encode(String),
}

impl Explain for SaveError {
    fn explain(&self) -> Explanation {
        match self {
            Self::Name(name) => Explanation::new(
                "H0901",
                format!(
                    "`{name}` is not a valid name for a snapshot: expected up to {MAX_NAME} letters, \
                     digits, `_` and `-`"
                ),
            ),
            Self::Missing { name, folder } => Explanation::new(
                "H0902",
                format!("there is no snapshot `{name}` in {}", folder.display()),
            )
            .remedy("`snapshot list` shows the existing ones"),
            Self::File { path, source } => {
                Explanation::new("H0903", format!("{}: {source}", path.display()))
                    .remedy(remedy(source))
            }
            Self::Format { path, source } => {
                let explanation =
                    Explanation::new("H0904", format!("{}: {source}", path.display()));
                match source.remedy() {
                    Some(remedy) => explanation.remedy(remedy),
                    None => explanation,
                }
            }
            Self::App { name, saved, running } => Explanation::new(
                "H0905",
                format!("snapshot `{name}` is of app `{saved}`, but `{running}` is running"),
            )
            .remedy(format!("Change to its app first: `app {saved}`")),
            Self::Lost { name, lost } => Explanation::new(
                "H0906",
                format!(
                    "snapshot `{name}` contains values that would lose fields"
                ),
            )
            .details(format!("  {}", lost.join("\n  ")))
            .remedy(format!(
                "Load it with the modules that wrote it, or drop these with `snapshot load {name} --force`"
            )),
            Self::Values { name, reason } => {
                Explanation::new("H0907", format!("snapshot `{name}`: {reason}"))
            }
            Self::Encode(reason) => {
                Explanation::new("H0908", format!("the snapshot was not saved: {reason}"))
            }
        }
    }
}

/// The folder that holds an app's snapshots.
#[derive(Clone, Debug)]
pub struct Saves {
    folder: PathBuf,
}

/// A snapshot on disk.
#[derive(Debug)]
pub struct Listed {
    pub name: String,
    /// The file's modification time.
    pub written: SystemTime,
    /// The file's size, in bytes.
    pub size: u64,
    /// The header, or the error if the file is damaged.
    pub header: Result<Header, FormatError>,
}

impl Saves {
    /// Snapshots in `folder`, which is created when the first one is written.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The folder of the snapshots.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The path of a snapshot's file.
    ///
    /// # Errors
    ///
    /// When the name is not valid.
    pub fn path(&self, name: &str) -> Result<PathBuf, SaveError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(plain) {
            return Err(SaveError::Name(name.to_owned()));
        }
        Ok(self.folder.join(format!("{name}.{ENDING}")))
    }

    /// Writes a snapshot, replacing one of the same name.
    ///
    /// # Errors
    ///
    /// When the file cannot be written; an older snapshot is unchanged.
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
    /// When it does not exist, cannot be read or is damaged.
    pub fn read(&self, name: &str) -> Result<Saved, SaveError> {
        let path = self.path(name)?;
        let bytes = fs::read(&path).map_err(|source| self.failed(name, &path, source))?;
        format::parse(&bytes).map_err(|source| SaveError::Format { path, source })
    }

    /// Removes a snapshot.
    ///
    /// # Errors
    ///
    /// When it does not exist or cannot be removed.
    pub fn delete(&self, name: &str) -> Result<(), SaveError> {
        let path = self.path(name)?;
        fs::remove_file(&path).map_err(|source| self.failed(name, &path, source))
    }

    /// Renames a snapshot, replacing one that has the new name.
    ///
    /// # Errors
    ///
    /// When it does not exist or cannot be renamed.
    pub fn rename(&self, name: &str, to: &str) -> Result<(), SaveError> {
        let (path, to) = (self.path(name)?, self.path(to)?);
        fs::rename(&path, to).map_err(|source| self.failed(name, &path, source))
    }

    /// All snapshots, newest first.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read. A missing folder is not an error.
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
    fn names_cannot_be_paths() {
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
        // A folder occupies the path of the temporary file.
        fs::create_dir(folder.join("one.snap.part")).unwrap();
        let error = saves.write("one", b"second").unwrap_err().to_string();
        assert!(error.contains("H0903") && error.contains("one.snap"), "{error}");
        assert_eq!(fs::read(folder.join("one.snap")).unwrap(), b"first");
        assert!(matches!(saves.read("two"), Err(SaveError::Missing { .. })));
        assert!(matches!(saves.read("one"), Err(SaveError::Format { .. })));
        fs::remove_dir_all(&folder).unwrap();
    }
}
