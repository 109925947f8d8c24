//! Changes the set of running generations between two frames: for an edit, a module that is
//! switched on or off, a rollback by hand and a rollback after a panic.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::SystemTime;

use bevy::prelude::*;

use super::Host;
use super::happened::{Happened, Lost};
use super::history::PastSwap;
use crate::console::view::Level;
use crate::generation::{SharedGeneration, Times};
use crate::ids::{GenerationId, ModuleId};
use crate::refusal::Refusal;
use crate::resolve::Selection;
use crate::restore::values;
use crate::rollback_state::RollbackState;
use crate::swap::{self, Broken, SetUpSystem, SwapError, Swapped, Transaction, broken};
use crate::worker::event::{HostEvent, Proposal, ProposalAnswer, RunningModules};

/// Why the running generations change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// An edit, or another selection.
    Proposal,
    /// The user requested an older generation.
    RollbackByHand,
    /// A module panicked: it is rolled back or switched off.
    Panic,
}

/// The generations that ran before a transaction, and its result.
pub struct Transacted {
    /// The generations that ran before.
    pub before: BTreeMap<ModuleId, SharedGeneration>,
    /// Modules that were switched off before.
    pub dormant: BTreeSet<ModuleId>,
    /// The result of the swap.
    pub swapped: Swapped,
}

impl Host {
    /// Applies a transaction, or changes nothing.
    ///
    /// # Errors
    ///
    /// If the swap is refused: the world, schedules and running generations are unchanged then.
    pub(super) fn transact(
        &mut self,
        world: &mut World,
        transaction: Transaction,
        cause: Cause,
    ) -> Result<Transacted, Refusal> {
        let enter = transaction.enter.clone();
        let (before, dormant) = (self.generations(), self.dormant());
        let prepared = swap::prepare(world, &self.running, transaction)?;
        let undo = self.snapshot(world, &enter, cause);
        let committed = prepared.commit(world, &mut self.running);
        let swapped = committed.unwrap_or_else(|broken| self.end_broken(world, &broken));
        self.running_version += 1;
        self.stats.count_swap(&enter);
        self.begin_probation(&enter, &before, cause);
        self.remember(&enter, &before, undo, cause);
        Ok(Transacted { before, dormant, swapped })
    }

    /// Takes a snapshot of the resources and states of the modules that are about to be replaced.
    fn snapshot(
        &mut self,
        world: &mut World,
        enter: &[SharedGeneration],
        cause: Cause,
    ) -> RollbackState {
        if cause == Cause::Panic {
            // This state is never restored.
            return RollbackState::default();
        }
        let active = enter.iter().filter_map(|new| self.running.active.get_key_value(new.id()));
        let records =
            active.flat_map(|(id, active)| active.persisted.iter().map(move |record| (id, record)));
        match RollbackState::take(world, records) {
            Ok(state) => state,
            Err(error) => {
                let text = format!("no snapshot of the resources before the swap: {error}");
                self.report(world, Happened::Warned(text));
                RollbackState::default()
            }
        }
    }

    /// Ends the process: the world is half swapped, and running any more code in it is undefined. A
    /// supervisor restarts the game from its last save.
    fn end_broken(&mut self, world: &mut World, broken: &Broken) -> Swapped {
        let modules = broken.modules.iter().cloned().collect();
        self.report(world, Happened::Broken { modules, reason: broken.to_string() });
        broken::end(broken)
    }

    fn begin_probation(
        &mut self,
        enter: &[SharedGeneration],
        before: &BTreeMap<ModuleId, SharedGeneration>,
        cause: Cause,
    ) {
        let begins = match cause {
            Cause::Proposal => true,
            // A committed generation is not on probation again.
            Cause::RollbackByHand => enter.iter().any(|old| !self.history.is_committed(old)),
            Cause::Panic => false,
        };
        if begins {
            self.probations.begin(enter, before, self.settings.probation_frames);
        }
    }

    /// Records the replaced generations, so that they can return.
    fn remember(
        &mut self,
        enter: &[SharedGeneration],
        before: &BTreeMap<ModuleId, SharedGeneration>,
        snapshot: RollbackState,
        cause: Cause,
    ) {
        if cause == Cause::Panic {
            return;
        }
        let with_old = |g: &SharedGeneration| Some((g.clone(), before.get(g.id())?.clone()));
        let modules: Vec<_> = enter.iter().filter_map(with_old).collect();
        let is_rollback = cause == Cause::RollbackByHand;
        self.history.push(PastSwap { modules, snapshot, frame: self.frame, is_rollback });
    }

    /// Applies the worker's proposal, and answers it.
    pub(super) fn on_proposal(&mut self, world: &mut World, mut proposal: Proposal) {
        let tickets = std::mem::take(&mut proposal.tickets);
        if proposal.running_version != self.running_version {
            self.answer_proposal(&proposal, ProposalAnswer::Stale(tickets));
            return;
        }
        let transaction = Transaction {
            enter: proposal.enter.clone(),
            leave: proposal.leave.iter().cloned().collect(),
            may_drop: proposal.may_drop.clone(),
        };
        match self.transact(world, transaction, Cause::Proposal) {
            Ok(transacted) => {
                for id in &proposal.removed {
                    self.running.forget(world, id);
                    self.status.remove(id);
                }
                self.answer_proposal(&proposal, ProposalAnswer::Accepted);
                self.report_swap(world, &proposal, &transacted);
                self.on_selection(world, &proposal.selection);
            }
            Err(refusal) => {
                let asks = refusal.asks();
                let answer = if asks { ProposalAnswer::Asks } else { ProposalAnswer::Refused };
                self.answer_proposal(&proposal, answer);
                self.report_refused_swap(world, &proposal, refusal);
            }
        }
        tickets.into_iter().for_each(|ticket| self.commands.answered(ticket));
    }

    fn answer_proposal(&self, proposal: &Proposal, answer: ProposalAnswer) {
        let (proposal, running) = (proposal.id, self.running_modules());
        self.worker.report(HostEvent::Answered { proposal, answer, running });
    }

    /// Reports to the worker that the host changed the running modules itself.
    pub(super) fn report_changed(&self, rejected: Vec<SharedGeneration>) {
        let running = self.running_modules();
        self.worker.report(HostEvent::Changed { running, rejected });
    }

    fn running_modules(&self) -> RunningModules {
        RunningModules {
            version: self.running_version,
            generations: self.generations(),
            selection: self.selection.clone(),
        }
    }

    /// The running generations.
    pub(super) fn generations(&self) -> BTreeMap<ModuleId, SharedGeneration> {
        let active = self.running.active.iter();
        active.map(|(id, active)| (id.clone(), active.generation.clone())).collect()
    }

    fn dormant(&self) -> BTreeSet<ModuleId> {
        self.running.dormant.keys().cloned().collect()
    }

    /// The running generation of a module, or the one that ran last.
    pub(super) fn last_generation(&self, id: &ModuleId) -> Option<&SharedGeneration> {
        let active = self.running.active.get(id).map(|active| &active.generation);
        active.or_else(|| self.running.dormant.get(id).map(|dormant| &dormant.generation))
    }

    fn report_swap(&mut self, world: &mut World, proposal: &Proposal, transacted: &Transacted) {
        let Proposal { enter, leave, changed, saved_at, plan_ms, .. } = proposal;
        let Transacted { before, dormant, swapped } = transacted;
        if swapped.given_back > 0 {
            let given = values(swapped.given_back);
            self.print(world, Level::Info, &format!("{given} of a snapshot are back"));
        }
        for warning in &swapped.warnings {
            self.report(world, Happened::Warned(warning.clone()));
        }
        let total_ms = saved_at
            .and_then(|at| SystemTime::now().duration_since(at).ok())
            .map_or(0.0, |took| took.as_secs_f32() * 1000.0);
        let (plan_ms, pause_ms, restore) = (*plan_ms, swapped.pause_ms, swapped.restore);
        let timed = |new: &SharedGeneration| {
            let layouts_ms = new.times.layouts_ms + swapped.layouts_ms;
            Times { plan_ms, layouts_ms, pause_ms, total_ms, restore, ..new.times }
        };
        for generation in enter {
            let was_running = before.contains_key(generation.id());
            self.status_of(generation.id()).on_swapped(timed(generation), was_running);
        }
        let was_off =
            |new: &&SharedGeneration| !before.contains_key(new.id()) && dormant.contains(new.id());
        let (back, fresh): (Vec<&SharedGeneration>, Vec<&SharedGeneration>) =
            enter.iter().partition(was_off);
        for generation in back {
            self.report(world, Happened::Enabled(generation.generation_id()));
        }
        for id in leave {
            self.report(world, Happened::Disabled(id.clone()));
        }
        let lead = fresh.iter().find(|new| changed.contains(new.id())).or(fresh.first());
        let Some(lead) = lead else { return };
        let swapped = Happened::Swapped {
            lead: lead.generation_id(),
            pack: lead.pack.clone(),
            modules: fresh.iter().map(|new| new.generation_id()).collect::<Vec<GenerationId>>(),
            linked: fresh
                .iter()
                .filter(|new| new.times.compile.is_linked_only())
                .map(|new| new.id().clone())
                .collect(),
            causes: shared_causes(&fresh, lead),
            times: timed(lead),
            migrated: swapped.migrated,
            orphaned: swapped.orphaned.iter().map(|lost| self.lost(lost)).collect(),
            set_up: fresh.iter().flat_map(|new| edited_set_up(new, before, swapped)).collect(),
            dropped: swapped.dropped.clone(),
            is_edit: self.is_ready(),
        };
        self.report(world, swapped);
    }

    /// Lost values, with the systems that ask for them.
    fn lost(&self, (type_name, count): &(String, usize)) -> Lost {
        let mut words = type_name.split(|c: char| !c.is_alphanumeric() && c != '_');
        let short = words.rfind(|word| !word.is_empty()).unwrap_or_default();
        let active = self.running.active.values();
        let systems = active.flat_map(|active| {
            let facts = active.generation.facts();
            let taking = facts.map(|facts| facts.functions_taking(short)).unwrap_or_default();
            active.system_names().filter(move |system| taking.contains(last_segment(system)))
        });
        let systems: BTreeSet<String> = systems.map(str::to_owned).collect();
        let (type_name, count) = (type_name.clone(), *count);
        Lost { type_name, count, systems: systems.into_iter().collect() }
    }

    fn report_refused_swap(&mut self, world: &mut World, proposal: &Proposal, refusal: Refusal) {
        let Proposal { enter, changed, .. } = proposal;
        let group = swap::modules_of(enter);
        let modules = if changed.is_empty() { group.clone() } else { changed.clone() };
        let plans = match &refusal {
            Refusal::Swap(error) if matches!(**error, SwapError::Restore(_)) => {
                self.plans_of_refused(world, enter).into_iter().map(Arc::new).collect()
            }
            _ => Vec::new(),
        };
        self.report(
            world,
            if refusal.asks() {
                Happened::NeedsConfirmation { modules, group, refusal, plans }
            } else {
                Happened::Refused { modules, refusal, plans }
            },
        );
    }

    /// Everything in this selection that can run does run.
    pub(super) fn on_selection(&mut self, world: &mut World, selection: &Selection) {
        self.become_ready(world, selection);
        let before = std::mem::replace(&mut self.app, selection.app.clone());
        if let (Some(from), Some(to)) = (before, selection.app.clone())
            && from != to
        {
            self.report(world, Happened::AppChanged { from, to });
        }
    }
}

/// Why modules besides the edited one were compiled: each cause with the number of modules.
fn shared_causes(fresh: &[&SharedGeneration], lead: &SharedGeneration) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let others = fresh.iter().filter(|new| new.id() != lead.id());
    for cause in others.filter(|it| it.times.build_ms() > 0.0).flat_map(|it| &it.causes) {
        if cause.is_in_core() {
            *counts.entry(cause.headline()).or_default() += 1;
        }
    }
    counts.into_iter().collect()
}

/// The set-up systems of a generation that run other code than those of the one before.
fn edited_set_up(
    new: &SharedGeneration,
    before: &BTreeMap<ModuleId, SharedGeneration>,
    swapped: &Swapped,
) -> Vec<SetUpSystem> {
    let old = before.get(new.id()).and_then(|old| old.facts());
    let (Some(old), Some(facts), Ok(additions)) = (old, new.facts(), new.additions()) else {
        return Vec::new();
    };
    let ran: BTreeSet<String> = {
        let own = swapped.set_up.iter().filter(|(id, _)| id == new.id());
        own.map(|(_, label)| format!("{label:?}")).collect()
    };
    let mut set_up: Vec<SetUpSystem> =
        additions.set_up().filter(|it| !ran.contains(&it.schedule)).collect();
    if set_up.is_empty() {
        return Vec::new();
    }
    let edited: BTreeSet<String> = {
        let names = set_up.iter().map(|system| last_segment(&system.name));
        facts.edited(old, names).into_iter().map(str::to_owned).collect()
    };
    set_up.retain(|it| edited.contains(last_segment(&it.name)));
    set_up
}

/// The function's name in a system's path.
fn last_segment(system: &str) -> &str {
    let path = system.split('<').next().unwrap_or_default();
    path.rsplit("::").next().unwrap_or_default()
}
