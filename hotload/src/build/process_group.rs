//! Child processes that lead a process group of their own, so that all of their descendants can be
//! killed with them: rustc leaves its linker running when only rustc is killed.
//!
//! ```text
//!  spawn ──► leader, pgid = its pid ──► rustc's threads, the linker's script, lld
//!  kill  ──► SIGKILL to the group ──► the leader is reaped ──► no member is left running
//! ```
//!
//! The group's id cannot be reused while its leader is not reaped, so signals are sent only until
//! then, under the lock that also guards the reaping.

use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, ChildStdin, Command, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{fs, io, thread};

use rustix::io::retry_on_intr;
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, kill_process_group, test_kill_process_group, waitid,
};

/// The time limit for a killed process to end: one that waits for a disk ends only after that.
const END_LIMIT: Duration = Duration::from_secs(5);
const END_POLL: Duration = Duration::from_millis(1);

/// A child process and its descendants.
#[derive(Clone, Debug)]
pub struct ProcessGroup {
    id: Pid,
    leader: Arc<Mutex<Leader>>,
}

#[derive(Debug)]
struct Leader {
    child: Child,
    is_reaped: bool,
}

impl ProcessGroup {
    /// Starts `command` as the leader of a new group.
    ///
    /// # Errors
    ///
    /// If the process cannot be started.
    pub fn spawn(command: &mut Command) -> io::Result<Self> {
        let child = command.process_group(0).spawn()?;
        let id = Pid::from_child(&child);
        Ok(Self { id, leader: Arc::new(Mutex::new(Leader { child, is_reaped: false })) })
    }

    /// The leader's process id, which is also the group's.
    #[cfg(test)]
    pub fn id(&self) -> u32 {
        lock(&self.leader).child.id()
    }

    /// The leader's standard input, once, if it is a pipe.
    pub fn take_stdin(&self) -> Option<ChildStdin> {
        lock(&self.leader).child.stdin.take()
    }

    /// The leader's standard error, once, if it is a pipe.
    pub fn take_stderr(&self) -> Option<ChildStderr> {
        lock(&self.leader).child.stderr.take()
    }

    /// Sends SIGKILL to every process of the group. Does nothing once the leader has been reaped.
    pub fn kill(&self) {
        self.signal(Signal::KILL);
    }

    fn signal(&self, signal: Signal) {
        let leader = lock(&self.leader);
        if !leader.is_reaped {
            // An unreaped leader keeps the id valid, so this can only fail for lack of permission,
            // which a child of this process does not lack.
            let _ = kill_process_group(self.id, signal);
        }
    }

    /// Stops every process of the group until it is [resumed](Self::resume). They can be killed
    /// meanwhile, and the system kills them if this process dies: theirs is an orphaned group then.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets paused processes continue.
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Waits until the leader exits, kills what it left running, and reaps it.
    ///
    /// # Errors
    ///
    /// If the operating system does not return the status.
    pub fn wait(&self) -> io::Result<ExitStatus> {
        // Without the lock, so that `kill` need not wait. An error means that it is reaped already.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let _ = retry_on_intr(|| waitid(WaitId::Pid(self.id), options));
        self.kill();
        let mut leader = lock(&self.leader);
        let status = leader.child.wait();
        leader.is_reaped |= status.is_ok();
        status
    }

    /// Kills the group and waits until none of its processes runs: they write no files after this
    /// returns. Stops waiting after [`END_LIMIT`].
    pub fn end(&self) {
        self.kill();
        // If this fails, there is no better way to end it.
        let _ = self.wait();
        let started = Instant::now();
        while self.is_running() && started.elapsed() < END_LIMIT {
            thread::sleep(END_POLL);
        }
    }

    /// True while a process of the group can still run code; zombies cannot.
    fn is_running(&self) -> bool {
        if test_kill_process_group(self.id).is_err() {
            return false;
        }
        // Members may not be reaped yet, and in a container they may never be.
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let mut stats = processes.filter_map(|entry| {
            entry.file_name().to_str()?.parse::<u32>().ok()?;
            fs::read_to_string(entry.path().join("stat")).ok()
        });
        stats.any(|stat| runs_in_group(&stat, self.id).unwrap_or_default())
    }
}

/// True if `/proc/PID/stat` describes a process of the group that is not a zombie.
fn runs_in_group(stat: &str, group: Pid) -> Option<bool> {
    // The name in parentheses may contain anything.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let (state, _parent, own_group) = (fields.next()?, fields.next()?, fields.next()?);
    let is_dead = matches!(state, "Z" | "X");
    Some(!is_dead && own_group.parse() == Ok(group.as_raw_nonzero().get()))
}

/// Cancels the processes that were added to it.
#[derive(Clone, Debug, Default)]
pub struct Cancel {
    inner: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    is_cancelled: AtomicBool,
    groups: Mutex<Vec<ProcessGroup>>,
}

impl Cancel {
    /// Kills the process groups that were added, and those that will be.
    pub fn cancel(&self) {
        self.inner.is_cancelled.store(true, Ordering::SeqCst);
        for group in lock(&self.inner.groups).drain(..) {
            group.kill();
        }
    }

    /// True once cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.inner.is_cancelled.load(Ordering::SeqCst)
    }

    /// Adds a group, which is killed when cancelled; immediately if already cancelled.
    pub fn add(&self, group: &ProcessGroup) {
        lock(&self.inner.groups).push(group.clone());
        if self.is_cancelled() {
            group.kill();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::io::{BufRead, BufReader};
    use std::os::unix::fs::OpenOptionsExt;
    use std::path::{Path, PathBuf};
    use std::process::Stdio;

    use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};
    use rustix::io::Errno;

    use super::*;

    /// A leader with a child that writes `late` once `gate` is opened for writing.
    struct Tree {
        folder: PathBuf,
        group: ProcessGroup,
        child: u32,
    }

    impl Tree {
        /// `leader` is the script that the leader runs after it started the child.
        fn start(name: &str, leader: &str) -> Self {
            let folder = format!("playground-group-{name}-{}", std::process::id());
            let folder = std::env::temp_dir().join(folder);
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir(&folder).unwrap();
            let mode = Mode::RUSR | Mode::WUSR;
            mknodat(CWD, folder.join("gate"), FileType::Fifo, mode, 0).unwrap();
            // The child's output goes elsewhere, so that the pipe's end is the leader's end, as it
            // is with rustc and its linker.
            let script = format!(
                "sh -c 'exec 2>/dev/null; exec 3<>gate; echo $$ >child.part; mv child.part child; \
                 read line <&3; echo written >late' & while [ ! -e child ]; do :; done; \
                 cat child >&2; {leader}"
            );
            let mut command = Command::new("sh");
            command.args(["-c", &script]).current_dir(&folder);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
            let group = ProcessGroup::spawn(&mut command).unwrap();
            let mut lines = BufReader::new(group.take_stderr().unwrap()).lines();
            let child = lines.next().unwrap().unwrap().parse().unwrap();
            Self { folder, group, child }
        }

        /// The child keeps waiting for the gate while it is alive.
        fn assert_child_is_gone(&self) {
            let path = self.folder.join("gate");
            let flags = OFlags::NONBLOCK.bits() as i32;
            let opened = OpenOptions::new().write(true).custom_flags(flags).open(path);
            let error = Errno::from_io_error(&opened.expect_err("somebody reads the gate"));
            assert_eq!(error, Some(Errno::NXIO));
            let stat =
                fs::read_to_string(Path::new("/proc").join(self.child.to_string()).join("stat"));
            assert_ne!(stat.ok().and_then(|stat| runs_in_group(&stat, self.group.id)), Some(true));
            assert!(!self.folder.join("late").exists());
        }
    }

    impl Drop for Tree {
        fn drop(&mut self) {
            self.group.end();
            let _ = fs::remove_dir_all(&self.folder);
        }
    }

    #[test]
    fn what_a_cancelled_process_started_is_killed_with_it() {
        let tree = Tree::start("cancelled", "wait");
        let cancel = Cancel::default();
        cancel.add(&tree.group);
        assert!(tree.group.is_running());
        cancel.cancel();
        tree.group.end();
        tree.assert_child_is_gone();
        assert!(!tree.group.is_running());
        // A later group is killed at once.
        let late = Tree::start("late", "wait");
        cancel.add(&late.group);
        assert!(!late.group.wait().unwrap().success());
    }

    #[test]
    fn a_child_whose_leader_is_gone_is_killed_too() {
        let tree = Tree::start("left", "exit 3");
        assert_eq!(tree.group.wait().unwrap().code(), Some(3));
        tree.group.end();
        tree.assert_child_is_gone();
    }

    #[test]
    fn a_zombie_and_a_process_of_another_group_do_not_run_in_the_group() {
        let group = Pid::from_raw(12).unwrap();
        assert_eq!(runs_in_group("34 (a) b) R 1 12 12 0", group), Some(true));
        assert_eq!(runs_in_group("34 (sh) Z 1 12 12 0", group), Some(false));
        assert_eq!(runs_in_group("34 (sh) S 12 34 12 0", group), Some(false));
        assert_eq!(runs_in_group("", group), None);
    }
}
