//! What runs on each thread, for the watchdog to read from its own.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::ids::ModuleId;

/// Bits of a register that hold the number of the work; above them is which run of it this is.
const NUMBER_BITS: u32 = 24;

/// What a piece of work is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The module whose code it is; `None` for a schedule, in which code of several is.
    pub module: Option<ModuleId>,
    /// The system, or what else it is.
    pub what: String,
}

/// Something that may take long: a module's system, or a schedule.
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
    /// It is a module's.
    pub is_of_module: bool,
}

/// What there is to run. A place is used again once its work is gone.
#[derive(Default)]
struct Table {
    names: Vec<Option<Named>>,
    free: Vec<usize>,
}

/// What runs on a thread: the outermost work of a module, and the innermost schedule. 0 is nothing.
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
    /// A system of a module, or another piece of its code.
    pub fn of_module(module: &ModuleId, what: &str) -> Self {
        Self::new(Named { module: Some(module.clone()), what: what.to_owned() })
    }

    /// A schedule.
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

    /// Runs it, on this thread.
    pub fn run<T>(&self, run: impl FnOnce() -> T) -> T {
        let count = RUNS.get().wrapping_add(1);
        RUNS.set(count);
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

/// Puts back what ran before, also where a panic comes through.
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
    /// What it is called; `None` once it is over and gone.
    pub fn name(&self) -> Option<Named> {
        let place = (self.register & ((1 << NUMBER_BITS) - 1)).checked_sub(1)?;
        lock(&TABLE).names.get(place as usize)?.clone()
    }
}

/// What runs now, on all threads.
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

/// Held by tests that look at what runs in the whole process.
#[cfg(test)]
pub static ALONE: Mutex<()> = Mutex::new(());

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread;

    use super::*;

    fn names() -> Vec<String> {
        let names = sample().into_iter().filter_map(|run| run.name()).map(|named| named.what);
        names.filter(|what| what.starts_with("activity test")).collect()
    }

    #[test]
    fn what_runs_is_told_from_another_thread() {
        let _alone = lock(&ALONE);
        let (ask, asked) = channel::<()>();
        let (tell, told) = channel();
        let other = thread::spawn(move || {
            let schedule = Work::schedule("activity test: schedule".to_owned());
            let outer = Work::of_module(&"systems_x".into(), "activity test: outer");
            let inner = Work::of_module(&"systems_x".into(), "activity test: inner");
            schedule.run(|| {
                let _ = outer.run(|| inner.run(|| (tell.send(()), asked.recv())));
                let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                    outer.run(|| std::panic::resume_unwind(Box::new(())))
                }));
                assert!(caught.is_err());
                let _ = (tell.send(()), asked.recv());
            });
            let _ = (tell.send(()), asked.recv());
        });
        told.recv().unwrap();
        let first = sample();
        assert_eq!(names(), ["activity test: outer", "activity test: schedule"]);
        assert!(first.iter().all(|run| sample().contains(run)), "it is one run");
        ask.send(()).unwrap();
        told.recv().unwrap();
        assert_eq!(names(), ["activity test: schedule"]);
        ask.send(()).unwrap();
        told.recv().unwrap();
        assert!(names().is_empty());
        ask.send(()).unwrap();
        other.join().unwrap();
        // Its place is another's.
        let later = Work::of_module(&"systems_y".into(), "activity test: later");
        later.run(|| {
            let own = |run: &&Run| run.name().is_some_and(|it| it.what == "activity test: later");
            assert!(sample().iter().any(|run| own(&run)));
            assert!(!sample().iter().any(|run| first.contains(run)));
        });
    }
}
