//! Plan: tries the modules that would run together before any of their code reaches the game.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use playground_pack::resolve::Cycle;

use super::{AttemptError, ModulePlan, Planned, Run};
use crate::build::rustc::ms;
use crate::generation::SharedGeneration;
use crate::ids::ModuleId;
use crate::inspect::{Manifest, check_graph};
use crate::journal::Stage;
use crate::packs::PacksError;
use crate::packs::order::order;
use crate::plan::change::Change;
use crate::plan::{self, Outlines, Trial as Scratch};
use crate::refusal::Refusal;
use crate::resolve::resolve;
use crate::swap::replaced::ReplacedTypes;
use crate::worker::request::Goal;

/// Modules that can run together, with their outlines.
pub(super) struct PlannedSet {
    modules: Vec<SharedGeneration>,
    outlines: Outlines,
}

impl PlannedSet {
    fn is_of(&self, modules: &[SharedGeneration]) -> bool {
        let has = |module| self.modules.iter().any(|other| Arc::ptr_eq(other, module));
        self.modules.len() == modules.len() && modules.iter().all(has)
    }
}

impl Run<'_> {
    /// Plans a group together with all modules that would run beside it.
    ///
    /// # Errors
    ///
    /// If they cannot run together. The groups before it can.
    pub(super) fn plan(
        &mut self,
        loaded: Vec<SharedGeneration>,
        goal: Goal,
        asked: &[ModuleId],
    ) -> Result<Vec<SharedGeneration>, AttemptError> {
        self.check_cancelled()?;
        let started = Instant::now();
        if !asked.is_empty() {
            self.plan_for_show(&loaded, asked)?;
        }
        if goal.goes_live() {
            let before = self.good.clone();
            let new = loaded.iter().map(|new| (new.id().clone(), new.clone()));
            self.good.extend(new);
            let target = self.target();
            if let Err(refusal) = self.plan_set(&target) {
                self.good = before;
                return Err(AttemptError::Refused(refusal));
            }
        }
        self.plan_ms += ms(started);
        Ok(loaded)
    }

    /// The swap from the running modules to those of the selection that can run.
    pub(super) fn plan_selection(&mut self) -> Result<Planned, Refusal> {
        let started = Instant::now();
        check_graph(&self.manifests())?;
        self.load_order(&self.manifests()).map_err(PacksError::Order)?;
        let target = self.target();
        let running = &self.attempt.running.generations;
        let runs = |it: &SharedGeneration| {
            running.get(it.id()).is_some_and(|running| Arc::ptr_eq(running, it))
        };
        let enter: Vec<SharedGeneration> = target.iter().filter(|it| !runs(it)).cloned().collect();
        let stays = |id: &ModuleId| target.iter().any(|module| module.id() == id);
        let leave: BTreeSet<ModuleId> = running.keys().filter(|id| !stays(id)).cloned().collect();
        let outlines = if enter.is_empty() {
            let mut outlines = self.running_outlines().as_ref().clone();
            outlines.retain(|id, _| !leave.contains(id));
            outlines
        } else {
            self.plan_set(&target)?
        };
        let Self { attempt, plan_ms, .. } = self;
        Ok(Planned {
            running_version: attempt.running.version,
            selection: attempt.selection.clone(),
            enter,
            leave,
            outlines,
            plan_ms: *plan_ms + ms(started),
        })
    }

    /// Tries a set of modules together, unless the last one tried was the same.
    fn plan_set(&mut self, target: &[SharedGeneration]) -> Result<Outlines, Refusal> {
        if let Some(planned) = self.last_plan.as_ref().filter(|planned| planned.is_of(target)) {
            return Ok(planned.outlines.clone());
        }
        let was_tried = self.trial.is_of(target);
        let scratch = if was_tried { Scratch::Done } else { Scratch::Due };
        let running = self.running_outlines();
        // Code of new modules runs only while it is planned, so a crash then is attributed to them.
        self.reached(target, Stage::Plan);
        let planned = plan::plan(target, &running, scratch);
        self.reached(target, Stage::Loaded);
        let outlines = planned?;
        if was_tried {
            self.trial.check_same(&outlines)?;
        }
        let (modules, planned) = (target.to_vec(), outlines.clone());
        self.last_plan = Some(PlannedSet { modules, outlines: planned });
        Ok(outlines)
    }

    /// Plans the swap of a group, for the modules whose plan was requested.
    fn plan_for_show(
        &mut self,
        loaded: &[SharedGeneration],
        asked: &[ModuleId],
    ) -> Result<(), Refusal> {
        let mut target = self.attempt.running.generations.clone();
        target.extend(loaded.iter().map(|new| (new.id().clone(), new.clone())));
        let target = self.in_order(target.into_values().collect());
        let new = self.plan_set(&target)?;
        let old = self.running_outlines();
        for id in asked {
            let shown = new.iter().filter(|(module, _)| {
                *module == id || !self.attempt.running.generations.contains_key(*module)
            });
            let plans = shown.map(|(module, outline)| ModulePlan {
                module: module.clone(),
                change: Change::between(old.get(module), outline),
                replaced: self.replaced_types(loaded, module),
            });
            let plans = plans.collect();
            self.plans.push((id.clone(), plans));
        }
        Ok(())
    }

    fn replaced_types(&self, loaded: &[SharedGeneration], module: &ModuleId) -> ReplacedTypes {
        let mut replaced = ReplacedTypes::default();
        let new = loaded.iter().find(|generation| generation.id() == module);
        let old = self.attempt.running.generations.get(module);
        if let Some((new, old)) = new.zip(old) {
            replaced.add(&old.manifest, &new.manifest);
        }
        replaced
    }

    /// The outlines of the running modules. After a rollback they are recorded again.
    fn running_outlines(&mut self) -> Arc<Outlines> {
        if let Some(outlines) = &self.outlines {
            return outlines.clone();
        }
        let running = self.attempt.running.generations.values().cloned().collect();
        let running = self.in_order(running);
        // They are running, so they can run together.
        let outlines = plan::plan(&running, &Outlines::new(), Scratch::Done).unwrap_or_default();
        self.outlines.insert(Arc::new(outlines)).clone()
    }

    /// The modules of the selection that can run, each after the modules that it requires.
    fn target(&self) -> Vec<SharedGeneration> {
        let selected = resolve(&self.manifests(), &self.attempt.selection);
        self.in_order(selected.iter().filter_map(|id| self.good.get(id)).cloned().collect())
    }

    /// Orders them so that each comes after the modules that it requires, and types exist before
    /// they are used.
    fn in_order(&self, mut generations: Vec<SharedGeneration>) -> Vec<SharedGeneration> {
        // Of these alone: what else could run must not change their order.
        let manifests = generations.iter().map(|it| (it.id().clone(), it.manifest.clone()));
        let manifests = manifests.collect();
        // If they cannot be ordered, the plan of the selection reports why.
        let order = self.load_order(&manifests).unwrap_or_default();
        generations.sort_by_key(|generation| order.iter().position(|id| id == generation.id()));
        generations
    }

    /// The order in which modules are loaded.
    pub(super) fn load_order(
        &self,
        manifests: &BTreeMap<ModuleId, Manifest>,
    ) -> Result<Vec<ModuleId>, Cycle> {
        order(manifests, &self.attempt.workspace.members, self.tools.shuffle)
    }

    pub(super) fn manifests(&self) -> BTreeMap<ModuleId, Manifest> {
        self.good.iter().map(|(id, good)| (id.clone(), good.manifest.clone())).collect()
    }

    /// Records the stage of new code; running code is at a later stage already.
    fn reached(&mut self, generations: &[SharedGeneration], stage: Stage) {
        for generation in generations {
            if !self.runs(&generation.hash) {
                self.note(|journal| journal.reached(generation.id(), &generation.hash, stage));
            }
        }
    }
}
