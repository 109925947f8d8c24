//! The host: it opens a window or runs headless, and contains no gameplay.
//!
//! ```text
//!  command line ──┬─► window | headless ──► modules, linked in or loaded ──► run
//!                 └─► pack | dist | sdk
//! ```
#![forbid(unsafe_code)]

mod assets;
mod cli;
#[cfg(not(feature = "static"))]
mod dist;
mod headless;
#[cfg(not(feature = "static"))]
mod home;
#[cfg(feature = "static")]
mod linked;
#[cfg(not(feature = "static"))]
mod pack;
#[cfg(not(feature = "static"))]
mod restart;
#[cfg(any(test, feature = "static"))]
mod roster;
#[cfg(not(feature = "static"))]
mod sdk;
#[cfg(not(feature = "static"))]
mod supervise;
mod window;

use std::process::ExitCode;
#[cfg(not(feature = "static"))]
use std::time::{Duration, UNIX_EPOCH};

use bevy::prelude::*;
use clap::Parser;
use playground_api::options::{KeyboardFocus, RunOptions};

#[cfg(not(feature = "static"))]
use playground_hotload::HotLoadPlugin;

use crate::cli::{Cli, RunArgs, Task};

/// Fixed steps per second.
const STEPS_PER_S: f64 = 60.0;

fn main() -> ExitCode {
    #[cfg(not(feature = "static"))]
    playground_hotload::probe::serve_if_asked();
    // Read once: cargo may replace the file.
    #[cfg(not(feature = "static"))]
    let program = std::env::current_exe();
    let task = Cli::parse().task();
    #[cfg(feature = "static")]
    let Task::Run(run) = task;
    #[cfg(not(feature = "static"))]
    let run = match task {
        Task::Run(run) => run,
        Task::Pack(command, data) => return command.run(data),
        Task::Dist(args) => return args.run(),
        Task::Sdk(command) => return command.run(),
    };
    #[cfg(not(feature = "static"))]
    let run = {
        let run = restart::without_repeating(run);
        if supervise::should_supervise(&run) {
            return supervise::supervise(&run);
        }
        if run.hot.supervised.is_some_and(supervise::exit_with_supervisor) {
            return ExitCode::FAILURE;
        }
        run
    };
    let exit = play(run);
    #[cfg(not(feature = "static"))]
    if let Some(asked) = playground_hotload::restart::requested() {
        return restart::run_again(program, asked);
    }
    match exit {
        AppExit::Success => ExitCode::SUCCESS,
        AppExit::Error(code) => ExitCode::from(code.get()),
    }
}

fn play(run: RunArgs) -> AppExit {
    let window = if run.headless { None } else { window::app() };
    let headless = window.is_none();
    let mut app = window.unwrap_or_else(|| headless::app(run.frames.is_some()));
    app.insert_resource(RunOptions {
        seed: run.seed,
        autopilot: run.autopilot || headless,
        headless,
    })
    .insert_resource(Time::<Fixed>::from_hz(STEPS_PER_S))
    .init_resource::<KeyboardFocus>();
    match add_modules(&mut app, run, headless) {
        Ok(()) => app.run(),
        Err(exit) => exit,
    }
}

/// Modules that are built, loaded and swapped while the game runs.
#[cfg(not(feature = "static"))]
fn add_modules(app: &mut App, run: RunArgs, headless: bool) -> Result<(), AppExit> {
    let hot = run.hot;
    let home = home::Home::find(hot.data.clone());
    let mut exec = hot.exec;
    if let Some(frames) = run.frames.filter(|_| run.hash) {
        exec.push(format!("wait {frames}; hash"));
    }
    app.add_plugins(HotLoadPlugin {
        prebuilt: home.modules.clone(),
        project: hot.project,
        saves: home.saves(),
        packs: home.packs(),
        app: Some(run.app),
        watch: !hot.no_watch,
        autosave: !hot.no_autosave,
        resume: hot.resume,
        // A restart does not repeat the commands.
        exec: if hot.died_of.is_some() { Vec::new() } else { exec },
        died_of: hot.died_of,
        killed: hot.killed,
        resume_since: hot.resume_since.map(|since| UNIX_EPOCH + Duration::from_secs(since)),
        hang_limit: hot.supervised.map(|_| Duration::from_secs(hot.hang_limit)),
        probation_frames: hot.probation,
        can_restart: true,
        shuffle_load_order: hot.shuffle_load_order,
        prompt: headless,
        events: hot.events,
        // Only runs that do not follow real time are deterministic.
        deterministic: headless && run.frames.is_some(),
        frames: run.frames,
        ..default()
    });
    Ok(())
}

/// Modules that are part of the executable.
#[cfg(feature = "static")]
fn add_modules(app: &mut App, run: RunArgs, _headless: bool) -> Result<(), AppExit> {
    let added = linked::add_modules(app, &run.app_id());
    if let Some(frames) = run.frames {
        let end = move |world: &mut World, mut frame: Local<u64>| {
            // No time passes in the first one, in which modules are set up.
            if *frame == frames + 1 {
                if run.hash {
                    match linked::Persisted::hash(world) {
                        Ok(hash) => println!("hash {hash}"),
                        Err(error) => eprintln!("playground: no hash: {error}"),
                    }
                }
                world.write_message(AppExit::Success);
            }
            *frame += 1;
        };
        app.add_systems(First, end);
    }
    if added {
        return Ok(());
    }
    let apps = linked::apps().join(", ");
    eprintln!("playground: there is no app `{}`; there are {apps}", run.app);
    Err(AppExit::from_code(2))
}
