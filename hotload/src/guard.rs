//! Keeps a panic in a module's code from unwinding into the host, and tells whose it was.

mod attribution;
pub mod executor;
pub mod running;

use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError};

use bevy::ecs::schedule::SystemWithAccess;
use bevy::ecs::system::{Adapt, RunSystemError, SystemIn};
use playground_api::panic_guard::Contain;

use attribution::{Blame, Breaks};
use running::Work;

use crate::ids::ModuleId;

/// A panic in a module's code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panic {
    /// The module.
    pub module: ModuleId,
    /// The system, or what else of the module ran.
    pub what: String,
    /// The panic's message.
    pub message: String,
    /// File, line and column, where they are known.
    pub location: Option<String>,
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

/// What modules' systems reported since it was last drained.
#[derive(Clone, Debug, Default)]
pub struct Reports {
    inner: Arc<Mutex<Vec<Report>>>,
}

/// Something that went wrong in a module's system.
#[derive(Clone, Debug)]
pub enum Report {
    /// It panicked; it does not run again in this generation.
    Panicked(Panic),
    /// It returned an error.
    Failed {
        /// The module.
        module: ModuleId,
        /// The system.
        system: String,
        /// The error.
        message: String,
    },
}

impl Reports {
    /// Takes the reports out.
    pub fn drain(&self) -> Vec<Report> {
        std::mem::take(&mut *self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs a module's code outside of its systems; a panic is reported, and gives `None`.
    pub fn contain<T>(&self, module: &ModuleId, what: &str, run: impl FnOnce() -> T) -> Option<T> {
        let ran = catch(module, what, run);
        ran.map_err(|panic| self.push(Report::Panicked(panic))).ok()
    }

    fn push(&self, report: Report) {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).push(report);
    }
}

/// Runs one of a module's systems.
pub struct Guard {
    module: ModuleId,
    system: String,
    reports: Reports,
    work: Work,
    tripped: bool,
}

impl Guard {
    /// A guard for a system of `module`.
    pub fn new(module: &ModuleId, system: String, reports: &Reports) -> Self {
        let work = Work::of_module(module, &system);
        let (module, reports) = (module.clone(), reports.clone());
        Self { module, system, reports, work, tripped: false }
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
        match catch(&self.module, &self.system, || self.work.run(|| run_system(input))) {
            Ok(Err(RunSystemError::Failed(error))) => {
                let (module, system) = (self.module.clone(), self.system.clone());
                let message = error.to_string();
                self.reports.push(Report::Failed { module, system, message });
                Ok(())
            }
            Ok(result) => result,
            Err(panic) => {
                self.tripped = true;
                self.reports.push(Report::Panicked(panic));
                Ok(())
            }
        }
    }
}

/// Runs a module's observers; a panic is reported.
pub fn contain(module: &ModuleId, reports: &Reports) -> Contain {
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
    /// This thread is inside of [`catch`].
    static CATCHES: Cell<bool> = const { Cell::new(false) };
}

/// Runs of schedules that are under way. Their panics may begin on any thread.
static UNGUARDED_RUNS: AtomicUsize = AtomicUsize::new(0);
/// Panics that began in the two, the newest first. Where they end they are told by their message.
static NOTED: Mutex<Vec<Noted>> = Mutex::new(Vec::new());

/// The newest of these are kept: of several panics in one run only one comes through.
const MOST_NOTED: usize = 16;

/// A panic that is under way.
struct Noted {
    /// Whose code it began in; the game's own has no module.
    module: Option<ModuleId>,
    message: String,
    location: Option<String>,
    /// The thread that it began on catches it.
    is_caught: bool,
}

/// Runs module code; a panic becomes a value.
///
/// # Errors
///
/// The panic.
pub fn catch<T>(module: &ModuleId, what: &str, run: impl FnOnce() -> T) -> Result<T, Panic> {
    install_hook();
    let outer = CATCHES.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(run));
    CATCHES.set(outer);
    result.map_err(|payload| {
        let message = message(payload.as_ref());
        // It may have begun on another thread, in a `par_iter`.
        let location = noted(&message).and_then(|noted| noted.location);
        Panic { module: module.clone(), what: what.to_owned(), message, location }
    })
}

/// The newest panic with that message.
fn noted(message: &str) -> Option<Noted> {
    let mut noted = NOTED.lock().unwrap_or_else(PoisonError::into_inner);
    let at = noted.iter().position(|noted| noted.message == message)?;
    Some(noted.remove(at))
}

/// Runs what code of several modules is in. A panic goes on where it is no module's.
///
/// # Errors
///
/// The panic.
pub fn unguarded<T>(what: impl FnOnce() -> String, run: impl FnOnce() -> T) -> Result<T, Panic> {
    install_hook();
    // Also where a guarded system runs the schedule: the schedule's panics are its own.
    let outer = CATCHES.replace(false);
    UNGUARDED_RUNS.fetch_add(1, Ordering::SeqCst);
    let result = panic::catch_unwind(AssertUnwindSafe(run));
    CATCHES.set(outer);
    let result = result.map_err(|payload| {
        let message = message(payload.as_ref());
        match noted(&message) {
            Some(Noted { module: Some(module), location, .. }) => {
                Ok(Panic { module, what: what(), message, location })
            }
            _ => Err(payload),
        }
    });
    UNGUARDED_RUNS.fetch_sub(1, Ordering::SeqCst);
    result.map_err(|panic| panic.unwrap_or_else(|payload| panic::resume_unwind(payload)))
}

/// Panics of modules' code that came through nowhere: of a task or thread that nobody waits for.
pub fn unheard() -> Vec<Panic> {
    if UNGUARDED_RUNS.load(Ordering::SeqCst) > 0 {
        return Vec::new();
    }
    let mut noted = NOTED.lock().unwrap_or_else(PoisonError::into_inner);
    let mut unheard = Vec::new();
    noted.retain(|noted| {
        if let Some(module) = noted.module.clone().filter(|_| !noted.is_caught) {
            let (what, message) = ("a task or thread".to_owned(), noted.message.clone());
            unheard.push(Panic { module, what, message, location: noted.location.clone() });
        }
        noted.is_caught
    });
    unheard
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a value that is no text".to_owned())
}

/// Notes whose a panic is, and where it began, in place of printing it; others print as before.
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
            if let (Some(module), Some(breaks)) = (&module, breaks) {
                end(module, breaks, &message, location.as_deref().unwrap_or_default());
            }
            // What cannot unwind ends the process next, and nobody else will tell of it.
            if module.is_none() || CANNOT_UNWIND.iter().any(|begin| message.starts_with(begin)) {
                previous(info);
            }
            let mut noted = NOTED.lock().unwrap_or_else(PoisonError::into_inner);
            noted.truncate(MOST_NOTED - 1);
            noted.insert(0, Noted { module, message, location, is_caught });
        }));
    });
}

/// How the messages of panics begin after which the standard library aborts.
const CANNOT_UNWIND: [&str; 2] = ["panic in a ", "unsafe precondition"];

/// Bevy's storage holds a value that is half gone or not there: whatever touches it next is undefined.
fn end(module: &ModuleId, breaks: Breaks, message: &str, location: &str) -> ! {
    eprintln!(
        "H1003: {} of module `{module}` panicked at {location}: {message}. Bevy's storage cannot go on \
         after that, so the game ends here; its supervisor starts it again from the last save. Do not \
         panic there",
        breaks.name()
    );
    std::process::abort()
}
