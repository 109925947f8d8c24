//! Which versions of packs go together, with each other and with the game's own modules.
//!
//! ```text
//!  Catalog, wants ─► pubgrub ─┬─► Resolution ─► load_order
//!                             └─► Clash: the requirements in words, and the smallest change that helps
//! ```
//!
//! Packs and modules are the solver's packages. A module has one choice for each pack or game that
//! offers it, and one for its absence, so that conflicts and optional modules are ranges like others.

mod clash;
mod facts;
mod order;
mod solver;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use semver::{Version, VersionReq};

pub use clash::{Change, Clash};
pub use order::{Cycle, load_order};

use crate::manifest::{Manifest, Module};
use solver::Outcome;

/// Everything that could run.
#[derive(Clone, Debug)]
pub struct Catalog {
    /// The game's version.
    pub game: Version,
    /// The version of `playground_api`.
    pub api: Version,
    /// The game's own modules.
    pub built_in: Vec<BuiltIn>,
    /// All versions of all packs that are installed or could be.
    pub packs: Vec<Offer>,
}

/// A module of the game itself.
#[derive(Clone, Debug)]
pub struct BuiltIn {
    /// The module.
    pub module: Module,
    /// False if it was switched off: it runs only if something requires it.
    pub is_on: bool,
}

/// A version of a pack.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The pack's id.
    pub id: String,
    /// Its version.
    pub version: Version,
    /// The versions of the game that it runs in.
    pub game: VersionReq,
    /// The versions of `playground_api` that it runs with.
    pub api: VersionReq,
    /// Its modules.
    pub modules: Vec<Module>,
}

/// A pack that has to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Want {
    /// The pack's id.
    pub pack: String,
    /// The installed version; `None` if any will do.
    pub version: Option<Version>,
}

/// Versions that run together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolution {
    /// The version of each pack. There are more than were wanted if those require some.
    pub packs: BTreeMap<String, Version>,
    /// Who offers each module.
    pub modules: BTreeMap<String, (Version, Provider)>,
}

/// Who offers a module.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Provider {
    /// The game itself.
    Game,
    /// A version of a pack.
    Pack(String, Version),
}

impl From<&Manifest> for Offer {
    fn from(manifest: &Manifest) -> Self {
        Self {
            id: manifest.id.clone(),
            version: manifest.version.clone(),
            game: manifest.host.clone(),
            api: manifest.api.clone(),
            modules: manifest.modules.clone(),
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Game => f.write_str("the game"),
            Self::Pack(id, version) => write!(f, "pack `{id}` {version}"),
        }
    }
}

/// Finds versions of packs so that everything that is wanted and everything of the game that is
/// switched on runs together. The newest versions are preferred, and packs that nothing needs stay
/// out. The same input always gives the same result.
///
/// # Errors
///
/// If there are none: the requirements that clash, and the smallest change that helps.
pub fn resolve(catalog: &Catalog, wants: &[Want]) -> Result<Resolution, Clash> {
    match solver::solve(catalog, wants) {
        Outcome::Solved(resolution) => Ok(resolution),
        Outcome::Unsolvable(facts) => {
            Err(Clash { facts, changes: clash::smallest_change(catalog, wants) })
        }
    }
}
