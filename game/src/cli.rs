//! The command line.

#[cfg(not(feature = "static"))]
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// An ECS game whose every piece of gameplay is a module.
#[derive(Parser, Debug)]
#[command(version, about, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Run the game (the default)
    Run(RunArgs),
    /// Build, sign, check and install packs of modules
    #[cfg(not(feature = "static"))]
    Pack(PackArgs),
    /// Write the game as a folder and an archive for players
    #[cfg(not(feature = "static"))]
    Dist(crate::dist::DistArgs),
    /// Write the SDK of the game, or make a project that uses one
    #[cfg(not(feature = "static"))]
    #[command(subcommand)]
    Sdk(crate::sdk::SdkCommand),
}

/// `pack` with its commands.
#[cfg(not(feature = "static"))]
#[derive(Args, Debug)]
pub struct PackArgs {
    /// The folder of saves and packs; that of the workspace, or the user's, if not given
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    #[command(subcommand)]
    command: crate::pack::PackCommand,
}

/// The task that the command line asks for.
pub enum Task {
    /// Run the game.
    Run(RunArgs),
    /// Work on a pack, with the folder of saves and packs if that is given.
    #[cfg(not(feature = "static"))]
    Pack(crate::pack::PackCommand, Option<PathBuf>),
    /// Release the game.
    #[cfg(not(feature = "static"))]
    Dist(crate::dist::DistArgs),
    /// Work on an SDK.
    #[cfg(not(feature = "static"))]
    Sdk(crate::sdk::SdkCommand),
}

#[derive(Args, Clone, Debug)]
pub struct RunArgs {
    /// The app to start: `arena`, `boids`, or a full id
    #[arg(long, value_name = "NAME", default_value = "arena")]
    pub app: String,
    /// Run without a window, in fixed steps of 1/60 s; in real time unless --frames is given
    #[arg(long)]
    pub headless: bool,
    /// Exit N frames after the modules run and the commands are done, with code 1 if the app cannot
    /// start; a headless run then is as fast as possible
    #[arg(long, value_name = "N")]
    pub frames: Option<u64>,
    /// Print a hash of all persisted state after the last of --frames
    #[arg(long, requires = "frames")]
    pub hash: bool,
    /// The seed of the game's random numbers
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Let the autopilot play (always on in headless runs)
    #[arg(long)]
    pub autopilot: bool,
    #[cfg(not(feature = "static"))]
    #[command(flatten)]
    pub hot: HotArgs,
}

/// The options of a game whose modules are loaded.
#[cfg(not(feature = "static"))]
#[derive(Args, Clone, Debug)]
pub struct HotArgs {
    /// Console commands to run at the start, separated by semicolons; may be repeated
    #[arg(long, value_name = "COMMAND; COMMAND")]
    pub exec: Vec<String>,
    /// Append events to FILE, one JSON object per line
    #[arg(long, value_name = "FILE")]
    pub events: Option<PathBuf>,
    /// Load the app's newest snapshot
    #[arg(long)]
    pub resume: bool,
    /// The folder of saves and packs; that of the workspace, or the user's, if not given
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// In a released game: also build and run the modules of a project that was made with its SDK
    #[arg(long, value_name = "DIR")]
    pub project: Option<PathBuf>,
    /// Do not save automatically every minute and on exit
    #[arg(long)]
    pub no_autosave: bool,
    /// Do not rebuild modules when their sources change
    #[arg(long)]
    pub no_watch: bool,
    /// Bring the old code back when new code panics in its first N frames
    #[arg(long, value_name = "N", default_value_t = 300)]
    pub probation: u64,
    /// Load modules in another order with each seed, as far as their requirements leave that open
    #[arg(long, value_name = "SEED")]
    pub shuffle_load_order: Option<u64>,
    /// Restart the game when it crashes (the default in a window)
    #[arg(long, conflicts_with = "no_supervise")]
    pub supervise: bool,
    /// Run the game in this process, without a supervisor
    #[arg(long)]
    pub no_supervise: bool,
    /// Under a supervisor: end the game when a module's system does not return for this time
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    pub hang_limit: u64,
    /// Set by the supervisor: its process id
    #[arg(long, hide = true, value_name = "PID")]
    pub supervised: Option<u32>,
    /// Set by the supervisor: its start, in seconds since 1970
    #[arg(long, hide = true, value_name = "SECONDS")]
    pub resume_since: Option<u64>,
    /// Set by the supervisor: this is a restart, and the reason for it
    #[arg(long, hide = true, value_name = "REASON")]
    pub died_of: Option<String>,
    /// Set by the supervisor: the process id of the game before, if somebody killed it
    #[arg(long, hide = true, value_name = "PID")]
    pub killed: Option<u32>,
    /// Set by `restart` in the console: the app that ran
    #[arg(long, hide = true, value_name = "APP")]
    pub restarted: Option<String>,
}

impl Cli {
    pub fn task(self) -> Task {
        match self.command {
            Some(Command::Run(run)) => Task::Run(run),
            #[cfg(not(feature = "static"))]
            Some(Command::Pack(PackArgs { data, command })) => Task::Pack(command, data),
            #[cfg(not(feature = "static"))]
            Some(Command::Dist(args)) => Task::Dist(args),
            #[cfg(not(feature = "static"))]
            Some(Command::Sdk(command)) => Task::Sdk(command),
            None => Task::Run(self.run),
        }
    }
}

#[cfg(feature = "static")]
impl RunArgs {
    /// The module id of the app to start: `apps_arena` for `arena`.
    pub fn app_id(&self) -> String {
        if self.app.starts_with("apps_") { self.app.clone() } else { format!("apps_{}", self.app) }
    }
}
