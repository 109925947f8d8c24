//! A folder of this game's with links to its libraries, so that they stay when cargo writes others
//! of the same names.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// Removed when it is dropped, or when another game starts after this process was killed.
#[derive(Debug)]
pub struct OwnFolder {
    pub path: PathBuf,
    /// Locked as long as the folder is in use.
    _in_use: File,
}

impl OwnFolder {
    /// An empty folder below `shared`, where those of games that no longer run are removed.
    ///
    /// # Errors
    ///
    /// If it cannot be made.
    pub fn create(shared: &Path) -> io::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        fs::create_dir_all(shared)?;
        // Until this folder is locked, so that no other game takes it for one that is left.
        let all = File::create(shared.join("lock"))?;
        all.lock()?;
        sweep(shared);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = shared.join(format!("{}-{number}", std::process::id()));
        fs::create_dir_all(&path)?;
        let in_use = File::create(path.join("lock"))?;
        in_use.lock()?;
        Ok(Self { path, _in_use: in_use })
    }

    /// Links a file, which costs no space.
    ///
    /// # Errors
    ///
    /// If the folder is in another file system, or in one without such links.
    pub fn link(&self, file: &Path) -> io::Result<PathBuf> {
        let link = self.path.join(file.file_name().unwrap_or_default());
        fs::hard_link(file, &link)?;
        Ok(link)
    }

    /// Copies a file.
    ///
    /// # Errors
    ///
    /// If it cannot be read or written as a whole.
    pub fn copy(&self, file: &Path) -> io::Result<PathBuf> {
        let copy = self.path.join(file.file_name().unwrap_or_default());
        if let Err(error) = fs::copy(file, &copy) {
            let _ = fs::remove_file(&copy);
            return Err(error);
        }
        Ok(copy)
    }
}

impl Drop for OwnFolder {
    fn drop(&mut self) {
        // What is left, the next game removes.
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn sweep(shared: &Path) {
    let entries = fs::read_dir(shared).into_iter().flatten().flatten();
    for folder in entries.map(|entry| entry.path()).filter(|path| path.is_dir()) {
        let in_use = File::open(folder.join("lock")).is_ok_and(|file| file.try_lock().is_err());
        if !in_use {
            let _ = fs::remove_dir_all(&folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_folder::TestFolder;

    #[test]
    fn the_folders_of_games_that_ended_are_removed() {
        let folder = TestFolder::new("own-folder");
        let library = folder.join("libthing.so");
        fs::write(&library, "one").unwrap();
        let left = folder.join("shared/1-0");
        fs::create_dir_all(&left).unwrap();
        fs::write(left.join("lock"), "").unwrap();
        let first = OwnFolder::create(&folder.join("shared")).unwrap();
        assert!(!left.exists());
        let link = first.link(&library).unwrap();
        let second = OwnFolder::create(&folder.join("shared")).unwrap();
        fs::remove_file(&library).unwrap();
        assert_eq!(fs::read_to_string(&link).unwrap(), "one");
        let copy = second.copy(&link).unwrap();
        assert_eq!(fs::read_to_string(&copy).unwrap(), "one");
        second.copy(&folder.join("none.so")).unwrap_err();
        assert!(!second.path.join("none.so").exists());
        drop(first);
        assert!(!link.exists() && copy.exists());
    }
}
