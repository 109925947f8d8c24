//! rustc's incremental caches: one folder per identity of a crate, and rustc removes none but those
//! of the same identity. Each edit that changes a module's epoch would leave tens of megabytes.
//!
//! A cache can outlive a killed compilation in a state that rustc does not notice. With optimization,
//! the code of one unit is inlined into others, and a file of keys says what each was made from.
//! rustc (1.95) takes that file over from the session before by a hard link, and overwrites it in
//! place: if it is killed after that, the new keys stay with the old session's objects. The next
//! compilation then takes objects for up to date that are not: linking fails, and goes on failing.
//! Without the file, all units are optimized once more.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The keys of what was inlined into each unit.
const KEYS: &str = "thin-lto-past-keys.bin";

/// A compilation that may write to a module's caches.
pub(super) struct Session {
    /// Exists until it is known that the caches are whole.
    unfinished: PathBuf,
}

impl Session {
    /// Begins a compilation that uses `caches`, and repairs them where the one before was killed.
    pub fn begin(caches: &Path) -> Self {
        let unfinished = caches.with_extension("unfinished");
        // Without the mark, a later compilation would not know.
        if unfinished.exists() || File::create(&unfinished).is_err() {
            forget_keys(caches);
        }
        Self { unfinished }
    }

    /// rustc has ended by itself, or has written none of the file.
    pub fn end(self) {
        let _ = fs::remove_file(self.unfinished);
    }
}

fn forget_keys(caches: &Path) {
    for session in entries(caches).flat_map(|cache| entries(&cache)) {
        let _ = fs::remove_file(session.join(KEYS));
    }
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

/// The one that was just used, and the one before it, for an edit that is taken back.
const KEPT: usize = 2;

/// Removes all caches of a module but those used last. Call this when no rustc uses them.
pub(super) fn remove_old(folder: &Path) {
    let mut caches: Vec<_> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| {
            // rustc makes a folder in it for each compilation.
            let used = entry.metadata().and_then(|data| data.modified());
            (used.unwrap_or(SystemTime::UNIX_EPOCH), entry.path())
        })
        .collect();
    caches.sort();
    for (_, path) in caches.iter().rev().skip(KEPT) {
        // What stays is removed after the next compilation.
        let _ = fs::remove_dir_all(path);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::test_folder::TestFolder;

    #[test]
    fn the_caches_used_last_stay() {
        let folder = TestFolder::new("caches");
        remove_old(&folder.join("none"));
        // Names sort otherwise than times.
        for (name, seconds) in [("walk-c", 1), ("walk-a", 4), ("walk-d", 2), ("walk-b", 3)] {
            let cache = folder.join(name);
            fs::create_dir_all(cache.join("s-session")).unwrap();
            fs::write(cache.join("s-session/query-cache.bin"), "x").unwrap();
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            File::open(&cache).unwrap().set_modified(time).unwrap();
        }
        remove_old(&folder);
        let left = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name());
        let mut left: Vec<_> = left.collect();
        left.sort();
        assert_eq!(left, ["walk-a", "walk-b"]);
    }

    #[test]
    fn keys_are_forgotten_after_a_compilation_that_did_not_end() {
        let folder = TestFolder::new("sessions");
        let caches = folder.join("incremental");
        let session = caches.join("walk-a/s-session");
        let keys = session.join(KEYS);
        let objects = session.join("unit.o");
        fs::create_dir_all(&session).unwrap();
        fs::write(&objects, "x").unwrap();
        let compile = |ends: bool| {
            let session = Session::begin(&caches);
            let had_keys = keys.exists();
            fs::write(&keys, "x").unwrap();
            if ends {
                session.end();
            }
            had_keys
        };
        assert!(!compile(true));
        assert!(compile(true));
        assert!(compile(false));
        assert!(!compile(false), "the one before was killed");
        assert!(!compile(true), "the one before was killed");
        assert!(compile(true));
        assert!(objects.exists());
    }
}
