//! Rolls back to an older generation on command.

use std::collections::BTreeMap;
use std::sync::Arc;

use bevy::prelude::*;

use super::Host;
use super::transaction::Cause;
use crate::console::view::Level;
use crate::generation::SharedGeneration;
use crate::ids::ModuleId;
use crate::inspect::{Manifest, check_graph};
use crate::plan::{self, Outlines, Trial};
use crate::refusal::{CommandError, Refusal};

impl Host {
    /// The command `rollback`.
    pub(super) fn roll_back_by_hand(
        &mut self,
        world: &mut World,
        id: &ModuleId,
        generation: Option<u32>,
        state: bool,
    ) {
        if !self.known(world, id) {
            return;
        }
        let before = self.last_generation(id).and_then(|last| self.history.before(last));
        let Some(number) = generation.or(before) else {
            let text = format!("there is no older generation of `{id}` to go back to");
            return self.print(world, Level::Error, &text);
        };
        if self.running.active.get(id).is_some_and(|active| active.generation.number == number) {
            return self.print(world, Level::Info, &format!("generation {number} of {id} runs"));
        }
        let is_off = !self.running.active.contains_key(id);
        if is_off && self.selection.switched.get(id) != Some(&false) {
            let text =
                format!("`{id}` is no part of what runs: change to an app that it belongs to");
            return self.print(world, Level::Error, &text);
        }
        if let Err(error) = self.go_back(world, id, number, is_off, state) {
            self.print(world, Level::Error, &Refusal::from(error).to_string());
        }
    }

    fn go_back(
        &mut self,
        world: &mut World,
        id: &ModuleId,
        number: u32,
        is_off: bool,
        state: bool,
    ) -> Result<(), CommandError> {
        let cannot = |reason: Refusal| CommandError::NoRollback { module: id.clone(), reason };
        let mut way = self.history.way_back(id, number)?;
        // Modules that were switched off since then stay off; those that were switched off after a
        // panic return.
        way.retain(|other| other == id || self.running.active.contains_key(other));
        let enter = self.planned(&way.enter).map_err(cannot)?;
        let newest = |old: &SharedGeneration| self.last_generation(old.id()).cloned();
        let rejected: Vec<SharedGeneration> = enter.iter().filter_map(newest).collect();
        let before = self.selection.clone();
        if is_off {
            self.selection.switched.insert(id.clone(), true);
        }
        let back = self.roll_back(world, id, (enter, rejected), Cause::RollbackByHand, "by hand");
        if let Err(refusal) = back {
            self.selection = before;
            return Err(cannot(refusal));
        }
        if state {
            self.history
                .snapshots(&way)
                .try_for_each(|(snapshot, modules)| snapshot.restore(world, modules))
                .map_err(CommandError::StateStays)?;
        }
        Ok(())
    }

    /// Orders these, each after the modules that it requires, once they are known to run with those
    /// that stay.
    fn planned(&self, enter: &[SharedGeneration]) -> Result<Vec<SharedGeneration>, Refusal> {
        let mut all = self.generations();
        all.extend(enter.iter().map(|old| (old.id().clone(), old.clone())));
        let manifests: BTreeMap<ModuleId, Manifest> =
            all.iter().map(|(id, module)| (id.clone(), module.manifest.clone())).collect();
        let order = check_graph(&manifests)?;
        let in_order: Vec<SharedGeneration> =
            order.iter().filter_map(|id| all.get(id).cloned()).collect();
        plan::plan(&in_order, &Outlines::new(), Trial::Due)?;
        let enters = |module: &SharedGeneration| enter.iter().any(|it| Arc::ptr_eq(it, module));
        Ok(in_order.into_iter().filter(enters).collect())
    }

    /// The command `history`.
    pub(super) fn show_history(&self, world: &mut World, id: &ModuleId) {
        if self.known(world, id) {
            let active = self.running.active.get(id).map(|active| &active.generation);
            self.print(world, Level::Info, &self.history.text(id, active));
        }
    }
}
