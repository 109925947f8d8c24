//! Which generations are to run, once they are known to run together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use super::{PlanOf, Prepared, State, Tell};
use crate::build::rustc::ms;
use crate::generation::SharedGeneration;
use crate::ids::ModuleId;
use crate::inspect::{self, Manifest};
use crate::journal::Stage;
use crate::plan::change::Change;
use crate::plan::{self, Outlines, Trial};
use crate::resolve;

impl State {
    pub(super) fn manifests(&self) -> BTreeMap<ModuleId, Manifest> {
        self.latest.iter().map(|(id, latest)| (id.clone(), latest.manifest.clone())).collect()
    }

    /// Says what is to run, once it is known to run together.
    pub(super) fn propose(&mut self) {
        if self.proposed || self.recipes.by_module.is_empty() {
            return;
        }
        let started = Instant::now();
        let manifests = self.manifests();
        if let Err(error) = inspect::graph::check_graph(&manifests) {
            return self.refuse(error.to_string());
        }
        let roster = resolve::resolve(&manifests, &self.wanted);
        let target: Vec<SharedGeneration> =
            roster.iter().filter_map(|id| self.latest.get(id)).cloned().collect();
        let runs = |generation: &&SharedGeneration| {
            let running = self.runs.get(generation.id());
            running.is_some_and(|running| Arc::ptr_eq(running, generation))
        };
        let enter: Vec<SharedGeneration> = target.iter().filter(|g| !runs(g)).cloned().collect();
        let leave: BTreeSet<ModuleId> =
            self.runs.keys().filter(|id| !roster.contains(*id)).cloned().collect();
        let nothing_changes = enter.is_empty() && leave.is_empty() && self.changed.is_empty();
        if nothing_changes && self.done.as_ref() == Some(&self.wanted) {
            return;
        }
        let outlines = if enter.is_empty() {
            let stays = |(id, _): &(&ModuleId, &plan::Outline)| !leave.contains(*id);
            let kept = self.outlines.iter().filter(stays);
            kept.map(|(id, outline)| (id.clone(), outline.clone())).collect()
        } else {
            self.reached(&enter, Stage::Plan);
            let planned = self.plan_in_order(&target).map_err(|refusal| refusal.to_string());
            let same = |outlines: &Outlines| match self.tried.other_than(outlines) {
                Some(reason) if self.tried.is_of(&target) => Err(reason),
                _ => Ok(()),
            };
            match planned.and_then(|outlines| same(&outlines).map(|()| outlines)) {
                Ok(outlines) => outlines,
                Err(reason) => return self.refuse(reason),
            }
        };
        let removed = |id: &&ModuleId| !self.catalog.crates.contains_key(*id);
        let prepared = Prepared {
            enter: self.in_order(enter),
            removed: leave.iter().filter(removed).cloned().collect(),
            leave,
            changed: std::mem::take(&mut self.changed),
            wanted: self.wanted.clone(),
            force: std::mem::take(&mut self.force),
            written: self.written.take(),
            plan_ms: ms(started),
        };
        self.done = Some(self.wanted.clone());
        self.reached(&prepared.enter, Stage::Swap);
        self.proposed = true;
        self.proposal = Some(outlines);
        self.tell(Tell::Prepared(Box::new(prepared)));
    }

    fn plan_in_order(&self, target: &[SharedGeneration]) -> Result<Outlines, plan::Refusal> {
        let was_tried = self.tried.is_of(target);
        let trial = if was_tried { Trial::Done } else { Trial::Due };
        plan::plan(&self.in_order(target.to_vec()), &self.outlines, trial)
    }

    /// Each behind what it requires, so that types are there before what uses them.
    pub(super) fn in_order(&self, mut generations: Vec<SharedGeneration>) -> Vec<SharedGeneration> {
        let order = inspect::graph::check_graph(&self.manifests()).unwrap_or_default();
        let place = |id: &ModuleId| order.iter().position(|known| known == id);
        generations.sort_by_key(|generation| place(generation.id()));
        generations
    }

    /// The newest generations will not run: what runs stays, until the source changes.
    fn refuse(&mut self, reason: String) {
        let newer = |id: &&ModuleId| {
            let (latest, runs) = (self.latest.get(*id), self.runs.get(*id));
            latest.is_some_and(|latest| runs.is_none_or(|runs| !Arc::ptr_eq(latest, runs)))
        };
        let ids: BTreeSet<ModuleId> = self.latest.keys().filter(newer).cloned().collect();
        let named: BTreeSet<ModuleId> = self.changed.intersection(&ids).cloned().collect();
        let refused: Vec<SharedGeneration> =
            ids.iter().filter_map(|id| self.latest.get(id)).cloned().collect();
        self.given_up(&refused);
        for id in &ids {
            match self.runs.get(id) {
                Some(runs) => self.latest.insert(id.clone(), runs.clone()),
                None => self.latest.remove(id),
            };
        }
        self.unsettled.extend(ids.iter().cloned());
        self.changed.clear();
        self.written = None;
        let named = if named.is_empty() { ids.clone() } else { named };
        self.tell(Tell::Refused { ids: named, reason });
        self.tell(Tell::Over { ids, wanted: true });
        // The rest may still run.
        if self.runs.is_empty() && !self.latest.is_empty() {
            self.rethink = true;
        }
    }

    pub(super) fn outlines_with(&self, generations: &[SharedGeneration]) -> Outlines {
        let mut target = self.runs.clone();
        for generation in generations {
            target.insert(generation.id().clone(), generation.clone());
        }
        let target: Vec<SharedGeneration> = target.into_values().collect();
        match self.plan_in_order(&target) {
            Ok(outlines) => outlines,
            Err(refusal) => {
                let ids = generations.iter().map(|g| g.id().clone()).collect();
                self.tell(Tell::Refused { ids, reason: refusal.to_string() });
                Outlines::new()
            }
        }
    }

    pub(super) fn tell_plan(
        &self,
        id: ModuleId,
        generations: &[SharedGeneration],
        news: &Outlines,
    ) {
        let mut modules = Vec::new();
        for (module, new) in news {
            let same = self.runs.get(module).is_some_and(|_| *module != id);
            if !same {
                modules.push(PlanOf {
                    change: Change::between(self.outlines.get(module), new),
                    new_epoch: generations.iter().any(|generation| {
                        let runs = self.runs.get(module);
                        let other = |runs: &SharedGeneration| {
                            runs.manifest.epoch != generation.manifest.epoch
                        };
                        generation.id() == module && runs.is_some_and(other)
                    }),
                    module: module.clone(),
                });
            }
        }
        let dependents = self.catalog.with_dependents(&BTreeSet::from([id.clone()]));
        let along = dependents.into_iter().filter(|dependent| *dependent != id).collect();
        self.tell(Tell::Plan { id, modules, along });
    }
}
