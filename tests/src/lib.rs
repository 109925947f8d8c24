//! A harness that runs real modules: a temporary copy of a workspace, an app in this process with
//! `HotLoadPlugin`, real cargo, real dylibs.
//!
//! ```no_run
//! use playground_tests::Scene;
//!
//! let mut scene = Scene::demo();
//! scene.edit("systems/walk/src/lib.rs", "tally.version = 1", "tally.version = 2");
//! scene.wait_for("swapped", "systems_walk");
//! scene.frames(1);
//! assert_eq!(scene.tally().get("version"), 2);
//! ```

pub mod bench;
mod copy;
mod event_file;
pub mod faults;
pub mod game;
mod probes;

use std::cell::RefCell;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use bevy::app::{TaskPoolOptions, TaskPoolPlugin};
use bevy::asset::AssetPlugin;
use bevy::ecs::error::FallbackErrorHandler;
use bevy::log::LogPlugin;
use bevy::prelude::*;
use bevy::render::RenderPlugin;
use bevy::render::settings::WgpuSettings;
use bevy::time::TimeUpdateStrategy;
use bevy::window::ExitCondition;
use bevy::winit::WinitPlugin;
use playground_api::options::RunOptions;
use playground_hotload::HotLoadPlugin;
use playground_hotload::console::Console;
use playground_hotload::probe::Prober;
use serde_json::Value;

pub use copy::{Copy, outside_target, workspace};
use event_file::EventFile;
pub use probes::{probes_of, probes_of_scene};

/// How long anything may take before the test fails; a cold build on a busy machine is slow.
const PATIENCE: Duration = Duration::from_secs(300);

/// An app in this process whose modules can be edited.
pub struct Scene {
    /// The app.
    pub app: App,
    copy: Copy,
    events: RefCell<EventFile>,
    seen: usize,
    lines: u64,
}

impl Scene {
    /// The test modules' app, ready to run.
    pub fn demo() -> Self {
        Self::with_plugin(Copy::of_fixtures(), |_| {})
    }

    /// The test modules' app with other settings of the plugin, ready to run.
    pub fn demo_with(set: impl FnOnce(&mut HotLoadPlugin)) -> Self {
        Self::with_plugin(Copy::of_fixtures(), set)
    }

    /// The test modules' app after `prepare` changed them, as soon as its plugin is in; it may
    /// never become ready.
    pub fn unready(prepare: impl FnOnce(&Copy)) -> Self {
        let copy = Copy::of_fixtures();
        prepare(&copy);
        Self::start(copy, |_| {})
    }

    /// Builds the modules of a copy.
    fn build_all(copy: Copy, app: &str) {
        let _ = fs::remove_file(copy.root.join("events.jsonl"));
        Self::with_plugin(copy, |plugin| {
            plugin.watch = false;
            plugin.app = Some(app.to_owned());
        });
    }

    /// The game's own app of that name, ready to run.
    pub fn game(app: &str) -> Self {
        let app = app.to_owned();
        Self::with_plugin(Copy::of_game(), move |plugin| plugin.app = Some(app))
    }

    /// An app over `copy`, ready to run.
    pub fn with_plugin(copy: Copy, set: impl FnOnce(&mut HotLoadPlugin)) -> Self {
        let mut scene = Self::start(copy, set);
        scene.until("the app is ready", |scene| {
            let trouble = scene.log().into_iter().find(|line| line.starts_with("H0"));
            assert!(trouble.is_none(), "the app will not get ready\n{}", scene.story());
            scene.event("ready", None).is_some()
        });
        scene.mark();
        scene
    }

    fn start(copy: Copy, set: impl FnOnce(&mut HotLoadPlugin)) -> Self {
        let events = copy.root.join("events.jsonl");
        // Those of an earlier game over the same copy are not waited for.
        let _ = fs::remove_file(&events);
        let probe = Prober::Program(copy.link_probe(&probes::probe_program()));
        let mut plugin = HotLoadPlugin {
            folder: copy.root.clone(),
            app: Some("demo".to_owned()),
            events: Some(events.clone()),
            probation_frames: 30,
            deterministic: true,
            probe,
            autosave: false,
            echo: false,
            ..default()
        };
        set(&mut plugin);
        let app = headless(&copy.root.join("assets"), plugin);
        let events = RefCell::new(EventFile::new(events));
        Self { app, copy, events, seen: 0, lines: 0 }
    }

    /// Ends the app; what it leaves on disk is in the copy.
    pub fn quit(mut self) -> Copy {
        let mut console = self.app.world_mut().resource_mut::<Console>();
        console.submit("quit");
        self.until("the app ends", |scene| scene.app.should_exit().is_some());
        self.copy
    }

    /// The temporary workspace.
    pub fn copy(&self) -> &Copy {
        &self.copy
    }

    /// The root of the temporary workspace.
    pub fn root(&self) -> &Path {
        &self.copy.root
    }

    /// The text of a module's file, by its path below `modules/`.
    pub fn read(&self, path: &str) -> String {
        self.copy.read(path)
    }

    /// Replaces `from` with `to` in a module's file, which has to hold it. What is waited for from
    /// here on happened after this.
    pub fn edit(&mut self, path: &str, from: &str, to: &str) {
        self.edit_all(path, &[(from, to)]);
    }

    /// Like [`Scene::edit`], with several replacements in one save.
    pub fn edit_all(&mut self, path: &str, replacements: &[(&str, &str)]) {
        self.mark();
        self.copy.edit(path, replacements);
    }

    /// An edit, and the `swapped` event that it leads to.
    pub fn swap(&mut self, path: &str, replacements: &[(&str, &str)]) -> Value {
        self.edit_all(path, replacements);
        self.wait_for("swapped", &module_of(path))
    }

    /// An edit that goes live, and the console's lines about it, up to three frames after.
    pub fn swap_and_log(&mut self, path: &str, replacements: &[(&str, &str)]) -> String {
        let before = self.log().len();
        self.swap(path, replacements);
        self.frames(3);
        self.log()[before..].join("\n")
    }

    /// An edit that is not to go live, and why it does not: the reason of the `refused` or
    /// `build_failed` event.
    pub fn refusal(&mut self, kind: &str, path: &str, replacements: &[(&str, &str)]) -> String {
        self.edit_all(path, replacements);
        let event = self.wait_for(kind, &module_of(path));
        event["reason"].as_str().unwrap_or_default().to_owned()
    }

    /// Writes a module's file.
    pub fn write(&mut self, path: &str, text: &str) {
        self.mark();
        self.copy.write(path, text);
    }

    /// Removes a file or folder below `modules/`.
    pub fn remove(&mut self, path: &str) {
        self.mark();
        self.copy.remove(path);
    }

    /// Lets so many frames pass.
    pub fn frames(&mut self, count: u64) {
        for _ in 0..count {
            self.app.update();
        }
    }

    /// Lets frames pass until `done`.
    ///
    /// # Panics
    ///
    /// When it takes too long; `what` says what was waited for.
    pub fn until(&mut self, what: &str, mut done: impl FnMut(&Self) -> bool) {
        let started = Instant::now();
        let (mut events, mut changed, mut builds) = (0, started, false);
        loop {
            self.app.update();
            if done(self) {
                return;
            }
            assert!(started.elapsed() < PATIENCE, "in vain: {what}\n{}", self.story());
            let found = self.events.get_mut().read();
            if found.len() != events {
                (events, changed) = (found.len(), Instant::now());
                let last = found.last().map(|event| &event["event"]);
                builds = last.is_some_and(|last| *last == "changed" || *last == "build_started");
            }
            // A build needs the processor more than frames in which nothing happens.
            let is_quiet = builds || changed.elapsed() > Duration::from_millis(200);
            std::thread::sleep(Duration::from_millis(if is_quiet { 25 } else { 2 }));
        }
    }

    /// All events so far.
    pub fn events(&self) -> Vec<Value> {
        self.events.borrow_mut().read().to_vec()
    }

    /// The first event of that kind since the last [`Scene::mark`], about that module.
    pub fn event(&self, kind: &str, module: Option<&str>) -> Option<Value> {
        let mut events = self.events.borrow_mut();
        let mut since = events.read().iter().skip(self.seen);
        let found = since.find(|event| {
            event["event"] == kind && module.is_none_or(|module| concerns(event, module))
        });
        found.cloned()
    }

    /// How many events of that kind came since the last [`Scene::mark`].
    pub fn count(&self, kind: &str) -> usize {
        let mut events = self.events.borrow_mut();
        events.read().iter().skip(self.seen).filter(|event| event["event"] == kind).count()
    }

    /// Events before this are not looked at again.
    pub fn mark(&mut self) {
        self.seen = self.events.get_mut().read().len();
    }

    /// Lets frames pass until an event of that kind comes, about that module.
    ///
    /// # Panics
    ///
    /// When an edit ends otherwise, or it takes too long.
    pub fn wait_for(&mut self, kind: &str, module: &str) -> Value {
        const ENDS: [&str; 3] = ["swapped", "build_failed", "refused"];
        self.until(&format!("{kind} of {module}"), |scene| {
            let done = scene.event(kind, Some(module)).is_some();
            if !done && ENDS.contains(&kind) {
                for other in ENDS {
                    let ended = scene.event(other, Some(module)).is_some();
                    assert!(!ended, "{other} in place of {kind}\n{}", scene.story());
                }
            }
            done
        });
        self.event(kind, Some(module)).expect("it was there")
    }

    /// Lets frames pass until a line of the console holds `text`, and gives that line.
    pub fn wait_for_line(&mut self, text: &str) -> String {
        let find = |scene: &Self| scene.log().into_iter().find(|line| line.contains(text));
        self.until(&format!("a line with `{text}`"), |scene| find(scene).is_some());
        find(self).expect("it was there")
    }

    /// The generation of a module that runs; 0 for one that does not.
    pub fn generation(&mut self, module: &str) -> u32 {
        let modules = self.console("modules");
        let row = modules.lines().find(|line| line.split_whitespace().next() == Some(module));
        let row = row.unwrap_or_else(|| panic!("no {module} in\n{modules}"));
        row.split_whitespace().find_map(|word| word.parse().ok()).unwrap_or_default()
    }

    /// The tally, after a check that no module outside of a swap noticed anything and none inside
    /// saw anything twice or missed it.
    ///
    /// # Panics
    ///
    /// When one did.
    pub fn exact_tally(&mut self) -> Tally {
        let tally = self.tally();
        assert_eq!(tally.get("added"), 100, "{tally:?}\n{}", self.story());
        assert_eq!(tally.get("pings"), tally.get("sent"), "{tally:?}\n{}", self.story());
        assert_eq!(tally.get("removed"), tally.get("despawned"), "{tally:?}\n{}", self.story());
        tally
    }

    /// Runs console commands and gives what they print, once all of them are done.
    pub fn console(&mut self, line: &str) -> String {
        let end = format!("end-of-line-{}", self.lines);
        self.lines += 1;
        let mut console = self.app.world_mut().resource_mut::<Console>();
        console.submit(line);
        console.submit(format!("help {end}"));
        let marker = format!("there is no command `{end}`");
        // The oldest lines go where there are many: places in the log do not last.
        let end_of = |log: &[String]| log.iter().rposition(|line| line.contains(&marker));
        self.until(&format!("`{line}` is done"), |scene| end_of(&scene.log()).is_some());
        let log = self.log();
        let end = end_of(&log).unwrap_or_default();
        let echo = format!("> {line}");
        let start = log[..end].iter().rposition(|line| *line == echo).unwrap_or_default();
        let printed = log[start..end].iter().filter(|line| !line.starts_with("> "));
        printed.map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    /// Sends a line to the console, and does not wait for its commands.
    pub fn submit(&mut self, line: &str) {
        self.app.world_mut().resource_mut::<Console>().submit(line);
    }

    /// The console's lines.
    pub fn log(&self) -> Vec<String> {
        let console = self.app.world().resource::<Console>();
        console.log().lines().iter().map(|line| line.text.to_string()).collect()
    }

    /// The output of the test modules' `tally` command, all of one moment.
    pub fn tally(&mut self) -> Tally {
        Tally(self.console("tally"))
    }

    /// The hash of all persisted state.
    pub fn hash(&mut self) -> String {
        let text = self.console("hash");
        text.trim()
            .strip_prefix("hash ")
            .unwrap_or_else(|| panic!("no hash in `{text}`"))
            .to_owned()
    }

    /// The events and the console's lines, for a test that failed.
    pub fn story(&self) -> String {
        let events = self.events.borrow().text();
        format!("events:\n{events}\nconsole:\n{}", self.log().join("\n"))
    }
}

/// Numbers of one moment, in the form `name=1 other=2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally(pub String);

impl Tally {
    /// The number of that name.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub fn get(&self, name: &str) -> i64 {
        number(&self.0, name).unwrap_or_else(|| panic!("no `{name}` in `{}`", self.0))
    }
}

/// A number in text of the form `name=1 other=2`.
pub fn number(text: &str, name: &str) -> Option<i64> {
    let word = text.split_whitespace().find_map(|word| word.strip_prefix(&format!("{name}=")))?;
    word.parse::<f64>().ok().map(|number| number as i64)
}

/// The module that a file below `modules/` belongs to.
fn module_of(path: &str) -> String {
    let mut parts = path.split('/');
    let (kind, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    format!("{kind}_{name}")
}

fn concerns(event: &Value, module: &str) -> bool {
    let modules = event["modules"].as_array().into_iter().flatten();
    event["module"] == module || modules.into_iter().any(|entry| entry["module"] == module)
}

fn headless(assets: &Path, plugin: HotLoadPlugin) -> App {
    let mut app = headless_app(assets);
    app.insert_resource(RunOptions { seed: 1, autopilot: true, headless: true })
        .add_plugins(plugin)
        // A system of the host's or of Bevy's that cannot run is a failure.
        .insert_resource(FallbackErrorHandler(bevy::ecs::error::panic));
    app.finish();
    app.cleanup();
    app
}

/// An app without window and graphics, in which every frame is one fixed step. Plugins can still be
/// added.
pub fn headless_app(assets: &Path) -> App {
    let mut app = App::new();
    app.add_plugins(
        DefaultPlugins
            .build()
            .disable::<WinitPlugin>()
            .disable::<LogPlugin>()
            .disable::<bevy::app::TerminalCtrlCHandlerPlugin>()
            // On few processors one thread would do all tasks, and none would meet another.
            .set(TaskPoolPlugin { task_pool_options: TaskPoolOptions::with_num_threads(4) })
            .set(AssetPlugin { file_path: assets.to_string_lossy().into_owned(), ..default() })
            .set(WindowPlugin {
                primary_window: None,
                exit_condition: ExitCondition::DontExit,
                ..default()
            })
            .set(RenderPlugin {
                render_creation: WgpuSettings { backends: None, ..default() }.into(),
                ..default()
            }),
    )
    .insert_resource(TimeUpdateStrategy::FixedTimesteps(1))
    .insert_resource(Time::<Fixed>::from_hz(60.0));
    app
}
