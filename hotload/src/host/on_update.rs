//! What the worker tells, and what people get to read of it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bevy::prelude::*;

use super::{DETAILS, Host, QUARANTINE, UnderWay};
use crate::console::Console;
use crate::console::notices::{Notice, NoticeLevel};
use crate::console::plan::ModulePlan;
use crate::console::view::Level;
use crate::events::{Event, EventKind};
use crate::ids::ModuleId;
use crate::journal::{Death, Quarantined};
use crate::worker::{PlanOf, Progress, Tell};

/// What takes longer than this is told of.
const LONG: Duration = Duration::from_secs(1);
/// The key of the notice about it.
const PROGRESS: &str = "progress";

impl Host {
    pub(super) fn hear(&mut self, world: &mut World, tell: Tell) {
        match tell {
            Tell::Catalog { workspace, modules } => {
                self.snapshots.place(workspace.join("saves"));
                self.status.retain(|id, _| modules.contains(id));
                self.modules = modules;
            }
            Tell::Manifests(manifests) => {
                self.manifests = manifests;
                self.complete_app(world);
            }
            Tell::Progress(progress) => self.hear_progress(world, progress),
            Tell::Changed(ids) => {
                for id in ids {
                    self.log_event(world, Event::new(EventKind::Changed, self.frame).about(&id));
                }
            }
            Tell::BuildStarted(id) => {
                self.status.entry(id.clone()).or_default().building = true;
                self.log_event(world, Event::new(EventKind::BuildStarted, self.frame).about(&id));
            }
            Tell::Over { ids, wanted } => {
                ids.iter().for_each(|id| self.script.done(id));
                if wanted {
                    self.script.wanted_done(&self.wanted);
                }
            }
            Tell::Built(id) => self.hear_built(world, &id),
            Tell::BuildFailed { id, messages, took_ms } => {
                self.hear_build_failed(world, &id, messages, took_ms);
            }
            Tell::Refused { ids, reason } => self.hear_refused(world, &ids, &reason),
            Tell::Prepared(prepared) => self.prepared.push_back(*prepared),
            Tell::Plan { id, modules, along } => {
                self.script.done(&id);
                self.hear_plan(world, &id, &modules, &along);
            }
            Tell::Committed(generations) => {
                for generation in generations {
                    let event = Event::new(EventKind::Committed, self.frame).about(generation.id());
                    self.log_event(world, event.generation(generation.number));
                }
            }
            Tell::Died(death) => self.hear_death(world, &death),
            Tell::Quarantined { id, reason } => self.hear_quarantined(world, &id, &reason),
            Tell::Quarantine(text) => {
                self.script.done(&QUARANTINE.into());
                self.say(world, Level::Info, &text);
            }
            Tell::Warning(text) => self.say(world, Level::Warn, &text),
            Tell::Trouble(reason) => {
                self.script.all_done();
                let event = Event::new(EventKind::Refused, self.frame);
                self.log_event(world, event.because(reason.clone()));
                let first = reason.lines().next().unwrap_or_default();
                let notice = Notice::new(NoticeLevel::Error, "The modules cannot be built", first);
                self.notice(world, "workspace", notice.details(DETAILS));
                self.say(world, Level::Error, &reason);
            }
        }
    }

    fn hear_plan(
        &mut self,
        world: &mut World,
        id: &ModuleId,
        modules: &[PlanOf],
        along: &[ModuleId],
    ) {
        if modules.is_empty() {
            let text = format!("{id} cannot be planned; see its last error");
            return self.say(world, Level::Info, &text);
        }
        for plan in self.plans(world, modules, along) {
            self.say(world, Level::Info, &plan.to_string());
            let status = self.status.entry(plan.module.as_str().into()).or_default();
            status.plan = Some(Arc::new(plan));
        }
    }

    fn hear_death(&mut self, world: &mut World, death: &Death) {
        let named = |q: &Quarantined| format!("{}: {}", q.module, q.reason);
        let mut lines: Vec<String> = death.quarantined.iter().map(named).collect();
        if !death.tried_again.is_empty() {
            let modules = joined(&death.tried_again);
            lines.push(format!("new and tried again, since nothing ran well before: {modules}"));
        }
        let body = lines.join("\n");
        let title = "The game before this one died";
        self.say(world, Level::Warn, &format!("{title}\n{body}"));
        let notice = Notice::new(NoticeLevel::Question, title, body);
        self.notice(world, "death", notice.details("`quarantine list` in the console (F1)"));
    }

    /// The newest code of a module will not run; what ran well last stands in for it.
    fn hear_quarantined(&mut self, world: &mut World, id: &ModuleId, reason: &str) {
        let status = self.status.entry(id.clone()).or_default();
        (status.error, status.quarantined) = (Some(reason.to_owned()), true);
        let event = Event::new(EventKind::Quarantined, self.frame).about(id);
        self.log_event(world, event.because(reason));
        self.say(world, Level::Warn, &format!("{id}: the last good code runs\n{reason}"));
    }

    fn hear_progress(&mut self, world: &mut World, progress: Option<Progress>) {
        let Some(progress) = progress else {
            self.status.values_mut().for_each(|status| status.building = false);
            if let Some(mut console) = world.get_resource_mut::<Console>() {
                console.notices.dismiss(PROGRESS);
            }
            self.progress = None;
            return;
        };
        let started = self.progress.as_ref().map_or_else(Instant::now, |now| now.started);
        self.progress = Some(UnderWay { progress, started, told: false });
    }

    /// Says what is under way, on the terminal and in the game, if it takes long.
    pub(super) fn tell_progress(&mut self, world: &mut World) {
        let Some(now) = self.progress.as_mut().filter(|now| !now.told) else { return };
        // There is nothing else to see before the first build is done.
        if self.ready && now.started.elapsed() < LONG {
            return;
        }
        now.told = true;
        let Progress { what, done, total } = &now.progress;
        let of = if *total > 0 { format!(" ({done} of {total})") } else { String::new() };
        let text = format!("{what}{of}");
        self.say_aside(world, &text);
        if self.ready {
            self.notice(world, PROGRESS, Notice::new(NoticeLevel::Progress, text, ""));
        }
    }

    /// An error of rustc's is mended, also where the module waits for others.
    fn hear_built(&mut self, world: &mut World, id: &ModuleId) {
        let Some(status) = self.status.get_mut(id).filter(|status| status.does_not_compile) else {
            return;
        };
        (status.error, status.does_not_compile) = (None, false);
        if let Some(mut console) = world.get_resource_mut::<Console>() {
            console.notices.dismiss(id.as_str());
        }
    }

    fn hear_build_failed(
        &mut self,
        world: &mut World,
        id: &ModuleId,
        messages: Vec<String>,
        took_ms: f32,
    ) {
        let text = messages.join("\n");
        let plain = without_colours(&text);
        let status = self.status.entry(id.clone()).or_default();
        status.building = false;
        status.error = Some(plain.clone());
        status.does_not_compile = true;
        (status.plan, status.waits) = (None, false);
        let event = Event::new(EventKind::BuildFailed, self.frame).about(id);
        self.log_event(world, event.because(plain.clone()));
        let title = format!("{id} was not built ({took_ms:.0} ms)");
        let first = first_error(&plain);
        let notice = Notice::new(NoticeLevel::Error, title.clone(), first);
        self.notice(world, id.as_str(), notice.details(DETAILS));
        self.say(world, Level::Error, &format!("{title}: the old code goes on\n{plain}"));
        self.script.done(id);
    }

    pub(super) fn hear_refused(
        &mut self,
        world: &mut World,
        ids: &BTreeSet<ModuleId>,
        reason: &str,
    ) {
        self.note_refused(world, ids, reason);
        let first = reason.lines().next().unwrap_or_default();
        let title = format!("{} refused", named(ids));
        let notice = Notice::new(NoticeLevel::Error, title.clone(), first);
        let key = ids.first().map_or("refused", ModuleId::as_str);
        self.notice(world, key, notice.details(DETAILS));
        self.say(world, Level::Error, &format!("{title}: the old code goes on\n{reason}"));
    }

    /// The new code would drop values: the old code goes on until somebody says yes.
    pub(super) fn hear_question(
        &mut self,
        world: &mut World,
        ids: &BTreeSet<ModuleId>,
        reason: &str,
        plans: &[ModulePlan],
    ) {
        self.note_refused(world, ids, reason);
        let items = plans.iter().flat_map(|plan| &plan.items).filter(|item| item.asks());
        let lost: Vec<String> =
            items.map(|item| format!("{} of {}", item.counted(), item.name)).collect();
        let title = format!("{} waits for a yes", named(ids));
        let body = format!("data would be dropped: {}", lost.join(", "));
        let notice = Notice::new(NoticeLevel::Question, title.clone(), body);
        let key = ids.first().map_or("refused", ModuleId::as_str);
        self.notice(world, key, notice.details("the question is in the console (F1)"));
        self.say(world, Level::Warn, &format!("{title}: the old code goes on\n{reason}"));
    }

    fn note_refused(&mut self, world: &mut World, ids: &BTreeSet<ModuleId>, reason: &str) {
        for id in ids {
            let status = self.status.entry(id.clone()).or_default();
            status.error = Some(reason.to_owned());
            status.does_not_compile = false;
            (status.plan, status.waits) = (None, false);
            let event = Event::new(EventKind::Refused, self.frame).about(id);
            self.log_event(world, event.because(reason));
            self.script.done(id);
        }
    }
}

/// The modules' ids, or how many there are.
fn named(ids: &BTreeSet<ModuleId>) -> String {
    if ids.len() > 3 {
        return format!("{} modules", ids.len());
    }
    joined(ids)
}

fn joined<'a>(ids: impl IntoIterator<Item = &'a ModuleId>) -> String {
    ids.into_iter().map(ModuleId::as_str).collect::<Vec<_>>().join(", ")
}

/// The text without the escapes that colour it on a terminal.
fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\u{1b}[") {
        plain.push_str(&rest[..at]);
        let escape = &rest[at + 2..];
        let end =
            escape.find(|c: char| c.is_ascii_alphabetic()).map_or(escape.len(), |end| end + 1);
        rest = &escape[end..];
    }
    plain.push_str(rest);
    plain
}

/// The first error's message and place, on one line.
fn first_error(text: &str) -> String {
    let message = text.lines().find(|line| line.starts_with("error")).or(text.lines().next());
    let place = text.lines().find_map(|line| line.trim_start().strip_prefix("--> "));
    match (message, place) {
        (Some(message), Some(place)) => format!("{place}: {message}"),
        (Some(message), None) => message.to_owned(),
        _ => String::new(),
    }
}
