//! The only place that reports: it turns each event into a change of the modules' status, a line of
//! the events file, a Bevy message, a console line and a notice.

mod events;
pub(super) mod lines;
mod notices;

use std::collections::BTreeSet;

use bevy::prelude::*;
use playground_api::events::HotLoadEvent;

use super::Host;
use super::happened::Happened;
use super::questions;
use crate::console::Console;
use crate::console::view::{Level, PackQuestion};
use crate::ids::ModuleId;

impl Host {
    /// Reports to all outputs that the event belongs to.
    pub(super) fn report(&mut self, world: &mut World, happened: Happened) {
        self.settle_questions(world, &happened);
        self.note_status(&happened);
        for event in events::events(&happened, self.frame) {
            self.write_event(world, event);
        }
        if let Some((level, text)) = lines::line(&happened) {
            self.print(world, level, &text);
        }
        self.dismiss_settled(world);
        let Some(mut console) = world.get_resource_mut::<Console>() else { return };
        for key in notices::outdated(&happened) {
            console.notices.dismiss(&key);
        }
        match notices::notice(&happened) {
            notices::Change::None => {}
            notices::Change::Show(key, notice) => console.notices.replace(&key, notice),
            notices::Change::Dismiss(key) => {
                console.notices.dismiss(&key);
            }
        }
    }

    /// Dismisses notices about modules whose newest code can run by now, or that are gone.
    pub(super) fn dismiss_settled(&self, world: &mut World) {
        let Some(mut console) = world.get_resource_mut::<Console>() else { return };
        let fails = |id: &ModuleId| {
            self.status.get(id).is_some_and(|status| status.newest.error().is_some())
        };
        let is_settled = |about: &BTreeSet<ModuleId>| !about.is_empty() && !about.iter().any(fails);
        console.notices.retain(|notice| !is_settled(&notice.about));
    }

    /// Prints the answer to a command.
    pub(super) fn print(&self, world: &mut World, level: Level, text: &str) {
        if let Some(mut console) = world.get_resource_mut::<Console>() {
            console.print(level, text);
        }
    }

    fn write_event(&mut self, world: &mut World, event: HotLoadEvent) {
        if let Some(log) = &mut self.events {
            let written = log.write(&event);
            let lost = self.events_lost;
            match written {
                Ok(()) if lost > 0 => {
                    self.events_lost = 0;
                    let text = format!("{lost} events are not in the events file");
                    self.print(world, Level::Warn, &text);
                }
                Ok(()) => {}
                Err(error) => {
                    self.events_lost += 1;
                    if lost == 0 {
                        self.print(world, Level::Error, &error.to_string());
                    }
                }
            }
        }
        world.write_message(event);
    }

    /// Nobody is asked any longer what was answered or has newer code.
    fn settle_questions(&mut self, world: &mut World, happened: &Happened) {
        for group in self.questions.note(happened) {
            if let Some(mut console) = world.get_resource_mut::<Console>() {
                console.notices.dismiss(&questions::notice_key(&group));
            }
            for id in &group {
                if let Some(status) = self.status.get_mut(id) {
                    status.on_settled();
                }
            }
        }
    }

    /// Updates the status of the modules.
    fn note_status(&mut self, happened: &Happened) {
        match happened {
            Happened::BuildStarted(id) => self.status_of(id).building = true,
            Happened::Compiled(id) => {
                if let Some(status) = self.status.get_mut(id) {
                    status.on_compiled();
                }
            }
            Happened::NotBuilt(not_built) => {
                for (id, messages) in &not_built.failed {
                    self.status_of(id).on_not_compiled(lines::messages(messages));
                }
            }
            Happened::Refused { modules, refusal, plans } => {
                for id in modules {
                    self.status_of(id).on_refused(refusal.clone(), false);
                }
                for plan in plans {
                    self.status_of(&plan.module.as_str().into()).plan = Some(plan.clone());
                }
            }
            Happened::NeedsConfirmation { modules, refusal, plans, .. } => {
                for id in modules {
                    self.status_of(id).on_refused(refusal.clone(), true);
                }
                for plan in plans {
                    let status = self.status_of(&plan.module.as_str().into());
                    status.plan = Some(plan.clone());
                    if plan.needs_confirmation() {
                        status.on_refused(refusal.clone(), true);
                        status.plan = Some(plan.clone());
                    }
                }
            }
            Happened::Quarantined { module, refusal } => {
                self.status_of(module).on_stand_in(refusal.clone());
            }
            Happened::RolledBack { generations, .. } => {
                for generation in generations {
                    // Reports about the newer generation no longer apply.
                    self.status.insert(generation.module.clone(), super::Status::default());
                }
            }
            Happened::PackDone(report) if report.changed.is_some() => self.pack_question = None,
            Happened::PackRefused { command, refusal } => {
                self.pack_question = refusal
                    .asks_for_trust()
                    .map(|text| PackQuestion { command: command.clone(), text });
            }
            Happened::SwitchedOff { module, reason } => {
                self.status_of(module).on_ended(reason.clone());
            }
            Happened::Planned(plan) => {
                self.status_of(&plan.module.as_str().into()).plan = Some(plan.clone());
            }
            _ => {}
        }
    }
}
