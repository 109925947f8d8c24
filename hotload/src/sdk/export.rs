//! Writes the SDK of the running game.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use semver::Version;
use serde::Deserialize;

use super::libraries::{Libraries, Named};
use super::{CORES, CoreRecord, FORMAT, LIBRARIES, MANIFEST, Manifest, SdkCrate, SdkError};
use super::{docs, project};
use crate::build::output_folder;
use crate::build::recipe::Recipe;
use crate::build::rustc::Linker;
use crate::dist::archive::{self, Packing};
use crate::dist::{DistError, failed, licences, parts, remove, toolchain};
use crate::ids::ModuleId;
use crate::inspect::HostFacts;
use crate::packs::{self, Builder, PacksError};
use crate::toolchain::Toolchain;

/// The crate that modules and host share.
const API: &str = "playground_api";

/// An SDK to write.
#[derive(Clone, Debug)]
pub struct Export {
    /// A folder in the game's workspace.
    pub workspace: PathBuf,
    /// The folder to write.
    pub folder: PathBuf,
    /// Also write an archive beside the folder.
    pub archive: bool,
}

/// A finished SDK.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// The size of each part, in bytes.
    pub parts: Vec<(String, u64)>,
    /// The archive with its size in bytes.
    pub archive: Option<(PathBuf, u64)>,
}

/// Writes the SDK of the running game, which has to be the one of that workspace. Calls `report` with
/// each step.
///
/// # Errors
///
/// If the folder has something else in it, a module does not compile, or a file cannot be written.
/// After an error the folder is as it was before.
pub fn export(export: &Export, report: &mut dyn FnMut(&str)) -> Result<Exported, DistError> {
    let Export { workspace, folder, archive: packs_it } = export;
    let is_empty = fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none());
    if !is_empty && !folder.join(MANIFEST).is_file() {
        return Err(DistError::Occupied { folder: folder.clone() });
    }
    let facts = HostFacts::of_this_process(playground_api::ABI).map_err(PacksError::from)?;
    let builder = Builder::open(workspace, &facts, report)?;
    if builder.members.project.is_some() {
        let folder = builder.folders.workspace;
        return Err(SdkError::NoGame { folder, asked: "`sdk export`" }.into());
    }
    let part = folder.with_added_extension("part");
    remove(&part)?;
    fs::create_dir_all(&part).map_err(failed("create", &part))?;
    let written = write(&builder, &part, report).and_then(|()| {
        remove(folder)?;
        fs::rename(&part, folder).map_err(failed("create", folder))
    });
    if let Err(error) = written {
        let _ = fs::remove_dir_all(&part);
        return Err(error);
    }
    let mut exported = Exported { parts: parts(folder)?, archive: None };
    if *packs_it {
        report("packing it, for some minutes");
        let path = folder.with_added_extension("tar.xz");
        let size = archive::write(folder, &path, Packing::Xz).map_err(failed("write", &path))?;
        exported.archive = Some((path, size));
    }
    Ok(exported)
}

fn write(builder: &Builder, folder: &Path, report: &mut dyn FnMut(&str)) -> Result<(), DistError> {
    let Builder { folders, members, recipes, linker, .. } = builder;
    let toolchain = toolchain(&folders.workspace)?;
    let Some(linker) = linker else {
        let path = toolchain.sysroot.join("lib/rustlib");
        return Err(failed("find", &path)(std::io::Error::other("it has no rust-lld")));
    };
    let cores: BTreeSet<ModuleId> =
        members.crates.keys().filter(|id| id.is_core()).cloned().collect();
    builder.build(&members.crates.keys().cloned().collect(), report)?;

    report("finding the metadata that modules are compiled with");
    let scratch = folder.with_added_extension("scratch");
    let crates = nameable(recipes.by_module.values(), &members.crates.keys().cloned().collect());
    let options = options(recipes.by_module.values());
    let libraries = libraries(builder, &toolchain, linker, &options, &crates, &scratch);
    let _ = fs::remove_dir_all(&scratch);
    let libraries = libraries?;
    report("copying it");
    libraries.write(&folder.join(LIBRARIES), &toolchain)?;

    let inputs = builder.inputs()?;
    let own = folder.join(CORES);
    fs::create_dir_all(&own).map_err(failed("create", &own))?;
    for id in &cores {
        let (Some(inputs), Some(module)) = (inputs.get(id), members.crates.get(id)) else {
            continue;
        };
        let record = CoreRecord::of(module.links.clone(), inputs);
        let path = own.join(format!("{id}.json"));
        let text =
            serde_json::to_vec(&record).map_err(|error| failed("write", &path)(error.into()))?;
        fs::write(&path, text).map_err(failed("write", &path))?;
        let rlib = core_library(builder, id);
        let target = own.join(rlib.file_name().unwrap_or_default());
        fs::copy(&rlib, target).map_err(failed("copy", &rlib))?;
    }

    report("rendering the documentation of the core modules");
    let mut arguments = vec!["-L".to_owned(), format!("dependency={}", own.display())];
    for (name, file) in &crates {
        arguments.extend(["--extern".to_owned(), format!("{name}={}", file.display())]);
    }
    for id in &cores {
        let name = id.crate_name();
        let rlib = own.join(format!("lib{name}.rlib"));
        arguments.extend(["--extern".to_owned(), format!("{name}={}", rlib.display())]);
    }
    let documented = cores.iter().filter_map(|id| recipes.by_module.get(id));
    for recipe in documented {
        docs::write(recipe, &arguments, &toolchain, &folder.join("docs"))?;
    }

    report("collecting the licences");
    let licences = licences::collect(&folders.workspace)?;
    let lock = Lock::read(&folders.workspace)?;
    let manifest = Manifest {
        format: FORMAT,
        game: packs::own_version(),
        target: packs::triple(),
        abi: playground_api::ABI.into(),
        toolchain: channel(&folders.workspace, &toolchain),
        rustc: toolchain.version,
        options,
        crates: crates
            .iter()
            .map(|(name, file)| {
                let version = lock.version(name);
                let file = PathBuf::from(LIBRARIES).join(libraries.name_of(file));
                (name.clone(), SdkCrate { version, file })
            })
            .collect(),
        cores: cores
            .iter()
            .filter_map(|id| Some((id.clone(), members.crates.get(id)?.version.clone())))
            .collect(),
        files: sizes(folder, &[LIBRARIES, CORES])?,
    };
    let text = toml::to_string(&manifest).map_err(|error| {
        failed("write", Path::new(MANIFEST))(std::io::Error::other(error.to_string()))
    })?;
    let readme = project::readme_of_sdk(&manifest);
    for (name, text) in [
        (MANIFEST, text),
        ("licences.txt", licences),
        ("README.md", readme),
        ("GUIDE.md", docs::guide()),
        ("ERRORS.md", docs::ERRORS.to_owned()),
        ("rust-toolchain.toml", project::toolchain_file(&manifest.toolchain)),
    ] {
        let path = folder.join(name);
        fs::write(&path, text).map_err(failed("write", &path))?;
    }
    Ok(())
}

fn libraries(
    builder: &Builder,
    toolchain: &Toolchain,
    linker: &Linker,
    options: &[String],
    crates: &BTreeMap<String, PathBuf>,
    scratch: &Path,
) -> Result<Libraries, DistError> {
    let recipes = builder.recipes.by_module.values();
    let mut folders: BTreeSet<PathBuf> =
        recipes.flat_map(Recipe::library_folders).map(Path::to_owned).collect();
    let mut named = crates.clone();
    // What the cores link to may have to be linked into modules as well.
    for id in builder.members.crates.keys().filter(|id| id.is_core()) {
        let rlib = core_library(builder, id);
        folders.extend(rlib.parent().map(Path::to_owned));
        named.insert(id.crate_name(), rlib);
    }
    let named = Named { toolchain, linker, options, crates: &named, folders: &folders };
    named.libraries(scratch, &builder.folders.built)
}

/// The sizes in bytes of all files in some folders of an SDK.
fn sizes(sdk: &Path, folders: &[&str]) -> Result<BTreeMap<PathBuf, u64>, DistError> {
    let mut sizes = BTreeMap::new();
    for name in folders {
        for (file, size) in parts(&sdk.join(name))? {
            sizes.insert(Path::new(name).join(file), size);
        }
    }
    Ok(sizes)
}

/// The rlib of a core module that was built.
fn core_library(builder: &Builder, id: &ModuleId) -> PathBuf {
    output_folder(&builder.folders, id).join(format!("lib{}.rlib", id.crate_name()))
}

/// The crates that the game's modules depend on, without modules, by name.
fn nameable<'a>(
    recipes: impl Iterator<Item = &'a Recipe>,
    modules: &BTreeSet<ModuleId>,
) -> BTreeMap<String, PathBuf> {
    let names: BTreeSet<String> = modules.iter().map(ModuleId::crate_name).collect();
    let all = recipes.flat_map(Recipe::linked).filter(|(name, _)| !names.contains(*name));
    // The API is also there as an rlib, which is not what the game runs with.
    let used =
        all.filter(|(name, file)| *name != API || file.extension().is_some_and(|it| it == "so"));
    used.map(|(name, file)| (name.to_owned(), file.to_owned())).collect()
}

/// The options that shape the code of all modules.
fn options<'a>(recipes: impl Iterator<Item = &'a Recipe>) -> Vec<String> {
    let mut common: Option<Vec<String>> = None;
    for recipe in recipes {
        let own: Vec<String> =
            recipe.shaping_options().into_iter().filter(|it| it.starts_with("-C ")).collect();
        match &mut common {
            Some(common) => common.retain(|option| own.contains(option)),
            None => common = Some(own),
        }
    }
    common.unwrap_or_default()
}

/// rustup's name for the toolchain: that of the workspace's `rust-toolchain.toml`, or its version.
fn channel(workspace: &Path, toolchain: &Toolchain) -> String {
    let text = fs::read_to_string(workspace.join("rust-toolchain.toml")).unwrap_or_default();
    let table: toml::Table = text.parse().unwrap_or_default();
    let channel = table.get("toolchain").and_then(|table| table.get("channel")?.as_str());
    let version = || toolchain.version.split(' ').nth(1).unwrap_or("stable");
    channel.unwrap_or_else(version).to_owned()
}

/// The packages of `Cargo.lock`.
#[derive(Debug, Default, Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Locked>,
}

#[derive(Debug, Deserialize)]
struct Locked {
    name: String,
    version: Version,
}

impl Lock {
    fn read(workspace: &Path) -> Result<Self, DistError> {
        let path = workspace.join("Cargo.lock");
        let text = fs::read_to_string(&path).map_err(failed("read", &path))?;
        toml::from_str(&text)
            .map_err(|error| failed("read", &path)(std::io::Error::other(error.to_string())))
    }

    /// The version of a crate's package; of several, the newest one.
    fn version(&self, name: &str) -> Version {
        let own = self.package.iter().filter(|it| it.name.replace('-', "_") == name);
        own.map(|it| it.version.clone()).max().unwrap_or(Version::new(0, 0, 0))
    }
}
