//! The supervisor: it runs the game as a child, and starts it again when it dies.
//!
//! ```text
//!  playground ──► supervisor ──► playground --supervised
//!                     ▲               │ a signal, an abort
//!                     └───────────────┘ again, with --resume: the last good modules, the last save
//! ```

use std::collections::VecDeque;
use std::env;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::process::{Signal, getppid, set_parent_process_death_signal};

use crate::cli::RunArgs;

/// So many deaths …
const MOST_DEATHS: usize = 3;
/// … within this time are not to be mended by another start.
const WITHIN: Duration = Duration::from_secs(60);

/// What a process of Rust's ends with after a panic.
const PANICKED: i32 = 101;

/// True for a run that is to be supervised, and is not yet.
pub fn is_wanted(run: &RunArgs) -> bool {
    let is_default = !run.headless;
    run.supervised.is_none() && !run.no_supervise && (run.supervise || is_default)
}

/// Runs the game until it ends by itself, or dies too often.
pub fn supervise(run: &RunArgs) -> ExitCode {
    // The terminal sends Ctrl+C to the game as well, which saves and ends; its end is this one's.
    if let Err(error) = ctrlc::set_handler(|| {}) {
        eprintln!("playground: Ctrl+C ends the supervisor before the game: {error}");
    }
    // Read once: cargo may put another one in its place.
    let program = match env::current_exe() {
        Ok(program) => program,
        Err(error) => {
            eprintln!("playground: the game's own file cannot be found: {error}");
            return ExitCode::from(2);
        }
    };
    let began_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut deaths: VecDeque<(Instant, String)> = VecDeque::new();
    loop {
        let died_of = deaths.back().map(|(_, reason)| reason.as_str());
        let status = match start(&program, run, began_s, died_of) {
            Ok(status) => status,
            Err(reason) => {
                eprintln!("playground: the game cannot be started: {reason}");
                return ExitCode::from(2);
            }
        };
        let Some(reason) = death(status) else {
            let code = status.code().and_then(|code| u8::try_from(code).ok());
            return code.map_or(ExitCode::FAILURE, ExitCode::from);
        };
        deaths.push_back((Instant::now(), reason));
        deaths.retain(|(at, _)| at.elapsed() < WITHIN);
        if deaths.len() >= MOST_DEATHS {
            report(&deaths);
            return ExitCode::FAILURE;
        }
        if let Some((_, reason)) = deaths.back() {
            eprintln!("playground: the game died of {reason}, and is started again");
        }
    }
}

/// The game ends with its supervisor. True if that is gone already.
pub fn end_with_supervisor(supervisor: u32) -> bool {
    // Where the system does not know it, the game goes on alone.
    let _ = set_parent_process_death_signal(Some(Signal::TERM));
    getppid().is_none_or(|parent| u32::try_from(parent.as_raw_nonzero().get()) != Ok(supervisor))
}

fn start(
    program: &Path,
    run: &RunArgs,
    began_s: u64,
    died_of: Option<&str>,
) -> Result<ExitStatus, String> {
    let mut arguments = env::args_os();
    let mut command = Command::new(program);
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    command.args(arguments).arg(format!("--supervised={}", std::process::id()));
    if let Some(reason) = died_of {
        command.arg("--died-of").arg(reason);
        if !run.resume {
            // What was saved before this run is another game's.
            command.arg("--resume").arg(format!("--resume-since={began_s}"));
        }
    }
    command.status().map_err(|error| format!("{}: {error}", program.display()))
}

/// What the game died of; nothing if it ended, or a person ended it.
fn death(status: ExitStatus) -> Option<String> {
    if status.code() == Some(PANICKED) {
        return Some("a panic that could not be contained".to_owned());
    }
    let number = status.signal()?;
    let signal = Signal::from_named_raw(number);
    if signal.is_some_and(|s| [Signal::INT, Signal::TERM, Signal::HUP].contains(&s)) {
        return None;
    }
    let name = match signal {
        Some(Signal::SEGV) => "SIGSEGV, a wrong access to memory",
        Some(Signal::ABORT) => "SIGABRT, an abort or a stack overflow",
        Some(Signal::BUS) => "SIGBUS, a wrong access to memory",
        Some(Signal::ILL) => "SIGILL, an unknown instruction",
        Some(Signal::FPE) => "SIGFPE, a wrong division",
        Some(Signal::KILL) => "SIGKILL, from outside or for want of memory",
        _ => return Some(format!("signal {number}")),
    };
    Some(name.to_owned())
}

fn report(deaths: &VecDeque<(Instant, String)>) {
    eprintln!(
        "playground: the game died {} times within {} s, and is not started again:",
        deaths.len(),
        WITHIN.as_secs()
    );
    for (at, reason) in deaths {
        eprintln!("  {:>2} s ago: {reason}", at.elapsed().as_secs());
    }
    eprintln!(
        "What is new is in quarantine by now, so it may be the game itself, a module that ran well \
         for a while, or the snapshot. Try `cargo run -- --no-supervise` for what is printed last, \
         without `--resume`; `quarantine list` in the console names what was to blame."
    );
}
