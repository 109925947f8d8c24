//! The part of the pipeline that runs beside the game: from a change on disk to a set of
//! generations that are known to run together.

mod accept;
mod building;
mod groups;
mod journalling;
mod loading;
mod probing;
mod propose;
mod scan;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crate::build::capture::Recipes;
use crate::build::rustc::{Cancel, Linker};
use crate::build::standby::Standby;
use crate::build::{Inputs, Outcome, Said};
use crate::generation::SharedGeneration;
use crate::ids::ModuleId;
use crate::inspect::{HostFacts, Manifest};
use crate::journal::{Death, Journal};
use crate::plan::change::Change;
use crate::plan::{self, Outlines, Trial};
use crate::probe::{Probe, Prober};
use crate::process_limits::{self, Usage};
use crate::resolve::Selection;
use crate::watch::Watch;
use crate::workspace::{Folders, Members, ModuleCrate};
use probing::Tried;

/// A file's time of change counts as the time of the edit if it is not older than this.
const RECENT: Duration = Duration::from_secs(2);

/// How often a workspace that could not be read at the start is looked at.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// What the worker is asked or told.
pub enum Ask {
    /// This path was written.
    Changed(PathBuf),
    /// Other modules are wanted.
    Want(Selection),
    /// Build a module anew and swap it, changed or not.
    Reload { id: ModuleId, force: bool },
    /// Swap a module for the artifact in a file.
    Load { id: ModuleId, path: PathBuf },
    /// Build a module and tell what a swap would change.
    Plan(ModuleId),
    /// This runs now.
    Runs(Runs),
    /// These ran well through their probation.
    Committed(Vec<SharedGeneration>),
    /// Tell what is in quarantine, or let it out.
    Quarantine { clear: bool },
    /// Stop. A game that ends in a panic leaves its journal: what is new is to blame.
    Stop { in_panic: bool },
    #[doc(hidden)]
    Built { number: u64, outcomes: Option<BTreeMap<ModuleId, Outcome>> },
    #[doc(hidden)]
    Said { number: u64, said: Said },
}

/// What runs in the game.
#[derive(Clone, Default)]
pub struct Runs {
    /// The generations.
    pub generations: BTreeMap<ModuleId, SharedGeneration>,
    /// Generations that the host took back or would not take.
    pub rejected: Vec<SharedGeneration>,
    /// True for the answer to [`Tell::Prepared`].
    pub answers: bool,
    /// What is wanted now.
    pub wanted: Selection,
}

/// What the worker tells.
pub enum Tell {
    /// Which modules there are on disk.
    Catalog { workspace: PathBuf, modules: BTreeSet<ModuleId> },
    /// What the modules say of themselves, as far as they are built.
    Manifests(BTreeMap<ModuleId, Manifest>),
    /// Something that takes long is under way; `None` when it is over.
    Progress(Option<Progress>),
    /// Modules' sources changed.
    Changed(BTreeSet<ModuleId>),
    /// rustc starts on a module.
    BuildStarted(ModuleId),
    /// Nothing more will come of these; nor, where it is told, of what is wanted.
    Over { ids: BTreeSet<ModuleId>, wanted: bool },
    /// A module compiles; what is linked with it may not.
    Built(ModuleId),
    /// A module could not be built.
    BuildFailed { id: ModuleId, messages: Vec<String>, took_ms: f32 },
    /// Modules were built, and will not run.
    Refused { ids: BTreeSet<ModuleId>, reason: String },
    /// These are to run.
    Prepared(Box<Prepared>),
    /// The answer to [`Ask::Plan`]; no modules where there is nothing to plan.
    Plan { id: ModuleId, modules: Vec<PlanOf>, along: Vec<ModuleId> },
    /// The answer to [`Ask::Committed`]: it is on disk that these ran well.
    Committed(Vec<SharedGeneration>),
    /// The game before this one died.
    Died(Death),
    /// A module's newest artifact is in quarantine; another one may run in its place.
    Quarantined { id: ModuleId, reason: String },
    /// The answer to [`Ask::Quarantine`].
    Quarantine(String),
    /// Something is not as it should be; the game goes on.
    Warning(String),
    /// Something else went wrong.
    Trouble(String),
}

/// What a swap would change of one module.
pub struct PlanOf {
    /// The module.
    pub module: ModuleId,
    /// What changes.
    pub change: Change,
    /// Its types are other ones, also those that nobody persists.
    pub new_epoch: bool,
}

/// Something that takes long.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// What is being done.
    pub what: String,
    /// Steps that are done.
    pub done: usize,
    /// All steps; 0 where they are not known.
    pub total: usize,
}

/// Generations that are known to run together.
pub struct Prepared {
    /// New generations.
    pub enter: Vec<SharedGeneration>,
    /// Modules that stop.
    pub leave: BTreeSet<ModuleId>,
    /// Of these, the ones whose folder is gone.
    pub removed: BTreeSet<ModuleId>,
    /// The modules whose change this is.
    pub changed: BTreeSet<ModuleId>,
    /// What was wanted when this was planned.
    pub wanted: Selection,
    /// Drop what cannot be kept.
    pub force: bool,
    /// When the oldest of the changes was written.
    pub written: Option<SystemTime>,
    /// Time for the plan.
    pub plan_ms: f32,
}

/// The worker's thread. Ends when it is dropped.
pub struct Worker {
    ask: Sender<Ask>,
    told: Receiver<Tell>,
    stop: Cancel,
    thread: Option<thread::JoinHandle<()>>,
}

impl Worker {
    /// Starts to work on the workspace that holds `folder`.
    ///
    /// New code is tried by `prober`, for no longer than `probe_limit`.
    pub fn start(
        folder: PathBuf,
        watch: bool,
        wanted: Selection,
        prober: Prober,
        probe_limit: Duration,
    ) -> Self {
        process_limits::raise_descriptors();
        let (ask, asked) = channel();
        let (tell, told) = channel();
        let own = ask.clone();
        let stop = Cancel::default();
        let stopped = stop.clone();
        let thread = thread::Builder::new().name("playground worker".into()).spawn(move || {
            let mut state = State::new(folder, watch, wanted, (prober, probe_limit), (own, tell));
            state.stopped = stopped;
            state.run(&asked);
        });
        // Without a thread there is nobody to tell; the host sees the closed channel.
        Self { ask, told, stop, thread: thread.ok() }
    }

    /// Asks; a worker that has ended hears nothing.
    pub fn ask(&self, ask: Ask) {
        let _ = self.ask.send(ask);
    }

    /// False once the worker came to an end by itself, which it does only when it fails.
    pub fn is_running(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// What was told since the last call.
    pub fn told(&self) -> impl Iterator<Item = Tell> + '_ {
        self.told.try_iter()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.ask(Ask::Stop { in_panic: thread::panicking() });
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            // A worker that panicked has said so.
            let _ = thread.join();
        }
    }
}

/// A build under way.
struct Building {
    number: u64,
    cancel: Cancel,
    ids: BTreeSet<ModuleId>,
    total: usize,
    done: usize,
    started: Instant,
    /// When the oldest of the changes was written, and how long ago that was at the start.
    written: Option<SystemTime>,
    watch_ms: f32,
}

struct State {
    folder: PathBuf,
    watches: bool,
    ask: Sender<Ask>,
    tell: Sender<Tell>,
    watch: Option<Watch>,
    watched_libraries: BTreeSet<PathBuf>,
    folders: Option<Folders>,
    catalog: Members,
    recipes: Recipes,
    linker: Option<Linker>,
    standby: Standby,
    facts: Arc<OnceLock<Result<HostFacts, String>>>,
    /// The next trial's.
    probe: Option<Probe>,
    prober: Prober,
    probe_limit: Duration,
    /// What the last trial found.
    tried: Tried,
    /// A source was written since it was last looked for changes.
    newer: Arc<AtomicBool>,
    /// What the process took when nobody waited last, and whether something was loaded since.
    usage: Usage,
    usage_is_old: bool,
    /// The part of the machine's limits that people were warned of, in percent.
    warned_percent: u64,
    /// Open once it is known where things are built.
    journal: Option<Journal>,
    /// As they were when a build was last started.
    inputs: BTreeMap<ModuleId, Inputs>,
    /// The newest good generation of each module.
    latest: BTreeMap<ModuleId, SharedGeneration>,
    numbers: BTreeMap<ModuleId, u32>,
    /// What runs in the game, and what it asks for.
    runs: BTreeMap<ModuleId, SharedGeneration>,
    outlines: Outlines,
    wanted: Selection,
    building: Option<Building>,
    batches: u64,
    /// Modules to build next.
    open: BTreeSet<ModuleId>,
    /// Members of groups that failed: they are built again together.
    unsettled: BTreeSet<ModuleId>,
    /// Modules whose change goes into the next proposal.
    changed: BTreeSet<ModuleId>,
    written: Option<SystemTime>,
    force: bool,
    plan_for: Option<ModuleId>,
    /// A proposal is with the host, and what would be asked for with it.
    proposed: bool,
    proposal: Option<Outlines>,
    /// What was wanted when the host last took a proposal.
    done: Option<Selection>,
    /// The game ends.
    stopped: Cancel,
    rescan: bool,
    /// Why the modules could not be told.
    trouble: Option<String>,
    /// Why nothing could be read when it was last looked for changes.
    unread: Option<String>,
    look: bool,
    rethink: bool,
}

impl State {
    fn new(
        folder: PathBuf,
        watches: bool,
        wanted: Selection,
        (prober, probe_limit): (Prober, Duration),
        (ask, tell): (Sender<Ask>, Sender<Tell>),
    ) -> Self {
        Self {
            folder,
            watches,
            ask,
            tell,
            watch: None,
            watched_libraries: BTreeSet::new(),
            folders: None,
            catalog: Members::default(),
            recipes: Recipes::default(),
            linker: None,
            standby: Standby::default(),
            facts: Arc::default(),
            probe: None,
            prober,
            probe_limit,
            tried: Tried::default(),
            newer: Arc::default(),
            usage: Usage::default(),
            usage_is_old: true,
            warned_percent: 0,
            journal: None,
            inputs: BTreeMap::new(),
            latest: BTreeMap::new(),
            numbers: BTreeMap::new(),
            runs: BTreeMap::new(),
            outlines: Outlines::new(),
            wanted,
            building: None,
            batches: 0,
            open: BTreeSet::new(),
            unsettled: BTreeSet::new(),
            changed: BTreeSet::new(),
            written: None,
            force: false,
            plan_for: None,
            proposed: false,
            proposal: None,
            done: None,
            stopped: Cancel::default(),
            rescan: true,
            trouble: None,
            unread: None,
            look: true,
            rethink: false,
        }
    }

    fn tell(&self, tell: Tell) {
        // A host that is gone needs to know nothing.
        let _ = self.tell.send(tell);
    }

    fn run(&mut self, asked: &Receiver<Ask>) {
        let facts = self.facts.clone();
        thread::spawn(move || {
            let read = HostFacts::of_this_process(playground_api::ABI);
            let _ = facts.set(read.map_err(|error| error.to_string()));
        });
        self.refill_probe();
        self.step();
        while let Some(ask) = self.next(asked) {
            // All that is there counts as one: a hundred saves are one change.
            // What is asked meanwhile comes after the next step.
            let asks: Vec<Ask> = std::iter::once(ask).chain(asked.try_iter()).collect();
            for ask in asks {
                let in_panic = matches!(ask, Ask::Stop { in_panic: true });
                if !self.hear(ask) {
                    if let Some(building) = &self.building {
                        building.cancel.cancel();
                    }
                    if let Some(journal) = self.journal.as_mut().filter(|_| !in_panic) {
                        journal.end();
                    }
                    return;
                }
            }
            self.step();
        }
    }

    /// The next thing to do. Nothing is watched before it is known where the modules are.
    fn next(&mut self, asked: &Receiver<Ask>) -> Option<Ask> {
        while self.folders.is_none() {
            match asked.recv_timeout(LOOK_AGAIN) {
                Ok(ask) => return Some(ask),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {
                    self.rescan = true;
                    self.step();
                }
            }
        }
        asked.recv().ok()
    }

    /// False when there is nothing more to do.
    fn hear(&mut self, ask: Ask) -> bool {
        match ask {
            Ask::Changed(path) => self.hear_change(&path),
            Ask::Want(wanted) => {
                self.wanted = wanted;
                // Whoever asks waits for an answer, also where nothing changes.
                self.done = None;
                self.rethink = true;
            }
            Ask::Reload { id, force } => {
                self.look = true;
                self.rescan |= self.trouble.is_some();
                self.force |= force;
                self.changed.insert(id.clone());
                // With all that link to it, where they are not of its epoch yet.
                self.open.extend(self.catalog.with_dependents(&BTreeSet::from([id])));
            }
            Ask::Load { id, path } => self.hear_load(id, path),
            Ask::Plan(id) => {
                self.look = true;
                self.open.insert(id.clone());
                self.plan_for = Some(id);
            }
            Ask::Runs(runs) => {
                self.hear_runs(runs);
                self.rethink = true;
            }
            Ask::Committed(generations) => self.hear_committed(generations),
            Ask::Quarantine { clear } => self.hear_quarantine(clear),
            Ask::Stop { .. } => return false,
            Ask::Built { number, outcomes } => self.hear_built(number, outcomes),
            Ask::Said { number, said } => self.hear_said(number, said),
        }
        true
    }

    fn hear_runs(&mut self, runs: Runs) {
        self.note_progress(&runs);
        // What the host took back or refused is not proposed again, until its source changes.
        for rejected in &runs.rejected {
            let id = rejected.id();
            // What came together is built together again: one epoch of a core for all of them.
            if runs.answers || runs.rejected.len() > 1 {
                self.unsettled.insert(id.clone());
            }
            if self.latest.get(id).is_some_and(|latest| Arc::ptr_eq(latest, rejected)) {
                match runs.generations.get(id) {
                    Some(running) => self.latest.insert(id.clone(), running.clone()),
                    None => self.latest.remove(id),
                };
            }
        }
        if !runs.rejected.is_empty() || runs.wanted != self.wanted {
            self.done = None;
        }
        self.wanted = runs.wanted;
        let planned = self.proposal.take_if(|_| runs.answers);
        self.proposed &= !runs.answers;
        let accepted = runs.rejected.is_empty();
        self.runs = runs.generations;
        match planned.filter(|_| accepted) {
            Some(outlines) => self.outlines = outlines,
            None => {
                let all: Vec<SharedGeneration> = self.runs.values().cloned().collect();
                if let Ok(outlines) = plan::plan(&self.in_order(all), &Outlines::new(), Trial::Done)
                {
                    self.outlines = outlines;
                }
            }
        }
    }

    fn hear_change(&mut self, path: &Path) {
        self.look = true;
        let mut crates = self.catalog.crates.values();
        let known = crates.clone().any(|module| path.starts_with(&module.folder));
        // What cannot be looked at is there.
        let there = |module: &ModuleCrate| module.folder.join("Cargo.toml").try_exists();
        let gone = crates.any(|module| matches!(there(module), Ok(false)));
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let manifest = matches!(&*name, "Cargo.toml" | "Cargo.lock" | "build.rs" | "config.toml");
        self.rescan |= manifest || gone || !known || self.recipes.by_module.is_empty();
        let now = SystemTime::now();
        // A file that was moved here or put back may carry an old time.
        let recent = |at: &SystemTime| now.duration_since(*at).is_ok_and(|age| age < RECENT);
        let written = path.metadata().and_then(|data| data.modified()).ok().filter(recent);
        let written = written.unwrap_or(now);
        self.written = Some(self.written.map_or(written, |known| known.min(written)));
    }

    fn hear_said(&mut self, number: u64, said: Said) {
        let Some(building) = self.building.as_mut().filter(|b| b.number == number) else { return };
        let what = match said {
            Said::Started(id) => {
                let what = format!("building {id}");
                self.tell(Tell::BuildStarted(id));
                what
            }
            Said::Finished(id) => {
                building.done += 1;
                format!("built {id}")
            }
        };
        if let Some(building) = &self.building {
            let (done, total) = (building.done, building.total);
            self.tell(Tell::Progress(Some(Progress { what, done, total })));
        }
    }

    /// Goes on as far as it can without waiting.
    fn step(&mut self) {
        if self.rescan {
            self.rescan = false;
            let before = self.trouble.take();
            if let Err(reason) = self.scan() {
                self.tell(Tell::Progress(None));
                // One that is looked at again and again is told of once.
                if self.folders.is_some() || before.as_ref() != Some(&reason) {
                    self.tell(Tell::Trouble(reason.clone()));
                }
                self.trouble = Some(reason);
                return;
            }
        }
        if self.look {
            self.look = false;
            self.newer.store(false, Ordering::Relaxed);
            if self.find_changes() {
                self.start_build();
            }
        }
        if self.rethink && self.building.is_none() {
            self.rethink = false;
            self.propose();
        }
        // Once nobody waits for the worker.
        if self.building.is_none() && !self.proposed {
            self.standby.refill();
            self.refill_probe();
            self.measure();
        }
    }

    /// Looks how near the limits of the machine are, after something was loaded.
    fn measure(&mut self) {
        if !std::mem::take(&mut self.usage_is_old) {
            return;
        }
        self.usage = Usage::now();
        if let Some(warning) = self.usage.warning(&mut self.warned_percent) {
            self.tell(Tell::Warning(warning));
        }
    }
}
