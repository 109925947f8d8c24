//! The part of the pipeline that runs between two frames, with the world in hand.

mod command_queue;
mod commands;
mod history;
mod on_update;
mod plan_view;
mod probation;
mod snapshot_commands;
mod transaction;
mod view;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use bevy::app::AppExit;
use bevy::ecs::message::MessageCursor;
use bevy::prelude::*;
use playground_api::tuning::DataFile;

use crate::console::Console;
use crate::console::notices::{Notice, NoticeLevel};
use crate::console::plan::ModulePlan;
use crate::console::view::Level;
use crate::events::{Event, EventKind, EventLog};
use crate::generation::Times;
use crate::guard::executor::guard_schedules;
use crate::ids::{GenerationId, ModuleId};
use crate::inspect::Manifest;
use crate::os_remedies::remedy;
use crate::plugin::HotLoadPlugin;
use crate::process_limits::Usage;
use crate::resolve::Selection;
use crate::swap::Running;
use crate::tuning::{self, Reread};
use crate::watchdog::{Limits, Watchdog};
use crate::worker::{Ask, Prepared, Progress, Tell, Worker};
use command_queue::Script;
use history::History;
use probation::Probations;
use snapshot_commands::Snapshots;

/// What swaps took of the machine.
#[derive(Default)]
struct Taken {
    /// When the game was ready.
    at_ready: Usage,
    /// Since then.
    swaps: u64,
    /// Bytes of each artifact in the process, by module and generation.
    artifacts: BTreeMap<GenerationId, u64>,
}

/// What the worker does, and since when.
struct UnderWay {
    progress: Progress,
    started: Instant,
    /// People were told of it, in this form.
    told: bool,
}

/// Drives the modules of one app.
pub struct Host {
    worker: Worker,
    watchdog: Watchdog,
    running: Running,
    wanted: Selection,
    /// The app that runs.
    app: Option<ModuleId>,
    modules: BTreeSet<ModuleId>,
    manifests: BTreeMap<ModuleId, Manifest>,
    status: BTreeMap<ModuleId, Status>,
    history: History,
    taken: Taken,
    probations: Probations,
    prepared: VecDeque<Prepared>,
    progress: Option<UnderWay>,
    script: Script,
    snapshots: Snapshots,
    events: Option<EventLog>,
    /// Events that could not be written.
    events_lost: u64,
    data_cursor: MessageCursor<AssetEvent<DataFile>>,
    settings: Settings,
    frame: u64,
    guards_schedules: bool,
    ready: bool,
    /// The snapshot to go on from is not loaded yet.
    resuming: bool,
    /// The last frame's time was held.
    held: bool,
    worker_lost: bool,
}

/// What [`HotLoadPlugin`] was given, as far as it matters while the game runs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// End the game so many frames after `ready`.
    pub frames: Option<u64>,
    /// Frames in which a panic brings the old code back.
    pub probation_frames: u64,
    /// The game's time stands still while nothing runs yet, or a command is not done.
    pub deterministic: bool,
    /// Save every minute and at the end.
    pub autosave: bool,
    /// Go on from the newest snapshot.
    pub resume: bool,
    /// Of snapshots, leave out those that are older.
    pub resume_since: Option<SystemTime>,
    /// What the game before this one died of.
    pub died_of: Option<String>,
}

/// What is known of a module beside its generation.
#[derive(Clone, Debug, Default)]
struct Status {
    error: Option<String>,
    /// Another artifact stands in for the newest one.
    quarantined: bool,
    /// The error is rustc's.
    does_not_compile: bool,
    /// What was planned last, or why the newest code does not run.
    plan: Option<Arc<ModulePlan>>,
    /// The newest code would drop values, and waits for a yes.
    waits: bool,
    building: bool,
    times: Option<Times>,
    /// Errors that its systems returned, by system.
    errors: BTreeMap<String, Errors>,
}

/// Errors of one system.
#[derive(Clone, Debug, Default)]
struct Errors {
    number: u64,
    /// The number at which the next one is told of.
    tell_at: u64,
    last: String,
}

impl Status {
    /// How many errors the module's systems returned, and the last one of the system with the most.
    fn returned(&self) -> Option<(u64, String)> {
        let (system, most) = self.errors.iter().max_by_key(|(_, errors)| errors.number)?;
        let number = self.errors.values().map(|errors| errors.number).sum();
        Some((number, format!("{system}: {}", most.last)))
    }
}

impl Host {
    /// Starts the worker.
    pub fn new(plugin: &HotLoadPlugin, events: Option<EventLog>) -> Self {
        let wanted = Selection {
            app: plugin.app.as_ref().map(|app| ModuleId::of_app(app)),
            switched: BTreeMap::new(),
        };
        let settings = Settings {
            frames: plugin.frames,
            probation_frames: plugin.probation_frames,
            deterministic: plugin.deterministic,
            autosave: plugin.autosave,
            resume: plugin.resume,
            resume_since: plugin.resume_since,
            died_of: plugin.died_of.clone(),
        };
        let mut snapshots = Snapshots::default();
        if let Some(folder) = &plugin.saves {
            snapshots.place(folder.clone());
        }
        Self {
            worker: Worker::start(
                plugin.folder.clone(),
                plugin.watch,
                wanted.clone(),
                plugin.probe.clone(),
                plugin.probe_limit,
            ),
            watchdog: Watchdog::start(Limits {
                frame: plugin.frame_limit,
                hang: plugin.hang_limit,
            }),
            running: Running::default(),
            wanted,
            app: None,
            modules: BTreeSet::new(),
            manifests: BTreeMap::new(),
            status: BTreeMap::new(),
            history: History::default(),
            taken: Taken::default(),
            probations: Probations::default(),
            prepared: VecDeque::new(),
            progress: None,
            script: Script::new(&plugin.exec, plugin.prompt),
            snapshots,
            events,
            events_lost: 0,
            data_cursor: MessageCursor::default(),
            settings,
            frame: 0,
            guards_schedules: false,
            ready: false,
            resuming: false,
            held: false,
            worker_lost: false,
        }
    }

    /// What happens between two frames.
    pub fn drive(&mut self, world: &mut World) {
        if !std::mem::replace(&mut self.guards_schedules, true) {
            guard_schedules(world, &self.running.reports);
        }
        if self.ready && !self.held {
            self.frame += 1;
        }
        if let Some(kept) = self.watchdog.beat() {
            self.hear_kept(world, kept);
        }
        self.hear_reports(world);
        let told: Vec<Tell> = self.worker.told().collect();
        for tell in told {
            self.hear(world, tell);
        }
        if !self.worker.is_running() && !std::mem::replace(&mut self.worker_lost, true) {
            let text = "H0805: the thread that builds modules has ended; what runs goes on. Start \
                        the game again to edit further";
            self.say(world, Level::Error, text);
            self.notice(world, "worker", Notice::new(NoticeLevel::Error, "No more edits", text));
        }
        while let Some(prepared) = self.prepared.pop_front() {
            self.swap(world, prepared);
            // What failed as it entered goes before a frame sees it.
            self.hear_reports(world);
        }
        self.tell_progress(world);
        self.end_probations();
        self.reread_data(world);
        // The states were entered by now: what begins a new run is behind the game.
        if self.resuming && self.frame > 0 {
            self.resuming = false;
            self.resume(world);
        }
        self.run_script(world);
        self.autosave(world);
        self.hold_time(world);
        self.show(world);
    }

    fn become_ready(&mut self, world: &mut World, wanted: &Selection) {
        let app = wanted.app.as_ref();
        let chosen = app.is_some() || !self.modules.iter().any(|id| id.is_app());
        let runs = app.is_none_or(|app| self.running.active.contains_key(app));
        if self.ready || !chosen || !runs {
            return;
        }
        self.ready = true;
        (self.taken.at_ready, self.taken.swaps) = (Usage::now(), 0);
        let app = app.map_or("no app", ModuleId::as_str);
        let event = Event::new(EventKind::Ready, self.frame);
        self.log_event(world, event.because(app));
        let count = self.running.active.len();
        self.say(world, Level::Info, &format!("ready: {app}, {count} modules"));
        self.resuming = self.settings.resume;
        if let Some(reason) = self.settings.died_of.take() {
            let title = "The game died, and was started again";
            let saved = if self.resuming { "; it goes on from its last save" } else { "" };
            let body = format!("of {reason}{saved}");
            self.say(world, Level::Warn, &format!("{title}: {body}"));
            let notice = Notice::new(NoticeLevel::Question, title, body);
            self.notice(world, "restarted", notice);
        }
    }

    /// `--app arena` is known for `apps_arena` once there is a module of that name, and the first
    /// app is taken where none is named.
    fn complete_app(&mut self, world: &mut World) {
        if self.ready {
            return;
        }
        let apps: Vec<&ModuleId> = self.modules.iter().filter(|id| id.is_app()).collect();
        let app = match &self.wanted.app {
            None => apps.first().map(|app| (*app).clone()),
            Some(app) if self.modules.contains(app) => Some(app.clone()),
            Some(app) => {
                let names: Vec<&str> = apps.iter().map(|app| app.as_str()).collect();
                let text = format!("H0801: no app `{app}`; there are {}", names.join(", "));
                self.say(world, Level::Error, &text);
                world.write_message(AppExit::from_code(2));
                return;
            }
        };
        if app != self.wanted.app {
            self.wanted.app = app;
            self.worker.ask(Ask::Want(self.wanted.clone()));
        }
    }

    fn reread_data(&mut self, world: &mut World) {
        let sources = self.running.active.values_mut().flat_map(|active| &mut active.data);
        for read in tuning::reread(world, &mut self.data_cursor, sources) {
            match read {
                Reread::Changed(path) => {
                    self.say(world, Level::Info, &format!("assets/{path} read anew"));
                    let title = format!("assets/{path} read anew");
                    self.notice(world, &path, Notice::new(NoticeLevel::Success, title, ""));
                }
                Reread::Refused(reason) => {
                    self.say(world, Level::Error, &reason);
                    let title = "Tuning values refused";
                    let notice = Notice::new(NoticeLevel::Error, title, reason);
                    self.notice(world, "data", notice);
                }
            }
        }
    }

    /// A run that has to be the same every time counts no frame in which it waits for the worker.
    fn hold_time(&mut self, world: &mut World) {
        let waits = !self.ready || (self.settings.deterministic && self.script.awaits());
        self.held = waits;
        if let Some(mut time) = world.get_resource_mut::<Time<Virtual>>()
            && time.is_paused() != waits
            && (self.settings.deterministic || !self.ready || self.frame == 0)
        {
            if waits {
                time.pause();
            } else {
                time.unpause();
            }
        }
    }

    fn log_event(&mut self, world: &mut World, event: Event) {
        let Some(log) = &mut self.events else { return };
        match log.write(&event) {
            Ok(()) if self.events_lost > 0 => {
                let text = format!("{} events are not in the events file", self.events_lost);
                self.events_lost = 0;
                self.say(world, Level::Warn, &text);
            }
            Ok(()) => {}
            Err(error) => {
                self.events_lost += 1;
                if self.events_lost == 1 {
                    let remedy = remedy(&error);
                    let text =
                        format!("H0802: the events file cannot be written: {error}. {remedy}");
                    self.say(world, Level::Error, &text);
                }
            }
        }
    }

    fn say(&self, world: &mut World, level: Level, text: &str) {
        if let Some(mut console) = world.get_resource_mut::<Console>() {
            console.print(level, text);
        }
    }

    /// Something for the terminal that is not worth a line in the console.
    fn say_aside(&self, world: &mut World, text: &str) {
        if let Some(console) = world.get_resource::<Console>() {
            console.aside(text);
        }
    }

    /// A short notice in the game; a later one with the same key takes its place.
    fn notice(&self, world: &mut World, key: &str, notice: Notice) {
        if let Some(mut console) = world.get_resource_mut::<Console>() {
            console.notices.replace(key, notice);
        }
    }

    fn exit(&self, world: &mut World) {
        world.write_message(AppExit::Success);
    }
}

/// What the script waits for after a `quarantine` command.
const QUARANTINE: &str = "quarantine";

/// Where notices send those who want to know more.
const DETAILS: &str = "details in the console (F1)";
