//! The supervisor: it runs the game as a child process, and restarts it when it crashes.
//!
//! ```text
//!  playground ──► supervisor ──► playground --supervised
//!                     ▲               │ a signal, an abort
//!                     └───────────────┘ restart with --resume: the last good modules, the last save
//! ```
//!
//! Only the supervisor sees that the game died of SIGKILL, which no code of a module causes by
//! itself. If the system killed nothing for lack of memory meanwhile, somebody else did it, and the
//! restarted game is told not to blame its new code.

use std::collections::VecDeque;
use std::env;
use std::fs;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::process::{Signal, getppid, set_parent_process_death_signal};

use crate::cli::RunArgs;

/// The supervisor stops restarting the game after this many crashes …
const MOST_DEATHS: usize = 3;
/// … within this time.
const WITHIN: Duration = Duration::from_secs(60);

/// The exit code of a Rust process after a panic.
const PANICKED: i32 = 101;

/// True for a run that should be supervised and is not the supervised child.
pub fn should_supervise(run: &RunArgs) -> bool {
    let is_default = !run.headless;
    run.hot.supervised.is_none() && !run.hot.no_supervise && (run.hot.supervise || is_default)
}

/// Runs the game until it exits normally, or crashes too often.
pub fn supervise(run: &RunArgs) -> ExitCode {
    // The terminal also sends Ctrl+C to the game, which saves and exits; then the supervisor exits.
    if let Err(error) = ctrlc::set_handler(|| {}) {
        eprintln!("playground: Ctrl+C ends the supervisor before the game: {error}");
    }
    // Read once: cargo may replace the file.
    let program = match env::current_exe() {
        Ok(program) => program,
        Err(error) => {
            eprintln!("playground: the executable of the game cannot be found: {error}");
            return ExitCode::from(2);
        }
    };
    let began_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut deaths: VecDeque<(Instant, String)> = VecDeque::new();
    let mut killed = None;
    loop {
        let died_of = deaths.back().map(|(_, reason)| reason.as_str());
        let oom_kills = oom_kills();
        let (process, status) = match start(&program, run, began_s, died_of, killed) {
            Ok(ended) => ended,
            Err(error) => {
                let program = program.display();
                eprintln!("playground: the game cannot be started: {program}: {error}");
                return ExitCode::from(2);
            }
        };
        let is_memory_short = oom_kills.is_none() || oom_kills != self::oom_kills();
        let Some(Death { reason, from_outside }) = death(status, is_memory_short) else {
            let code = status.code().and_then(|code| u8::try_from(code).ok());
            return code.map_or(ExitCode::FAILURE, ExitCode::from);
        };
        killed = from_outside.then_some(process);
        deaths.push_back((Instant::now(), reason));
        deaths.retain(|(at, _)| at.elapsed() < WITHIN);
        if deaths.len() >= MOST_DEATHS {
            report(&deaths);
            return ExitCode::FAILURE;
        }
        if let Some((_, reason)) = deaths.back() {
            eprintln!("playground: the game died of {reason}; restarting it");
        }
    }
}

/// Lets this process end when its supervisor ends. Returns true if the supervisor has already
/// ended.
pub fn exit_with_supervisor(supervisor: u32) -> bool {
    // If the system does not support this, the game continues without its supervisor.
    let _ = set_parent_process_death_signal(Some(Signal::TERM));
    getppid().is_none_or(|parent| u32::try_from(parent.as_raw_nonzero().get()) != Ok(supervisor))
}

fn start(
    program: &Path,
    run: &RunArgs,
    began_s: u64,
    died_of: Option<&str>,
    killed: Option<u32>,
) -> io::Result<(u32, ExitStatus)> {
    let mut arguments = env::args_os();
    let mut command = Command::new(program);
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    command.args(arguments).arg(format!("--supervised={}", std::process::id()));
    if let Some(reason) = died_of {
        command.arg("--died-of").arg(reason);
        if !run.hot.resume {
            // Ignore snapshots from before this run.
            command.arg("--resume").arg(format!("--resume-since={began_s}"));
        }
    }
    if let Some(killed) = killed {
        command.arg(format!("--killed={killed}"));
    }
    let mut game = command.spawn()?;
    Ok((game.id(), game.wait()?))
}

/// How many processes the system has killed for lack of memory since it was started.
fn oom_kills() -> Option<u64> {
    let counters = fs::read_to_string("/proc/vmstat").ok()?;
    let count = counters.lines().find_map(|line| line.strip_prefix("oom_kill "))?;
    count.trim().parse().ok()
}

/// Why the game crashed.
struct Death {
    reason: String,
    /// Somebody killed it, so its code is not to blame.
    from_outside: bool,
}

/// The cause of a crash; `None` if the game exited normally or was ended by the user.
fn death(status: ExitStatus, is_memory_short: bool) -> Option<Death> {
    let by_itself = |reason: String| Some(Death { reason, from_outside: false });
    if status.code() == Some(PANICKED) {
        return by_itself("a panic that could not be contained".to_owned());
    }
    let number = status.signal()?;
    let signal = Signal::from_named_raw(number);
    if signal.is_some_and(|s| [Signal::INT, Signal::TERM, Signal::HUP].contains(&s)) {
        return None;
    }
    let name = match signal {
        Some(Signal::SEGV) => "SIGSEGV, an invalid memory access",
        Some(Signal::ABORT) => "SIGABRT, an abort or a stack overflow",
        Some(Signal::BUS) => "SIGBUS, an invalid memory access",
        Some(Signal::ILL) => "SIGILL, an illegal instruction",
        Some(Signal::FPE) => "SIGFPE, an arithmetic error",
        Some(Signal::KILL) if is_memory_short => "SIGKILL, for lack of memory or from outside",
        Some(Signal::KILL) => {
            let reason = "SIGKILL, sent from outside".to_owned();
            return Some(Death { reason, from_outside: true });
        }
        _ => return by_itself(format!("signal {number}")),
    };
    by_itself(name.to_owned())
}

fn report(deaths: &VecDeque<(Instant, String)>) {
    eprintln!(
        "playground: the game died {} times within {} s and is not restarted:",
        deaths.len(),
        WITHIN.as_secs()
    );
    for (at, reason) in deaths {
        eprintln!("  {:>2} s ago: {reason}", at.elapsed().as_secs());
    }
    eprintln!(
        "New code is in quarantine by now, so the cause may be the game itself, a module that ran \
         well for a while, or the snapshot. Run `cargo run -- --no-supervise` without `--resume` to \
         see the last output; `quarantine list` in the console shows the code in quarantine."
    );
}
