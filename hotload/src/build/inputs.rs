//! The inputs of a module's build, hashed to find changed modules and to compute the epoch.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Batch;
use super::error::BuildError;
use super::recipe::{Recipe, Recipes};
use crate::epoch::{self, CoreFacts, Facts};
use crate::explain::{Explain, Explanation};
use crate::ids::{Epoch, InputsHash, ModuleId};
use crate::os_remedies::is_of_process;
use crate::workspace::{self, Members, ModuleCrate, WorkspaceError};

/// Everything that the build of a module depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inputs {
    /// The hash of all inputs.
    pub hash: InputsHash,
    /// Part of the `TypeId`s of the crate's types.
    pub epoch: Epoch,
    /// The epochs of the core crates that it links to, directly or through others, by id.
    pub cores: BTreeMap<ModuleId, Epoch>,
    /// What the epochs of its dependents need to know of its functions.
    pub facts: Arc<Facts>,
    /// Why it is not compiled, if its source already shows that.
    pub refused: Option<Explanation>,
}

/// The inputs of every module that has a recipe. If the hash equals that in `known`, the rest is
/// copied from there.
///
/// # Errors
///
/// If the process cannot read any file. A single file that cannot be read only makes its module
/// refused.
pub fn inputs(
    members: &Members,
    recipes: &Recipes,
    known: &BTreeMap<ModuleId, Inputs>,
    workspace: &Path,
) -> Result<BTreeMap<ModuleId, Inputs>, WorkspaceError> {
    let mut all: BTreeMap<ModuleId, Inputs> = BTreeMap::new();
    for id in members.build_order().unwrap_or_default() {
        let source = Source::of(members, recipes, &all, workspace, &id);
        if let Some(source) = source.transpose()? {
            let inputs = source.inputs(known.get(&id));
            all.insert(id, inputs);
        }
    }
    Ok(all)
}

/// True if the inputs of a module, and of the core crates that it links to, are still those of the
/// batch.
pub(super) fn is_current(batch: &Batch, id: &ModuleId) -> bool {
    let Batch { folders, members, recipes, inputs, .. } = batch;
    let mut ids = members.links_of(id);
    ids.insert(id.clone());
    ids.iter().all(|id| {
        let source = Source::of(members, recipes, inputs, &folders.workspace, id);
        let hash = source.and_then(Result::ok).map(|source| source.hash);
        hash.is_some() && hash.as_ref() == inputs.get(id).map(|inputs| &inputs.hash)
    })
}

/// A module's inputs as they were read, with their hash.
struct Source<'a> {
    module: &'a ModuleCrate,
    recipe: &'a Recipe,
    is_core: bool,
    files: Vec<(PathBuf, String)>,
    unreadable: Option<Explanation>,
    libraries: Vec<String>,
    cores: BTreeMap<ModuleId, Epoch>,
    core_facts: CoreFacts,
    hash: InputsHash,
}

impl<'a> Source<'a> {
    /// `None` for a module without a recipe. `below` has the inputs of the core crates that it
    /// links to.
    fn of(
        members: &'a Members,
        recipes: &'a Recipes,
        below: &BTreeMap<ModuleId, Inputs>,
        workspace: &Path,
        id: &ModuleId,
    ) -> Option<Result<Self, WorkspaceError>> {
        let module = members.crates.get(id)?;
        let recipe = recipes.by_module.get(id)?;
        Some(Self::read(members, recipes, below, workspace, module, recipe))
    }

    fn read(
        members: &Members,
        recipes: &Recipes,
        below: &BTreeMap<ModuleId, Inputs>,
        workspace: &Path,
        module: &'a ModuleCrate,
        recipe: &'a Recipe,
    ) -> Result<Self, WorkspaceError> {
        let is_core = members.linked().contains(&module.id);
        let mut hasher = blake3::Hasher::new();
        let mut field = |bytes: &[u8]| {
            hasher.update(&(bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        };
        field(playground_api::ABI.as_bytes());
        field(recipes.api.as_bytes());
        field(include_bytes!("link.sh"));
        field(include_bytes!("exports.ld"));
        field(&[u8::from(is_core)]);
        for argument in &recipe.arguments {
            // The same in every checkout.
            field(argument.replace(&*workspace.to_string_lossy(), ".").as_bytes());
        }
        let (mut sources, mut unreadable) = (Vec::new(), None);
        let files = match workspace::files(&module.folder) {
            Ok(files) => files,
            Err(WorkspaceError::Unreadable { source, path }) if !is_of_process(&source) => {
                let reason = WorkspaceError::Unreadable { source, path }.explain();
                field(reason.to_string().as_bytes());
                unreadable = Some(reason);
                Vec::new()
            }
            Err(error) => return Err(error),
        };
        for (path, bytes) in files {
            field(path.to_string_lossy().as_bytes());
            field(&bytes);
            if path.extension().is_some_and(|extension| extension == "rs") {
                sources.push((path, String::from_utf8_lossy(&bytes).into_owned()));
            }
        }
        let libraries = module.libraries.iter().filter_map(|name| {
            let library = members.libraries.get(name)?;
            Some(format!("{name}={}", library.hash))
        });
        let libraries: Vec<String> = libraries.collect();
        libraries.iter().for_each(|library| field(library.as_bytes()));
        let (mut cores, mut core_facts) = (BTreeMap::new(), CoreFacts::new());
        for link in members.links_of(&module.id) {
            if let Some(inputs) = below.get(&link) {
                field(link.as_str().as_bytes());
                field(inputs.hash.as_str().as_bytes());
                core_facts.insert(link.clone(), inputs.facts.clone());
                cores.insert(link, inputs.epoch.clone());
            }
        }
        let hash = InputsHash::from(hasher.finalize());
        let files = sources;
        Ok(Self { module, recipe, is_core, files, unreadable, libraries, cores, core_facts, hash })
    }

    fn inputs(self, known: Option<&Inputs>) -> Inputs {
        if let Some(known) = known.filter(|known| known.hash == self.hash) {
            return known.clone();
        }
        let salt = salt(self.recipe, &self.libraries, &self.cores);
        let (epoch, facts) =
            epoch::identity(&self.module.folder, &self.files, &salt, &self.core_facts);
        let statics = || refused_statics(self.module, &self.files);
        let refused = self.unreadable.or_else(|| self.is_core.then(statics).flatten());
        Inputs { hash: self.hash, epoch, cores: self.cores, facts: Arc::new(facts), refused }
    }
}

/// Everything but its own source that shapes a crate's types: its dependencies, its features, and
/// the epochs of its core crates.
fn salt(recipe: &Recipe, libraries: &[String], cores: &BTreeMap<ModuleId, Epoch>) -> Vec<String> {
    let mut salt = vec![format!("api={}", playground_api::ABI)];
    salt.extend_from_slice(libraries);
    let mut arguments = recipe.arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--extern" => {
                let library = arguments.next().map_or("", String::as_str);
                let (name, path) = library.split_once('=').unwrap_or((library, ""));
                // cargo's file names carry a hash of the package, its features and dependencies.
                if !cores.keys().any(|core| core.crate_name() == name) {
                    let file = Path::new(path).file_name().unwrap_or_default();
                    salt.push(format!("{name}={}", file.to_string_lossy()));
                }
            }
            "--cfg" | "--edition" => salt.extend(arguments.next().cloned()),
            _ => {}
        }
    }
    salt.extend(cores.iter().map(|(core, epoch)| format!("{core}={epoch}")));
    salt
}

/// The refusal of a core crate with mutable statics.
fn refused_statics(module: &ModuleCrate, sources: &[(PathBuf, String)]) -> Option<Explanation> {
    let found: Vec<String> = epoch::refused_statics(sources)
        .into_iter()
        .map(|(path, line, reason)| {
            format!("  {}:{line}: {reason}", module.folder.join(path).display())
        })
        .collect();
    let statics = |found| BuildError::Statics { module: module.id.clone(), found }.explain();
    (!found.is_empty()).then(|| statics(found))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn everything_that_a_module_is_built_with_counts() {
        let folder = std::env::temp_dir().join(format!("playground-inputs-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("lib.rs"), "pub struct Thing(u32);").unwrap();
        let id = ModuleId::from("core_thing");
        let module = ModuleCrate {
            id: id.clone(),
            folder: folder.clone(),
            links: BTreeSet::new(),
            libraries: BTreeSet::new(),
        };
        let members = Members { crates: [(id.clone(), module)].into(), ..Members::default() };
        let inputs_with = |api: &str, arguments: &[&str]| {
            let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
            let environment = Vec::new();
            let recipe = Recipe { folder: folder.clone(), arguments, environment };
            let by_module = [(id.clone(), recipe)].into();
            let recipes = Recipes { by_module, api: api.to_owned(), ..Recipes::default() };
            let all = inputs(&members, &recipes, &BTreeMap::new(), &folder);
            all.unwrap().remove(&id).unwrap()
        };
        let (one, same) = (inputs_with("one", &[]), inputs_with("one", &[]));
        let other = inputs_with("other", &[]);
        assert_eq!(one, same);
        assert_ne!(one.hash, other.hash, "an rlib against the one does not fit the other");
        assert_eq!(one.epoch, other.epoch, "the types are the same");

        // In cargo's command: another release of a dependency, another feature.
        let dependency = |file: &str| inputs_with("one", &["--extern", file]).epoch;
        let old = dependency("glam=target/debug/deps/libglam-0a.rlib");
        assert_eq!(old, dependency("glam=elsewhere/debug/deps/libglam-0a.rlib"));
        assert_ne!(old, dependency("glam=target/debug/deps/libglam-0b.rlib"));
        let feature = inputs_with("one", &["--cfg", "feature=\"wide\""]);
        assert_ne!(one.epoch, feature.epoch);

        // A link to itself exists and cannot be read.
        symlink("round.rs", folder.join("round.rs")).unwrap();
        let round = inputs_with("one", &[]);
        let refused = round.refused.unwrap().to_string();
        assert!(refused.contains("H0106") && refused.contains("round.rs"), "{refused}");
        assert_ne!(round.hash, one.hash);
        fs::remove_file(folder.join("round.rs")).unwrap();
        assert_eq!(inputs_with("one", &[]), one);
        fs::remove_dir_all(&folder).unwrap();
    }
}
