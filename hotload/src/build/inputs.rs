//! The inputs of a module's build, hashed to find changed modules and to compute the epoch.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use super::dep_info::DepInfo;
use super::error::BuildError;
use super::linked::{API_CRATE, LinkedFiles};
use super::recipe::{Recipe, Recipes};
use super::sources::{self, Sources, Stamps};
use super::stamp::Stamp;
use super::unchecked_code;
use super::{Batch, store};
use crate::epoch::{self, CoreFacts, Facts, Identity};
use crate::explain::{Explain, Explanation};
use crate::ids::{Epoch, InputsHash, ModuleId};
use crate::os_remedies::is_of_process;
use crate::workspace::{Folders, Members, ModuleCrate, WorkspaceError};

/// Everything that the build of a module depends on.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// The hash of all inputs.
    pub hash: InputsHash,
    /// The hash of those that rustc reads while it compiles the module: of its core crates only
    /// the interface. With the same ones, its object files are the same.
    pub compiled: InputsHash,
    /// The hash of those that rustc reads while it compiles a dependent of the module.
    pub interface: InputsHash,
    /// Part of the `TypeId`s of the crate's types.
    pub identity: Arc<Identity>,
    /// The epochs of the core crates that it links to, directly or through others, by id.
    pub cores: BTreeMap<ModuleId, Epoch>,
    /// The facts about its functions that the epochs of its dependents need.
    pub facts: Arc<Facts>,
    /// Why it is not compiled, if its source already shows that.
    pub refused: Option<Explanation>,
    /// The files and variables that its last compilation read; `None` if there was none.
    pub known: Option<Arc<DepInfo>>,
    /// The last compilation failed: all files of the crate count.
    pub failed: bool,
    /// The files as they were read.
    pub stamps: Arc<Stamps>,
}

impl Inputs {
    /// The epoch of the crate as a whole.
    pub fn epoch(&self) -> &Epoch {
        &self.identity.epoch
    }

    /// True if both were read with the same knowledge of what rustc reads.
    pub fn know_the_same(&self, other: &Self) -> bool {
        self.failed == other.failed && self.known == other.known
    }
}

/// New knowledge about the inputs of a module, from its compilation.
#[derive(Clone, Debug)]
pub struct Learned {
    /// The hash of the inputs that it was started with.
    pub from: InputsHash,
    /// The inputs, with what rustc read.
    pub inputs: Inputs,
}

/// The inputs of every module that has a recipe. `known` has those of the last reading; what is
/// unchanged is copied from there.
///
/// # Errors
///
/// If the process cannot read any file. A single file that cannot be read only makes its module
/// refused.
pub fn inputs(
    folders: &Folders,
    members: &Members,
    recipes: &Recipes,
    known: &BTreeMap<ModuleId, Inputs>,
) -> Result<BTreeMap<ModuleId, Inputs>, WorkspaceError> {
    let mut all: BTreeMap<ModuleId, Inputs> = BTreeMap::new();
    for id in members.build_order().unwrap_or_default() {
        let last = known.get(&id);
        let read_before = match last {
            Some(last) => last.known.clone(),
            None => store::read_files(folders, &id).map(Arc::new),
        };
        let failed = last.is_some_and(|last| last.failed);
        let reading =
            Reading { folders, members, recipes, below: &all, known: read_before, failed };
        if let Some(inputs) = reading.inputs(&id, last).transpose()? {
            all.insert(id, inputs);
        }
    }
    Ok(all)
}

/// The inputs of a module after a compilation.
pub(super) enum AfterSuccess {
    /// The artifact was made from these.
    Holds(Inputs),
    /// A file was written while rustc ran, or rustc read something that the epoch does not cover: the
    /// artifact does not count, and the module has to be built again from these.
    Outdated(Inputs),
}

/// The inputs of a module after its compilation, which read `read` and started at `started`.
///
/// # Errors
///
/// If a file exists and cannot be read.
pub(super) fn after_success(
    batch: &Batch,
    below: &BTreeMap<ModuleId, Inputs>,
    id: &ModuleId,
    before: &Inputs,
    read: DepInfo,
    started: SystemTime,
) -> Result<AfterSuccess, WorkspaceError> {
    let same_core = |(id, now): (&ModuleId, &Inputs)| {
        batch.inputs.get(id).is_some_and(|before| before.hash == now.hash)
    };
    let links = batch.members.links_of(id);
    let mut linked = below.iter().filter(|(id, _)| links.contains(*id));
    let knows = before.known.as_deref() == Some(&read) && !before.failed;
    if knows && sources::are_unchanged(&before.stamps) && linked.all(same_core) {
        return Ok(AfterSuccess::Holds(before.clone()));
    }
    let Batch { folders, members, recipes, .. } = batch;
    let known = Some(Arc::new(read));
    let reading = Reading { folders, members, recipes, below, known, failed: false };
    let Some(now) = reading.inputs(id, None).transpose()? else {
        return Ok(AfterSuccess::Outdated(before.clone()));
    };
    // Not only the content counts: a file may have changed and changed back.
    let as_rustc_read_it = |(path, stamp): (&PathBuf, &Option<Stamp>)| {
        before.stamps.get(path) == Some(stamp)
            || stamp.is_some_and(|stamp| stamp.is_older_than(started))
    };
    let holds = now.stamps.iter().all(as_rustc_read_it)
        && now.identity == before.identity
        && now.cores == before.cores;
    Ok(if holds { AfterSuccess::Holds(now) } else { AfterSuccess::Outdated(now) })
}

/// The inputs of a module that does not compile.
///
/// # Errors
///
/// If a file exists and cannot be read.
pub(super) fn after_failure(
    batch: &Batch,
    below: &BTreeMap<ModuleId, Inputs>,
    id: &ModuleId,
) -> Result<Option<Inputs>, WorkspaceError> {
    let Batch { folders, members, recipes, inputs, .. } = batch;
    let known = inputs.get(id).and_then(|inputs| inputs.known.clone());
    let reading = Reading { folders, members, recipes, below, known, failed: true };
    reading.inputs(id, inputs.get(id)).transpose()
}

/// Reads the inputs of a module.
struct Reading<'a> {
    folders: &'a Folders,
    members: &'a Members,
    recipes: &'a Recipes,
    /// The inputs of the core crates that it links to.
    below: &'a BTreeMap<ModuleId, Inputs>,
    known: Option<Arc<DepInfo>>,
    failed: bool,
}

impl Reading<'_> {
    /// `None` for a module without a recipe. The epoch is copied from `last` if nothing has changed.
    fn inputs(
        self,
        id: &ModuleId,
        last: Option<&Inputs>,
    ) -> Option<Result<Inputs, WorkspaceError>> {
        let module = self.members.crates.get(id)?;
        let recipe = self.recipes.by_module.get(id)?;
        Some(self.read(module, recipe, last))
    }

    fn read(
        self,
        module: &ModuleCrate,
        recipe: &Recipe,
        last: Option<&Inputs>,
    ) -> Result<Inputs, WorkspaceError> {
        let Self { folders, members, recipes, below, known, failed } = self;
        let is_core = members.linked().contains(&module.id);
        let mut unreadable = None;
        let sources = match Sources::read(&module.folder, recipe, known.as_deref(), failed) {
            Err(WorkspaceError::Unreadable { source, path }) if !is_of_process(&source) => {
                unreadable = Some(WorkspaceError::Unreadable { source, path }.explain());
                Sources::default()
            }
            sources => sources?,
        };
        let libraries = module.libraries.iter().filter_map(|name| {
            let library = members.libraries.get(name)?;
            Some(format!("{name}={}", library.hash))
        });
        let libraries: Vec<String> = libraries.collect();
        let links = members.links_of(&module.id);
        let of_sdk = |link| members.sdk_core(link).map(|core| &core.inputs);
        let linked =
            links.iter().filter_map(|link| Some((link, below.get(link).or_else(|| of_sdk(link))?)));
        let cores: BTreeMap<ModuleId, Epoch> =
            linked.clone().map(|(link, inputs)| (link.clone(), inputs.epoch().clone())).collect();

        let mut hasher = FieldHasher::default();
        hasher.field(playground_api::ABI);
        hasher.field(&recipes.api);
        hasher.field(include_bytes!("link.sh"));
        hasher.field(include_bytes!("exports.ld"));
        hasher.field(include_bytes!("rustc.rs"));
        hasher.field([u8::from(is_core)]);
        for argument in &recipe.arguments {
            // The same in every checkout.
            hasher.field(argument.replace(&*folders.workspace.to_string_lossy(), "."));
        }
        let shapes = sources.salt(&folders.workspace);
        let crate_epochs = linked.clone().map(|(link, it)| (link, &it.identity.crate_epoch));
        let mut salt = salt(recipe, &recipes.linked, &libraries, &crate_epochs.collect());
        salt.extend(shapes);
        // With the content of the libraries: another build of one may have the same name.
        salt.iter().for_each(|text| hasher.field(text));
        for (path, hash) in &sources.beside {
            hasher.field(path.to_string_lossy().as_bytes());
            hasher.field(hash.as_ref().map_or(&[][..], |hash| hash.as_bytes()));
        }
        let mut interface = hasher.clone();
        hasher.field([u8::from(failed)]);
        hasher.field(unreadable.as_ref().map(ToString::to_string).unwrap_or_default());
        for (path, text) in &sources.rust {
            hasher.field(path.to_string_lossy().as_bytes());
            hasher.field(text);
        }
        let mut compiled = hasher.clone();
        for (link, inputs) in linked.clone() {
            hasher.field(link.as_str());
            hasher.field(inputs.hash.as_str());
            for hasher in [&mut compiled, &mut interface] {
                hasher.field(link.as_str());
                hasher.field(inputs.interface.as_str());
                hasher.field(inputs.epoch().as_str());
            }
        }
        let hash = hasher.finish();

        let stamps = Arc::new(sources.stamps);
        if let Some(last) = last.filter(|last| last.hash == hash) {
            return Ok(Inputs { known, stamps, ..last.clone() });
        }
        let facts: CoreFacts =
            linked.map(|(link, inputs)| (link.clone(), inputs.facts.clone())).collect();
        let (identity, facts) = epoch::identity(&module.folder, &sources.rust, &salt, &facts);
        let refused = unreadable
            .or_else(|| refused_words(module, &sources.rust))
            .or_else(|| refused_words(module, &sources.code))
            .or_else(|| is_core.then(|| refused_statics(module, &sources.rust)).flatten());
        interface.field(facts.interface.to_le_bytes());
        let (compiled, interface) = (compiled.finish(), interface.finish());
        let (identity, facts) = (Arc::new(identity), Arc::new(facts));
        Ok(Inputs {
            hash,
            compiled,
            interface,
            identity,
            cores,
            facts,
            refused,
            known,
            failed,
            stamps,
        })
    }
}

/// Hashes a sequence of fields of any length.
#[derive(Clone, Default)]
struct FieldHasher(blake3::Hasher);

impl FieldHasher {
    fn field(&mut self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    fn finish(self) -> InputsHash {
        InputsHash::from(self.0.finalize())
    }
}

/// Everything but its own source that shapes a crate's types: its dependencies, options, and the
/// crate epochs of its core crates.
fn salt(
    recipe: &Recipe,
    linked: &LinkedFiles,
    libraries: &[String],
    cores: &BTreeMap<&ModuleId, &Epoch>,
) -> Vec<String> {
    let mut salt = vec![format!("api={}", playground_api::ABI)];
    salt.extend_from_slice(libraries);
    for (name, file) in recipe.linked() {
        let is_core = cores.keys().any(|core| core.crate_name() == name);
        // Built against the process's own, or not at all.
        if !is_core && name != API_CRATE {
            // cargo's file names have a hash of the package, its features and dependencies.
            let file_name = file.file_name().unwrap_or_default().to_string_lossy();
            let content = linked.hash_of(file).unwrap_or("missing");
            salt.push(format!("{name}={file_name} {content}"));
        }
    }
    salt.extend(recipe.shaping_options());
    salt.extend(cores.iter().map(|(core, epoch)| format!("{core}={epoch}")));
    salt
}

/// The refusal of a module with code that Rust does not check.
fn refused_words(module: &ModuleCrate, sources: &[(PathBuf, String)]) -> Option<Explanation> {
    let found: Vec<String> = unchecked_code::refused_words(sources, &module.folder)
        .into_iter()
        .map(|(path, line, word)| {
            format!("  {}:{line}: `{word}`", module.folder.join(path).display())
        })
        .collect();
    let unchecked = |found| BuildError::Unchecked { module: module.id.clone(), found }.explain();
    (!found.is_empty()).then(|| unchecked(found))
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
mod tests;
