//! Watches from a thread of its own that frames come to an end, and says what keeps one.
//!
//! ```text
//!  main thread   beat ──────── frame ──────── beat ──────── frame that does not end …
//!  watchdog        ·   ·   ·   ·   ·   ·   ·   ·   ·   ·   · the same system at each tick: H1004
//! ```
//!
//! A tick counts as a tick, however long ago the last one was: a process that was stopped, in a
//! debugger or by a suspended machine, kept no frame.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::guard::running::{self, Named, Run};
use crate::ids::ModuleId;

/// So many ticks make the limit of a frame.
const TICKS: u32 = 4;

/// How long a frame may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// What keeps it longer is told of.
    pub frame: Duration,
    /// A module's system that keeps it longer ends the process, for its supervisor.
    pub hang: Option<Duration>,
}

/// What kept a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The code that ran all the while.
    pub named: Named,
    /// How long the frame took.
    pub took: Duration,
}

/// The watchdog's thread. Ends when it is dropped.
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
    /// What keeps the frame that is under way.
    keeps: Option<Named>,
}

impl Watchdog {
    /// Starts to watch.
    pub fn start(limits: Limits) -> Self {
        let shared = Arc::new(Shared::default());
        let watched = shared.clone();
        let thread = thread::Builder::new().name("playground watchdog".into());
        // Without a thread nobody watches; nothing else is lost.
        let thread = thread.spawn(move || watched.watch(limits)).ok();
        Self { shared, last: Instant::now(), thread }
    }

    /// A frame begins. Gives what kept the one before for too long.
    pub fn beat(&mut self) -> Option<Kept> {
        let took = self.last.elapsed();
        self.last = Instant::now();
        let named = self.shared.state().keeps.take()?;
        Some(Kept { named, took })
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
        // What runs, and at how many ticks in a row it did.
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
            let is_news = state.keeps.is_none();
            if is_news {
                state.keeps = Some(named.clone());
            }
            if let (Some(module), Some(hang)) = (&named.module, limits.hang)
                && tick * *ticks >= hang
            {
                end(module, &named.what, hang);
            }
            if is_news {
                // Not while the game may wait for the lock: a terminal can be stopped.
                drop(state);
                eprintln!("{}", told(&named, limits));
                state = self.state();
            }
        }
    }
}

/// What is said while the frame does not end. Nothing but the terminal can be reached then.
fn told(named: &Named, limits: Limits) -> String {
    let Named { module, what } = named;
    let seconds = limits.frame.as_secs_f32();
    let Some(module) = module else {
        return format!(
            "H1004: a frame has not ended for {seconds} s: {what}, in a run condition, a hook, a \
             command, or a system of the game's own"
        );
    };
    let then = match limits.hang {
        Some(hang) => format!("after {} s the game ends, for its supervisor", hang.as_secs_f32()),
        None => "the game goes on when it returns".to_owned(),
    };
    format!(
        "H1004: {what} of module `{module}` has not returned for {seconds} s, and no frame comes \
         meanwhile: {then}"
    )
}

fn end(module: &ModuleId, what: &str, hang: Duration) -> ! {
    eprintln!(
        "H1005: {what} of module `{module}` has not returned for {} s, so the game ends here; its \
         supervisor starts it again from the last save. Mend the system",
        hang.as_secs_f32()
    );
    std::process::abort()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::running::{ALONE, Work};

    const LIMITS: Limits = Limits { frame: Duration::from_millis(40), hang: None };

    #[test]
    fn what_keeps_a_frame_is_told() {
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let mut watchdog = Watchdog::start(LIMITS);
        let schedule = Work::schedule("schedule Update".to_owned());
        let slow = Work::of_module(&"systems_x".into(), "slow");
        let quick = Work::of_module(&"systems_x".into(), "quick");
        watchdog.beat();
        // One system all the while.
        let keeps = |watchdog: &Watchdog| watchdog.shared.state().keeps.clone();
        let until_told = |watchdog: &Watchdog| {
            let started = Instant::now();
            while keeps(watchdog).is_none() {
                assert!(started.elapsed() < Duration::from_secs(60), "it is not told");
                thread::yield_now();
            }
        };
        schedule.run(|| slow.run(|| until_told(&watchdog)));
        let kept = watchdog.beat().expect("it was told");
        assert_eq!((&kept.named.module, &*kept.named.what), (&Some("systems_x".into()), "slow"));
        assert!(kept.took >= LIMITS.frame, "{kept:?}");
        assert_eq!(watchdog.beat(), None);

        // Many systems, none of which takes long: the schedule is what is known.
        schedule.run(|| {
            while keeps(&watchdog).is_none() {
                quick.run(|| ());
            }
        });
        assert_eq!(watchdog.beat().expect("it was told").named.what, "schedule Update");
    }
}
