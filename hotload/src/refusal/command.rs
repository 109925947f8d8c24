//! Why a console command is refused.

use thiserror::Error;

use super::Refusal;
use crate::explain::{Explain, Explanation};
use crate::ids::ModuleId;
use crate::rollback_state::StateError;

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
    /// `hash`: a value cannot be read.
    Hash(#[source] StateError),
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
