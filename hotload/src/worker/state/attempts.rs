//! One attempt at a time: when it starts, when a newer one replaces it, and how its result is
//! handled.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Attempts, Effect, State};
use crate::explain::Explain;
use crate::generation::SharedGeneration;
use crate::ids::ModuleId;
use crate::pipeline::swap_groups::group_of;
use crate::pipeline::{Attempt, AttemptError, AttemptOutcome, GroupOutcome, NotBuilt};
use crate::reader::SharedWorkspace;
use crate::resolve::resolve;
use crate::worker::event::{AttemptId, Update};
use crate::worker::module::Newest;
use crate::worker::request::{BuildRequest, Intent, Origin};

fn goes_live(intent: &Intent) -> bool {
    intent.goal.goes_live() && intent.origin == Origin::Source
}

impl State {
    /// Starts the pending request, or replaces the current attempt with it.
    pub(super) fn start_attempt(&mut self, workspace: &SharedWorkspace) {
        let mut request = std::mem::take(&mut self.pending);
        self.complete(&mut request, &workspace.members);
        match std::mem::replace(&mut self.attempts, Attempts::Idle) {
            Attempts::Running { id, request: under_way, failed }
                if request.modules.is_empty()
                    && under_way.modules.keys().all(|id| workspace.members.contains(id)) =>
            {
                // Compare the running modules with the selection when this attempt has ended.
                self.pending = request;
                self.attempts = Attempts::Running { id, request: under_way, failed };
            }
            Attempts::Running { id, request: mut next, .. } => {
                self.join(&mut next, request);
                self.effects.push(Effect::Cancel(id));
                self.attempts = Attempts::Restarting { id, next };
            }
            Attempts::Restarting { id, mut next } => {
                self.join(&mut next, request);
                self.attempts = Attempts::Restarting { id, next };
            }
            Attempts::Idle if !request.modules.is_empty() => self.start(workspace, request),
            Attempts::Idle if !request.replan && request.changed.is_empty() => {
                self.answer(request.tickets);
            }
            // The host's answer updates the running modules; compare after that.
            Attempts::Idle if self.proposal.is_some() => self.pending = request,
            Attempts::Idle if self.should_change(&self.running.generations) => {
                self.start(workspace, request);
            }
            Attempts::Idle => {
                self.answer(request.tickets);
                self.update(Update::Settled(self.selection.clone()));
            }
        }
    }

    /// Adds a newer request to one that was not carried out.
    fn join(&mut self, older: &mut BuildRequest, newer: BuildRequest) {
        for (id, intent) in &newer.modules {
            let was_due = older.modules.get(id).is_some_and(goes_live);
            if was_due
                && intent.origin != Origin::Source
                && let Some(module) = self.modules.get_mut(id)
            {
                // Its source was not tried: it is built if the file cannot run.
                module.attempted = None;
            }
        }
        older.merge(newer);
    }

    /// True if these differ from the modules of the selection that could run.
    fn should_change(&self, runs: &BTreeMap<ModuleId, SharedGeneration>) -> bool {
        let roster = resolve(&self.manifests(), &self.selection);
        runs.keys().any(|id| !roster.contains(id))
            || roster.iter().any(|id| {
                let good = self.modules.get(id).and_then(|module| module.good.as_ref());
                good.is_some_and(|good| runs.get(id).is_none_or(|run| !Arc::ptr_eq(run, good)))
            })
    }

    fn start(&mut self, workspace: &SharedWorkspace, request: BuildRequest) {
        self.attempt_count += 1;
        let id = AttemptId(self.attempt_count);
        for (id, intent) in &request.modules {
            self.put_off.remove(id);
            let module = self.modules.entry(id.clone()).or_default();
            if goes_live(intent) {
                module.attempted = module.source();
            }
        }
        let good = self.modules.iter();
        let good = good.filter_map(|(id, module)| Some((id.clone(), module.good.clone()?)));
        let inputs = self.modules.iter();
        let inputs = inputs.filter_map(|(id, it)| Some((id.clone(), it.inputs.clone()?)));
        let numbers = self.modules.iter().map(|(id, it)| (id.clone(), it.generations + 1));
        self.effects.push(Effect::Start(Box::new(Attempt {
            id,
            workspace: workspace.clone(),
            inputs: inputs.collect(),
            modules: request.modules.clone(),
            saved_at: request.saved_at,
            good: good.collect(),
            running: self.running.clone(),
            outlines: self.outlines.clone(),
            selection: self.selection.clone(),
            numbers: numbers.collect(),
        })));
        self.attempts = Attempts::Running { id, request, failed: BTreeSet::new() };
    }

    pub(super) fn on_ended(&mut self, mut outcome: AttemptOutcome) {
        let loaded: Vec<_> = outcome.loaded.iter().map(|loaded| loaded.hash.clone()).collect();
        for generation in &outcome.loaded {
            if let Some(module) = self.modules.get_mut(generation.id()) {
                module.generations = module.generations.max(generation.number);
            }
        }
        let (Attempts::Running { request, .. } | Attempts::Restarting { next: request, .. }) =
            &self.attempts
        else {
            return;
        };
        let live = request.modules.iter().filter(|(_, intent)| goes_live(intent));
        let live: BTreeSet<ModuleId> = live.map(|(id, _)| id.clone()).collect();
        self.learn(std::mem::take(&mut outcome.learned), &live);
        match std::mem::replace(&mut self.attempts, Attempts::Idle) {
            Attempts::Idle => {}
            Attempts::Restarting { mut next, .. } => {
                self.effects.push(Effect::Discard(loaded));
                let newer = std::mem::take(&mut self.pending);
                self.join(&mut next, newer);
                self.pending = next;
            }
            Attempts::Running { request, failed, .. } => {
                self.take_outcome(request, &failed, outcome);
            }
        }
    }

    /// Reports the errors of a module while others are still building.
    pub(super) fn on_build_failed(&mut self, id: ModuleId, messages: Vec<String>, took_ms: f32) {
        let Attempts::Running { request, failed, .. } = &mut self.attempts else { return };
        let is_new = failed.insert(id.clone());
        let known = self.modules.get(&id).is_some_and(|module| module.messages == messages);
        if !is_new && known {
            // It was compiled twice, since a core changed meanwhile.
            return;
        }
        let (failed, intents) = (failed.clone(), request.modules.clone());
        let group = self.workspace().map(|workspace| {
            let ids = intents.keys().chain(&self.put_off).cloned().collect();
            group_of(&workspace.members, &ids, &id)
        });
        let mut waiting = group.unwrap_or_default();
        waiting.retain(|other| !failed.contains(other));
        let failed = BTreeMap::from([(id, messages)]);
        let mut not_built = NotBuilt { failed, again: BTreeSet::new(), waiting, took_ms };
        self.note_messages(&mut not_built, &intents);
        self.update(Update::NotBuilt(not_built));
    }

    fn take_outcome(
        &mut self,
        mut request: BuildRequest,
        failed: &BTreeSet<ModuleId>,
        outcome: AttemptOutcome,
    ) {
        self.update(Update::Progress(None));
        let intents = std::mem::take(&mut request.modules);
        for group in outcome.groups {
            self.take_group(group, &intents, failed, &mut request.changed);
        }
        let later = self.take_put_off();
        self.pending.merge(later);
        if let Some(outlines) = outcome.running_outlines
            && outlines.0 == self.running.version
        {
            self.outlines = Some(outlines.1);
        }
        let manifests = self.manifests();
        self.update(Update::Manifests(manifests));
        match outcome.planned {
            Some(Ok(planned)) => {
                let is_current = planned.running_version == self.running.version
                    && planned.selection == self.selection
                    && self.proposal.is_none()
                    && !self.should_change(&planned.runs_after(&self.running.generations));
                if is_current {
                    if self.pending.modules.is_empty() && !self.pending.edits {
                        // The pending request only asks for a plan of what could run, which this
                        // one is.
                        request.merge(std::mem::take(&mut self.pending));
                    }
                    self.propose(planned, request);
                } else {
                    self.pending.merge(BuildRequest { replan: true, ..request });
                }
            }
            Some(Err(refusal)) if self.selection != self.good_selection => {
                self.refuse_selection(refusal, request);
            }
            Some(Err(refusal)) => {
                self.refuse_candidates(refusal, &request.changed);
                self.answer(request.tickets);
            }
            None => self.answer(request.tickets),
        }
    }

    /// Marks the modules that were only built along with others, and whose messages are known.
    fn note_messages(&mut self, not_built: &mut NotBuilt, intents: &BTreeMap<ModuleId, Intent>) {
        for (id, messages) in &not_built.failed {
            let Some(module) = self.modules.get_mut(id) else { continue };
            let is_along = intents.get(id).is_some_and(|intent| !intent.is_root);
            if is_along && module.messages == *messages {
                not_built.again.insert(id.clone());
            }
            module.messages.clone_from(messages);
        }
    }

    fn take_group(
        &mut self,
        group: GroupOutcome,
        intents: &BTreeMap<ModuleId, Intent>,
        failed: &BTreeSet<ModuleId>,
        changed: &mut BTreeSet<ModuleId>,
    ) {
        let GroupOutcome { ids, goal, compiled, reports, plans, result } = group;
        if !compiled.is_empty() {
            self.update(Update::Compiled(compiled));
        }
        for report in reports {
            if let Update::Quarantined { id, .. } = &report {
                let module = BTreeSet::from([id.clone()]);
                self.give_up_packs(&module, "its code ended the game");
            }
            self.update(report);
        }
        match result {
            Ok(generations) if goal.goes_live() => {
                for generation in generations {
                    let module = self.modules.entry(generation.id().clone()).or_default();
                    let data_loss = intents.get(generation.id()).map(|intent| intent.data_loss);
                    module.accept(generation, data_loss.unwrap_or_default());
                }
            }
            Ok(generations) => {
                let hashes = generations.iter().map(|planned| planned.hash.clone()).collect();
                self.effects.push(Effect::Discard(hashes));
            }
            Err(error) => {
                let newest = match error {
                    AttemptError::NotBuilt(mut not_built) => {
                        not_built.failed.retain(|id, _| !failed.contains(id));
                        if !not_built.failed.is_empty() || failed.is_empty() {
                            self.note_messages(&mut not_built, intents);
                            self.update(Update::NotBuilt(not_built));
                        }
                        Some(Newest::NotCompiled)
                    }
                    AttemptError::Refused(refusal) => {
                        if goal.goes_live() {
                            self.give_up_packs(&ids, &refusal.explain().headline);
                        }
                        self.update(Update::Refused { ids: ids.clone(), refusal });
                        Some(Newest::Rejected(None))
                    }
                    AttemptError::Cancelled => None,
                };
                for id in ids.iter().filter(|_| goal.goes_live()) {
                    changed.remove(id);
                    if let (Some(module), Some(newest)) = (self.modules.get_mut(id), &newest) {
                        module.newest = newest.clone();
                        self.pending.edits |= module.is_dirty();
                    }
                }
            }
        }
        for (id, modules) in plans {
            let along = self.workspace().map(|workspace| {
                let dependents = workspace.members.with_dependents(&BTreeSet::from([id.clone()]));
                dependents.into_iter().filter(|dependent| *dependent != id).collect()
            });
            self.update(Update::Plan { id, modules, along: along.unwrap_or_default() });
        }
    }
}
