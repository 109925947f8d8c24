//! Has a probe try new code, before it comes into the process.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::accept::NotIn;
use super::{State, Tell};
use crate::generation::SharedGeneration;
use crate::ids::{ArtifactHash, ModuleId};
use crate::inspect::{self, Manifest};
use crate::load::Sealed;
use crate::plan::Outlines;
use crate::probe::{Asked, Image, Probe, ProbeError, Prober};
use crate::resolve;

/// A trial that takes longer is given up for a newer change.
const PATIENCE: Duration = Duration::from_millis(200);

/// What a probe found out of modules that run together.
#[derive(Default)]
pub(super) struct Tried {
    /// Their artifacts.
    hashes: BTreeSet<ArtifactHash>,
    asked: BTreeMap<ModuleId, Asked>,
}

impl Tried {
    /// True if the probe tried these modules together.
    pub(super) fn is_of(&self, modules: &[SharedGeneration]) -> bool {
        modules.len() == self.hashes.len()
            && modules.iter().all(|module| self.hashes.contains(&module.hash))
    }

    /// The module whose `build` asks for something else than it did in the probe.
    pub(super) fn other_than(&self, outlines: &Outlines) -> Option<String> {
        let differs = |(id, outline): &(&ModuleId, &crate::plan::Outline)| {
            self.asked.get(*id).is_some_and(|asked| *asked != Asked::of(outline))
        };
        outlines.iter().find(differs).map(|(id, _)| {
            format!(
                "H0405: the `build` of module `{id}` asks for other systems, types or commands than \
                 it did in the probe. Have it record the same at every call, and decide with run \
                 conditions, not with files or the time"
            )
        })
    }
}

fn of_running(generation: &SharedGeneration) -> Image {
    Image {
        module: generation.id().clone(),
        hash: generation.hash.clone(),
        path: generation.code.image_path(),
    }
}

impl State {
    /// Has new artifacts loaded and tried together with all that would run beside them.
    pub(super) fn probe(&mut self, new: &[&Sealed]) -> Result<Tried, NotIn> {
        let probe = match self.probe.take() {
            Some(probe) => Ok(Some(probe)),
            None => Probe::start(&self.prober),
        };
        let Some(probe) = probe.map_err(refused)? else { return Ok(Tried::default()) };
        let image = |sealed: &&Sealed| Image {
            module: sealed.inspected.manifest.id.clone(),
            hash: sealed.inspected.hash.clone(),
            path: sealed.path(),
        };
        let new: Vec<(&Manifest, Image)> =
            new.iter().map(|sealed| (&sealed.inspected.manifest, image(sealed))).collect();
        let together = self.together_with(&new);
        let hashes = together.iter().map(|image| image.hash.clone()).collect();
        let new = new.into_iter().map(|(_, image)| image).collect();
        let (newer, stopped) = (self.newer.clone(), self.stopped.clone());
        let started = Instant::now();
        let abandoned = || {
            let waits_long = started.elapsed() > PATIENCE;
            stopped.is_cancelled() || (waits_long && newer.load(Ordering::Relaxed))
        };
        let asked = probe.attempt(new, together, self.probe_limit, abandoned).map_err(refused)?;
        Ok(Tried { hashes, asked })
    }

    /// What would run with these, each behind what it requires.
    fn together_with(&self, new: &[(&Manifest, Image)]) -> Vec<Image> {
        let mut manifests = self.manifests();
        let own = new.iter().map(|(manifest, _)| (manifest.id.clone(), (*manifest).clone()));
        manifests.extend(own);
        let mut together: Vec<Image> = resolve::resolve(&manifests, &self.wanted)
            .iter()
            .filter_map(|id| {
                let new = new.iter().find(|(manifest, _)| manifest.id == *id);
                let new = new.map(|(_, image)| image.clone());
                new.or_else(|| self.latest.get(id).map(of_running))
            })
            .collect();
        let order = inspect::graph::check_graph(&manifests).unwrap_or_default();
        together.sort_by_key(|image| order.iter().position(|id| *id == image.module));
        together
    }

    /// Starts the next probe, and has it load what runs, while nobody waits for it.
    pub(super) fn refill_probe(&mut self) {
        if self.prober == Prober::Off {
            return;
        }
        if self.probe.is_none() {
            match Probe::start(&self.prober) {
                Ok(probe) => self.probe = probe,
                // Tried again, and refused if it fails, when there is new code.
                Err(error) => self.tell(Tell::Warning(error.to_string())),
            }
        }
        if let Some(probe) = &mut self.probe {
            probe.preload(self.runs.values().map(of_running));
        }
    }
}

fn refused(error: ProbeError) -> NotIn {
    match error {
        ProbeError::Abandoned => NotIn::Abandoned,
        error => NotIn::Refused(error.to_string()),
    }
}
