//! rustc's incremental caches: one folder per identity of a crate, and rustc removes none but those
//! of the same identity. Each edit that changes a module's epoch would leave tens of megabytes.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

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
    use std::fs::File;
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
}
