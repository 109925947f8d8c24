//! Whether a file was written since it was last looked at.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

/// Identity, size and time of change of a file: every write changes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    device: u64,
    inode: u64,
    size_bytes: u64,
    changed: (i64, i64),
}

impl Stamp {
    /// The current stamp of a file; `None` if there is none.
    pub fn of(path: &Path) -> Option<Self> {
        Self::read(path, |data| (data.ctime(), data.ctime_nsec()))
    }

    /// The stamp of a file that cargo made. cargo makes hard links to these, which counts as a change
    /// of the file's metadata.
    pub fn of_built(path: &Path) -> Option<Self> {
        Self::read(path, |data| (data.mtime(), data.mtime_nsec()))
    }

    fn read(path: &Path, changed: impl FnOnce(&fs::Metadata) -> (i64, i64)) -> Option<Self> {
        let data = fs::metadata(path).ok()?;
        Some(Self {
            device: data.dev(),
            inode: data.ino(),
            size_bytes: data.size(),
            changed: changed(&data),
        })
    }

    /// True if the file was certainly not written after `time`.
    pub fn is_older_than(&self, time: SystemTime) -> bool {
        /// The system's clock of files is coarser than that of processes.
        const GRAIN: Duration = Duration::from_millis(20);
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let (seconds, nanos) = self.changed;
        let changed = Duration::new(seconds.max(0) as u64, nanos.clamp(0, 999_999_999) as u32);
        changed + GRAIN < since
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_folder::TestFolder;

    #[test]
    fn a_file_counts_as_old_only_if_it_surely_is() {
        let folder = TestFolder::new("stamp");
        let path = folder.join("file");
        fs::write(&path, "").unwrap();
        let stamp = Stamp::of(&path).unwrap();
        let now = SystemTime::now();
        assert!(!stamp.is_older_than(now));
        assert!(stamp.is_older_than(now + Duration::from_secs(1)));
        fs::remove_file(&path).unwrap();
        assert_eq!(Stamp::of(&path), None);
    }
}
