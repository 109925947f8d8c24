//! One loaded version of a module.

use std::fmt;
use std::sync::{Arc, OnceLock};

use playground_api::ModuleApp;
use playground_api::module::Recorded;
use playground_api::schema::Definition;

use crate::build::Inputs;
use crate::build::cause::Cause;
use crate::build::rustc::CompileTimes;
use crate::epoch::Facts;
use crate::guard::{self, Panic};
use crate::ids::{ArtifactHash, GenerationId, ModuleId};
use crate::inspect::Manifest;
use crate::load::Code;
use crate::packs::PackVersion;
use crate::restore::RestoreTimes;
use crate::stored::Stored;
use crate::swap::Additions;

/// One loaded version of a module: its artifact, its systems, its types.
pub struct Generation {
    /// Numbered from 1 per module.
    pub number: u32,
    /// The manifest in the artifact.
    pub manifest: Manifest,
    /// The schemas of its persisted types.
    pub schemas: Vec<Definition>,
    /// The hash of the artifact's bytes.
    pub hash: ArtifactHash,
    /// The module's code.
    pub code: Code,
    /// The types that the module names.
    pub stored: Vec<Stored>,
    /// The duration of each step.
    pub times: Times,
    /// The installed pack that it came with.
    pub pack: Option<Arc<PackVersion>>,
    /// The inputs that it was built from; `None` if they are not those on disk.
    pub inputs: Option<Arc<Inputs>>,
    /// Why it was built, if another generation ran before.
    pub causes: Vec<Cause>,
    /// See [`Generation::additions`].
    pub additions: OnceLock<Additions>,
}

/// The duration of each step of an edit, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Times {
    /// From the write of the file until rustc was started.
    pub watch_ms: f32,
    /// rustc, the linker, and the check of what they read.
    pub compile: CompileTimes,
    /// Reading the artifact.
    pub inspect_ms: f32,
    /// Trying it in the probe, together with all modules of the attempt.
    pub probe_ms: f32,
    /// Loading it into the process.
    pub load_ms: f32,
    /// Trying the schedules.
    pub plan_ms: f32,
    /// Finding and comparing the layouts of the types that the module names; a part of the probe, of
    /// checking, and of the pause.
    pub layouts_ms: f32,
    /// The game's pause between two frames.
    pub pause_ms: f32,
    /// From the save to the end of the swap.
    pub total_ms: f32,
    /// Values whose type changes; a part of the pause.
    pub restore: RestoreTimes,
}

impl Times {
    /// The stages of the build together.
    pub fn build_ms(&self) -> f32 {
        let CompileTimes { check_ms, compile_ms, link_ms, verify_ms } = self.compile;
        check_ms + compile_ms + link_ms + verify_ms
    }
}

/// A generation is shared between the worker, which plans with it, and the host, which runs it.
pub type SharedGeneration = Arc<Generation>;

impl Generation {
    /// The module's id.
    pub fn id(&self) -> &ModuleId {
        &self.manifest.id
    }

    /// The module's id with this generation's number.
    pub fn generation_id(&self) -> GenerationId {
        GenerationId { module: self.id().clone(), number: self.number }
    }

    /// The definitions in its sources, if they are known.
    pub fn facts(&self) -> Option<&Arc<Facts>> {
        self.inputs.as_ref().map(|inputs| &inputs.facts)
    }

    /// Calls the module's `build`, which only records and does not access the world.
    ///
    /// # Errors
    ///
    /// If it panics.
    pub fn record(&self) -> Result<Recorded, Panic> {
        guard::catch(self.id(), "build", || {
            let mut module = ModuleApp::new();
            (self.code.entry.build)(&mut module);
            module.into_recorded()
        })
    }

    /// The systems and sets that the module adds to schedules. Computed once: planning does it, so that a
    /// swap between two frames need not.
    ///
    /// # Errors
    ///
    /// If the module's `build` panics.
    pub fn additions(&self) -> Result<&Additions, Panic> {
        if let Some(additions) = self.additions.get() {
            return Ok(additions);
        }
        let recorded = self.record()?;
        Ok(self.additions.get_or_init(|| Additions::of(recorded.sets, recorded.systems)))
    }
}

impl fmt::Debug for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.generation_id())
    }
}

/// A generation whose module does nothing, for tests that do not run any code.
#[cfg(test)]
pub fn stub(id: &str, number: u32) -> SharedGeneration {
    stub_of(id, number, ArtifactHash::of(format!("{id} {number}").as_bytes()))
}

/// Like [`stub`], with this artifact hash.
#[cfg(test)]
pub fn stub_of(id: &str, number: u32, hash: ArtifactHash) -> SharedGeneration {
    Arc::new(Generation {
        number,
        manifest: Manifest {
            kind: crate::inspect::Kind::Systems,
            id: id.into(),
            version: semver::Version::new(0, 1, 0),
            abi: playground_api::ABI.into(),
            epoch: "0123456789abcdef".into(),
            crate_epoch: "0123456789abcdef".into(),
            types: Default::default(),
            cores: std::collections::BTreeMap::new(),
            requires: std::collections::BTreeMap::new(),
            persisted: Vec::new(),
            dropped: Vec::new(),
        },
        schemas: Vec::new(),
        stored: Vec::new(),
        hash,
        code: Code::stub(),
        times: Times::default(),
        pack: None,
        inputs: None,
        causes: Vec::new(),
        additions: OnceLock::new(),
    })
}
