//! Builds the modules of a pack as the running game would, without running them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use playground_pack::{Draft, Library, Source, Target};

use super::{PacksError, triple};
use crate::build::rustc::{Cancel, Linker};
use crate::build::standby::Standby;
use crate::build::{self, Batch, BuildProgress, Built, Inputs, Outcome, Recipes};
use crate::ids::ModuleId;
use crate::inspect::{self, HostFacts, Inspected};
use crate::reader::read_recipes;
use crate::shared_libraries::SharedLibraries;
use crate::workspace::{self, Folders, Members};

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
    let builder = Builder::open(folder, facts, report)?;
    let known = &builder.members.crates;
    if let Some(module) = ids.iter().find(|id| !known.contains_key(*id)) {
        let known = known.keys().cloned().collect();
        return Err(PacksError::NoModule { folder: folder.into(), module: module.clone(), known });
    }
    let built = builder.build(ids, report)?;
    built.into_iter().map(|(id, built)| library(&id, built, facts)).collect()
}

/// Builds modules of a workspace for a game that does not run now.
pub(crate) struct Builder {
    pub folders: Folders,
    pub members: Members,
    pub recipes: Recipes,
    pub linker: Option<Linker>,
    /// Those that modules have to fit; `None` for a project, whose SDK was checked.
    libraries: Option<Arc<SharedLibraries>>,
    cancel: Cancel,
}

impl Builder {
    /// Reads the workspace that `folder` lies in.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or cargo cannot build the modules' dependencies.
    pub fn open(
        folder: &Path,
        facts: &HostFacts,
        report: &mut dyn FnMut(&str),
    ) -> Result<Self, PacksError> {
        let libraries = Arc::new(SharedLibraries::of(facts));
        let (folders, members) = workspace::scan(folder)?;
        let is_project = members.project.is_some();
        if !is_project {
            libraries.keep(&folders.built);
        }
        let cancel = Cancel::default();
        let recipes = read_recipes(&folders, &members, &libraries, &cancel, &mut *report)?;
        let linker = build::linker(&folders, &recipes)?;
        let libraries = (!is_project).then_some(libraries);
        Ok(Self { folders, members, recipes, linker, libraries, cancel })
    }

    /// The build inputs of each module.
    ///
    /// # Errors
    ///
    /// If a source cannot be read.
    pub fn inputs(&self) -> Result<BTreeMap<ModuleId, Inputs>, PacksError> {
        let Self { folders, members, recipes, .. } = self;
        Ok(build::inputs(folders, members, recipes, &BTreeMap::new())?)
    }

    /// Builds these modules.
    ///
    /// # Errors
    ///
    /// If one does not compile.
    pub fn build(
        &self,
        ids: &BTreeSet<ModuleId>,
        report: &mut dyn FnMut(&str),
    ) -> Result<BTreeMap<ModuleId, Built>, PacksError> {
        let batch = Batch {
            folders: self.folders.clone(),
            members: self.members.clone(),
            recipes: self.recipes.clone(),
            inputs: self.inputs()?,
            ids: ids.clone(),
            linker: self.linker.clone(),
            standby: Standby::default(),
            libraries: self.libraries.clone(),
        };
        // Also of cores that are not asked for, which have no outcome.
        let mut failed = BTreeMap::new();
        let built = build::build(batch, &self.cancel, |progress| match progress {
            BuildProgress::Waiting => report("waiting for another build in this workspace"),
            BuildProgress::Started(id) => report(&format!("building {id}")),
            BuildProgress::Failed(id, messages) => _ = failed.insert(id, messages),
            BuildProgress::Finished(_) => {}
        });
        let mut outcomes = built.map(|built| built.outcomes).unwrap_or_default();
        let mut done = BTreeMap::new();
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
            done.insert(module, built);
        }
        Ok(done)
    }
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
