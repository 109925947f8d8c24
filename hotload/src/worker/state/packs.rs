//! Commands about packs, and versions of packs that cannot run.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Effect, State};
use crate::generation::SharedGeneration;
use crate::ids::ModuleId;
use crate::packs::{PackVersion, PacksError, Report, StoreCommand};
use crate::refusal::Refusal;
use crate::worker::event::Update;
use crate::worker::request::{BuildRequest, Ticket};

impl State {
    pub(super) fn start_packs(&mut self, ticket: Ticket, command: StoreCommand) {
        match self.workspace().cloned() {
            Some(workspace) => self.effects.push(Effect::Packs(ticket, command, workspace)),
            None => {
                let refusal = PacksError::NoModules.into();
                self.update(Update::PackRefused { command, refusal });
                self.update(Update::Answered(ticket));
            }
        }
    }

    pub(super) fn on_packs(
        &mut self,
        ticket: Ticket,
        command: StoreCommand,
        result: Result<Report, Refusal>,
    ) {
        match result {
            Ok(report) => {
                let changed = report.changed.clone();
                self.update(Update::PackDone(report));
                let Some(list) = changed else { return self.update(Update::Answered(ticket)) };
                // Answered once the modules run.
                self.unread.get_or_insert_default().0.insert(list);
                let request = BuildRequest { edits: true, ..BuildRequest::default() };
                self.pending.merge(request.with_ticket(ticket));
            }
            Err(refusal) => {
                self.update(Update::PackRefused { command, refusal });
                self.update(Update::Answered(ticket));
            }
        }
    }

    /// The packs of these generations cannot run them.
    pub(super) fn give_up_packs_of(&mut self, rejected: &[SharedGeneration], reason: &str) {
        self.give_up(rejected.iter().filter_map(|it| it.pack.clone()).collect(), reason);
    }

    /// The newest artifacts of these modules cannot run: neither can their packs.
    pub(super) fn give_up_packs(&mut self, modules: &BTreeSet<ModuleId>, reason: &str) {
        let Some(workspace) = self.workspace() else { return };
        let packs = modules.iter().filter_map(|id| workspace.members.prebuilt_module(id));
        let packs = packs.filter_map(|module| module.pack.clone()).collect();
        self.give_up(packs, reason);
    }

    fn give_up(&mut self, mut packs: Vec<Arc<PackVersion>>, reason: &str) {
        packs.dedup_by(|one, other| one.id == other.id);
        for pack in packs {
            self.effects.push(Effect::GoBack(pack, reason.to_owned()));
        }
    }

    pub(super) fn on_declined(&mut self, modules: &BTreeSet<ModuleId>) {
        self.give_up_packs(modules, "it would have dropped values, and was declined");
    }
}
