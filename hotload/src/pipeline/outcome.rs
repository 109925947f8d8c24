//! The results of an attempt.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::build::Learned;
use crate::generation::SharedGeneration;
use crate::ids::ModuleId;
use crate::plan::Outlines;
use crate::plan::change::Change;
use crate::refusal::Refusal;
use crate::resolve::Selection;
use crate::swap::replaced::ReplacedTypes;
use crate::worker::event::Update;
use crate::worker::request::Goal;

/// The result of an attempt.
pub struct AttemptOutcome {
    /// The groups that were built, in the order in which they were tried.
    pub groups: Vec<GroupOutcome>,
    /// The swap to the selection; `None` if the attempt was cancelled.
    pub planned: Option<Result<Planned, Refusal>>,
    /// The outlines of the running modules, with the version of [`RunningModules`] that they belong
    /// to.
    pub running_outlines: Option<(u64, Arc<Outlines>)>,
    /// All generations that were loaded into the process.
    pub loaded: Vec<SharedGeneration>,
    /// New knowledge about the inputs of modules, from their compilations.
    pub learned: BTreeMap<ModuleId, Learned>,
}

impl AttemptOutcome {
    /// True if something was not built, or refused.
    pub fn has_failed(&self) -> bool {
        let is_failure = |group: &GroupOutcome| {
            matches!(group.result, Err(AttemptError::NotBuilt(_) | AttemptError::Refused(_)))
        };
        self.groups.iter().any(is_failure) || matches!(self.planned, Some(Err(_)))
    }
}

/// The result for modules that are accepted or refused together.
pub struct GroupOutcome {
    /// The modules.
    pub ids: BTreeSet<ModuleId>,
    /// The goal of the attempt for them.
    pub goal: Goal,
    /// Those of them that compile.
    pub compiled: BTreeSet<ModuleId>,
    /// Updates to report besides the result.
    pub reports: Vec<Update>,
    /// The changes that a swap would make, for each module whose plan was requested; empty if the
    /// swap cannot be planned.
    pub plans: Vec<(ModuleId, Vec<ModulePlan>)>,
    /// Their generations.
    pub result: Result<Vec<SharedGeneration>, AttemptError>,
}

/// Why a group of modules does not enter the game.
#[derive(Debug)]
pub enum AttemptError {
    /// rustc refused one of them.
    NotBuilt(NotBuilt),
    /// They were built and will not run.
    Refused(Refusal),
    /// A newer change replaces the attempt.
    Cancelled,
}

impl<E: Into<Refusal>> From<E> for AttemptError {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

/// Modules that could not be built, and those that wait for them.
#[derive(Clone, Debug, Default)]
pub struct NotBuilt {
    /// rustc's messages, for each module that does not compile.
    pub failed: BTreeMap<ModuleId, Vec<String>>,
    /// Those of them whose messages were reported before. They were built along with others.
    pub again: BTreeSet<ModuleId>,
    /// Modules that have to be swapped together with these.
    pub waiting: BTreeSet<ModuleId>,
    /// The time until the failure was known, in milliseconds.
    pub took_ms: f32,
}

/// The changes that a swap would make to one module.
#[derive(Clone)]
pub struct ModulePlan {
    /// The module.
    pub module: ModuleId,
    /// The changes.
    pub change: Change,
    /// The types that get another identity, persisted or not.
    pub replaced: ReplacedTypes,
}

/// A swap to the selection.
pub struct Planned {
    /// The version of [`RunningModules`] that it was planned against.
    pub running_version: u64,
    /// The selection that it was planned for.
    pub selection: Selection,
    /// New generations, each after the modules that it requires.
    pub enter: Vec<SharedGeneration>,
    /// Modules that stop.
    pub leave: BTreeSet<ModuleId>,
    /// The outlines of all modules that run after the swap.
    pub outlines: Outlines,
    /// The duration of planning, in milliseconds.
    pub plan_ms: f32,
}

impl Planned {
    /// The modules that run after the swap, if these run before it.
    pub fn runs_after(
        &self,
        before: &BTreeMap<ModuleId, SharedGeneration>,
    ) -> BTreeMap<ModuleId, SharedGeneration> {
        let mut after = before.clone();
        after.retain(|id, _| !self.leave.contains(id));
        after.extend(self.enter.iter().map(|new| (new.id().clone(), new.clone())));
        after
    }
}
