//! Reports that something below the watched folders was written. Readers compare contents to find
//! actual changes.

use std::path::{Path, PathBuf};

use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use thiserror::Error;

use crate::explain::{Explain, Explanation};

/// Watches until it is dropped.
pub struct Watch {
    _watcher: RecommendedWatcher,
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

/// Calls `changed` from a thread of its own with each change.
///
/// # Errors
///
/// If the system refuses to watch a folder.
pub fn watch(
    folders: &[(PathBuf, RecursiveMode)],
    mut changed: impl FnMut(FileChange) + Send + 'static,
) -> Result<Watch, WatchError> {
    let failed = |folder: &Path, source| WatchError { folder: folder.into(), source };
    let first = folders.first().map_or(Path::new("."), |(path, _)| path.as_path());
    let watcher = move |event| changes(event).into_iter().for_each(&mut changed);
    let mut watcher =
        notify::recommended_watcher(watcher).map_err(|source| failed(first, source))?;
    for (folder, mode) in folders {
        watcher.watch(folder, *mode).map_err(|source| failed(folder, source))?;
    }
    Ok(Watch { _watcher: watcher })
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
mod tests {
    use notify::event::{Flag, ModifyKind};

    use super::*;

    #[test]
    fn an_overflow_and_an_error_mean_that_changes_were_missed() {
        let overflow = notify::Event::new(EventKind::Other).set_flag(Flag::Rescan);
        assert_eq!(changes(Ok(overflow)), [FileChange::Lost { error: None }]);
        let [FileChange::Lost { error: Some(text) }] =
            &changes(Err(notify::Error::generic("the queue is gone")))[..]
        else {
            panic!("an error of the watcher is reported");
        };
        assert!(text.contains("the queue is gone"), "{text}");
    }

    #[test]
    fn writes_count_and_reads_do_not() {
        let event = |kind| Ok(notify::Event::new(kind).add_path("a.rs".into()));
        let changed = [FileChange::Changed("a.rs".into())];
        assert_eq!(changes(event(EventKind::Modify(ModifyKind::Any))), changed);
        let close = AccessKind::Close(AccessMode::Write);
        assert_eq!(changes(event(EventKind::Access(close))), changed);
        assert_eq!(changes(event(EventKind::Access(AccessKind::Read))), []);
    }
}
