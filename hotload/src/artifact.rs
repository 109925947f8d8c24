//! Artifact: a module's file from the disk, read once. Later stages use these bytes, not the file.
//!
//! ```text
//!  path ─► inside its folder ─► a file ─► writable by its owner only ─► size ─► bytes ─► unchanged ─► hash ─► Artifact
//! ```
//!
//! The steps up to the size come before any content is read, and none of them can block. The hash of
//! an artifact of our own build is recorded with it; a file for `load` needs a `NAME.so.b3` beside it,
//! as `b3sum` prints it.

mod explain;

use std::fmt;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::ops::RangeInclusive;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, fstat, open, openat, statat};
use thiserror::Error;

use crate::explain::Explain;
use crate::ids::ArtifactHash;
use crate::inspect::{MAX_FILE_BYTES, MIN_FILE_BYTES};

/// The permission bit for writing by others than the owner and the group.
const OTHERS_WRITE: u32 = 0o002;

/// Hex digits of a hash.
const HASH_DIGITS: usize = 64;

/// The maximum size of a file with a hash: the digits, a path and a line end.
const MAX_HASH_BYTES: u64 = 8 << 10;

/// Who may be able to write to an artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writers {
    /// Only its owner, and the owner's group.
    OwnerOnly,
    /// Anybody: its hash was recorded by this game. Some file systems have no permissions, and
    /// artifacts built there have to run.
    Anybody,
}

/// An artifact's bytes, as they were at one moment.
pub struct Artifact {
    /// Where the file was. Only for messages: the file there may have changed.
    pub path: PathBuf,
    /// Its content.
    pub bytes: Vec<u8>,
    /// The hash of the bytes.
    pub hash: ArtifactHash,
}

impl fmt::Debug for Artifact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Artifact")
            .field("path", &self.path)
            .field("size_bytes", &self.bytes.len())
            .field("hash", &self.hash)
            .finish()
    }
}

/// Why an artifact's file is refused.
#[derive(Debug, Error)]
#[error("{}", self.explain())]
pub enum ArtifactError {
    /// It does not exist or cannot be read.
    Unreadable {
        /// The artifact.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not a regular file: opening or reading it could block or have side effects.
    NotAFile {
        /// The artifact.
        file: PathBuf,
        /// The kind of entry that is there instead.
        found: &'static str,
    },
    /// It is outside of the folder for artifacts.
    Outside {
        /// The artifact.
        file: PathBuf,
        /// The folder for artifacts.
        within: PathBuf,
        /// Where the path leads.
        found: PathBuf,
    },
    /// Any user of this computer could replace it.
    OthersWrite {
        /// The artifact.
        file: PathBuf,
        /// The file itself, or a folder on the way to it.
        entry: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// Too small or too large for an artifact.
    Size {
        /// The artifact.
        file: PathBuf,
        /// Its size in bytes.
        found: u64,
    },
    /// It was written to or replaced while it was read.
    Changing {
        /// The artifact.
        file: PathBuf,
        /// The property that changed.
        what: &'static str,
        /// Its value before the read.
        before: String,
        /// Its value after the read.
        after: String,
    },
    /// It was not built by this game, and no hash is given for it.
    NoHash {
        /// The artifact.
        file: PathBuf,
        /// The file for its hash.
        hash_file: PathBuf,
        /// The content of that place, in words.
        found: String,
    },
    /// Its hash is not the recorded one.
    Hash {
        /// The artifact.
        file: PathBuf,
        /// The recorded hash.
        expected: ArtifactHash,
        /// The hash of the file.
        found: ArtifactHash,
    },
}

/// Reads the artifact at `path`, which must be in the folder `within` or below it once all links
/// are resolved, and must have the hash `expected_hash`.
///
/// # Errors
///
/// If it is not a regular file with that hash, of a size that a module can have, and writable only
/// by `writers`. Other kinds of files are not opened.
pub fn read(
    path: &Path,
    within: &Path,
    expected_hash: Option<&ArtifactHash>,
    writers: Writers,
) -> Result<Artifact, ArtifactError> {
    let sizes = MIN_FILE_BYTES as u64..=MAX_FILE_BYTES as u64;
    let mut opened = Opened::new(path, within, sizes, writers)?;
    let bytes = opened.bytes()?;
    opened.check_unchanged(bytes.len() as u64)?;

    let hash = ArtifactHash::of(&bytes);
    match expected_hash {
        Some(expected) if *expected != hash => {
            let (file, expected) = (path.to_owned(), expected.clone());
            Err(ArtifactError::Hash { file, expected, found: hash })
        }
        _ => Ok(Artifact { path: path.to_owned(), bytes, hash }),
    }
}

/// The hash of the artifact at `path` in `within`, in hex digits, from the file beside it.
///
/// # Errors
///
/// If there is no such file, or it contains no hash.
pub fn hash_beside(path: &Path, within: &Path) -> Result<ArtifactHash, ArtifactError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".b3");
    let hash_file = PathBuf::from(name);
    let missing = |found| {
        let (file, hash_file) = (path.to_owned(), hash_file.clone());
        ArtifactError::NoHash { file, hash_file, found }
    };
    // Check the artifact itself first: a folder has no hash.
    Opened::new(path, within, 0..=u64::MAX, Writers::OwnerOnly)?;
    if !hash_file.exists() {
        return Err(missing("no such file".to_owned()));
    }
    let sizes = 0..=MAX_HASH_BYTES;
    let mut opened = match Opened::new(&hash_file, within, sizes, Writers::OwnerOnly) {
        Err(ArtifactError::Size { found, .. }) => return Err(missing(format!("{found} bytes"))),
        opened => opened?,
    };
    let bytes = opened.bytes()?;
    let text = String::from_utf8_lossy(&bytes);
    let hash = text.split_whitespace().next().unwrap_or_default();
    if hash.len() != HASH_DIGITS || !hash.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        let start: String = hash.chars().take(HASH_DIGITS + 8).collect();
        return Err(missing(format!("`{}`", start.escape_debug())));
    }
    Ok(hash.to_ascii_lowercase().into())
}

/// An open file that passed the checks on its path, permissions and size.
#[derive(Debug)]
struct Opened<'a> {
    path: &'a Path,
    file: File,
    before: Metadata,
}

impl<'a> Opened<'a> {
    fn new(
        path: &'a Path,
        within: &Path,
        sizes: RangeInclusive<u64>,
        writers: Writers,
    ) -> Result<Self, ArtifactError> {
        let check_mode = |entry: &Path, mode| match writers {
            Writers::OwnerOnly => check_mode(path, entry, mode),
            Writers::Anybody => Ok(()),
        };
        let check_others = |entry: &Path, folder: &OwnedFd| {
            let stat = fstat(folder).map_err(|errno| ArtifactError::Unreadable {
                file: path.to_owned(),
                source: errno.into(),
            })?;
            check_mode(entry, stat.st_mode)
        };
        let unreadable = |source| ArtifactError::Unreadable { file: path.to_owned(), source };
        let root = fs::canonicalize(within)
            .map_err(|source| ArtifactError::Unreadable { file: within.to_owned(), source })?;
        let found = fs::canonicalize(path).map_err(unreadable)?;
        let Some((folders, name)) = below(&root, &found) else {
            return Err(ArtifactError::Outside { file: path.to_owned(), within: root, found });
        };

        // Open each folder by its name relative to its parent, so that nothing can be replaced by a
        // link meanwhile.
        let folder = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut entry = root.clone();
        let mut at =
            open(&root, folder, Mode::empty()).map_err(|errno| unreadable(errno.into()))?;
        check_others(&entry, &at)?;
        for name in folders {
            at = openat(&at, name, folder, Mode::empty())
                .map_err(|errno| unreadable(errno.into()))?;
            entry.push(name);
            check_others(&entry, &at)?;
        }

        // Opening a device can already have side effects.
        let stat = statat(&at, name, AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|errno| unreadable(errno.into()))?;
        check_regular(path, stat.st_mode)?;
        let flags =
            OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file =
            openat(&at, name, flags, Mode::empty()).map_err(|errno| unreadable(errno.into()))?;
        let file = File::from(file);
        let before = file.metadata().map_err(unreadable)?;
        check_regular(path, before.mode())?;
        check_mode(&found, before.mode())?;
        if !sizes.contains(&before.len()) {
            return Err(ArtifactError::Size { file: path.to_owned(), found: before.len() });
        }
        Ok(Self { path, file, before })
    }

    /// At most as many bytes as the file had when it was opened.
    fn bytes(&mut self) -> Result<Vec<u8>, ArtifactError> {
        let mut bytes = Vec::with_capacity(self.before.len() as usize);
        (&mut self.file)
            .take(self.before.len())
            .read_to_end(&mut bytes)
            .map_err(|source| ArtifactError::Unreadable { file: self.path.to_owned(), source })?;
        Ok(bytes)
    }

    /// The times reveal changes that keep the length, within a tick of the kernel's clock.
    fn check_unchanged(&self, read: u64) -> Result<(), ArtifactError> {
        let changing = |what, before: String, after: String| ArtifactError::Changing {
            file: self.path.to_owned(),
            what,
            before,
            after,
        };
        let unreadable = |source| ArtifactError::Unreadable { file: self.path.to_owned(), source };
        let before = &self.before;
        let after = self.file.metadata().map_err(unreadable)?;
        let length = if after.len() == before.len() { read } else { after.len() };
        if length != before.len() {
            let bytes = |count| format!("{count} bytes");
            return Err(changing("length", bytes(before.len()), bytes(length)));
        }
        let written = |file: &Metadata| (file.mtime(), file.mtime_nsec());
        let changed = |file: &Metadata| (file.ctime(), file.ctime_nsec());
        let inode = |file: &Metadata| (file.dev(), file.ino());
        let time = |(seconds, ns): (i64, i64)| format!("{seconds}.{ns:09}");
        for (what, before, after) in [
            ("time of writing", written(before), written(&after)),
            ("time of change", changed(before), changed(&after)),
        ] {
            if before != after {
                return Err(changing(what, time(before), time(after)));
            }
        }
        let show = |(device, inode): (u64, u64)| format!("{inode} on device {device}");
        match fs::metadata(self.path) {
            Ok(named) if inode(&named) == inode(before) => Ok(()),
            Ok(named) => Err(changing("inode", show(inode(before)), show(inode(&named)))),
            Err(error) => Err(changing("inode", show(inode(before)), error.to_string())),
        }
    }
}

/// The folders from `root` to `found`, and its name. Both paths must be free of links.
fn below<'a>(root: &Path, found: &'a Path) -> Option<(Vec<&'a Path>, &'a Path)> {
    let parts = found.strip_prefix(root).ok()?.components();
    let mut names: Vec<&Path> = parts
        .map(|part| match part {
            Component::Normal(name) => Some(Path::new(name)),
            _ => None,
        })
        .collect::<Option<_>>()?;
    let name = names.pop()?;
    Some((names, name))
}

fn check_regular(path: &Path, mode: u32) -> Result<(), ArtifactError> {
    let found = match FileType::from_raw_mode(mode) {
        FileType::RegularFile => return Ok(()),
        FileType::Directory => "folder",
        FileType::Fifo => "named pipe",
        FileType::Socket => "socket",
        FileType::CharacterDevice | FileType::BlockDevice => "device",
        FileType::Symlink => "link",
        _ => "thing of another kind",
    };
    Err(ArtifactError::NotAFile { file: path.to_owned(), found })
}

fn check_mode(path: &Path, entry: &Path, mode: u32) -> Result<(), ArtifactError> {
    if mode & OTHERS_WRITE == 0 {
        return Ok(());
    }
    let (file, entry) = (path.to_owned(), entry.to_owned());
    Err(ArtifactError::OthersWrite { file, entry, mode: mode & 0o7777 })
}

#[cfg(test)]
mod tests;
