//! Detects on its own thread that a frame hangs, and reports the code that blocks it.
//!
//! ```text
//!  main thread   beat ──────── frame ──────── beat ──────── frame that does not end …
//!  watchdog        ·   ·   ·   ·   ·   ·   ·   ·   ·   ·   · the same system at each tick: H1004
//! ```
//!
//! Ticks are counted, not the time between them: a process that was stopped by a debugger or a
//! suspended machine did not block a frame.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::explain::Explanation;
use crate::guard::running::{self, Named, Run};
use crate::ids::ModuleId;

/// The number of ticks within the limit of a frame.
const TICKS: u32 = 4;

/// The time limits of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A frame that takes longer is reported.
    pub frame: Duration,
    /// A module's system that takes longer ends the process, for its supervisor to restart it.
    pub hang: Option<Duration>,
}

/// A frame that took longer than the limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockedFrame {
    /// The code that blocked it.
    pub named: Named,
    pub took: Duration,
}

/// The watchdog's thread, which ends when this is dropped.
pub struct Watchdog {
    shared: Arc<Shared>,
    last: Instant,
    thread: Option<thread::JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    stopped: bool,
    /// The code that blocks the current frame.
    blocking: Option<Named>,
}

impl Watchdog {
    /// Starts the thread.
    pub fn start(limits: Limits) -> Self {
        let shared = Arc::new(Shared::default());
        let watched = shared.clone();
        let thread = thread::Builder::new().name("playground watchdog".into());
        // If the thread cannot be started, the game runs without a watchdog.
        let thread = thread.spawn(move || watched.watch(limits)).ok();
        Self { shared, last: Instant::now(), thread }
    }

    /// Call once per frame. Returns the previous frame if it took longer than the limit.
    pub fn beat(&mut self) -> Option<BlockedFrame> {
        let took = self.last.elapsed();
        self.last = Instant::now();
        let named = self.shared.state().blocking.take()?;
        Some(BlockedFrame { named, took })
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.shared.state().stopped = true;
        self.shared.wake.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn watch(&self, limits: Limits) {
        let tick = (limits.frame / TICKS).max(Duration::from_millis(1));
        // The current runs, and for how many ticks in a row each was seen.
        let mut runs: Vec<(Run, u32)> = Vec::new();
        let mut state = self.state();
        loop {
            let waited = self.wake.wait_timeout(state, tick);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            if state.stopped {
                return;
            }
            let before = |now: &Run| runs.iter().find(|(run, _)| run == now).map(|(_, n)| *n);
            let now = running::sample().into_iter();
            runs = now.map(|run| (run, before(&run).unwrap_or_default() + 1)).collect();
            let mut long = runs.iter().filter(|(_, ticks)| *ticks > TICKS);
            let culprit = long.clone().find(|(run, _)| run.is_of_module).or(long.next());
            let Some((run, ticks)) = culprit else { continue };
            let Some(named) = run.name() else { continue };
            let is_news = state.blocking.is_none();
            if is_news {
                state.blocking = Some(named.clone());
            }
            if let (Some(module), Some(hang)) = (&named.module, limits.hang)
                && tick * *ticks >= hang
            {
                end(module, &named.what, hang);
            }
            if is_news {
                // Without the lock, which the game may wait for: writing to a terminal can block.
                drop(state);
                eprintln!("{}", explain(&named, limits));
                state = self.state();
            }
        }
    }
}

/// The message for the terminal, the only output that works while the frame is blocked.
fn explain(named: &Named, limits: Limits) -> Explanation {
    let Named { module, what } = named;
    let seconds = limits.frame.as_secs_f32();
    let happened = |text: String| Explanation::new("H1004", text);
    let Some(module) = module else {
        return happened(format!("a frame has taken longer than {seconds} s: {what}"))
            .remedy("Check run conditions, hooks, commands, and the game's own systems");
    };
    let then = match limits.hang {
        Some(hang) => {
            format!("after {} s the game ends, and its supervisor restarts it", hang.as_secs_f32())
        }
        None => "the game continues when it returns".to_owned(),
    };
    happened(format!(
        "{what} of module `{module}` has not returned for {seconds} s and blocks the frame: {then}"
    ))
}

fn end(module: &ModuleId, what: &str, hang: Duration) -> ! {
    let happened = format!(
        "{what} of module `{module}` has not returned for {} s, so the game exits; its supervisor \
         restarts it from the last save",
        hang.as_secs_f32()
    );
    eprintln!("{}", Explanation::new("H1005", happened).remedy("Fix the system"));
    std::process::abort()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::running::{ALONE, Work};

    const LIMITS: Limits = Limits { frame: Duration::from_millis(40), hang: None };

    #[test]
    fn the_blocking_code_is_reported() {
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let mut watchdog = Watchdog::start(LIMITS);
        let schedule = Work::schedule("schedule Update".to_owned());
        let slow = Work::of_module(&"systems_x".into(), "slow");
        let quick = Work::of_module(&"systems_x".into(), "quick");
        watchdog.beat();
        // One system blocks the frame.
        let blocking = |watchdog: &Watchdog| watchdog.shared.state().blocking.clone();
        let until_blocked = |watchdog: &Watchdog| {
            let started = Instant::now();
            while blocking(watchdog).is_none() {
                assert!(started.elapsed() < Duration::from_secs(60), "nothing is reported");
                thread::yield_now();
            }
        };
        schedule.run(|| slow.run(|| until_blocked(&watchdog)));
        let blocked = watchdog.beat().expect("a blocked frame");
        assert_eq!(
            (&blocked.named.module, &*blocked.named.what),
            (&Some("systems_x".into()), "slow")
        );
        assert!(blocked.took >= LIMITS.frame, "{blocked:?}");
        assert_eq!(watchdog.beat(), None);

        // Many short runs: the schedule is reported.
        schedule.run(|| {
            while blocking(&watchdog).is_none() {
                quick.run(|| ());
            }
        });
        assert_eq!(watchdog.beat().expect("a blocked frame").named.what, "schedule Update");
    }
}
