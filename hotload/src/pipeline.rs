//! Builds modules and turns them into generations that are known to run together, beside the game.
//!
//! ```text
//!  build ─► swap groups ─► all built ─► admit ─► inspect ─► check epochs ─► seal ─► probe ─► load ─► plan
//!                          └──────────────────── attempt_group, for each group ────────────────────┘
//! ```
//!
//! An attempt runs on its own thread and does not access the worker's state: it gets its inputs and
//! returns a result. It can be cancelled between any two steps.

mod admit;
mod check;
mod error;
mod outcome;
mod plan_group;
mod probe_group;
pub mod swap_groups;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::artifact::{self, Artifact, ArtifactError, Writers};
use crate::build::cause::{Cause, causes};
use crate::build::rustc::{Cancel, CompileTimes, ms};
use crate::build::standby::Standby;
use crate::build::{self, Batch, Build, BuildProgress, Built, Inputs, Learned, Outcome};
use crate::generation::{Generation, SharedGeneration, Times};
use crate::ids::ModuleId;
use crate::inspect::HostFacts;
use crate::journal::{Journal, Stage};
use crate::load::{self, Sealed};
use crate::plan::Outlines;
use crate::probe::{Probe, ProbeError, Prober};
use crate::process_limits::Usage;
use crate::reader::{SharedWorkspace, Workspace};
use crate::refusal::Refusal;
use crate::resolve::{Selection, resolve};
use crate::shared_libraries::KnownLibraries;
use crate::stored;
use crate::worker::event::{AttemptEvent, AttemptId, Progress, RunningModules, Update};
use crate::worker::request::{Intent, Origin};
use check::Checked;
pub use error::PipelineError;
pub use outcome::{AttemptError, AttemptOutcome, GroupOutcome, ModulePlan, NotBuilt, Planned};
use plan_group::PlannedSet;
use probe_group::Trial;
pub use probe_group::{image, image_of};
use swap_groups::{BuiltGroup, swap_groups};

/// The inputs of one attempt.
pub struct Attempt {
    /// Its number.
    pub id: AttemptId,
    /// The modules on disk.
    pub workspace: SharedWorkspace,
    /// The build inputs of each module.
    pub inputs: BTreeMap<ModuleId, Inputs>,
    /// The modules to build, and why. If there are none, the attempt only compares the running
    /// modules with the selection.
    pub modules: BTreeMap<ModuleId, Intent>,
    /// When the newest of the edits was saved.
    pub saved_at: Option<SystemTime>,
    /// The newest generation of each module that could run.
    pub good: BTreeMap<ModuleId, SharedGeneration>,
    /// The running generations and the selection of the host.
    pub running: RunningModules,
    /// The outlines of the running modules, if known.
    pub outlines: Option<Arc<Outlines>>,
    /// The modules that should run.
    pub selection: Selection,
    /// The number of each module's next generation.
    pub numbers: BTreeMap<ModuleId, u32>,
}

impl Attempt {
    /// The modules that run, and those that would run with the newest good generation of each.
    pub fn needed(&self) -> BTreeSet<ModuleId> {
        let good = self.good.iter().map(|(id, good)| (id.clone(), good.manifest.clone()));
        let mut needed = resolve(&good.collect(), &self.selection);
        needed.extend(self.running.generations.keys().cloned());
        needed
    }
}

/// The resources that attempts share with the worker's thread.
#[derive(Clone)]
pub struct Tools {
    /// The process that artifacts are loaded into. It is read once, ahead of time.
    pub facts: Arc<OnceLock<Result<HostFacts, Refusal>>>,
    /// Its libraries, known at the same time.
    pub libraries: KnownLibraries,
    /// The journal of uncommitted code and the quarantine; open once the workspace is known.
    pub journal: Arc<Mutex<Option<Journal>>>,
    /// A probe that was started ahead of time.
    pub probe: Arc<Mutex<Option<Probe>>>,
    /// How probes are started.
    pub prober: Prober,
    /// The time limit of a trial.
    pub probe_limit: Duration,
    /// The seed that modules are loaded in another order with, as far as that is free.
    pub shuffle: Option<u64>,
    /// Compilers that were started ahead of time.
    pub standby: Standby,
    /// The resource usage of the process, as it was measured last; this happens while nothing
    /// waits.
    pub usage: Arc<Mutex<Usage>>,
    /// Something was loaded since the measurement.
    pub usage_is_old: Arc<AtomicBool>,
}

impl Tools {
    /// Starts a probe with the libraries of this process, where they are kept.
    ///
    /// # Errors
    ///
    /// If no process can be started.
    pub fn start_probe(&self) -> Result<Option<Probe>, ProbeError> {
        let libraries = self.libraries.get().and_then(|known| known.as_ref().ok());
        Probe::start(&self.prober, libraries.and_then(|libraries| libraries.folder()))
    }
}

/// Locks data that no panic can leave inconsistent.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Builds the modules of `attempt` and finds out which of them can run.
pub fn attempt(
    attempt: &Attempt,
    tools: &Tools,
    cancel: &Cancel,
    report: &dyn Fn(AttemptEvent),
) -> AttemptOutcome {
    let mut run = Run {
        attempt,
        tools,
        cancel,
        good: attempt.good.clone(),
        outlines: attempt.outlines.clone(),
        loaded: Vec::new(),
        learned: BTreeMap::new(),
        last_plan: None,
        trial: Trial::default(),
        reports: Vec::new(),
        plans: Vec::new(),
        watch_ms: age_ms(attempt.saved_at),
        plan_ms: 0.0,
    };
    let started = Instant::now();
    let outcomes = run.build(report);
    let took_ms = ms(started);
    let mut groups = Vec::new();
    let (members, needed) = (&attempt.workspace.members, attempt.needed());
    for group in swap_groups(members, outcomes, &attempt.modules, &needed, took_ms) {
        let (ids, goal, compiled) = (group.ids(), group.goal, group.compiled());
        let asked = group.asked.clone();
        let result = run.attempt_group(group);
        let reports = std::mem::take(&mut run.reports);
        let mut plans = std::mem::take(&mut run.plans);
        let without = asked.into_iter().filter(|id| plans.iter().all(|(planned, _)| planned != id));
        let without: Vec<ModuleId> = without.collect();
        plans.extend(without.into_iter().map(|id| (id, Vec::new())));
        groups.push(GroupOutcome { ids, goal, compiled, reports, plans, result });
    }
    let planned = (!cancel.is_cancelled()).then(|| run.plan_selection());
    let version = attempt.running.version;
    let running_outlines = run.outlines.take().map(|outlines| (version, outlines));
    AttemptOutcome { groups, planned, running_outlines, loaded: run.loaded, learned: run.learned }
}

fn age_ms(at: Option<SystemTime>) -> f32 {
    let age = at.and_then(|at| SystemTime::now().duration_since(at).ok());
    age.map_or(0.0, |age| age.as_secs_f32() * 1000.0)
}

/// An artifact that was not built in this attempt.
fn taken(read: Result<Artifact, ArtifactError>) -> Outcome {
    match read {
        Ok(Artifact { path, bytes, .. }) => {
            let (times, warnings) = (CompileTimes::default(), Vec::new());
            Outcome::Built(Built { path, bytes, times, warnings })
        }
        Err(error) => Outcome::Refused(error.into()),
    }
}

/// An attempt under way.
struct Run<'a> {
    attempt: &'a Attempt,
    tools: &'a Tools,
    cancel: &'a Cancel,
    /// The newest generation of each module that could run, those of this attempt among them.
    good: BTreeMap<ModuleId, SharedGeneration>,
    /// The outlines of the running modules.
    outlines: Option<Arc<Outlines>>,
    loaded: Vec<SharedGeneration>,
    learned: BTreeMap<ModuleId, Learned>,
    /// The set of modules that was planned last, and its outlines.
    last_plan: Option<PlannedSet>,
    /// The result of the last probe.
    trial: Trial,
    reports: Vec<Update>,
    plans: Vec<(ModuleId, Vec<ModulePlan>)>,
    /// From the save until the attempt began, in milliseconds.
    watch_ms: f32,
    plan_ms: f32,
}

impl Run<'_> {
    /// Runs the steps for a group of modules that are accepted or refused together.
    fn attempt_group(&mut self, group: BuiltGroup) -> Result<Vec<SharedGeneration>, AttemptError> {
        let (goal, asked) = (group.goal, group.asked.clone());
        let built = group.all_built()?;
        let admitted = self.admit(built)?;
        let inspected = self.inspect(admitted)?;
        let fitting = self.check_epochs(inspected)?;
        let sealed = self.seal(fitting)?;
        let tried = self.probe(sealed)?;
        let loaded = self.load(tried)?;
        self.plan(loaded, goal, &asked)
    }

    fn check_cancelled(&self) -> Result<(), AttemptError> {
        if self.cancel.is_cancelled() { Err(AttemptError::Cancelled) } else { Ok(()) }
    }

    /// build: compiles each module, or takes the artifact of its pack or of a file that the user
    /// supplied.
    fn build(&mut self, report: &dyn Fn(AttemptEvent)) -> BTreeMap<ModuleId, Outcome> {
        let Attempt { workspace, inputs, modules, .. } = self.attempt;
        let (mut outcomes, mut ids) = (BTreeMap::new(), BTreeSet::new());
        for (id, intent) in modules {
            match (&intent.origin, workspace.members.prebuilt_module(id)) {
                (Origin::Source, None) => _ = ids.insert(id.clone()),
                (Origin::Source, Some(module)) => {
                    // Only this process and its like write there, and the hash is known.
                    let (folder, hash) = (&module.folder, Some(&module.hash));
                    let read = artifact::read(&module.file, folder, hash, Writers::Anybody);
                    outcomes.insert(id.clone(), taken(read));
                }
                (Origin::File(path), _) => _ = outcomes.insert(id.clone(), self.read_file(path)),
            }
        }
        if ids.is_empty() {
            return outcomes;
        }
        let libraries = match self.tools.libraries.wait() {
            // An SDK has its own, which only have the metadata.
            Ok(libraries) => workspace.members.project.is_none().then(|| libraries.clone()),
            Err(refusal) => {
                let refused = |id| (id, Outcome::Refused(refusal.clone()));
                outcomes.extend(ids.into_iter().map(refused));
                return outcomes;
            }
        };
        let (mut done, total, started) = (0, ids.len(), Instant::now());
        let batch = Batch {
            folders: workspace.folders.clone(),
            members: workspace.members.clone(),
            recipes: workspace.recipes.clone(),
            inputs: inputs.clone(),
            ids,
            linker: workspace.linker.clone(),
            standby: self.tools.standby.clone(),
            libraries,
        };
        let built = build::build(batch, self.cancel, |progress| {
            let activity = match progress {
                BuildProgress::Waiting => "waiting for another game's build".to_owned(),
                BuildProgress::Started(id) => {
                    let activity = format!("building {id}");
                    report(AttemptEvent::BuildStarted(id));
                    activity
                }
                BuildProgress::Failed(module, messages) => {
                    let took_ms = ms(started);
                    return report(AttemptEvent::BuildFailed { module, messages, took_ms });
                }
                BuildProgress::Finished(id) => {
                    done += 1;
                    format!("built {id}")
                }
            };
            report(AttemptEvent::Progress(Progress { activity, done, total }));
        });
        // If the build was cancelled there are no outcomes.
        if let Some(Build { outcomes: built, learned }) = built {
            outcomes.extend(built);
            self.learned = learned;
        }
        outcomes
    }

    /// The inputs that a module was built from.
    fn inputs_of(&self, id: &ModuleId) -> Option<&Inputs> {
        let learned = self.learned.get(id).map(|learned| &learned.inputs);
        learned.or_else(|| self.attempt.inputs.get(id))
    }

    fn read_file(&self, path: &std::path::Path) -> Outcome {
        let within = &self.attempt.workspace.folders.workspace;
        let read = artifact::hash_beside(path, within)
            .and_then(|hash| artifact::read(path, within, Some(&hash), Writers::OwnerOnly));
        taken(read)
    }

    /// seal: copies the checked bytes to memory that can no longer be written to.
    fn seal(&mut self, checked: Vec<Checked>) -> Result<Vec<(Sealed, Times)>, AttemptError> {
        self.check_cancelled()?;
        let sealed = checked.into_iter().map(|Checked { inspected, times, .. }| {
            let sealed = load::seal(inspected)?;
            Ok((sealed, times))
        });
        sealed.collect()
    }

    /// load: loads the artifacts into the process, permanently.
    fn load(&mut self, tried: Vec<(Sealed, Times)>) -> Result<Vec<SharedGeneration>, AttemptError> {
        self.check_cancelled()?;
        let mut generations = Vec::with_capacity(tried.len());
        for (sealed, times) in tried {
            let started = Instant::now();
            let id = sealed.inspected().manifest().id.clone();
            let hash = sealed.inspected().hash().clone();
            self.note(|journal| {
                let kept = journal.keep(&hash, sealed.inspected().bytes());
                kept.and(journal.before(&id, &hash))
            });
            let loaded = load::load(sealed);
            self.tools.usage_is_old.store(true, Ordering::Relaxed);
            if loaded.is_err() {
                self.note(|journal| journal.over(&hash));
            }
            let (code, inspected) = loaded?;
            let (manifest, schemas) = (inspected.manifest().clone(), inspected.schemas().to_vec());
            if !self.runs(&hash) {
                self.note(|journal| journal.reached(&id, &hash, Stage::Loaded));
            }
            let prebuilt = self.attempt.workspace.members.prebuilt_module(&id);
            let pack = prebuilt.filter(|it| it.hash == hash).and_then(|it| it.pack.clone());
            let inputs = self.inputs_of(&id).filter(|it| *it.epoch() == manifest.epoch);
            let inputs = inputs.filter(|_| prebuilt.is_none()).cloned();
            let causes = inputs.as_ref().map(|inputs| self.causes(&id, inputs));
            let mut generation = Generation {
                number: self.attempt.numbers.get(&id).copied().unwrap_or(1),
                hash,
                manifest,
                schemas,
                code,
                stored: Vec::new(),
                times: Times { load_ms: ms(started), ..times },
                pack,
                inputs: inputs.map(Arc::new),
                causes: causes.unwrap_or_default(),
                additions: OnceLock::new(),
            };
            // A panic of `build` is found again when it is planned.
            let named = || stored::named_by(&generation).unwrap_or_default();
            generation.stored = self.trial.stored_by(&id).unwrap_or_else(named);
            let generation = Arc::new(generation);
            self.loaded.push(generation.clone());
            generations.push(generation);
        }
        Ok(generations)
    }

    /// Why a module is built: the differences to what runs.
    fn causes(&self, id: &ModuleId, now: &Inputs) -> Vec<Cause> {
        let runs = |id: &ModuleId| self.attempt.running.generations.get(id)?.inputs.as_deref();
        let Some(before) = runs(id) else { return Vec::new() };
        let Workspace { folders, members, .. } = &*self.attempt.workspace;
        let links = members.links_of(id);
        let cores =
            links.iter().filter_map(|core| Some((core, runs(core)?, self.inputs_of(core)?)));
        causes(&folders.workspace, (before, now), cores)
    }

    /// True if an artifact with that hash runs in the game.
    fn runs(&self, hash: &crate::ids::ArtifactHash) -> bool {
        self.attempt.running.generations.values().any(|running| running.hash == *hash)
    }

    /// Writes to the journal; a failure is reported and does not stop the attempt.
    fn note(
        &mut self,
        write: impl FnOnce(&mut Journal) -> Result<(), crate::journal::JournalError>,
    ) {
        let written = lock(&self.tools.journal).as_mut().map_or(Ok(()), write);
        if let Err(error) = written {
            self.reports.push(Update::Warning(Refusal::from(error).to_string()));
        }
    }
}
