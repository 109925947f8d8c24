//! The phases of the game, and whether its time runs.

use bevy::app::AppExit;
use bevy::prelude::*;

use super::Host;
use super::happened::Happened;
use crate::ids::ModuleId;
use crate::refusal::{CommandError, Refusal};
use crate::resolve::Selection;

/// The phase of the game.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// The app's modules do not run yet.
    #[default]
    Starting,
    /// They run; the last save is loaded after the next frame.
    Resuming,
    /// The game plays.
    Playing,
    /// A command waits for the worker, in a deterministic run.
    Waiting,
}

impl Phase {
    /// True while frames do not count and the game's time stands still.
    pub fn holds_time(self) -> bool {
        matches!(self, Self::Starting | Self::Waiting)
    }
}

impl Host {
    /// The game is ready once the modules of its app run; without an app it is ready with none.
    pub(super) fn become_ready(&mut self, world: &mut World, selection: &Selection) {
        let app = selection.app.as_ref();
        let is_chosen = app.is_some() || !self.modules.iter().any(ModuleId::is_app);
        let runs = app.is_none_or(|app| self.running.active.contains_key(app));
        if self.is_ready() || !is_chosen || !runs {
            return;
        }
        let resumes = self.settings.resume;
        self.phase = if resumes { Phase::Resuming } else { Phase::Playing };
        self.stats.begin();
        let modules = self.running.active.len();
        self.report(world, Happened::Ready { app: app.cloned(), modules });
        if let Some(died_of) = self.settings.died_of.take() {
            self.report(world, Happened::Restarted { died_of, resumes });
        }
    }

    /// Completes `--app arena` to `apps_arena` once there is a module of that name; without
    /// `--app`, selects the first app.
    pub(super) fn complete_app(&mut self, world: &mut World) {
        if self.is_ready() {
            return;
        }
        let apps: Vec<&ModuleId> = self.modules.iter().filter(|id| id.is_app()).collect();
        let app = match &self.selection.app {
            None => apps.first().map(|app| (*app).clone()),
            Some(app) if self.modules.contains(app) => return,
            Some(app) => {
                let name = app.to_string();
                let apps = apps.into_iter().cloned().collect();
                let error = CommandError::NoApp { name, apps };
                self.report(world, Happened::Failed(Refusal::from(error)));
                world.write_message(AppExit::from_code(2));
                return;
            }
        };
        if app != self.selection.app {
            self.selection.app = app;
            self.select();
        }
    }

    /// Ends a run of a limited number of frames whose app cannot start: they would never pass.
    pub(super) fn give_up_start(&mut self, world: &mut World) {
        if self.is_ready() {
            return;
        }
        // Taken, so that it is said once.
        let Some(frames) = self.settings.frames.take() else { return };
        let failed = self.status.iter().filter(|(_, status)| status.newest.error().is_some());
        let failed = failed.map(|(id, _)| id.clone()).collect();
        let error = CommandError::NotStarted { app: self.selection.app.clone(), frames, failed };
        self.report(world, Happened::Failed(Refusal::from(error)));
        world.write_message(AppExit::error());
    }

    /// A deterministic run does not count the frames in which it waits for the worker.
    pub(super) fn hold_time(&mut self, world: &mut World) {
        let waits = self.settings.deterministic && self.commands.waits_for_worker();
        self.phase = match self.phase {
            Phase::Playing if waits => Phase::Waiting,
            Phase::Waiting if !waits => Phase::Playing,
            phase => phase,
        };
        let holds = self.phase.holds_time();
        let is_ours = self.settings.deterministic || !self.is_ready() || self.frame == 0;
        if let Some(mut time) = world.get_resource_mut::<Time<Virtual>>()
            && time.is_paused() != holds
            && is_ours
        {
            if holds {
                time.pause();
            } else {
                time.unpause();
            }
        }
    }
}
