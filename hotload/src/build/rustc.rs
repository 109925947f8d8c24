//! Compiles one module with the command that cargo would use, without cargo.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::{Instant, SystemTime};

use super::ahead;
use super::diagnostics::Diagnostics;
use super::environment;
use super::error::BuildError;
use super::incremental::{self, Session};
use super::linked::API_CRATE;
pub use super::process_group::Cancel;
use super::process_group::ProcessGroup;
use super::recipe::Recipe;
use super::relink::Kept;
use super::standby::Standby;
use crate::epoch::Identity;
use crate::ids::{Epoch, ModuleId};

/// One compilation.
#[derive(Clone, Debug)]
pub struct Job {
    /// The module.
    pub id: ModuleId,
    /// Its crate name.
    pub crate_name: String,
    /// cargo's command for it.
    pub recipe: Recipe,
    /// Part of the `TypeId`s of the crate's types.
    pub identity: Arc<Identity>,
    /// The epochs of the core crates that it links to, directly or through others.
    pub cores: BTreeMap<ModuleId, Epoch>,
    /// The core crates' output folders, by crate name.
    pub core_folders: BTreeMap<String, PathBuf>,
    /// True for a crate that others link to.
    pub is_core: bool,
    /// The output folder.
    pub folder: PathBuf,
    /// The linker; `None` links with rustc's default.
    pub linker: Option<Linker>,
    /// The library of the API that the game runs with; `None` for cargo's.
    pub api: Option<PathBuf>,
    /// The object files that it can be linked from; `None` if it has to be compiled.
    pub kept: Option<Kept>,
    /// The libraries of some cores do not exist yet: rustc compiles with their metadata, and its
    /// linker only keeps what it is given.
    pub links_later: bool,
}

/// The linker of modules.
#[derive(Clone, Debug)]
pub struct Linker {
    /// The script that omits the host's libraries and calls `lld`.
    pub script: PathBuf,
    /// The version script with the names that stay visible.
    pub exports: PathBuf,
    /// rustc's own lld.
    pub lld: PathBuf,
}

/// The phases of a compilation, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CompileTimes {
    /// From the start until types were checked.
    pub check_ms: f32,
    /// From there until the linker was started.
    pub compile_ms: f32,
    /// The linker, and storing the artifact.
    pub link_ms: f32,
    /// Reading rustc's dep-info, and hashing again what it lists.
    pub verify_ms: f32,
}

impl CompileTimes {
    /// True if the module was not compiled, but linked again with the new code of cores.
    pub fn is_linked_only(&self) -> bool {
        self.check_ms == 0.0 && self.link_ms > 0.0
    }
}

/// The result of a compilation.
#[derive(Debug)]
pub enum Compiled {
    /// The dylib was written.
    Done {
        /// The dylib's file.
        artifact: PathBuf,
        times: CompileTimes,
        /// As rustc renders them.
        warnings: Vec<String>,
    },
    /// rustc reported errors, or could not run.
    Failed {
        /// As rustc renders them.
        messages: Vec<String>,
        /// Time until the failure was known, in milliseconds.
        took_ms: f32,
    },
    /// Cancelled; rustc and all its child processes have ended.
    Cancelled,
}

impl Job {
    /// The dylib's file.
    pub fn artifact(&self) -> PathBuf {
        self.folder.join(format!("lib{}.so", self.crate_name))
    }

    /// The file in which rustc lists what it read.
    pub fn dep_info(&self) -> PathBuf {
        self.folder.join(format!("{}.d", self.crate_name))
    }

    /// The folder of rustc's incremental caches.
    fn incremental(&self) -> PathBuf {
        self.folder.join("incremental")
    }

    fn link_started(&self) -> PathBuf {
        self.folder.join("link-started")
    }

    /// rustc's command line: cargo's, with this project's output, epoch, linker and core crates.
    pub fn command(&self) -> Command {
        let mut arguments = self.recipe.arguments.iter();
        let mut command = Command::new(arguments.next().map_or("rustc", String::as_str));
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--crate-type" | "--out-dir" => {
                    arguments.next();
                }
                "-C" | "--codegen" => {
                    if let Some(option) = arguments.next() {
                        self.add_codegen(&mut command, option);
                    }
                }
                "--extern" => {
                    if let Some(library) = arguments.next().and_then(|it| self.own_library(it)) {
                        command.arg("--extern").arg(library);
                    }
                }
                // It would turn the lint below into a warning.
                "--cap-lints" => {
                    arguments.next();
                }
                option if own_output(option) || option.starts_with("--cap-lints=") => {}
                other => match joined_codegen(other) {
                    Some(option) => self.add_codegen(&mut command, option),
                    None => _ = command.arg(other),
                },
            }
        }
        let crate_types = if self.is_core { "rlib,dylib" } else { "dylib" };
        command
            .args(["--crate-type", crate_types, "--emit=dep-info,metadata,link"])
            .args(["--error-format=json", "--json=diagnostic-rendered-ansi,artifacts"])
            .arg("--out-dir")
            .arg(&self.folder)
            .args(["-C", &format!("incremental={}", self.incremental().display())])
            .args(["-C", &format!("metadata={}", self.identity.crate_epoch)])
            .args(["-C", "debuginfo=0"])
            // Also in a module whose manifest forgets it.
            .args(["-F", "unsafe_code"]);
        let of_api = self.api.as_deref().and_then(Path::parent);
        for folder in self.core_folders.values().map(PathBuf::as_path).chain(of_api) {
            command.args(["-L", &format!("dependency={}", folder.display())]);
        }
        command.current_dir(&self.recipe.folder).env_clear();
        command.envs(environment::of_rustc(&self.recipe));
        command.env("PLAYGROUND_EPOCH", self.identity.epoch.as_str());
        command.env("PLAYGROUND_CRATE_EPOCH", self.identity.crate_epoch.as_str());
        if !self.identity.types.is_empty() {
            command.env("PLAYGROUND_TYPES", self.identity.own_types(&self.crate_name));
        }
        if !self.cores.is_empty() {
            // An inline table of TOML, which `export_module!` puts into the manifest.
            let cores: Vec<_> =
                self.cores.iter().map(|(id, epoch)| format!("{id} = \"{epoch}\"")).collect();
            command.env("PLAYGROUND_CORES", format!("{{ {} }}", cores.join(", ")));
        }
        if let Some(linker) = &self.linker {
            command
                .args(["-C", "linker-flavor=ld.lld"])
                .args(["-C", &format!("linker={}", linker.script.display())])
                .env("PLAYGROUND_LINK_STARTED", self.link_started())
                .env("PLAYGROUND_EXPORTS", &linker.exports)
                .env("PLAYGROUND_LLD", &linker.lld);
            if !self.is_core || self.links_later {
                command.env("PLAYGROUND_OBJECTS", Kept::new_folder(&self.folder));
            }
            if self.links_later {
                command.env("PLAYGROUND_LINK_LATER", "1");
            }
        }
        command
    }

    fn add_codegen(&self, command: &mut Command, option: &str) {
        // Users choose a faster linker with these. The linker of modules is another one.
        let is_for_linker = option.starts_with("link-arg=") || option.starts_with("link-args=");
        let is_dropped = own_option(option) || (is_for_linker && self.linker.is_some());
        if !is_dropped {
            let option = if self.is_core { unshared(option) } else { option };
            command.args(["-C", option]);
        }
    }

    /// An `--extern` argument, with this project's build of a core crate and the game's own API in
    /// place of cargo's. `None` for the API's rlib, which is not what the game runs with.
    fn own_library(&self, library: &str) -> Option<String> {
        let name = library.split_once('=').map_or(library, |(name, _)| name);
        match (self.core_folders.get(name), &self.api) {
            (Some(folder), _) => {
                let rlib = folder.join(format!("lib{name}.rlib"));
                Some(format!("{name}={}", rlib.display()))
            }
            (None, Some(api)) if name == API_CRATE => {
                library.ends_with(".so").then(|| format!("{name}={}", api.display()))
            }
            (None, _) => Some(library.to_owned()),
        }
    }
}

/// At opt-level 1 a core crate exports the generic functions that it instantiates, and its
/// dependents link to them. Each new field of a type then changes the list of those instances, and
/// with it rustc compiles nearly all of its dependents anew. From level 2 on nothing is shared.
fn unshared(option: &str) -> &str {
    if option == "opt-level=1" { "opt-level=2" } else { option }
}

/// The option in `-Coption` and `--codegen=option`, as `RUSTFLAGS` often has them.
pub(super) fn joined_codegen(argument: &str) -> Option<&str> {
    argument.strip_prefix("--codegen=").or_else(|| argument.strip_prefix("-C"))
}

/// `-C` options that the job sets itself. cargo's own `metadata` holds the version of the package:
/// with it, types would get another identity and keep their epoch.
pub(super) fn own_option(option: &str) -> bool {
    const OWN: [&str; 8] = [
        "incremental=",
        "extra-filename=",
        "debuginfo=",
        "linker=",
        "linker-flavor=",
        "metadata=",
        "prefer-dynamic",
        "strip=",
    ];
    OWN.iter().any(|own| option.starts_with(own))
}

fn own_output(option: &str) -> bool {
    ["--emit=", "--error-format=", "--json=", "--diagnostic-width="]
        .iter()
        .any(|own| option.starts_with(own))
}

/// Links the module from what was kept of its last compilation, or compiles it.
pub fn build(
    job: &Job,
    cancel: &Cancel,
    standby: &Standby,
    checked: &dyn Fn(&ProcessGroup),
) -> Compiled {
    let linked = job.kept.as_ref().and_then(|kept| kept.link(job));
    linked.unwrap_or_else(|| compile(job, cancel, standby, checked))
}

/// Runs the job until rustc exits or the job is cancelled, with a matching standby compiler if
/// there is one. Calls `checked` when dependents of the module can be compiled.
fn compile(
    job: &Job,
    cancel: &Cancel,
    standby: &Standby,
    checked: &dyn Fn(&ProcessGroup),
) -> Compiled {
    let failed = |error: BuildError, started: Instant| Compiled::Failed {
        messages: vec![error.to_string()],
        took_ms: ms(started),
    };
    let started = Instant::now();
    if cancel.is_cancelled() {
        return Compiled::Cancelled;
    }
    if let Err(source) = fs::create_dir_all(&job.folder) {
        return failed(BuildError::Folder { path: job.folder.clone(), source }, started);
    }
    // That of an earlier compilation says nothing about this one.
    let _ = fs::remove_file(job.dep_info());
    let session = Session::begin(&job.incremental());
    let mut command = job.command();
    let group = match standby.spawn(&mut command) {
        Ok(group) => group,
        Err(source) => {
            let program = command.get_program().to_string_lossy().into_owned();
            return failed(BuildError::Start { program, source }, started);
        }
    };
    cancel.add(&group);
    let mut diagnostics = Diagnostics::default();
    if let Some(stderr) = group.take_stderr() {
        let mut lines = BufReader::new(stderr).lines().map_while(Result::ok);
        let metadata = || {
            // Without it, dependents wait for the library.
            if !job.is_core || ahead::publish(job).is_ok() {
                checked(&group);
            }
        };
        diagnostics = Diagnostics::read(&mut lines, started, metadata);
        if diagnostics.aborts && !cancel.is_cancelled() {
            if !diagnostics.reached_codegen() {
                session.end();
            }
            // rustc exits slowly, but writes no more output.
            thread::spawn(move || {
                lines.for_each(drop);
                group.wait()
            });
            let messages = diagnostics.into_errors(job);
            return Compiled::Failed { messages, took_ms: ms(started) };
        }
    }
    let status = group.wait();
    if cancel.is_cancelled() {
        // The linker may run longer than rustc.
        group.end();
        return Compiled::Cancelled;
    }
    match status {
        Ok(status) if status.success() => {
            let times = times(&job.link_started(), diagnostics.check_ms, ms(started));
            session.end();
            incremental::remove_old(&job.incremental());
            let artifact = job.artifact();
            Compiled::Done { artifact, times, warnings: diagnostics.warnings }
        }
        Ok(status) if diagnostics.errors.is_empty() => {
            let (module, folder) = (job.id.clone(), job.folder.clone());
            failed(BuildError::NoDiagnostics { module, folder, status }, started)
        }
        Ok(_) => {
            let messages = diagnostics.into_errors(job);
            Compiled::Failed { messages, took_ms: ms(started) }
        }
        Err(source) => failed(BuildError::Wait { module: job.id.clone(), source }, started),
    }
}

/// The linker script writes a file when it starts; the file's modification time separates compiling
/// from linking.
fn times(link_started: &Path, check_ms: f32, total_ms: f32) -> CompileTimes {
    let link_ms = fs::metadata(link_started)
        .and_then(|data| data.modified())
        .ok()
        .and_then(|at| SystemTime::now().duration_since(at).ok())
        .map_or(0.0, |took| took.as_secs_f32() * 1000.0)
        .min(total_ms - check_ms);
    CompileTimes { check_ms, compile_ms: total_ms - check_ms - link_ms, link_ms, verify_ms: 0.0 }
}

/// Milliseconds since `started`.
pub fn ms(started: Instant) -> f32 {
    started.elapsed().as_secs_f32() * 1000.0
}

#[cfg(test)]
mod tests;
