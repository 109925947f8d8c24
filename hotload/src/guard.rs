//! Catches panics in modules' code before they unwind into the host, and attributes them to a
//! module.

mod attribution;
pub mod executor;
pub mod running;

use std::any::Any;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError};

use bevy::ecs::schedule::SystemWithAccess;
use bevy::ecs::system::{Adapt, RunSystemError, SystemIn};
use playground_api::panic_guard::PanicGuard;

use crate::explain::Explanation;
use attribution::{Blame, Breaks};
use running::Work;

use crate::ids::ModuleId;

/// A panic in a module's code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panic {
    pub module: ModuleId,
    /// The system, or a description of the other code that ran.
    pub what: String,
    /// The panic's message.
    pub message: String,
    /// File, line and column, if they are known.
    pub location: Option<String>,
}

impl Panic {
    /// A panic that was caught in this module's code.
    fn of(module: &ModuleId, what: &str, payload: &(dyn Any + Send)) -> Self {
        let message = message(payload);
        // It may have begun on another thread, in a `par_iter`.
        let location = noted(&message).and_then(|noted| noted.location);
        Self { module: module.clone(), what: what.to_owned(), message, location }
    }
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of module `{}` panicked", self.what, self.module)?;
        if let Some(location) = &self.location {
            write!(f, " at {location}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for Panic {}

/// Failures of the code of an app's modules that were reported since the last
/// [`drain`](Reports::drain).
#[derive(Clone, Debug, Default)]
pub struct Reports {
    inner: Arc<Mutex<Vec<Report>>>,
    /// The memory files of the app's modules: another app in this process has its own.
    images: Arc<Mutex<BTreeSet<u64>>>,
}

/// A failure of a module's code.
#[derive(Clone, Debug)]
pub enum Report {
    /// It panicked. A system does not run again in this generation.
    Panicked(Panic),
    /// It panicked where nothing caught it, by now perhaps in a generation that has left.
    Uncaught {
        panic: Panic,
        /// The memory file with its code.
        image: u64,
    },
    /// A system returned an error.
    Failed { module: ModuleId, system: String, message: String },
}

impl Reports {
    /// Removes and returns the reports.
    pub fn drain(&self) -> Vec<Report> {
        std::mem::take(&mut *self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs a module's code outside of its systems; returns `None` and reports it if it panics.
    pub fn contain<T>(&self, module: &ModuleId, what: &str, run: impl FnOnce() -> T) -> Option<T> {
        let ran = catch(module, what, run);
        ran.map_err(|panic| self.push(Report::Panicked(panic))).ok()
    }

    /// Adds a module's memory file, whose panics are reported here. `image` is its inode.
    pub fn follow(&self, image: u64) {
        self.images.lock().unwrap_or_else(PoisonError::into_inner).insert(image);
    }

    /// Reports panics of the app's modules that nothing caught, e.g. in a task or thread that is
    /// never joined.
    pub fn report_uncaught(&self) {
        if NOTED.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
            return;
        }
        let images = self.images.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (panic, image) in uncaught(&images) {
            self.push(Report::Uncaught { panic, image });
        }
    }

    fn push(&self, report: Report) {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).push(report);
    }
}

/// The adapter around each of a module's systems.
pub struct Guard {
    work: Work,
    tripped: bool,
    /// Apart, since a frame touches the guards of all systems, and this only after a failure.
    on_failure: Box<OnFailure>,
}

struct OnFailure {
    module: ModuleId,
    system: String,
    reports: Reports,
}

impl Guard {
    /// A guard for a system of `module`.
    pub fn new(module: &ModuleId, system: String, reports: &Reports) -> Self {
        let work = Work::of_module(module, &system);
        let (module, reports) = (module.clone(), reports.clone());
        Self { work, tripped: false, on_failure: Box::new(OnFailure { module, system, reports }) }
    }
}

impl Adapt<SystemWithAccess> for Guard {
    type In = ();
    type Out = ();

    fn adapt(
        &mut self,
        input: (),
        run_system: impl FnOnce(SystemIn<'_, SystemWithAccess>) -> Result<(), RunSystemError>,
    ) -> Result<(), RunSystemError> {
        if self.tripped {
            return Ok(());
        }
        match caught(|| self.work.run(|| run_system(input))) {
            Ok(Err(RunSystemError::Failed(error))) => {
                let OnFailure { module, system, reports } = &*self.on_failure;
                let (module, system) = (module.clone(), system.clone());
                let message = error.to_string();
                reports.push(Report::Failed { module, system, message });
                Ok(())
            }
            Ok(result) => result,
            Err(payload) => {
                self.tripped = true;
                let OnFailure { module, system, reports } = &*self.on_failure;
                reports.push(Report::Panicked(Panic::of(module, system, payload.as_ref())));
                Ok(())
            }
        }
    }
}

/// A guard for a module's observers that reports panics.
pub fn contain(module: &ModuleId, reports: &Reports) -> PanicGuard {
    let (module, reports) = (module.clone(), reports.clone());
    Arc::new(move |what, run| match catch(&module, what, run) {
        Ok(()) => true,
        Err(panic) => {
            reports.push(Report::Panicked(panic));
            false
        }
    })
}

thread_local! {
    /// True while this thread is in [`catch`].
    static CATCHES: Cell<bool> = const { Cell::new(false) };
}

/// The number of schedules that run at the moment. Their panics may begin on any thread.
static UNGUARDED_RUNS: AtomicUsize = AtomicUsize::new(0);
/// Panics that began in either, the newest first. Where they are caught, they are matched by
/// message.
static NOTED: Mutex<Vec<Noted>> = Mutex::new(Vec::new());

/// The maximum length of [`NOTED`]: of several panics in one run only one is caught here.
const MOST_NOTED: usize = 16;

/// A panic that has begun and was not caught here yet.
struct Noted {
    /// The module whose code panicked, and the memory file with that code; `None` for the game's own
    /// code.
    module: Option<(ModuleId, u64)>,
    message: String,
    location: Option<String>,
    /// True if [`catch`] on the same thread will catch it.
    is_caught: bool,
}

/// Runs module code and catches its panics.
///
/// # Errors
///
/// The panic.
pub fn catch<T>(module: &ModuleId, what: &str, run: impl FnOnce() -> T) -> Result<T, Panic> {
    caught(run).map_err(|payload| Panic::of(module, what, payload.as_ref()))
}

fn caught<T>(run: impl FnOnce() -> T) -> std::thread::Result<T> {
    install_hook();
    // `Cell`'s methods are inlined here, those of `LocalKey` are not.
    let outer = CATCHES.with(|catches| catches.replace(true));
    let result = panic::catch_unwind(AssertUnwindSafe(run));
    CATCHES.with(|catches| catches.set(outer));
    result
}

/// Removes and returns the newest panic with this message.
fn noted(message: &str) -> Option<Noted> {
    let mut noted = NOTED.lock().unwrap_or_else(PoisonError::into_inner);
    let at = noted.iter().position(|noted| noted.message == message)?;
    Some(noted.remove(at))
}

/// Runs code of several modules, e.g. a schedule. Resumes panics that are not a module's.
///
/// # Errors
///
/// The panic.
pub fn unguarded<T>(what: impl FnOnce() -> String, run: impl FnOnce() -> T) -> Result<T, Panic> {
    install_hook();
    // Also if a guarded system runs the schedule: the panics in it are not that system's.
    let outer = CATCHES.replace(false);
    UNGUARDED_RUNS.fetch_add(1, Ordering::SeqCst);
    let result = panic::catch_unwind(AssertUnwindSafe(run));
    CATCHES.set(outer);
    let result = result.map_err(|payload| {
        let message = message(payload.as_ref());
        match noted(&message) {
            Some(Noted { module: Some((module, _)), location, .. }) => {
                Ok(Panic { module, what: what(), message, location })
            }
            _ => Err(payload),
        }
    });
    UNGUARDED_RUNS.fetch_sub(1, Ordering::SeqCst);
    result.map_err(|panic| panic.unwrap_or_else(|payload| panic::resume_unwind(payload)))
}

/// Removes and returns the panics that began in these memory files and that nothing caught, e.g. in
/// a task that is never awaited.
fn uncaught(images: &BTreeSet<u64>) -> Vec<(Panic, u64)> {
    if UNGUARDED_RUNS.load(Ordering::SeqCst) > 0 {
        return Vec::new();
    }
    let mut noted = NOTED.lock().unwrap_or_else(PoisonError::into_inner);
    let mut uncaught = Vec::new();
    noted.retain(|noted| match &noted.module {
        _ if noted.is_caught => true,
        Some((module, image)) if images.contains(image) => {
            let panic = Panic {
                module: module.clone(),
                what: "a task or thread".to_owned(),
                message: noted.message.clone(),
                location: noted.location.clone(),
            };
            uncaught.push((panic, *image));
            false
        }
        // Kept for another app of this process, which collects its own.
        Some(_) => true,
        None => false,
    });
    uncaught
}

/// The text of a panic's payload.
pub fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a payload that is not a string".to_owned())
}

/// Records the module and location of panics under a guard instead of printing them.
fn install_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let is_caught = CATCHES.get();
            if !is_caught && UNGUARDED_RUNS.load(Ordering::SeqCst) == 0 {
                return previous(info);
            }
            let location = info.location().map(ToString::to_string);
            let Blame { module, breaks } = attribution::blame();
            let message = message(info.payload());
            if let (Some((module, _)), Some(breaks)) = (&module, breaks) {
                end(module, breaks, &message, location.as_deref().unwrap_or_default());
            }
            // A panic that cannot unwind aborts the process next: print it now.
            if module.is_none() || CANNOT_UNWIND.iter().any(|begin| message.starts_with(begin)) {
                previous(info);
            }
            let mut noted = NOTED.lock().unwrap_or_else(PoisonError::into_inner);
            noted.truncate(MOST_NOTED - 1);
            noted.insert(0, Noted { module, message, location, is_caught });
        }));
    });
}

/// Prefixes of the messages of panics after which the standard library aborts.
const CANNOT_UNWIND: [&str; 2] = ["panic in a ", "unsafe precondition"];

/// Aborts: Bevy's storage contains a partly dropped or missing value, and must not be used again.
fn end(module: &ModuleId, breaks: Breaks, message: &str, location: &str) -> ! {
    let happened =
        format!("{} of module `{module}` panicked at {location}: {message}", breaks.name());
    let remedy = "Bevy's storage cannot continue after that, so the game exits; its supervisor \
                  restarts it from the last save. Fix the panic";
    eprintln!("{}", Explanation::new("H1003", happened).remedy(remedy));
    std::process::abort()
}
