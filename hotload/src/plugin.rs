//! `HotLoadPlugin`: a Bevy app whose modules are built, checked and swapped while it runs.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use bevy::app::{AppLabel, SubApp};
use bevy::asset::io::file::FileAssetReader;
use bevy::ecs::error::FallbackErrorHandler;
use bevy::prelude::*;
use bevy::render::sync_world::SyncWorldPlugin;
use bevy::winit::WinitPlugin;
use playground_api::bevy_egui::EguiPlugin;
use playground_api::events::HotLoadEvent;
use playground_api::handover::Handovers;
use playground_api::options::{KeyboardFocus, RunOptions};
use playground_api::registered::RegisteredSystems;

use crate::console::{Console, ConsolePlugin};
use crate::events::EventLog;
use crate::host::Host;
use crate::probe::{self, Prober};
use crate::tuning::AssetFolder;

/// Watches the modules of a cargo workspace, and swaps what changes while the app runs.
///
/// ```ignore
/// App::new().add_plugins((DefaultPlugins, HotLoadPlugin::default())).run();
/// ```
///
/// The workspace's modules are the packages below its `modules/` folder. Add the plugin after
/// `DefaultPlugins`. In an app with a window it brings egui and the console (backquote or F1).
#[derive(Clone, Debug)]
pub struct HotLoadPlugin {
    /// A folder in the cargo workspace that holds the modules.
    pub folder: PathBuf,
    /// A folder of modules that are built already, as `playground dist` writes it. Nothing is compiled
    /// then, cargo is not needed, and `folder` and `watch` do not matter.
    pub prebuilt: Option<PathBuf>,
    /// A folder in a project that was made with the SDK of the game in `prebuilt`: its modules are
    /// built, watched, and run with those of the game.
    pub project: Option<PathBuf>,
    /// The app to run, e.g. `arena` for `apps_arena`; the first one if `None`.
    pub app: Option<String>,
    /// Build modules when their sources are saved.
    pub watch: bool,
    /// Commands to run once the modules run.
    pub exec: Vec<String>,
    /// Read commands from standard input as well.
    pub prompt: bool,
    /// Append events to this file, as JSON lines.
    pub events: Option<PathBuf>,
    /// Exit the app this many frames after the modules first ran and the commands are done, or with
    /// an error if its modules cannot start.
    pub frames: Option<u64>,
    /// The number of frames after a swap in which a panic rolls it back.
    pub probation_frames: u64,
    /// The process that tries new code before the game loads it.
    pub probe: Prober,
    /// The time limit for new code in the probe to be loaded and to run its `build`.
    pub probe_limit: Duration,
    /// A frame that takes longer is reported, with the system that blocks it.
    pub frame_limit: Duration,
    /// If a module's system blocks a frame for longer, the game exits, so that a supervisor can
    /// restart it; `None` disables this.
    pub hang_limit: Option<Duration>,
    /// Stop the game's time while a command is running, so that each run is the same.
    pub deterministic: bool,
    /// The program's `main` starts the game again where [`restart::requested`] says so; the console
    /// refuses `restart` otherwise.
    ///
    /// [`restart::requested`]: crate::restart::requested
    pub can_restart: bool,
    /// Save all persisted state every minute and at the end, as the snapshot `autosave_<app>`.
    pub autosave: bool,
    /// Resume from the app's newest snapshot.
    pub resume: bool,
    /// Ignore snapshots that are older than this when resuming.
    pub resume_since: Option<SystemTime>,
    /// Why the previous game crashed, if a supervisor started this one to replace it.
    pub died_of: Option<String>,
    /// The process id of the previous game, if somebody killed it: its new code is not to blame.
    pub killed: Option<u32>,
    /// The folder of snapshots; the workspace's folder `saves` if `None`.
    pub saves: Option<PathBuf>,
    /// The folder of installed packs; below that of the snapshots if `None`.
    pub packs: Option<PathBuf>,
    /// Load modules in another order with each seed, as far as their requirements leave that open: a
    /// game that then behaves otherwise relies on an order that it does not ask for.
    pub shuffle_load_order: Option<u64>,
    /// Print the console's output to the terminal.
    pub echo: bool,
}

impl Default for HotLoadPlugin {
    fn default() -> Self {
        Self {
            folder: workspace_folder(),
            prebuilt: None,
            project: None,
            app: None,
            watch: true,
            exec: Vec::new(),
            prompt: false,
            events: None,
            frames: None,
            probation_frames: 300,
            probe: Prober::Own,
            probe_limit: Duration::from_secs(2),
            frame_limit: Duration::from_secs(1),
            hang_limit: None,
            deterministic: false,
            can_restart: false,
            autosave: true,
            resume: false,
            resume_since: None,
            died_of: None,
            killed: None,
            saves: None,
            packs: None,
            shuffle_load_order: None,
            echo: true,
        }
    }
}

/// The folder that cargo started the app in, or the current one.
fn workspace_folder() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from("."), PathBuf::from)
}

/// The sub-app that runs after the main one, with access to the main world and while no schedule is
/// running.
#[derive(AppLabel, Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct BetweenFrames;

impl Plugin for HotLoadPlugin {
    fn build(&self, app: &mut App) {
        probe::serve_if_asked();
        // Resources for modules.
        app.init_resource::<RunOptions>()
            .init_resource::<KeyboardFocus>()
            .init_resource::<Handovers>()
            .init_resource::<RegisteredSystems>()
            .add_message::<HotLoadEvent>()
            .insert_resource(Console::new(self.echo))
            // An error in one system does not end the game.
            .insert_resource(FallbackErrorHandler(bevy::ecs::error::error));
        // For tuning files.
        let has_assets = app.world().contains_resource::<AssetServer>();
        if has_assets && !app.world().contains_resource::<AssetFolder>() {
            app.insert_resource(AssetFolder(asset_folder(app)));
        }
        // The console, if there is a window.
        if app.is_plugin_added::<WinitPlugin>() {
            if !app.is_plugin_added::<EguiPlugin>() {
                app.add_plugins(EguiPlugin::default());
            }
            app.add_plugins(ConsolePlugin);
        }

        let mut events = None;
        if let Some(path) = &self.events {
            match EventLog::open(path) {
                Ok(log) => events = Some(log),
                Err(error) => {
                    error!("{error}")
                }
            }
        }
        // Draw the first frame before anything is built.
        let plugin = self.clone();
        let host = Mutex::new((events, None));
        let mut between = SubApp::new();
        between.set_extract(move |main_world, _| {
            let Ok(mut host) = host.lock() else { return };
            let (events, host) = &mut *host;
            host.get_or_insert_with(|| Host::new(&plugin, events.take())).drive(main_world);
        });
        app.insert_sub_app(BetweenFrames, between);
    }

    fn finish(&self, app: &mut App) {
        if !app.is_plugin_added::<SyncWorldPlugin>() {
            list_removals(app);
        }
    }
}

/// Without a renderer, components that are drawn have nowhere to note that they were removed, and
/// their hook panics. Inserts the list that it asks for, which is Bevy's own and private.
fn list_removals(app: &mut App) {
    let mut observers = app.world_mut().query_filtered::<Entity, With<Observer>>();
    let before: HashSet<Entity> = observers.iter(app.world()).collect();
    SyncWorldPlugin.build(app);
    // What they would add to the list, nobody takes out of it.
    let after: Vec<Entity> = observers.iter(app.world()).collect();
    for observer in after.into_iter().filter(|observer| !before.contains(observer)) {
        app.world_mut().despawn(observer);
    }
}

/// The folder of the app's `AssetPlugin`.
fn asset_folder(app: &App) -> PathBuf {
    let plugins = app.get_added_plugins::<AssetPlugin>();
    let folder = plugins.first().map_or("assets", |plugin| plugin.file_path.as_str());
    FileAssetReader::get_base_path().join(folder)
}
