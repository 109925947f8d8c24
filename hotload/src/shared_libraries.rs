//! The shared libraries that the game runs with. rustc reads those that cargo built from cargo's
//! folder, and somebody else may have built them anew there: what is compiled against another build
//! does not fit the game.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::build::Stamp;
use crate::inspect::{HostError, HostFacts};
use crate::pipeline::lock;

/// The libraries as this process has mapped them.
#[derive(Debug)]
pub struct SharedLibraries {
    libraries: Vec<Mapped>,
    /// Files that were compared with a mapped one, and whether they are the same.
    compared: Mutex<HashMap<PathBuf, (Stamp, bool)>>,
}

#[derive(Debug)]
struct Mapped {
    path: PathBuf,
    /// `None` for a file that is gone.
    stamp: Option<Stamp>,
}

impl SharedLibraries {
    /// The libraries that the process was started with, without the executable: nothing is compiled
    /// against that.
    pub fn of(facts: &HostFacts) -> Self {
        Self::at(facts.libraries().iter().skip(1).map(|library| library.path.clone()))
    }

    fn at(paths: impl Iterator<Item = PathBuf>) -> Self {
        let mapped = |path: PathBuf| Mapped { stamp: Stamp::of_built(&path), path };
        Self { libraries: paths.map(mapped).collect(), compared: Mutex::default() }
    }

    /// Checks that the files of these libraries, and those of the same names in `folders`, are still
    /// what the process has mapped. Files are read only where they were written since.
    ///
    /// # Errors
    ///
    /// The first file that is another one.
    pub fn check(&self, folders: &BTreeSet<&Path>) -> Result<(), HostError> {
        for library in &self.libraries {
            let name = library.path.file_name().unwrap_or_default();
            let beside = folders.iter().map(|folder| folder.join(name));
            let files = beside.filter(|file| file.exists()).chain([library.path.clone()]);
            for file in files {
                if !self.is_mapped(library, &file) {
                    return Err(HostError::Replaced { file });
                }
            }
        }
        Ok(())
    }

    fn is_mapped(&self, library: &Mapped, file: &Path) -> bool {
        let stamp = Stamp::of_built(file);
        if stamp == library.stamp {
            return stamp.is_some();
        }
        // Only an untouched file tells what is mapped.
        let (Some(stamp), true) = (stamp, Stamp::of_built(&library.path) == library.stamp) else {
            return false;
        };
        let known = lock(&self.compared).get(file).copied();
        if let Some((_, same)) = known.filter(|(known, _)| *known == stamp) {
            return same;
        }
        let same = have_same_content(file, &library.path).unwrap_or(false);
        lock(&self.compared).insert(file.to_owned(), (stamp, same));
        same
    }
}

fn have_same_content(one: &Path, other: &Path) -> io::Result<bool> {
    const CHUNK_BYTES: u64 = 1 << 20;
    let (mut one, mut other) = (File::open(one)?, File::open(other)?);
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let (mut left, mut right) = (Vec::new(), Vec::new());
    loop {
        left.clear();
        right.clear();
        one.by_ref().take(CHUNK_BYTES).read_to_end(&mut left)?;
        other.by_ref().take(CHUNK_BYTES).read_to_end(&mut right)?;
        if left != right {
            return Ok(false);
        }
        if left.is_empty() {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::iter;
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::explain::Explain;
    use crate::test_folder::TestFolder;

    /// Replaces a file by one that was written so many seconds after an arbitrary moment.
    fn replace(file: &Path, text: &str, at_s: u64) {
        let _ = fs::remove_file(file);
        fs::write(file, text).unwrap();
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(at_s);
        File::options().write(true).open(file).unwrap().set_modified(at).unwrap();
    }

    #[test]
    fn a_library_is_the_mapped_one_by_its_content() {
        let folder = TestFolder::new("shared-libraries");
        let (mapped, built) = (folder.join("libthing.so"), folder.join("deps"));
        fs::create_dir(&built).unwrap();
        replace(&mapped, "one", 1);
        let file = built.join("libthing.so");
        let libraries = SharedLibraries::at(iter::once(mapped.clone()));
        let check = || libraries.check(&[built.as_path()].into());
        check().unwrap();
        fs::hard_link(&mapped, &file).unwrap();
        check().unwrap();
        // Built anew, from the same sources.
        replace(&file, "one", 2);
        check().unwrap();
        for (other, at_s) in [("two", 3), ("longer", 4)] {
            replace(&file, other, at_s);
            let error = check().unwrap_err();
            assert_eq!(error.explain().code(), "H0242");
            assert!(error.to_string().contains("deps/libthing.so"), "{error}");
        }
        fs::remove_file(&file).unwrap();
        check().unwrap();
        // What is mapped can no longer be read.
        replace(&mapped, "one", 5);
        check().unwrap_err();
        fs::remove_file(&mapped).unwrap();
        check().unwrap_err();
    }

    #[test]
    fn those_of_this_process_are_as_they_were() {
        let facts = HostFacts::of_this_process("abi").unwrap();
        let libraries = SharedLibraries::of(&facts);
        assert!(libraries.libraries.iter().any(|it| it.path.to_string_lossy().contains("libc")));
        libraries.check(&BTreeSet::new()).unwrap();
    }
}
