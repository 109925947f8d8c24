//! A swap that failed halfway.

use std::process;

use thiserror::Error;

use crate::explain::{Explain, Explanation};
use crate::guard::Panic;
use crate::ids::ModuleId;

/// A swap that failed after it had begun, for a reason that [`super::prepare`] did not foresee.
#[derive(Debug, Error)]
#[error("{}", self.explain())]
pub struct Broken {
    /// The modules of the swap.
    pub modules: Vec<ModuleId>,
    /// The cause.
    pub cause: Cause,
}

/// Why a swap failed halfway.
#[derive(Debug, Error)]
pub enum Cause {
    /// Bevy could not build a schedule although its copy could be built.
    #[error("schedule {schedule} cannot be built: {reason}")]
    Schedule {
        /// The schedule.
        schedule: String,
        /// Bevy's message.
        reason: String,
    },
    /// A module's code panicked at a point where the swap cannot continue without it.
    #[error(transparent)]
    Panic(#[from] Panic),
    /// Code of the game or of Bevy panicked; its message.
    #[error("a panic in the game's own code: {0}")]
    HostPanic(String),
}

impl Explain for Broken {
    fn explain(&self) -> Explanation {
        let modules: Vec<String> = self.modules.iter().map(|id| format!("`{id}`")).collect();
        let happened = format!(
            "the swap of {} broke off half done: {}. Systems and values are partly the old ones and \
             partly the new ones, so the game ends here; its supervisor starts it again from the \
             last save",
            modules.join(", "),
            self.cause
        );
        let remedy = "Take back the last edit of these modules before you start it by hand";
        Explanation::new("H0608", happened).remedy(remedy)
    }
}

/// Prints the error and aborts: no frame may run in a world that is half swapped.
pub fn end(broken: &Broken) -> ! {
    eprintln!("{broken}");
    process::abort()
}
