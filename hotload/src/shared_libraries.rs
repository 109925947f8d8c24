//! The shared libraries that the game runs with. Those that cargo built lie in cargo's folder, and
//! somebody else may have built them anew there: what is compiled against another build does not fit
//! the game, and a process that is started with it is not the same program.
//!
//! cargo gives the library of the API a name without a hash: `cargo test -p systems_x` replaces it by
//! one without the feature `hot`. Modules and probes therefore use the one in a folder of the game's
//! own. For all others, whose name says how they were built, it is only noticed if they change.

mod own_folder;

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use crate::build::{Stamp, hash_of};
use crate::inspect::{HostError, HostFacts, needed_libraries};
use crate::pipeline::lock;
use crate::refusal::Refusal;
use own_folder::OwnFolder;

/// The libraries, as soon as they are known.
pub type KnownLibraries = Arc<OnceLock<Result<Arc<SharedLibraries>, Refusal>>>;

/// The library of the API, as cargo names it.
pub const API_LIBRARY: &str = "libplayground_api.so";

/// The libraries as this process has mapped them.
#[derive(Debug)]
pub struct SharedLibraries {
    libraries: Vec<Mapped>,
    /// Files that were compared with a mapped one, and whether they are the same.
    compared: Mutex<HashMap<PathBuf, (Stamp, bool)>>,
    /// `None` where there can be none.
    own: OnceLock<Option<OwnFolder>>,
    api_hash: OnceLock<Option<String>>,
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
        Self {
            libraries: paths.map(mapped).collect(),
            compared: Mutex::default(),
            own: OnceLock::new(),
            api_hash: OnceLock::new(),
        }
    }

    /// Links the libraries that cargo built into a folder below `built`, the first time. If that is
    /// not possible, those in cargo's folder are used.
    pub fn keep(&self, built: &Path) {
        self.own.get_or_init(|| {
            let folder = OwnFolder::create(&built.join("shared")).ok()?;
            for library in self.libraries.iter().filter(|library| self.is_cargos(library)) {
                let link = folder.link(&library.path);
                // The others are large, and not replaced under their names.
                let link = match library.path.ends_with(API_LIBRARY) {
                    true => link.or_else(|_| folder.copy(&library.path)).ok(),
                    false => link.ok(),
                };
                // Replaced in this moment, it is not the one that is mapped.
                if !library.is_untouched()
                    && let Some(link) = link
                {
                    let _ = std::fs::remove_file(link);
                }
            }
            Some(folder)
        });
    }

    /// The folder with the libraries that cargo built, as they were when the game started.
    pub fn folder(&self) -> Option<&Path> {
        Some(&self.own.get()?.as_ref()?.path)
    }

    /// The library of the API in that folder.
    pub fn api(&self) -> Option<PathBuf> {
        self.folder().map(|folder| folder.join(API_LIBRARY)).filter(|file| file.exists())
    }

    /// Hash of the library of the API; `None` if it is linked statically or can no longer be read.
    pub fn api_hash(&self) -> Option<&str> {
        let hash = || hash_of(&self.original(self.api_library()?)?);
        self.api_hash.get_or_init(hash).as_deref()
    }

    /// True if modules can be compiled although `file` lies in the place of the API's library: it is
    /// that of a build without the feature `hot`, next to which all others are as they were.
    pub fn can_do_without(&self, file: &Path) -> bool {
        let is_without_hot = || {
            let needed = needed_libraries(file);
            needed.is_some_and(|names| !names.iter().any(|name| name.starts_with("libbevy_dylib")))
        };
        self.api().is_some() && is_without_hot()
    }

    fn api_library(&self) -> Option<&Mapped> {
        self.libraries.iter().find(|library| library.path.ends_with(API_LIBRARY))
    }

    /// True for a library in the folders into which cargo puts that of the API.
    fn is_cargos(&self, library: &Mapped) -> bool {
        let folder = |library: &Mapped| {
            let folder = library.path.parent()?;
            Some(if folder.ends_with("deps") { folder.parent()? } else { folder }.to_owned())
        };
        self.api_library().is_some_and(|api| folder(api) == folder(library))
    }

    /// A file that has the content of what is mapped.
    fn original(&self, library: &Mapped) -> Option<PathBuf> {
        let own = self.folder().map(|folder| folder.join(library.name()));
        let own = own.filter(|file| self.is_cargos(library) && file.exists());
        own.or_else(|| library.is_untouched().then(|| library.path.clone()))
    }

    /// Checks that the files of these libraries, and those of the same names in `folders`, are still
    /// what the process has mapped. Files are read only where they were written since.
    ///
    /// # Errors
    ///
    /// The first file that is another one.
    pub fn check(&self, folders: &BTreeSet<&Path>) -> Result<(), HostError> {
        let replaceable = self.api().and(self.api_library()).map(|library| &library.path);
        let libraries = self.libraries.iter().filter(|it| Some(&it.path) != replaceable);
        for library in libraries {
            let beside = folders.iter().map(|folder| folder.join(library.name()));
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
        let (Some(stamp), Some(original)) = (stamp, self.original(library)) else { return false };
        let known = lock(&self.compared).get(file).copied();
        if let Some((_, same)) = known.filter(|(known, _)| *known == stamp) {
            return same;
        }
        let same = have_same_content(file, &original).unwrap_or(false);
        lock(&self.compared).insert(file.to_owned(), (stamp, same));
        same
    }
}

impl Mapped {
    fn name(&self) -> &OsStr {
        self.path.file_name().unwrap_or_default()
    }

    fn is_untouched(&self) -> bool {
        self.stamp.is_some() && Stamp::of_built(&self.path) == self.stamp
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
    fn what_cargo_built_is_kept_when_it_builds_something_else() {
        let folder = TestFolder::new("kept-libraries");
        let deps = folder.join("debug/deps");
        fs::create_dir_all(&deps).unwrap();
        let api = folder.join("debug").join(API_LIBRARY);
        let (bevy, system) = (deps.join("libbevy_dylib-0a.so"), folder.join("libc.so"));
        for file in [&api, &bevy, &system] {
            replace(file, "one", 1);
        }
        let paths = [api.clone(), bevy.clone(), system.clone()];
        let libraries = SharedLibraries::at(paths.clone().into_iter());
        let hash = libraries.api_hash().unwrap().to_owned();
        let libraries = SharedLibraries::at(paths.into_iter());
        libraries.keep(&folder.join("built"));
        let own = libraries.folder().unwrap().to_owned();
        let mut kept: Vec<_> =
            fs::read_dir(&own).unwrap().map(|it| it.unwrap().file_name()).collect();
        kept.sort();
        assert_eq!(kept, ["libbevy_dylib-0a.so", API_LIBRARY, "lock"]);

        let check = || libraries.check(&[deps.as_path()].into());
        replace(&api, "without hot", 2);
        check().unwrap();
        assert_eq!(libraries.api_hash(), Some(&*hash));
        assert_eq!(fs::read_to_string(libraries.api().unwrap()).unwrap(), "one");
        assert!(!libraries.can_do_without(&api), "it is no library");
        // Built anew, from the same sources and from others.
        replace(&bevy, "one", 3);
        check().unwrap();
        replace(&bevy, "two", 4);
        check().unwrap_err();
    }

    #[test]
    fn those_of_this_process_are_as_they_were() {
        let facts = HostFacts::of_this_process("abi").unwrap();
        let libraries = SharedLibraries::of(&facts);
        assert!(libraries.libraries.iter().any(|it| it.path.to_string_lossy().contains("libc")));
        libraries.check(&BTreeSet::new()).unwrap();
        let libc = libraries.libraries.iter().find(|it| it.path.to_string_lossy().contains("libc"));
        assert_eq!(needed_libraries(&libc.unwrap().path).unwrap(), ["ld-linux-x86-64.so.2"]);
    }
}
