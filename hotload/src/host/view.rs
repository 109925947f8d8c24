//! The host's state as the console shows it.

use bevy::diagnostic::{DiagnosticsStore, FrameTimeDiagnosticsPlugin};
use bevy::prelude::*;

use super::Host;
use super::on_update::UnderWay;
use super::status::{NewestSource, Status};
use crate::console::Console;
use crate::console::view::{ModuleCommand, ModuleRow, ModuleState, Progress};
use crate::ids::ModuleId;
use crate::inspect::Kind;

impl Host {
    /// Fills the console's view while the console is open.
    pub(super) fn show(&mut self, world: &mut World) {
        let progress = self.view_progress();
        let Some(mut console) = world.get_resource_mut::<Console>() else { return };
        console.progress = progress.clone().filter(|_| !self.is_ready());
        if !console.is_open() {
            return;
        }
        let mut view = console.take_view();
        view.modules = self.rows();
        view.commands = self.view_commands();
        view.app = self.selection.app.as_ref().map(ToString::to_string).unwrap_or_default();
        view.apps = self.modules.iter().filter(|id| id.is_app()).map(ToString::to_string).collect();
        view.snapshots = self.snapshots.names().to_vec();
        view.packs.clone_from(&self.packs);
        view.pack_question.clone_from(&self.pack_question);
        view.frame = self.frame;
        view.progress = progress;
        console.set_view(view);
        let frame_ms = world
            .get_resource::<DiagnosticsStore>()
            .and_then(|store| store.get(&FrameTimeDiagnosticsPlugin::FRAME_TIME)?.smoothed());
        let frame_ms = frame_ms.unwrap_or_default() as f32;
        let fps = if frame_ms > 0.0 { 1000.0 / frame_ms } else { 0.0 };
        if let Some(mut console) = world.get_resource_mut::<Console>() {
            console.set_frame_times(fps, frame_ms);
        }
    }

    pub(super) fn view_progress(&self) -> Option<Progress> {
        let UnderWay { progress, started, .. } = self.progress.as_ref()?;
        Some(Progress {
            what: progress.activity.clone(),
            done: progress.done,
            total: progress.total,
            elapsed_s: started.elapsed().as_secs_f32(),
            last_s: self.long_builds.get(&progress.total).copied(),
            detail: None,
            error: self.status.values().find_map(|status| status.newest.error()),
        })
    }

    fn view_commands(&self) -> Vec<ModuleCommand> {
        let active = self.running.active.iter();
        active
            .flat_map(|(id, active)| {
                active.commands.iter().map(|command| ModuleCommand {
                    name: command.name.to_owned(),
                    usage: command.name.to_owned(),
                    help: command.help.to_owned(),
                    module: id.to_string(),
                })
            })
            .collect()
    }

    /// A row for each module on disk.
    pub(super) fn rows(&self) -> Vec<ModuleRow> {
        self.modules.iter().map(|id| self.row(id)).collect()
    }

    fn row(&self, id: &ModuleId) -> ModuleRow {
        let active = self.running.active.get(id);
        let manifest = active.map(|a| &a.generation.manifest).or_else(|| self.manifests.get(id));
        let status = self.status.get(id);
        let times = status.and_then(|status| status.times);
        // An artifact from an earlier build has no build times.
        let compile = times.filter(|times| times.build_ms() > 0.0).map(|times| times.compile);
        let why_not_toggle = self.cannot_switch(id);
        let kind = manifest.map(|manifest| manifest.kind).or_else(|| id.kind_by_name());
        ModuleRow {
            id: id.to_string(),
            kind: kind.unwrap_or(Kind::Systems).name(),
            version: manifest.map(|manifest| manifest.version.to_string()).unwrap_or_default(),
            generation: active.map_or(0, |active| active.generation.number),
            state: self.state(id),
            enabled: active.is_some(),
            can_toggle: why_not_toggle.is_none() && manifest.is_some(),
            why_not_toggle,
            last_error: status.and_then(|status| status.newest.error()),
            returned: status.and_then(Status::returned),
            check_ms: compile.map(|compile| compile.check_ms),
            build_ms: compile.map(|compile| compile.compile_ms),
            link_ms: compile.map(|compile| compile.link_ms),
            swap_ms: times.map(|times| times.pause_ms),
            can_rollback: self
                .last_generation(id)
                .is_some_and(|last| self.history.before(last).is_some()),
            plan: status.and_then(|status| status.plan.clone()),
        }
    }

    fn state(&self, id: &ModuleId) -> ModuleState {
        let status = self.status.get(id);
        let active = self.running.active.contains_key(id);
        if status.is_some_and(|status| status.building) {
            return ModuleState::Building;
        }
        match status.map(|status| &status.newest) {
            Some(NewestSource::StandIn(_)) => ModuleState::Quarantined,
            Some(NewestSource::NeedsConfirmation(_)) => ModuleState::Waiting,
            Some(
                NewestSource::NotCompiled(_)
                | NewestSource::Refused(_)
                | NewestSource::SwitchedOff(_)
                | NewestSource::RolledBack(_),
            ) => ModuleState::Failed,
            Some(NewestSource::Fine) | None if active && self.probations.holds(id) => {
                ModuleState::Probation
            }
            Some(NewestSource::Fine) | None if active => ModuleState::Active,
            Some(NewestSource::Fine) | None if self.manifests.contains_key(id) => {
                ModuleState::Disabled
            }
            Some(NewestSource::Fine) | None => ModuleState::Queued,
        }
    }
}
