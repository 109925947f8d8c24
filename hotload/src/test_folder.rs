//! A temporary folder for a unit test.

use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};

/// A new, empty folder, removed when it is dropped.
pub struct TestFolder(PathBuf);

impl TestFolder {
    /// `name` is unique among the tests of this program.
    pub fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("playground-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        // rustc and the watcher name files by their real paths.
        Self(folder.canonicalize().unwrap())
    }
}

impl Deref for TestFolder {
    type Target = PathBuf;

    fn deref(&self) -> &PathBuf {
        &self.0
    }
}

impl AsRef<Path> for TestFolder {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl Drop for TestFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
