//! Admit: keeps artifacts in quarantine out of the game.

use super::{AttemptError, Run, lock};
use crate::build::Built;
use crate::ids::{ArtifactHash, ModuleId};
use crate::journal::Journal;
use crate::quarantine::QuarantineError;
use crate::refusal::Refusal;
use crate::worker::event::Update;

/// A built module that is not in quarantine.
pub struct Admitted {
    pub id: ModuleId,
    pub built: Built,
    /// True for the last good artifact, which replaces the newest one while that is in quarantine.
    /// It was built from an older source than the one on disk.
    pub stands_in: bool,
}

impl Run<'_> {
    /// The artifacts of a group without those in quarantine. If such a module does not run, its
    /// last good artifact stands in.
    ///
    /// # Errors
    ///
    /// If one is in quarantine, and the module runs or has no other artifact.
    pub(super) fn admit(
        &mut self,
        built: Vec<(ModuleId, Built)>,
    ) -> Result<Vec<Admitted>, AttemptError> {
        self.check_cancelled()?;
        let journal = lock(&self.tools.journal);
        let Some(journal) = journal.as_ref().filter(|journal| !journal.quarantine().is_empty())
        else {
            let new = |(id, built)| Admitted { id, built, stands_in: false };
            return Ok(built.into_iter().map(new).collect());
        };
        let mut admitted = Vec::with_capacity(built.len());
        let mut other_epoch = false;
        for (id, built) in built {
            let hash = ArtifactHash::of(&built.bytes);
            let Some(quarantined) = journal.quarantined(&hash) else {
                admitted.push(Admitted { id, built, stands_in: false });
                continue;
            };
            let error = QuarantineError(quarantined.clone());
            let is_off = !self.attempt.running.generations.contains_key(&id);
            let Some((good, path, bytes)) = journal.good(&id).filter(|_| is_off) else {
                return Err(error.into());
            };
            // The modules of a pack belong together.
            let prebuilt = self.attempt.workspace.members.prebuilt_module(&id);
            other_epoch |= prebuilt.is_some_and(|module| module.pack.is_some());
            other_epoch |=
                self.attempt.inputs.get(&id).is_some_and(|inputs| *inputs.epoch() != good.epoch);
            let refusal = Refusal::from(error);
            self.reports.push(Update::Quarantined { id: id.clone(), refusal });
            let built = Built { path, bytes, ..built };
            admitted.push(Admitted { id, built, stands_in: true });
        }
        if other_epoch {
            // Its types are the old ones, and so are those of all modules that link to it.
            for admitted in &mut admitted {
                let Some((_, path, bytes)) = journal.good(&admitted.id) else { continue };
                (admitted.built.path, admitted.built.bytes) = (path, bytes);
            }
        }
        for admitted in &mut admitted {
            admitted.stands_in |= self.is_last_good(journal, admitted);
        }
        Ok(admitted)
    }

    /// True for the last good artifact of a module that is in quarantine, or links to one that is.
    fn is_last_good(&self, journal: &Journal, admitted: &Admitted) -> bool {
        let hash = ArtifactHash::of(&admitted.built.bytes);
        let links = self.attempt.workspace.members.links_of(&admitted.id);
        let is_for = |module: &ModuleId| *module == admitted.id || links.contains(module);
        journal.good(&admitted.id).is_some_and(|(good, ..)| good.hash == hash)
            && journal.quarantine().iter().any(|quarantined| is_for(&quarantined.module))
    }
}
