//! Probe: another process of the same executable loads new code first, and runs what the game would
//! run before its first frame. Code that crashes, exits or hangs does so there.
//!
//! ```text
//!  game                                    probe, started ahead
//!  what runs already ────── preload ─────► inspect ─► load
//!  a new artifact ───────── try ─────────► inspect ─► load ─► build ─► scratch schedules
//!                 ◄── whose code runs now ──┤
//!                 ◄── fine, or a refusal ───┘   it dies, or does not answer: refused
//! ```
//!
//! It is a test bench, not a sandbox: code that passed runs in the game. A probe is used once; the
//! next one is started in the background.

mod explain;
mod serve;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::explain::{Explain, Explanation};
use crate::ids::{ArtifactHash, ModuleId};
use crate::os_remedies::known;
use crate::stored::Stored;
pub use serve::serve_if_asked;

/// The environment variable of a probe, with the process id of the game that started it.
const ASKED_BY: &str = "PLAYGROUND_PROBE";
/// An app may do much work before it adds its plugin.
const START_LIMIT: Duration = Duration::from_secs(60);
/// The remedy for failures that no machine limit causes.
const NO_PROBE: &str = "Start the game again; for an app of your own, call \
    `playground_hotload::probe::serve_if_asked()` first in `main`, or set `probe` of HotLoadPlugin";
/// How often the probe's caller checks whether it still needs an answer.
const LOOK: Duration = Duration::from_millis(20);
/// How much of a probe's output is shown.
const SAID_LINES: usize = 6;
const SAID_BYTES: u64 = 4096;

/// The program that tries new code before the game loads it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Prober {
    /// The app's own executable, started once more with the same arguments. It serves as a probe
    /// from [`serve_if_asked`], or else when it adds its plugin.
    #[default]
    Own,
    /// Another program built with the same libraries, which calls [`serve_if_asked`].
    Program(PathBuf),
    /// No probe: new code runs in the game directly.
    Off,
}

/// A reference to an artifact for a probe.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Image {
    /// The module.
    pub module: ModuleId,
    /// blake3 hash of the bytes.
    pub hash: ArtifactHash,
    /// The sealed copy.
    pub path: PathBuf,
}

#[derive(Debug, Serialize, Deserialize)]
enum Request {
    /// Load these ahead of time.
    Preload(Vec<Image>),
    /// Load `new`, call their `build`, and try the modules of these hashes together.
    Try { new: Vec<Image>, together: Vec<ArtifactHash> },
}

#[derive(Debug, Serialize, Deserialize)]
enum Reply {
    /// The probe accepts requests.
    Ready,
    /// The module whose code runs next, and the stage of the trial.
    At { module: ModuleId, stage: String },
    /// The trial succeeded.
    Fine(Tried),
    /// The refusal, as the game would explain it.
    Refused(Explanation),
    /// The probe itself cannot work.
    Unfit(String),
}

/// The result of a successful trial.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Tried {
    /// The registrations of each module.
    pub asked: BTreeMap<ModuleId, Asked>,
    /// The types that each new module names.
    pub stored: BTreeMap<ModuleId, Vec<Stored>>,
    /// The time that it took to find them, in milliseconds.
    pub stored_ms: f32,
}

/// The registrations of a module, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Systems, as schedule and name.
    pub systems: BTreeSet<(String, String)>,
    /// Persisted types.
    pub types: BTreeSet<String>,
    /// Console commands.
    pub commands: BTreeSet<String>,
}

impl Asked {
    /// The registrations of an outline, by name.
    pub fn of(outline: &crate::plan::Outline) -> Self {
        Self {
            systems: outline.systems.clone(),
            types: outline.persisted.iter().map(|record| record.schema.name.to_owned()).collect(),
            commands: outline.commands.iter().map(|&name| name.to_owned()).collect(),
        }
    }
}

/// Why new code is not loaded.
#[derive(Debug, Error)]
#[error("{}", self.explain())]
pub enum ProbeError {
    /// There is no probe.
    NoProbe {
        /// The program.
        program: PathBuf,
        /// Why.
        reason: String,
        /// How to fix it.
        remedy: &'static str,
    },
    /// The probe exited or crashed.
    Died {
        /// The module whose code ran.
        module: ModuleId,
        /// The stage of the trial.
        stage: String,
        /// How the process ended.
        how: String,
        /// Its last output.
        said: String,
    },
    /// The probe did not answer.
    Hangs {
        /// The module whose code ran.
        module: ModuleId,
        /// The stage of the trial.
        stage: String,
        /// The limit.
        limit_ms: u128,
        /// Its last output.
        said: String,
    },
    /// The trial failed with an error of inspection, loading or planning.
    Refused(Explanation),
    /// The game's own trial recorded other registrations than the probe's.
    Differs {
        /// The module.
        module: ModuleId,
    },
    /// The answer is no longer needed: the source changed again.
    Abandoned,
}

/// A probe that was started.
pub struct Probe {
    program: PathBuf,
    child: Child,
    stream: UnixStream,
    printed: File,
    started: Instant,
    ready: bool,
    /// Hashes of the artifacts that it has loaded, or will have loaded before a trial.
    loaded: BTreeSet<ArtifactHash>,
    /// The start of a line that was not read completely yet.
    rest: Vec<u8>,
}

impl Probe {
    /// Starts one; `None` if `prober` disables probes. It ends with the thread that starts it. The
    /// system's loader looks for its libraries in the folder `libraries` first.
    ///
    /// # Errors
    ///
    /// If no process can be started.
    pub fn start(prober: &Prober, libraries: Option<&Path>) -> Result<Option<Self>, ProbeError> {
        let (program, own) = match prober {
            Prober::Off => return Ok(None),
            // The running executable, even if its file has been replaced.
            Prober::Own => (PathBuf::from("/proc/self/exe"), true),
            Prober::Program(program) => (program.clone(), false),
        };
        match Self::spawn(&program, own, libraries) {
            Ok(probe) => Ok(Some(probe)),
            Err(error) => {
                let (reason, remedy) = (error.to_string(), known(&error).unwrap_or(NO_PROBE));
                Err(ProbeError::NoProbe { program, reason, remedy })
            }
        }
    }

    fn spawn(program: &Path, own: bool, libraries: Option<&Path>) -> io::Result<Self> {
        let (stream, theirs) = UnixStream::pair()?;
        let printed = File::from(memfd_create("printed by the probe", MemfdFlags::CLOEXEC)?);
        let mut command = Command::new(program);
        if own {
            command.arg0("playground-probe").args(std::env::args_os().skip(1));
        }
        if let Some(folder) = libraries {
            const PATHS: &str = "LD_LIBRARY_PATH";
            let mut paths = folder.as_os_str().to_owned();
            if let Some(others) = std::env::var_os(PATHS).filter(|others| !others.is_empty()) {
                paths.push(":");
                paths.push(others);
            }
            command.env(PATHS, paths);
        }
        let child = command
            .env(ASKED_BY, std::process::id().to_string())
            // Only the last lines of output are shown: they should contain the reason, not a
            // backtrace.
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::from(printed.try_clone()?))
            .stderr(Stdio::from(printed.try_clone()?))
            .spawn()?;
        Ok(Self {
            program: program.to_owned(),
            child,
            stream,
            printed,
            started: Instant::now(),
            ready: false,
            loaded: BTreeSet::new(),
            rest: Vec::new(),
        })
    }

    /// Loads the running artifacts in the probe, ahead of time.
    pub fn preload(&mut self, images: impl IntoIterator<Item = Image>) {
        let missing = images.into_iter().filter(|image| !self.loaded.contains(&image.hash));
        let missing: Vec<Image> = missing.collect();
        if missing.is_empty() {
            return;
        }
        self.loaded.extend(missing.iter().map(|image| image.hash.clone()));
        // If the probe is gone, the next request reports that.
        let _ = self.send(&Request::Preload(missing));
    }

    /// Tries new code together with everything that would run.
    ///
    /// # Errors
    ///
    /// If the probe dies, takes longer than `limit`, or refuses the code; or as soon as `abandoned`
    /// returns true because the answer is no longer needed.
    pub fn attempt(
        mut self,
        new: Vec<Image>,
        together: Vec<Image>,
        limit: Duration,
        abandoned: impl Fn() -> bool,
    ) -> Result<Tried, ProbeError> {
        let of_new = |image: &Image| new.iter().any(|new| new.hash == image.hash);
        self.preload(together.iter().filter(|image| !of_new(image)).cloned());
        // Until the probe reports whose code runs, assume that of the first new module.
        let first = new.first().or(together.first());
        let Some(first) = first.map(|image| image.module.clone()) else {
            return Ok(Tried::default());
        };
        let mut at = (first, "while it was loaded".to_owned());
        let hashes = together.into_iter().map(|image| image.hash).collect();
        if let Err(error) = self.send(&Request::Try { new, together: hashes }) {
            return Err(self.no_probe(error.to_string()));
        }
        let mut since = Instant::now();
        loop {
            if abandoned() {
                return Err(ProbeError::Abandoned);
            }
            match self.receive() {
                Ok(Some(Reply::Ready)) => (self.ready, since) = (true, Instant::now()),
                Ok(Some(Reply::At { module, stage })) => at = (module, stage),
                Ok(Some(Reply::Fine(tried))) => return Ok(tried),
                Ok(Some(Reply::Refused(reason))) => return Err(ProbeError::Refused(reason)),
                Ok(Some(Reply::Unfit(reason))) => return Err(self.no_probe(reason)),
                Ok(None) if !self.ready && self.started.elapsed() > START_LIMIT => {
                    let reason = format!("it was not ready after {} s", START_LIMIT.as_secs());
                    return Err(self.no_probe(reason));
                }
                Ok(None) if self.ready && since.elapsed() > limit => {
                    let (module, stage) = at;
                    let limit_ms = limit.as_millis();
                    return Err(ProbeError::Hangs { module, stage, limit_ms, said: self.said() });
                }
                Ok(None) => {}
                Err(_) => {
                    let how = self.end();
                    if !self.ready {
                        return Err(self.no_probe(how));
                    }
                    let (module, stage) = at;
                    return Err(ProbeError::Died { module, stage, how, said: self.said() });
                }
            }
        }
    }

    fn send(&mut self, request: &Request) -> io::Result<()> {
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        self.stream.write_all(&line)
    }

    /// The next reply; `None` if none arrived for a while.
    fn receive(&mut self) -> io::Result<Option<Reply>> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                return Ok(Some(serde_json::from_slice(&line)?));
            }
            let mut buffer = [0; 4096];
            self.stream.set_read_timeout(Some(LOOK))?;
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => self.rest.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    return Ok(None);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// How the process ended.
    fn end(&mut self) -> String {
        match self.child.wait() {
            Ok(status) => ending(status),
            Err(error) => error.to_string(),
        }
    }

    fn no_probe(&self, reason: String) -> ProbeError {
        let reason = format!("{reason}{}", self.said());
        ProbeError::NoProbe { program: self.program.clone(), reason, remedy: NO_PROBE }
    }

    /// Its last output, on lines of its own.
    fn said(&self) -> String {
        let length = self.printed.metadata().map_or(0, |data| data.len());
        let from = length.saturating_sub(SAID_BYTES);
        let mut bytes = vec![0; usize::try_from(length - from).unwrap_or_default()];
        if self.printed.read_exact_at(&mut bytes, from).is_err() {
            return String::new();
        }
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = &lines[lines.len().saturating_sub(SAID_LINES)..];
        last.iter().map(|line| format!("\n  {line}")).collect()
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        // If it has already ended, it only has to be reaped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ending(status: ExitStatus) -> String {
    let Some(number) = status.signal() else {
        let code = status.code().unwrap_or_default();
        return format!("it ended the process with exit code {code}");
    };
    match Signal::from_named_raw(number) {
        Some(Signal::SEGV) => "SIGSEGV, a wrong access to memory".to_owned(),
        Some(Signal::ABORT) => "SIGABRT, an abort or a stack overflow".to_owned(),
        Some(Signal::BUS) => "SIGBUS, a wrong access to memory".to_owned(),
        Some(Signal::KILL) => "SIGKILL, from outside or for want of memory".to_owned(),
        Some(Signal::XFSZ) => "SIGXFSZ, it wrote too much".to_owned(),
        _ => format!("signal {number}"),
    }
}
