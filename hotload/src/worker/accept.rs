//! From a build that ended to generations in the process: inspect and load.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use playground_api::schema::{Definition, TypeChange, same_layout};

use super::{Building, State, Tell, groups};
use crate::build::rustc::ms;
use crate::build::{self, Outcome};
use crate::generation::{Generation, SharedGeneration, Times};
use crate::inspect::{self, Inspected, Manifest};
use crate::journal::Stage;
use crate::load;
use crate::plan::Outlines;

/// The source decides the epoch, the artifact proves it: types of the same epoch share their storage,
/// and have to look the same in memory.
fn prove_layouts(running: &Generation, inspected: &Inspected) -> Result<(), String> {
    if running.manifest.epoch != inspected.manifest.epoch {
        return Ok(());
    }
    let old = |new: &&Definition| running.schemas.iter().find(|old| old.name == new.name);
    let changed = inspected.schemas.iter().find_map(|new| {
        let old = old(&new)?;
        (!same_layout(old, new)).then(|| TypeChange::between(old, new))
    });
    let Some(change) = changed else { return Ok(()) };
    Err(format!(
        "H0312: `{}` was built as the same epoch {}, and its types are others: {change}\nStart the \
         game again, and report what was edited: an edit like this has to change the epoch",
        inspected.manifest.id, inspected.manifest.epoch
    ))
}

impl State {
    pub(super) fn hear_built(&mut self, number: u64, outcomes: Option<BTreeMap<String, Outcome>>) {
        let Some(building) = self.building.take_if(|building| building.number == number) else {
            return;
        };
        self.tell(Tell::Progress(None));
        let Some(outcomes) = outcomes else { return };
        let took_ms = ms(building.started);
        let plan_for = self.plan_for.take();
        let mut news = Outlines::new();
        let mut planned = Vec::new();
        for group in groups::groups(&self.catalog, outcomes) {
            let ids: BTreeSet<String> = group.keys().cloned().collect();
            match self.accept(group, &building, took_ms) {
                Some(generations) if plan_for.as_ref().is_some_and(|id| ids.contains(id)) => {
                    self.reached(&generations, Stage::Plan);
                    news = self.outlines_with(&generations);
                    self.reached(&generations, Stage::Loaded);
                    planned = generations;
                }
                Some(generations) => {
                    for generation in generations {
                        self.latest.insert(generation.id().to_owned(), generation);
                    }
                }
                None => {
                    for id in &ids {
                        self.changed.remove(id);
                    }
                    self.unsettled.extend(ids);
                }
            }
        }
        if let Some(id) = plan_for {
            self.changed.remove(&id);
            self.tell_plan(id, &planned, &news);
        }
        self.written = [self.written, building.written].into_iter().flatten().min();
        let manifests = self.manifests();
        self.tell(Tell::Manifests(manifests));
        self.rethink = true;
    }

    /// The generations of a group of modules that live or fall together. `None` when one fell.
    fn accept(
        &mut self,
        group: BTreeMap<String, Outcome>,
        building: &Building,
        took_ms: f32,
    ) -> Option<Vec<SharedGeneration>> {
        let mut failed = false;
        let mut built = Vec::new();
        for (id, outcome) in group {
            match outcome {
                Outcome::Built(artifact) => {
                    self.tell(Tell::Built(id.clone()));
                    built.push((id, artifact));
                }
                Outcome::Failed(messages) => {
                    failed = true;
                    self.tell(Tell::BuildFailed { id, messages, took_ms });
                }
                Outcome::Skipped(core) => {
                    failed = true;
                    let messages = vec![format!("H0309: not built, since `{core}` failed")];
                    self.tell(Tell::BuildFailed { id, messages, took_ms: 0.0 });
                }
            }
        }
        if failed {
            return None;
        }
        let ids: BTreeSet<String> = built.iter().map(|(id, _)| id.clone()).collect();
        let built = match self.without_quarantined(built) {
            Ok(built) => built,
            Err(reason) => {
                self.tell(Tell::Refused { ids, reason });
                return None;
            }
        };
        let mut generations = Vec::new();
        for (id, artifact) in built {
            match self.bring_in(&id, artifact, building) {
                Ok(generation) => generations.push(generation),
                Err(reason) => {
                    self.tell(Tell::Refused { ids, reason });
                    return None;
                }
            }
        }
        Some(generations)
    }

    /// inspect → load.
    fn bring_in(
        &mut self,
        id: &str,
        built: build::Built,
        building: &Building,
    ) -> Result<SharedGeneration, String> {
        let facts = self.facts.wait().as_ref().map_err(Clone::clone)?;
        let started = Instant::now();
        let inspected =
            inspect::inspect(&built.path, built.bytes, id, facts).map_err(|e| e.to_string())?;
        if !self.stands_in(id, &inspected.hash) {
            self.check_epochs(id, &inspected.manifest)?;
        }
        if let Some(running) = self.runs.get(id) {
            prove_layouts(running, &inspected)?;
        }
        let inspect_ms = ms(started);
        let started = Instant::now();
        self.before_load(id, &inspected.hash, inspected.bytes());
        let loaded = load::load(&inspected);
        if loaded.is_err() {
            self.not_loaded(&inspected.hash);
        }
        let code = loaded.map_err(|error| error.to_string())?;
        self.after_load(id, &inspected.hash);
        let number = self.numbers.entry(id.to_owned()).or_default();
        *number += 1;
        let times = Times {
            watch_ms: building.watch_ms,
            compile: built.times,
            inspect_ms,
            load_ms: ms(started),
            ..Times::default()
        };
        let generation = Generation {
            number: *number,
            hash: inspected.hash.clone(),
            manifest: inspected.manifest,
            schemas: inspected.schemas,
            code,
            times,
        };
        Ok(Arc::new(generation))
    }

    /// The source decides the epoch; the artifact has to say the same.
    fn check_epochs(&self, id: &str, manifest: &Manifest) -> Result<(), String> {
        let Some(inputs) = self.inputs.get(id) else { return Ok(()) };
        if manifest.epoch == inputs.epoch && manifest.cores == inputs.cores {
            return Ok(());
        }
        Err(format!(
            "H0311: the artifact of `{id}` was built as epoch {} over {:?}, and its source is \
             epoch {} over {:?}. Save it again, or `reload {id}`",
            manifest.epoch, manifest.cores, inputs.epoch, inputs.cores
        ))
    }
}
