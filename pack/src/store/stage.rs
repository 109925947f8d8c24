//! Takes in a pack: unpacked and checked in a staging folder, and moved into place at the end.

use std::fs::{self, DirBuilder, File as DiskFile};
use std::io::{BufRead, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::{Entry, Installed, List, STAGING, Store, StoreError, sync};
use crate::archive::{Reader, SIGNATURE};
use crate::error::PackError;
use crate::manifest::{Hash, MANIFEST, Manifest};

/// The digits of a manifest's hash in the name of its folder.
const HASH_DIGITS: usize = 16;

/// The player's permissions for one pack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    /// Trust its publisher from now on.
    pub trust: bool,
    /// Take unsigned packs, and other content under the same version.
    pub developer: bool,
    /// Take a version that is older than the installed one.
    pub downgrade: bool,
}

/// A pack that was unpacked and not installed yet. Dropped, it is removed.
#[derive(Debug)]
pub struct Staged {
    store: Store,
    /// Held until the pack is installed.
    _lock: DiskFile,
    list: List,
    manifest: Manifest,
    text: String,
    folder: PathBuf,
}

impl Store {
    /// Checks whether a pack may be installed, and unpacks it beside the installed packs.
    ///
    /// # Errors
    ///
    /// If the pack is refused, or the player has not allowed what it needs. Nothing is installed
    /// then.
    pub fn stage<R: BufRead>(
        &self,
        reader: Reader<R>,
        permissions: Permissions,
    ) -> Result<Staged, StoreError> {
        let _lock = self.lock()?;
        let mut list = self.list()?;
        self.sweep(&list);
        admit(reader.manifest(), reader.text(), &mut list, permissions, self)?;
        let staging = self.folder.join(STAGING);
        let made = DirBuilder::new().mode(0o700).create(&staging);
        made.map_err(PackError::file("create", &staging))?;
        let (text, signature) = (reader.text().to_owned(), reader.signature().map(str::to_owned));
        let manifest = reader.manifest().clone();
        let folder = staging.join(&manifest.id);
        let staged = Staged { store: self.clone(), _lock, list, manifest, text, folder };
        reader.unpack(&staged.folder)?;
        staged.add(MANIFEST, &staged.text)?;
        if let Some(signature) = &signature {
            staged.add(SIGNATURE, signature)?;
        }
        Ok(staged)
    }
}

/// Decides whether a pack may be installed.
fn admit(
    manifest: &Manifest,
    text: &str,
    list: &mut List,
    permissions: Permissions,
    store: &Store,
) -> Result<(), StoreError> {
    let Manifest { id, version, publisher, .. } = manifest;
    let (id, version) = (id.clone(), version.clone());
    match publisher {
        None if !permissions.developer => return Err(StoreError::Unsigned { id, version }),
        None => {}
        Some(publisher) if list.has_revoked(publisher) => {
            let (key, name) = (publisher.key_id().unwrap_or_default(), publisher.name.clone());
            return Err(StoreError::Revoked { id, key, name });
        }
        Some(publisher) if list.trusts(publisher) => {}
        Some(publisher) if permissions.trust => list.trust(publisher),
        Some(_) => {
            return Err(StoreError::UnknownPublisher { manifest: Box::new(manifest.clone()) });
        }
    }
    let Some(entry) = list.packs.get(&id) else { return Ok(()) };
    // One that was damaged can be replaced.
    let installed = store.read(&id, entry).ok().and_then(|installed| installed.manifest.publisher);
    if let Some(installed) = installed
        && publisher.as_ref().is_none_or(|own| own.key != installed.key)
    {
        let found = publisher.as_ref().and_then(|own| own.key_id());
        return Err(StoreError::OtherPublisher {
            id,
            version,
            installed: installed.key_id().unwrap_or_default(),
            found: match found {
                Some(key) => format!("signed with the key {key}"),
                None => "not signed".to_owned(),
            },
        });
    }
    if version < entry.version && !permissions.downgrade {
        return Err(StoreError::Downgrade { id, installed: entry.version.clone(), found: version });
    }
    let is_other = entry.folder != folder_name(manifest, text);
    if version == entry.version && is_other && !permissions.developer {
        return Err(StoreError::SameVersion { id, version });
    }
    Ok(())
}

/// The folder of a version. The manifest has the hashes of all files.
fn folder_name(manifest: &Manifest, text: &str) -> String {
    let hash = Hash::of(text.as_bytes()).to_string();
    // Build metadata may have any length.
    let version: String = manifest.version.to_string().chars().take(40).collect();
    format!("{version}-{}", &hash[..HASH_DIGITS])
}

/// True for a name that [`folder_name`] may have made.
pub(super) fn is_version_folder(name: &str) -> bool {
    let Some((version, hash)) = name.rsplit_once('-') else { return false };
    let is_hash = hash.len() == HASH_DIGITS && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash && version.starts_with(|c: char| c.is_ascii_digit())
}

impl Staged {
    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The folder with the files.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The installed packs, without this one.
    pub fn list(&self) -> &List {
        &self.list
    }

    /// Installs it. A version that runs is kept, to go back to.
    ///
    /// # Errors
    ///
    /// If a file cannot be written; what was installed before still is.
    pub fn install(mut self) -> Result<Installed, StoreError> {
        let id = self.manifest.id.clone();
        let name = folder_name(&self.manifest, &self.text);
        let place = self.store.place(&id, &name);
        let version = self.manifest.version.clone();
        let entry = Entry { version, folder: name, is_on: true, earlier: None, problem: None };
        // The list may name it, and the game run it: what is whole is not touched.
        if self.store.verify(&id, &entry).is_err() {
            self.put(&id, &place)?;
        }
        let before = self.list.packs.remove(&id);
        let earlier = match before {
            Some(before) if before.folder == entry.folder => before.earlier,
            // One that could not run is nothing to go back to.
            Some(before) if before.is_on => Some(before.folder),
            Some(before) => before.earlier,
            None => None,
        };
        self.list.packs.insert(id, Entry { earlier, ..entry });
        self.store.write(&self.list)?;
        self.store.sweep(&self.list);
        Ok(Installed { manifest: self.manifest.clone(), folder: place })
    }

    /// Moves the files into place. Damaged ones that are there go.
    fn put(&self, id: &str, place: &Path) -> Result<(), PackError> {
        let parent = self.store.folder.join(id);
        if place.exists() {
            let aside = self.store.folder.join(STAGING).join("damaged");
            fs::rename(place, aside).map_err(PackError::file("replace", place))?;
        }
        sync(&self.folder)
            .and_then(|()| DirBuilder::new().recursive(true).mode(0o755).create(&parent))
            .and_then(|()| fs::rename(&self.folder, place))
            .and_then(|()| sync(&parent))
            .and_then(|()| sync(&self.store.folder))
            .map_err(PackError::file("write", place))
    }

    /// Adds a file that is not in the manifest.
    fn add(&self, name: &str, text: &str) -> Result<(), PackError> {
        let path = self.folder.join(name);
        let written = DiskFile::create_new(&path)
            .and_then(|mut file| file.write_all(text.as_bytes()).map(|()| file))
            .and_then(|file| file.sync_all());
        written.map_err(PackError::file("write", path))
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // What is left is swept by the next change.
        let _ = fs::remove_dir_all(self.store.folder.join(STAGING));
    }
}
