//! Standby compilers: rustc processes started ahead of time, so that rustc's own libraries are
//! already loaded when a source changes. They get their arguments then.
//!
//! rustc reads arguments from a file given as `@FILE`; with a pipe as that file it blocks until they
//! are written. Working directory and environment are fixed at the start, so a standby compiler
//! serves the next edit of a module whose epoch stays the same, which is nearly every edit.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::process_group::ProcessGroup;

/// The number of standby compilers.
const MAX_READY: usize = 2;

/// The pool of standby compilers.
#[derive(Clone, Default)]
pub struct Standby {
    inner: Arc<Mutex<Pool>>,
}

#[derive(Default)]
struct Pool {
    /// The most recent compilations, newest first: they are likely to be repeated.
    expected: Vec<Invocation>,
    ready: Vec<(Invocation, ProcessGroup)>,
}

/// The part of a compilation that is fixed when the process starts.
#[derive(Clone, PartialEq, Eq)]
struct Invocation {
    program: OsString,
    folder: Option<PathBuf>,
    environment: Vec<(OsString, OsString)>,
}

impl Invocation {
    fn of(command: &Command) -> Self {
        let set = command.get_envs().filter_map(|(name, value)| Some((name.into(), value?.into())));
        Self {
            program: command.get_program().into(),
            folder: command.get_current_dir().map(PathBuf::from),
            environment: set.collect(),
        }
    }

    fn start(&self) -> io::Result<ProcessGroup> {
        let mut command = Command::new(&self.program);
        command.arg("@/dev/stdin").env_clear().envs(self.environment.iter().cloned());
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        ProcessGroup::spawn(&mut command)
    }
}

impl Standby {
    /// Starts `command`, a rustc command with a cleared environment: passes its arguments to a
    /// standby compiler that fits, or else starts a new process.
    ///
    /// # Errors
    ///
    /// If a process cannot be started.
    pub fn spawn(&self, command: &mut Command) -> io::Result<ProcessGroup> {
        // With a wrapper, the first argument is the compiler's path, and the wrapper may interpret
        // an argument file in its own way.
        let is_rustc = command.get_args().next().is_some_and(|first| first == "--crate-name");
        if let Some(group) = is_rustc.then(|| self.take(command)).flatten() {
            return Ok(group);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        ProcessGroup::spawn(command)
    }

    /// Starts compilers for the expected compilations, and ends those that are no longer expected.
    pub fn refill(&self) {
        let mut pool = self.lock();
        let Pool { expected, ready } = &mut *pool;
        let (kept, unexpected): (Vec<_>, Vec<_>) =
            ready.drain(..).partition(|(invocation, _)| expected.contains(invocation));
        *ready = kept;
        unexpected.iter().for_each(|(_, group)| end(group));
        for invocation in expected {
            if ready.iter().all(|(other, _)| other != invocation)
                && let Ok(group) = invocation.start()
            {
                ready.push((invocation.clone(), group));
            }
        }
    }

    fn take(&self, command: &Command) -> Option<ProcessGroup> {
        let invocation = Invocation::of(command);
        let mut pool = self.lock();
        pool.expected.retain(|other| *other != invocation);
        pool.expected.insert(0, invocation.clone());
        pool.expected.truncate(MAX_READY);
        let at = pool.ready.iter().position(|(other, _)| *other == invocation)?;
        let (_, group) = pool.ready.swap_remove(at);
        drop(pool);
        match write_arguments(command, &group) {
            Ok(()) => Some(group),
            Err(_) => {
                // It exited, or an argument cannot be passed this way: start a new process.
                end(&group);
                None
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Pool> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes one argument per line; closing the pipe ends the list.
fn write_arguments(command: &Command, group: &ProcessGroup) -> io::Result<()> {
    let mut lines = String::new();
    for argument in command.get_args() {
        let argument = argument.to_str().filter(|text| !text.contains('\n'));
        let invalid = || io::Error::new(io::ErrorKind::InvalidInput, "an argument of two lines");
        lines.push_str(argument.ok_or_else(invalid)?);
        lines.push('\n');
    }
    group.take_stdin().ok_or(io::ErrorKind::BrokenPipe)?.write_all(lines.as_bytes())
}

/// Ends a standby compiler. It has no arguments and so no linker yet: there is no other process to
/// wait for.
fn end(group: &ProcessGroup) {
    group.kill();
    // Its exit status does not matter.
    let _ = group.wait();
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.ready.drain(..).for_each(|(_, group)| end(&group));
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    /// The real rustc: a fake one would not prove that rustc blocks on its argument file.
    fn rustc(source: &str) -> Command {
        let mut command = Command::new("rustc");
        command.args(["--crate-name", "waited", "--crate-type", "lib", "--emit=metadata"]);
        command.args(["--error-format=short", source]).current_dir(std::env::temp_dir());
        command.env_clear();
        command.envs(std::env::vars_os().filter(|(name, _)| name != "PLAYGROUND_STANDBY"));
        command
    }

    fn errors(group: ProcessGroup) -> String {
        let mut text = String::new();
        group.take_stderr().unwrap().read_to_string(&mut text).unwrap();
        group.wait().unwrap();
        text
    }

    fn ready(standby: &Standby) -> Vec<u32> {
        standby.lock().ready.iter().map(|(_, group)| group.id()).collect()
    }

    #[test]
    fn the_second_compilation_is_done_by_a_standby_compiler() {
        let standby = Standby::default();
        let first = standby.spawn(&mut rustc("nowhere_1.rs")).unwrap();
        assert!(errors(first).contains("nowhere_1.rs"));
        standby.refill();
        let waits = ready(&standby)[0];
        let second = standby.spawn(&mut rustc("nowhere_2.rs")).unwrap();
        assert_eq!(second.id(), waits);
        assert!(errors(second).contains("nowhere_2.rs"));
    }

    #[test]
    fn another_environment_needs_another_process() {
        let standby = Standby::default();
        errors(standby.spawn(&mut rustc("nowhere.rs")).unwrap());
        standby.refill();
        let waits = ready(&standby)[0];
        let mut other = rustc("nowhere.rs");
        other.env("PLAYGROUND_STANDBY", "no");
        let child = standby.spawn(&mut other).unwrap();
        assert_ne!(child.id(), waits);
        errors(child);
        // Both are expected now.
        standby.refill();
        assert_eq!(ready(&standby).len(), MAX_READY);
    }

    #[test]
    fn a_standby_compiler_that_died_is_replaced() {
        let standby = Standby::default();
        errors(standby.spawn(&mut rustc("nowhere.rs")).unwrap());
        standby.refill();
        let pool = standby.lock();
        pool.ready[0].1.kill();
        pool.ready[0].1.wait().unwrap();
        drop(pool);
        let child = standby.spawn(&mut rustc("nowhere_3.rs")).unwrap();
        assert!(errors(child).contains("nowhere_3.rs"));
    }
}
