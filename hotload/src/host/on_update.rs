//! Handles the worker's updates.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bevy::prelude::*;

use super::Host;
use super::happened::Happened;
use crate::console::Console;
use crate::console::notices::{Notice, NoticeLevel};
use crate::console::view::Level;
use crate::ids::ModuleId;
use crate::packs::PackFolders;
use crate::pipeline::ModulePlan;
use crate::worker::event::{Progress, Update};

/// Work that takes longer than this is shown.
const LONG: Duration = Duration::from_secs(1);
/// The key of the notice about it.
const PROGRESS: &str = "progress";

/// The worker's current progress, and when it started.
pub struct UnderWay {
    pub progress: Progress,
    pub started: Instant,
    /// True if it was shown in this form.
    is_shown: bool,
}

impl Host {
    pub(super) fn on_update(&mut self, world: &mut World, update: Update) {
        match update {
            Update::Workspace { folder, modules, packs, developed } => {
                self.snapshots.place(folder.join("saves"));
                self.status.retain(|id, _| modules.contains(id));
                if let Some(folders) = world.get_resource::<PackFolders>() {
                    folders.set(&packs, &developed);
                }
                (self.modules, self.pack_of) = (modules, packs);
                self.dismiss_settled(world);
            }
            Update::PackAsset(path) => {
                if let Some(folders) = world.get_resource::<PackFolders>() {
                    folders.changed(&path);
                }
            }
            Update::Packs(packs) => self.packs = packs,
            Update::PackDone(report) => self.report(world, Happened::PackDone(report)),
            Update::PackRefused { command, refusal } => {
                self.report(world, Happened::PackRefused { command, refusal });
            }
            Update::PackWentBack(back) => self.report(world, Happened::PackWentBack(back)),
            Update::Manifests(manifests) => {
                self.manifests = manifests;
                self.complete_app(world);
            }
            Update::Progress(progress) => self.on_progress(world, progress),
            Update::Changed(ids) => {
                ids.into_iter().for_each(|id| self.report(world, Happened::Changed(id)));
            }
            Update::BuildStarted(id) => self.report(world, Happened::BuildStarted(id)),
            Update::Compiled(ids) => {
                for id in ids {
                    if self.status.get(&id).is_some_and(|status| status.is_not_compiled()) {
                        self.report(world, Happened::Compiled(id));
                    }
                }
            }
            Update::NotBuilt(not_built) => self.report(world, Happened::NotBuilt(not_built)),
            Update::Warnings { id, texts } => {
                self.report(world, Happened::CompilerWarned { module: id, texts });
            }
            Update::Refused { ids, refusal } => {
                self.report(world, Happened::Refused { modules: ids, refusal, plans: Vec::new() });
            }
            Update::Proposed(proposal) => {
                self.on_proposal(world, *proposal);
                // Handle failures during entry before a frame runs.
                self.on_reports(world);
            }
            Update::Settled(selection) => self.on_selection(world, &selection),
            Update::SelectionRefused { refused, back_to } => {
                // The user may have changed the selection in the meantime.
                if self.selection == refused {
                    self.selection = back_to;
                }
            }
            Update::Plan { id, modules, along } => self.on_plan(world, &id, &modules, &along),
            Update::Committed(generations) => {
                for generation in generations {
                    self.report(world, Happened::Committed(generation.generation_id()));
                }
            }
            Update::Died(death) => self.report(world, Happened::PreviousRunDied(death)),
            Update::Quarantined { id, refusal } => {
                self.report(world, Happened::Quarantined { module: id, refusal });
            }
            Update::QuarantineList(text) => self.print(world, Level::Info, &text),
            Update::Unreadable(refusal) => {
                self.report(world, Happened::Unreadable(refusal));
                self.give_up_start(world);
            }
            Update::Readable => self.report(world, Happened::Readable),
            Update::Warning(text) => self.report(world, Happened::Warned(text)),
            Update::Answered(ticket) => self.commands.answered(ticket),
            // A request that is under way may change what runs.
            Update::Idle(ticket) if ticket == self.worker.last_ticket() => {
                self.give_up_start(world);
            }
            Update::Idle(_) => {}
        }
    }

    fn on_plan(
        &mut self,
        world: &mut World,
        id: &ModuleId,
        modules: &[ModulePlan],
        along: &[ModuleId],
    ) {
        if modules.is_empty() {
            let text = format!("{id} cannot be planned; see its last error");
            return self.print(world, Level::Info, &text);
        }
        for plan in self.plans(world, modules, along) {
            self.report(world, Happened::Planned(Arc::new(plan)));
        }
    }

    fn on_progress(&mut self, world: &mut World, progress: Option<Progress>) {
        let Some(progress) = progress else {
            self.status.values_mut().for_each(|status| status.building = false);
            if let Some(mut console) = world.get_resource_mut::<Console>() {
                console.notices.dismiss(PROGRESS);
            }
            if let Some(UnderWay { progress, started, .. }) = self.progress.take() {
                let took = started.elapsed();
                self.long_builds.remove(&progress.total);
                // Without modules to build it was a reading.
                if took >= LONG && progress.total > 0 {
                    self.long_builds.insert(progress.total, took.as_secs_f32());
                }
            }
            return;
        };
        let started = self.progress.as_ref().map_or_else(Instant::now, |now| now.started);
        self.progress = Some(UnderWay { progress, started, is_shown: false });
    }

    /// Shows the progress on the terminal and in the game, if the work takes long.
    pub(super) fn show_progress(&mut self, world: &mut World) {
        let is_ready = self.is_ready();
        let Some(now) = self.progress.as_mut().filter(|now| !now.is_shown) else { return };
        // Before the first build is done there is nothing else to show.
        if is_ready && now.started.elapsed() < LONG {
            return;
        }
        now.is_shown = true;
        let text = self.view_progress().map(|progress| progress.line()).unwrap_or_default();
        let Some(mut console) = world.get_resource_mut::<Console>() else { return };
        // On the terminal it needs no line of its own.
        console.aside(&text);
        if is_ready {
            console.notices.replace(PROGRESS, Notice::new(NoticeLevel::Progress, text, ""));
        }
    }
}
