//! Probe: another process runs the new code first.

use std::collections::BTreeSet;
use std::time::Instant;

use super::{AttemptError, Run, lock};
use crate::build::rustc::ms;
use crate::generation::{SharedGeneration, Times};
use crate::ids::{ArtifactHash, ModuleId};
use crate::inspect::Manifest;
use crate::load::Sealed;
use crate::plan::Outlines;
use crate::probe::{Asked, Image, ProbeError, Tried};
use crate::resolve::resolve;
use crate::stored::Stored;

/// The result of probing modules that would run together.
#[derive(Default)]
pub struct Trial {
    /// Their artifacts.
    hashes: BTreeSet<ArtifactHash>,
    tried: Tried,
}

impl Trial {
    /// True if the probe tried these modules together.
    pub fn is_of(&self, modules: &[SharedGeneration]) -> bool {
        modules.len() == self.hashes.len()
            && modules.iter().all(|module| self.hashes.contains(&module.hash))
    }

    /// The types that a new module names; `None` if no probe ran.
    pub fn stored_by(&mut self, id: &ModuleId) -> Option<Vec<Stored>> {
        self.tried.stored.remove(id)
    }

    /// Compares the outlines of the modules with those that the probe recorded.
    ///
    /// # Errors
    ///
    /// If the `build` of one of them does not do the same on every call.
    pub fn check_same(&self, outlines: &Outlines) -> Result<(), ProbeError> {
        let other = outlines.iter().find(|(id, outline)| {
            self.tried.asked.get(*id).is_some_and(|asked| *asked != Asked::of(outline))
        });
        other.map_or(Ok(()), |(module, _)| Err(ProbeError::Differs { module: module.clone() }))
    }
}

impl Run<'_> {
    /// Loads new artifacts in the probe, and tries them with all modules that would run beside
    /// them.
    pub(super) fn probe(
        &mut self,
        sealed: Vec<(Sealed, Times)>,
    ) -> Result<Vec<(Sealed, Times)>, AttemptError> {
        self.check_cancelled()?;
        let started = Instant::now();
        let probe = match lock(&self.tools.probe).take() {
            Some(probe) => Some(probe),
            None => self.tools.start_probe()?,
        };
        let Some(probe) = probe else {
            self.trial = Trial::default();
            return Ok(sealed);
        };
        let new: Vec<(&Manifest, Image)> = sealed
            .iter()
            .map(|(sealed, _)| (sealed.inspected().manifest(), image(sealed)))
            .collect();
        let together = self.together_with(&new);
        let hashes = together.iter().map(|image| image.hash.clone()).collect();
        let new = new.into_iter().map(|(_, image)| image).collect();
        let cancelled = || self.cancel.is_cancelled();
        let tried = probe.attempt(new, together, self.tools.probe_limit, cancelled);
        let tried = tried.map_err(|error| match error {
            ProbeError::Abandoned => AttemptError::Cancelled,
            error => AttemptError::Refused(error.into()),
        })?;
        let (probe_ms, stored_ms) = (ms(started), tried.stored_ms);
        self.trial = Trial { hashes, tried };
        let timed = |(sealed, times): (Sealed, Times)| {
            let layouts_ms = times.layouts_ms + stored_ms;
            (sealed, Times { probe_ms, layouts_ms, ..times })
        };
        Ok(sealed.into_iter().map(timed).collect())
    }

    /// The set of modules that would run with these, each after the modules that it requires.
    fn together_with(&self, new: &[(&Manifest, Image)]) -> Vec<Image> {
        let mut manifests = self.manifests();
        let own = new.iter().map(|(manifest, _)| (manifest.id.clone(), (*manifest).clone()));
        manifests.extend(own);
        let mut together: Vec<Image> = resolve(&manifests, &self.attempt.selection)
            .iter()
            .filter_map(|id| {
                let new = new.iter().find(|(manifest, _)| manifest.id == *id);
                let new = new.map(|(_, image)| image.clone());
                new.or_else(|| self.good.get(id).map(image_of))
            })
            .collect();
        manifests.retain(|id, _| together.iter().any(|image| image.module == *id));
        let order = self.load_order(&manifests).unwrap_or_default();
        together.sort_by_key(|image| order.iter().position(|id| *id == image.module));
        together
    }
}

/// A reference to a generation's artifact for a probe.
pub fn image_of(generation: &SharedGeneration) -> Image {
    Image {
        module: generation.id().clone(),
        hash: generation.hash.clone(),
        path: generation.code.image_path(),
    }
}

/// A reference to a sealed artifact for a probe.
pub fn image(sealed: &Sealed) -> Image {
    let inspected = sealed.inspected();
    Image {
        module: inspected.manifest().id.clone(),
        hash: inspected.hash().clone(),
        path: sealed.path(),
    }
}
