//! The packs that a player has installed, in a folder that the game and its command line share.
//!
//! ```text
//!  packs.toml                 which version of each pack runs, and which keys are trusted
//!  ID/VERSION-HASH/           the files of a pack, with its manifest and signature
//!  .staging/                  what is being unpacked
//!  lock                       held while something is changed
//! ```
//!
//! `packs.toml` is replaced as a whole, after everything that it names is on the disk. Whenever the
//! process is killed, the old packs or the new ones are installed.

mod list;
mod stage;
#[cfg(test)]
mod tests;

use std::fs::{self, DirBuilder, File as DiskFile};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use semver::Version;
use thiserror::Error;

pub use list::{Entry, Key, List};
use stage::is_version_folder;
pub use stage::{Permissions, Staged};

use crate::archive::SIGNATURE;
use crate::error::PackError;
use crate::manifest::{MANIFEST, Manifest, is_id};
use crate::{Hash, sign};

/// The name of the list.
pub const LIST: &str = "packs.toml";
const STAGING: &str = ".staging";
const LOCK: &str = "lock";

/// The folder of installed packs. It does not have to exist until one is installed.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

/// A version of a pack in the store.
#[derive(Clone, Debug)]
pub struct Installed {
    /// The manifest, checked against its signature.
    pub manifest: Manifest,
    /// The folder with its files.
    pub folder: PathBuf,
}

/// Why something in the store cannot be read or changed.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The pack is refused, or a file of the store cannot be read or written.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// The list is damaged, or from a newer version of the game.
    #[error("{} is not a list of packs that this game can read: {reason}", file.display())]
    List {
        /// The list.
        file: PathBuf,
        /// The fault.
        reason: String,
    },
    /// No pack of this id is installed.
    #[error("no pack `{id}` is installed")]
    NotInstalled {
        /// The id.
        id: String,
        /// The ids of those that are.
        known: Vec<String>,
    },
    /// The pack has no signature.
    #[error("pack `{id}` {version} is not signed: nobody vouches for it")]
    Unsigned {
        /// The pack.
        id: String,
        /// Its version.
        version: Version,
    },
    /// The publisher's key is not trusted yet.
    #[error(
        "pack `{}` {} is signed by a publisher that you do not know", 
        manifest.id, manifest.version
    )]
    UnknownPublisher {
        /// The pack's manifest.
        manifest: Box<Manifest>,
    },
    /// The publisher's key was revoked.
    #[error("pack `{id}` is signed with the key {key} of {name:?}, which is revoked")]
    Revoked {
        /// The pack.
        id: String,
        /// The key's short id.
        key: String,
        /// The publisher's name.
        name: String,
    },
    /// The installed version was signed by somebody else.
    #[error(
        "pack `{id}` {version} is {found}, and the installed version is signed with the key \
             {installed}"
    )]
    OtherPublisher {
        /// The pack.
        id: String,
        /// The new version.
        version: Version,
        /// The short id of the installed version's key.
        installed: String,
        /// How the new version is signed, in words.
        found: String,
    },
    /// A newer version is installed.
    #[error("pack `{id}` {found} is older than the installed {installed}")]
    Downgrade {
        /// The pack.
        id: String,
        /// The installed version.
        installed: Version,
        /// The version of the file.
        found: Version,
    },
    /// The same version is installed with other content.
    #[error("pack `{id}` {version} is installed, and this one has other content")]
    SameVersion {
        /// The pack.
        id: String,
        /// The version.
        version: Version,
    },
    /// A text that is no key of an installed pack or a known publisher.
    #[error("{key:?} is the key of no publisher that the store knows")]
    NoKey {
        /// The text.
        key: String,
    },
}

impl Store {
    /// The store in `folder`.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The list's file. It is replaced with every change.
    pub fn list_file(&self) -> PathBuf {
        self.folder.join(LIST)
    }

    /// The installed packs and the known keys.
    ///
    /// # Errors
    ///
    /// If the list exists and cannot be read.
    pub fn list(&self) -> Result<List, StoreError> {
        let file = self.list_file();
        match fs::read_to_string(&file) {
            Ok(text) => {
                List::parse(&text).map_err(|reason| StoreError::List { file: file.clone(), reason })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(List::default()),
            Err(error) => Err(PackError::file("read", file)(error).into()),
        }
    }

    /// Reads the manifest of an installed pack, and checks its signature. The other files are not
    /// read.
    ///
    /// # Errors
    ///
    /// If a file is missing or was changed since it was installed.
    pub fn read(&self, id: &str, entry: &Entry) -> Result<Installed, StoreError> {
        let folder = self.place(id, &entry.folder);
        Ok(Installed { manifest: manifest_in(&folder)?, folder })
    }

    /// Reads all files of an installed pack, and compares them with the manifest.
    ///
    /// # Errors
    ///
    /// If a file is missing or was changed since it was installed.
    pub fn verify(&self, id: &str, entry: &Entry) -> Result<Installed, StoreError> {
        let installed = self.read(id, entry)?;
        for file in &installed.manifest.files {
            let path = installed.folder.join(&file.path);
            let bytes = fs::read(&path).map_err(PackError::file("read", &path))?;
            let found = Hash::of(&bytes);
            if found != file.blake3 {
                let (path, expected) = (path.display().to_string(), file.blake3);
                return Err(PackError::Content { path, expected, found }.into());
            }
        }
        Ok(installed)
    }

    /// Changes the list, and removes what it no longer names.
    ///
    /// # Errors
    ///
    /// If `change` fails, or the list cannot be read or written; nothing is changed then.
    pub fn change<T>(
        &self,
        change: impl FnOnce(&mut List) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let _lock = self.lock()?;
        let mut list = self.list()?;
        let before = list.clone();
        let value = change(&mut list)?;
        if list != before {
            self.write(&list)?;
            self.sweep(&list);
        }
        Ok(value)
    }

    /// Goes back to the version that ran before, because the one in the folder `failed` cannot run
    /// for that `reason`; if there is none, switches the pack off. Returns the installed version, and
    /// whether it is on; `None` if other content is installed by now, or it is off already.
    ///
    /// # Errors
    ///
    /// If the pack is not installed, or the list cannot be read or written.
    pub fn go_back(
        &self,
        id: &str,
        failed: &Path,
        reason: &str,
    ) -> Result<Option<(Version, bool)>, StoreError> {
        self.change(|list| {
            let entry = list.entry(id)?;
            let runs = entry.is_on && self.place(id, &entry.folder) == failed;
            if runs {
                entry.problem = Some(format!("{}: {reason}", entry.version));
                let earlier = entry.earlier.take();
                let manifest = |folder: &String| manifest_in(&self.place(id, folder)).ok();
                match earlier.as_ref().and_then(|folder| Some((folder, manifest(folder)?))) {
                    Some((folder, manifest)) => {
                        entry.folder.clone_from(folder);
                        entry.version = manifest.version;
                    }
                    None => entry.is_on = false,
                }
            }
            Ok(runs.then(|| (entry.version.clone(), entry.is_on)))
        })
    }

    fn place(&self, id: &str, folder: &str) -> PathBuf {
        self.folder.join(id).join(folder)
    }

    /// Waits until nobody else changes the store.
    fn lock(&self) -> Result<DiskFile, StoreError> {
        let made = DirBuilder::new().recursive(true).mode(0o755).create(&self.folder);
        made.map_err(PackError::file("create", &self.folder))?;
        let path = self.folder.join(LOCK);
        let opened = DiskFile::options().write(true).create(true).truncate(false).open(&path);
        let file = opened.map_err(PackError::file("open", &path))?;
        match file.lock() {
            // Some file systems know no locks.
            Err(error) if error.kind() != io::ErrorKind::Unsupported => {
                Err(PackError::file("lock", path)(error).into())
            }
            _ => Ok(file),
        }
    }

    /// Replaces the list. Needs the lock.
    fn write(&self, list: &List) -> Result<(), StoreError> {
        let (path, part) = (self.list_file(), self.folder.join("packs.toml.part"));
        let written = DiskFile::create(&part)
            .and_then(|mut file| file.write_all(list.render().as_bytes()).map(|()| file))
            .and_then(|file| file.sync_all())
            .and_then(|()| fs::rename(&part, &path))
            .and_then(|()| sync(&self.folder));
        written.map_err(PackError::file("write", path)).map_err(StoreError::from)
    }

    /// Removes versions that the list does not name, and what killed processes left. What does not
    /// look like a version stays: the folder may have been somebody's before. Needs the lock.
    fn sweep(&self, list: &List) {
        let remove = |path: &Path| {
            // It only uses space.
            let _ = fs::remove_dir_all(path);
        };
        remove(&self.folder.join(STAGING));
        let folders = |path: &Path| fs::read_dir(path).into_iter().flatten().flatten();
        for pack in folders(&self.folder) {
            let name = pack.file_name();
            let Some(id) = name.to_str().filter(|name| is_id(name)) else { continue };
            let entry = list.packs.get(id);
            let is_named = |folder: &str| {
                entry.is_some_and(|entry| {
                    entry.folder == folder || entry.earlier.as_deref() == Some(folder)
                })
            };
            for version in folders(&pack.path()) {
                let name = version.file_name();
                let is_old = |name: &str| is_version_folder(name) && !is_named(name);
                if name.to_str().is_some_and(is_old) {
                    remove(&version.path());
                }
            }
            if entry.is_none() {
                // Unless there is something else in it.
                let _ = fs::remove_dir(pack.path());
            }
        }
    }
}

/// Reads a manifest in the folder of an installed pack, and checks its signature.
fn manifest_in(folder: &Path) -> Result<Manifest, StoreError> {
    let read = |name: &str| {
        let path = folder.join(name);
        fs::read(&path).map_err(PackError::file("read", path))
    };
    let text = read(MANIFEST)?;
    let manifest = Manifest::parse(&text).map_err(PackError::from)?;
    let signature = match &manifest.publisher {
        Some(_) => Some(String::from_utf8_lossy(&read(SIGNATURE)?).into_owned()),
        None => None,
    };
    sign::verify(&manifest, &text, signature.as_deref()).map_err(PackError::from)?;
    Ok(manifest)
}

/// Waits until the names in a folder are on the disk.
fn sync(folder: &Path) -> io::Result<()> {
    DiskFile::open(folder)?.sync_all()
}
