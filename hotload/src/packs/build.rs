//! Builds the modules of a pack as the running game would, without running them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use playground_pack::{Draft, Library, Source, Target};

use super::{PacksError, triple};
use crate::build::rustc::Cancel;
use crate::build::standby::Standby;
use crate::build::{self, Batch, BuildProgress, Built, Outcome};
use crate::ids::ModuleId;
use crate::inspect::{self, HostFacts, Inspected};
use crate::reader::read_recipes;
use crate::shared_libraries::SharedLibraries;
use crate::workspace;

/// Builds the modules that the `pack.toml` of `folder` names, in the workspace that the folder lies
/// in, and puts them together with the folder's files. Calls `report` with each step.
///
/// # Errors
///
/// If `pack.toml` is not valid, a module is unknown or does not compile, or a file cannot be packed.
pub fn build(folder: &Path, report: &mut dyn FnMut(&str)) -> Result<Draft, PacksError> {
    let source = Source::read(folder).map_err(PacksError::Source)?;
    let facts = HostFacts::of_this_process(playground_api::ABI)?;
    let ids: BTreeSet<ModuleId> =
        source.modules.iter().map(|id| ModuleId::from(id.as_str())).collect();
    let libraries = build_modules(folder, &ids, &facts, report)?;
    let draft = source.draft(folder, libraries).map_err(PacksError::Source)?;
    draft.manifest.render().map_err(|error| PacksError::Draft(error.into()))?;
    Ok(draft)
}

/// Builds modules of the workspace that `folder` lies in.
///
/// # Errors
///
/// If a module is unknown or does not compile, or this game could not load it.
pub fn build_modules(
    folder: &Path,
    ids: &BTreeSet<ModuleId>,
    facts: &HostFacts,
    report: &mut dyn FnMut(&str),
) -> Result<Vec<Library>, PacksError> {
    let libraries = Arc::new(SharedLibraries::of(facts));
    let (folders, members) = workspace::scan(folder)?;
    if let Some(module) = ids.iter().find(|id| !members.crates.contains_key(*id)) {
        let known = members.crates.keys().cloned().collect();
        return Err(PacksError::NoModule { folder: folder.into(), module: module.clone(), known });
    }
    libraries.keep(&folders.built);
    let cancel = Cancel::default();
    let recipes = read_recipes(&folders, &members, &libraries, &cancel, &mut *report)?;
    let linker = build::linker(&folders, &recipes)?;
    let inputs = build::inputs(&folders, &members, &recipes, &BTreeMap::new())?;
    let batch = Batch {
        folders,
        members,
        recipes,
        inputs,
        ids: ids.clone(),
        linker,
        standby: Standby::default(),
        libraries: Some(libraries),
    };
    // Also of cores that are no part of the pack, which have no outcome.
    let mut failed = BTreeMap::new();
    let built = build::build(batch, &cancel, |progress| match progress {
        BuildProgress::Waiting => report("waiting for another build in this workspace"),
        BuildProgress::Started(id) => report(&format!("building {id}")),
        BuildProgress::Failed(id, messages) => _ = failed.insert(id, messages),
        BuildProgress::Finished(_) => {}
    });
    let mut outcomes = built.map(|built| built.outcomes).unwrap_or_default();
    let mut packed = Vec::with_capacity(ids.len());
    for id in ids {
        let module = id.clone();
        let built = match outcomes.remove(id) {
            Some(Outcome::Built(built)) => built,
            Some(Outcome::Failed(messages)) => {
                return Err(PacksError::NotBuilt { module, messages });
            }
            Some(Outcome::Refused(refusal)) => return Err(PacksError::Refused(refusal)),
            Some(Outcome::Skipped(core)) => {
                let messages = failed.remove(&core).unwrap_or_default();
                return Err(PacksError::NotBuilt { module: core, messages });
            }
            None => return Err(PacksError::NotBuilt { module, messages: Vec::new() }),
        };
        packed.push(library(id, built, facts)?);
    }
    Ok(packed)
}

fn library(id: &ModuleId, built: Built, facts: &HostFacts) -> Result<Library, PacksError> {
    let inspected = inspect::inspect(&built.path, built.bytes, id, facts)?;
    let manifest = inspected.manifest();
    Ok(Library {
        module: id.to_string(),
        version: manifest.version.clone(),
        requires: requires(&inspected),
        target: Target { triple: triple(), abi: manifest.abi.to_string() },
        bytes: inspected.bytes().to_vec(),
    })
}

/// The modules that a library requires, with their versions.
pub(super) fn requires(inspected: &Inspected) -> BTreeMap<String, semver::VersionReq> {
    let requires = inspected.manifest().requires.iter();
    requires.map(|(id, version)| (id.to_string(), version.clone())).collect()
}
