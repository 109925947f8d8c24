//! Everything that is reported to users, tools or other systems: one enum, so that no output is
//! forgotten.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::console::plan::ModulePlan;
use crate::generation::Times;
use crate::guard::Panic;
use crate::ids::{GenerationId, ModuleId};
use crate::journal::Death;
use crate::packs::{PackVersion, Report, StoreCommand, WentBack};
use crate::pipeline::NotBuilt;
use crate::refusal::Refusal;
use crate::restore::Dropped;
use crate::swap::SetUpSystem;

/// Values that were dropped because no module persists their type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The type, with its path.
    pub type_name: String,
    /// The number of values.
    pub count: usize,
    /// The running systems that take the type.
    pub systems: Vec<String>,
}

/// Something that happened. [`Host::report`](super::Host::report) derives from it the module's
/// status, a line of the events file, a Bevy message, a console line and a notice.
#[derive(Debug)]
pub enum Happened {
    /// The app's modules run for the first time.
    Ready {
        /// The app; `None` if the workspace has none.
        app: Option<ModuleId>,
        /// The number of running modules.
        modules: usize,
    },
    /// A supervisor restarted the game after a crash.
    Restarted {
        /// Why it crashed.
        died_of: String,
        /// True if it resumes from its last save.
        resumes: bool,
    },
    /// The previous game crashed while it ran new code.
    PreviousRunDied(Death),
    /// A module's source changed.
    Changed(ModuleId),
    /// rustc starts on a module.
    BuildStarted(ModuleId),
    /// A module compiles again after errors, whether or not it goes live now.
    Compiled(ModuleId),
    /// Modules do not compile.
    NotBuilt(NotBuilt),
    /// rustc or inspection warned of something in a module.
    CompilerWarned {
        /// The module.
        module: ModuleId,
        /// The warnings, as rustc renders them.
        texts: Vec<String>,
    },
    /// Modules were built and will not run.
    Refused {
        /// The modules.
        modules: BTreeSet<ModuleId>,
        /// Why.
        refusal: Refusal,
        /// The changes that the swap would have made.
        plans: Vec<Arc<ModulePlan>>,
    },
    /// A swap would drop data, and waits for a confirmation.
    NeedsConfirmation {
        /// The modules that were edited.
        modules: BTreeSet<ModuleId>,
        /// All modules of the swap.
        group: BTreeSet<ModuleId>,
        /// Why.
        refusal: Refusal,
        /// The changes that it would make.
        plans: Vec<Arc<ModulePlan>>,
    },
    /// The user does not want to drop a module's data: the old code stays.
    Declined(ModuleId),
    /// The workspace cannot be read, so nothing is built.
    Unreadable(Refusal),
    /// The workspace can be read again.
    Readable,
    /// New generations run.
    Swapped {
        /// The module that was edited, or the first one.
        lead: GenerationId,
        /// The installed pack that it came with.
        pack: Option<Arc<PackVersion>>,
        /// All modules of the swap.
        modules: Vec<GenerationId>,
        /// Those of them that were linked again and not compiled: only the code of cores is new.
        linked: Vec<ModuleId>,
        /// Why the others were compiled: each cause with the number of modules.
        causes: Vec<(String, usize)>,
        /// The duration of each step.
        times: Times,
        /// The number of values that were converted to another type.
        migrated: usize,
        /// Values that were dropped with the old form of their type because no module persists it.
        orphaned: Vec<Lost>,
        /// Persisted values, or fields of them, that were dropped with permission.
        dropped: Vec<Dropped>,
        /// Set-up code that runs other code than it did, and does not run again.
        set_up: Vec<SetUpSystem>,
        /// True if the game was ready before: the swap is then shown to the user.
        is_edit: bool,
    },
    /// A module was switched on.
    Enabled(GenerationId),
    /// A module was switched off by hand.
    Disabled(ModuleId),
    /// A generation ran well through its probation.
    Committed(GenerationId),
    /// Old generations are back.
    RolledBack {
        /// That of the module that panicked or that the user named.
        lead: GenerationId,
        /// All of them.
        generations: Vec<GenerationId>,
        /// True if the user requested it.
        is_by_hand: bool,
        /// Why.
        reason: String,
    },
    /// A module that panicked is switched off.
    SwitchedOff {
        /// The module.
        module: ModuleId,
        /// The reason.
        reason: String,
    },
    /// A panic of a module that has already been removed; it has no further effect.
    PanickedAgain(Panic),
    /// A system returned errors.
    ErrorsReturned {
        /// The module.
        module: ModuleId,
        /// The system.
        system: String,
        /// The number of errors so far.
        count: u64,
        /// The last error.
        last: String,
    },
    /// A module's system blocked a frame for too long.
    Blocked {
        /// The module; `None` for the game's own code.
        module: Option<ModuleId>,
        /// The system or schedule.
        what: String,
        /// The duration.
        seconds: f32,
    },
    /// The app changed.
    AppChanged {
        /// The previous app.
        from: ModuleId,
        /// The new app.
        to: ModuleId,
    },
    /// A module's newest artifact is in quarantine; the last good one runs.
    Quarantined {
        /// The module.
        module: ModuleId,
        /// Why.
        refusal: Refusal,
    },
    /// A plan that the user requested.
    Planned(Arc<ModulePlan>),
    /// A snapshot was written.
    SnapshotSaved {
        /// Its name.
        name: String,
        /// True for the autosave, which the user did not request.
        is_autosave: bool,
        /// A summary of its contents.
        summary: String,
    },
    /// A snapshot replaced the state.
    SnapshotLoaded {
        /// Its name.
        name: String,
        /// A summary of the restored values.
        summary: String,
    },
    /// The game could not resume from its last save.
    NotResumed(String),
    /// A tuning file was read again.
    TuningRead {
        /// Its asset path.
        path: String,
        /// The keys that were ignored.
        unknown: Option<Refusal>,
    },
    /// A tuning file cannot be used.
    TuningRefused {
        /// Its asset path.
        path: String,
        /// Why.
        refusal: Refusal,
    },
    /// A command about packs was carried out.
    PackDone(Report),
    /// A command about packs was refused.
    PackRefused {
        /// The command.
        command: StoreCommand,
        /// Why.
        refusal: Refusal,
    },
    /// A version of a pack cannot run.
    PackWentBack(WentBack),
    /// A problem that does not stop the game.
    Warned(String),
    /// A problem that does not stop the game, but that the user has to know about soon.
    Failed(Refusal),
    /// The thread that builds modules has ended.
    WorkerEnded(Refusal),
    /// A swap failed halfway: the process ends next.
    Broken {
        /// The modules of the swap.
        modules: BTreeSet<ModuleId>,
        /// The cause.
        reason: String,
    },
}
