//! Why a console command is refused.

use thiserror::Error;

use super::Refusal;
use crate::explain::{Explain, Explanation};
use crate::ids::ModuleId;
use crate::rollback_state::StateError;
use playground_state_hash::HashError;

/// Why a console command is refused, or was only partly carried out.
#[derive(Clone, Debug, Error)]
#[error("{}", self.explain())]
pub enum CommandError {
    /// `app`, or `--app` on the command line: there is no app of that name.
    NoApp {
        /// The name.
        name: String,
        /// The existing apps.
        apps: Vec<ModuleId>,
    },
    /// `--frames` on the command line: the app does not run, so its frames never pass.
    NotStarted {
        /// The app, if one is chosen.
        app: Option<ModuleId>,
        /// The number of frames.
        frames: u64,
        /// The modules that were not built or are refused.
        failed: Vec<ModuleId>,
    },
    /// `hash`: a value cannot be read.
    Hash(#[source] HashError),
    /// `rollback --state`: the code was rolled back, but some resources were not.
    StateStays(#[source] StateError),
    /// `rollback`: there is no such generation.
    NoGeneration {
        /// The module.
        module: ModuleId,
        /// The requested generation.
        number: u32,
        /// The known generations.
        known: Vec<u32>,
    },
    /// `rollback`: the older generation cannot run with the running modules.
    NoRollback {
        /// The module.
        module: ModuleId,
        /// Why.
        #[source]
        reason: Refusal,
    },
}

impl Explain for CommandError {
    fn explain(&self) -> Explanation {
        match self {
            Self::NoApp { name, apps } => {
                let apps: Vec<&str> = apps.iter().map(ModuleId::as_str).collect();
                Explanation::new("H0801", format!("no app `{name}`; there are {}", apps.join(", ")))
            }
            Self::NotStarted { app, frames, failed } => {
                let app = app.as_ref().map_or("no app".to_owned(), |app| format!("`{app}`"));
                let failed: Vec<&str> = failed.iter().map(ModuleId::as_str).collect();
                let why = if failed.is_empty() {
                    "the reason is above".to_owned()
                } else {
                    format!("not built or refused: {}", failed.join(", "))
                };
                let what = format!("expected {frames} frames of {app}, but it does not run; {why}");
                Explanation::new("H0809", what)
                    .remedy("Correct the errors above and start again; without --frames the game waits for that")
            }
            Self::Hash(error) => Explanation::new("H0803", format!("no hash: {error}")),
            Self::StateStays(error) => {
                Explanation::new("H0806", format!("some resources stay as they are: {error}"))
            }
            Self::NoGeneration { module, number, known } => {
                let known: Vec<String> = known.iter().map(u32::to_string).collect();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                Explanation::new(
                    "H0807",
                    format!(
                        "expected a generation of `{module}` to go back to, found {number}; there \
                         are: {known}"
                    ),
                )
                .remedy(format!("`history {module}` shows more about them"))
            }
            Self::NoRollback { module, reason } => {
                Explanation::new("H0808", format!("`{module}` stays as it is: {reason}"))
            }
        }
    }
}
