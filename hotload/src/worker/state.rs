//! Decides what the worker does next. It has no side effects and reads neither clocks nor files:
//! [`State::handle`] takes events and returns [`Effect`]s.
//!
//! ```text
//!  Event ─► on_* ─► pending: BuildRequest ─┐
//!                                          ▼ settle, in this order
//!          read the sources ─► start or restart the attempt ─► propose ─► warm up
//! ```

mod attempts;
mod packs;
mod proposals;
mod sources;
#[cfg(test)]
mod tests;
mod work;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use playground_pack::Store;

use super::event::{
    AttemptEvent, AttemptId, Event, HostEvent, ProposalId, Request, RunningModules, Update,
};
use super::module::Module;
use super::request::{BuildRequest, DataLoss, Goal, Intent, Origin, Ticket};
use crate::build::Inputs;
use crate::generation::SharedGeneration;
use crate::ids::{ArtifactHash, ModuleId};
use crate::inspect::Manifest;
use crate::journal::Stage;
use crate::packs::{PackVersion, StoreCommand};
use crate::pipeline::Attempt;
use crate::plan::Outlines;
use crate::reader::SharedWorkspace;
use crate::resolve::Selection;

/// Work that the worker's thread does on behalf of the state.
pub enum Effect {
    /// Read the sources, on another thread. An [`Event::Read`] follows.
    Read(ReadRequest),
    /// Start an attempt, on another thread. [`AttemptEvent::Ended`] follows.
    Start(Box<Attempt>),
    /// Stop the current attempt as soon as possible.
    Cancel(AttemptId),
    /// Report to the host.
    Update(Update),
    /// Record that new code reached this stage.
    Reached(Vec<(ModuleId, ArtifactHash)>, Stage),
    /// New code no longer runs: it is not to blame for later crashes.
    Discard(Vec<ArtifactHash>),
    /// These ran well: record that, then report it.
    Commit(Vec<SharedGeneration>),
    /// List the quarantine, or release it, and report the result.
    Quarantine {
        /// Release everything.
        clear: bool,
    },
    /// Carry out a command about packs, on another thread. An [`Event::Packs`] follows.
    Packs(Ticket, StoreCommand, SharedWorkspace),
    /// This version of a pack cannot run, for that reason: go back to the one before, on another
    /// thread.
    GoBack(Arc<PackVersion>, String),
    /// The worker is idle: start the next compiler and the next probe ahead of time.
    Warm(Vec<SharedGeneration>),
    /// The game exits.
    End {
        /// True during a panic.
        panicking: bool,
    },
}

/// The files to read, and the results of the last reading.
#[derive(Clone, Default)]
pub struct ReadRequest {
    /// Files that changed.
    pub paths: BTreeSet<PathBuf>,
    /// Anything may have changed.
    pub everything: bool,
    /// The workspace from the last reading.
    pub workspace: Option<SharedWorkspace>,
    /// The inputs from the last reading.
    pub inputs: BTreeMap<ModuleId, Inputs>,
}

/// The workspace is read as a whole, or not at all.
pub(super) enum WorkspaceState {
    /// It was read.
    Ready(SharedWorkspace),
    /// It has not been read yet, or cannot be. Nothing is built in this state.
    Unreadable {
        /// The last one that could be read.
        last: Option<SharedWorkspace>,
    },
}

/// At most one attempt runs at a time.
pub(super) enum Attempts {
    /// None is.
    Idle,
    /// This one is.
    Running {
        id: AttemptId,
        request: BuildRequest,
        /// The modules whose errors were reported while others were still building.
        failed: BTreeSet<ModuleId>,
    },
    /// This one was cancelled; `next` starts when it has ended.
    Restarting { id: AttemptId, next: BuildRequest },
}

/// A proposal that the host has not answered.
struct Proposed {
    id: ProposalId,
    enter: Vec<SharedGeneration>,
    outlines: Outlines,
    /// The request that would propose it again.
    again: BuildRequest,
}

/// The state of the worker's decisions.
pub struct State {
    workspace: WorkspaceState,
    /// The sources are being read.
    is_reading: bool,
    /// The paths to read next, and whether to read everything.
    unread: Option<(BTreeSet<PathBuf>, bool)>,
    modules: BTreeMap<ModuleId, Module>,
    running: RunningModules,
    /// The outlines of the running modules, if known.
    outlines: Option<Arc<Outlines>>,
    selection: Selection,
    /// The last selection that could run.
    good_selection: Selection,
    pending: BuildRequest,
    /// Modules that are built after the others of their group, since they would not run.
    put_off: BTreeSet<ModuleId>,
    attempts: Attempts,
    attempt_count: u64,
    /// Failures of the current attempt, and what followed them, until edits were read that came
    /// meanwhile: they may not concern those.
    held: Vec<AttemptEvent>,
    proposal: Option<Proposed>,
    proposal_count: u64,
    /// Why the workspace could not be read, as last reported, and for which save.
    reported: Option<(String, Option<SystemTime>)>,
    /// The newest request that came in.
    last_ticket: Ticket,
    effects: Vec<Effect>,
}

impl State {
    /// A new state, which has not read anything yet.
    pub fn new(selection: Selection) -> Self {
        Self {
            workspace: WorkspaceState::Unreadable { last: None },
            is_reading: false,
            unread: Some((BTreeSet::new(), true)),
            modules: BTreeMap::new(),
            running: RunningModules { selection: selection.clone(), ..RunningModules::default() },
            outlines: Some(Arc::default()),
            good_selection: selection.clone(),
            selection,
            pending: BuildRequest { edits: true, ..BuildRequest::default() },
            put_off: BTreeSet::new(),
            attempts: Attempts::Idle,
            attempt_count: 0,
            held: Vec::new(),
            proposal: None,
            proposal_count: 0,
            reported: None,
            last_ticket: Ticket::default(),
            effects: Vec::new(),
        }
    }

    /// The installed packs, once the workspace was read.
    pub fn store(&self) -> Option<Store> {
        self.workspace()?.store.clone()
    }

    /// True if the workspace could never be read, so that [`Event::Retry`] is useful.
    pub fn waits_for_workspace(&self) -> bool {
        matches!(self.workspace, WorkspaceState::Unreadable { last: None }) && !self.is_reading
    }

    /// Takes all available events, then decides once: a hundred saves are one change.
    pub fn handle(&mut self, events: impl IntoIterator<Item = Event>) -> Vec<Effect> {
        for event in events {
            self.on_event(event);
        }
        self.settle();
        std::mem::take(&mut self.effects)
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Files(event) => self.on_files(event),
            Event::Request(ticket, request) => self.on_request(ticket, request),
            Event::Host(HostEvent::Answered { proposal, answer, running }) => {
                self.on_answer(proposal, answer, running);
            }
            Event::Host(HostEvent::Changed { running, rejected }) => {
                self.on_changed(running, &rejected);
            }
            Event::Host(HostEvent::Committed(generations)) => {
                self.effects.push(Effect::Commit(generations));
            }
            Event::Host(HostEvent::Declined(modules)) => self.on_declined(&modules),
            Event::Packs(ticket, command, result) => self.on_packs(ticket, command, result),
            Event::Read(Ok(reading)) => self.on_reading(reading),
            Event::Read(Err(refusal)) => self.on_unreadable(refusal),
            Event::Attempt(id, event) => self.on_attempt(id, event),
            Event::Retry => {
                if self.waits_for_workspace() {
                    self.read_again();
                }
            }
            Event::Shutdown { panicking } => {
                if let Attempts::Running { id, .. } | Attempts::Restarting { id, .. } =
                    &self.attempts
                {
                    self.effects.push(Effect::Cancel(*id));
                }
                self.effects.push(Effect::End { panicking });
            }
        }
    }

    fn on_request(&mut self, ticket: Ticket, request: Request) {
        self.last_ticket = ticket;
        let request = match request {
            Request::Select(selection) => {
                self.selection = selection;
                BuildRequest { replan: true, ..BuildRequest::default() }
            }
            Request::Reload { id, force } => {
                self.read_again();
                let data_loss = if force { DataLoss::Allowed } else { DataLoss::AskFirst };
                let intent = Intent { data_loss, ..Intent::go_live() };
                BuildRequest { edits: true, ..BuildRequest::module(id, intent) }
            }
            Request::LoadFile { id, path } => {
                let intent = Intent { origin: Origin::File(path), ..Intent::go_live() };
                BuildRequest::module(id, intent)
            }
            Request::Plan(id) => {
                self.read_again();
                let intent = Intent { goal: Goal::PlanOnly, ..Intent::go_live() };
                BuildRequest::module(id, intent)
            }
            Request::Packs(command) => return self.start_packs(ticket, command),
            Request::Quarantine { clear } => {
                self.effects.push(Effect::Quarantine { clear });
                self.update(Update::Answered(ticket));
                if clear {
                    self.read_again();
                    self.retry_unsettled();
                }
                return;
            }
        };
        if matches!(self.workspace, WorkspaceState::Unreadable { .. }) {
            self.read_again();
        }
        self.pending.merge(request.with_ticket(ticket));
    }

    /// Retries modules that were refused because of the quarantine.
    fn retry_unsettled(&mut self) {
        let unsettled = self.modules.iter().filter(|(_, module)| module.is_unsettled());
        let again = BuildRequest::along(unsettled.map(|(id, _)| id.clone()));
        self.pending.merge(again);
    }

    /// Acts on the new state, in a fixed order, whatever the events were.
    fn settle(&mut self) {
        loop {
            self.start_reading();
            if self.is_reading {
                return;
            }
            if let WorkspaceState::Ready(workspace) = &self.workspace {
                let workspace = workspace.clone();
                self.start_attempt(&workspace);
            }
            let held = std::mem::take(&mut self.held);
            if held.is_empty() {
                break;
            }
            for event in held {
                self.take_attempt_event(event);
            }
        }
        if matches!(self.workspace, WorkspaceState::Unreadable { .. }) {
            return;
        }
        let is_idle = matches!(self.attempts, Attempts::Idle) && self.proposal.is_none();
        if is_idle {
            let running = self.running.generations.values().cloned().collect();
            self.effects.push(Effect::Warm(running));
            // Also of a reading, or an attempt that was cancelled.
            self.update(Update::Progress(None));
            self.update(Update::Idle(self.last_ticket));
        }
    }

    /// The manifests of all modules that could run.
    fn manifests(&self) -> BTreeMap<ModuleId, Manifest> {
        let good = self.modules.iter().filter_map(|(id, module)| Some((id, module.good.as_ref()?)));
        good.map(|(id, good)| (id.clone(), good.manifest.clone())).collect()
    }

    fn update(&mut self, update: Update) {
        self.effects.push(Effect::Update(update));
    }

    fn answer(&mut self, tickets: Vec<Ticket>) {
        for ticket in tickets {
            self.update(Update::Answered(ticket));
        }
    }

    fn on_attempt(&mut self, id: AttemptId, event: AttemptEvent) {
        let (Attempts::Running { id: current, .. } | Attempts::Restarting { id: current, .. }) =
            &self.attempts
        else {
            return;
        };
        if *current != id {
            return;
        }
        if !self.held.is_empty() || self.pending.edits && event.has_failed() {
            self.held.push(event);
        } else {
            self.take_attempt_event(event);
        }
    }

    fn take_attempt_event(&mut self, event: AttemptEvent) {
        match event {
            AttemptEvent::BuildStarted(module) => self.update(Update::BuildStarted(module)),
            AttemptEvent::BuildFailed { module, messages, took_ms } => {
                self.on_build_failed(module, messages, took_ms);
            }
            AttemptEvent::Progress(progress) => self.update(Update::Progress(Some(progress))),
            AttemptEvent::Ended(outcome) => self.on_ended(*outcome),
        }
    }
}
