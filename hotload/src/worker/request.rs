//! The purpose of an attempt. Two requests merge into one, and nothing of a request outlives its
//! attempt.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::SystemTime;

use crate::ids::ModuleId;

/// The number of a request, from 1. Each request is answered exactly once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// The goal for a module that is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// It goes live.
    GoLive,
    /// Its changes are reported, and nothing else happens.
    PlanOnly,
    /// It goes live, and its changes are reported.
    GoLiveAndShowPlan,
}

impl Goal {
    /// True if the module should run.
    pub fn goes_live(self) -> bool {
        self != Self::PlanOnly
    }

    /// True if the plan was requested.
    pub fn shows_plan(self) -> bool {
        self != Self::GoLive
    }

    fn merge(self, other: Self) -> Self {
        match (self.goes_live() || other.goes_live(), self.shows_plan() || other.shows_plan()) {
            (true, false) => Self::GoLive,
            (true, true) => Self::GoLiveAndShowPlan,
            (false, _) => Self::PlanOnly,
        }
    }
}

/// Whether values that the new code has no place for may be dropped. It applies to one module and
/// one attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DataLoss {
    /// The swap waits for a confirmation.
    #[default]
    AskFirst,
    /// The user confirmed it.
    Allowed,
}

/// Where a module's new artifact comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// rustc builds it from the module's source.
    Source,
    /// The user supplied it as a file.
    File(PathBuf),
}

/// The work of an attempt for one module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The goal for the module.
    pub goal: Goal,
    /// Whether its values may be dropped.
    pub data_loss: DataLoss,
    /// Where its artifact comes from.
    pub origin: Origin,
    /// True if the user edited or named it; false if it only depends on such a module.
    pub is_root: bool,
}

impl Intent {
    /// An edited module goes live from its source.
    pub fn go_live() -> Self {
        Self {
            goal: Goal::GoLive,
            data_loss: DataLoss::AskFirst,
            origin: Origin::Source,
            is_root: true,
        }
    }

    /// A module that is built along with another one.
    pub fn along(goal: Goal) -> Self {
        Self { goal, is_root: false, ..Self::go_live() }
    }

    fn merge(&mut self, other: Self) {
        self.goal = self.goal.merge(other.goal);
        if other.data_loss == DataLoss::Allowed {
            self.data_loss = DataLoss::Allowed;
        }
        // The source wins over a file if it changed after the file was named.
        if other.is_root {
            self.origin = other.origin;
        }
        self.is_root |= other.is_root;
    }
}

/// The inputs of the next attempt.
#[derive(Clone, Debug, Default)]
pub struct BuildRequest {
    /// The modules to build, changed or not.
    pub modules: BTreeMap<ModuleId, Intent>,
    /// Also take everything live that changed on disk.
    pub edits: bool,
    /// Compare the running modules with those that should run, even if nothing is built.
    pub replan: bool,
    /// Modules whose edit waits to go live.
    pub changed: BTreeSet<ModuleId>,
    /// When the newest of the edits was saved.
    pub saved_at: Option<SystemTime>,
    /// The requests that this answers.
    pub tickets: Vec<Ticket>,
}

impl BuildRequest {
    /// A module, by name.
    pub fn module(id: ModuleId, intent: Intent) -> Self {
        Self { modules: BTreeMap::from([(id, intent)]), ..Self::default() }
    }

    /// Modules that go live along with others.
    pub fn along(ids: impl IntoIterator<Item = ModuleId>) -> Self {
        let modules = ids.into_iter().map(|id| (id, Intent::along(Goal::GoLive)));
        Self { modules: modules.collect(), ..Self::default() }
    }

    /// Answers this ticket as well.
    pub fn with_ticket(mut self, ticket: Ticket) -> Self {
        self.tickets.push(ticket);
        self
    }

    /// True if there is nothing to do and no ticket to answer.
    pub fn is_empty(&self) -> bool {
        self.modules.is_empty()
            && !self.edits
            && !self.replan
            && self.changed.is_empty()
            && self.tickets.is_empty()
    }

    /// Merges a newer request into one that covers both.
    pub fn merge(&mut self, other: Self) {
        for (id, intent) in other.modules {
            match self.modules.get_mut(&id) {
                Some(known) => known.merge(intent),
                None => {
                    self.modules.insert(id, intent);
                }
            }
        }
        self.edits |= other.edits;
        self.replan |= other.replan;
        self.changed.extend(other.changed);
        // An edit that a newer one replaced is no longer waited for.
        self.saved_at = self.saved_at.max(other.saved_at);
        self.tickets.extend(other.tickets);
    }
}
