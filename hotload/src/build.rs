//! Builds the modules whose inputs changed, each after the core crates that it links to.
//!
//! ```text
//!  capture ─► recipe     cargo's command for each module, recorded once
//!  sources ─► inputs     hash and epoch of what goes into each module
//!  build_lock            one build at a time in a folder
//!  scheduler             which one is checked, compiled or linked next
//!  rustc ◄─ standby      the command, with this project's output, epoch and linker
//!  ahead                 a core's metadata, for dependents that are compiled before its library
//!  relink                the linker alone, where only the code of cores is new
//!  dep_info ─► inputs    what rustc did read: anything else, and the module is built once more
//!  store                 the artifact, with a record of what it was made from
//!  cause                 why a module was built
//! ```

mod ahead;
mod batch;
pub mod cause;
pub mod build_lock;
pub mod capture;
mod dep_info;
mod diagnostics;
mod environment;
pub mod error;
mod features;
mod incremental;
mod inputs;
mod linked;
pub mod process_group;
pub mod recipe;
mod relink;
pub mod rustc;
mod scheduler;
pub mod scripts;
mod sources;
mod stamp;
pub mod standby;
mod store;
mod unchecked_code;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::ids::ModuleId;
use crate::refusal::Refusal;
use crate::workspace::Folders;
pub use batch::Batch;
use build_lock::BuildLock;
use capture::{CaptureError, write_if_changed, write_script};
pub use dep_info::DepInfo;
use error::BuildError;
pub use inputs::{Inputs, Learned, inputs};
pub use recipe::{Recipes, hash_of};
use rustc::{Cancel, CompileTimes, Linker};
use scheduler::Scheduler;
pub use stamp::Stamp;
pub use store::output_folder;

/// A built module.
#[derive(Debug)]
pub struct Built {
    /// The artifact's file.
    pub path: PathBuf,
    /// The file's bytes.
    pub bytes: Vec<u8>,
    /// Zero for an artifact of an earlier build.
    pub times: CompileTimes,
    /// rustc's warnings, as it renders them.
    pub warnings: Vec<String>,
}

/// The result of building one module.
#[derive(Debug)]
pub enum Outcome {
    /// An artifact exists.
    Built(Built),
    /// rustc reported these errors.
    Failed(Vec<String>),
    /// An artifact that the user supplied as a file was refused, or rustc would not find the
    /// libraries that the game runs with.
    Refused(Refusal),
    /// Not compiled, because this core crate, to which it links directly or indirectly, failed.
    Skipped(ModuleId),
}

/// A step of a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildProgress {
    /// Another build in the same folder is running; this one starts after it.
    Waiting,
    /// rustc was started for a module.
    Started(ModuleId),
    /// A module does not compile, with rustc's errors.
    Failed(ModuleId, Vec<String>),
    /// rustc has finished with a module.
    Finished(ModuleId),
}

/// The result of a build.
#[derive(Debug)]
pub struct Build {
    /// The result for each module.
    pub outcomes: BTreeMap<ModuleId, Outcome>,
    /// The inputs of modules about which compiling showed something new.
    pub learned: BTreeMap<ModuleId, Learned>,
}

/// rustc's name for the system that this was compiled for. The only one that modules load on.
pub fn host_triple() -> String {
    format!("{}-unknown-linux-gnu", std::env::consts::ARCH)
}

/// Writes the linker script and its version script to the folder of built modules. `None` if rustc
/// has no lld of its own.
///
/// # Errors
///
/// If the files cannot be written.
pub fn linker(folders: &Folders, recipes: &Recipes) -> Result<Option<Linker>, CaptureError> {
    let rustc = recipes.by_module.values().find_map(|recipe| recipe.arguments.first());
    let sysroot = rustc.and_then(|rustc| Path::new(rustc).parent()?.parent());
    let lld =
        sysroot.map(|sysroot| sysroot.join("lib/rustlib").join(host_triple()).join("bin/rust-lld"));
    let Some(lld) = lld.filter(|lld| lld.is_file()) else { return Ok(None) };
    let script = folders.built.join("link.sh");
    let exports = folders.built.join("exports.ld");
    write_script(&script, include_str!("build/link.sh"))?;
    write_if_changed(&exports, include_bytes!("build/exports.ld"))?;
    Ok(Some(Linker { script, exports, lld }))
}

/// The number of times that sources may change while rustc reads them.
const MOST_ROUNDS: usize = 10;

/// Builds the modules of the batch, after any other build in the same folder. `None` when cancelled.
pub fn build(
    batch: Batch,
    cancel: &Cancel,
    mut report: impl FnMut(BuildProgress),
) -> Option<Build> {
    if cancel.is_cancelled() {
        return None;
    }
    // Artifacts can be read while another build runs, since it replaces them atomically.
    if let Some(outcomes) = without_compiling(&batch) {
        return Some(Build { outcomes, learned: BTreeMap::new() });
    }
    let on_wait = || report(BuildProgress::Waiting);
    let _lock = BuildLock::acquire(&batch.folders.built, cancel, on_wait)?;
    let before = batch.inputs.clone();
    let (outcomes, inputs) = build_until_settled(batch, cancel, &mut report)?;
    let build = Build { outcomes, learned: learned(before, inputs) };
    (!cancel.is_cancelled()).then_some(build)
}

/// Builds until no module was made from something else than its inputs. `None` when cancelled.
fn build_until_settled(
    mut batch: Batch,
    cancel: &Cancel,
    report: &mut impl FnMut(BuildProgress),
) -> Option<(BTreeMap<ModuleId, Outcome>, BTreeMap<ModuleId, Inputs>)> {
    for _ in 0..MOST_ROUNDS {
        if let Err(error) = batch.check_libraries() {
            let refusal = Refusal::from(error);
            let refused = |id: &ModuleId| (id.clone(), Outcome::Refused(refusal.clone()));
            return Some((batch.ids.iter().map(refused).collect(), batch.inputs));
        }
        let Scheduler { mut outcomes, inputs: now, outdated, .. } =
            Scheduler::new(&batch).run(cancel, report);
        if cancel.is_cancelled() {
            return None;
        }
        if outdated.is_empty() {
            outcomes.retain(|id, _| batch.ids.contains(id));
            return Some((outcomes, now));
        }
        batch.recipes.read_linked();
        match inputs(&batch.folders, &batch.members, &batch.recipes, &now) {
            Ok(inputs) => batch.inputs = inputs,
            Err(error) => {
                let failed = |id: &ModuleId| (id.clone(), Outcome::Failed(vec![error.to_string()]));
                return Some((batch.ids.iter().map(failed).collect(), now));
            }
        }
    }
    let failed = |id: &ModuleId| {
        let error = BuildError::Unsettled { module: id.clone() };
        (id.clone(), Outcome::Failed(vec![error.to_string()]))
    };
    Some((batch.ids.iter().map(failed).collect(), batch.inputs))
}

/// The inputs that differ from those before the build.
fn learned(
    before: BTreeMap<ModuleId, Inputs>,
    now: BTreeMap<ModuleId, Inputs>,
) -> BTreeMap<ModuleId, Learned> {
    let learned = now.into_iter().filter_map(|(id, inputs)| {
        let before = before.get(&id)?;
        let is_same = before.hash == inputs.hash && before.know_the_same(&inputs);
        (!is_same).then(|| (id, Learned { from: before.hash.clone(), inputs }))
    });
    learned.collect()
}

/// The outcomes of the batch if there is an artifact of an earlier build for each module.
fn without_compiling(batch: &Batch) -> Option<BTreeMap<ModuleId, Outcome>> {
    let found = |id: &ModuleId| Some((id.clone(), Outcome::Built(store::find(batch, id)?)));
    batch.ids.iter().map(found).collect()
}

#[cfg(test)]
mod tests;
