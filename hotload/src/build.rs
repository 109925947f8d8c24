//! Builds the modules whose inputs changed, each behind the core crates that it links to.

pub mod capture;
pub mod rustc;
pub mod standby;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Instant;
use std::{fs, thread};

use serde::{Deserialize, Serialize};

use crate::artifact::{self, Artifact, Writers};
use crate::epoch::{self, epoch};
use crate::ids::{ArtifactHash, Epoch, InputsHash, ModuleId};
use crate::os_remedies::is_of_process;
use crate::workspace::{self, Folders, Members, ModuleCrate, WorkspaceError};
use capture::{CaptureError, Recipe, Recipes};
use rustc::{Cancel, CompileTimes, Compiled, Job, Linker, ms};
use standby::Standby;

/// A module's state on disk, as far as a build depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inputs {
    /// Hash of everything that goes into the build.
    pub hash: InputsHash,
    /// Goes into the `TypeId` of the crate's types.
    pub epoch: Epoch,
    /// The epochs of the core crates below, by id.
    pub cores: BTreeMap<ModuleId, Epoch>,
    /// Why the module cannot be built, where its source says so already.
    pub refused: Option<String>,
}

/// What is known of an artifact on disk, beside its bytes.
#[derive(Serialize, Deserialize)]
struct Record {
    inputs: InputsHash,
    hash: ArtifactHash,
    /// Hash of what dependents of a core crate link to.
    #[serde(default)]
    library: Option<String>,
}

/// A built module.
#[derive(Debug)]
pub struct Built {
    /// The artifact's file.
    pub path: PathBuf,
    /// The artifact.
    pub bytes: Vec<u8>,
    /// Where the time went; zero for an artifact that was there.
    pub times: CompileTimes,
    /// What rustc warned of.
    pub warnings: Vec<String>,
}

/// How the build of one module ended.
#[derive(Debug)]
pub enum Outcome {
    /// The artifact is there.
    Built(Built),
    /// Why there is none.
    Failed(Vec<String>),
    /// A core crate that it links to failed.
    Skipped(ModuleId),
}

/// What a build says while it runs.
#[derive(Clone, Debug)]
pub enum Said {
    /// rustc starts on a module.
    Started(ModuleId),
    /// A module is done; so many of so many are.
    Finished(ModuleId),
}

/// The linker's script and what it needs, written to the folder of built modules; `None` where
/// rustc does not bring its own lld.
///
/// # Errors
///
/// When the files cannot be written.
pub fn linker(folders: &Folders, recipes: &Recipes) -> Result<Option<Linker>, CaptureError> {
    let rustc = recipes.by_module.values().find_map(|recipe| recipe.arguments.first());
    let sysroot = rustc.and_then(|rustc| Path::new(rustc).parent()?.parent());
    let host = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let lld = sysroot.map(|sysroot| sysroot.join("lib/rustlib").join(host).join("bin/rust-lld"));
    let Some(lld) = lld.filter(|lld| lld.is_file()) else { return Ok(None) };
    let script = folders.built.join("link.sh");
    let exports = folders.built.join("exports.ld");
    capture::write_script(&script, include_str!("build/link.sh"))?;
    capture::write_new(&exports, include_bytes!("build/exports.ld"))?;
    Ok(Some(Linker { script, exports, lld }))
}

/// The inputs of every module that has a recipe. What did not change since `known` is taken over.
///
/// # Errors
///
/// When the process can read no file at all. A single one that cannot be read is why its module is
/// refused.
pub fn inputs(
    members: &Members,
    recipes: &Recipes,
    known: &BTreeMap<ModuleId, Inputs>,
    workspace: &Path,
) -> Result<BTreeMap<ModuleId, Inputs>, WorkspaceError> {
    let mut all: BTreeMap<ModuleId, Inputs> = BTreeMap::new();
    let linked = members.linked();
    for id in members.build_order().unwrap_or_default() {
        let Some(module) = members.crates.get(&id) else { continue };
        let Some(recipe) = recipes.by_module.get(&id) else { continue };
        let is_core = linked.contains(&id);
        let inputs = module_inputs(
            module,
            recipe,
            &recipes.api,
            &all,
            members,
            is_core,
            known.get(&id),
            workspace,
        )?;
        all.insert(id, inputs);
    }
    Ok(all)
}

fn module_inputs(
    module: &ModuleCrate,
    recipe: &Recipe,
    api: &str,
    below: &BTreeMap<ModuleId, Inputs>,
    members: &Members,
    is_core: bool,
    known: Option<&Inputs>,
    workspace: &Path,
) -> Result<Inputs, WorkspaceError> {
    let mut hasher = blake3::Hasher::new();
    let mut field = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    field(playground_api::ABI.as_bytes());
    field(api.as_bytes());
    field(include_bytes!("build/link.sh"));
    field(include_bytes!("build/exports.ld"));
    field(&[u8::from(is_core)]);
    for argument in &recipe.arguments {
        // The same in every checkout.
        field(argument.replace(&*workspace.to_string_lossy(), ".").as_bytes());
    }
    let (mut sources, mut unreadable) = (Vec::new(), None);
    let files = match workspace::files(&module.folder) {
        Ok(files) => files,
        Err(WorkspaceError::Unreadable { source, path }) if !is_of_process(&source) => {
            let reason = WorkspaceError::Unreadable { source, path }.to_string();
            field(reason.as_bytes());
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
    let mut cores = BTreeMap::new();
    for link in members.links_of(&module.id) {
        if let Some(inputs) = below.get(&link) {
            field(link.as_str().as_bytes());
            field(inputs.hash.as_str().as_bytes());
            cores.insert(link, inputs.epoch.clone());
        }
    }
    let hash = InputsHash::from(hasher.finalize());
    if let Some(known) = known.filter(|known| known.hash == hash) {
        return Ok(known.clone());
    }
    let epoch = epoch(&module.folder, &sources, &salt(recipe, &libraries, &cores));
    let refused = if is_core { refused_statics(module, &sources) } else { None };
    Ok(Inputs { hash, epoch, cores, refused: unreadable.or(refused) })
}

/// What beside its own source shapes a crate's types: what it is linked with, its features, the
/// epochs of its core crates.
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

fn refused_statics(module: &ModuleCrate, sources: &[(PathBuf, String)]) -> Option<String> {
    let found = epoch::refused_statics(sources);
    let lines: Vec<String> = found
        .into_iter()
        .map(|(path, line, what)| {
            format!("  {}:{line}: {what}", module.folder.join(path).display())
        })
        .collect();
    (!lines.is_empty()).then(|| {
        format!(
            "H0310: core crate `{}` holds state outside of the world:\n{}\nEvery module that links \
             to it would have its own copy, new at each swap. Use a Resource instead",
            module.id,
            lines.join("\n")
        )
    })
}

/// Everything that a build needs to know.
pub struct Batch {
    /// Where.
    pub folders: Folders,
    /// The modules on disk.
    pub members: Members,
    /// How to compile them.
    pub recipes: Recipes,
    /// What goes into them.
    pub inputs: BTreeMap<ModuleId, Inputs>,
    /// What to build; core crates that these link to are built where their output is missing.
    pub ids: BTreeSet<ModuleId>,
    /// What links them.
    pub linker: Option<Linker>,
    /// Compilers that wait.
    pub standby: Standby,
}

/// Builds the batch. `None` when it was cancelled.
pub fn build(
    batch: &Batch,
    cancel: &Cancel,
    mut say: impl FnMut(Said),
) -> Option<BTreeMap<ModuleId, Outcome>> {
    let mut outcomes = BTreeMap::new();
    let mut waiting: Vec<ModuleId> = batch.members.build_order().unwrap_or_default();
    waiting.retain(|id| batch.ids.contains(id));
    let linked = batch.members.linked();
    let (done, compiled) = mpsc::channel();
    let mut running: BTreeSet<ModuleId> = BTreeSet::new();
    let width = thread::available_parallelism().map_or(1, |n| n.get());
    thread::scope(|scope| {
        loop {
            let mut i = 0;
            while i < waiting.len() && running.len() < width {
                let links = batch.members.links_of(&waiting[i]);
                let blocked = |link: &ModuleId| running.contains(link) || waiting.contains(link);
                if links.iter().any(blocked) {
                    i += 1;
                    continue;
                }
                let id = waiting.remove(i);
                let failed = links.iter().find(|link| {
                    matches!(outcomes.get(*link), Some(Outcome::Failed(_) | Outcome::Skipped(_)))
                });
                if let Some(failed) = failed {
                    outcomes.insert(id, Outcome::Skipped(failed.clone()));
                    continue;
                }
                if let Some(outcome) = without_compiling(batch, &id, linked.contains(&id)) {
                    outcomes.insert(id, outcome);
                    continue;
                }
                let Some(job) = job(batch, &id, linked.contains(&id)) else {
                    let message = format!("H0308: cargo gave no recipe for `{id}`");
                    outcomes.insert(id, Outcome::Failed(vec![message]));
                    continue;
                };
                say(Said::Started(id.clone()));
                running.insert(id);
                let done = done.clone();
                scope.spawn(move || {
                    let compiled = rustc::compile(&job, cancel, &batch.standby);
                    // The receiver outlives the scope.
                    let _ = done.send((job, compiled));
                });
            }
            if running.is_empty() {
                break;
            }
            let Ok((job, compiled)) = compiled.recv() else { break };
            running.remove(&job.id);
            match compiled {
                Compiled::Cancelled => continue,
                Compiled::Failed { messages, .. } => {
                    outcomes.insert(job.id.clone(), Outcome::Failed(messages));
                }
                Compiled::Done { artifact, times, warnings } => {
                    let started = Instant::now();
                    let kept = keep(batch, &job.id, &artifact);
                    let outcome = match kept {
                        Ok((path, bytes)) => {
                            let times =
                                CompileTimes { link_ms: times.link_ms + ms(started), ..times };
                            Outcome::Built(Built { path, bytes, times, warnings })
                        }
                        Err(error) => Outcome::Failed(vec![error.to_string()]),
                    };
                    outcomes.insert(job.id.clone(), outcome);
                }
            }
            say(Said::Finished(job.id));
        }
    });
    (!cancel.is_cancelled()).then_some(outcomes)
}

/// The outcome that is known before rustc runs: a refusal, or the artifact of an earlier build.
fn without_compiling(batch: &Batch, id: &ModuleId, is_core: bool) -> Option<Outcome> {
    let inputs = batch.inputs.get(id)?;
    if let Some(refused) = &inputs.refused {
        return Some(Outcome::Failed(vec![refused.clone()]));
    }
    let path = artifact_path(&batch.folders, id);
    let record: Record =
        serde_json::from_slice(&fs::read(path.with_extension("json")).ok()?).ok()?;
    if record.inputs != inputs.hash {
        return None;
    }
    // Dependents of a core crate need its rlib as well, and that of the same build: one that was
    // broken off may have written another.
    if is_core && (record.library.is_none() || record.library != library_hash(batch, id)) {
        return None;
    }
    // One that is not as it was written is built again.
    let read =
        artifact::read(&path, &batch.folders.built, Some(&record.hash), Writers::Anybody).ok()?;
    let Artifact { path, bytes, .. } = read;
    let times = CompileTimes::default();
    Some(Outcome::Built(Built { path, bytes, times, warnings: Vec::new() }))
}

/// The hash of what dependents of a core crate link to.
fn library_hash(batch: &Batch, id: &ModuleId) -> Option<String> {
    let name = format!("lib{}.rlib", id.crate_name());
    let bytes = fs::read(output_folder(&batch.folders, id).join(name)).ok()?;
    Some(blake3::hash(&bytes).to_hex().to_string())
}

fn job(batch: &Batch, id: &ModuleId, is_core: bool) -> Option<Job> {
    let module = batch.members.crates.get(id)?;
    let inputs = batch.inputs.get(id)?;
    let core_folders = batch
        .members
        .links_of(id)
        .into_iter()
        .map(|core| (core.crate_name(), output_folder(&batch.folders, &core)));
    Some(Job {
        id: id.clone(),
        crate_name: module.crate_name(),
        recipe: batch.recipes.by_module.get(id)?.clone(),
        epoch: inputs.epoch.clone(),
        cores: inputs.cores.clone(),
        core_folders: core_folders.collect(),
        is_core,
        folder: output_folder(&batch.folders, id),
        linker: batch.linker.clone(),
    })
}

fn output_folder(folders: &Folders, id: &ModuleId) -> PathBuf {
    folders.built.join("build").join(id.as_str())
}

fn artifact_path(folders: &Folders, id: &ModuleId) -> PathBuf {
    folders.built.join("artifacts").join(format!("{id}.so"))
}

/// Takes the dylib out of rustc's folder, where dependents would find it beside the rlib, and
/// writes down what it was made from.
fn keep(batch: &Batch, id: &ModuleId, artifact: &Path) -> Result<(PathBuf, Vec<u8>), CaptureError> {
    let path = artifact_path(&batch.folders, id);
    let file = |source| CaptureError::File { path: path.clone(), source };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(file)?;
    }
    let bytes = fs::read(artifact).map_err(file)?;
    fs::rename(artifact, &path).map_err(file)?;
    if let Some(inputs) = batch.inputs.get(id) {
        let hash = ArtifactHash::of(&bytes);
        let is_core = batch.members.linked().contains(id);
        let library = is_core.then(|| library_hash(batch, id)).flatten();
        let record = Record { inputs: inputs.hash.clone(), hash, library };
        let text = serde_json::to_vec(&record).map_err(|source| file(source.into()))?;
        capture::write(&path.with_extension("json"), &text)?;
    }
    Ok((path, bytes))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::inspect::MIN_FILE_BYTES;

    #[test]
    fn what_modules_are_built_with_counts() {
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

        // What cargo says in the command: another release of a dependency, another feature.
        let dependency = |file: &str| inputs_with("one", &["--extern", file]).epoch;
        let old = dependency("glam=target/debug/deps/libglam-0a.rlib");
        assert_eq!(old, dependency("glam=elsewhere/debug/deps/libglam-0a.rlib"));
        assert_ne!(old, dependency("glam=target/debug/deps/libglam-0b.rlib"));
        let feature = inputs_with("one", &["--cfg", "feature=\"wide\""]);
        assert_ne!(one.epoch, feature.epoch);

        // Leads to itself: it is there, and cannot be read.
        symlink("round.rs", folder.join("round.rs")).unwrap();
        let round = inputs_with("one", &[]);
        let refused = round.refused.unwrap();
        assert!(refused.contains("H0106") && refused.contains("round.rs"), "{refused}");
        assert_ne!(round.hash, one.hash);
        fs::remove_file(folder.join("round.rs")).unwrap();
        assert_eq!(inputs_with("one", &[]), one);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_build_that_was_broken_off_is_not_taken_for_the_one_before() {
        let folder = format!("playground-broken-off-{}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        let _ = fs::remove_dir_all(&folder);
        let module = |id: &str, links: &[&str]| ModuleCrate {
            id: id.into(),
            folder: folder.join(id),
            links: links.iter().map(|&link| link.into()).collect(),
            libraries: BTreeSet::new(),
        };
        let crates = [module("core_a", &[]), module("systems_b", &["core_a"])];
        let crates = crates.map(|module| (module.id.clone(), module)).into();
        let (hash, epoch) = ("i".into(), "e".into());
        let inputs = Inputs { hash, epoch, cores: BTreeMap::new(), refused: None };
        let batch = Batch {
            folders: Folders {
                workspace: folder.clone(),
                modules: folder.clone(),
                built: folder.clone(),
            },
            members: Members { crates, ..Members::default() },
            recipes: Recipes::default(),
            inputs: ["core_a", "systems_b"].map(|id| (id.into(), inputs.clone())).into(),
            ids: BTreeSet::new(),
            linker: None,
            standby: Standby::default(),
        };
        let (core, systems) = (ModuleId::from("core_a"), ModuleId::from("systems_b"));
        let bytes = vec![7; MIN_FILE_BYTES];
        let output = output_folder(&batch.folders, &core);
        fs::create_dir_all(&output).unwrap();
        fs::create_dir_all(output_folder(&batch.folders, &systems)).unwrap();
        let library = output.join("libcore_a.rlib");
        fs::write(&library, "one").unwrap();
        for (id, is_core) in [(&core, true), (&systems, false)] {
            let rustcs = output_folder(&batch.folders, id).join("made.so");
            fs::write(&rustcs, &bytes).unwrap();
            keep(&batch, id, &rustcs).unwrap();
            assert!(without_compiling(&batch, id, is_core).is_some());
        }
        // rustc was killed after it wrote the rlib of another source.
        fs::write(&library, "two").unwrap();
        assert!(without_compiling(&batch, &core, true).is_none());
        fs::write(&library, "one").unwrap();
        assert!(without_compiling(&batch, &core, true).is_some());
        // The game was, after the artifact was moved and before its record was.
        fs::write(artifact_path(&batch.folders, &systems), vec![8; MIN_FILE_BYTES]).unwrap();
        assert!(without_compiling(&batch, &systems, false).is_none());
        fs::remove_dir_all(&folder).unwrap();
    }
}
