//! Packs: builds the modules of one, and checks whether one fits this game.
//!
//! ```text
//!  new ─► pack.toml ─► Source ─► build ─► inspect ─► Draft ─► .pgpack ─► sign
//!  .pgpack ─► Reader ─► hashes, signature ─► inspect ─► Fit
//!  two .pgpack ─► inspect, probe ─► PackDiff
//!  .pgpack ─► StoreCommand ─► Store ─► Prebuilt ─► the pipeline, in place of builds
//! ```
//!
//! `playground_pack` has the format; here is what needs the game: its build of modules, its ABI, and
//! the codes of errors.

mod assets;
mod build;
mod describe;
pub(crate) mod developed;
mod diff;
mod explain;
mod fit;
mod prebuilt;
mod new;
pub mod order;
mod player;
mod show;

use std::path::{Path, PathBuf};

use playground_pack::resolve::{Clash, Cycle};
use playground_pack::{
    Draft, Manifest, PackError, Reader, SigningKey, SourceError, StoreError, sign_pack,
};
use thiserror::Error;

pub use assets::{PackAssetsPlugin, PackFolders};
pub(crate) use build::Builder;
pub use build::{build, build_modules};
pub use describe::{NO_SANDBOX, describe, publisher, summary};
pub use diff::{Difference, Level, PackDiff, diff};
pub use fit::{Fit, fit};
pub(crate) use new::new_in;
pub use new::{New, is_pack_id, new};
pub use player::{GameFolder, Report, StoreCommand, run, run_in};
pub use prebuilt::{PackVersion, Prebuilt, PrebuiltModule, WentBack, folder_in, own_version};
pub use show::{PackRow, rows};

use crate::atomic_write;
use crate::build::capture::CaptureError;
use crate::build::error::BuildError;
use crate::explain::Explain;
use crate::ids::ModuleId;
use crate::inspect::{HostError, InspectError};
use crate::load::LoadError;
use crate::plan::PlanError;
use crate::probe::ProbeError;
use crate::refusal::Refusal;
use crate::sdk::SdkError;
use crate::workspace::WorkspaceError;

pub use crate::build::host_triple as triple;

/// Why a pack cannot be built or used.
#[derive(Debug, Error)]
#[error("{}", self.explain())]
pub enum PacksError {
    /// The pack itself is refused.
    Pack {
        /// The packed file.
        file: PathBuf,
        /// Why.
        error: PackError,
    },
    /// The pack's folder cannot be packed.
    Source(SourceError),
    /// The pack's manifest breaks a rule of the format.
    Draft(PackError),
    /// `modules` names a module that is not in the workspace.
    NoModule {
        /// The pack's folder.
        folder: PathBuf,
        /// The module.
        module: ModuleId,
        /// The workspace's modules.
        known: Vec<ModuleId>,
    },
    /// A module of the pack, or a core that one links to, does not compile.
    NotBuilt {
        /// The module.
        module: ModuleId,
        /// rustc's messages.
        messages: Vec<String>,
    },
    /// The library of a module is not what the manifest says.
    OtherModule {
        /// The file in the pack.
        path: String,
        /// The property that differs.
        what: &'static str,
        /// The manifest's value.
        expected: String,
        /// The library's value.
        found: String,
    },
    /// The modules were built against another API than the game's.
    OtherAbi {
        /// The packed file.
        file: PathBuf,
        /// The game's ABI fingerprint.
        expected: String,
        /// The pack's.
        found: String,
    },
    /// A new pack would replace something, or its folder has no name that fits.
    CannotMake {
        /// The folder.
        folder: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The signature needs the publisher's name.
    NoName {
        /// The packed file.
        file: PathBuf,
    },
    /// Two packs that are compared are not versions of one.
    OtherPack {
        /// Their ids.
        ids: [String; 2],
    },
    /// A pack whose modules are read has none for this system.
    NoTarget {
        /// The packed file.
        file: PathBuf,
    },
    /// The store of installed packs refused it.
    Store(Box<StoreError>),
    /// Packs do not run together, or not with the game.
    Clash(Box<Clash>),
    /// Modules that each have to be loaded before the next one.
    Order(Cycle),
    /// Other packs that are on require it.
    Required {
        /// The pack.
        id: String,
        /// The others.
        by: Vec<String>,
    },
    /// A folder can be installed by its developer only.
    Folder {
        /// The folder.
        folder: PathBuf,
    },
    /// The game's own modules are not known, so that packs cannot be compared with them.
    NoModules,
    /// A stage that edits pass, too, refused it.
    Refused(Refusal),
}

impl PacksError {
    /// True if the player only has to trust the pack's publisher.
    pub fn asks_for_trust(&self) -> bool {
        let error = match self {
            Self::Store(error) => error,
            _ => return false,
        };
        matches!(**error, StoreError::UnknownPublisher { .. })
    }
}

impl From<StoreError> for PacksError {
    fn from(error: StoreError) -> Self {
        Self::Store(Box::new(error))
    }
}

macro_rules! stages {
    ($($error:ty),+) => {
        $(impl From<$error> for PacksError {
            fn from(error: $error) -> Self {
                Self::Refused(error.into())
            }
        })+
    };
}

stages!(
    BuildError,
    CaptureError,
    HostError,
    InspectError,
    LoadError,
    PlanError,
    ProbeError,
    SdkError,
    WorkspaceError
);

/// Writes a pack to a file, which is replaced as a whole. Returns its size in bytes.
///
/// # Errors
///
/// If the manifest breaks a rule of the format, or the file cannot be written.
pub fn write(draft: &Draft, file: &Path) -> Result<u64, PacksError> {
    save(&draft.write(Vec::new()).map_err(PacksError::Draft)?, file)
}

/// Signs a pack, which is replaced as a whole. Without a `name` the publisher is called like the
/// pack's first author. Returns the new manifest.
///
/// # Errors
///
/// If the pack is refused, no name is known, or the file cannot be written.
pub fn sign(file: &Path, key: &SigningKey, name: Option<&str>) -> Result<Manifest, PacksError> {
    let refused = |error| PacksError::Pack { file: file.to_owned(), error };
    let pack = Reader::open(file).map_err(refused)?;
    let author = || pack.manifest().authors.first().cloned();
    let name = name.map(str::to_owned).or_else(author);
    let name = name.ok_or_else(|| PacksError::NoName { file: file.to_owned() })?;
    let (manifest, bytes) = sign_pack(pack, key, &name, Vec::new()).map_err(refused)?;
    save(&bytes, file)?;
    Ok(manifest)
}

fn save(bytes: &[u8], file: &Path) -> Result<u64, PacksError> {
    atomic_write::write(file, bytes).map_err(|source| {
        let error = PackError::File { action: "write", path: file.to_owned(), source };
        PacksError::Pack { file: file.to_owned(), error }
    })?;
    Ok(bytes.len() as u64)
}
