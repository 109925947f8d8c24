//! The console's `restart`: this process becomes a new game.

use std::env;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use playground_hotload::restart::Restart;

use crate::cli::{HotArgs, RunArgs};

/// Of a game that begins anew: what it was started with, without what must not happen twice.
pub fn without_repeating(run: RunArgs) -> RunArgs {
    let Some(app) = run.hot.restarted.clone() else { return run };
    let app = if app.is_empty() { run.app } else { app };
    let hot = HotArgs { exec: Vec::new(), resume: false, died_of: None, killed: None, ..run.hot };
    RunArgs { app, hot, ..run }
}

/// Replaces this process by a new game with the same arguments. Returns only if that fails.
///
/// The supervisor waits for this process, and so for the new game.
pub fn run_again(program: io::Result<PathBuf>, asked: Restart) -> ExitCode {
    let app = asked.app.map_or_else(String::new, |app| app.to_string());
    let arguments = env::args_os().skip(1);
    let arguments =
        arguments.filter(|argument| !argument.to_string_lossy().starts_with("--restarted="));
    let error = match program {
        Ok(program) => {
            Command::new(program).args(arguments).arg(format!("--restarted={app}")).exec()
        }
        Err(error) => error,
    };
    eprintln!("playground: the game cannot be started again: {error}");
    ExitCode::from(2)
}
