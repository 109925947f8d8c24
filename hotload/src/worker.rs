//! The part of the pipeline that runs beside the game: from a change on disk to a set of
//! generations that are known to run together.

mod batch;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use notify::RecursiveMode;

use crate::build::capture::{self, Recipes};
use crate::build::rustc::{Cancel, Linker, ms};
use crate::build::{self, Batch, Inputs, Outcome, Said};
use crate::catalog::{self, Catalog, Folders};
use crate::generation::{Generation, SharedGeneration, Times};
use crate::inspect::{self, HostFacts, Manifest};
use crate::load;
use crate::plan::{self, Change, Outlines};
use crate::roster::{self, Wanted};
use crate::watch::{self, Watch};

/// A file's time of change counts as the time of the edit if it is not older than this.
const RECENT: Duration = Duration::from_secs(2);

/// What the worker is asked or told.
pub enum Ask {
    /// This path was written.
    Changed(PathBuf),
    /// Other modules are wanted.
    Want(Wanted),
    /// Build a module anew and swap it, changed or not.
    Reload { id: String, force: bool },
    /// Build a module and tell what a swap would change.
    Plan(String),
    /// This runs now.
    Runs(Runs),
    /// Stop.
    Stop,
    #[doc(hidden)]
    Built { number: u64, outcomes: Option<BTreeMap<String, Outcome>> },
    #[doc(hidden)]
    Said { number: u64, said: Said },
}

/// What runs in the game.
#[derive(Clone, Default)]
pub struct Runs {
    /// The generations.
    pub generations: BTreeMap<String, SharedGeneration>,
    /// Generations that the host took back or would not take.
    pub rejected: Vec<SharedGeneration>,
    /// True for the answer to [`Tell::Prepared`].
    pub answers: bool,
}

/// What the worker tells.
pub enum Tell {
    /// Which modules there are on disk.
    Catalog { modules: BTreeSet<String> },
    /// What the modules say of themselves, as far as they are built.
    Manifests(BTreeMap<String, Manifest>),
    /// Something that takes long is under way; `None` when it is over.
    Progress(Option<Progress>),
    /// Modules' sources changed.
    Changed(BTreeSet<String>),
    /// rustc starts on a module.
    BuildStarted(String),
    /// A module could not be built.
    BuildFailed { id: String, messages: Vec<String>, took_ms: f32 },
    /// Modules were built, and will not run.
    Refused { ids: BTreeSet<String>, reason: String },
    /// These are to run.
    Prepared(Box<Prepared>),
    /// The answer to [`Ask::Plan`].
    Plan { id: String, text: String },
    /// Something else went wrong.
    Trouble(String),
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
    pub leave: BTreeSet<String>,
    /// Of these, the ones whose folder is gone.
    pub removed: BTreeSet<String>,
    /// The modules whose change this is.
    pub changed: BTreeSet<String>,
    /// What was wanted when this was planned.
    pub wanted: Wanted,
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
    pub fn start(folder: PathBuf, watch: bool, wanted: Wanted) -> Self {
        let (ask, asked) = channel();
        let (tell, told) = channel();
        let own = ask.clone();
        let stop = Cancel::default();
        let stopped = stop.clone();
        let thread = thread::Builder::new().name("playground worker".into()).spawn(move || {
            let mut state = State::new(folder, watch, wanted, own, tell);
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
        self.ask(Ask::Stop);
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
    ids: BTreeSet<String>,
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
    folders: Option<Folders>,
    catalog: Catalog,
    recipes: Recipes,
    linker: Option<Linker>,
    facts: Arc<OnceLock<Result<HostFacts, String>>>,
    /// As they were when a build was last started.
    inputs: BTreeMap<String, Inputs>,
    /// The newest good generation of each module.
    latest: BTreeMap<String, SharedGeneration>,
    numbers: BTreeMap<String, u32>,
    /// What runs in the game, and what it asks for.
    runs: BTreeMap<String, SharedGeneration>,
    outlines: Outlines,
    wanted: Wanted,
    building: Option<Building>,
    batches: u64,
    /// Modules to build next.
    open: BTreeSet<String>,
    /// Members of groups that failed: they are built again together.
    unsettled: BTreeSet<String>,
    /// Modules whose change goes into the next proposal.
    changed: BTreeSet<String>,
    written: Option<SystemTime>,
    force: bool,
    plan_for: Option<String>,
    /// A proposal is with the host, and what would be asked for with it.
    proposed: bool,
    proposal: Option<Outlines>,
    /// The game ends.
    stopped: Cancel,
    rescan: bool,
    look: bool,
    rethink: bool,
}

impl State {
    fn new(
        folder: PathBuf,
        watches: bool,
        wanted: Wanted,
        ask: Sender<Ask>,
        tell: Sender<Tell>,
    ) -> Self {
        Self {
            folder,
            watches,
            ask,
            tell,
            watch: None,
            folders: None,
            catalog: Catalog::default(),
            recipes: Recipes::default(),
            linker: None,
            facts: Arc::default(),
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
            stopped: Cancel::default(),
            rescan: true,
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
        self.step();
        while let Ok(ask) = asked.recv() {
            // All that is there counts as one: a hundred saves are one change.
            for ask in std::iter::once(ask).chain(asked.try_iter()) {
                if !self.hear(ask) {
                    if let Some(building) = &self.building {
                        building.cancel.cancel();
                    }
                    return;
                }
            }
            self.step();
        }
    }

    /// False when there is nothing more to do.
    fn hear(&mut self, ask: Ask) -> bool {
        match ask {
            Ask::Changed(path) => self.hear_change(&path),
            Ask::Want(wanted) => {
                self.wanted = wanted;
                self.rethink = true;
            }
            Ask::Reload { id, force } => {
                self.look = true;
                self.force |= force;
                self.changed.insert(id.clone());
                self.open.insert(id);
            }
            Ask::Plan(id) => {
                self.look = true;
                self.open.insert(id.clone());
                self.plan_for = Some(id);
            }
            Ask::Runs(runs) => {
                self.hear_runs(runs);
                self.rethink = true;
            }
            Ask::Stop => return false,
            Ask::Built { number, outcomes } => self.hear_built(number, outcomes),
            Ask::Said { number, said } => self.hear_said(number, said),
        }
        true
    }

    fn hear_runs(&mut self, runs: Runs) {
        // What the host took back or refused is not proposed again, until its source changes.
        for rejected in &runs.rejected {
            let id = rejected.id();
            if self.latest.get(id).is_some_and(|latest| Arc::ptr_eq(latest, rejected)) {
                match runs.generations.get(id) {
                    Some(running) => self.latest.insert(id.to_owned(), running.clone()),
                    None => self.latest.remove(id),
                };
            }
        }
        let planned = self.proposal.take_if(|_| runs.answers);
        self.proposed &= !runs.answers;
        self.runs = runs.generations;
        match planned.filter(|_| runs.rejected.is_empty()) {
            Some(outlines) => self.outlines = outlines,
            None => {
                let all: Vec<SharedGeneration> = self.runs.values().cloned().collect();
                if let Ok(outlines) = plan::plan(&self.in_order(all), &Outlines::new()) {
                    self.outlines = outlines;
                }
            }
        }
    }

    fn hear_change(&mut self, path: &Path) {
        self.look = true;
        let mut crates = self.catalog.crates.values();
        let known = crates.clone().any(|module| path.starts_with(&module.folder));
        let gone = crates.any(|module| !module.folder.join("Cargo.toml").exists());
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let manifest = matches!(&*name, "Cargo.toml" | "Cargo.lock" | "build.rs" | "config.toml");
        self.rescan |= manifest || gone || !known;
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
            if let Err(reason) = self.scan() {
                self.tell(Tell::Progress(None));
                self.tell(Tell::Trouble(reason));
                return;
            }
        }
        if self.look {
            self.look = false;
            self.find_changes();
            self.start_build();
        }
        if self.rethink && self.building.is_none() {
            self.rethink = false;
            self.propose();
        }
    }

    /// Reads which modules there are, and how cargo would compile them.
    fn scan(&mut self) -> Result<(), String> {
        let (folders, catalog) = catalog::scan(&self.folder).map_err(|error| error.to_string())?;
        let modules: BTreeSet<String> = catalog.crates.keys().cloned().collect();
        self.tell(Tell::Catalog { modules });
        if self.watches && self.watch.is_none() {
            self.start_watch(&folders);
        }
        let gone = self.latest.keys().filter(|id| !catalog.crates.contains_key(*id));
        for id in gone.cloned().collect::<Vec<_>>() {
            self.latest.remove(&id);
            self.inputs.remove(&id);
            self.rethink = true;
        }
        let recipes = match capture::kept(&folders, &catalog) {
            Some(recipes) => Ok(recipes),
            None => {
                let what = |what: &str| Progress { what: what.into(), done: 0, total: 0 };
                self.tell(Tell::Progress(Some(what("asking cargo how to build the modules"))));
                capture::capture(&folders, &catalog, &self.stopped, |line| {
                    // What is compiled, fetched, or waited for.
                    let line = line.trim();
                    if ["Compiling", "Downloading", "Blocking"].iter().any(|w| line.starts_with(w))
                    {
                        self.tell(Tell::Progress(Some(what(line))));
                    }
                })
            }
        };
        self.folders = Some(folders.clone());
        self.catalog = catalog;
        self.recipes = recipes.map_err(|error| error.to_string())?;
        self.linker = build::linker(&folders, &self.recipes).map_err(|error| error.to_string())?;
        self.look = true;
        Ok(())
    }

    fn start_watch(&mut self, folders: &Folders) {
        let ask = self.ask.clone();
        let watched = [
            (folders.modules.as_path(), RecursiveMode::Recursive),
            (folders.workspace.as_path(), RecursiveMode::NonRecursive),
        ];
        let (workspace, modules) = (folders.workspace.clone(), folders.modules.clone());
        let started = watch::watch(&watched, move |path| {
            // Of the workspace's own folder only manifests count.
            let name = path.file_name().unwrap_or_default();
            let manifest = name == "Cargo.toml" || name == "Cargo.lock";
            if path.starts_with(&modules) || (manifest && path.starts_with(&workspace)) {
                let _ = ask.send(Ask::Changed(path));
            }
        });
        match started {
            Ok(watch) => self.watch = Some(watch),
            Err(error) => self.tell(Tell::Trouble(error.to_string())),
        }
    }

    fn find_changes(&mut self) {
        let Some(folders) = &self.folders else { return };
        let inputs = build::inputs(&self.catalog, &self.recipes, &self.inputs, &folders.workspace);
        let differs = |(id, inputs): &(&String, &Inputs)| self.inputs.get(*id) != Some(inputs);
        let dirty: BTreeSet<String> =
            inputs.iter().filter(differs).map(|(id, _)| id.clone()).collect();
        // Dependents are built again, but it is their core that changed.
        let roots = dirty.iter().filter(|id| self.catalog.links_of(id).is_disjoint(&dirty));
        let roots: BTreeSet<String> = roots.cloned().collect();
        self.inputs = inputs;
        if dirty.is_empty() {
            if self.building.is_none() && self.open.is_empty() {
                self.written = None;
            }
            return;
        }
        let edited: BTreeSet<String> =
            roots.iter().filter(|id| self.latest.contains_key(*id)).cloned().collect();
        if !edited.is_empty() {
            self.tell(Tell::Changed(edited));
        }
        self.changed.extend(roots);
        self.open.extend(dirty);
    }

    fn start_build(&mut self) {
        self.open.retain(|id| self.catalog.crates.contains_key(id));
        let Some(folders) = self.folders.clone() else { return };
        if self.open.is_empty() {
            return;
        }
        let mut ids = std::mem::take(&mut self.open);
        ids.append(&mut self.unsettled);
        if let Some(building) = self.building.take() {
            building.cancel.cancel();
            ids.extend(building.ids);
            self.written = [self.written, building.written].into_iter().flatten().min();
        }
        ids.retain(|id| self.catalog.crates.contains_key(id));
        let written = self.written.take();
        let since = |at: SystemTime| SystemTime::now().duration_since(at).unwrap_or_default();
        self.batches += 1;
        let building = Building {
            number: self.batches,
            cancel: Cancel::default(),
            total: ids.len(),
            ids: ids.clone(),
            done: 0,
            started: Instant::now(),
            written,
            watch_ms: written.map_or(0.0, |at| since(at).as_secs_f32() * 1000.0),
        };
        let batch = Batch {
            folders,
            catalog: self.catalog.clone(),
            recipes: self.recipes.clone(),
            inputs: self.inputs.clone(),
            ids,
            linker: self.linker.clone(),
        };
        let (number, cancel, ask) = (building.number, building.cancel.clone(), self.ask.clone());
        self.building = Some(building);
        thread::spawn(move || {
            let said = |said| {
                let _ = ask.send(Ask::Said { number, said });
            };
            let outcomes = build::build(&batch, &cancel, said);
            let _ = ask.send(Ask::Built { number, outcomes });
        });
    }

    fn hear_built(&mut self, number: u64, outcomes: Option<BTreeMap<String, Outcome>>) {
        let Some(building) = self.building.take_if(|building| building.number == number) else {
            return;
        };
        self.tell(Tell::Progress(None));
        let Some(outcomes) = outcomes else { return };
        let took_ms = ms(building.started);
        let plan_for = self.plan_for.take();
        let mut news = Outlines::new();
        for group in batch::groups(&self.catalog, outcomes) {
            let ids: BTreeSet<String> = group.keys().cloned().collect();
            match self.accept(group, &building, took_ms) {
                Some(generations) if plan_for.as_ref().is_some_and(|id| ids.contains(id)) => {
                    news = self.outlines_with(&generations);
                }
                Some(generations) => {
                    for generation in generations {
                        self.latest.insert(generation.id().to_owned(), generation);
                    }
                }
                None => {
                    for id in &ids {
                        self.changed.remove(id);
                    }
                    self.unsettled.extend(ids);
                }
            }
        }
        if let Some(id) = plan_for {
            self.changed.remove(&id);
            self.tell_plan(id, &news);
        }
        self.written = [self.written, building.written].into_iter().flatten().min();
        let manifests = self.manifests();
        self.tell(Tell::Manifests(manifests));
        self.rethink = true;
    }

    /// The generations of a group of modules that live or fall together. `None` when one fell.
    fn accept(
        &mut self,
        group: BTreeMap<String, Outcome>,
        building: &Building,
        took_ms: f32,
    ) -> Option<Vec<SharedGeneration>> {
        let mut failed = false;
        let mut built = Vec::new();
        for (id, outcome) in group {
            match outcome {
                Outcome::Built(artifact) => built.push((id, artifact)),
                Outcome::Failed(messages) => {
                    failed = true;
                    self.tell(Tell::BuildFailed { id, messages, took_ms });
                }
                Outcome::Skipped(core) => {
                    failed = true;
                    let messages = vec![format!("H0309: not built, since `{core}` failed")];
                    self.tell(Tell::BuildFailed { id, messages, took_ms: 0.0 });
                }
            }
        }
        if failed {
            return None;
        }
        let ids: BTreeSet<String> = built.iter().map(|(id, _)| id.clone()).collect();
        let mut generations = Vec::new();
        for (id, artifact) in built {
            match self.bring_in(&id, artifact, building) {
                Ok(generation) => generations.push(generation),
                Err(reason) => {
                    self.tell(Tell::Refused { ids, reason });
                    return None;
                }
            }
        }
        Some(generations)
    }

    /// inspect → load.
    fn bring_in(
        &mut self,
        id: &str,
        built: build::Built,
        building: &Building,
    ) -> Result<SharedGeneration, String> {
        let facts = self.facts.wait().as_ref().map_err(Clone::clone)?;
        let started = Instant::now();
        let inspected =
            inspect::inspect(&built.path, built.bytes, id, facts).map_err(|e| e.to_string())?;
        self.check_epochs(id, &inspected.manifest)?;
        let inspect_ms = ms(started);
        let started = Instant::now();
        let code = load::load(&inspected).map_err(|error| error.to_string())?;
        let number = self.numbers.entry(id.to_owned()).or_default();
        *number += 1;
        let times = Times {
            watch_ms: building.watch_ms,
            compile: built.times,
            inspect_ms,
            load_ms: ms(started),
            ..Times::default()
        };
        let generation = Generation {
            number: *number,
            hash: inspected.hash.clone(),
            manifest: inspected.manifest,
            code,
            times,
        };
        Ok(Arc::new(generation))
    }

    /// The source decides the epoch; the artifact has to say the same.
    fn check_epochs(&self, id: &str, manifest: &Manifest) -> Result<(), String> {
        let Some(inputs) = self.inputs.get(id) else { return Ok(()) };
        if manifest.epoch == inputs.epoch && manifest.cores == inputs.cores {
            return Ok(());
        }
        Err(format!(
            "H0311: the artifact of `{id}` was built as epoch {} over {:?}, and its source is \
             epoch {} over {:?}. Save it again, or `reload {id}`",
            manifest.epoch, manifest.cores, inputs.epoch, inputs.cores
        ))
    }

    fn manifests(&self) -> BTreeMap<String, Manifest> {
        self.latest.iter().map(|(id, latest)| (id.clone(), latest.manifest.clone())).collect()
    }

    /// Says what is to run, once it is known to run together.
    fn propose(&mut self) {
        if self.proposed || self.recipes.by_module.is_empty() {
            return;
        }
        let started = Instant::now();
        let manifests = self.manifests();
        if let Err(error) = inspect::graph::check_graph(&manifests) {
            return self.refuse(error.to_string());
        }
        let roster = roster::roster(&manifests, &self.wanted);
        let target: Vec<SharedGeneration> =
            roster.iter().filter_map(|id| self.latest.get(id)).cloned().collect();
        let runs = |generation: &&SharedGeneration| {
            let running = self.runs.get(generation.id());
            running.is_some_and(|running| Arc::ptr_eq(running, generation))
        };
        let enter: Vec<SharedGeneration> = target.iter().filter(|g| !runs(g)).cloned().collect();
        let leave: BTreeSet<String> =
            self.runs.keys().filter(|id| !roster.contains(*id)).cloned().collect();
        let outlines = if enter.is_empty() {
            let stays = |(id, _): &(&String, &plan::Outline)| !leave.contains(*id);
            let kept = self.outlines.iter().filter(stays);
            kept.map(|(id, outline)| (id.clone(), outline.clone())).collect()
        } else {
            match self.plan_in_order(&target) {
                Ok(outlines) => outlines,
                Err(refusal) => return self.refuse(refusal.to_string()),
            }
        };
        let removed = |id: &&String| !self.catalog.crates.contains_key(*id);
        let prepared = Prepared {
            enter: self.in_order(enter),
            removed: leave.iter().filter(removed).cloned().collect(),
            leave,
            changed: std::mem::take(&mut self.changed),
            wanted: self.wanted.clone(),
            force: std::mem::take(&mut self.force),
            written: self.written.take(),
            plan_ms: ms(started),
        };
        self.proposed = true;
        self.proposal = Some(outlines);
        self.tell(Tell::Prepared(Box::new(prepared)));
    }

    fn plan_in_order(&self, target: &[SharedGeneration]) -> Result<Outlines, plan::Refusal> {
        plan::plan(&self.in_order(target.to_vec()), &self.outlines)
    }

    /// Each behind what it requires, so that types are there before what uses them.
    fn in_order(&self, mut generations: Vec<SharedGeneration>) -> Vec<SharedGeneration> {
        let order = inspect::graph::check_graph(&self.manifests()).unwrap_or_default();
        let place = |id: &str| order.iter().position(|known| known == id);
        generations.sort_by_key(|generation| place(generation.id()));
        generations
    }

    /// The newest generations will not run: what runs stays, until the source changes.
    fn refuse(&mut self, reason: String) {
        let newer = |id: &&String| {
            let (latest, runs) = (self.latest.get(*id), self.runs.get(*id));
            latest.is_some_and(|latest| runs.is_none_or(|runs| !Arc::ptr_eq(latest, runs)))
        };
        let ids: BTreeSet<String> = self.latest.keys().filter(newer).cloned().collect();
        let named: BTreeSet<String> = self.changed.intersection(&ids).cloned().collect();
        for id in &ids {
            match self.runs.get(id) {
                Some(runs) => self.latest.insert(id.clone(), runs.clone()),
                None => self.latest.remove(id),
            };
        }
        self.unsettled.extend(ids.iter().cloned());
        self.changed.clear();
        self.written = None;
        self.tell(Tell::Refused { ids: if named.is_empty() { ids } else { named }, reason });
        // The rest may still run.
        if self.runs.is_empty() && !self.latest.is_empty() {
            self.rethink = true;
        }
    }

    fn outlines_with(&self, generations: &[SharedGeneration]) -> Outlines {
        let mut target = self.runs.clone();
        for generation in generations {
            target.insert(generation.id().to_owned(), generation.clone());
        }
        let target: Vec<SharedGeneration> = target.into_values().collect();
        match self.plan_in_order(&target) {
            Ok(outlines) => outlines,
            Err(refusal) => {
                let ids = generations.iter().map(|g| g.id().to_owned()).collect();
                self.tell(Tell::Refused { ids, reason: refusal.to_string() });
                Outlines::new()
            }
        }
    }

    fn tell_plan(&self, id: String, news: &Outlines) {
        let mut text = String::new();
        for (module, new) in news {
            let change = Change::between(self.outlines.get(module), new);
            let same = self.runs.get(module).is_some_and(|_| *module != id);
            if !same {
                text.push_str(&format!("{module}\n{change}"));
            }
        }
        let dependents = self.catalog.with_dependents(&BTreeSet::from([id.clone()]));
        let along: Vec<&str> =
            dependents.iter().filter(|dependent| **dependent != id).map(String::as_str).collect();
        if !along.is_empty() {
            text.push_str(&format!("  swaps together with {}\n", along.join(", ")));
        }
        if text.is_empty() {
            text = format!("{id} cannot be planned; see its last error\n");
        }
        self.tell(Tell::Plan { id, text });
    }
}
