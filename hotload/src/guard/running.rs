//! Records which code runs on each thread, for the watchdog.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::ids::ModuleId;

/// The low bits of a register contain the work's number, the high bits count the runs on the
/// thread.
const NUMBER_BITS: u32 = 24;

/// The name of a piece of work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The module whose code it is; `None` for a schedule, which runs code of several.
    pub module: Option<ModuleId>,
    /// The system, the schedule, or a description of other code.
    pub what: String,
}

/// Code that may take long: a module's system, or a schedule.
#[derive(Debug)]
pub struct Work {
    number: u64,
    is_schedule: bool,
}

/// A run of a piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    thread: usize,
    register: u64,
    /// True if it is a module's code, false for a schedule.
    pub is_of_module: bool,
}

/// The names of all works, by number. The slots of dropped works are reused.
#[derive(Default)]
struct Table {
    names: Vec<Option<Named>>,
    free: Vec<usize>,
}

/// The registers of a thread: the outermost work of a module, and the innermost schedule. 0 if
/// idle.
#[derive(Default)]
struct Thread {
    system: AtomicU64,
    schedule: AtomicU64,
}

static TABLE: Mutex<Table> = Mutex::new(Table { names: Vec::new(), free: Vec::new() });
static THREADS: Mutex<Vec<Weak<Thread>>> = Mutex::new(Vec::new());

thread_local! {
    static OWN: Arc<Thread> = {
        let own = Arc::new(Thread::default());
        let mut threads = lock(&THREADS);
        threads.retain(|thread| thread.strong_count() > 0);
        threads.push(Arc::downgrade(&own));
        own
    };
    static RUNS: Cell<u64> = const { Cell::new(0) };
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Work {
    /// A system or other code of a module.
    pub fn of_module(module: &ModuleId, what: &str) -> Self {
        Self::new(Named { module: Some(module.clone()), what: what.to_owned() })
    }

    pub fn schedule(what: String) -> Self {
        Self::new(Named { module: None, what })
    }

    fn new(named: Named) -> Self {
        let is_schedule = named.module.is_none();
        let mut table = lock(&TABLE);
        let place = table.free.pop().unwrap_or(table.names.len());
        if place == table.names.len() {
            table.names.push(None);
        }
        table.names[place] = Some(named);
        Self { number: place as u64 + 1, is_schedule }
    }

    /// Runs the work on this thread.
    pub fn run<T>(&self, run: impl FnOnce() -> T) -> T {
        let count = RUNS.with(|runs| {
            runs.update(|count| count.wrapping_add(1));
            runs.get()
        });
        let register = (count << NUMBER_BITS) | self.number;
        OWN.with(|own| {
            if self.is_schedule {
                let outer = own.schedule.swap(register, Ordering::Relaxed);
                let _end = End { register: &own.schedule, outer };
                run()
            } else if own.system.load(Ordering::Relaxed) == 0 {
                own.system.store(register, Ordering::Relaxed);
                let _end = End { register: &own.system, outer: 0 };
                run()
            } else {
                run()
            }
        })
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let mut table = lock(&TABLE);
        let place = self.number as usize - 1;
        table.names[place] = None;
        table.free.push(place);
    }
}

/// Restores the register on drop, so also after a panic.
struct End<'a> {
    register: &'a AtomicU64,
    outer: u64,
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.register.store(self.outer, Ordering::Relaxed);
    }
}

impl Run {
    /// The name of the work; `None` once it was dropped.
    pub fn name(&self) -> Option<Named> {
        let place = (self.register & ((1 << NUMBER_BITS) - 1)).checked_sub(1)?;
        lock(&TABLE).names.get(place as usize)?.clone()
    }
}

/// The current runs of all threads.
pub fn sample() -> Vec<Run> {
    let threads: Vec<Arc<Thread>> = lock(&THREADS).iter().filter_map(Weak::upgrade).collect();
    let run = |thread: &Arc<Thread>, register: &AtomicU64, is_of_module| {
        let register = register.load(Ordering::Relaxed);
        (register > 0).then_some(Run { thread: Arc::as_ptr(thread).addr(), register, is_of_module })
    };
    let both = |thread: &Arc<Thread>| {
        [run(thread, &thread.system, true), run(thread, &thread.schedule, false)]
    };
    threads.iter().flat_map(both).flatten().collect()
}

/// Locked by tests that sample the whole process.
#[cfg(test)]
pub static ALONE: Mutex<()> = Mutex::new(());

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread;

    use super::*;

    fn names() -> Vec<String> {
        let names = sample().into_iter().filter_map(|run| run.name()).map(|named| named.what);
        names.filter(|what| what.starts_with("running test")).collect()
    }

    #[test]
    fn runs_are_visible_from_another_thread() {
        let _alone = lock(&ALONE);
        let (resume, resumed) = channel::<()>();
        let (paused, pauses) = channel();
        let other = thread::spawn(move || {
            let schedule = Work::schedule("running test: schedule".to_owned());
            let outer = Work::of_module(&"systems_x".into(), "running test: outer");
            let inner = Work::of_module(&"systems_x".into(), "running test: inner");
            schedule.run(|| {
                let _ = outer.run(|| inner.run(|| (paused.send(()), resumed.recv())));
                let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                    outer.run(|| std::panic::resume_unwind(Box::new(())))
                }));
                assert!(caught.is_err());
                let _ = (paused.send(()), resumed.recv());
            });
            let _ = (paused.send(()), resumed.recv());
        });
        pauses.recv().unwrap();
        let first = sample();
        assert_eq!(names(), ["running test: outer", "running test: schedule"]);
        assert!(first.iter().all(|run| sample().contains(run)), "it is one run");
        resume.send(()).unwrap();
        pauses.recv().unwrap();
        assert_eq!(names(), ["running test: schedule"]);
        resume.send(()).unwrap();
        pauses.recv().unwrap();
        assert!(names().is_empty());
        resume.send(()).unwrap();
        other.join().unwrap();
        // A new work reuses the slot.
        let later = Work::of_module(&"systems_y".into(), "running test: later");
        later.run(|| {
            let own = |run: &&Run| run.name().is_some_and(|it| it.what == "running test: later");
            assert!(sample().iter().any(|run| own(&run)));
            assert!(!sample().iter().any(|run| first.contains(run)));
        });
    }
}
