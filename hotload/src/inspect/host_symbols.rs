//! The libraries that the host was started with and their symbols: all that an artifact can link to.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::fs::File;
use std::hash::Hasher;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use object::ReadCache;
use thiserror::Error;

use super::elf::{self, Fault, Image, Machine};
use crate::explain::Explain;
use crate::ids::AbiFingerprint;

/// Why the host's own libraries could not be read.
#[derive(Debug, Error)]
#[error("{}", self.explain())]
pub enum HostError {
    /// A file could not be read.
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A library was replaced on disk after the start.
    Replaced {
        /// The file.
        file: PathBuf,
    },
    /// A file does not have the expected format.
    Malformed {
        /// The file.
        file: PathBuf,
        /// The part that is wrong.
        what: String,
        /// The expected value.
        expected: String,
        /// The actual value.
        found: String,
    },
    /// A library that the executable needs is not among the files in memory.
    Missing {
        /// The file that needs the library.
        file: PathBuf,
        /// The library.
        library: String,
    },
}

/// A library that the host was started with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostLibrary {
    /// The name in dependents: its soname, or the file's name if it has none.
    pub name: String,
    /// Its path.
    pub path: PathBuf,
}

/// The host as an artifact is checked against it: its ABI, its libraries and their symbols.
#[derive(Clone)]
pub struct HostFacts {
    pub(super) abi: AbiFingerprint,
    /// The executable first, then what it needs.
    pub(super) libraries: Vec<HostLibrary>,
    pub(super) machine: Machine,
    names: BTreeSet<String>,
    /// Sorted hashes of the names of all symbols that others can bind to.
    symbols: Vec<u64>,
}

impl HostFacts {
    /// The libraries of the running process: the executable, and those that it needs, directly or
    /// indirectly. Libraries that were opened later are left out: an artifact must not bind to a
    /// module.
    ///
    /// Reads some 30 MB of symbol tables; do it once, in the background.
    ///
    /// # Errors
    ///
    /// When a file cannot be read or was replaced since the start.
    pub fn of_this_process(abi: &str) -> Result<Self, HostError> {
        const MAPS: &str = "/proc/self/maps";
        let maps = std::fs::read_to_string(MAPS)
            .map_err(|source| HostError::Read { file: MAPS.into(), source })?;
        let libraries = mapped_files(&maps);
        let mut by_soname = None;
        Self::of(abi, Path::new("/proc/self/exe"), |name| {
            let by_file = || {
                let file = Path::new(name).file_name();
                libraries.iter().find(|path| path.file_name() == file).cloned()
            };
            let replaced = || {
                let gone = format!("/{name}{DELETED}");
                libraries.iter().find(|path| path.to_string_lossy().ends_with(&gone)).cloned()
            };
            by_file().or_else(replaced).or_else(|| {
                let sonames = by_soname.get_or_insert_with(|| sonames(&libraries));
                sonames.get(name).cloned()
            })
        })
    }

    /// Reads an executable and its libraries; `find` returns the file of a library's name.
    pub(super) fn of(
        abi: &str,
        executable: &Path,
        mut find: impl FnMut(&str) -> Option<PathBuf>,
    ) -> Result<Self, HostError> {
        let mut facts = Self {
            abi: abi.into(),
            libraries: Vec::new(),
            machine: machine(executable)?,
            names: BTreeSet::new(),
            symbols: Vec::new(),
        };
        let mut seen = HashSet::new();
        let mut queue = VecDeque::from([executable.to_owned()]);
        while let Some(path) = queue.pop_front() {
            for name in facts.add(&path)? {
                if facts.names.contains(&name) || name.is_empty() {
                    continue;
                }
                let Some(library) = find(&name) else {
                    return Err(HostError::Missing { file: path, library: name });
                };
                facts.names.insert(name);
                if seen.insert(library.clone()) {
                    queue.push_back(library);
                }
            }
        }
        facts.symbols.sort_unstable();
        facts.symbols.dedup();
        facts.symbols.shrink_to_fit();
        Ok(facts)
    }

    /// Adds the library at `path` and returns the names of those it needs.
    fn add(&mut self, path: &Path) -> Result<Vec<String>, HostError> {
        let cache = ReadCache::new(open(path)?);
        let fault = |fault: Fault| HostError::Malformed {
            file: path.to_owned(),
            what: fault.what,
            expected: fault.expected,
            found: fault.found,
        };
        let image = Image::parse(&cache).map_err(fault)?;
        for symbol in image.symbols().map_err(fault)? {
            if elf::is_offered(symbol) {
                self.symbols.push(hash(image.name_of(symbol).map_err(fault)?));
            }
        }
        let file_name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let name = match image.soname().map_err(fault)? {
            Some(soname) => {
                self.names.insert(soname.to_owned());
                soname.to_owned()
            }
            None => file_name,
        };
        self.libraries.push(HostLibrary { name, path: path.to_owned() });
        let mut needed: Vec<_> =
            image.needed().map_err(fault)?.into_iter().map(str::to_owned).collect();
        if let Some(interpreter) = image.interpreter().map_err(fault)? {
            let name = interpreter.rsplit('/').next().unwrap_or_default();
            needed.push(name.to_owned());
        }
        Ok(needed)
    }

    /// Fingerprint of the API that the host was built with.
    pub fn abi(&self) -> &AbiFingerprint {
        &self.abi
    }

    /// The executable first, then what it needs.
    pub fn libraries(&self) -> &[HostLibrary] {
        &self.libraries
    }

    /// True if an artifact can need a library of this name.
    pub fn has_library(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// True if one of the libraries defines this symbol.
    pub fn has_symbol(&self, name: &[u8]) -> bool {
        self.symbols.binary_search(&hash(name)).is_ok()
    }

    /// The number of symbols.
    pub fn symbol_count(&self) -> usize {
        self.symbols.len()
    }
}

impl std::fmt::Debug for HostFacts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HostFacts")
            .field("abi", &self.abi)
            .field("libraries", &self.libraries)
            .field("symbols", &self.symbols.len())
            .finish_non_exhaustive()
    }
}

fn hash(name: &[u8]) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    hasher.write(name);
    hasher.finish()
}

/// The kernel appends this to the path of a file that is no longer there.
const DELETED: &str = " (deleted)";

fn open(path: &Path) -> Result<File, HostError> {
    if let Some(file) = path.to_str().and_then(|path| path.strip_suffix(DELETED))
        && !path.exists()
    {
        return Err(HostError::Replaced { file: file.into() });
    }
    File::open(path).map_err(|source| HostError::Read { file: path.to_owned(), source })
}

fn machine(executable: &Path) -> Result<Machine, HostError> {
    let mut head = [0; 64];
    open(executable)?
        .read_exact_at(&mut head, 0)
        .map_err(|source| HostError::Read { file: executable.to_owned(), source })?;
    match Machine::of(&head) {
        Some(machine) if machine.readable() => Ok(machine),
        found => Err(HostError::Malformed {
            file: executable.to_owned(),
            what: "kind of executable".into(),
            expected: "a 64-bit ELF file of this machine".into(),
            found: found.map_or("another format".into(), |machine| machine.to_string()),
        }),
    }
}

/// Files with code in them, from the text of `/proc/self/maps`.
fn mapped_files(maps: &str) -> BTreeSet<PathBuf> {
    let files = maps.lines().filter_map(|line| {
        // address perms offset dev inode path
        let (mut fields, mut rest) = (Vec::new(), line);
        for _ in 0..5 {
            let (field, after) = rest.trim_start().split_once(' ')?;
            fields.push(field);
            rest = after;
        }
        let code = fields.get(1).is_some_and(|permissions| permissions.contains('x'));
        let path = rest.trim_start();
        (code && path.starts_with('/')).then(|| PathBuf::from(path.replace("\\012", "\n")))
    });
    files.collect()
}

/// The names of the libraries that a library needs; `None` if the file is no library.
pub fn needed_libraries(library: &Path) -> Option<Vec<String>> {
    let cache = ReadCache::new(File::open(library).ok()?);
    let image = Image::parse(&cache).ok()?;
    Some(image.needed().ok()?.into_iter().map(str::to_owned).collect())
}

/// The files by the libraries' own names, for those whose file has another name.
fn sonames(libraries: &BTreeSet<PathBuf>) -> BTreeMap<String, PathBuf> {
    let named = libraries.iter().filter_map(|path| {
        let cache = ReadCache::new(File::open(path).ok()?);
        let image = Image::parse(&cache).ok()?;
        Some((image.soname().ok()??.to_owned(), path.clone()))
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_offers_its_libraries() {
        let facts = HostFacts::of_this_process("abi").unwrap();
        assert!(facts.has_library("libc.so.6"), "{facts:?}");
        assert!(facts.has_symbol(b"malloc"));
        assert!(facts.has_symbol(b"__tls_get_addr"), "the loader is part of it");
        assert!(!facts.has_symbol(b"no_such_symbol"));
        assert!(facts.symbol_count() > 1000);
    }

    #[test]
    fn maps_are_read() {
        let maps = "5570-5571 r--p 00000000 fe:00 12   /bin/game\n\
                    5571-5572 r-xp 00001000 fe:00 12   /bin/game\n\
                    7f00-7f01 r-xp 00000000 fe:00 13   /lib/a name.so (deleted)\n\
                    7f02-7f03 r-xp 00000000 00:00 0\n\
                    7f04-7f05 r-xp 00000000 00:00 0    [vdso]\n\
                    7f06-7f07 r--p 00000000 fe:00 14   /data/font.ttf\n";
        let files: Vec<_> = mapped_files(maps).into_iter().collect();
        assert_eq!(files, [Path::new("/bin/game"), Path::new("/lib/a name.so (deleted)")]);
        let error = open(&files[1]).unwrap_err().to_string();
        assert!(error.contains("/lib/a name.so: ") && error.starts_with("H0242"), "{error}");
    }

    #[test]
    fn a_missing_library_is_named() {
        let exe = std::env::current_exe().unwrap();
        let error = HostFacts::of("abi", &exe, |_| None).unwrap_err().to_string();
        assert!(error.starts_with("H0244") && error.contains(".so"), "{error}");
    }
}
