//! The libraries of an SDK: of what a module is compiled against, the part that rustc reads.
//!
//! ```text
//!  every crate that a module can name ─► rustc ─► all crates that it loads
//!       Bevy and the API    the section with their metadata: the game has their code
//!       procedural macros   whole, without debug information
//!       linked statically   the rlib
//!       all others          the metadata alone
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use object::{Object, ObjectSection, ObjectSymbol, ReadCache};

use crate::build::DepInfo;
use crate::build::rustc::Linker;
use crate::dist::{DistError, failed, run};
use crate::toolchain::Toolchain;

/// The section of a dynamic library in which rustc keeps its metadata.
const METADATA_SECTION: &str = ".rustc";
/// `rust-objcopy`'s option for files of this system.
const OBJECT_FORMAT: &str = if cfg!(target_arch = "aarch64") {
    "--output-target=elf64-littleaarch64"
} else {
    "--output-target=elf64-x86-64"
};
/// How the symbol begins by which rustc finds what a procedural macro defines.
const MACRO_SYMBOL: &str = "__rustc_proc_macro_decls_";

/// The inputs of a crate that names all libraries.
pub struct Named<'a> {
    /// The compiler.
    pub toolchain: &'a Toolchain,
    /// Its linker for modules.
    pub linker: &'a Linker,
    /// Options of rustc that shape code.
    pub options: &'a [String],
    /// The files of the crates, by name.
    pub crates: &'a BTreeMap<String, PathBuf>,
    /// The folders in which rustc looks for what these need.
    pub folders: &'a BTreeSet<PathBuf>,
}

/// The libraries that rustc loads for modules.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Libraries {
    /// Of these, the metadata.
    pub metadata: BTreeSet<PathBuf>,
    /// Dynamic libraries whose code the game has.
    pub dynamic: BTreeSet<PathBuf>,
    /// Procedural macros.
    pub macros: BTreeSet<PathBuf>,
    /// Linked into each module that uses them.
    pub linked: BTreeSet<PathBuf>,
}

impl Named<'_> {
    /// Compiles a crate that names all crates, in `folder`, and notes what rustc loads, without what
    /// lies in `built`: modules.
    ///
    /// # Errors
    ///
    /// If rustc fails, or a file cannot be read.
    pub fn libraries(&self, folder: &Path, built: &Path) -> Result<Libraries, DistError> {
        fs::create_dir_all(folder).map_err(failed("create", folder))?;
        let source = folder.join("names.rs");
        let lines = self.crates.keys().map(|name| format!("extern crate {name} as _;\n"));
        fs::write(&source, lines.collect::<String>()).map_err(failed("write", &source))?;
        let mut rustc = Command::new(self.toolchain.program("rustc"));
        rustc
            .args(["--crate-name=names", "--edition=2024", "--crate-type=dylib"])
            .args(["--emit=dep-info,link", "--print=link-args", "-Zbinary-dep-depinfo"])
            // For the option above; the metadata is read as by any compiler of this version.
            .env("RUSTC_BOOTSTRAP", "1")
            .args(self.options.iter().flat_map(|option| option.splitn(2, ' ')))
            .args(["-C", "linker-flavor=ld.lld"])
            .args(["-C", &format!("linker={}", self.linker.script.display())])
            .env("PLAYGROUND_LINK_STARTED", folder.join("link-started"))
            .env("PLAYGROUND_EXPORTS", &self.linker.exports)
            .env("PLAYGROUND_LLD", &self.linker.lld)
            .arg("--out-dir")
            .arg(folder);
        for folder in self.folders {
            rustc.arg("-L").arg(format!("dependency={}", folder.display()));
        }
        for (name, file) in self.crates {
            rustc.arg("--extern").arg(format!("{name}={}", file.display()));
        }
        let link = run(rustc.arg(&source))?;
        let read = folder.join("names.d");
        let read = DepInfo::read(&read, folder).map_err(failed("read", &read))?;
        let is_other =
            |file: &PathBuf| !file.starts_with(&self.toolchain.sysroot) && !file.starts_with(built);
        sort(read.files.into_iter().filter(is_other).collect(), &link)
    }
}

/// Sorts the files of what rustc loaded; `link` is its command line for the linker.
fn sort(files: BTreeSet<PathBuf>, link: &str) -> Result<Libraries, DistError> {
    let mut libraries = Libraries::default();
    let mut by_stem: BTreeMap<PathBuf, BTreeSet<String>> = BTreeMap::new();
    for file in files {
        let extension = file.extension().unwrap_or_default().to_string_lossy().into_owned();
        by_stem.entry(file.with_extension("")).or_default().insert(extension);
    }
    for (stem, extensions) in by_stem {
        let file = |extension: &str| {
            extensions.contains(extension).then(|| stem.with_extension(extension))
        };
        if let Some(shared) = file("so") {
            let is_macro = is_macro(&shared).map_err(failed("read", &shared))?;
            let list = if is_macro { &mut libraries.macros } else { &mut libraries.dynamic };
            list.insert(shared);
        } else if let Some(rlib) = file("rlib") {
            if link.contains(&format!("\"{}\"", rlib.display())) {
                libraries.linked.insert(rlib);
            } else {
                // cargo writes it beside each rlib of a dependency.
                libraries.metadata.insert(stem.with_extension("rmeta"));
            }
        } else if let Some(metadata) = file("rmeta") {
            libraries.metadata.insert(metadata);
        }
    }
    Ok(libraries)
}

/// Writes the section with a dynamic library's metadata to a file.
fn metadata_of(library: &Path, target: &Path) -> Result<(), DistError> {
    let section = || {
        let cache = ReadCache::new(fs::File::open(library)?);
        let file = object::File::parse(&cache).map_err(io::Error::other)?;
        let section = file.section_by_name(METADATA_SECTION);
        let section = section.ok_or_else(|| io::Error::other("it has no metadata of rustc"))?;
        section.data().map(<[u8]>::to_owned).map_err(io::Error::other)
    };
    let bytes = section().map_err(failed("read", library))?;
    fs::write(target, bytes).map_err(failed("write", target))
}

/// True for a library of procedural macros.
fn is_macro(library: &Path) -> io::Result<bool> {
    let cache = ReadCache::new(fs::File::open(library)?);
    let file = object::File::parse(&cache).map_err(io::Error::other)?;
    let mut names = file.dynamic_symbols().filter_map(|symbol| symbol.name().ok());
    Ok(names.any(|name| name.starts_with(MACRO_SYMBOL)))
}

impl Libraries {
    /// The name in the SDK of a library that rustc was given.
    pub fn name_of(&self, file: &Path) -> PathBuf {
        let own = self.metadata.iter().find(|own| own.file_stem() == file.file_stem());
        own.map_or(file, |own| own).file_name().unwrap_or_default().into()
    }

    /// Writes them to a folder.
    ///
    /// # Errors
    ///
    /// If a file cannot be read or written, or `rust-objcopy` fails.
    pub fn write(&self, folder: &Path, toolchain: &Toolchain) -> Result<(), DistError> {
        fs::create_dir_all(folder).map_err(failed("create", folder))?;
        let target = |file: &Path| folder.join(file.file_name().unwrap_or_default());
        for file in self.metadata.iter().chain(&self.linked) {
            fs::copy(file, target(file)).map_err(failed("copy", file))?;
        }
        for file in &self.macros {
            run(toolchain.objcopy().arg("--strip-debug").args([file, &target(file)]))?;
        }
        for file in &self.dynamic {
            let (target, section) = (target(file), folder.join("section"));
            metadata_of(file, &section)?;
            // rustc looks for the section in a file with the name of the library.
            run(toolchain
                .objcopy()
                .args(["--input-target=binary", OBJECT_FORMAT])
                .arg(format!("--rename-section=.data={METADATA_SECTION}"))
                .args([&section, &target]))?;
            fs::remove_file(&section).map_err(failed("remove", &section))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_folder::TestFolder;

    #[test]
    fn the_metadata_is_enough_of_all_but_what_is_linked_and_what_runs_in_the_compiler() {
        let folder = TestFolder::new("sdk-libraries");
        let file = |name: &str| folder.join(name);
        let metadata = ["a-1.rlib", "a-1.rmeta", "b-2.rlib", "b-2.rmeta", "c-3.rmeta", "d-4.rlib"];
        let files = metadata.map(file).into();
        let link = format!("\"lld\" \"{}\" \"-o\"", file("b-2.rlib").display());
        let sorted = sort(files, &link).unwrap();
        let names = |files: &BTreeSet<PathBuf>| {
            let names = files.iter().filter_map(|file| file.file_name()?.to_str());
            names.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(names(&sorted.metadata), ["a-1.rmeta", "c-3.rmeta", "d-4.rmeta"]);
        assert_eq!(names(&sorted.linked), ["b-2.rlib"]);
        assert_eq!(sorted.name_of(&file("a-1.rlib")), Path::new("a-1.rmeta"));
        assert_eq!(sorted.name_of(&file("b-2.rlib")), Path::new("b-2.rlib"));
        // A library that is none is named.
        fs::write(file("e-5.so"), "no library").unwrap();
        let error = sort([file("e-5.so")].into(), "").unwrap_err().to_string();
        assert!(error.contains("e-5.so"), "{error}");
    }
}
