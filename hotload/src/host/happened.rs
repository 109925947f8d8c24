//! Everything that is worth telling people, tools or other systems: one enum, so that nothing is
//! reported in one place and forgotten in another.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::console::plan::ModulePlan;
use crate::generation::Times;
use crate::guard::Panic;
use crate::ids::{GenerationId, ModuleId};
use crate::journal::Death;
use crate::pipeline::NotBuilt;
use crate::refusal::Refusal;

/// Something that happened. [`Host::report`](super::Host::report) derives from it the module's
/// status, a line of the events file, a Bevy message, a console line and a notice.
#[derive(Debug)]
pub enum Happened {
    /// The app's modules run for the first time.
    Ready {
        /// The app; none where the workspace has none.
        app: Option<ModuleId>,
        /// How many modules run.
        modules: usize,
    },
    /// A supervisor started the game again after it died.
    Restarted {
        /// Why it crashed.
        died_of: String,
        /// It goes on from its last save.
        resumes: bool,
    },
    /// The game before this one died with new code in it.
    PreviousRunDied(Death),
    /// A module's source changed.
    Changed(ModuleId),
    /// rustc starts on a module.
    BuildStarted(ModuleId),
    /// A module compiles again, whether or not it goes live now.
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
        /// The modules.
        modules: BTreeSet<ModuleId>,
        /// Why.
        refusal: Refusal,
        /// The changes that it would make.
        plans: Vec<Arc<ModulePlan>>,
    },
    /// The workspace cannot be read, so nothing is built.
    Unreadable(Refusal),
    /// New generations run.
    Swapped {
        /// The module that was edited, or the first one.
        lead: GenerationId,
        /// All modules of the swap.
        modules: Vec<GenerationId>,
        /// Where the time went.
        times: Times,
        /// How many values went from one type to another.
        migrated: usize,
        /// Values that went with the old form of their types, since nobody persists them.
        orphaned: Vec<(String, usize)>,
        /// Persisted values, or fields of them, that were dropped because somebody allowed that.
        dropped: Vec<(String, usize)>,
        /// The game was ready before: people want to see it.
        is_edit: bool,
    },
    /// A module was switched on.
    Enabled(GenerationId),
    /// A module was switched off by hand.
    Disabled(ModuleId),
    /// A generation ran well through its probation.
    Committed(GenerationId),
    /// An old generation is back.
    RolledBack {
        /// The generation.
        generation: GenerationId,
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
    /// A panic that changes nothing any more: its module is out already.
    PanickedAgain(Panic),
    /// A system returned errors.
    ErrorsReturned {
        /// The module.
        module: ModuleId,
        /// The system.
        system: String,
        /// How many so far.
        count: u64,
        /// The last of them.
        last: String,
    },
    /// A module's system kept a frame for too long.
    Blocked {
        /// The module; none for the game's own code.
        module: Option<ModuleId>,
        /// The system or schedule.
        what: String,
        /// For how long.
        seconds: f32,
    },
    /// Another app runs.
    AppChanged {
        /// The app before.
        from: ModuleId,
        /// The app now.
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
    /// A snapshot took the place of the state.
    SnapshotLoaded {
        /// Its name.
        name: String,
        /// A summary of the restored values.
        summary: String,
    },
    /// The game could not go on from its last save.
    NotResumed(String),
    /// A tuning file was read again.
    TuningRead(String),
    /// A tuning file cannot be used.
    TuningRefused(Refusal),
    /// Something is not as it should be, and the game goes on.
    Warned(String),
    /// The same, and a person has to know before long.
    Failed(Refusal),
    /// The thread that builds modules has ended.
    WorkerEnded(Refusal),
    /// A swap broke after its point of no return: the process ends next.
    Broken {
        /// The modules of the swap.
        modules: BTreeSet<ModuleId>,
        /// The cause.
        reason: String,
    },
}
