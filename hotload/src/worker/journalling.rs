//! Keeps the journal, and what has to stay out of the game.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::{Runs, State, Tell};
use crate::build::Built;
use crate::generation::SharedGeneration;
use crate::ids::{ArtifactHash, ModuleId};
use crate::journal::{Death, Good, Journal, JournalError, Stage};

impl State {
    /// Opens the journal below `folder`, and tells what the game before this one died of.
    pub(super) fn open_journal(&mut self, folder: &Path) {
        if self.journal.is_some() {
            return;
        }
        let (journal, death, error) = Journal::open(folder);
        self.journal = Some(journal);
        self.warn(error.map_or(Ok(()), Err));
        if death != Death::default() {
            self.tell(Tell::Died(death));
        }
    }

    /// The artifacts of a group without those in quarantine. Where nothing of such a module runs,
    /// the one that ran well last stands in for it.
    ///
    /// # Errors
    ///
    /// When one is in quarantine, and the module runs or has no other.
    pub(super) fn without_quarantined(
        &self,
        built: Vec<(ModuleId, Built)>,
    ) -> Result<Vec<(ModuleId, Built)>, String> {
        let Some(journal) = &self.journal else { return Ok(built) };
        if journal.quarantine().is_empty() {
            return Ok(built);
        }
        let mut kept = Vec::with_capacity(built.len());
        let mut other_epoch = false;
        for (id, artifact) in built {
            let hash = ArtifactHash::of(&artifact.bytes);
            let Some(quarantined) = journal.quarantined(&hash) else {
                kept.push((id, artifact));
                continue;
            };
            let reason = format!(
                "H1001: the newest `{id}` (artifact {}) is in quarantine: {}. Mend it and save, or \
                 `quarantine clear` and `reload {id}`",
                hash.short(),
                quarantined.reason
            );
            let good = journal.good(&id).filter(|_| !self.runs.contains_key(&id));
            let Some((good, path, bytes)) = good else { return Err(reason) };
            other_epoch |= self.inputs.get(&id).is_some_and(|inputs| inputs.epoch != good.epoch);
            let Built { times, warnings, .. } = artifact;
            self.tell(Tell::Quarantined { id: id.clone(), reason });
            kept.push((id, Built { path, bytes, times, warnings }));
        }
        if other_epoch {
            // Its types are those of before: so are those of all that link to it.
            for (id, artifact) in &mut kept {
                let Some((_, path, bytes)) = journal.good(id) else { continue };
                (artifact.path, artifact.bytes) = (path, bytes);
            }
        }
        Ok(kept)
    }

    /// True for an artifact that stands in for one in quarantine.
    pub(super) fn stands_in(&self, id: &ModuleId, hash: &ArtifactHash) -> bool {
        let journal = self.journal.as_ref().filter(|journal| !journal.quarantine().is_empty());
        journal.is_some_and(|journal| {
            let is_for =
                |module: &ModuleId| module == id || self.catalog.links_of(id).contains(module);
            journal.good(id).is_some_and(|(good, ..)| good.hash == *hash)
                && journal.quarantine().iter().any(|quarantined| is_for(&quarantined.module))
        })
    }

    /// New code is about to run for the first time.
    pub(super) fn before_load(&mut self, id: &ModuleId, hash: &ArtifactHash, bytes: &[u8]) {
        let Some(journal) = &mut self.journal else { return };
        let (kept, noted) = (journal.keep(hash, bytes), journal.before(id, hash));
        self.warn(kept.and(noted));
    }

    /// New code is in the process.
    pub(super) fn after_load(&mut self, id: &ModuleId, hash: &ArtifactHash) {
        if self.runs.values().any(|running| running.hash == *hash) {
            return;
        }
        let Some(journal) = &mut self.journal else { return };
        let noted = journal.reached(id, hash, Stage::Loaded);
        self.warn(noted);
    }

    /// The system's loader refused it.
    pub(super) fn not_loaded(&mut self, hash: &ArtifactHash) {
        let Some(journal) = &mut self.journal else { return };
        let noted = journal.over(hash);
        self.warn(noted);
    }

    /// These will not run.
    pub(super) fn given_up(&mut self, generations: &[SharedGeneration]) {
        let Some(journal) = &mut self.journal else { return };
        let noted = generations.iter().try_for_each(|generation| journal.over(&generation.hash));
        self.warn(noted);
    }

    /// What runs is on probation; what was rejected is out of the game.
    pub(super) fn note_progress(&mut self, runs: &Runs) {
        let goes_on =
            |hash: &ArtifactHash| runs.generations.values().any(|running| running.hash == *hash);
        let left = self.runs.values().filter(|before| !goes_on(&before.hash));
        // What a newer one took the place of, or what was switched off, did not end the game.
        let left: Vec<SharedGeneration> = left.cloned().collect();
        self.given_up(&left);
        let running: Vec<SharedGeneration> = runs.generations.values().cloned().collect();
        self.reached_by(&running, Stage::Probation);
        self.given_up(&runs.rejected);
    }

    pub(super) fn hear_committed(&mut self, generations: Vec<SharedGeneration>) {
        self.commit(&generations);
        self.tell(Tell::Committed(generations));
    }

    fn commit(&mut self, generations: &[SharedGeneration]) {
        let Some(journal) = &mut self.journal else { return };
        let good = |generation: &SharedGeneration| {
            let (hash, epoch) = (generation.hash.clone(), generation.manifest.epoch.clone());
            let abi = playground_api::ABI.into();
            (generation.id().clone(), Good { hash, epoch, abi })
        };
        let set: BTreeMap<ModuleId, Good> = generations.iter().map(good).collect();
        // There may have been no room when they were loaded.
        let missing = generations.iter().filter(|generation| !journal.is_kept(&generation.hash));
        for generation in missing {
            let bytes = fs::read(generation.code.image_path()).unwrap_or_default();
            if let Err(error) = journal.keep(&generation.hash, &bytes) {
                // The set before stays what is gone back to; these are not to blame for anything.
                let over = generations.iter().try_for_each(|it| journal.over(&it.hash));
                return self.warn(over.and(Err(error)));
            }
        }
        // First what can be gone back to, then that nothing is open.
        let noted = journal.ran_well(set).and_then(|()| {
            generations.iter().try_for_each(|generation| journal.over(&generation.hash))
        });
        self.warn(noted);
    }

    pub(super) fn hear_quarantine(&mut self, clear: bool) {
        let Some(journal) = &mut self.journal else {
            return self.tell(Tell::Quarantine("nothing is in quarantine".to_owned()));
        };
        if clear {
            self.open.append(&mut self.unsettled);
            self.look = true;
            match journal.clear_quarantine() {
                Ok(count) => self.tell(Tell::Quarantine(format!(
                    "{count} out of quarantine; `reload <module>` tries one again"
                ))),
                Err(error) => self.tell(Tell::Quarantine(error.to_string())),
            }
            return;
        }
        let lines: Vec<String> = journal
            .quarantine()
            .iter()
            .map(|it| format!("{} (artifact {}): {}", it.module, it.hash.short(), it.reason))
            .collect();
        let none = "nothing is in quarantine".to_owned();
        self.tell(Tell::Quarantine(if lines.is_empty() { none } else { lines.join("\n") }));
    }

    /// Code that is new has come so far; what runs already has come further.
    pub(super) fn reached(&mut self, generations: &[SharedGeneration], stage: Stage) {
        let runs = |new: &&SharedGeneration| self.runs.values().any(|old| old.hash == new.hash);
        let new: Vec<SharedGeneration> =
            generations.iter().filter(|generation| !runs(generation)).cloned().collect();
        self.reached_by(&new, stage);
    }

    fn reached_by(&mut self, generations: &[SharedGeneration], stage: Stage) {
        let Some(journal) = &mut self.journal else { return };
        let noted = generations
            .iter()
            .try_for_each(|generation| journal.reached(generation.id(), &generation.hash, stage));
        self.warn(noted);
    }

    fn warn(&self, noted: Result<(), JournalError>) {
        if let Err(error) = noted {
            self.tell(Tell::Warning(error.to_string()));
        }
    }
}
