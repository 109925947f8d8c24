//! A model of everything that the state communicates with: sources that compile or do not, a
//! pipeline whose results follow from them, and a host that swaps.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use playground_pack::{Kind, Module};
use semver::Version;

use crate::build::rustc::CompileTimes;
use crate::build::{Built, DepInfo, Inputs, Learned, Outcome};
use crate::epoch::Identity;
use crate::generation::{SharedGeneration, stub_of};
use crate::ids::{ArtifactHash, InputsHash, ModuleId};
use crate::packs::{PackVersion, Prebuilt, PrebuiltModule};
use crate::pipeline::swap_groups::swap_groups;
use crate::pipeline::{
    Attempt, AttemptError, AttemptOutcome, GroupOutcome, PipelineError, Planned,
};
use crate::reader::Workspace;
use crate::resolve::{Selection, resolve};
use crate::worker::event::{
    AttemptEvent, AttemptId, Event, FileEvent, HostEvent, Proposal, ProposalAnswer, Reading,
    Request, RunningModules, Update,
};
use crate::worker::request::{Origin, Ticket};
use crate::worker::state::{Effect, ReadRequest, State};
use crate::workspace::{Members, ModuleCrate};

/// The modules of random runs, each with those that it links to.
pub const MODULES: [(&str, &[&str]); 6] = [
    ("leaf_a", &[]),
    ("leaf_b", &[]),
    ("core_x", &[]),
    ("user_p", &["core_x"]),
    ("user_q", &["core_x", "core_y"]),
    ("core_y", &[]),
];

/// The modules of the pack: they replace those of the workspace.
const PACKED: [&str; 2] = ["leaf_a", "leaf_b"];

/// The pack as the store lists it: the installed version, and the one before.
#[derive(Clone, Debug, Default)]
struct Pack {
    installed: Option<Source>,
    earlier: Option<Source>,
}

/// The properties of a module's source that the model needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// Differs between any two sources.
    pub text: u32,
    /// True if rustc compiles it.
    pub compiles: bool,
    /// True if inspection refuses it.
    pub refused: bool,
    /// The swap to it would drop data.
    pub drops: bool,
    /// The host cannot make the swap.
    pub breaks_swap: bool,
}

impl Source {
    /// One that compiles and runs.
    pub fn fine(text: u32) -> Self {
        Self { text, compiles: true, refused: false, drops: false, breaks_swap: false }
    }
}

/// A report that reaches the user.
#[derive(Clone, Debug, PartialEq)]
pub enum Report {
    NotBuilt { failed: BTreeSet<ModuleId>, waiting: BTreeSet<ModuleId> },
    StillNotBuilt(BTreeSet<ModuleId>),
    Refused(BTreeSet<ModuleId>),
    NeedsConfirmation(BTreeSet<ModuleId>),
    Swapped { modules: BTreeSet<ModuleId>, saved_at: Option<SystemTime> },
    Planned(ModuleId),
    Unreadable,
    Warning,
}

pub struct Model {
    state: State,
    links: BTreeMap<ModuleId, BTreeSet<ModuleId>>,
    disk: BTreeMap<ModuleId, Source>,
    /// The modules without a folder.
    gone: BTreeSet<ModuleId>,
    pub readable: bool,
    pub watches: bool,
    /// The user sees that something is in progress.
    shows_progress: bool,
    /// It was reported that the workspace cannot be read.
    is_unreadable: bool,
    /// The next reading finds files that were not watched before.
    pub unwatched: bool,
    pub selection: Selection,
    /// Two modules that cannot run together.
    pub clash: Option<(&'static str, &'static str)>,
    texts: std::cell::Cell<u32>,
    now: SystemTime,
    sources: BTreeMap<ArtifactHash, Source>,
    /// Artifacts that the user supplied as files.
    files: BTreeMap<PathBuf, Source>,
    /// The file that was loaded last for a module.
    last_files: BTreeMap<ModuleId, u32>,
    /// The modules whose source was saved after that.
    saved_since_file: BTreeSet<ModuleId>,
    /// The source that the last attempt made each module of.
    last_made: BTreeMap<ModuleId, u32>,
    pack: Pack,
    /// Versions of the pack that the store has yet to go back from.
    failed_packs: Vec<Arc<PackVersion>>,
    reading: Option<ReadRequest>,
    attempt: Option<(Box<Attempt>, bool)>,
    /// The sources at the start of the attempt under way.
    at_start: BTreeMap<ModuleId, Source>,
    /// Builds use the sources as they were at their start, like manifests.
    pub builds_from_start: bool,
    proposal: Option<Box<Proposal>>,
    running: BTreeMap<ModuleId, SharedGeneration>,
    version: u64,
    /// Events that the worker has not taken yet, if it is busy.
    waiting: Option<Vec<Event>>,
    /// The sources whose failure was reported.
    reported: BTreeSet<(ModuleId, u32)>,
    /// Requests that allow a module's data to be dropped, until they are answered.
    forced: BTreeMap<Ticket, ModuleId>,
    tickets: u64,
    answers: BTreeMap<Ticket, u32>,
    pub reports: Vec<Report>,
    /// The newest request that was complete when nothing was left to do.
    idle: Option<Ticket>,
}

impl Model {
    pub fn new(modules: &[(&str, &[&str])]) -> Self {
        let links = modules
            .iter()
            .map(|(id, links)| ((*id).into(), links.iter().map(|link| (*link).into()).collect()));
        let links: BTreeMap<ModuleId, BTreeSet<ModuleId>> = links.collect();
        let disk = links.keys().cloned().zip((1..).map(Source::fine)).collect();
        let mut model = Self {
            state: State::new(Selection::default()),
            links,
            disk,
            gone: BTreeSet::new(),
            readable: true,
            watches: true,
            shows_progress: false,
            is_unreadable: false,
            unwatched: false,
            selection: Selection::default(),
            clash: None,
            texts: 100.into(),
            now: SystemTime::UNIX_EPOCH,
            sources: BTreeMap::new(),
            files: BTreeMap::new(),
            last_files: BTreeMap::new(),
            saved_since_file: BTreeSet::new(),
            last_made: BTreeMap::new(),
            pack: Pack::default(),
            failed_packs: Vec::new(),
            reading: None,
            attempt: None,
            at_start: BTreeMap::new(),
            builds_from_start: false,
            proposal: None,
            running: BTreeMap::new(),
            version: 0,
            waiting: None,
            reported: BTreeSet::new(),
            forced: BTreeMap::new(),
            tickets: 0,
            answers: BTreeMap::new(),
            reports: Vec::new(),
            idle: None,
        };
        model.handle([]);
        model
    }

    pub fn of_all() -> Self {
        Self::new(&MODULES)
    }

    /// A source that differs from all others.
    pub fn next_source(&self) -> Source {
        self.texts.set(self.texts.get() + 1);
        Source::fine(self.texts.get())
    }

    pub fn live(&self, id: &str) -> Option<Source> {
        let running = self.running.get(id)?;
        self.sources.get(&running.hash).copied()
    }

    pub fn has_attempt(&self) -> bool {
        self.attempt.is_some()
    }

    /// The modules that the attempt under way builds.
    pub fn built(&self) -> Vec<&str> {
        let modules = self.attempt.as_ref().map(|(attempt, _)| attempt.modules.keys());
        modules.into_iter().flatten().map(ModuleId::as_str).collect()
    }

    pub fn has_proposal(&self) -> bool {
        self.proposal.is_some()
    }

    pub fn reads_everything(&self) -> bool {
        self.reading.as_ref().is_some_and(|request| request.everything)
    }

    pub fn is_answered(&self, ticket: Ticket) -> bool {
        self.answers.get(&ticket) == Some(&1)
    }

    pub fn save(&mut self, id: &str, source: Source) {
        let at = self.now + Duration::from_secs(1);
        self.save_at(id, source, at);
    }

    pub fn save_at(&mut self, id: &str, source: Source, at: SystemTime) {
        self.now = self.now.max(at);
        self.save_unseen(id, source);
        if self.watches {
            self.files(FileEvent::Changed { path: path_of(id), at });
        }
    }

    /// A save that causes no event.
    pub fn save_unseen(&mut self, id: &str, source: Source) {
        self.disk.insert(id.into(), source);
        self.gone.remove(id);
        let later = self.links.iter().filter(|(of, links)| of.as_str() == id || links.contains(id));
        self.saved_since_file.extend(later.map(|(of, _)| of.clone()));
    }

    /// The user loads an artifact from a file.
    pub fn load_file(&mut self, id: &str, source: Source) -> Ticket {
        let path = PathBuf::from(format!("/f/{}", source.text));
        self.files.insert(path.clone(), source);
        self.last_files.insert(id.into(), source.text);
        self.saved_since_file.remove(id);
        self.request(Request::LoadFile { id: id.into(), path })
    }

    /// The user declines to drop values.
    pub fn decline(&mut self, id: &str) {
        self.handle([Event::Host(HostEvent::Declined([id.into()].into()))]);
    }

    /// Somebody removes the module's folder.
    pub fn remove_folder(&mut self, id: &str) {
        self.gone.insert(id.into());
        self.touch(id);
    }

    /// Somebody edits the manifest and the source of a module so that it links to these.
    pub fn link(&mut self, id: &str, links: &[&str], source: Source) {
        self.links.insert(id.into(), links.iter().map(|link| (*link).into()).collect());
        self.save(id, source);
    }

    /// The missing cores of modules that have a folder: without them, cargo cannot read those.
    pub fn missing_cores(&self) -> BTreeSet<ModuleId> {
        let present = self.links.iter().filter(|(id, _)| !self.gone.contains(*id));
        let needed: BTreeSet<ModuleId> = present.flat_map(|(_, links)| links.clone()).collect();
        needed.intersection(&self.gone).cloned().collect()
    }

    /// The source in a module's folder; one that does not compile where that is gone.
    fn on_disk(&self, id: &ModuleId) -> Source {
        let source = self.disk[id];
        if self.gone.contains(id) { Source { text: 0, compiles: false, ..source } } else { source }
    }

    fn sources_on_disk(&self) -> BTreeMap<ModuleId, Source> {
        self.disk.keys().map(|id| (id.clone(), self.on_disk(id))).collect()
    }

    /// A file is written with the content that it had before.
    pub fn touch(&mut self, id: &str) {
        self.now += Duration::from_secs(1);
        self.files(FileEvent::Changed { path: path_of(id), at: self.now });
    }

    /// Somebody installs a version of the pack.
    pub fn install(&mut self, source: Source) {
        self.pack = Pack { earlier: self.pack.installed.take(), installed: Some(source) };
        for id in PACKED {
            self.sources.insert(artifact(id, source), source);
        }
        self.list_changed();
    }

    /// Somebody removes the pack, or switches it off.
    pub fn remove_pack(&mut self) {
        self.pack = Pack::default();
        self.list_changed();
    }

    pub fn installed(&self) -> Option<u32> {
        self.pack.installed.map(|source| source.text)
    }

    fn list_changed(&mut self) {
        self.now += Duration::from_secs(1);
        let path = PathBuf::from("/w/packs.toml");
        self.files(FileEvent::Changed { path, at: self.now });
    }

    /// The store goes back to the version before one that cannot run.
    fn go_back(&mut self) {
        let Some(failed) = self.failed_packs.pop() else { return };
        if self.installed().map(u64::from) == Some(failed.version.major) {
            self.pack.installed = self.pack.earlier.take();
            self.list_changed();
        }
    }

    /// The modules that were built elsewhere.
    fn prebuilt(&self) -> Prebuilt {
        let Some(source) = self.pack.installed else { return Prebuilt::default() };
        let pack = Arc::new(PackVersion {
            id: "pack".to_owned(),
            title: String::new(),
            version: Version::new(source.text.into(), 0, 0),
            folder: PathBuf::new(),
        });
        let module = |id: &str| PrebuiltModule {
            pack: Some(pack.clone()),
            folder: PathBuf::new(),
            file: PathBuf::new(),
            hash: artifact(id, source),
            links: BTreeSet::new(),
            module: Module {
                id: id.to_owned(),
                kind: Kind::Systems,
                version: Version::new(0, 1, 0),
                requires: BTreeMap::new(),
                optional: BTreeMap::new(),
                conflicts: BTreeMap::new(),
                after: BTreeSet::new(),
                before: BTreeSet::new(),
            },
        };
        let modules = PACKED.iter().map(|id| ((*id).into(), module(id)));
        let mut prebuilt = Prebuilt::default();
        prebuilt.modules = modules.collect();
        prebuilt
    }

    /// What a module is to be made of: its source, or the pack's artifact.
    fn newest(&self, id: &ModuleId) -> Source {
        let packed = self.pack.installed.filter(|_| PACKED.contains(&id.as_str()));
        packed.unwrap_or_else(|| self.on_disk(id))
    }

    pub fn files(&mut self, event: FileEvent) {
        self.handle([Event::Files(event)]);
    }

    pub fn request(&mut self, request: Request) -> Ticket {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        if let Request::Reload { id, force: true } = &request {
            self.forced.insert(ticket, id.clone());
        }
        self.answers.insert(ticket, 0);
        self.handle([Event::Request(ticket, request)]);
        ticket
    }

    pub fn switch(&mut self, id: &str, on: bool) {
        self.selection.switched.insert(id.into(), on);
        self.request(Request::Select(self.selection.clone()));
    }

    /// A panic after its probation.
    pub fn switch_off(&mut self, id: &str) {
        if self.running.remove(id).is_none() {
            return;
        }
        self.version += 1;
        self.selection.switched.insert(id.into(), false);
        let changed = HostEvent::Changed { running: self.running_modules(), rejected: Vec::new() };
        self.handle([Event::Host(changed)]);
        self.request(Request::Select(self.selection.clone()));
    }

    /// A panic in its probation: another generation of the same module runs again.
    pub fn roll_back(&mut self, id: &str) {
        let Some(new) = self.running.get(id).cloned() else { return };
        // Linked modules would roll back with it, which this model does not track.
        let is_alone = self.links[id].is_empty() && self.links.values().all(|it| !it.contains(id));
        if !is_alone || new.number < 2 {
            return;
        }
        let old = stub_of(id, new.number - 1, ArtifactHash::of(b"an older one"));
        self.sources.insert(old.hash.clone(), Source::fine(0));
        self.running.insert(id.into(), old);
        self.version += 1;
        // The host reports it.
        self.reported.insert((id.into(), self.sources[&new.hash].text));
        let running = self.running_modules();
        self.handle([Event::Host(HostEvent::Changed { running, rejected: vec![new] })]);
    }

    fn running_modules(&self) -> RunningModules {
        RunningModules {
            version: self.version,
            generations: self.running.clone(),
            selection: self.selection.clone(),
        }
    }

    /// From now on events wait until [`Model::deliver`].
    pub fn hold(&mut self) {
        self.waiting.get_or_insert_default();
    }

    /// The worker takes all events that wait at once.
    pub fn deliver(&mut self) {
        if let Some(events) = self.waiting.take() {
            self.handle(events);
        }
    }

    fn handle(&mut self, events: impl IntoIterator<Item = Event>) {
        if let Some(waiting) = &mut self.waiting {
            return waiting.extend(events);
        }
        for effect in self.state.handle(events) {
            self.execute(effect);
        }
    }

    fn execute(&mut self, effect: Effect) {
        match effect {
            Effect::Read(request) => {
                assert!(self.reading.replace(request).is_none(), "one reading at a time");
                self.shows_progress = true;
            }
            Effect::Start(attempt) => {
                self.at_start = self.sources_on_disk();
                assert!(self.attempt.replace((attempt, false)).is_none(), "one attempt at a time");
                self.shows_progress = true;
            }
            Effect::Cancel(id) => {
                if let Some((attempt, cancelled)) = &mut self.attempt {
                    assert_eq!(attempt.id, id);
                    *cancelled = true;
                }
            }
            Effect::Update(update) => self.update(update),
            Effect::GoBack(failed, _) => self.failed_packs.push(failed),
            Effect::Quarantine { .. }
            | Effect::Packs(..)
            | Effect::Reached(..)
            | Effect::Discard(_)
            | Effect::Commit(_)
            | Effect::Warm(_)
            | Effect::End { .. } => {}
        }
    }

    fn update(&mut self, update: Update) {
        match update {
            Update::NotBuilt(not_built) => {
                let failed: BTreeSet<ModuleId> = not_built.failed.keys().cloned().collect();
                self.reported(failed.iter().chain(&not_built.waiting));
                self.reports.push(if failed == not_built.again {
                    Report::StillNotBuilt(failed)
                } else {
                    Report::NotBuilt { failed, waiting: not_built.waiting }
                });
            }
            Update::Refused { ids, .. } => {
                self.reported(&ids);
                self.reports.push(Report::Refused(ids));
            }
            Update::Proposed(proposal) => {
                assert!(self.proposal.replace(proposal).is_none(), "one proposal at a time");
            }
            Update::SelectionRefused { refused, back_to } if self.selection == refused => {
                self.selection = back_to;
            }
            Update::Plan { id, .. } => self.reports.push(Report::Planned(id)),
            Update::Unreadable(_) => {
                self.is_unreadable = true;
                self.reports.push(Report::Unreadable);
            }
            Update::Progress(None) => self.shows_progress = false,
            Update::Readable => assert!(std::mem::take(&mut self.is_unreadable), "it was readable"),
            Update::Warning(_) => self.reports.push(Report::Warning),
            Update::Answered(ticket) => self.answered(ticket),
            Update::Idle(ticket) => {
                assert!(!self.has_attempt() && !self.has_proposal() && self.reading.is_none());
                let open =
                    self.answers.iter().find(|(open, count)| **open <= ticket && **count == 0);
                assert_eq!(open, None, "{ticket:?}");
                assert!(!self.shows_progress, "nothing is in progress");
                self.idle = Some(ticket);
            }
            _ => {}
        }
    }

    fn answered(&mut self, ticket: Ticket) {
        let count = self.answers.entry(ticket).or_default();
        *count += 1;
        assert_eq!(*count, 1, "{ticket:?} is answered once");
    }

    fn reported<'a>(&mut self, ids: impl IntoIterator<Item = &'a ModuleId>) {
        for id in ids {
            let text = self.last_made.get(id).copied().unwrap_or(self.newest(id).text);
            self.reported.insert((id.clone(), text));
        }
    }

    pub fn finish_reading(&mut self) {
        let Some(request) = self.reading.take() else { return };
        if !self.readable || !self.missing_cores().is_empty() {
            self.handle([Event::Read(Err(PipelineError::Panicked.into()))]);
            let is_idle =
                self.reading.is_none() && self.attempt.is_none() && self.waiting.is_none();
            assert!(!is_idle || !self.shows_progress, "nothing is in progress");
            return;
        }
        let present = || self.links.iter().filter(|(id, _)| !self.gone.contains(*id));
        let known = request.workspace.filter(|known| {
            let crates = &known.members.crates;
            let is_known = |id: &ModuleId, links: &BTreeSet<ModuleId>| {
                crates.get(id).is_some_and(|module| module.links == *links)
            };
            crates.len() == present().count() && present().all(|(id, links)| is_known(id, links))
        });
        let workspace = known.unwrap_or_else(|| {
            let module = |(id, links): (&ModuleId, &BTreeSet<ModuleId>)| {
                let folder = PathBuf::from("/w").join(id.as_str());
                let (id, links) = (id.clone(), links.clone());
                let module = ModuleCrate {
                    id: id.clone(),
                    version: Version::new(0, 1, 0),
                    folder,
                    links,
                    libraries: BTreeSet::new(),
                };
                (id, module)
            };
            let crates = present().map(module).collect();
            let members = Members { crates, ..Members::default() };
            Arc::new(Workspace { members, ..Workspace::default() })
        });
        let prebuilt = self.prebuilt();
        let workspace = if workspace.members.prebuilt.modules == prebuilt.modules {
            workspace
        } else {
            let members = Members { prebuilt, ..workspace.members.clone() };
            Arc::new(Workspace { members, ..(*workspace).clone() })
        };
        let read = |id: &ModuleId| {
            let last = request.inputs.get(id);
            let known = last.and_then(|last| last.known.clone());
            self.inputs(id, known, last.is_some_and(|last| last.failed))
        };
        let inputs = present().map(|(id, _)| (id.clone(), read(id))).collect();
        let was_unwatched = std::mem::take(&mut self.unwatched);
        self.handle([Event::Read(Ok(Reading { workspace, inputs, was_unwatched }))]);
    }

    /// A module's inputs are its own source and those of all modules that it links to, and depend on
    /// what its last compilation showed.
    fn inputs(&self, id: &ModuleId, known: Option<Arc<DepInfo>>, failed: bool) -> Inputs {
        let mut texts = vec![self.on_disk(id).text];
        texts.extend(self.links[id].iter().map(|link| self.on_disk(link).text));
        let hash = InputsHash::from(format!("{texts:?} {known:?} {failed}"));
        Inputs {
            compiled: hash.clone(),
            interface: hash.clone(),
            hash,
            identity: Arc::new(Identity {
                epoch: "0123456789abcdef".into(),
                crate_epoch: "0123456789abcdef".into(),
                types: BTreeMap::new(),
            }),
            cores: BTreeMap::new(),
            facts: Arc::default(),
            refused: None,
            known,
            failed,
            stamps: Arc::default(),
        }
    }

    /// The attempt under way ends with the result that the sources determine.
    pub fn finish_attempt(&mut self) {
        let Some((attempt, cancelled)) = self.attempt.take() else { return };
        let id = attempt.id;
        for module in attempt.modules.keys() {
            let text = self.source_in(&attempt, module).text;
            self.last_made.insert(module.clone(), text);
        }
        // Some errors are known while others are still building.
        let early = attempt.modules.keys().filter(|module| {
            let source = self.source_in(&attempt, module);
            !source.compiles && source.text.is_multiple_of(2)
        });
        for module in early.cloned().collect::<Vec<_>>() {
            let messages = vec!["error".to_owned()];
            self.attempt_event(id, AttemptEvent::BuildFailed { module, messages, took_ms: 1.0 });
        }
        let outcome = if cancelled { cancelled_outcome() } else { self.outcome(&attempt) };
        self.attempt_event(id, AttemptEvent::Ended(Box::new(outcome)));
    }

    /// While newer sources are read, no failure of older ones is reported.
    fn attempt_event(&mut self, id: AttemptId, event: AttemptEvent) {
        let reads_edits = self.reading.as_ref().is_some_and(|it| !it.paths.is_empty());
        let before = self.reports.len();
        self.handle([Event::Attempt(id, event)]);
        let new = &self.reports[before..];
        let is_plan = |report: &Report| matches!(report, Report::Planned(_));
        assert!(!reads_edits || new.iter().all(is_plan), "of sources that are read again: {new:?}");
    }

    /// What an attempt makes a module of. A pack's artifact stays what it was when it was read.
    fn source_in(&self, attempt: &Attempt, id: &ModuleId) -> Source {
        if let Some(Origin::File(path)) = attempt.modules.get(id).map(|intent| &intent.origin) {
            return self.files[path];
        }
        let prebuilt = attempt.workspace.members.prebuilt_module(id);
        let own = || if self.builds_from_start { self.at_start[id] } else { self.on_disk(id) };
        prebuilt.map_or_else(own, |module| self.sources[&module.hash])
    }

    fn outcome(&mut self, attempt: &Attempt) -> AttemptOutcome {
        let is_failed = |id: &&ModuleId| !self.source_in(attempt, id).compiles;
        let failed: BTreeSet<&ModuleId> = attempt.modules.keys().filter(is_failed).collect();
        let outcomes = attempt.modules.keys().map(|id| {
            let mut links = attempt.workspace.members.links_of(id).into_iter();
            let core = links.find(|link| failed.contains(link));
            let outcome = if failed.contains(id) {
                Outcome::Failed(vec!["error".to_owned()])
            } else if let Some(core) = core {
                Outcome::Skipped(core)
            } else {
                let (path, times) = (PathBuf::new(), CompileTimes::default());
                Outcome::Built(Built { path, bytes: Vec::new(), times, warnings: Vec::new() })
            };
            (id.clone(), outcome)
        });
        let outcomes = outcomes.collect();
        let learned = |id: &ModuleId| {
            let is_file = matches!(attempt.modules[id].origin, Origin::File(_));
            if is_file || attempt.workspace.members.prebuilt_module(id).is_some() {
                return None;
            }
            let before = attempt.inputs.get(id)?;
            let failed = failed.contains(id);
            let known = if failed { before.known.clone() } else { Some(Arc::default()) };
            let inputs = self.inputs(id, known, failed);
            Some((id.clone(), Learned { from: before.hash.clone(), inputs }))
        };
        let learned = attempt.modules.keys().filter_map(learned).collect();
        let members = &attempt.workspace.members;
        let mut good = attempt.good.clone();
        let mut loaded = Vec::new();
        let mut groups = Vec::new();
        for group in swap_groups(members, outcomes, &attempt.modules, &attempt.needed(), 1.0) {
            let (ids, goal, compiled) = (group.ids(), group.goal, group.compiled());
            let plans = group.asked.iter().map(|id| (id.clone(), Vec::new())).collect();
            let refused = ids.iter().any(|id| self.source_in(attempt, id).refused);
            let result = group.all_built().and_then(|built| {
                if refused {
                    return Err(AttemptError::Refused(PipelineError::Panicked.into()));
                }
                let generations = built.into_iter().map(|(id, _)| {
                    let source = self.source_in(attempt, &id);
                    let hash = artifact(id.as_str(), source);
                    // The values of a version of the pack may have its form already.
                    self.sources.entry(hash.clone()).or_insert(source);
                    let number = attempt.numbers.get(&id).copied().unwrap_or(1);
                    let mut stub = stub_of(id.as_str(), number, hash);
                    let prebuilt = attempt.workspace.members.prebuilt_module(&id);
                    Arc::get_mut(&mut stub).expect("a new one").pack =
                        prebuilt.and_then(|module| module.pack.clone());
                    stub
                });
                Ok(generations.collect::<Vec<_>>())
            });
            if let Ok(generations) = &result {
                loaded.extend(generations.iter().cloned());
                if goal.goes_live() {
                    good.extend(generations.iter().map(|it| (it.id().clone(), it.clone())));
                }
            }
            groups.push(GroupOutcome { ids, goal, compiled, reports: Vec::new(), plans, result });
        }
        let manifests = good.iter().map(|(id, good)| (id.clone(), good.manifest.clone())).collect();
        let selected = resolve(&manifests, &attempt.selection);
        let runs = &attempt.running.generations;
        let is_new = |it: &&SharedGeneration| {
            runs.get(it.id()).is_none_or(|running| !Arc::ptr_eq(running, it))
        };
        let enter = selected.iter().filter_map(|id| good.get(id)).filter(is_new).cloned();
        let planned = Planned {
            running_version: attempt.running.version,
            selection: attempt.selection.clone(),
            enter: enter.collect(),
            leave: runs.keys().filter(|id| !selected.contains(*id)).cloned().collect(),
            outlines: BTreeMap::new(),
            plan_ms: 0.0,
        };
        let clashes = self.clash.is_some_and(|(a, b)| selected.contains(a) && selected.contains(b));
        let planned = Some(if clashes { Err(PipelineError::Panicked.into()) } else { Ok(planned) });
        AttemptOutcome { groups, planned, running_outlines: None, loaded, learned }
    }

    /// The host accepts the proposed swap, or refuses it.
    pub fn answer_proposal(&mut self) {
        let Some(proposal) = self.proposal.take() else { return };
        let Proposal { id, running_version, enter, leave, changed, may_drop, saved_at, .. } =
            *proposal;
        let mut tickets = proposal.tickets;
        for module in &may_drop {
            let is_open = |(ticket, forced): (&Ticket, &ModuleId)| {
                forced == module && self.answers.get(ticket) == Some(&0)
            };
            assert!(self.forced.iter().any(is_open), "nobody allowed {module} to drop data");
        }
        let dropping: BTreeSet<ModuleId> = enter
            .iter()
            .filter(|it| self.sources[&it.hash].drops && !may_drop.contains(it.id()))
            .map(|it| it.id().clone())
            .collect();
        let entering: BTreeSet<ModuleId> = enter.iter().map(|it| it.id().clone()).collect();
        let answer = if running_version != self.version {
            ProposalAnswer::Stale(std::mem::take(&mut tickets))
        } else if enter.iter().any(|it| self.sources[&it.hash].breaks_swap) {
            self.reported(&entering);
            self.reports.push(Report::Refused(entering));
            ProposalAnswer::Refused
        } else if dropping.is_empty() {
            for new in &enter {
                // Its values have its new form now.
                if let Some(source) = self.sources.get_mut(&new.hash) {
                    source.drops = false;
                }
            }
            self.running.retain(|id, _| !leave.contains(id));
            self.running.extend(enter.into_iter().map(|it| (it.id().clone(), it)));
            self.version += 1;
            if !entering.is_empty() {
                self.reports.push(Report::Swapped { modules: entering, saved_at });
            }
            ProposalAnswer::Accepted
        } else {
            // All modules that came along are listed on the modules page.
            self.reported(&entering);
            let named = if changed.is_empty() { entering } else { changed };
            self.reports.push(Report::NeedsConfirmation(named));
            ProposalAnswer::Asks
        };
        tickets.into_iter().for_each(|ticket| self.answered(ticket));
        let running = self.running_modules();
        self.handle([Event::Host(HostEvent::Answered { proposal: id, answer, running })]);
    }

    /// Continues until nothing is in progress.
    pub fn rest(&mut self) {
        self.deliver();
        for _ in 0..1000 {
            match (&self.reading, &self.attempt, &self.proposal) {
                (None, None, None) if self.failed_packs.is_empty() => return,
                (None, None, None) => self.go_back(),
                (Some(_), ..) => self.finish_reading(),
                (_, Some(_), _) => self.finish_attempt(),
                (.., Some(_)) => self.answer_proposal(),
            }
        }
        panic!("it never comes to rest");
    }

    /// Every ticket was answered, the host knows that nothing is left to do, and each module's newest source is live, or its failure was
    /// reported.
    pub fn assert_at_rest(&self) {
        let open: Vec<&Ticket> =
            self.answers.iter().filter(|(_, count)| **count == 0).map(|(it, _)| it).collect();
        assert!(open.is_empty(), "never answered: {open:?}");
        assert!(!self.is_unreadable, "the user would still think that it cannot be read");
        assert_eq!(self.idle, Some(Ticket(self.tickets)), "the host is told");
        for id in self.disk.keys() {
            let source = self.newest(id);
            let is_packed = self.pack.installed.is_some() && PACKED.contains(&id.as_str());
            if self.gone.contains(id) && !is_packed {
                assert_eq!(self.live(id.as_str()), None, "{id} has no folder");
                continue;
            }
            if self.selection.switched.get(id) == Some(&false) {
                assert_eq!(self.live(id.as_str()), None, "{id} is switched off");
                continue;
            }
            let is_live = self.live(id.as_str()).is_some_and(|live| live.text == source.text);
            // A source that is saved while a file is loaded may be built before that.
            let was_made = || self.sources.contains_key(&artifact(id.as_str(), source));
            let is_file = self.last_files.get(id).is_some_and(|file| {
                let is_live = self.live(id.as_str()).is_some_and(|live| live.text == *file);
                (is_live || self.reported.contains(&(id.clone(), *file)))
                    && (is_packed || !self.saved_since_file.contains(id) || was_made())
            });
            let is_reported = self.reported.contains(&(id.clone(), source.text));
            assert!(
                is_live || is_file || is_reported,
                "{id}: {source:?} is lost; {:?}",
                self.live(id.as_str())
            );
        }
    }
}

fn cancelled_outcome() -> AttemptOutcome {
    AttemptOutcome {
        groups: Vec::new(),
        planned: None,
        running_outlines: None,
        loaded: Vec::new(),
        learned: BTreeMap::new(),
    }
}

/// The hash of what a module's source is built to.
fn artifact(id: &str, source: Source) -> ArtifactHash {
    ArtifactHash::of(format!("{id} {}", source.text).as_bytes())
}

fn path_of(id: &str) -> PathBuf {
    PathBuf::from("/w").join(id).join("src/lib.rs")
}
