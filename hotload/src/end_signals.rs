//! A signal from outside ends the game: that is no fault of the code that is on probation.
//!
//! ```text
//!  SIGTERM, SIGHUP, SIGINT ──► the journal is ended ──► what the signal did before
//! ```
//!
//! A crash ends the process without this, and its journal stays.

use std::fs;
use std::io;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::journal::Journal;
use crate::pipeline::lock;

/// A worker's journal, which is there once it is open.
pub type SharedJournal = Arc<Mutex<Option<Journal>>>;

/// The journals of all workers of this process. `None` until the thread is started.
static JOURNALS: Mutex<Option<Vec<Weak<Mutex<Option<Journal>>>>>> = Mutex::new(None);

/// The process's reaction to a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Disposition {
    /// It ends.
    Default,
    /// Nothing, for example SIGHUP under `nohup`.
    Ignored,
    /// It has code for it, as Bevy has for Ctrl+C.
    Caught,
}

/// Ends this journal when a signal asks the process to end.
///
/// # Errors
///
/// If the system does not allow that; such a signal then looks like a crash.
pub fn end_on_signal(journal: &SharedJournal) -> io::Result<()> {
    let mut journals = JOURNALS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(journals) = &mut *journals {
        journals.retain(|journal| journal.strong_count() > 0);
        journals.push(Arc::downgrade(journal));
        return Ok(());
    }
    let status = fs::read_to_string("/proc/self/status")?;
    let ends: Vec<(i32, Disposition)> = [SIGTERM, SIGHUP, SIGINT]
        .map(|signal| (signal, disposition(&status, signal)))
        .into_iter()
        .filter(|(_, disposition)| *disposition != Disposition::Ignored)
        .collect();
    // Code that caught it before is called as well.
    let mut signals = Signals::new(ends.iter().map(|(signal, _)| signal))?;
    thread::Builder::new().name("playground signals".into()).spawn(move || {
        for signal in signals.forever() {
            end_all();
            if ends.contains(&(signal, Disposition::Default)) {
                // It ends the process; what it returns is only for signals that cannot.
                let _ = emulate_default_handler(signal);
            }
        }
    })?;
    *journals = Some(vec![Arc::downgrade(journal)]);
    Ok(())
}

fn end_all() {
    let journals = JOURNALS.lock().unwrap_or_else(PoisonError::into_inner);
    for journal in journals.iter().flatten().filter_map(Weak::upgrade) {
        if let Some(journal) = lock(&journal).as_mut() {
            journal.end();
        }
    }
}

/// Reads the masks in `/proc/<pid>/status`: bit 0 is signal 1.
fn disposition(status: &str, signal: i32) -> Disposition {
    let holds = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let mask = line.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
    };
    if holds("SigIgn:") {
        Disposition::Ignored
    } else if holds("SigCgt:") {
        Disposition::Caught
    } else {
        Disposition::Default
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_that_is_ignored_or_caught_stays_so() {
        // A Rust program under `nohup`, with a handler for Ctrl+C.
        let status = "SigBlk:\t0000000000000000\nSigIgn:\t0000000000001001\n\
                      SigCgt:\t0000000000000442\n";
        assert_eq!(disposition(status, SIGHUP), Disposition::Ignored);
        assert_eq!(disposition(status, SIGINT), Disposition::Caught);
        assert_eq!(disposition(status, SIGTERM), Disposition::Default);
    }
}
