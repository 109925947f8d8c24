//! At most one proposal is with the host: its contents, and how its answer is handled.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Effect, Proposed, State};
use crate::explain::Explain;
use crate::generation::SharedGeneration;
use crate::ids::{ArtifactHash, ModuleId};
use crate::journal::Stage;
use crate::pipeline::Planned;
use crate::refusal::Refusal;
use crate::resolve::resolve;
use crate::worker::event::{Proposal, ProposalAnswer, ProposalId, RunningModules, Update};
use crate::worker::request::{BuildRequest, DataLoss};

impl State {
    /// Sends the planned swap to the host, or answers the tickets if it changes nothing.
    pub(super) fn propose(&mut self, planned: Planned, mut request: BuildRequest) {
        let Planned { running_version, selection, enter, leave, outlines, plan_ms } = planned;
        self.end_permissions(&enter);
        self.good_selection.clone_from(&selection);
        if enter.is_empty() && leave.is_empty() {
            self.answer(request.tickets);
            self.update(Update::Settled(selection));
            return;
        }
        self.proposal_count += 1;
        let id = ProposalId(self.proposal_count);
        // Running code is at a later stage already.
        let runs = |hash: &ArtifactHash| {
            self.running.generations.values().any(|running| running.hash == *hash)
        };
        let new = named(&enter).into_iter().filter(|(_, hash)| !runs(hash)).collect();
        self.effects.push(Effect::Reached(new, Stage::Swap));
        let may_drop = enter.iter().map(|generation| generation.id()).filter(|id| {
            self.modules.get(*id).is_some_and(|module| module.data_loss == DataLoss::Allowed)
        });
        let may_drop: BTreeSet<ModuleId> = may_drop.cloned().collect();
        let members = self.workspace().map(|workspace| &workspace.members);
        // A pack that comes back finds its values.
        let of_pack = |id: &ModuleId| {
            let running = self.running.generations.get(id);
            running.is_some_and(|running| running.pack.is_some())
        };
        let is_gone =
            |id: &&ModuleId| members.is_some_and(|there| !there.contains(id)) && !of_pack(id);
        let removed = leave.iter().filter(is_gone).cloned().collect();
        let tickets = std::mem::take(&mut request.tickets);
        self.update(Update::Proposed(Box::new(Proposal {
            id,
            running_version,
            enter: enter.clone(),
            leave,
            removed,
            changed: request.changed.clone(),
            may_drop,
            selection,
            saved_at: request.saved_at,
            plan_ms,
            tickets,
        })));
        self.proposal = Some(Proposed { id, enter, outlines, again: request });
    }

    /// Permission to drop data is given for one attempt: withdraw it if that does not lead to a
    /// swap.
    pub(super) fn end_permissions(&mut self, enter: &[SharedGeneration]) {
        for (id, module) in &mut self.modules {
            if enter.iter().all(|generation| generation.id() != id) {
                module.data_loss = DataLoss::AskFirst;
            }
        }
    }

    pub(super) fn on_answer(
        &mut self,
        id: ProposalId,
        answer: ProposalAnswer,
        running: RunningModules,
    ) {
        let proposed = self.proposal.take_if(|proposed| proposed.id == id);
        self.take_running(running);
        let Some(Proposed { enter, outlines, again, .. }) = proposed else { return };
        match answer {
            ProposalAnswer::Accepted => {
                self.outlines = Some(Arc::new(outlines));
                self.end_permissions(&[]);
            }
            ProposalAnswer::Refused => {
                self.reject(&enter);
                self.end_permissions(&[]);
                self.give_up_packs_of(&enter, "the swap was refused");
            }
            ProposalAnswer::Asks => {
                self.reject(&enter);
                self.end_permissions(&[]);
            }
            ProposalAnswer::Stale(tickets) => {
                self.outlines = None;
                self.pending.merge(BuildRequest { replan: true, tickets, ..again });
            }
        }
        // A newer generation may have become ready meanwhile.
        self.pending.replan = true;
    }

    pub(super) fn on_changed(&mut self, running: RunningModules, rejected: &[SharedGeneration]) {
        self.take_running(running);
        self.outlines = None;
        self.reject(rejected);
        self.give_up_packs_of(rejected, "it was rolled back");
        self.pending.replan = true;
    }

    fn take_running(&mut self, running: RunningModules) {
        let runs = |hash: &ArtifactHash| running.generations.values().any(|it| it.hash == *hash);
        // Generations that were replaced or switched off did not crash the game.
        let before = self.running.generations.values().map(|before| before.hash.clone());
        let left: Vec<ArtifactHash> = before.filter(|hash| !runs(hash)).collect();
        self.effects.push(Effect::Discard(left));
        let now: Vec<SharedGeneration> = running.generations.values().cloned().collect();
        self.effects.push(Effect::Reached(named(&now), Stage::Probation));
        for (id, module) in &mut self.modules {
            module.running = running.generations.get(id).cloned();
        }
        self.selection = running.selection.clone();
        self.running = running;
    }

    /// Generations that the host rolled back or refused are not proposed again until their source
    /// changes.
    fn reject(&mut self, rejected: &[SharedGeneration]) {
        for generation in rejected {
            if let Some(module) = self.modules.get_mut(generation.id())
                && module.good.as_ref().is_some_and(|good| Arc::ptr_eq(good, generation))
            {
                module.reject();
                self.pending.edits |= module.is_dirty();
            }
        }
        let hashes = rejected.iter().map(|generation| generation.hash.clone()).collect();
        self.effects.push(Effect::Discard(hashes));
    }

    /// The selected modules cannot run together: restores the previous selection and plans the
    /// edits that wait to go live with it.
    pub(super) fn refuse_selection(&mut self, refusal: Refusal, mut request: BuildRequest) {
        let runs = &self.running.generations;
        let selected = resolve(&self.manifests(), &self.selection);
        let ids = selected.into_iter().filter(|id| !runs.contains_key(id)).collect();
        let back_to = self.good_selection.clone();
        let refused = std::mem::replace(&mut self.selection, back_to.clone());
        self.update(Update::Refused { ids, refusal });
        self.update(Update::SelectionRefused { refused, back_to });
        self.answer(std::mem::take(&mut request.tickets));
        self.pending.merge(BuildRequest { replan: true, ..request });
    }

    /// The candidates cannot run together: the running modules stay until a source changes.
    pub(super) fn refuse_candidates(&mut self, refusal: Refusal, changed: &BTreeSet<ModuleId>) {
        let selected = resolve(&self.manifests(), &self.selection);
        let mut ids = BTreeSet::new();
        let mut rejected = Vec::new();
        for (id, module) in &mut self.modules {
            // Modules outside the selection are not to blame.
            let concerned =
                module.running.is_some() || selected.contains(id) || changed.contains(id);
            if concerned && module.has_candidate() {
                ids.insert(id.clone());
                rejected.extend(module.good.as_ref().map(|good| good.hash.clone()));
                module.reject();
                self.pending.edits |= module.is_dirty();
            }
        }
        self.effects.push(Effect::Discard(rejected));
        let edited: BTreeSet<ModuleId> = changed.intersection(&ids).cloned().collect();
        let ids = if edited.is_empty() { ids } else { edited };
        self.give_up_packs(&ids, &refusal.explain().headline);
        self.update(Update::Refused { ids, refusal });
    }
}

fn named(generations: &[SharedGeneration]) -> Vec<(ModuleId, ArtifactHash)> {
    generations.iter().map(|it| (it.id().clone(), it.hash.clone())).collect()
}
