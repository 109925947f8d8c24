//! Builds what changed; a newer change takes the place of a build under way.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Instant, SystemTime};

use super::{Ask, Building, State, Tell};
use crate::build::rustc::Cancel;
use crate::build::{self, Batch, Inputs};
use crate::ids::ModuleId;

impl State {
    /// False where nothing can be read: what is known stays, until somebody saves or asks again.
    pub(super) fn find_changes(&mut self) -> bool {
        let Some(folders) = &self.folders else { return true };
        let workspace = &folders.workspace;
        let inputs = build::inputs(&self.catalog, &self.recipes, &self.inputs, workspace);
        let inputs = match inputs {
            Ok(inputs) => inputs,
            Err(error) => {
                let reason = Some(error.to_string());
                // A save is several events; whoever asks gets an answer.
                if self.unread != reason || !self.open.is_empty() {
                    self.tell(Tell::Trouble(error.to_string()));
                }
                self.unread = reason;
                return false;
            }
        };
        self.unread = None;
        let differs = |(id, inputs): &(&ModuleId, &Inputs)| self.inputs.get(*id) != Some(inputs);
        let dirty: BTreeSet<ModuleId> =
            inputs.iter().filter(differs).map(|(id, _)| id.clone()).collect();
        // Dependents are built again, but it is their core that changed.
        let roots = dirty.iter().filter(|id| self.catalog.links_of(id).is_disjoint(&dirty));
        let roots: BTreeSet<ModuleId> = roots.cloned().collect();
        self.inputs = inputs;
        if dirty.is_empty() {
            if self.building.is_none() && self.open.is_empty() {
                self.written = None;
            }
            return true;
        }
        let edited: BTreeSet<ModuleId> =
            roots.iter().filter(|id| self.latest.contains_key(*id)).cloned().collect();
        if !edited.is_empty() {
            self.tell(Tell::Changed(edited));
        }
        self.changed.extend(roots);
        self.open.extend(dirty);
        true
    }

    pub(super) fn start_build(&mut self) {
        self.open.retain(|id| self.catalog.crates.contains_key(id));
        let Some(folders) = self.folders.clone() else { return };
        if self.open.is_empty() {
            return;
        }
        let mut ids = std::mem::take(&mut self.open);
        ids.append(&mut self.unsettled);
        if let Some(building) = self.building.take() {
            building.cancel.cancel();
            ids.extend(building.ids);
            self.written = [self.written, building.written].into_iter().flatten().min();
        }
        ids.retain(|id| self.catalog.crates.contains_key(id));
        let written = self.written.take();
        let since = |at: SystemTime| SystemTime::now().duration_since(at).unwrap_or_default();
        self.batches += 1;
        let building = Building {
            number: self.batches,
            cancel: Cancel::default(),
            total: ids.len(),
            ids: ids.clone(),
            done: 0,
            started: Instant::now(),
            written,
            watch_ms: written.map_or(0.0, |at| since(at).as_secs_f32() * 1000.0),
        };
        let batch = Batch {
            folders,
            members: self.catalog.clone(),
            recipes: self.recipes.clone(),
            inputs: self.inputs.clone(),
            ids,
            linker: self.linker.clone(),
            standby: self.standby.clone(),
        };
        let (number, cancel, ask) = (building.number, building.cancel.clone(), self.ask.clone());
        self.building = Some(building);
        thread::spawn(move || {
            let said = |said| {
                let _ = ask.send(Ask::Said { number, said });
            };
            let outcomes = build::build(&batch, &cancel, said);
            let _ = ask.send(Ask::Built { number, outcomes });
        });
    }
}
