//! All reasons for refusing an edit, a command or a swap, in one type.

mod command;

use std::sync::Arc;
use std::{error, fmt};

use crate::artifact::ArtifactError;
use crate::build::capture::CaptureError;
use crate::build::error::BuildError;
use crate::epoch::check::EpochError;
use crate::events::EventsError;
use crate::explain::{Explain, Explanation};
use crate::inspect::{GraphError, HostError, InspectError};
use crate::journal::JournalError;
use crate::load::LoadError;
use crate::packs::PacksError;
use crate::pipeline::PipelineError;
use crate::plan::PlanError;
use crate::probe::ProbeError;
use crate::process_limits::LimitError;
use crate::quarantine::QuarantineError;
use crate::restore::RestoreErrors;
use crate::sdk::SdkError;
use crate::snapshot_file::SaveError;
use crate::swap::SwapError;
use crate::tuning::TuningError;
use crate::watch::WatchError;
use crate::workspace::WorkspaceError;

pub use command::CommandError;

macro_rules! refusals {
    ($($(#[doc = $doc:literal])+ $variant:ident($error:ty),)+) => {
        /// The error of any stage. Cheap to clone, as it is kept as a value, for example in a
        /// module's status, until it is shown.
        #[derive(Clone, Debug)]
        pub enum Refusal {
            $($(#[doc = $doc])+ $variant(Arc<$error>),)+
        }

        $(impl From<$error> for Refusal {
            fn from(error: $error) -> Self {
                Self::$variant(Arc::new(error))
            }
        })+

        impl Explain for Refusal {
            fn explain(&self) -> Explanation {
                match self {
                    $(Self::$variant(error) => error.explain(),)+
                }
            }
        }

        impl error::Error for Refusal {
            fn source(&self) -> Option<&(dyn error::Error + 'static)> {
                match self {
                    $(Self::$variant(error) => error::Error::source(&**error),)+
                }
            }
        }
    };
}

refusals! {
    /// The workspace cannot be read.
    Workspace(WorkspaceError),
    /// Folders cannot be watched.
    Watch(WatchError),
    /// cargo did not report how to compile the modules.
    Capture(CaptureError),
    /// A module was not built.
    Build(BuildError),
    /// The process is near or at a limit of the system.
    Limit(LimitError),
    /// An artifact's file was not accepted.
    Artifact(ArtifactError),
    /// An artifact is in quarantine.
    Quarantine(QuarantineError),
    /// The host's own libraries cannot be read.
    Host(HostError),
    /// An artifact may not be loaded.
    Inspect(InspectError),
    /// Modules do not fit together.
    Graph(GraphError),
    /// An artifact's epoch does not match its source or its types.
    Epoch(EpochError),
    /// The probe refused the code, or cannot run.
    Probe(ProbeError),
    /// An artifact cannot be loaded.
    Load(LoadError),
    /// Modules cannot run together.
    Plan(PlanError),
    /// An attempt to build and check modules cannot continue.
    Pipeline(PipelineError),
    /// A swap was refused.
    Swap(SwapError),
    /// Values cannot be converted.
    Restore(RestoreErrors),
    /// A tuning file cannot be used.
    Tuning(TuningError),
    /// A console command cannot be run.
    Command(CommandError),
    /// The events file cannot be written.
    Events(EventsError),
    /// A snapshot file cannot be written or used.
    Save(SaveError),
    /// A pack is refused.
    Pack(PacksError),
    /// An SDK, or a project of one, cannot be used.
    Sdk(SdkError),
    /// The journal cannot be written.
    Journal(JournalError),
    /// The worker's thread ended.
    Worker(WorkerEnded),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.explain().fmt(f)
    }
}

impl Refusal {
    /// A summary for a player who has to trust a pack's publisher, if nothing else keeps the pack
    /// from being installed.
    pub fn asks_for_trust(&self) -> Option<String> {
        match self {
            Self::Pack(error) if error.asks_for_trust() => self.explain().details,
            _ => None,
        }
    }

    /// True if the edit only needs a confirmation, since it would drop data.
    pub fn asks(&self) -> bool {
        match self {
            Self::Restore(errors) => errors.asks(),
            Self::Swap(error) => matches!(&**error, SwapError::Restore(errors) if errors.asks()),
            _ => false,
        }
    }
}

/// The thread that builds modules ended unexpectedly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.explain())]
pub struct WorkerEnded;

impl Explain for WorkerEnded {
    fn explain(&self) -> Explanation {
        Explanation::new("H0805", "the thread that builds modules has ended; what runs goes on")
            .remedy("Start the game again to edit further")
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::io;

    use super::*;
    use crate::guard::Panic;

    #[test]
    fn a_refusal_shows_its_stages_error() {
        let source = io::Error::from(io::ErrorKind::StorageFull);
        let error = LoadError::Copy { id: "systems_walk".into(), source };
        let (text, remedy) = (error.to_string(), Explain::remedy(&error));
        assert!(text.starts_with("H0501: no sealed copy of module `systems_walk`"), "{text}");
        let refusal = Refusal::from(error);
        assert_eq!((refusal.to_string(), Explain::remedy(&refusal)), (text, remedy));
        assert_eq!(refusal.clone().code(), "H0501");
        assert!(refusal.source().is_some_and(|source| source.is::<io::Error>()));
        assert!(!refusal.asks());
    }

    #[test]
    fn a_panic_has_the_code_of_its_stage() {
        let panic = Panic {
            module: "systems_walk".into(),
            what: "`build`".into(),
            message: "no".into(),
            location: None,
        };
        let planned = Refusal::from(PlanError::from(panic.clone()));
        let swapped = Refusal::from(SwapError::from(panic));
        assert_eq!((planned.code().as_ref(), swapped.code().as_ref()), ("H0401", "H0601"));
        assert_eq!(planned.headline(), swapped.headline());
    }
}
