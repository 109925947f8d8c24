//! From a build that ended to generations in the process: inspect, probe and load.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use playground_api::schema::{Definition, TypeChange, same_layout};

use super::{Building, State, Tell, groups};
use crate::build::rustc::ms;
use crate::build::{self, Outcome};
use crate::generation::{Generation, SharedGeneration, Times};
use crate::ids::ModuleId;
use crate::inspect::{self, Inspected, Manifest};
use crate::journal::Stage;
use crate::load::{self, Sealed};
use crate::plan::Outlines;

/// Why built modules do not come into the process.
pub(super) enum NotIn {
    /// They will not run.
    Refused(String),
    /// They will not run, and the host knows.
    Told,
    /// Their source changed again; they are built with the change.
    Abandoned,
}

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
    pub(super) fn hear_built(
        &mut self,
        number: u64,
        outcomes: Option<BTreeMap<ModuleId, Outcome>>,
    ) {
        let Some(building) = self.building.take_if(|building| building.number == number) else {
            return;
        };
        self.tell(Tell::Progress(None));
        let Some(outcomes) = outcomes else { return };
        let took_ms = ms(building.started);
        let plan_for = self.plan_for.take();
        let mut news = Outlines::new();
        let mut planned = Vec::new();
        let mut abandoned = false;
        for group in groups::groups(&self.catalog, outcomes) {
            let ids: BTreeSet<ModuleId> = group.keys().cloned().collect();
            match self.accept(group, &building, took_ms) {
                Ok(generations) if plan_for.as_ref().is_some_and(|id| ids.contains(id)) => {
                    self.reached(&generations, Stage::Plan);
                    news = self.outlines_with(&generations);
                    self.reached(&generations, Stage::Loaded);
                    planned = generations;
                }
                Ok(generations) => {
                    for generation in generations {
                        self.latest.insert(generation.id().clone(), generation);
                    }
                }
                Err(NotIn::Abandoned) => {
                    abandoned = true;
                    self.look = true;
                    self.open.extend(ids);
                }
                Err(NotIn::Refused(_) | NotIn::Told) => {
                    for id in &ids {
                        self.changed.remove(id);
                    }
                    self.tell(Tell::Over { ids: ids.clone(), wanted: false });
                    self.unsettled.extend(ids);
                }
            }
        }
        if abandoned {
            self.plan_for = plan_for;
        } else if let Some(id) = plan_for {
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
        group: BTreeMap<ModuleId, Outcome>,
        building: &Building,
        took_ms: f32,
    ) -> Result<Vec<SharedGeneration>, NotIn> {
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
            return Err(NotIn::Told);
        }
        let ids: BTreeSet<ModuleId> = built.iter().map(|(id, _)| id.clone()).collect();
        let accepted = self
            .without_quarantined(built)
            .map_err(NotIn::Refused)
            .and_then(|built| self.bring_in(built, building.watch_ms));
        accepted.map_err(|error| match error {
            NotIn::Refused(reason) => {
                self.tell(Tell::Refused { ids, reason });
                NotIn::Told
            }
            other => other,
        })
    }

    /// inspect → probe → load.
    pub(super) fn bring_in(
        &mut self,
        built: Vec<(ModuleId, build::Built)>,
        watch_ms: f32,
    ) -> Result<Vec<SharedGeneration>, NotIn> {
        if let Some(reason) = self.usage.full() {
            return Err(NotIn::Refused(reason));
        }
        let mut sealed = Vec::with_capacity(built.len());
        for (id, artifact) in built {
            let started = Instant::now();
            let compile = artifact.times;
            let checked = self.check(&id, artifact).map_err(NotIn::Refused)?;
            let times = Times { watch_ms, compile, inspect_ms: ms(started), ..Times::default() };
            sealed.push((checked, times));
        }
        let started = Instant::now();
        let tried: Vec<&Sealed> = sealed.iter().map(|(sealed, _)| sealed).collect();
        let asked = self.probe(&tried)?;
        let probe_ms = ms(started);
        let mut generations = Vec::with_capacity(sealed.len());
        for (sealed, times) in sealed {
            let generation = self.load(sealed, Times { probe_ms, ..times });
            generations.push(generation.map_err(NotIn::Refused)?);
        }
        self.tried = asked;
        Ok(generations)
    }

    /// inspect: whether this may be loaded in place of what runs.
    fn check(&self, id: &ModuleId, built: build::Built) -> Result<Sealed, String> {
        let facts = self.facts.wait().as_ref().map_err(Clone::clone)?;
        let inspected =
            inspect::inspect(&built.path, built.bytes, id, facts).map_err(|e| e.to_string())?;
        if !self.stands_in(id, &inspected.hash) {
            self.check_epochs(id, &inspected.manifest)?;
        }
        if let Some(running) = self.runs.get(id) {
            prove_layouts(running, &inspected)?;
        }
        load::seal(inspected).map_err(|error| error.to_string())
    }

    fn load(&mut self, sealed: Sealed, times: Times) -> Result<SharedGeneration, String> {
        let started = Instant::now();
        let (id, hash) = (sealed.inspected.manifest.id.clone(), sealed.inspected.hash.clone());
        self.before_load(&id, &hash, sealed.inspected.bytes());
        let loaded = load::load(sealed);
        self.usage_is_old = true;
        if loaded.is_err() {
            self.not_loaded(&hash);
        }
        let (code, inspected) = loaded.map_err(|error| error.to_string())?;
        self.after_load(&id, &hash);
        let number = self.numbers.entry(id).or_default();
        *number += 1;
        let generation = Generation {
            number: *number,
            hash,
            manifest: inspected.manifest,
            schemas: inspected.schemas,
            code,
            times: Times { load_ms: ms(started), ..times },
        };
        Ok(Arc::new(generation))
    }

    /// The source decides the epoch; the artifact has to say the same.
    fn check_epochs(&self, id: &ModuleId, manifest: &Manifest) -> Result<(), String> {
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
