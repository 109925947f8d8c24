//! Compiles one module with the command that cargo would use, without cargo.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Instant, SystemTime};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::capture::Recipe;
use super::standby::Standby;
use crate::ids::{Epoch, ModuleId};
use crate::os_remedies::{remedy, remedy_in};

/// One compilation.
#[derive(Clone, Debug)]
pub struct Job {
    /// The module.
    pub id: ModuleId,
    /// Its crate's name.
    pub crate_name: String,
    /// How cargo would compile it.
    pub recipe: Recipe,
    /// Goes into `-C metadata` and so into the `TypeId` of the crate's types.
    pub epoch: Epoch,
    /// The epochs of the core crates that it links to, directly or through others.
    pub cores: BTreeMap<ModuleId, Epoch>,
    /// The core crates' folders of output, by crate name.
    pub core_folders: BTreeMap<String, PathBuf>,
    /// True for a crate that others link to.
    pub is_core: bool,
    /// Where output goes.
    pub folder: PathBuf,
    /// The linker's script, the exported names and the linker itself; `None` links with rustc's own.
    pub linker: Option<Linker>,
}

/// What links modules.
#[derive(Clone, Debug)]
pub struct Linker {
    /// The script that leaves the host's libraries out.
    pub script: PathBuf,
    /// The names that stay visible.
    pub exports: PathBuf,
    /// rustc's own lld.
    pub lld: PathBuf,
}

/// Where the time of a compilation went, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CompileTimes {
    /// Until types were checked.
    pub check_ms: f32,
    /// From there until the linker was started.
    pub compile_ms: f32,
    /// The linker.
    pub link_ms: f32,
}

/// How a compilation ended.
#[derive(Debug)]
pub enum Compiled {
    /// The dylib is there.
    Done {
        /// The dylib.
        artifact: PathBuf,
        /// Where the time went.
        times: CompileTimes,
        /// What rustc warned of.
        warnings: Vec<String>,
    },
    /// rustc refused the source, or could not run.
    Failed {
        /// rustc's messages.
        messages: Vec<String>,
        /// Time until it was known, in milliseconds.
        took_ms: f32,
    },
    /// A newer change came.
    Cancelled,
}

/// Ends the compilations that share it.
#[derive(Clone, Debug, Default)]
pub struct Cancel {
    inner: Arc<(AtomicBool, Mutex<Vec<Arc<Mutex<Child>>>>)>,
}

impl Cancel {
    /// Ends what runs, and keeps the rest from starting.
    pub fn cancel(&self) {
        self.inner.0.store(true, Ordering::SeqCst);
        for child in lock(&self.inner.1).drain(..) {
            // Already ended is as good.
            let _ = lock(&child).kill();
        }
    }

    /// True once cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.inner.0.load(Ordering::SeqCst)
    }

    /// Ends this child as well when it comes to that.
    pub fn own(&self, child: &Arc<Mutex<Child>>) {
        lock(&self.inner.1).push(child.clone());
        if self.is_cancelled() {
            let _ = lock(child).kill();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Deserialize)]
struct Message {
    #[serde(rename = "$message_type")]
    kind: String,
    level: Option<String>,
    message: Option<String>,
    rendered: Option<String>,
    emit: Option<String>,
    #[serde(default)]
    spans: Vec<IgnoredAny>,
}

impl Job {
    /// The dylib that this job makes.
    pub fn artifact(&self) -> PathBuf {
        self.folder.join(format!("lib{}.so", self.crate_name))
    }

    fn link_started(&self) -> PathBuf {
        self.folder.join("link-started")
    }

    /// rustc's command line: cargo's, with output, epoch, linker and core crates of our own.
    pub fn command(&self) -> Command {
        let mut arguments = self.recipe.arguments.iter();
        let mut command = Command::new(arguments.next().map_or("rustc", String::as_str));
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--crate-type" | "--out-dir" => {
                    arguments.next();
                }
                "-C" => {
                    if let Some(option) = arguments.next()
                        && !own_option(option)
                    {
                        command.args(["-C", option]);
                    }
                }
                "--extern" => {
                    if let Some(library) = arguments.next() {
                        command.arg("--extern").arg(self.own_core(library));
                    }
                }
                option if own_output(option) => {}
                other => {
                    command.arg(other);
                }
            }
        }
        let crate_types = if self.is_core { "rlib,dylib" } else { "dylib" };
        command
            .args(["--crate-type", crate_types, "--emit=dep-info,metadata,link"])
            .args(["--error-format=json", "--json=diagnostic-rendered-ansi,artifacts"])
            .arg("--out-dir")
            .arg(&self.folder)
            .args(["-C", &format!("incremental={}", self.folder.join("incremental").display())])
            .args(["-C", &format!("metadata={}", self.epoch)])
            .args(["-C", "debuginfo=0"]);
        for folder in self.core_folders.values() {
            command.args(["-L", &format!("dependency={}", folder.display())]);
        }
        command.current_dir(&self.recipe.folder).env_clear();
        command.envs(self.recipe.environment.iter().map(|(name, value)| (name, value)));
        command.env("PLAYGROUND_EPOCH", self.epoch.as_str());
        if !self.cores.is_empty() {
            let cores: Vec<_> =
                self.cores.iter().map(|(id, epoch)| format!("{id}={epoch}")).collect();
            command.env("PLAYGROUND_CORES", cores.join(","));
        }
        if let Some(linker) = &self.linker {
            command
                .args(["-C", "linker-flavor=ld.lld"])
                .args(["-C", &format!("linker={}", linker.script.display())])
                .env("PLAYGROUND_LINK_STARTED", self.link_started())
                .env("PLAYGROUND_EXPORTS", &linker.exports)
                .env("PLAYGROUND_LLD", &linker.lld);
        }
        command
    }

    /// An `--extern` argument, with our build of a core crate in place of cargo's.
    fn own_core(&self, library: &str) -> String {
        let name = library.split_once('=').map_or(library, |(name, _)| name);
        match self.core_folders.get(name) {
            Some(folder) => format!("{name}={}", folder.join(format!("lib{name}.rlib")).display()),
            None => library.to_owned(),
        }
    }
}

/// Options that the job sets itself.
fn own_option(option: &str) -> bool {
    ["incremental=", "extra-filename=", "debuginfo=", "linker=", "linker-flavor=", "strip="]
        .iter()
        .any(|own| option.starts_with(own))
        || option == "prefer-dynamic"
}

fn own_output(option: &str) -> bool {
    ["--emit=", "--error-format=", "--json=", "--diagnostic-width="]
        .iter()
        .any(|own| option.starts_with(own))
}

/// Runs the job to its end, or until it is cancelled; by a compiler that waits, where there is one.
pub fn compile(job: &Job, cancel: &Cancel, standby: &Standby) -> Compiled {
    let failed = |message: String, started: Instant| Compiled::Failed {
        messages: vec![message],
        took_ms: ms(started),
    };
    let started = Instant::now();
    if cancel.is_cancelled() {
        return Compiled::Cancelled;
    }
    if let Err(error) = fs::create_dir_all(&job.folder) {
        let text = format!("H0305: {}: {error}. {}", job.folder.display(), remedy(&error));
        return failed(text, started);
    }
    let mut command = job.command();
    let mut child = match standby.spawn(&mut command) {
        Ok(child) => child,
        Err(error) => {
            let program = command.get_program().to_string_lossy().into_owned();
            let remedy = remedy(&error);
            let text = format!("H0306: {program} could not be started: {error}. {remedy}");
            return failed(text, started);
        }
    };
    let stderr = child.stderr.take();
    let child = Arc::new(Mutex::new(child));
    cancel.own(&child);
    let mut output = Output::default();
    if let Some(stderr) = stderr {
        let mut lines = BufReader::new(stderr).lines().map_while(Result::ok);
        output = read_messages(&mut lines, started);
        if output.aborts && !cancel.is_cancelled() {
            // All errors are known; what rustc still has to put away is of no interest.
            thread::spawn(move || {
                lines.for_each(drop);
                lock(&child).wait()
            });
            return Compiled::Failed { messages: output.told(job), took_ms: ms(started) };
        }
    }
    // The pipe is closed, so rustc is at its end; waiting under the lock holds nobody up.
    let status = lock(&child).wait();
    if cancel.is_cancelled() {
        return Compiled::Cancelled;
    }
    match status {
        Ok(status) if status.success() => Compiled::Done {
            artifact: job.artifact(),
            times: times(&job.link_started(), output.check_ms, ms(started)),
            warnings: output.warnings,
        },
        Ok(status) if output.errors.is_empty() => {
            let folder = job.folder.display();
            let text = format!(
                "H0307: rustc ended with {status}, and without a word. It may have lacked memory, or \
                 room in {folder}: make some, then `reload {}`",
                job.id
            );
            failed(text, started)
        }
        Ok(_) => Compiled::Failed { messages: output.told(job), took_ms: ms(started) },
        Err(error) => failed(format!("H0307: rustc: {error}"), started),
    }
}

#[derive(Default)]
struct Output {
    errors: Vec<String>,
    warnings: Vec<String>,
    check_ms: f32,
    /// rustc has said that it gives up.
    aborts: bool,
    /// What can be done where it is not the source's fault.
    remedy: Option<&'static str>,
}

impl Output {
    /// rustc's errors, behind what is to be done about them where the machine is the reason.
    fn told(self, job: &Job) -> Vec<String> {
        let note = self.remedy.map(|remedy| {
            let (id, folder) = (&job.id, job.folder.display());
            format!(
                "H0321: {folder}: `{id}` was not built, for want of what the machine refused below \
                 and not for its source. {remedy}, then save again or `reload {id}`"
            )
        });
        note.into_iter().chain(self.errors).collect()
    }
}

/// Reads rustc's messages to their end, or until it says that it gives up.
fn read_messages(lines: &mut impl Iterator<Item = String>, started: Instant) -> Output {
    let mut output = Output::default();
    for line in lines {
        let Ok(message) = serde_json::from_str::<Message>(&line) else {
            // Not of rustc's making, say a linker's or a crash's own words.
            output.remedy = output.remedy.or(remedy_in(&line));
            output.errors.push(line);
            continue;
        };
        if message.kind == "artifact" && message.emit.as_deref() == Some("metadata") {
            output.check_ms = ms(started);
        }
        let Some(rendered) = message.rendered else { continue };
        // What has a place in the source quotes it.
        if message.spans.is_empty()
            && message.level.as_ref().is_some_and(|level| level.starts_with("error"))
        {
            output.remedy = output.remedy.or(remedy_in(&rendered));
        }
        match message.level.as_deref() {
            Some("error") => {
                output.errors.push(rendered);
                output.aborts = message.message.is_some_and(|m| m.starts_with("aborting due to"));
                if output.aborts {
                    break;
                }
            }
            Some("error: internal compiler error") => output.errors.push(rendered),
            Some("warning") => output.warnings.push(rendered),
            _ => {}
        }
    }
    output
}

/// The linker script leaves a file when it starts; its time of change splits the rest.
fn times(link_started: &Path, check_ms: f32, total_ms: f32) -> CompileTimes {
    let link_ms = fs::metadata(link_started)
        .and_then(|data| data.modified())
        .ok()
        .and_then(|at| SystemTime::now().duration_since(at).ok())
        .map_or(0.0, |took| took.as_secs_f32() * 1000.0)
        .min(total_ms - check_ms);
    CompileTimes { check_ms, compile_ms: total_ms - check_ms - link_ms, link_ms }
}

/// Milliseconds since `started`.
pub fn ms(started: Instant) -> f32 {
    started.elapsed().as_secs_f32() * 1000.0
}
