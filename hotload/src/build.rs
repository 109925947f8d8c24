//! Builds the modules whose inputs changed, each after the core crates that it links to.
//!
//! ```text
//!  capture ─► recipe     cargo's command for each module, recorded once
//!  sources ─► inputs     hash and epoch of what goes into each module
//!  build_lock            one build at a time in a folder
//!  rustc ◄─ standby      the command, with this project's output, epoch and linker
//!  relink                the linker alone, where only the code of cores is new
//!  dep_info ─► inputs    what rustc did read: anything else, and the module is built once more
//!  store                 the artifact, with a record of what it was made from
//! ```

mod batch;
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
pub mod scripts;
mod sources;
mod stamp;
pub mod standby;
mod store;
mod unchecked_code;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::{Instant, SystemTime};

use crate::ids::ModuleId;
use crate::refusal::Refusal;
use crate::workspace::Folders;
pub use batch::Batch;
use build_lock::BuildLock;
use capture::{CaptureError, write_if_changed, write_script};
pub use dep_info::DepInfo;
use error::BuildError;
use inputs::{AfterSuccess, after_failure, after_success};
pub use inputs::{Inputs, Learned, inputs};
pub use recipe::{Recipes, hash_of};
use relink::Kept;
use rustc::{Cancel, CompileTimes, Compiled, Job, Linker, ms};
pub use stamp::Stamp;

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

/// Writes the linker script and its version script to the folder of built modules. `None` if rustc
/// has no lld of its own.
///
/// # Errors
///
/// If the files cannot be written.
pub fn linker(folders: &Folders, recipes: &Recipes) -> Result<Option<Linker>, CaptureError> {
    let rustc = recipes.by_module.values().find_map(|recipe| recipe.arguments.first());
    let sysroot = rustc.and_then(|rustc| Path::new(rustc).parent()?.parent());
    let host = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let lld = sysroot.map(|sysroot| sysroot.join("lib/rustlib").join(host).join("bin/rust-lld"));
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

/// Starts a compilation when those that it depends on are done.
struct Scheduler<'a> {
    batch: &'a Batch,
    /// In build order.
    waiting: Vec<ModuleId>,
    running: BTreeSet<ModuleId>,
    outcomes: BTreeMap<ModuleId, Outcome>,
    /// The inputs of all modules, as far as is known by now.
    inputs: BTreeMap<ModuleId, Inputs>,
    /// Modules whose artifact was not made from the inputs of the batch.
    outdated: BTreeSet<ModuleId>,
}

impl<'a> Scheduler<'a> {
    fn new(batch: &'a Batch) -> Self {
        // A build of other inputs may have replaced the library of a core crate in between.
        let links = batch.ids.iter().flat_map(|id| batch.members.links_of(id));
        let links: BTreeSet<ModuleId> = links.filter(|id| !batch.ids.contains(id)).collect();
        let is_outdated = |id: &ModuleId| links.contains(id) && !store::has_library(batch, id);
        // Link cycles are refused when the workspace is read.
        let mut waiting = batch.members.build_order().unwrap_or_default();
        waiting.retain(|id| batch.ids.contains(id) || is_outdated(id));
        Self {
            batch,
            waiting,
            running: BTreeSet::new(),
            outcomes: BTreeMap::new(),
            inputs: batch.inputs.clone(),
            outdated: BTreeSet::new(),
        }
    }

    fn run(mut self, cancel: &Cancel, report: &mut impl FnMut(BuildProgress)) -> Self {
        let batch = self.batch;
        let width = thread::available_parallelism().map_or(1, |n| n.get());
        let (done, compiled) = mpsc::channel();
        thread::scope(|scope| {
            loop {
                while self.running.len() < width
                    && let Some(job) = self.next_job()
                {
                    report(BuildProgress::Started(job.id.clone()));
                    self.running.insert(job.id.clone());
                    let done = done.clone();
                    scope.spawn(move || {
                        let started = SystemTime::now();
                        let compiled = rustc::build(&job, cancel, &batch.standby);
                        // The receiver outlives the scope.
                        let _ = done.send((job, started, compiled));
                    });
                }
                if self.running.is_empty() {
                    break;
                }
                let Ok((job, started, compiled)) = compiled.recv() else { break };
                self.running.remove(&job.id);
                if let Some(outcome) = self.finish(&job, started, compiled) {
                    self.outcomes.insert(job.id.clone(), outcome);
                    report(BuildProgress::Finished(job.id));
                }
            }
        });
        self
    }

    /// The next compilation that can start. Records the outcome of modules that need none.
    fn next_job(&mut self) -> Option<Job> {
        let mut at = 0;
        while at < self.waiting.len() {
            let links = self.batch.members.links_of(&self.waiting[at]);
            let is_open = |id: &ModuleId| self.running.contains(id) || self.waiting.contains(id);
            if links.iter().any(is_open) {
                at += 1;
                continue;
            }
            let id = self.waiting.remove(at);
            if !links.is_disjoint(&self.outdated) {
                // Built in the next round, after them.
                self.outdated.insert(id);
                continue;
            }
            let outcome = match (self.failed_core(&links), self.known_outcome(&id)) {
                (Some(core), _) => Outcome::Skipped(core),
                (None, Some(outcome)) => outcome,
                (None, None) => match self.batch.job(&id) {
                    Some(job) => return Some(job),
                    None => {
                        let error = BuildError::NoRecipe { module: id.clone() };
                        Outcome::Failed(vec![error.to_string()])
                    }
                },
            };
            self.outcomes.insert(id, outcome);
        }
        None
    }

    /// `None` when cancelled, and for an artifact that does not count.
    fn finish(&mut self, job: &Job, started: SystemTime, compiled: Compiled) -> Option<Outcome> {
        let finished = match compiled {
            Compiled::Cancelled => return None,
            Compiled::Failed { messages, .. } => self.finish_failed(&job.id, messages),
            Compiled::Done { artifact, times, warnings } => {
                let built = self.finish_built(job, started, &artifact, times);
                built.map(|built| Some(Outcome::Built(Built { warnings, ..built? })))
            }
        };
        finished.unwrap_or_else(|refusal| Some(Outcome::Failed(vec![refusal.to_string()])))
    }

    fn finish_failed(
        &mut self,
        id: &ModuleId,
        messages: Vec<String>,
    ) -> Result<Option<Outcome>, Refusal> {
        if let Some(inputs) = after_failure(self.batch, &self.inputs, id)? {
            self.inputs.insert(id.clone(), inputs);
        }
        Ok(Some(Outcome::Failed(messages)))
    }

    /// Stores an artifact, if it was made from its module's inputs.
    fn finish_built(
        &mut self,
        job: &Job,
        started: SystemTime,
        artifact: &Path,
        mut times: CompileTimes,
    ) -> Result<Option<Built>, Refusal> {
        let at = Instant::now();
        let (id, file, is_core) = (&job.id, job.dep_info(), job.is_core);
        let read = DepInfo::read(&file, &job.recipe.folder)
            .map_err(|source| CaptureError::File { path: file, source })?;
        let Some(before) = self.batch.inputs.get(id) else { return Ok(None) };
        if !self.batch.recipes.linked.are_unchanged() || self.batch.check_libraries().is_err() {
            self.outdated.insert(id.clone());
            return Ok(None);
        }
        let verified = after_success(self.batch, &self.inputs, id, before, read, started)?;
        times.verify_ms = ms(at);
        match verified {
            AfterSuccess::Holds(inputs) => {
                let at = Instant::now();
                let (path, bytes) = store::put(self.batch, id, &inputs, artifact)?;
                if !is_core {
                    Kept::keep(self.batch, job, &inputs)?;
                }
                times.link_ms += ms(at);
                self.inputs.insert(id.clone(), inputs);
                Ok(Some(Built { path, bytes, times, warnings: Vec::new() }))
            }
            AfterSuccess::Outdated(inputs) => {
                self.inputs.insert(id.clone(), inputs);
                self.outdated.insert(id.clone());
                Ok(None)
            }
        }
    }

    /// The core crate among `links` that failed or was skipped, if any.
    fn failed_core(&self, links: &BTreeSet<ModuleId>) -> Option<ModuleId> {
        links.iter().find_map(|link| match self.outcomes.get(link)? {
            Outcome::Failed(_) => Some(link.clone()),
            Outcome::Skipped(core) => Some(core.clone()),
            Outcome::Built(_) | Outcome::Refused(_) => None,
        })
    }

    /// The outcome if it needs no compilation: a refusal because of the source, or an earlier
    /// artifact.
    fn known_outcome(&self, id: &ModuleId) -> Option<Outcome> {
        match &self.batch.inputs.get(id)?.refused {
            Some(reason) => Some(Outcome::Failed(vec![reason.to_string()])),
            None => store::find(self.batch, id).map(Outcome::Built),
        }
    }
}

#[cfg(test)]
mod tests;
