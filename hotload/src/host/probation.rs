//! The frames after a swap in which a panic brings the old code back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bevy::prelude::*;

use super::{DETAILS, Host, Status};
use crate::console::notices::{Notice, NoticeLevel};
use crate::console::view::Level;
use crate::events::{Event, EventKind};
use crate::generation::SharedGeneration;
use crate::guard::running::Named;
use crate::guard::{Panic, Report};
use crate::ids::ModuleId;
use crate::swap::{self, SwapError, Transaction};
use crate::watchdog::Kept;
use crate::worker::Ask;

/// Swaps that are not committed yet.
#[derive(Default)]
pub struct Probations {
    open: Vec<Probation>,
}

/// One swap, until it is committed or rolled back.
struct Probation {
    /// New generations, each with the one that it replaced.
    modules: Vec<(SharedGeneration, Option<SharedGeneration>)>,
    frames_left: u64,
}

impl Probations {
    /// A swap begins its probation. Modules that an open one holds leave it.
    pub fn begin(
        &mut self,
        entered: &[SharedGeneration],
        before: &BTreeMap<ModuleId, SharedGeneration>,
        frames: u64,
    ) {
        for probation in &mut self.open {
            probation.modules.retain(|(g, _)| entered.iter().all(|new| new.id() != g.id()));
        }
        let with_old = |g: &SharedGeneration| (g.clone(), before.get(g.id()).cloned());
        let modules: Vec<_> = entered.iter().map(with_old).collect();
        self.open.push(Probation { modules, frames_left: frames });
        self.open.retain(|probation| !probation.modules.is_empty());
    }

    /// These are taken back.
    fn abandon(&mut self, rejected: &[SharedGeneration]) {
        let is_one = |new: &SharedGeneration| rejected.iter().any(|it| Arc::ptr_eq(it, new));
        for probation in &mut self.open {
            probation.modules.retain(|(new, _)| !is_one(new));
        }
        self.open.retain(|probation| !probation.modules.is_empty());
    }

    /// True while a panic of the module brings its old code back.
    pub fn holds(&self, id: &ModuleId) -> bool {
        self.open.iter().any(|probation| probation.modules.iter().any(|(g, _)| g.id() == id))
    }

    /// The swap that brought the module; where the module was new with it, the module alone.
    fn take(&mut self, id: &ModuleId) -> Option<Probation> {
        let holds = |p: &Probation| p.modules.iter().any(|(g, _)| g.id() == id);
        let at = self.open.iter().position(holds)?;
        let probation = &mut self.open[at];
        let own = probation.modules.iter().position(|(g, _)| g.id() == id)?;
        if probation.modules[own].1.is_some() {
            return Some(self.open.remove(at));
        }
        let alone = probation.modules.remove(own);
        Some(Probation { modules: vec![alone], frames_left: probation.frames_left })
    }
}

impl Host {
    /// Handles what went wrong in modules' systems since the last frame.
    pub(super) fn hear_reports(&mut self, world: &mut World) {
        // Several systems may have panicked in one frame: the first report ended the generation.
        let mut ended: BTreeSet<ModuleId> = BTreeSet::new();
        for report in self.running.reports.drain() {
            match report {
                Report::Panicked(panic) if ended.contains(&panic.module) => {
                    self.say(world, Level::Warn, &panic.to_string());
                }
                Report::Panicked(panic) => ended.extend(self.hear_panic(world, &panic)),
                Report::Failed { module, system, message } => {
                    self.hear_error(world, module, system, &message);
                }
            }
        }
    }

    /// A system returned an error: it is counted, and goes on.
    fn hear_error(&mut self, world: &mut World, module: ModuleId, system: String, message: &str) {
        let name = format!("{system} of module `{module}`");
        let errors = &mut self.status.entry(module).or_default().errors;
        let count = errors.entry(system).or_default();
        count.number += 1;
        count.last = message.to_owned();
        // One line where ten times as many came, not one a frame.
        if count.number == count.tell_at.max(1) {
            count.tell_at = count.number * 10;
            let times = match count.number {
                1 => "an error".to_owned(),
                number => format!("{number} errors so far, the last"),
            };
            self.say(world, Level::Warn, &format!("{name} returned {times}: {message}"));
        }
    }

    /// A frame took too long.
    pub(super) fn hear_kept(&mut self, world: &mut World, kept: Kept) {
        let Kept { named: Named { module, what }, took } = kept;
        let seconds = took.as_secs_f32();
        let Some(module) = module else {
            // Before the game is ready much is done for the first time.
            if self.ready {
                self.say(world, Level::Warn, &format!("{what} kept a frame for {seconds:.1} s"));
            }
            return;
        };
        let title = format!("{what} of {module} kept a frame for {seconds:.1} s");
        self.say(world, Level::Warn, &title);
        let event = Event::new(EventKind::Blocked, self.frame).about(&module);
        self.log_event(world, event.because(title.clone()));
        self.notice(world, module.as_str(), Notice::new(NoticeLevel::Warn, title, ""));
    }

    /// Gives the modules whose generation it ended.
    pub(super) fn hear_panic(&mut self, world: &mut World, panic: &Panic) -> Vec<ModuleId> {
        if !self.running.active.contains_key(&panic.module) {
            // It is on its way out.
            self.say(world, Level::Warn, &panic.to_string());
            return Vec::new();
        }
        let reason = panic.to_string();
        let probation = self.probations.take(&panic.module);
        let mut ended = vec![panic.module.clone()];
        let rejected: Vec<SharedGeneration> = match &probation {
            Some(probation) => probation.modules.iter().map(|(new, _)| new.clone()).collect(),
            None => Vec::new(),
        };
        let (enter, leave): (Vec<SharedGeneration>, Vec<ModuleId>) = match probation {
            // Modules that were new with this swap stay if they are not the culprit.
            Some(p) => {
                let old = p.modules.iter().filter_map(|(_, old)| old.clone()).collect();
                let new_culprit =
                    p.modules.iter().find(|(new, old)| *new.id() == panic.module && old.is_none());
                (old, new_culprit.map(|(new, _)| new.id().clone()).into_iter().collect())
            }
            None => (Vec::new(), vec![panic.module.clone()]),
        };
        if leave.is_empty() {
            ended.extend(rejected.iter().map(|generation| generation.id().clone()));
            self.history.forget(&rejected);
            if let Err(error) = self.roll_back(world, enter, rejected.clone(), &reason) {
                let text = format!("{reason}\nthe old code could not come back: {error}");
                for generation in &rejected {
                    self.switch_off(world, generation.id(), &text);
                }
            }
        } else {
            self.switch_off(world, &panic.module, &reason);
        }
        self.status.entry(panic.module.clone()).or_default().error = Some(reason);
        ended
    }

    /// Old generations come back, together.
    ///
    /// # Errors
    ///
    /// When they cannot: nothing changed then.
    pub(super) fn roll_back(
        &mut self,
        world: &mut World,
        enter: Vec<SharedGeneration>,
        rejected: Vec<SharedGeneration>,
        reason: &str,
    ) -> Result<(), SwapError> {
        // What only the new code had goes with it.
        let transaction = Transaction { enter: enter.clone(), leave: Vec::new(), force: true };
        swap::swap(world, &mut self.running, transaction)?;
        self.taken.swaps += 1;
        self.answer(rejected.clone(), false);
        self.probations.abandon(&rejected);
        for generation in &enter {
            let id = generation.id();
            // What was told of the newer one is over.
            self.status.insert(id.clone(), Status::default());
            let event = Event::new(EventKind::RolledBack, self.frame).about(id);
            self.log_event(world, event.generation(generation.number).because(reason));
            let title = format!("{id}: generation {} is back", generation.number);
            self.say(world, Level::Warn, &format!("{title}\n{reason}"));
            let notice = Notice::new(NoticeLevel::Warn, title, reason);
            self.notice(world, id.as_str(), notice.details(DETAILS));
        }
        Ok(())
    }

    /// A module that panics after its probation, or without an older generation, stops.
    fn switch_off(&mut self, world: &mut World, id: &ModuleId, reason: &str) {
        let transaction = Transaction { enter: Vec::new(), leave: vec![id.clone()], force: false };
        if let Err(error) = swap::swap(world, &mut self.running, transaction) {
            self.say(world, Level::Error, &error.to_string());
        }
        if !self.history.was_ever_committed(id) {
            // It did not begin: its set-up is due where it comes again.
            self.running.forget_start(id);
        }
        self.wanted.switched.insert(id.clone(), false);
        self.script.wanted_else(&self.wanted);
        self.answer(Vec::new(), false);
        self.worker.ask(Ask::Want(self.wanted.clone()));
        let event = Event::new(EventKind::Disabled, self.frame).about(id);
        self.log_event(world, event.because(reason));
        let title = format!("{id} is switched off");
        let advice = format!("{reason}\n`rollback {id}` or mend it, then `enable {id}`");
        self.say(world, Level::Error, &format!("{title}: {advice}"));
        let notice = Notice::new(NoticeLevel::Error, title, reason);
        self.notice(world, id.as_str(), notice.details(DETAILS));
    }

    /// A frame without a panic counts towards the commit.
    pub(super) fn end_probations(&mut self) {
        if self.held {
            return;
        }
        let mut committed = Vec::new();
        self.probations.open.retain_mut(|probation| {
            probation.frames_left = probation.frames_left.saturating_sub(1);
            if probation.frames_left == 0 {
                committed.extend(probation.modules.drain(..).map(|(new, _)| new));
            }
            probation.frames_left > 0
        });
        for generation in &committed {
            self.history.commit(generation);
        }
        if !committed.is_empty() {
            self.worker.ask(Ask::Committed(committed));
        }
    }
}
