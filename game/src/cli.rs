//! The command line.

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
    /// Run the game (what happens without a command, too)
    Run(RunArgs),
}

/// How to run the game.
#[derive(Args, Clone, Debug)]
pub struct RunArgs {
    /// The app to begin with: `arena`, `boids`, or the full id of one
    #[arg(long, value_name = "NAME", default_value = "arena")]
    pub app: String,
    /// Open no window; steps of a fixed 1/60 s, in real time unless --frames is given
    #[arg(long)]
    pub headless: bool,
    /// End N frames after the modules run and the commands are done; a headless run then goes as
    /// fast as it can
    #[arg(long, value_name = "N")]
    pub frames: Option<u64>,
    /// The seed that all of the game's randomness comes from
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Let the game play itself (a headless run always does)
    #[arg(long)]
    pub autopilot: bool,
    /// Console commands to begin with, separated by semicolons; may be given several times
    #[arg(long, value_name = "COMMAND; COMMAND")]
    pub exec: Vec<String>,
    /// Append what the pipeline does to FILE, one JSON object a line
    #[arg(long, value_name = "FILE")]
    pub events: Option<PathBuf>,
    /// Go on from the app's newest snapshot
    #[arg(long)]
    pub resume: bool,
    /// Do not save the game every minute and at the end
    #[arg(long)]
    pub no_autosave: bool,
    /// Do not rebuild modules when their sources change
    #[arg(long)]
    pub no_watch: bool,
    /// Start the game again when it dies; a run in a window always does
    #[arg(long, conflicts_with = "no_supervise")]
    pub supervise: bool,
    /// Run the game in this process, without a supervisor
    #[arg(long)]
    pub no_supervise: bool,
    /// Under a supervisor: end the game when a module's system does not return for so long
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    pub hang_limit: u64,
    /// Given by the supervisor: its process
    #[arg(long, hide = true, value_name = "PID")]
    pub supervised: Option<u32>,
    /// Given by the supervisor: when it began, in seconds since 1970
    #[arg(long, hide = true, value_name = "SECONDS")]
    pub resume_since: Option<u64>,
    /// Given by the supervisor: this is another start, and the game before it died of that
    #[arg(long, hide = true, value_name = "REASON")]
    pub died_of: Option<String>,
}

impl Cli {
    /// How to run the game.
    pub fn run(self) -> RunArgs {
        match self.command {
            Some(Command::Run(run)) => run,
            None => self.run,
        }
    }
}

#[cfg(feature = "static")]
impl RunArgs {
    /// The module id of the app to begin with: `arena` stands for `apps_arena`.
    pub fn app_id(&self) -> String {
        if self.app.starts_with("apps_") { self.app.clone() } else { format!("apps_{}", self.app) }
    }
}
