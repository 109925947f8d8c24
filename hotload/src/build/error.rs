//! Errors that prevent a module from being built and that rustc's own diagnostics do not explain.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

use thiserror::Error;

use super::capture::CaptureError;
use crate::explain::{Explain, Explanation};
use crate::ids::ModuleId;
use crate::os_remedies::remedy;

/// Why a module was not built.
#[derive(Debug, Error)]
#[error("{}", self.explain())]
pub enum BuildError {
    /// The folder for rustc's output cannot be created.
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// rustc could not be started.
    Start {
        /// The program.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// rustc failed without a diagnostic.
    NoDiagnostics {
        /// The module.
        module: ModuleId,
        /// rustc's output folder.
        folder: PathBuf,
        /// How it ended.
        status: ExitStatus,
    },
    /// The exit status of rustc could not be read.
    Wait {
        /// The module.
        module: ModuleId,
        /// Why.
        source: io::Error,
    },
    /// cargo printed no command for the module.
    NoRecipe {
        /// The module.
        module: ModuleId,
    },
    /// A core crate that the module links to was not built.
    CoreFailed {
        /// The core crate.
        core: ModuleId,
    },
    /// A core crate has statics that can change.
    Statics {
        /// The core crate.
        module: ModuleId,
        /// One line for each static: file, line and text.
        found: Vec<String>,
    },
    /// A module has code that Rust does not check.
    Unchecked {
        /// The module.
        module: ModuleId,
        /// One line for each place: file, line and word.
        found: Vec<String>,
    },
    /// Sources were written again and again while rustc read them.
    Unsettled {
        /// The module.
        module: ModuleId,
    },
    /// rustc or the linker reached a limit of the machine.
    Machine {
        /// The module.
        module: ModuleId,
        /// rustc's output folder.
        folder: PathBuf,
        /// How to fix it.
        remedy: &'static str,
    },
}

impl Explain for BuildError {
    fn explain(&self) -> Explanation {
        match self {
            Self::Folder { path, source } => {
                Explanation::new("H0305", format!("{}: {source}", path.display()))
                    .remedy(remedy(source))
            }
            Self::Start { program, source } => {
                Explanation::new("H0306", format!("{program} could not be started: {source}"))
                    .remedy(remedy(source))
            }
            Self::NoDiagnostics { module, folder, status } => Explanation::new(
                "H0307",
                format!("rustc exited with {status} and printed no diagnostics"),
            )
            .remedy(format!(
                "It may have run out of memory, or of space in {}: make some, then `reload {module}`",
                folder.display()
            )),
            Self::NoRecipe { module } => {
                Explanation::new("H0308", format!("cargo gave no command for `{module}`")).remedy(
                    "Check that its folder is a member of the workspace and has a library target",
                )
            }
            Self::CoreFailed { core } => {
                Explanation::new("H0309", format!("not built, since `{core}` failed"))
                    .remedy(format!("Fix `{core}`"))
            }
            Self::Statics { module, found } => Explanation::new(
                "H0310",
                format!("core crate `{module}` holds state outside of the world"),
            )
            .details(found.join("\n"))
            .remedy(
                "Every module that links to it would have its own copy, new at each swap. Use a \
                 Resource instead",
            ),
            Self::Unchecked { module, found } => Explanation::new(
                "H0325",
                format!("module `{module}` has code that Rust does not check, or a macro that makes it"),
            )
            .details(found.join("\n"))
            .remedy(
                "Modules are swapped into the running game, so all of their code is checked. Write \
                 it without these words; where it needs them, move it into a library outside of \
                 `modules/`, which is trusted as Bevy is",
            ),
            Self::Unsettled { module } => Explanation::new(
                "H0326",
                format!(
                    "the sources of `{module}` changed each time that rustc read them: no artifact \
                     has the content of one moment"
                ),
            )
            .remedy(format!("Stop what writes them, then save again or `reload {module}`")),
            Self::Wait { module, source } => {
                Explanation::new("H0316", format!("rustc's exit status is unknown: {source}"))
                    .remedy(format!("Build it again with `reload {module}`"))
            }
            Self::Machine { module, folder, remedy } => Explanation::new(
                "H0321",
                format!(
                    "{}: `{module}` was not built because of what the machine refused below, not \
                     because of its source",
                    folder.display()
                ),
            )
            .remedy(format!("{remedy}, then save again or `reload {module}`")),
        }
    }
}

impl Explain for CaptureError {
    fn explain(&self) -> Explanation {
        match self {
            Self::File { path, source } => {
                Explanation::new("H0301", format!("{}: {source}", path.display()))
                    .remedy(remedy(source))
            }
            Self::Cargo { modules, message } => {
                Explanation::new("H0302", format!("cargo cannot build {modules}")).details(message)
            }
            Self::Sdk(error) => error.explain(),
            Self::Features { module, package, added, present } => Explanation::new(
                "H0303",
                format!(
                    "module `{module}` would need another build of `{package}`: it turns on {added} \
                     (the host has {present})"
                ),
            )
            .remedy(
                "Remove the feature, or add it to playground_api's dependencies and start the game \
                 again",
            ),
            Self::ApiChanged => Explanation::new(
                "H0304",
                "playground_api was changed since the game started, and modules built against the \
                 new one cannot run in it",
            )
            .remedy("Start the game again"),
            Self::LibraryChanged { library, folder } => Explanation::new(
                "H0313",
                format!(
                    "`{library}` in {folder} was changed since the game started. It is a library and \
                     no module: what runs would share its types with code that has other ones"
                ),
            )
            .remedy("Start the game again, or make it a core module, which is swapped"),
            Self::Cancelled => Explanation::new("H0322", "cargo was stopped because the game ends"),
        }
    }
}
