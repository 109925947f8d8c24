//! Tells that something below the watched folders was written. What it was, contents decide.

use std::path::{Path, PathBuf};

use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use thiserror::Error;

/// Watches until it is dropped.
pub struct Watch {
    _watcher: RecommendedWatcher,
}

/// Why a folder cannot be watched.
#[derive(Debug, Error)]
#[error(
    "H0201: {folder} cannot be watched: {source}. Edits are not seen; `reload <id>` still works. \
     Where the system's limit is reached, raise fs.inotify.max_user_watches"
)]
pub struct WatchError {
    folder: PathBuf,
    source: notify::Error,
}

/// Calls `changed` from a thread of its own with each path that was written, made, moved or removed.
///
/// # Errors
///
/// When the system refuses to watch a folder.
pub fn watch(
    folders: &[(&Path, RecursiveMode)],
    mut changed: impl FnMut(PathBuf) + Send + 'static,
) -> Result<Watch, WatchError> {
    let failed = |folder: &Path, source| WatchError { folder: folder.into(), source };
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // A lost event is as good as a change: contents are compared in any case.
        let Ok(event) = event else { return changed(PathBuf::new()) };
        if wrote(event.kind) {
            event.paths.into_iter().for_each(&mut changed);
        }
    })
    .map_err(|source| failed(folders.first().map_or(Path::new("."), |(path, _)| path), source))?;
    for (folder, mode) in folders {
        watcher.watch(folder, *mode).map_err(|source| failed(folder, source))?;
    }
    Ok(Watch { _watcher: watcher })
}

fn wrote(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) => false,
        // Also what can be read now and could not before.
        _ => true,
    }
}
