//! The events that the worker's loop handles, and the updates it sends.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use super::request::Ticket;
use crate::build::Inputs;
use crate::generation::SharedGeneration;
use crate::ids::ModuleId;
use crate::inspect::Manifest;
use crate::journal::Death;
use crate::packs::{PackRow, PackVersion, Report, StoreCommand, WentBack};
use crate::pipeline::{AttemptOutcome, ModulePlan, NotBuilt};
use crate::reader::SharedWorkspace;
use crate::refusal::Refusal;
use crate::resolve::Selection;

/// Everything that the worker reacts to.
pub enum Event {
    /// Something below the watched folders changed.
    Files(FileEvent),
    /// A request of the host, which waits for the answer to its ticket.
    Request(Ticket, Request),
    /// An event of the host.
    Host(HostEvent),
    /// The sources were read, or could not be.
    Read(Result<Reading, Refusal>),
    /// A command about packs has ended.
    Packs(Ticket, StoreCommand, Result<Report, Refusal>),
    /// News of the attempt under way.
    Attempt(AttemptId, AttemptEvent),
    /// A workspace that could not be read may be readable by now.
    Retry,
    /// The game exits. After a panic the journal stays, since the new code is to blame.
    Shutdown {
        /// The game's main thread is panicking.
        panicking: bool,
    },
}

/// A change on disk.
#[derive(Clone, Debug)]
pub enum FileEvent {
    /// A file was written, created, moved or removed.
    Changed {
        /// The path.
        path: PathBuf,
        /// The time, by the file's own modification time if that is recent.
        at: SystemTime,
    },
    /// The system dropped events, or the watcher failed: anything may have changed.
    Lost {
        /// The reason, if the watcher reported an error.
        error: Option<String>,
    },
}

/// A request of the host.
#[derive(Clone, Debug)]
pub enum Request {
    /// Run this selection of modules.
    Select(Selection),
    /// Rebuild a module and swap it, changed or not.
    Reload {
        /// The module.
        id: ModuleId,
        /// Values of this module that the new code has no place for may be dropped.
        force: bool,
    },
    /// Run an artifact from a file instead of one built from the module's source.
    LoadFile {
        /// The module.
        id: ModuleId,
        /// The artifact.
        path: PathBuf,
    },
    /// Build a module and report the changes that a swap would make.
    Plan(ModuleId),
    /// List the quarantine, or release it.
    Quarantine {
        /// Release everything.
        clear: bool,
    },
    /// Change or show the installed packs.
    Packs(StoreCommand),
}

/// An event of the host.
pub enum HostEvent {
    /// The answer to a proposal.
    Answered {
        /// The proposal.
        proposal: ProposalId,
        /// The answer.
        answer: ProposalAnswer,
        /// The running modules after it.
        running: RunningModules,
    },
    /// The host changed the running modules itself: a rollback, or a module that was switched off.
    Changed {
        /// The running modules after it.
        running: RunningModules,
        /// Generations that left because of the change, and are not proposed again.
        rejected: Vec<SharedGeneration>,
    },
    /// These completed their probation.
    Committed(Vec<SharedGeneration>),
    /// The user does not want to drop values for the newest code of these modules.
    Declined(BTreeSet<ModuleId>),
}

/// The answer to a proposal.
pub enum ProposalAnswer {
    /// The swap happened.
    Accepted,
    /// The swap was refused, and nothing changed. The host reported why.
    Refused,
    /// The same, until the user confirms that values may be dropped.
    Asks,
    /// Other modules run than those that the proposal was planned against. Its tickets are still
    /// open.
    Stale(Vec<Ticket>),
}

/// The modules that run in the game.
#[derive(Clone, Default)]
pub struct RunningModules {
    /// Grows with every change, so that a proposal can name what it was planned against.
    pub version: u64,
    /// The generations.
    pub generations: BTreeMap<ModuleId, SharedGeneration>,
    /// The selection that the host wants to run.
    pub selection: Selection,
}

/// An attempt; each has its own number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptId(pub u64);

/// A proposal; each has its own number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProposalId(pub u64);

/// An event of an attempt.
pub enum AttemptEvent {
    /// rustc starts on a module.
    BuildStarted(ModuleId),
    /// A module does not compile. Others may still be building.
    BuildFailed {
        /// The module.
        module: ModuleId,
        /// rustc's errors.
        messages: Vec<String>,
        /// From the start of the build, in milliseconds.
        took_ms: f32,
    },
    /// The attempt's current activity.
    Progress(Progress),
    /// It has ended, or was cancelled.
    Ended(Box<AttemptOutcome>),
}

impl AttemptEvent {
    /// True if the user would read that some module cannot run.
    pub fn has_failed(&self) -> bool {
        match self {
            Self::BuildFailed { .. } => true,
            Self::Ended(outcome) => outcome.has_failed(),
            Self::BuildStarted(_) | Self::Progress(_) => false,
        }
    }
}

/// The sources as they are on disk.
pub struct Reading {
    /// The modules on disk, and how cargo would compile them.
    pub workspace: SharedWorkspace,
    /// The build inputs of each module.
    pub inputs: BTreeMap<ModuleId, Inputs>,
    /// True if some of the files were not watched before: their edits were not reported.
    pub was_unwatched: bool,
}

/// The progress of long work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The activity.
    pub activity: String,
    /// The number of completed steps.
    pub done: usize,
    /// The number of steps; 0 if it is not known.
    pub total: usize,
}

/// An update from the worker to the host.
pub enum Update {
    /// The modules on disk.
    Workspace {
        /// The folder of the cargo workspace.
        folder: PathBuf,
        /// The modules in it, and those of installed packs.
        modules: BTreeSet<ModuleId>,
        /// The packs of the latter.
        packs: BTreeMap<ModuleId, Arc<PackVersion>>,
        /// The packs that are made in the workspace, by module.
        developed: BTreeMap<ModuleId, Arc<PackVersion>>,
    },
    /// An asset of a pack that is made in the workspace was written.
    PackAsset(PathBuf),
    /// The installed packs, as they are listed now.
    Packs(Vec<PackRow>),
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
    /// The manifests of the modules that were built.
    Manifests(BTreeMap<ModuleId, Manifest>),
    /// The work in progress; `None` if there is none.
    Progress(Option<Progress>),
    /// Sources of these modules changed.
    Changed(BTreeSet<ModuleId>),
    /// rustc starts on a module.
    BuildStarted(ModuleId),
    /// These compile, even if they wait for others that do not.
    Compiled(BTreeSet<ModuleId>),
    /// Modules could not be built.
    NotBuilt(NotBuilt),
    /// rustc or inspection warned about a module that goes live anyway.
    Warnings {
        /// The module.
        id: ModuleId,
        /// The warnings, as rustc renders them.
        texts: Vec<String>,
    },
    /// Modules were built, but will not run.
    Refused {
        /// The modules.
        ids: BTreeSet<ModuleId>,
        /// Why.
        refusal: Refusal,
    },
    /// A swap to make between two frames.
    Proposed(Box<Proposal>),
    /// All modules of this selection that can run already do.
    Settled(Selection),
    /// The modules of a selection cannot run: the previous selection stays in effect.
    SelectionRefused {
        /// The refused selection.
        refused: Selection,
        /// The selection that is in effect again.
        back_to: Selection,
    },
    /// The changes that a swap of a module would make; no modules if it cannot be planned.
    Plan {
        /// The requested module.
        id: ModuleId,
        /// The changes, by module.
        modules: Vec<ModulePlan>,
        /// Modules that would be swapped with it.
        along: Vec<ModuleId>,
    },
    /// It is recorded on disk that these are committed.
    Committed(Vec<SharedGeneration>),
    /// The previous game crashed.
    Died(Death),
    /// A module's newest artifact is in quarantine; the last good one stands in for it.
    Quarantined {
        /// The module.
        id: ModuleId,
        /// Why.
        refusal: Refusal,
    },
    /// The list of artifacts in quarantine, or of those that were released.
    QuarantineList(String),
    /// The workspace cannot be read, so nothing is built.
    Unreadable(Refusal),
    /// The workspace can be read again, after an [`Update::Unreadable`].
    Readable,
    /// A problem that stops neither builds nor the game.
    Warning(String),
    /// This request is complete.
    Answered(Ticket),
    /// Nothing is left to do, and all requests up to this one are complete: no more happens until a
    /// file changes or the host asks.
    Idle(Ticket),
}

/// Generations that are known to run together, for the host to swap in.
pub struct Proposal {
    /// Its number.
    pub id: ProposalId,
    /// The version of [`RunningModules`] that it was planned against.
    pub running_version: u64,
    /// New generations, each after the modules that it requires.
    pub enter: Vec<SharedGeneration>,
    /// Modules that stop.
    pub leave: BTreeSet<ModuleId>,
    /// Of these, the ones whose folder is gone.
    pub removed: BTreeSet<ModuleId>,
    /// The modules that were edited.
    pub changed: BTreeSet<ModuleId>,
    /// Modules whose values may be dropped.
    pub may_drop: BTreeSet<ModuleId>,
    /// The selection of the swap.
    pub selection: Selection,
    /// When the newest of the edits was saved.
    pub saved_at: Option<SystemTime>,
    /// The duration of planning, in milliseconds.
    pub plan_ms: f32,
    /// The requests that this answers; the host answers them.
    pub tickets: Vec<Ticket>,
}
