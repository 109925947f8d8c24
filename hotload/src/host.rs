//! The part of the pipeline that runs between two frames, with access to the world.

mod command_queue;
mod commands;
mod happened;
mod history;
mod on_update;
mod phase;
mod plan_view;
mod probation;
mod questions;
mod report;
mod reports;
mod rollback;
mod snapshot_commands;
mod stats;
mod status;
mod switch;
mod transaction;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::SystemTime;

use bevy::app::AppExit;
use bevy::ecs::message::MessageCursor;
use bevy::prelude::*;
use playground_api::tuning::TuningFile;

use crate::console::view::PackQuestion;
use crate::events::EventLog;
use crate::guard::executor::guard_schedules;
use crate::ids::ModuleId;
use crate::inspect::Manifest;
use crate::packs::{PackRow, PackVersion};
use crate::plugin::HotLoadPlugin;
use crate::refusal::{Refusal, WorkerEnded};
use crate::resolve::Selection;
use crate::swap::Running;
use crate::tuning::{self, Reread};
use crate::watchdog::{Limits, Watchdog};
use crate::worker::event::{Request, Update};
use crate::worker::{Worker, WorkerSettings};
use command_queue::CommandQueue;
use happened::Happened;
use history::History;
use on_update::UnderWay;
use phase::Phase;
use probation::Probations;
use questions::Questions;
use snapshot_commands::Snapshots;
use stats::Stats;
use status::Status;

/// Drives the modules of one app.
pub struct Host {
    worker: Worker,
    watchdog: Watchdog,
    settings: Settings,
    phase: Phase,
    /// Frames since the app was ready.
    frame: u64,

    // The running code.
    running: Running,
    /// Grows with every change of `running`.
    running_version: u64,
    /// The modules that should run.
    selection: Selection,
    /// The app that runs.
    app: Option<ModuleId>,
    probations: Probations,
    history: History,

    // The known modules.
    modules: BTreeSet<ModuleId>,
    /// The installed packs that modules come from.
    pack_of: BTreeMap<ModuleId, Arc<PackVersion>>,
    packs: Vec<PackRow>,
    /// A pack whose publisher has to be trusted first.
    pack_question: Option<PackQuestion>,
    manifests: BTreeMap<ModuleId, Manifest>,
    status: BTreeMap<ModuleId, Status>,
    questions: Questions,
    stats: Stats,

    // Console input and output.
    commands: CommandQueue,
    snapshots: Snapshots,
    progress: Option<UnderWay>,
    /// The seconds that the last long build of so many modules took.
    long_builds: BTreeMap<usize, f32>,
    events: Option<EventLog>,
    /// Events that could not be written.
    events_lost: u64,

    tuning_cursor: MessageCursor<AssetEvent<TuningFile>>,
    guards_schedules: bool,
    worker_ended: bool,
}

/// The settings of [`HotLoadPlugin`] that are needed while the game runs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Exit the game this many frames after it was ready.
    pub frames: Option<u64>,
    /// The number of frames after a swap in which a panic rolls it back.
    pub probation_frames: u64,
    /// Stop the game's time while a command waits for the worker.
    pub deterministic: bool,
    /// The program starts the game again where that is requested.
    pub can_restart: bool,
    /// Save every minute and at the end.
    pub autosave: bool,
    /// Resume from the newest snapshot.
    pub resume: bool,
    /// Ignore snapshots that are older than this.
    pub resume_since: Option<SystemTime>,
    /// Why the previous game crashed, if it did.
    pub died_of: Option<String>,
}

impl Host {
    /// Starts the worker.
    pub fn new(plugin: &HotLoadPlugin, events: Option<EventLog>) -> Self {
        let app = plugin.app.as_ref().map(|app| ModuleId::of_app(app));
        let selection = Selection { app, switched: BTreeMap::new() };
        let settings = Settings {
            frames: plugin.frames,
            probation_frames: plugin.probation_frames,
            deterministic: plugin.deterministic,
            can_restart: plugin.can_restart,
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
            worker: Worker::start(WorkerSettings {
                folder: plugin.folder.clone(),
                watch: plugin.watch,
                selection: selection.clone(),
                prober: plugin.probe.clone(),
                probe_limit: plugin.probe_limit,
                killed: plugin.killed,
                shuffle: plugin.shuffle_load_order,
                prebuilt: plugin.prebuilt.clone(),
                project: plugin.project.clone(),
                packs: plugin.packs.clone().or(plugin.saves.as_ref().map(|it| it.join("packs"))),
            }),
            watchdog: Watchdog::start(Limits {
                frame: plugin.frame_limit,
                hang: plugin.hang_limit,
            }),
            settings,
            phase: Phase::default(),
            frame: 0,
            running: Running::default(),
            running_version: 0,
            selection,
            app: None,
            probations: Probations::default(),
            history: History::default(),
            modules: BTreeSet::new(),
            pack_of: BTreeMap::new(),
            packs: Vec::new(),
            pack_question: None,
            manifests: BTreeMap::new(),
            status: BTreeMap::new(),
            questions: Questions::default(),
            stats: Stats::default(),
            commands: CommandQueue::new(&plugin.exec, plugin.prompt),
            snapshots,
            progress: None,
            long_builds: BTreeMap::new(),
            events,
            events_lost: 0,
            tuning_cursor: MessageCursor::default(),
            guards_schedules: false,
            worker_ended: false,
        }
    }

    /// Runs the host's work between two frames.
    pub fn drive(&mut self, world: &mut World) {
        if !std::mem::replace(&mut self.guards_schedules, true) {
            guard_schedules(world, &self.running.reports);
        }
        if !self.phase.holds_time() {
            self.frame += 1;
        }
        if let Some(kept) = self.watchdog.beat() {
            self.on_blocked(world, kept);
        }
        self.on_reports(world);
        let updates: Vec<Update> = self.worker.updates().collect();
        for update in updates {
            self.on_update(world, update);
        }
        self.check_worker(world);
        self.show_progress(world);
        self.end_probations();
        self.reread_tuning(world);
        // The states have been entered by now, so the systems that start a new run have finished.
        if self.phase == Phase::Resuming && self.frame > 0 {
            self.phase = Phase::Playing;
            self.resume(world);
        }
        self.run_commands(world);
        self.autosave(world);
        self.check_loaded(world);
        self.hold_time(world);
        self.show(world);
    }

    fn is_ready(&self) -> bool {
        self.phase != Phase::Starting
    }

    fn status_of(&mut self, id: &ModuleId) -> &mut Status {
        self.status.entry(id.clone()).or_default()
    }

    fn check_worker(&mut self, world: &mut World) {
        if self.worker.is_running() || std::mem::replace(&mut self.worker_ended, true) {
            return;
        }
        self.commands.worker_ended();
        self.report(world, Happened::WorkerEnded(Refusal::from(WorkerEnded)));
        self.give_up_start(world);
    }

    /// Sends a request to the worker; the next command waits for the answer.
    fn request_and_wait(&mut self, request: Request) {
        if self.worker_ended {
            return;
        }
        let ticket = self.worker.request(request);
        self.commands.wait_for(ticket);
    }

    /// Requests the current selection from the worker.
    fn select(&mut self) {
        self.worker.request(Request::Select(self.selection.clone()));
    }

    fn reread_tuning(&mut self, world: &mut World) {
        let sources = self.running.active.values_mut().flat_map(|active| &mut active.data);
        for read in tuning::reread(world, &mut self.tuning_cursor, sources) {
            let happened = match read {
                Reread::Changed { path, unknown } => {
                    Happened::TuningRead { path, unknown: unknown.map(Into::into) }
                }
                Reread::Refused { path, error } => {
                    Happened::TuningRefused { path, refusal: error.into() }
                }
            };
            self.report(world, happened);
        }
    }

    fn exit(&self, world: &mut World) {
        world.write_message(AppExit::Success);
    }
}
