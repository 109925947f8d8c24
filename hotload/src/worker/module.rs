//! The worker's state for one module.

use std::sync::Arc;

use super::request::DataLoss;
use crate::build::Inputs;
use crate::generation::{Generation, SharedGeneration};
use crate::ids::{ArtifactHash, InputsHash};

/// One module: its running generation, the one that could run, and the state of its newest source.
#[derive(Default)]
pub struct Module {
    /// The running generation.
    pub running: Option<SharedGeneration>,
    /// The newest generation that passed the pipeline. It runs if it is selected.
    pub good: Option<SharedGeneration>,
    /// The state of the newest source.
    pub newest: Newest,
    /// Whether the swap to `good` may drop values.
    pub data_loss: DataLoss,
    /// The inputs of its next build.
    pub inputs: Option<Inputs>,
    /// The artifact that is taken in place of a build.
    pub prebuilt: Option<ArtifactHash>,
    /// The source of the last attempt to go live: see [`Module::source`].
    pub attempted: Option<InputsHash>,
    /// rustc's messages, if it refused the newest source: they are shown once.
    pub messages: Vec<String>,
    /// The number of generations that were loaded.
    pub generations: u32,
}

/// The state of a module's newest source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Newest {
    /// No attempt has ended yet.
    #[default]
    NotBuilt,
    /// It is [`Module::good`].
    Good,
    /// rustc refused it, or a module that it has to be swapped with.
    NotCompiled,
    /// It was built, but will not run.
    Rejected(Option<ArtifactHash>),
}

impl Module {
    /// The hash of what an attempt makes its artifact from: the inputs of a build, or an artifact.
    pub fn source(&self) -> Option<InputsHash> {
        match &self.prebuilt {
            Some(artifact) => Some(artifact.as_str().into()),
            None => self.inputs.as_ref().map(|inputs| inputs.hash.clone()),
        }
    }

    /// True if the source differs from the last attempt.
    pub fn is_dirty(&self) -> bool {
        let source = self.source();
        source.is_some() && self.attempted != source
    }

    /// Takes an artifact of a pack from now on, or none any more.
    pub fn take_prebuilt(&mut self, artifact: Option<&ArtifactHash>) {
        if self.prebuilt.as_ref() == artifact {
            return;
        }
        self.prebuilt = artifact.cloned();
        // A pack may have gone back to the code that runs.
        if self.good.as_ref().is_some_and(|good| self.is_made_of_source(good)) {
            self.attempted = self.source();
            self.newest = Newest::Good;
        }
    }

    /// True if a generation was made from the current source.
    fn is_made_of_source(&self, generation: &Generation) -> bool {
        match (&self.prebuilt, &self.inputs, &generation.inputs) {
            (Some(artifact), _, _) => generation.hash == *artifact,
            (None, Some(now), Some(inputs)) => now.hash == inputs.hash,
            _ => false,
        }
    }

    /// True if the newest source does not compile or was rejected: members of a failed group are
    /// built again together.
    pub fn is_unsettled(&self) -> bool {
        matches!(self.newest, Newest::NotCompiled | Newest::Rejected(_))
    }

    /// True if the newest generation that could run is not the running one.
    pub fn has_candidate(&self) -> bool {
        match (&self.good, &self.running) {
            (Some(good), Some(running)) => !Arc::ptr_eq(good, running),
            (good, _) => good.is_some(),
        }
    }

    /// The pipeline produced a generation of it.
    pub fn accept(&mut self, generation: SharedGeneration, data_loss: DataLoss) {
        self.good = Some(generation);
        self.newest = Newest::Good;
        self.messages.clear();
        self.data_loss = data_loss;
    }

    /// Rejects its newest generation; the running one stays.
    pub fn reject(&mut self) {
        let hash = self.good.take().map(|good| good.hash.clone());
        self.good = self.running.clone();
        self.newest = Newest::Rejected(hash);
        self.data_loss = DataLoss::AskFirst;
    }
}
