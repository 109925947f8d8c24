//! Checks whether the libraries of a pack are what its manifest says, and whether this game can load
//! them. Nothing of them is executed.

use std::fs;
use std::path::Path;

use playground_pack::manifest::library_path;
use playground_pack::{Contents, File, Manifest, Module, PackError, Reader};

use super::build::requires;
use super::{PacksError, triple};
use crate::ids::ModuleId;
use crate::inspect::{self, HostFacts, Inspected};

/// Whether a pack fits this game.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// Its modules were built for this system and this game's API.
    Fits,
    /// It has no modules for this system.
    NoTarget,
}

/// Reads all of a pack, and inspects its libraries for this system.
///
/// # Errors
///
/// If the pack is refused, its libraries for this system are not those of its modules, or this game
/// cannot load them.
pub fn fit(file: &Path) -> Result<(Manifest, Fit), PacksError> {
    let (manifest, libraries) = read(file)?;
    Ok((manifest, if libraries.is_some() { Fit::Fits } else { Fit::NoTarget }))
}

/// Reads all of a pack, and inspects its libraries for this system; `None` if it has none for it.
///
/// # Errors
///
/// As for [`fit`].
pub(super) fn read(file: &Path) -> Result<(Manifest, Option<Vec<Inspected>>), PacksError> {
    let refused = |error| PacksError::Pack { file: file.to_owned(), error };
    let reader = Reader::open(file).map_err(refused)?;
    let triple = triple();
    let mut libraries = Libraries::of(reader.manifest(), &triple);
    let manifest = reader.read(&mut libraries).map_err(refused)?;
    match has_target(file, &manifest) {
        Err(PacksError::NoTarget { .. }) => return Ok((manifest, None)),
        checked => checked?,
    }
    let facts = HostFacts::of_this_process(playground_api::ABI)?;
    let found = libraries.found.into_iter();
    let inspected = found.map(|(module, path, bytes)| check(&module, &path, bytes, &facts));
    let inspected = inspected.collect::<Result<_, _>>()?;
    Ok((manifest, Some(inspected)))
}

/// Checks whether a pack has modules for this system and this game's API.
///
/// # Errors
///
/// If it has none. `file` is named then.
pub(super) fn has_target(file: &Path, manifest: &Manifest) -> Result<(), PacksError> {
    let triple = triple();
    let file = || file.to_owned();
    let Some(target) = manifest.targets.iter().find(|target| target.triple == triple) else {
        return Err(PacksError::NoTarget { file: file() });
    };
    if target.abi != playground_api::ABI {
        let (expected, found) = (playground_api::ABI.to_owned(), target.abi.clone());
        return Err(PacksError::OtherAbi { file: file(), expected, found });
    }
    Ok(())
}

/// Inspects the libraries of an unpacked pack.
///
/// # Errors
///
/// If they are not those of its modules, or this game cannot load them. `file` is named then.
pub(super) fn in_folder(file: &Path, manifest: &Manifest, folder: &Path) -> Result<(), PacksError> {
    has_target(file, manifest)?;
    let (file, triple) = (file.to_owned(), triple());
    let facts = HostFacts::of_this_process(playground_api::ABI)?;
    for module in &manifest.modules {
        let path = library_path(&triple, &module.id);
        let bytes = fs::read(folder.join(&path)).map_err(|source| {
            let error = PackError::File { action: "read", path: folder.join(&path), source };
            PacksError::Pack { file: file.clone(), error }
        })?;
        check(module, &path, bytes, &facts)?;
    }
    Ok(())
}

/// Inspects a library, and compares it with its module in the manifest.
fn check(
    module: &Module,
    path: &str,
    bytes: Vec<u8>,
    facts: &HostFacts,
) -> Result<Inspected, PacksError> {
    let id = ModuleId::from(module.id.as_str());
    let inspected = inspect::inspect(Path::new(path), bytes, &id, facts)?;
    let differs = |what, expected: String, found: String| {
        let path = path.to_owned();
        if expected == found {
            Ok(())
        } else {
            Err(PacksError::OtherModule { path, what, expected, found })
        }
    };
    differs("version", module.version.to_string(), inspected.manifest().version.to_string())?;
    let shown = |requires: &std::collections::BTreeMap<String, semver::VersionReq>| {
        let all = requires.iter().map(|(id, version)| format!("{id} {version}"));
        all.collect::<Vec<_>>().join(", ")
    };
    differs("requirements", shown(&module.requires), shown(&requires(&inspected)))?;
    Ok(inspected)
}

/// Collects the libraries for one system.
struct Libraries {
    wanted: Vec<(Module, String)>,
    found: Vec<(Module, String, Vec<u8>)>,
    open: bool,
}

impl Libraries {
    fn of(manifest: &Manifest, triple: &str) -> Self {
        let path = |module: &Module| library_path(triple, &module.id);
        let wanted = manifest.modules.iter().map(|module| (module.clone(), path(module)));
        Self { wanted: wanted.collect(), found: Vec::new(), open: false }
    }
}

impl Contents for Libraries {
    fn begin(&mut self, file: &File) -> Result<(), PackError> {
        let wanted = self.wanted.iter().find(|(_, path)| *path == file.path);
        self.open = wanted.is_some();
        self.found.extend(wanted.map(|(module, path)| (module.clone(), path.clone(), Vec::new())));
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), PackError> {
        if let Some((_, _, content)) = self.found.last_mut().filter(|_| self.open) {
            content.extend_from_slice(bytes);
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), PackError> {
        self.open = false;
        Ok(())
    }
}
