//! Links a module again from the object files of its last compilation, where only the cores that are
//! linked into it have other code.
//!
//! The linker script keeps those files, as hard links, with its arguments. They count for a module
//! whose inputs hash to the same [`Inputs::compiled`](super::Inputs), against cores that still
//! export each symbol that these files need.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use object::read::archive::ArchiveFile;
use object::read::elf::ElfFile64;
use object::{NativeEndian, Object, ObjectSymbol, SymbolScope};
use serde::{Deserialize, Serialize};

use super::capture::{CaptureError, write};
use super::inputs::Inputs;
use super::rustc::{CompileTimes, Compiled, Job, ms};
use super::{Batch, store};
use crate::ids::{Epoch, InputsHash, ModuleId};

/// The sources of kept object files.
#[derive(Serialize, Deserialize)]
pub(super) struct Origin {
    /// The folder of built modules then: a workspace can be copied or moved.
    built: PathBuf,
    compiled: InputsHash,
    epoch: Epoch,
    /// The builds of its cores, by core.
    cores: BTreeMap<ModuleId, u64>,
}

impl Origin {
    /// `None` without the library of a core.
    fn of(batch: &Batch, id: &ModuleId, inputs: &Inputs) -> Option<Self> {
        let links = batch.members.links_of(id).into_iter();
        let cores = links.map(|core| {
            let builds = Symbols::read(&symbols_path(batch, &core))?.builds;
            Some((core, builds))
        });
        let cores: Option<BTreeMap<ModuleId, u64>> = cores.collect();
        let (compiled, epoch) = (inputs.compiled.clone(), inputs.epoch().clone());
        Some(Self { built: batch.folders.built.clone(), compiled, epoch, cores: cores? })
    }

    /// True if the cores of `batch` have all symbols that the object files in `folder` need of them.
    fn fits(&self, batch: &Batch, id: &ModuleId, folder: &Path) -> bool {
        let mut gone = BTreeSet::new();
        for core in batch.members.links_of(id) {
            let symbols = Symbols::read(&symbols_path(batch, &core));
            let since = self.cores.get(&core).zip(symbols);
            let Some(lost) = since.and_then(|(&build, symbols)| symbols.lost_since(build)) else {
                return false;
            };
            gone.extend(lost);
        }
        // What one core lost may be in another one.
        gone.is_empty() || needed(folder).is_some_and(|needed| needed.is_disjoint(&gone))
    }
}

/// The files of a module's last successful compilation.
#[derive(Clone, Debug)]
pub struct Kept {
    folder: PathBuf,
    /// The folder of built modules in its arguments.
    built_then: PathBuf,
    built: PathBuf,
}

impl Kept {
    /// The folder that the linker script writes to.
    pub fn new_folder(output: &Path) -> PathBuf {
        output.join("objects.new")
    }

    fn folder(output: &Path) -> PathBuf {
        output.join("objects")
    }

    /// The files that the module can be linked from. `None` if it has to be compiled.
    pub fn find(batch: &Batch, id: &ModuleId) -> Option<Self> {
        let (kept, origin) = Self::of_same_source(batch, id)?;
        origin.fits(batch, id, &kept.folder).then_some(kept)
    }

    /// The files, if they do not depend on what changed but for the symbols of cores.
    pub(super) fn of_same_source(batch: &Batch, id: &ModuleId) -> Option<(Self, Origin)> {
        // Dependents of a core compare the hash of the crates that it was compiled against.
        if batch.members.linked().contains(id) {
            return None;
        }
        let folder = Self::folder(&store::output_folder(&batch.folders, id));
        let text = fs::read(folder.join("origin.json")).ok()?;
        let origin: Origin = serde_json::from_slice(&text).ok()?;
        let inputs = batch.inputs.get(id)?;
        let is_same = inputs.compiled == origin.compiled && *inputs.epoch() == origin.epoch;
        let (built_then, built) = (origin.built.clone(), batch.folders.built.clone());
        is_same.then_some((Self { folder, built_then, built }, origin))
    }

    /// Keeps the files of a compilation that has just succeeded. Where that fails, the module is
    /// compiled next time.
    pub fn keep(batch: &Batch, job: &Job, inputs: &Inputs) {
        let (new, kept) = (Self::new_folder(&job.folder), Self::folder(&job.folder));
        if job.is_core {
            // It is compiled in any case; see `of_same_source`.
            let _ = fs::remove_dir_all(&new);
            return;
        }
        let Some(origin) = Origin::of(batch, &job.id, inputs).filter(|_| new.is_dir()) else {
            return;
        };
        let keep = || {
            fs::hard_link(job.dep_info(), new.join("dep-info"))?;
            fs::write(new.join("origin.json"), serde_json::to_vec(&origin)?)?;
            match fs::remove_dir_all(&kept) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            fs::rename(&new, &kept)
        };
        if keep().is_err() {
            let _ = fs::remove_dir_all(&kept);
        }
    }

    /// Links the module. `None` if that fails: then it has to be compiled.
    pub fn link(&self, job: &Job) -> Option<Compiled> {
        let started = Instant::now();
        // That of a compilation which did not count must not be taken for this one's.
        let _ = fs::remove_dir_all(Self::new_folder(&job.folder));
        let artifact = self.run_linker(job)?;
        // What rustc read for these files.
        let _ = fs::remove_file(job.dep_info());
        fs::hard_link(self.folder.join("dep-info"), job.dep_info()).ok()?;
        let times = CompileTimes { link_ms: ms(started), ..CompileTimes::default() };
        Some(Compiled::Done { artifact, times, warnings: Vec::new() })
    }

    /// The linked dylib; `None` if linking fails.
    fn run_linker(&self, job: &Job) -> Option<PathBuf> {
        let (artifact, linker) = (job.artifact(), job.linker.as_ref()?);
        let arguments = fs::read_to_string(self.folder.join("arguments")).ok()?;
        let (then, now) = (self.built_then.to_str()?, self.built.to_str()?);
        let arguments = if then == now { arguments } else { arguments.replace(then, now) };
        let mut command = Command::new(&linker.lld);
        let mut arguments = arguments.lines();
        while let Some(argument) = arguments.next() {
            match Path::new(argument) {
                path if argument.ends_with(".rcgu.o") => {
                    command.arg(self.folder.join(path.file_name()?));
                }
                _ if argument == "-o" => {
                    arguments.next()?;
                    command.arg("-o").arg(&artifact);
                }
                _ => _ = command.arg(argument),
            }
        }
        let command = command.current_dir(&job.recipe.folder).stdin(Stdio::null());
        command.output().ok()?.status.success().then_some(artifact)
    }
}

/// Links what a compilation that [links later](Job::links_later) left: the dylib, and the duration
/// in milliseconds. `None` if that fails: then the module has to be compiled again.
pub fn link_later(job: &Job) -> Option<(PathBuf, f32)> {
    let started = Instant::now();
    let (folder, built) = (Kept::new_folder(&job.folder), PathBuf::new());
    let artifact = Kept { folder, built_then: built.clone(), built }.run_linker(job)?;
    Some((artifact, ms(started)))
}

/// The symbols that a core's library exports to its dependents, as hashes of their names.
#[derive(Default, Serialize, Deserialize)]
struct Symbols {
    /// The number of this build.
    builds: u64,
    names: BTreeSet<u64>,
    /// Those that a build before had, each with the first build that did not.
    lost: BTreeMap<u64, u64>,
    /// The first build after which lost names are known.
    known_since: u64,
}

impl Symbols {
    /// More than dependents that were not compiled since can need.
    const MOST_LOST: usize = 10_000;

    fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(path).ok()?).ok()
    }

    /// With those of the next build; `None` where they could not be read.
    fn next(mut self, names: Option<BTreeSet<u64>>) -> Self {
        let before = self.builds;
        self.builds += 1;
        if names.is_none() || self.lost.len() > Self::MOST_LOST {
            // Dependents of the build before need nothing of what earlier ones lost.
            let known_since = if names.is_some() { before } else { self.builds };
            (self.known_since, self.lost) = (known_since, BTreeMap::new());
        }
        let names = names.unwrap_or_default();
        let lost = self.names.difference(&names).map(|name| (*name, self.builds));
        self.lost.extend(lost);
        self.lost.retain(|name, _| !names.contains(name));
        self.names = names;
        self
    }

    /// The symbols of a build that are gone; `None` if that is not known.
    fn lost_since(&self, build: u64) -> Option<Vec<u64>> {
        let lost = self.lost.iter().filter(|(_, first)| **first > build);
        (build >= self.known_since).then(|| lost.map(|(name, _)| *name).collect())
    }
}

fn symbols_path(batch: &Batch, core: &ModuleId) -> PathBuf {
    store::output_folder(&batch.folders, core).join("symbols.json")
}

/// Notes the symbols of a core's new library.
///
/// # Errors
///
/// If a file cannot be written.
pub fn note_symbols(batch: &Batch, core: &ModuleId, library: &[u8]) -> Result<(), CaptureError> {
    let path = symbols_path(batch, core);
    let symbols = Symbols::read(&path).unwrap_or_default().next(exported(library));
    let text = serde_json::to_vec(&symbols)
        .map_err(|source| CaptureError::File { path: path.clone(), source: source.into() })?;
    write(&path, &text)
}

/// `None` if the library cannot be read.
fn exported(library: &[u8]) -> Option<BTreeSet<u64>> {
    let mut names = BTreeSet::new();
    for member in ArchiveFile::parse(library).ok()?.members() {
        let member = member.ok()?;
        if !member.name().ends_with(b".o") {
            continue;
        }
        // Aligned, which it need not be in an archive.
        let bytes = member.data(library).ok()?.to_vec();
        let file = ElfFile64::<NativeEndian>::parse(bytes.as_slice()).ok()?;
        let offered = file
            .symbols()
            .filter(|symbol| symbol.is_definition() && symbol.scope() == SymbolScope::Dynamic);
        for symbol in offered {
            names.insert(hash_of(symbol.name_bytes().ok()?));
        }
    }
    Some(names)
}

/// The symbols that object files in a folder do not define; `None` if they cannot be read.
fn needed(folder: &Path) -> Option<BTreeSet<u64>> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder).ok()? {
        let path = entry.ok()?.path();
        if path.extension().is_none_or(|end| end != "o") {
            continue;
        }
        let bytes = fs::read(path).ok()?;
        let file = ElfFile64::<NativeEndian>::parse(bytes.as_slice()).ok()?;
        for symbol in file.symbols().filter(|symbol| symbol.is_undefined()) {
            names.insert(hash_of(symbol.name_bytes().ok()?));
        }
    }
    Some(names)
}

fn hash_of(name: &[u8]) -> u64 {
    blake3::hash(name).as_bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_that_a_build_lost_is_missed_by_those_before_it() {
        let build =
            |symbols: Symbols, names: &[u64]| symbols.next(Some(names.iter().copied().collect()));
        let lost = Symbols::lost_since;
        let first = build(Symbols::default(), &[1, 2, 3]);
        assert_eq!(lost(&first, 1), Some(vec![]));
        let second = build(first, &[1, 3, 4]);
        assert_eq!((lost(&second, 1), lost(&second, 2)), (Some(vec![2]), Some(vec![])));
        let third = build(second, &[1, 4]);
        assert_eq!((lost(&third, 1), lost(&third, 2)), (Some(vec![2, 3]), Some(vec![3])));
        // Back again.
        let fourth = build(third, &[1, 2, 4]);
        assert_eq!((lost(&fourth, 1), lost(&fourth, 3)), (Some(vec![3]), Some(vec![])));
        // More are lost than are kept: dependents of the newest build do not need them.
        let many: BTreeSet<u64> = (10..).take(Symbols::MOST_LOST + 1).collect();
        let full = Symbols { builds: 1, names: many, ..Symbols::default() };
        let third = build(build(full, &[1, 2]), &[1]);
        assert_eq!((lost(&third, 1), lost(&third, 2)), (None, Some(vec![2])));
        // A library that could not be read.
        let fifth = fourth.next(None);
        assert_eq!(lost(&fifth, 4), None);
        let sixth = build(fifth, &[1]);
        assert_eq!((lost(&sixth, 4), lost(&sixth, 6)), (None, Some(vec![])));
    }
}
