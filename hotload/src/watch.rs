//! Reports that something in the watched folders was written. Readers compare contents to find actual
//! changes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use thiserror::Error;

use crate::explain::{Explain, Explanation};
use crate::pipeline::lock;

/// Watches a set of folders until it is dropped. The set may change at any time: no event of a folder
/// that stays in it is lost.
pub struct Watch {
    watcher: RecommendedWatcher,
    folders: BTreeMap<PathBuf, Watched>,
    moves: Arc<Mutex<Moves>>,
}

/// Moves that the watcher's thread saw since the folders were last set.
#[derive(Default)]
struct Moves {
    /// The watched folders.
    folders: BTreeSet<PathBuf>,
    /// Events were lost: new folders may not be watched.
    lost: bool,
    /// Those of the watched folders that were created, moved or removed.
    moved: BTreeSet<PathBuf>,
    /// New symbolic links to folders. The watcher follows only those that it finds at its start.
    links: BTreeSet<PathBuf>,
}

impl Moves {
    fn see(&mut self, event: &notify::Result<notify::Event>) {
        match event {
            Ok(event) if event.need_rescan() => self.lost = true,
            Ok(event) if is_move(event.kind) => event.paths.iter().for_each(|path| self.add(path)),
            Ok(_) => {}
            Err(_) => self.lost = true,
        }
    }

    fn add(&mut self, path: &Path) {
        if self.folders.contains(path) {
            self.moved.insert(path.to_owned());
        } else if path.is_symlink() && path.is_dir() {
            self.links.insert(path.to_owned());
        }
    }
}

/// A folder as it was when it was watched. Another one may be at its path since.
#[derive(PartialEq, Eq)]
struct Watched {
    mode: RecursiveMode,
    identity: Identity,
}

/// The device and inode of a folder.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Identity(u64, u64);

impl Identity {
    /// `None` if there is no folder.
    fn of(path: &Path) -> Option<Self> {
        let data = fs::metadata(path).ok().filter(fs::Metadata::is_dir)?;
        Some(Self(data.dev(), data.ino()))
    }
}

/// Why a folder cannot be watched.
#[derive(Debug, Error)]
#[error("{}", self.explain())]
pub struct WatchError {
    folder: PathBuf,
    source: notify::Error,
}

impl Explain for WatchError {
    fn explain(&self) -> Explanation {
        let Self { folder, source } = self;
        Explanation::new("H0107", format!("{} cannot be watched: {source}", folder.display()))
            .remedy(
                "Edits are not seen; `reload <id>` still works. If the system's limit is reached, \
                 raise fs.inotify.max_user_watches",
            )
    }
}

/// A change that the watcher reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileChange {
    /// This path was written, created, moved or removed.
    Changed(PathBuf),
    /// Changes were missed: anything may have changed.
    Lost {
        /// The error; `None` if only the system's event queue overflowed.
        error: Option<String>,
    },
}

/// The result of [`Watch::set`].
#[derive(Debug, Default)]
pub struct SetFolders {
    /// True if a folder is watched that was not watched before. Changes in it may have been missed.
    pub has_new: bool,
    /// The folders that cannot be watched.
    pub errors: Vec<WatchError>,
}

impl Watch {
    /// Watches nothing yet. Calls `changed` from a thread of its own with each change.
    ///
    /// # Errors
    ///
    /// If the system has no watcher left.
    pub fn start(mut changed: impl FnMut(FileChange) + Send + 'static) -> Result<Self, WatchError> {
        let moves: Arc<Mutex<Moves>> = Arc::default();
        let seen = moves.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            lock(&seen).see(&event);
            changes(event).into_iter().for_each(&mut changed);
        });
        let watcher =
            watcher.map_err(|source| WatchError { folder: PathBuf::from("."), source })?;
        Ok(Self { watcher, folders: BTreeMap::new(), moves })
    }

    /// Watches these folders, and no others. Of those that are not there, nothing is reported.
    ///
    /// A folder below a recursive one is watched along with that. Of several paths of one folder, the
    /// first one is watched.
    pub fn set<'a>(
        &mut self,
        folders: impl IntoIterator<Item = (&'a Path, RecursiveMode)>,
    ) -> SetFolders {
        self.settle();
        let mut found = BTreeSet::new();
        let mut asked: BTreeMap<&Path, Watched> = BTreeMap::new();
        for (path, mode) in folders {
            if let Some(identity) = Identity::of(path)
                && found.insert(identity)
            {
                asked.insert(path, Watched { mode, identity });
            }
        }
        let recursive = asked.iter().filter(|(_, it)| it.mode == RecursiveMode::Recursive);
        let recursive: Vec<&Path> = recursive.map(|(path, _)| *path).collect();
        let is_covered =
            |path: &Path| recursive.iter().any(|root| path != *root && path.starts_with(root));
        asked.retain(|path, _| !is_covered(path));

        let folders = asked.keys().map(|path| path.to_path_buf()).collect();
        let moves = Moves { folders, ..Moves::default() };
        let Moves { moved, links, lost, .. } = std::mem::replace(&mut *lock(&self.moves), moves);
        let is_current = |path: &Path, watched: &Watched| {
            asked.get(path) == Some(watched) && !moved.contains(path) && !lost
        };
        let (kept, gone): (BTreeMap<_, _>, BTreeMap<_, _>) = std::mem::take(&mut self.folders)
            .into_iter()
            .partition(|(path, watched)| is_current(path, watched));
        self.folders = kept;
        for path in gone.keys() {
            // The watcher may have noticed that it is gone.
            let _ = self.watcher.unwatch(path);
        }
        let mut done = SetFolders::default();
        for (path, watched) in asked {
            if self.folders.contains_key(path) {
                continue;
            }
            match self.watcher.watch(path, watched.mode) {
                Ok(()) => {
                    done.has_new = true;
                    self.folders.insert(path.to_owned(), watched);
                }
                // Removed just now: what is above it reports that.
                Err(error) if matches!(error.kind, notify::ErrorKind::PathNotFound) => {}
                Err(source) => {
                    done.errors.push(WatchError { folder: path.to_owned(), source });
                }
            }
        }
        let is_recursive = |link: &PathBuf| {
            let mut above = link.ancestors().filter_map(|folder| self.folders.get(folder));
            above.any(|watched| watched.mode == RecursiveMode::Recursive)
        };
        for link in links.iter().filter(|link| is_recursive(link)) {
            done.has_new |= self.watcher.watch(link, RecursiveMode::Recursive).is_ok();
        }
        done
    }

    /// Waits until the new folders that were reported below recursive ones are watched: what is read
    /// after that cannot change unseen.
    fn settle(&mut self) {
        // The watcher's thread answers when it is done with what it reported. An error means that the
        // thread has ended, which was reported as one of the watcher.
        let _ = self.watcher.configure(notify::Config::default());
    }
}

/// True for events after which another folder may be at a path, or none.
fn is_move(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::Create(_) | EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_))
    )
}

/// The changes in an event of the system.
fn changes(event: notify::Result<notify::Event>) -> Vec<FileChange> {
    match event {
        // inotify's queue overflowed: an event without paths.
        Ok(event) if event.need_rescan() => vec![FileChange::Lost { error: None }],
        Ok(event) if is_write(event.kind) => {
            event.paths.into_iter().map(FileChange::Changed).collect()
        }
        Ok(_) => Vec::new(),
        Err(error) => {
            let error = format!(
                "the file watcher failed ({error}): all sources are read again, since edits may have \
                 been missed"
            );
            vec![FileChange::Lost { error: Some(error) }]
        }
    }
}

fn is_write(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) => false,
        // Also entries that have become readable.
        _ => true,
    }
}

#[cfg(test)]
mod tests;
