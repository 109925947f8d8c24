//! The inputs of one build.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::recipe::{Recipe, Recipes};
use super::relink::Kept;
use super::rustc::{Job, Linker};
use super::standby::Standby;
use super::{Inputs, ahead, store};
use crate::ids::ModuleId;
use crate::inspect::HostError;
use crate::shared_libraries::SharedLibraries;
use crate::workspace::{Folders, Members};

/// All inputs of a build.
#[derive(Clone)]
pub struct Batch {
    pub folders: Folders,
    pub members: Members,
    pub recipes: Recipes,
    /// The inputs of every module that has a recipe.
    pub inputs: BTreeMap<ModuleId, Inputs>,
    /// The modules to build.
    pub ids: BTreeSet<ModuleId>,
    /// `None` links with rustc's default.
    pub linker: Option<Linker>,
    pub standby: Standby,
    /// The libraries that the modules have to fit; `None` for a build that nobody loads.
    pub libraries: Option<Arc<SharedLibraries>>,
}

impl Batch {
    /// Checks that rustc finds the libraries that the game runs with.
    ///
    /// # Errors
    ///
    /// The first one that it does not find.
    pub(super) fn check_libraries(&self) -> Result<(), HostError> {
        let folders: BTreeSet<&Path> =
            self.recipes.by_module.values().flat_map(Recipe::library_folders).collect();
        self.libraries.as_ref().map_or(Ok(()), |it| it.check(&folders))
    }

    /// The compilation of a module; `None` for one without a recipe. The libraries of the cores in
    /// `ahead` do not exist yet, only their metadata.
    pub(super) fn job(&self, id: &ModuleId, ahead: &BTreeSet<ModuleId>) -> Option<Job> {
        let module = self.members.crates.get(id)?;
        let inputs = self.inputs.get(id)?;
        let cores = self.members.links_of(id).into_iter();
        let core_folders = cores.map(|core| {
            let output = match self.members.sdk_core(&core) {
                Some(core) => core.folder.clone(),
                None => store::output_folder(&self.folders, &core),
            };
            let folder = if ahead.contains(&core) { ahead::folder(&output) } else { output };
            (core.crate_name(), folder)
        });
        Some(Job {
            id: id.clone(),
            crate_name: module.crate_name(),
            recipe: self.recipes.by_module.get(id)?.clone(),
            identity: inputs.identity.clone(),
            cores: inputs.cores.clone(),
            core_folders: core_folders.collect(),
            is_core: self.members.linked().contains(id),
            folder: store::output_folder(&self.folders, id),
            linker: self.linker.clone(),
            api: self.libraries.as_ref().and_then(|libraries| libraries.api()),
            kept: ahead.is_empty().then(|| Kept::find(self, id)).flatten(),
            links_later: !ahead.is_empty(),
        })
    }
}
