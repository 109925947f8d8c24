//! Decides which compilation of a batch runs next.
//!
//! ```text
//!  core        check ─┬──► compile ──► link ─┐
//!                     ▼ metadata             ▼ library
//!  dependent        check ──► compile ──► (waits) link
//! ```
//!
//! rustc writes a crate's metadata once its types are checked. That is all it needs of a core to
//! check and compile a dependent; only the linker needs the core's library. Checking takes a small
//! part of the time and finds nearly all errors, so while modules can be checked, compilers that
//! have finished checking are paused: the errors of all modules are known first.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::{Instant, SystemTime};

use super::capture::CaptureError;
use super::error::BuildError;
use super::inputs::{AfterSuccess, after_failure, after_success};
use super::process_group::ProcessGroup;
use super::relink::{self, Kept};
use super::rustc::{self, Cancel, Compiled, Job, ms};
use super::{Batch, BuildProgress, Built, DepInfo, Inputs, Outcome, store};
use crate::ids::ModuleId;
use crate::process_limits;
use crate::refusal::Refusal;

/// The state of the compilations of a batch.
pub(super) struct Scheduler<'a> {
    batch: &'a Batch,
    /// In build order.
    waiting: Vec<ModuleId>,
    running: BTreeMap<ModuleId, Running>,
    /// Compiled with the metadata of cores whose libraries did not exist yet.
    unlinked: BTreeMap<ModuleId, Ended>,
    pub outcomes: BTreeMap<ModuleId, Outcome>,
    /// The inputs of all modules, as far as is known by now.
    pub inputs: BTreeMap<ModuleId, Inputs>,
    /// Modules whose artifact was not made from the inputs of the batch.
    pub outdated: BTreeSet<ModuleId>,
}

/// A compilation or link under way.
#[derive(Default)]
struct Running {
    /// The processes, once types are checked.
    checked: Option<ProcessGroup>,
    paused_at: Option<Instant>,
    paused_ms: f32,
}

/// A compilation or link that has ended.
struct Ended {
    job: Job,
    started: SystemTime,
    compiled: Compiled,
}

/// News from the threads that wait for rustc.
enum Event {
    Checked(ModuleId, ProcessGroup),
    Ended(Box<Ended>),
}

/// The next thing to run.
enum Step {
    Compile(Job),
    Link(Ended),
}

impl<'a> Scheduler<'a> {
    pub fn new(batch: &'a Batch) -> Self {
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
            running: BTreeMap::new(),
            unlinked: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            inputs: batch.inputs.clone(),
            outdated: BTreeSet::new(),
        }
    }

    pub fn run(mut self, cancel: &Cancel, report: &mut impl FnMut(BuildProgress)) -> Self {
        let batch = self.batch;
        let width = thread::available_parallelism().map_or(1, |n| n.get());
        let (sender, events) = mpsc::channel();
        thread::scope(|scope| {
            loop {
                if cancel.is_cancelled() {
                    // Cores may be missing from now on.
                    self.waiting.clear();
                    self.unlinked.clear();
                }
                while self.active() < width
                    && let Some(step) = self.next_step()
                {
                    let id = step.id().clone();
                    if matches!(step, Step::Compile(_)) {
                        report(BuildProgress::Started(id.clone()));
                    }
                    self.running.insert(id, Running::default());
                    let sender = sender.clone();
                    // The receiver outlives the scope.
                    scope.spawn(move || {
                        let checked = |id: &ModuleId, group: &ProcessGroup| {
                            let _ = sender.send(Event::Checked(id.clone(), group.clone()));
                        };
                        let ended = step.execute(batch, cancel, &checked);
                        let _ = sender.send(Event::Ended(Box::new(ended)));
                    });
                }
                while self.active() < width && self.resume() {}
                if self.running.is_empty() {
                    break;
                }
                match events.recv() {
                    Ok(Event::Checked(id, group)) => self.on_checked(&id, group),
                    Ok(Event::Ended(ended)) => self.on_ended(*ended, report),
                    Err(_) => break,
                }
            }
        });
        self
    }

    /// The number of compilers that are not paused.
    fn active(&self) -> usize {
        self.running.values().filter(|running| running.paused_at.is_none()).count()
    }

    /// The next link or compilation that can start. Records the outcome of modules that need none.
    fn next_step(&mut self) -> Option<Step> {
        let unlinked: Vec<ModuleId> = self.unlinked.keys().cloned().collect();
        for id in unlinked {
            let links = self.batch.members.links_of(&id);
            if links.iter().any(|link| self.is_open(link)) {
                continue;
            }
            let Some(ended) = self.unlinked.remove(&id) else { continue };
            if !links.is_disjoint(&self.outdated) {
                self.outdated.insert(id);
            } else if let Some(core) = self.failed_core(&links) {
                self.outcomes.insert(id, Outcome::Skipped(core));
            } else {
                return Some(Step::Link(ended));
            }
        }
        self.next_job().map(Step::Compile)
    }

    fn next_job(&mut self) -> Option<Job> {
        let mut at = 0;
        while at < self.waiting.len() {
            let id = self.waiting[at].clone();
            let Some(ahead) = self.can_start(&id) else {
                at += 1;
                continue;
            };
            let links = self.batch.members.links_of(&id);
            self.waiting.remove(at);
            if !links.is_disjoint(&self.outdated) {
                // Built in the next round, after them.
                self.outdated.insert(id);
                continue;
            }
            let known = || self.known_outcome(&id);
            let outcome = match self.failed_core(&links).map(Outcome::Skipped).or_else(known) {
                Some(outcome) => outcome,
                None => match self.batch.job(&id, &ahead) {
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

    /// The cores whose libraries do not exist yet, if the module can be compiled with their metadata.
    fn can_start(&self, id: &ModuleId) -> Option<BTreeSet<ModuleId>> {
        let mut ahead = self.batch.members.links_of(id);
        ahead.retain(|link| self.is_open(link));
        // Objects that were kept need no compiler, only the cores' libraries.
        let can_start = ahead.is_empty()
            || (ahead.iter().all(|link| self.is_checked(link))
                && self.batch.linker.is_some()
                && Kept::of_same_source(self.batch, id).is_none());
        can_start.then_some(ahead)
    }

    /// True for a module of the batch that has no outcome yet.
    fn is_open(&self, id: &ModuleId) -> bool {
        self.running.contains_key(id) || self.unlinked.contains_key(id) || self.waiting.contains(id)
    }

    /// True if dependents can be compiled with the metadata of this core.
    fn is_checked(&self, id: &ModuleId) -> bool {
        let running = self.running.get(id);
        self.unlinked.contains_key(id) || running.is_some_and(|running| running.checked.is_some())
    }

    fn on_checked(&mut self, id: &ModuleId, group: ProcessGroup) {
        let Some(running) = self.running.get_mut(id) else { return };
        running.checked = Some(group.clone());
        // Its place goes to the next module that can be checked, if there is one.
        let others = self.waiting.iter().any(|other| self.can_start(other).is_some());
        if others && process_limits::has_memory_to_spare() {
            group.pause();
            if let Some(running) = self.running.get_mut(id) {
                running.paused_at = Some(Instant::now());
            }
        }
    }

    /// Resumes the paused compiler that others wait for most. False if there is none.
    fn resume(&mut self) -> bool {
        let Some(mut order) = self.batch.members.build_order().ok().map(Vec::into_iter) else {
            return false;
        };
        let next = order.find_map(|id| {
            let running = self.running.get(&id)?;
            running.paused_at.map(|at| (id, at))
        });
        let Some((id, at)) = next else { return false };
        if let Some(running) = self.running.get_mut(&id) {
            running.paused_at = None;
            running.paused_ms += ms(at);
            if let Some(group) = &running.checked {
                group.resume();
            }
        }
        true
    }

    fn on_ended(&mut self, mut ended: Ended, report: &mut impl FnMut(BuildProgress)) {
        let id = ended.job.id.clone();
        let running = self.running.remove(&id).unwrap_or_default();
        if let Compiled::Done { times, .. } = &mut ended.compiled {
            times.compile_ms = (times.compile_ms - running.paused_ms).max(0.0);
            if ended.job.links_later {
                self.unlinked.insert(id, ended);
                return;
            }
        }
        if let Some(outcome) = self.finish(ended) {
            if let Outcome::Failed(messages) = &outcome {
                report(BuildProgress::Failed(id.clone(), messages.clone()));
            }
            self.outcomes.insert(id.clone(), outcome);
            report(BuildProgress::Finished(id));
        }
    }

    /// `None` when cancelled, and for an artifact that does not count.
    fn finish(&mut self, Ended { job, started, compiled }: Ended) -> Option<Outcome> {
        let finished = match compiled {
            Compiled::Cancelled => return None,
            Compiled::Failed { messages, .. } => self.finish_failed(&job.id, messages),
            Compiled::Done { artifact, times, warnings } => {
                let built = self.finish_built(&job, started, &artifact, times);
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
        mut times: rustc::CompileTimes,
    ) -> Result<Option<Built>, Refusal> {
        let at = Instant::now();
        let (id, file) = (&job.id, job.dep_info());
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
                Kept::keep(self.batch, job, &inputs);
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

impl Step {
    fn id(&self) -> &ModuleId {
        match self {
            Self::Compile(job) => &job.id,
            Self::Link(ended) => &ended.job.id,
        }
    }

    fn execute(
        self,
        batch: &Batch,
        cancel: &Cancel,
        checked: &dyn Fn(&ModuleId, &ProcessGroup),
    ) -> Ended {
        let job = match self {
            Self::Compile(job) => job,
            Self::Link(ended) => match ended.link() {
                Ok(ended) => return ended,
                // It is compiled once more, with the cores' libraries.
                Err(ended) => batch.job(&ended.job.id, &BTreeSet::new()).unwrap_or(ended.job),
            },
        };
        let started = SystemTime::now();
        let compiled = rustc::build(&job, cancel, &batch.standby, &|group| checked(&job.id, group));
        Ended { job, started, compiled }
    }
}

impl Ended {
    /// Links what was compiled. The compilation is returned if that fails.
    fn link(self) -> Result<Self, Box<Self>> {
        let linked = relink::link_later(&self.job);
        match (linked, self) {
            (
                Some((artifact, link_ms)),
                Self { job, started, compiled: Compiled::Done { times, warnings, .. } },
            ) => {
                let times = rustc::CompileTimes { link_ms, ..times };
                let compiled = Compiled::Done { artifact, times, warnings };
                Ok(Self { job: Job { links_later: false, ..job }, started, compiled })
            }
            (_, ended) => Err(Box::new(ended)),
        }
    }
}
