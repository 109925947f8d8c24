//! Allows one build at a time in a folder of built modules: all games of one checkout share the
//! folder, and a cancelled build may still be exiting when the next one starts.
//!
//! The operating system releases the lock when the process that holds it is killed.

use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::process_group::Cancel;

const POLL: Duration = Duration::from_millis(3);
/// Shorter waits are not reported.
const REPORT_AFTER: Duration = Duration::from_millis(100);

/// Held while the folder is written to; released when dropped.
#[derive(Debug)]
pub struct BuildLock {
    _file: Option<File>,
    /// True if another build held the lock before: its results may be the ones needed here.
    pub was_contended: bool,
}

impl BuildLock {
    /// Takes the lock of the folder `built`, after waiting until it is free. `None` when cancelled.
    ///
    /// `on_wait` is called once if that takes long. If there can be no lock file, as in a folder
    /// that is not writable, no lock is held: existing artifacts can still be read, and a build
    /// reports the error itself.
    pub fn acquire(built: &Path, cancel: &Cancel, on_wait: impl FnOnce()) -> Option<Self> {
        let opened = fs::create_dir_all(built).and_then(|()| {
            let mut options = File::options();
            options.write(true).create(true).truncate(false).open(built.join("build.lock"))
        });
        let Ok(file) = opened else { return Some(Self { _file: None, was_contended: false }) };
        let started = Instant::now();
        let mut was_contended = false;
        let mut on_wait = Some(on_wait);
        loop {
            match file.try_lock() {
                Ok(()) => return Some(Self { _file: Some(file), was_contended }),
                Err(TryLockError::WouldBlock) => {}
                // The file system has no locks.
                Err(TryLockError::Error(_)) => return Some(Self { _file: None, was_contended }),
            }
            if cancel.is_cancelled() {
                return None;
            }
            was_contended = true;
            if started.elapsed() >= REPORT_AFTER
                && let Some(on_wait) = on_wait.take()
            {
                on_wait();
            }
            thread::sleep(POLL);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::path::PathBuf;
    use std::process::{Command, Stdio};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::{Sender, channel};
    use std::thread::JoinHandle;

    use super::*;

    /// A temporary folder for one test, removed on drop.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let folder = format!("playground-build-lock-{name}-{}", std::process::id());
            let folder = std::env::temp_dir().join(folder);
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir(&folder).unwrap();
            Self(folder)
        }

        fn acquire(&self) -> BuildLock {
            BuildLock::acquire(&self.0, &Cancel::default(), || {}).unwrap()
        }

        /// Acquires the lock on another thread, which sends a message when it has to wait.
        fn contend(&self, cancel: &Cancel, waits: &Sender<()>) -> JoinHandle<Option<BuildLock>> {
            let (path, cancel, waits) = (self.0.clone(), cancel.clone(), waits.clone());
            thread::spawn(move || BuildLock::acquire(&path, &cancel, || waits.send(()).unwrap()))
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn builds_in_one_folder_follow_each_other() {
        let folder = Folder::new("order");
        let inside = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        let _lock = folder.acquire();
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        thread::yield_now();
                        inside.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert!(!folder.acquire().was_contended);
    }

    #[test]
    fn a_build_that_waits_reports_it_and_can_be_cancelled() {
        let folder = Folder::new("cancel");
        let held = folder.acquire();
        let (waits, waiting) = channel();
        let cancel = Cancel::default();
        let cancelled = folder.contend(&cancel, &waits);
        waiting.recv().unwrap();
        cancel.cancel();
        assert!(cancelled.join().unwrap().is_none());

        let second = folder.contend(&Cancel::default(), &waits);
        waiting.recv().unwrap();
        drop(held);
        assert!(second.join().unwrap().unwrap().was_contended);
    }

    #[test]
    fn a_killed_process_releases_the_lock() {
        let folder = Folder::new("killed");
        let mut command = Command::new("flock");
        command.arg("--no-fork").arg(folder.0.join("build.lock"));
        command.args(["sh", "-c", "echo held; exec cat"]);
        let mut other =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("flock");
        let mut line = String::new();
        BufReader::new(other.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "held\n");
        let (waits, waiting) = channel();
        let waiter = folder.contend(&Cancel::default(), &waits);
        waiting.recv().unwrap();
        other.kill().unwrap();
        other.wait().unwrap();
        assert!(waiter.join().unwrap().unwrap().was_contended);
    }

    #[test]
    fn a_folder_that_cannot_be_written_to_is_not_locked() {
        let folder = Folder::new("no-folder");
        let place = folder.0.join("file");
        fs::write(&place, "").unwrap();
        let lock = BuildLock::acquire(&place, &Cancel::default(), || unreachable!()).unwrap();
        assert!(lock._file.is_none());
    }
}
