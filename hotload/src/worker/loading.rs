//! An artifact that somebody brings, in place of the one that is built from a module's source.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::accept::NotIn;
use super::{Ask, State, Tell};
use crate::artifact::{self, Artifact, Writers};
use crate::build::Built;
use crate::build::rustc::CompileTimes;
use crate::generation::SharedGeneration;
use crate::ids::ModuleId;

impl State {
    /// Has the artifact at `path`, in the workspace's folder, take the module's place until its
    /// source changes.
    pub(super) fn hear_load(&mut self, id: ModuleId, path: PathBuf) {
        match self.load_file(&id, &path) {
            Ok(generations) => {
                for generation in generations {
                    self.latest.insert(generation.id().clone(), generation);
                }
                self.changed.insert(id);
                self.tell(Tell::Manifests(self.manifests()));
                self.rethink = true;
            }
            Err(NotIn::Refused(reason)) => {
                self.tell(Tell::Refused { ids: BTreeSet::from([id]), reason });
            }
            // It comes after the save that it gave way to.
            Err(NotIn::Abandoned) => {
                let _ = self.ask.send(Ask::Load { id, path });
            }
            Err(NotIn::Told) => {}
        }
    }

    fn load_file(&mut self, id: &ModuleId, path: &Path) -> Result<Vec<SharedGeneration>, NotIn> {
        let refused = |error: artifact::ArtifactError| NotIn::Refused(error.to_string());
        let Some(within) = self.folders.as_ref().map(|folders| &folders.workspace) else {
            return Err(NotIn::Told);
        };
        let hash = artifact::hash_beside(path, within).map_err(refused)?;
        let read = artifact::read(path, within, Some(&hash), Writers::OwnerOnly);
        let Artifact { path, bytes, .. } = read.map_err(refused)?;
        let (times, warnings) = (CompileTimes::default(), Vec::new());
        let brought = vec![(id.clone(), Built { path, bytes, times, warnings })];
        let brought = self.without_quarantined(brought).map_err(NotIn::Refused)?;
        self.bring_in(brought, 0.0)
    }
}
