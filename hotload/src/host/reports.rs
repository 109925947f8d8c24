//! Failures in modules' systems since the last frame.

use std::collections::BTreeSet;

use bevy::prelude::*;

use super::Host;
use super::happened::Happened;
use crate::guard::Report;
use crate::guard::running::Named;
use crate::ids::ModuleId;
use crate::watchdog::BlockedFrame;

impl Host {
    /// Handles failures in modules' systems since the last frame.
    pub(super) fn on_reports(&mut self, world: &mut World) {
        // Several systems may have panicked in one frame: the first report ended the generation.
        let mut ended: BTreeSet<ModuleId> = BTreeSet::new();
        for report in self.running.reports.drain() {
            match report {
                Report::Panicked(panic) if ended.contains(&panic.module) => {
                    self.report(world, Happened::PanickedAgain(panic));
                }
                Report::Panicked(panic) => ended.extend(self.on_panic(world, &panic)),
                Report::Uncaught { panic, image } => {
                    if ended.contains(&panic.module) || !self.runs(&panic.module, image) {
                        // The code that panicked has left already.
                        self.report(world, Happened::PanickedAgain(panic));
                    } else {
                        ended.extend(self.on_panic(world, &panic));
                    }
                }
                Report::Failed { module, system, message } => {
                    let errors = &mut self.status_of(&module).errors;
                    let of_system = errors.entry(system.clone()).or_default();
                    if of_system.add(&message) {
                        let count = of_system.count;
                        let last = message;
                        let happened = Happened::ErrorsReturned { module, system, count, last };
                        self.report(world, happened);
                    }
                }
            }
        }
    }

    /// True if the module's running generation is the one in this memory file.
    fn runs(&self, module: &ModuleId, image: u64) -> bool {
        let active = self.running.active.get(module);
        active.is_some_and(|active| active.generation.code.image() == image)
    }

    /// A frame took too long.
    pub(super) fn on_blocked(&mut self, world: &mut World, frame: BlockedFrame) {
        let BlockedFrame { named: Named { module, what }, took } = frame;
        // Before the game is ready, one-time work may take long.
        if module.is_some() || self.is_ready() {
            let seconds = took.as_secs_f32();
            self.report(world, Happened::Blocked { module, what, seconds });
        }
    }
}
