//! The frames after a swap in which a panic rolls it back.

use std::collections::BTreeMap;
use std::sync::Arc;

use bevy::prelude::*;

use super::Host;
use super::happened::Happened;
use super::status::NewestSource;
use super::transaction::Cause;
use crate::generation::SharedGeneration;
use crate::guard::Panic;
use crate::ids::{GenerationId, ModuleId};
use crate::refusal::Refusal;
use crate::swap::{self, Transaction};
use crate::worker::event::HostEvent;

/// Swaps that are not committed yet.
#[derive(Default)]
pub struct Probations {
    open: Vec<Probation>,
}

/// One swap, until it is committed or rolled back.
#[derive(Debug)]
pub struct Probation {
    /// New generations, each with the one that it replaced.
    modules: Vec<(SharedGeneration, Option<SharedGeneration>)>,
    frames_left: u64,
}

/// The changes that the panic of one module rolls back.
#[derive(Default)]
pub struct TakenBack {
    /// Generations that come back.
    pub enter: Vec<SharedGeneration>,
    /// Modules that are switched off, since they were new.
    pub leave: Vec<ModuleId>,
    /// Generations that leave.
    pub rejected: Vec<SharedGeneration>,
}

impl Probations {
    /// Starts the probation of a swap. Its modules are removed from older probations.
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

    /// Removes generations that are rolled back.
    pub fn abandon(&mut self, rejected: &[SharedGeneration]) {
        let is_one = |new: &SharedGeneration| rejected.iter().any(|it| Arc::ptr_eq(it, new));
        for probation in &mut self.open {
            probation.modules.retain(|(new, _)| !is_one(new));
        }
        self.open.retain(|probation| !probation.modules.is_empty());
    }

    /// True while a panic of the module rolls it back.
    pub fn holds(&self, id: &ModuleId) -> bool {
        self.open.iter().any(|probation| probation.modules.iter().any(|(g, _)| g.id() == id))
    }

    /// The rollback after a panic of the module: everything that was swapped with it, or the module
    /// alone if it was new with that swap or is not on probation.
    pub fn take(&mut self, id: &ModuleId) -> TakenBack {
        let alone = || TakenBack { leave: vec![id.clone()], ..TakenBack::default() };
        let holds = |p: &Probation| p.modules.iter().any(|(g, _)| g.id() == id);
        let Some(at) = self.open.iter().position(holds) else { return alone() };
        let modules = &mut self.open[at].modules;
        let own = modules.iter().position(|(g, _)| g.id() == id);
        if let Some(own) = own.filter(|own| modules[*own].1.is_none()) {
            let (new, _) = modules.remove(own);
            return TakenBack { rejected: vec![new], ..alone() };
        }
        let (mut enter, mut rejected) = (Vec::new(), Vec::new());
        for (new, old) in self.open.remove(at).modules {
            enter.extend(old);
            rejected.push(new);
        }
        TakenBack { enter, leave: Vec::new(), rejected }
    }

    /// Counts a frame without a panic; returns the generations whose probation is over.
    pub fn end_frame(&mut self) -> Vec<SharedGeneration> {
        let mut committed = Vec::new();
        self.open.retain_mut(|probation| {
            probation.frames_left = probation.frames_left.saturating_sub(1);
            if probation.frames_left == 0 {
                committed.extend(probation.modules.drain(..).map(|(new, _)| new));
            }
            probation.frames_left > 0
        });
        committed
    }
}

impl Host {
    /// Rolls back after a panic. Returns the modules whose generation it removed.
    pub(super) fn on_panic(&mut self, world: &mut World, panic: &Panic) -> Vec<ModuleId> {
        if !self.running.active.contains_key(&panic.module) {
            // The module is already being removed.
            self.report(world, Happened::PanickedAgain(panic.clone()));
            return Vec::new();
        }
        let reason = panic.to_string();
        let TakenBack { enter, leave, rejected } = self.probations.take(&panic.module);
        let mut ended = vec![panic.module.clone()];
        if leave.is_empty() {
            ended.extend(rejected.iter().map(|generation| generation.id().clone()));
            self.history.forget(&rejected);
            let back = (enter, rejected.clone());
            if let Err(refusal) = self.roll_back(world, &panic.module, back, Cause::Panic, &reason)
            {
                let text = format!("{reason}\nthe old code could not come back: {refusal}");
                for generation in &rejected {
                    self.switch_off(world, generation.id(), &text);
                }
            } else {
                self.status_of(&panic.module).newest = NewestSource::RolledBack(reason);
            }
        } else {
            self.switch_off(world, &panic.module, &reason);
        }
        ended
    }

    /// Brings old generations back, together, in place of the rejected ones. `lead` is the module that panicked or was named.
    ///
    /// # Errors
    ///
    /// If they cannot run; nothing has changed then.
    pub(super) fn roll_back(
        &mut self,
        world: &mut World,
        lead: &ModuleId,
        (enter, rejected): (Vec<SharedGeneration>, Vec<SharedGeneration>),
        cause: Cause,
        reason: &str,
    ) -> Result<(), Refusal> {
        // Values that only the new code knows are dropped with it.
        let may_drop = swap::modules_of(&enter);
        let transaction = Transaction { enter: enter.clone(), leave: Vec::new(), may_drop };
        self.transact(world, transaction, cause)?;
        self.report_changed(rejected.clone());
        self.probations.abandon(&rejected);
        let generations: Vec<GenerationId> = enter.iter().map(|old| old.generation_id()).collect();
        let named = generations.iter().find(|generation| generation.module == *lead);
        if let Some(lead) = named.or(generations.first()).cloned() {
            let is_by_hand = cause == Cause::RollbackByHand;
            let reason = reason.to_owned();
            self.report(world, Happened::RolledBack { lead, generations, is_by_hand, reason });
        }
        Ok(())
    }

    /// Counts a frame without a panic towards the commit.
    pub(super) fn end_probations(&mut self) {
        if self.phase.holds_time() {
            return;
        }
        let committed = self.probations.end_frame();
        for generation in &committed {
            self.history.commit(generation);
        }
        if !committed.is_empty() {
            self.worker.report(HostEvent::Committed(committed));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generation::stub;

    fn before(generations: &[&SharedGeneration]) -> BTreeMap<ModuleId, SharedGeneration> {
        generations.iter().map(|it| (it.id().clone(), (*it).clone())).collect()
    }

    fn numbers(generations: &[SharedGeneration]) -> Vec<(String, u32)> {
        generations.iter().map(|it| (it.id().to_string(), it.number)).collect()
    }

    #[test]
    fn a_panic_takes_the_whole_swap_back() {
        let mut probations = Probations::default();
        let (old_a, old_b) = (stub("a", 1), stub("b", 1));
        probations.begin(&[stub("a", 2), stub("b", 2)], &before(&[&old_a, &old_b]), 10);
        assert!(probations.holds(&"a".into()) && probations.holds(&"b".into()));
        let taken = probations.take(&"b".into());
        assert_eq!(numbers(&taken.enter), [("a".to_owned(), 1), ("b".to_owned(), 1)]);
        assert_eq!(numbers(&taken.rejected), [("a".to_owned(), 2), ("b".to_owned(), 2)]);
        assert!(taken.leave.is_empty());
        assert!(!probations.holds(&"a".into()));
    }

    #[test]
    fn a_module_that_was_new_goes_alone() {
        let mut probations = Probations::default();
        let old = stub("a", 1);
        probations.begin(&[stub("a", 2), stub("b", 1)], &before(&[&old]), 10);
        let taken = probations.take(&"b".into());
        assert_eq!(taken.leave, [ModuleId::from("b")]);
        assert_eq!(numbers(&taken.rejected), [("b".to_owned(), 1)]);
        assert!(taken.enter.is_empty());
        // The other one is still on probation.
        assert_eq!(numbers(&probations.take(&"a".into()).enter), [("a".to_owned(), 1)]);
    }

    #[test]
    fn a_module_after_its_probation_is_switched_off() {
        let mut probations = Probations::default();
        let (old, new) = (stub("a", 1), stub("a", 2));
        probations.begin(std::slice::from_ref(&new), &before(&[&old]), 2);
        assert!(probations.end_frame().is_empty());
        assert_eq!(numbers(&probations.end_frame()), [("a".to_owned(), 2)]);
        let taken = probations.take(&"a".into());
        assert_eq!(taken.leave, [ModuleId::from("a")]);
        assert!(taken.enter.is_empty() && taken.rejected.is_empty());
    }

    #[test]
    fn a_newer_swap_takes_a_module_out_of_an_older_one() {
        let mut probations = Probations::default();
        let (a1, b1, a2) = (stub("a", 1), stub("b", 1), stub("a", 2));
        probations.begin(&[a2.clone(), stub("b", 2)], &before(&[&a1, &b1]), 10);
        probations.begin(&[stub("a", 3)], &before(&[&a2]), 10);
        // The rollback of `b` does not touch the newer `a`.
        assert_eq!(numbers(&probations.take(&"b".into()).enter), [("b".to_owned(), 1)]);
        assert_eq!(numbers(&probations.take(&"a".into()).enter), [("a".to_owned(), 2)]);
    }
}
