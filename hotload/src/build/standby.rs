//! A rustc that waits: started ahead of time, so that its own libraries are loaded when a change
//! comes, and given its arguments then.
//!
//! rustc reads arguments from a file named with `@`; a pipe as that file holds it up until they are
//! known. Folder and environment are fixed at the start, so the one that waits is good for the next
//! edit of a module whose epoch stays the same, which is nearly all of them.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// So many modules are built at the same time, and so many wait.
const MOST: usize = 2;

/// The compilers that wait.
#[derive(Clone, Default)]
pub struct Standby {
    inner: Arc<Mutex<Waiting>>,
}

#[derive(Default)]
struct Waiting {
    /// What was compiled last, newest first: it is likely to be compiled again.
    expected: Vec<Call>,
    ready: Vec<(Call, Child)>,
}

/// What is fixed when a process starts.
#[derive(Clone, PartialEq, Eq)]
struct Call {
    program: OsString,
    folder: Option<PathBuf>,
    environment: Vec<(OsString, OsString)>,
}

impl Call {
    fn of(command: &Command) -> Self {
        let set = command.get_envs().filter_map(|(name, value)| Some((name.into(), value?.into())));
        Self {
            program: command.get_program().into(),
            folder: command.get_current_dir().map(PathBuf::from),
            environment: set.collect(),
        }
    }

    fn start(&self) -> io::Result<Child> {
        let mut command = Command::new(&self.program);
        command.arg("@/dev/stdin").env_clear().envs(self.environment.iter().cloned());
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()
    }
}

impl Standby {
    /// Starts `command`, which is to be one of rustc with a cleared environment; one that waits gets
    /// the arguments, otherwise a new one is started.
    ///
    /// # Errors
    ///
    /// When a process cannot be started.
    pub fn spawn(&self, command: &mut Command) -> io::Result<Child> {
        // Behind a wrapper's name stands that of the compiler, and the wrapper's own rules hold.
        let is_rustc = command.get_args().next().is_some_and(|first| first == "--crate-name");
        if let Some(child) = is_rustc.then(|| self.take(command)).flatten() {
            return Ok(child);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()
    }

    /// Starts what is likely to be wanted next. Costs a start of rustc, beside the game.
    pub fn refill(&self) {
        let mut waiting = self.lock();
        let Waiting { expected, ready } = &mut *waiting;
        let (keep, end): (Vec<_>, Vec<_>) =
            ready.drain(..).partition(|(call, _)| expected.contains(call));
        *ready = keep;
        end.into_iter().for_each(|(_, child)| finish(child));
        for call in expected {
            if ready.iter().all(|(other, _)| other != call)
                && let Ok(child) = call.start()
            {
                ready.push((call.clone(), child));
            }
        }
    }

    fn take(&self, command: &Command) -> Option<Child> {
        let call = Call::of(command);
        let mut waiting = self.lock();
        waiting.expected.retain(|other| *other != call);
        waiting.expected.insert(0, call.clone());
        waiting.expected.truncate(MOST);
        let at = waiting.ready.iter().position(|(other, _)| *other == call)?;
        let (_, mut child) = waiting.ready.swap_remove(at);
        drop(waiting);
        match hand_over(command, &mut child) {
            Ok(()) => Some(child),
            Err(_) => {
                // It ended by itself, or cannot be told: a new one can.
                finish(child);
                None
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One argument a line; the closed pipe says that there are no more.
fn hand_over(command: &Command, child: &mut Child) -> io::Result<()> {
    let mut lines = String::new();
    for argument in command.get_args() {
        let argument = argument.to_str().filter(|text| !text.contains('\n'));
        let invalid = || io::Error::new(io::ErrorKind::InvalidInput, "an argument of two lines");
        lines.push_str(argument.ok_or_else(invalid)?);
        lines.push('\n');
    }
    let pipe = child.stdin.take();
    pipe.ok_or(io::ErrorKind::BrokenPipe)?.write_all(lines.as_bytes())
}

fn finish(mut child: Child) {
    // Already ended is as good.
    let _ = child.kill();
    let _ = child.wait();
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.ready.drain(..).for_each(|(_, child)| finish(child));
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    /// A stand-in for rustc would not show that rustc waits: this is the real one.
    fn rustc(source: &str) -> Command {
        let mut command = Command::new("rustc");
        command.args(["--crate-name", "waited", "--crate-type", "lib", "--emit=metadata"]);
        command.args(["--error-format=short", source]).current_dir(std::env::temp_dir());
        command.env_clear();
        command.envs(std::env::vars_os().filter(|(name, _)| name != "PLAYGROUND_WAITS"));
        command
    }

    fn errors(child: Child) -> String {
        let mut text = String::new();
        let mut child = child;
        child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        child.wait().unwrap();
        text
    }

    #[test]
    fn the_second_compilation_is_done_by_one_that_waited() {
        let standby = Standby::default();
        let first = standby.spawn(&mut rustc("nowhere_1.rs")).unwrap();
        assert!(errors(first).contains("nowhere_1.rs"));
        standby.refill();
        let waits = standby.lock().ready.first().map(|(_, child)| child.id()).unwrap();
        let second = standby.spawn(&mut rustc("nowhere_2.rs")).unwrap();
        assert_eq!(second.id(), waits);
        assert!(errors(second).contains("nowhere_2.rs"));
    }

    #[test]
    fn another_environment_needs_another_process() {
        let standby = Standby::default();
        errors(standby.spawn(&mut rustc("nowhere.rs")).unwrap());
        standby.refill();
        let waits = standby.lock().ready.first().map(|(_, child)| child.id()).unwrap();
        let mut other = rustc("nowhere.rs");
        other.env("PLAYGROUND_WAITS", "no");
        let child = standby.spawn(&mut other).unwrap();
        assert_ne!(child.id(), waits);
        errors(child);
        // Both may come again, and both wait now.
        standby.refill();
        assert_eq!(standby.lock().ready.len(), MOST);
    }

    #[test]
    fn one_that_ended_by_itself_is_replaced() {
        let standby = Standby::default();
        errors(standby.spawn(&mut rustc("nowhere.rs")).unwrap());
        standby.refill();
        let mut waiting = standby.lock();
        waiting.ready[0].1.kill().unwrap();
        waiting.ready[0].1.wait().unwrap();
        drop(waiting);
        let child = standby.spawn(&mut rustc("nowhere_3.rs")).unwrap();
        assert!(errors(child).contains("nowhere_3.rs"));
    }
}
