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
        if run.supervised.is_some_and(supervise::exit_with_supervisor) {
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
    let home = home::Home::find(run.data.clone());
    app.add_plugins(HotLoadPlugin {
        prebuilt: home.modules.clone(),
        project: run.project,
        saves: home.saves(),
        packs: home.packs(),
        app: Some(run.app),
        watch: !run.no_watch,
        autosave: !run.no_autosave,
        resume: run.resume,
        // A restart does not repeat the commands.
        exec: if run.died_of.is_some() { Vec::new() } else { run.exec },
        died_of: run.died_of,
        killed: run.killed,
        resume_since: run.resume_since.map(|since| UNIX_EPOCH + Duration::from_secs(since)),
        hang_limit: run.supervised.map(|_| Duration::from_secs(run.hang_limit)),
        probation_frames: run.probation,
        can_restart: true,
        shuffle_load_order: run.shuffle_load_order,
        prompt: headless,
        events: run.events,
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
        let end = move |mut frame: Local<u64>, mut exit: MessageWriter<AppExit>| {
            *frame += 1;
            if *frame >= frames {
                exit.write(AppExit::Success);
            }
        };
        app.add_systems(Last, end);
    }
    if added {
        return Ok(());
    }
    let apps = linked::apps().join(", ");
    eprintln!("playground: there is no app `{}`; there are {apps}", run.app);
    Err(AppExit::from_code(2))
}
