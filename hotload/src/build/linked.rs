//! The libraries that modules are compiled against, by content: another build of a library may have
//! the same name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::recipe::hash_of;
use super::stamp::Stamp;

/// The crate that modules and host share. Each process has one build of it, which modules have to
/// fit.
pub const API_CRATE: &str = "playground_api";

/// Files with the hashes of their content, as they were last read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkedFiles(BTreeMap<PathBuf, LinkedFile>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct LinkedFile {
    stamp: Option<Stamp>,
    /// `None` for a file that cannot be read, which rustc reports.
    hash: Option<String>,
}

impl LinkedFiles {
    /// Reads these files, except those that are unchanged since `self` was read.
    pub fn read<'a>(&self, files: impl Iterator<Item = &'a Path>) -> Self {
        let read = |path: &Path| {
            // The stamp first: a write after it shows.
            let stamp = Stamp::of_built(path);
            let known = self.0.get(path).filter(|known| stamp.is_some() && known.stamp == stamp);
            let file = known.cloned().unwrap_or_else(|| {
                let hash = hash_of(path);
                LinkedFile { stamp, hash }
            });
            (path.to_owned(), file)
        };
        Self(files.map(read).collect())
    }

    /// True if no file was written since then.
    pub fn are_unchanged(&self) -> bool {
        self.0.iter().all(|(path, file)| Stamp::of_built(path) == file.stamp)
    }

    /// The hash of a file's content.
    pub fn hash_of(&self, file: &Path) -> Option<&str> {
        self.0.get(file)?.hash.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::test_folder::TestFolder;

    #[test]
    fn a_library_of_the_same_name_is_another_one() {
        let folder = TestFolder::new("linked");
        let file = folder.join("libglam-0a.rlib");
        fs::write(&file, "1").unwrap();
        let read = |before: &LinkedFiles| before.read([file.as_path()].into_iter());
        let first = read(&LinkedFiles::default());
        assert!(first.are_unchanged());
        assert_eq!(read(&first), first);
        fs::write(&file, "2").unwrap();
        assert!(!first.are_unchanged());
        let second = read(&first);
        assert_ne!(second.hash_of(&file), first.hash_of(&file));
        fs::remove_file(&file).unwrap();
        assert!(!second.are_unchanged());
        assert_eq!(read(&second).hash_of(&file), None);
    }
}
