//! The worker: one thread that decides what to build and to propose, beside the game.
//!
//! ```text
//!   watcher, host, reader, attempt ──Event──► State::handle ──Effect──► this file
//!                                               (pure)                    │ threads, journal, probe
//!                                                                         ▼
//!                                                               Update ──► host
//! ```
//!
//! The loop waits only for events: reading sources and attempts have their own threads.

pub mod event;
mod journal_keeper;
mod module;
pub mod request;
mod state;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime};

use crate::build::rustc::Cancel;
use crate::build::standby::Standby;
use crate::generation::SharedGeneration;
use crate::inspect::HostFacts;
use crate::packs::{self, PackVersion, PacksError, StoreCommand, WentBack};
use crate::pipeline::{self, Attempt, AttemptOutcome, PipelineError, Tools, lock};
use crate::probe::Prober;
use crate::process_limits::{self, Usage};
use crate::reader::{Reader, SharedWorkspace};
use crate::refusal::Refusal;
use crate::resolve::Selection;
use crate::shared_libraries::{KnownLibraries, SharedLibraries};
use event::{AttemptEvent, AttemptId, Event, FileEvent, HostEvent, Progress, Request, Update};
use request::Ticket;
use state::{Effect, ReadRequest, State};

/// The interval of retries for a workspace that could not be read at the start.
const RETRY: Duration = Duration::from_secs(1);

/// The settings that the worker starts with.
pub struct WorkerSettings {
    /// A folder in the cargo workspace that holds the modules.
    pub folder: PathBuf,
    /// Build modules when their sources are saved.
    pub watch: bool,
    /// The modules that should run.
    pub selection: Selection,
    /// The process that tries new code before the game loads it.
    pub prober: Prober,
    /// The time limit of a trial.
    pub probe_limit: Duration,
    /// The process of the previous game, if it was killed from outside.
    pub killed: Option<u32>,
    /// The seed that modules are loaded in another order with.
    pub shuffle: Option<u64>,
    /// The folder of a released game's modules, in place of a workspace.
    pub prebuilt: Option<PathBuf>,
    /// A folder in a project of the released game's SDK.
    pub project: Option<PathBuf>,
    /// The folder of installed packs; the workspace's if `None`.
    pub packs: Option<PathBuf>,
}

/// The worker's thread. Ends when it is dropped.
pub struct Worker {
    events: Sender<Event>,
    updates: Receiver<Update>,
    stop: Cancel,
    last_ticket: Ticket,
    thread: Option<thread::JoinHandle<()>>,
}

impl Worker {
    /// Starts the thread.
    pub fn start(settings: WorkerSettings) -> Self {
        process_limits::raise_descriptors();
        let (events, received) = channel();
        let (sender, updates) = channel();
        let stop = Cancel::default();
        let (own, stopped) = (events.clone(), stop.clone());
        let thread = thread::Builder::new().name("playground worker".into()).spawn(move || {
            Loop::new(settings, own, sender, stopped).run(&received);
        });
        // If there is no thread, the host sees the closed channel.
        Self { events, updates, stop, last_ticket: Ticket::default(), thread: thread.ok() }
    }

    /// Sends a request. [`Update::Answered`] or a proposal returns its ticket.
    pub fn request(&mut self, request: Request) -> Ticket {
        self.last_ticket.0 += 1;
        self.send(Event::Request(self.last_ticket, request));
        self.last_ticket
    }

    /// The ticket of the newest request.
    pub fn last_ticket(&self) -> Ticket {
        self.last_ticket
    }

    /// Reports the answer to a proposal, or the running modules.
    pub fn report(&self, event: HostEvent) {
        self.send(Event::Host(event));
    }

    fn send(&self, event: Event) {
        // A worker that has ended receives nothing; the host reports that once.
        let _ = self.events.send(event);
    }

    /// False once the thread has ended, which happens early only if it fails.
    pub fn is_running(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// The updates since the last call.
    pub fn updates(&self) -> impl Iterator<Item = Update> + '_ {
        self.updates.try_iter()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.send(Event::Shutdown { panicking: thread::panicking() });
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            // A worker that panicked has printed the reason.
            let _ = thread.join();
        }
    }
}

/// The state of the worker's thread.
struct Loop {
    state: State,
    events: Sender<Event>,
    updates: Sender<Update>,
    reader: Arc<Reader>,
    tools: Tools,
    attempt: Option<(AttemptId, Cancel)>,
    /// The percentage of the machine's limits at the last warning.
    warned_percent: u64,
}

impl Loop {
    fn new(
        settings: WorkerSettings,
        events: Sender<Event>,
        updates: Sender<Update>,
        stop: Cancel,
    ) -> Self {
        let WorkerSettings { folder, watch, selection, prober, probe_limit, .. } = settings;
        let WorkerSettings { killed, shuffle, prebuilt, project, packs, .. } = settings;
        let (journal, libraries) = (Arc::default(), KnownLibraries::default());
        let reader = Reader {
            folder,
            watches: watch,
            prebuilt,
            project,
            packs,
            events: events.clone(),
            updates: updates.clone(),
            journal: Arc::clone(&journal),
            libraries: Arc::clone(&libraries),
            killed,
            stop,
            watching: Mutex::default(),
        };
        let tools = Tools {
            facts: Arc::default(),
            libraries: Arc::clone(&libraries),
            journal,
            probe: Arc::default(),
            prober,
            probe_limit,
            shuffle,
            standby: Standby::default(),
            usage: Arc::new(Mutex::new(Usage::default())),
            usage_is_old: Arc::new(true.into()),
        };
        let reader = Arc::new(reader);
        let state = State::new(selection);
        Self { state, events, updates, reader, tools, attempt: None, warned_percent: 0 }
    }

    fn run(&mut self, received: &Receiver<Event>) {
        let (facts, libraries) = (self.tools.facts.clone(), self.tools.libraries.clone());
        thread::spawn(move || {
            let read = HostFacts::of_this_process(playground_api::ABI).map_err(Refusal::from);
            let known = read.as_ref().map(|facts| Arc::new(SharedLibraries::of(facts)));
            let _ = libraries.set(known.map_err(Refusal::clone));
            let _ = facts.set(read);
        });
        self.refill_probe(&[]);
        let mut events = Vec::new();
        loop {
            for effect in self.state.handle(events.drain(..)) {
                if !self.execute(effect) {
                    return;
                }
            }
            let timeout = if self.state.waits_for_workspace() { RETRY } else { Duration::MAX };
            match received.recv_timeout(timeout) {
                Ok(event) => events.push(event),
                Err(RecvTimeoutError::Timeout) => events.push(Event::Retry),
                Err(RecvTimeoutError::Disconnected) => return,
            }
            events.extend(received.try_iter());
        }
    }

    /// Returns false when the worker is done.
    fn execute(&mut self, effect: Effect) -> bool {
        match effect {
            Effect::Read(request) => self.read(request),
            Effect::Start(attempt) => self.start(*attempt),
            Effect::Cancel(id) => {
                if let Some((_, cancel)) = self.attempt.as_ref().filter(|(own, _)| *own == id) {
                    cancel.cancel();
                }
            }
            Effect::Update(update) => self.update(update),
            Effect::Reached(modules, stage) => self.reached(&modules, stage),
            Effect::Discard(hashes) => self.discard(&hashes),
            Effect::Commit(generations) => self.commit(generations),
            Effect::Quarantine { clear } => self.quarantine(clear),
            Effect::Packs(ticket, command, workspace) => self.packs(ticket, command, workspace),
            Effect::GoBack(failed, reason) => self.go_back(failed, reason),
            Effect::Warm(running) => {
                self.tools.standby.refill();
                self.refill_probe(&running);
                self.measure();
            }
            Effect::End { panicking } => {
                if let Some(journal) = lock(&self.tools.journal).as_mut().filter(|_| !panicking) {
                    journal.end();
                }
                return false;
            }
        }
        true
    }

    fn update(&self, update: Update) {
        // If the host is gone, nobody needs the update.
        let _ = self.updates.send(update);
    }

    fn read(&self, request: ReadRequest) {
        let (reader, events) = (self.reader.clone(), self.events.clone());
        thread::spawn(move || {
            let ReadRequest { paths, everything, workspace, inputs } = request;
            let read = || reader.read(workspace.as_ref(), &inputs, &paths, everything);
            let read = catch_unwind(AssertUnwindSafe(read));
            let read = read.unwrap_or_else(|_| Err(PipelineError::Panicked.into()));
            let _ = events.send(Event::Read(read));
        });
    }

    /// Carries out a command about packs. It may unpack or build for seconds.
    fn packs(&self, ticket: Ticket, command: StoreCommand, workspace: SharedWorkspace) {
        let (events, updates) = (self.events.clone(), self.updates.clone());
        thread::spawn(move || {
            let mut report = |activity: &str| {
                let progress = Progress { activity: activity.to_owned(), done: 0, total: 0 };
                let _ = updates.send(Update::Progress(Some(progress)));
            };
            let run = || match &workspace.store {
                Some(store) => packs::run(store, &workspace.members, &command, &mut report),
                None => Err(PacksError::NoModules),
            };
            let result = catch_unwind(AssertUnwindSafe(run));
            let result = match result {
                Ok(result) => result.map_err(Refusal::from),
                Err(_) => Err(PipelineError::Panicked.into()),
            };
            let _ = updates.send(Update::Progress(None));
            let _ = events.send(Event::Packs(ticket, command, result));
        });
    }

    /// Installs the version of a pack that ran before. This waits for others that change packs.
    fn go_back(&self, failed: Arc<PackVersion>, reason: String) {
        let Some(store) = self.state.store() else { return };
        let (events, updates) = (self.events.clone(), self.updates.clone());
        thread::spawn(move || {
            let now = store.go_back(&failed.id, &failed.folder, &reason);
            let now = now.map_err(|error| PacksError::from(error).into());
            // Each module of a pack may fail; it goes back once.
            let Some(now) = now.transpose() else { return };
            let _ = updates.send(Update::PackWentBack(WentBack { failed, now, reason }));
            let (path, at) = (store.list_file(), SystemTime::now());
            let _ = events.send(Event::Files(FileEvent::Changed { path, at }));
        });
    }

    fn start(&mut self, attempt: Attempt) {
        let (id, cancel) = (attempt.id, Cancel::default());
        self.attempt = Some((id, cancel.clone()));
        let (tools, events) = (self.tools.clone(), self.events.clone());
        thread::spawn(move || {
            let report = |event| {
                let _ = events.send(Event::Attempt(id, event));
            };
            let made = || pipeline::attempt(&attempt, &tools, &cancel, &report);
            let outcome = catch_unwind(AssertUnwindSafe(made)).unwrap_or_else(|_| AttemptOutcome {
                groups: Vec::new(),
                planned: Some(Err(PipelineError::Panicked.into())),
                running_outlines: None,
                loaded: Vec::new(),
                learned: BTreeMap::new(),
            });
            report(AttemptEvent::Ended(Box::new(outcome)));
        });
    }

    /// Starts the next probe, and loads the running modules in it. A probe ends with the thread
    /// that starts it: this one.
    fn refill_probe(&self, running: &[SharedGeneration]) {
        let mut probe = lock(&self.tools.probe);
        if probe.is_none() {
            match self.tools.start_probe() {
                Ok(started) => *probe = started,
                // It is tried again when there is new code, which is refused if that fails.
                Err(error) => self.update(Update::Warning(Refusal::from(error).to_string())),
            }
        }
        if let Some(probe) = probe.as_mut() {
            probe.preload(running.iter().map(pipeline::image_of));
        }
    }

    /// Compares the resource usage with the machine's limits, after something was loaded.
    fn measure(&mut self) {
        if !self.tools.usage_is_old.swap(false, Ordering::Relaxed) {
            return;
        }
        let usage = Usage::now();
        let warning = usage.warning(&mut self.warned_percent);
        *lock(&self.tools.usage) = usage;
        if let Some(warning) = warning {
            self.update(Update::Warning(warning.to_string()));
        }
    }
}
