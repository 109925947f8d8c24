//! Keeps the journal up to date with the decisions of the state.

use std::collections::BTreeMap;
use std::fs;
use std::thread;

use super::Loop;
use super::event::Update;
use crate::generation::SharedGeneration;
use crate::ids::{ArtifactHash, ModuleId};
use crate::journal::{Good, Journal, JournalError, Stage};
use crate::pipeline::lock;
use crate::refusal::Refusal;

impl Loop {
    pub(super) fn reached(&self, modules: &[(ModuleId, ArtifactHash)], stage: Stage) {
        self.note(|journal| {
            modules.iter().try_for_each(|(module, hash)| journal.reached(module, hash, stage))
        });
    }

    pub(super) fn discard(&self, hashes: &[ArtifactHash]) {
        self.note(|journal| hashes.iter().try_for_each(|hash| journal.over(hash)));
    }

    fn note(&self, write: impl FnOnce(&mut Journal) -> Result<(), JournalError>) {
        let written = lock(&self.tools.journal).as_mut().map_or(Ok(()), write);
        if let Err(error) = written {
            self.update(Update::Warning(Refusal::from(error).to_string()));
        }
    }

    /// Records that these ran well, then reports it. Another thread waits for the disk.
    pub(super) fn commit(&self, generations: Vec<SharedGeneration>) {
        let (journal, updates) = (self.tools.journal.clone(), self.updates.clone());
        thread::spawn(move || {
            let written = lock(&journal).as_mut().map_or(Ok(()), |it| commit(it, &generations));
            if let Err(error) = written {
                let _ = updates.send(Update::Warning(Refusal::from(error).to_string()));
            }
            let _ = updates.send(Update::Committed(generations));
        });
    }

    pub(super) fn quarantine(&self, clear: bool) {
        const NONE: &str = "nothing is in quarantine";
        let text = match lock(&self.tools.journal).as_mut() {
            None => NONE.to_owned(),
            Some(journal) if clear => match journal.clear_quarantine() {
                Ok(count) => {
                    format!("{count} out of quarantine; `reload <module>` tries one again")
                }
                Err(error) => Refusal::from(error).to_string(),
            },
            Some(journal) => {
                let quarantine = journal.quarantine().iter();
                let line = |it: &crate::journal::Quarantined| {
                    format!("{} (artifact {}): {}", it.module, it.hash.short(), it.reason)
                };
                let lines: Vec<String> = quarantine.map(line).collect();
                if lines.is_empty() { NONE.to_owned() } else { lines.join("\n") }
            }
        };
        self.update(Update::QuarantineList(text));
    }
}

fn commit(journal: &mut Journal, generations: &[SharedGeneration]) -> Result<(), JournalError> {
    let good = |generation: &SharedGeneration| {
        let (hash, epoch) = (generation.hash.clone(), generation.manifest.epoch.clone());
        (generation.id().clone(), Good { hash, epoch, abi: playground_api::ABI.into() })
    };
    let set: BTreeMap<ModuleId, Good> = generations.iter().map(good).collect();
    // There may have been no space left when they were loaded.
    let missing = generations.iter().filter(|generation| !journal.is_kept(&generation.hash));
    let missing: Vec<&SharedGeneration> = missing.collect();
    for generation in missing {
        let bytes = fs::read(generation.code.image_path()).unwrap_or_default();
        if let Err(error) = journal.keep(&generation.hash, &bytes) {
            // The previous set stays the one to fall back to; these are not to blame for a crash.
            generations.iter().try_for_each(|it| journal.over(&it.hash))?;
            return Err(error);
        }
    }
    // Record the new set first, then that nothing is pending.
    journal.ran_well(set)?;
    generations.iter().try_for_each(|generation| journal.over(&generation.hash))
}
