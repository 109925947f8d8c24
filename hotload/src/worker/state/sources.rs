//! The workspace and the sources of its modules, as they were last read from disk.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Attempts, Effect, ReadRequest, State, WorkspaceState};
use crate::build::Learned;
use crate::ids::ModuleId;
use crate::pipeline::swap_groups::groups;
use crate::reader::SharedWorkspace;
use crate::refusal::Refusal;
use crate::worker::event::{FileEvent, Reading, Update};
use crate::worker::request::BuildRequest;
use crate::workspace::Members;

impl State {
    pub(super) fn on_files(&mut self, event: FileEvent) {
        let (paths, everything) = self.unread.get_or_insert_default();
        self.pending.edits = true;
        match event {
            FileEvent::Changed { path, at } => {
                paths.insert(path);
                let saved_at = Some(at);
                self.pending.merge(BuildRequest { saved_at, ..BuildRequest::default() });
            }
            FileEvent::Lost { error } => {
                *everything = true;
                if let Some(error) = error {
                    self.update(Update::Warning(error));
                }
            }
        }
    }

    /// Reads the changed files; if a reading is in progress, after that.
    pub(super) fn start_reading(&mut self) {
        if !self.is_reading
            && let Some((paths, everything)) = self.unread.take()
        {
            self.is_reading = true;
            let last = match &self.workspace {
                WorkspaceState::Ready(workspace) => Some(workspace.clone()),
                WorkspaceState::Unreadable { last } => last.clone(),
            };
            let is_stale = matches!(self.workspace, WorkspaceState::Unreadable { .. });
            let inputs = self.modules.iter();
            let inputs = inputs.filter_map(|(id, it)| Some((id.clone(), it.inputs.clone()?)));
            self.effects.push(Effect::Read(ReadRequest {
                paths,
                everything: everything || is_stale,
                workspace: last,
                inputs: inputs.collect(),
            }));
        }
    }

    pub(super) fn read_again(&mut self) {
        self.unread.get_or_insert_default();
    }

    pub(super) fn on_reading(&mut self, reading: Reading) {
        let Reading { workspace, inputs, was_unwatched } = reading;
        self.is_reading = false;
        if self.reported.take().is_some() {
            self.update(Update::Readable);
        }
        self.pending.edits |= was_unwatched;
        let ids = workspace.members.ids();
        let is_other = !self.workspace().is_some_and(|known| Arc::ptr_eq(known, &workspace));
        if is_other {
            self.retry_smaller_groups(&workspace.members);
            let folder = workspace.folders.workspace.clone();
            let modules = ids.iter().map(|id| (*id).clone()).collect();
            let packs = workspace.members.prebuilt.modules.iter();
            let packs = packs.filter_map(|(id, module)| Some((id.clone(), module.pack.clone()?)));
            let packs = packs.collect();
            let developed = workspace.members.developed.clone();
            self.update(Update::Workspace { folder, modules, packs, developed });
        }
        self.put_off.retain(|id| workspace.members.contains(id));
        for (id, module) in &mut self.modules {
            let is_known = module.good.is_some() || module.source().is_some();
            module.take_prebuilt(workspace.members.prebuilt_module(id).map(|module| &module.hash));
            if !ids.contains(id) && is_known {
                // Its folder or its pack is gone: its running generation leaves.
                (module.good, module.inputs, module.attempted) = (None, None, None);
                self.pending.replan = true;
            }
        }
        for (id, module) in &workspace.members.prebuilt.modules {
            self.modules.entry(id.clone()).or_default().take_prebuilt(Some(&module.hash));
        }
        for (id, inputs) in inputs {
            let module = self.modules.entry(id).or_default();
            if module.inputs.as_ref().is_some_and(|known| !known.know_the_same(&inputs)) {
                // A compilation has ended meanwhile, and showed what else counts.
                self.unread.get_or_insert_default();
            } else {
                module.inputs = Some(inputs);
            }
        }
        self.workspace = WorkspaceState::Ready(workspace);
    }

    /// Retries modules that failed in a group that others have left since, with their folder or their
    /// link.
    fn retry_smaller_groups(&mut self, members: &Members) {
        let Some(known) = self.workspace() else { return };
        let failed = self.modules.iter().filter(|(_, module)| module.is_unsettled());
        let failed: BTreeSet<ModuleId> = failed.map(|(id, _)| id.clone()).collect();
        let before = groups(&known.members, &failed);
        let present = failed.iter().filter(|id| members.contains(id)).cloned().collect();
        let now = groups(members, &present).into_iter().filter(|group| !before.contains(group));
        self.pending.merge(BuildRequest::along(now.flatten()));
    }

    /// Takes what compiling showed about the inputs of modules. `live` are those that should go live.
    pub(super) fn learn(
        &mut self,
        learned: BTreeMap<ModuleId, Learned>,
        live: &BTreeSet<ModuleId>,
    ) {
        for (id, Learned { from, inputs: new }) in learned {
            let Some(module) = self.modules.get_mut(&id) else { continue };
            let Some(inputs) = &mut module.inputs else { continue };
            // Files outside of the watched folders may be among them.
            self.unread.get_or_insert_default();
            if inputs.hash != from {
                // The module was edited meanwhile: read it again with what is known now.
                (inputs.known, inputs.failed) = (new.known, new.failed);
                continue;
            }
            if live.contains(&id) && module.attempted.as_ref() == Some(&from) {
                module.attempted = Some(new.hash.clone());
            }
            *inputs = new;
        }
    }

    /// Nothing is built until the workspace can be read again; running modules stay.
    pub(super) fn on_unreadable(&mut self, refusal: Refusal) {
        self.is_reading = false;
        let last = match &self.workspace {
            WorkspaceState::Ready(workspace) => Some(workspace.clone()),
            WorkspaceState::Unreadable { last } => last.clone(),
        };
        self.workspace = WorkspaceState::Unreadable { last };
        let mut dropped = std::mem::take(&mut self.pending);
        (self.pending.edits, self.pending.replan) = (true, true);
        match std::mem::replace(&mut self.attempts, Attempts::Idle) {
            Attempts::Idle => {}
            Attempts::Running { id, request, .. } => {
                self.effects.push(Effect::Cancel(id));
                dropped.merge(request);
                self.attempts = Attempts::Restarting { id, next: BuildRequest::default() };
            }
            Attempts::Restarting { id, next } => {
                dropped.merge(next);
                self.attempts = Attempts::Restarting { id, next: BuildRequest::default() };
            }
        }
        for (id, intent) in &dropped.modules {
            if !intent.is_root {
                self.put_off.insert(id.clone());
            }
            if let Some(module) = self.modules.get_mut(id) {
                // It counts as changed once the workspace can be read.
                module.attempted = None;
            }
        }
        self.end_permissions(&[]);
        // A save causes several events, and a workspace that was never readable is retried every
        // second: report each error once. Requests always get an answer.
        let text = refusal.to_string();
        let known = self.reported.as_ref().is_some_and(|(reported, saved_at)| {
            *reported == text && (dropped.saved_at.is_none() || *saved_at == dropped.saved_at)
        });
        self.update(Update::Progress(None));
        if !known || !dropped.tickets.is_empty() {
            self.update(Update::Unreadable(refusal));
        }
        self.reported = Some((text, dropped.saved_at));
        self.answer(dropped.tickets);
    }

    pub(super) fn workspace(&self) -> Option<&SharedWorkspace> {
        match &self.workspace {
            WorkspaceState::Ready(workspace) => Some(workspace),
            WorkspaceState::Unreadable { last } => last.as_ref(),
        }
    }
}
