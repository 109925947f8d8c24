//! The part of the pipeline that runs between two frames, with the world in hand.

mod commands;
mod probation;
mod script;
mod view;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use bevy::app::AppExit;
use bevy::ecs::message::MessageCursor;
use bevy::prelude::*;
use playground_api::data::DataFile;

use crate::console::Console;
use crate::console::notices::{Notice, NoticeLevel};
use crate::console::view::Level;
use crate::data::{self, Reread};
use crate::events::{Event, EventKind, EventLog, ModuleGeneration};
use crate::generation::{SharedGeneration, Times};
use crate::inspect::Manifest;
use crate::plugin::HotLoadPlugin;
use crate::roster::Wanted;
use crate::snapshot::{self, Snapshot};
use crate::swap::{self, Running, SwapError, Swapped, Transaction};
use crate::worker::{Ask, Prepared, Progress, Runs, Tell, Worker};
use probation::Probations;
use script::Script;

/// How many swaps a rollback can go back over.
const HISTORY: usize = 32;

/// A swap that can be taken back.
#[derive(Clone)]
struct PastSwap {
    /// Each new generation with the one that it replaced.
    modules: Vec<(SharedGeneration, SharedGeneration)>,
    /// The old ones' persisted resources and states as they were.
    snapshot: Arc<Snapshot>,
}

/// Drives the modules of one app.
pub struct Host {
    worker: Worker,
    running: Running,
    wanted: Wanted,
    /// The app that runs.
    app: Option<String>,
    modules: BTreeSet<String>,
    manifests: BTreeMap<String, Manifest>,
    status: BTreeMap<String, Status>,
    /// Swaps that can be taken back, oldest first.
    history: VecDeque<PastSwap>,
    probations: Probations,
    prepared: VecDeque<Prepared>,
    progress: Option<(Progress, Instant)>,
    script: Script,
    events: Option<EventLog>,
    data_cursor: MessageCursor<AssetEvent<DataFile>>,
    settings: Settings,
    frame: u64,
    ready: bool,
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
}

/// What is known of a module beside its generation.
#[derive(Clone, Debug, Default)]
struct Status {
    error: Option<String>,
    building: bool,
    times: Option<Times>,
}

impl Host {
    /// Starts the worker.
    pub fn new(plugin: &HotLoadPlugin, events: Option<EventLog>) -> Self {
        let wanted = Wanted {
            app: plugin.app.as_ref().map(|app| full_app_name(app)),
            switched: BTreeMap::new(),
        };
        let settings = Settings {
            frames: plugin.frames,
            probation_frames: plugin.probation_frames,
            deterministic: plugin.deterministic,
        };
        Self {
            worker: Worker::start(plugin.folder.clone(), plugin.watch, wanted.clone()),
            running: Running::default(),
            wanted,
            app: None,
            modules: BTreeSet::new(),
            manifests: BTreeMap::new(),
            status: BTreeMap::new(),
            history: VecDeque::new(),
            probations: Probations::default(),
            prepared: VecDeque::new(),
            progress: None,
            script: Script::new(&plugin.exec, plugin.prompt),
            events,
            data_cursor: MessageCursor::default(),
            settings,
            frame: 0,
            ready: false,
            held: false,
            worker_lost: false,
        }
    }

    /// What happens between two frames.
    pub fn drive(&mut self, world: &mut World) {
        if self.ready && !self.held {
            self.frame += 1;
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
        }
        self.end_probations(world);
        self.reread_data(world);
        self.run_script(world);
        self.hold_time(world);
        self.show(world);
    }

    fn hear(&mut self, world: &mut World, tell: Tell) {
        match tell {
            Tell::Catalog { modules } => {
                self.status.retain(|id, _| modules.contains(id));
                self.modules = modules;
            }
            Tell::Manifests(manifests) => {
                self.manifests = manifests;
                self.complete_app(world);
            }
            Tell::Progress(progress) => self.hear_progress(world, progress),
            Tell::Changed(ids) => {
                for id in ids {
                    self.log_event(world, Event::new(EventKind::Changed, self.frame).about(&id));
                }
            }
            Tell::BuildStarted(id) => {
                self.status.entry(id.clone()).or_default().building = true;
                self.log_event(world, Event::new(EventKind::BuildStarted, self.frame).about(&id));
            }
            Tell::BuildFailed { id, messages, took_ms } => {
                self.hear_build_failed(world, &id, messages, took_ms);
            }
            Tell::Refused { ids, reason } => self.hear_refused(world, &ids, &reason),
            Tell::Prepared(prepared) => self.prepared.push_back(*prepared),
            Tell::Plan { id, text } => {
                self.script.done(&id);
                self.say(world, Level::Info, text.trim_end());
            }
            Tell::Trouble(reason) => {
                self.script.all_done();
                let event = Event::new(EventKind::Refused, self.frame);
                self.log_event(world, event.because(reason.clone()));
                let first = reason.lines().next().unwrap_or_default();
                let notice = Notice::new(NoticeLevel::Error, "The modules cannot be built", first);
                self.notice(world, "workspace", notice.details(DETAILS));
                self.say(world, Level::Error, &reason);
            }
        }
    }

    fn hear_progress(&mut self, world: &mut World, progress: Option<Progress>) {
        let started = self.progress.as_ref().map_or_else(Instant::now, |(_, started)| *started);
        if let Some(progress) = &progress
            && !self.ready
        {
            let of = if progress.total > 0 {
                format!(" ({} of {})", progress.done, progress.total)
            } else {
                String::new()
            };
            self.say_aside(world, &format!("{}{of}", progress.what));
        }
        if progress.is_none() {
            self.status.values_mut().for_each(|status| status.building = false);
        }
        self.progress = progress.map(|progress| (progress, started));
    }

    fn hear_build_failed(
        &mut self,
        world: &mut World,
        id: &str,
        messages: Vec<String>,
        took_ms: f32,
    ) {
        let text = messages.join("\n");
        let plain = without_colours(&text);
        let status = self.status.entry(id.to_owned()).or_default();
        status.building = false;
        status.error = Some(plain.clone());
        let event = Event::new(EventKind::BuildFailed, self.frame).about(id);
        self.log_event(world, event.because(plain.clone()));
        let title = format!("{id} does not compile ({took_ms:.0} ms)");
        let first = first_error(&plain);
        let notice = Notice::new(NoticeLevel::Error, title.clone(), first);
        self.notice(world, id, notice.details(DETAILS));
        self.say(world, Level::Error, &format!("{title}: the old code goes on\n{plain}"));
        self.script.done(id);
    }

    fn hear_refused(&mut self, world: &mut World, ids: &BTreeSet<String>, reason: &str) {
        for id in ids {
            self.status.entry(id.clone()).or_default().error = Some(reason.to_owned());
            let event = Event::new(EventKind::Refused, self.frame).about(id);
            self.log_event(world, event.because(reason));
            self.script.done(id);
        }
        let names: Vec<&str> = ids.iter().map(String::as_str).collect();
        let names =
            if names.len() > 3 { format!("{} modules", names.len()) } else { names.join(", ") };
        let first = reason.lines().next().unwrap_or_default();
        let title = format!("{names} refused");
        let notice = Notice::new(NoticeLevel::Error, title.clone(), first);
        let key = ids.first().map_or("refused", String::as_str);
        self.notice(world, key, notice.details(DETAILS));
        self.say(world, Level::Error, &format!("{title}: the old code goes on\n{reason}"));
    }

    /// swap, and what follows from it.
    fn swap(&mut self, world: &mut World, prepared: Prepared) {
        let Prepared { enter, leave, removed, changed, wanted, force, written, plan_ms } = prepared;
        let transaction =
            Transaction { enter: enter.clone(), leave: leave.iter().cloned().collect(), force };
        let before: BTreeMap<String, SharedGeneration> = self.generations();
        let dormant: BTreeSet<String> = self.running.dormant.keys().cloned().collect();
        let snapshot = self.snapshot(world, &enter);
        let swapped = match swap::swap(world, &mut self.running, transaction) {
            Ok(swapped) => swapped,
            Err(error) => return self.hear_swap_error(world, enter, &changed, &error),
        };
        for id in &removed {
            self.running.forget(world, id);
            self.status.remove(id);
        }
        self.answer(Vec::new(), true);
        let total_ms = written
            .and_then(|at| SystemTime::now().duration_since(at).ok())
            .map_or(0.0, |took| took.as_secs_f32() * 1000.0);
        for generation in &enter {
            let status = self.status.entry(generation.id().to_owned()).or_default();
            status.error = None;
            status.building = false;
            let pause_ms = swapped.pause_ms;
            status.times = Some(Times { plan_ms, pause_ms, total_ms, ..generation.times });
        }
        self.remember(&enter, &before, snapshot);
        let past = Past { before: &before, dormant: &dormant };
        self.report_swap(world, &enter, &leave, &changed, &past, &swapped);
        self.probations.begin(&enter, &before, self.settings.probation_frames);
        self.become_ready(world, &wanted);
        self.report_app(world, &wanted);
        for id in enter.iter().map(|generation| generation.id()).chain(leave.iter().map(|id| &**id))
        {
            self.script.done(id);
        }
        self.script.wanted_done(&wanted);
    }

    /// What the modules that are about to be replaced hold in resources and states.
    fn snapshot(&self, world: &mut World, enter: &[SharedGeneration]) -> Snapshot {
        let active = enter.iter().filter_map(|new| self.running.active.get(new.id()));
        let records: Vec<_> = active.flat_map(|active| active.persisted.iter()).collect();
        match snapshot::take(world, records.into_iter()) {
            Ok(snapshot) => snapshot,
            Err(error) => {
                let text = format!("no snapshot of the resources before the swap: {error}");
                self.say(world, Level::Warn, &text);
                Snapshot::default()
            }
        }
    }

    /// What was replaced can come back.
    fn remember(
        &mut self,
        enter: &[SharedGeneration],
        before: &BTreeMap<String, SharedGeneration>,
        snapshot: Snapshot,
    ) {
        let with_old = |g: &SharedGeneration| Some((g.clone(), before.get(g.id())?.clone()));
        let modules: Vec<_> = enter.iter().filter_map(with_old).collect();
        if !modules.is_empty() {
            self.history.push_back(PastSwap { modules, snapshot: Arc::new(snapshot) });
        }
        if self.history.len() > HISTORY {
            self.history.pop_front();
        }
    }

    /// The swap that brought the module's generation, with all that came along.
    fn last_swap(&self, id: &str) -> Option<&PastSwap> {
        let active = &self.running.active.get(id)?.generation;
        let brought =
            |swap: &&PastSwap| swap.modules.iter().any(|(new, _)| Arc::ptr_eq(new, active));
        self.history.iter().rev().find(brought)
    }

    fn hear_swap_error(
        &mut self,
        world: &mut World,
        enter: Vec<SharedGeneration>,
        changed: &BTreeSet<String>,
        error: &SwapError,
    ) {
        let entering = enter.iter().map(|generation| generation.id().to_owned());
        let ids = if changed.is_empty() { entering.collect() } else { changed.clone() };
        self.hear_refused(world, &ids, &error.to_string());
        self.answer(enter, true);
        self.script.all_done();
    }

    /// Tells the worker what runs.
    fn answer(&self, rejected: Vec<SharedGeneration>, answers: bool) {
        let generations = self.generations();
        self.worker.ask(Ask::Runs(Runs { generations, rejected, answers }));
    }

    fn generations(&self) -> BTreeMap<String, SharedGeneration> {
        let active = self.running.active.iter();
        active.map(|(id, active)| (id.clone(), active.generation.clone())).collect()
    }

    fn report_swap(
        &mut self,
        world: &mut World,
        enter: &[SharedGeneration],
        leave: &BTreeSet<String>,
        changed: &BTreeSet<String>,
        past: &Past,
        swapped: &Swapped,
    ) {
        for warning in &swapped.warnings {
            self.say(world, Level::Warn, warning);
        }
        let was_off = |g: &&SharedGeneration| {
            !past.before.contains_key(g.id()) && past.dormant.contains(g.id())
        };
        let (back, fresh): (Vec<&SharedGeneration>, Vec<&SharedGeneration>) =
            enter.iter().partition(was_off);
        for generation in &back {
            let event = Event::new(EventKind::Enabled, self.frame).about(generation.id());
            self.log_event(world, event.generation(generation.number));
            self.say(world, Level::Info, &format!("{} is on", generation.id()));
        }
        for id in leave {
            self.log_event(world, Event::new(EventKind::Disabled, self.frame).about(id));
            self.say(world, Level::Info, &format!("{id} is off"));
        }
        let lead = fresh.iter().find(|g| changed.contains(g.id())).or(fresh.first());
        let Some(lead) = lead else { return };
        let times = self.status.get(lead.id()).and_then(|status| status.times).unwrap_or_default();
        let mut event =
            Event::new(EventKind::Swapped, self.frame).about(lead.id()).generation(lead.number);
        event.modules = fresh
            .iter()
            .map(|g| ModuleGeneration { module: g.id().to_owned(), generation: g.number })
            .collect();
        event.ms = Some(times.into());
        if swapped.migrated > 0 {
            event = event.because(format!("{} values carried over", swapped.migrated));
        }
        self.log_event(world, event);
        if self.ready {
            self.notice_swap(world, lead, fresh.len(), times, swapped);
        }
    }

    fn notice_swap(
        &mut self,
        world: &mut World,
        lead: &SharedGeneration,
        count: usize,
        times: Times,
        swapped: &Swapped,
    ) {
        let id = lead.id();
        let others = if count > 1 { format!(" with {} others", count - 1) } else { String::new() };
        let title = if times.total_ms > 0.0 {
            format!("{id}{others} live in {:.0} ms", times.total_ms)
        } else {
            format!("{id}{others} live")
        };
        let compile = times.compile;
        let mut body = format!(
            "check {:.0}, compile {:.0}, link {:.0}, pause {:.1} ms",
            compile.check_ms, compile.compile_ms, compile.link_ms, swapped.pause_ms
        );
        if swapped.migrated > 0 {
            body.push_str(&format!("; {} values carried over", swapped.migrated));
        }
        self.say(world, Level::Info, &format!("{title}: {body}"));
        self.notice(world, id, Notice::new(NoticeLevel::Success, title, body));
    }

    fn report_app(&mut self, world: &mut World, wanted: &Wanted) {
        let before = std::mem::replace(&mut self.app, wanted.app.clone());
        if let (Some(before), Some(app)) = (before, &wanted.app)
            && before != *app
        {
            let event = Event::new(EventKind::AppChanged, self.frame).about(app);
            self.log_event(world, event.because(format!("from {before}")));
            self.say(world, Level::Info, &format!("{app} runs"));
        }
    }

    fn become_ready(&mut self, world: &mut World, wanted: &Wanted) {
        let app = wanted.app.as_ref();
        if self.ready || app.is_some_and(|app| !self.running.active.contains_key(app)) {
            return;
        }
        self.ready = true;
        let app = app.map_or("no app", String::as_str);
        let event = Event::new(EventKind::Ready, self.frame);
        self.log_event(world, event.because(app));
        let count = self.running.active.len();
        self.say(world, Level::Info, &format!("ready: {app}, {count} modules"));
    }

    /// `--app arena` is known for `apps_arena` once there is a module of that name, and the first
    /// app is taken where none is named.
    fn complete_app(&mut self, world: &mut World) {
        if self.ready {
            return;
        }
        let apps: Vec<&String> = self.modules.iter().filter(|id| id.starts_with("apps_")).collect();
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
        for read in data::reread(world, &mut self.data_cursor, sources) {
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
        if let Err(error) = log.write(&event) {
            self.events = None;
            let text = format!("H0802: the events file cannot be written: {error}");
            self.say(world, Level::Error, &text);
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

/// Where notices send those who want to know more.
const DETAILS: &str = "details in the console (F1)";

/// What ran before a swap, and what was switched off.
struct Past<'a> {
    before: &'a BTreeMap<String, SharedGeneration>,
    dormant: &'a BTreeSet<String>,
}

/// Names on the command line leave the kind out.
fn full_app_name(name: &str) -> String {
    if name.starts_with("apps_") { name.to_owned() } else { format!("apps_{name}") }
}

/// The text without the escapes that colour it on a terminal.
fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\u{1b}[") {
        plain.push_str(&rest[..at]);
        let escape = &rest[at + 2..];
        let end =
            escape.find(|c: char| c.is_ascii_alphabetic()).map_or(escape.len(), |end| end + 1);
        rest = &escape[end..];
    }
    plain.push_str(rest);
    plain
}

/// The first error's message and place, on one line.
fn first_error(text: &str) -> String {
    let message = text.lines().find(|line| line.starts_with("error")).or(text.lines().next());
    let place = text.lines().find_map(|line| line.trim_start().strip_prefix("--> "));
    match (message, place) {
        (Some(message), Some(place)) => format!("{place}: {message}"),
        (Some(message), None) => message.to_owned(),
        _ => String::new(),
    }
}
