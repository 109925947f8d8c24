//! Modules that were built elsewhere: those of the packs that are installed and switched on, and in
//! a released game its own.
//!
//! ```text
//!  Store ─► for this system and API? ─► resolve, with the game's own modules ─► Prebuilt
//! ```
//!
//! A pack that cannot run is left out with the reason; the others are not affected. A module that a
//! pack offers replaces the game's own one of the same name.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bevy::log::tracing;
use playground_pack::manifest::MANIFEST;
use playground_pack::resolve::{BuiltIn, Catalog, Offer, Resolution, Want, load_order, resolve};
use playground_pack::store::List;
use playground_pack::{Installed, Kind, Manifest, Module, PackError, Store, StoreError};
use semver::Version;

use super::fit::has_target;
use super::{PacksError, triple};
use crate::build::Stamp;
use crate::ids::{ArtifactHash, ModuleId};
use crate::refusal::Refusal;
use crate::workspace::Members;

/// A version of an installed pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackVersion {
    /// The pack's id.
    pub id: String,
    /// The name that players see.
    pub title: String,
    /// The version.
    pub version: Version,
    /// The folder of its files.
    pub folder: PathBuf,
}

impl std::fmt::Display for PackVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "pack {} {}", self.id, self.version)
    }
}

/// A version of a pack cannot run, and the store went back from it.
#[derive(Clone, Debug)]
pub struct WentBack {
    /// The version.
    pub failed: Arc<PackVersion>,
    /// The version that is installed again, and whether it is on; or why the list stays.
    pub now: Result<(Version, bool), Refusal>,
    /// Why.
    pub reason: String,
}

/// A module that was built elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrebuiltModule {
    /// Its pack; `None` for the game's own.
    pub pack: Option<Arc<PackVersion>>,
    /// The folder that its artifact has to be in.
    pub folder: PathBuf,
    /// Its artifact.
    pub file: PathBuf,
    /// The artifact's hash in the manifest.
    pub hash: ArtifactHash,
    /// The core modules that it requires.
    pub links: BTreeSet<ModuleId>,
    /// Its description in the manifest.
    pub module: Module,
}

/// The modules of all packs that run, and those of a game that was released.
#[derive(Clone, Debug, Default)]
pub struct Prebuilt {
    /// By id.
    pub modules: BTreeMap<ModuleId, PrebuiltModule>,
    /// The modules of a game that was released, also those that packs replace.
    own: Option<Arc<Installed>>,
    /// Why packs that are switched on do not run, by id; the list itself has no id.
    pub refused: BTreeMap<String, Refusal>,
    /// The list as it was read.
    stamp: Option<Stamp>,
}

impl Prebuilt {
    /// True if the store's list was not changed since it was read.
    pub fn are_of(&self, store: &Store) -> bool {
        self.stamp == Stamp::of(&store.list_file())
    }

    /// The modules of a game that was released, in the folder that `dist` wrote.
    ///
    /// # Errors
    ///
    /// If the folder has no manifest, or is that of another system or release.
    pub fn of_game(folder: &Path) -> Result<Self, PacksError> {
        let file = folder.join(MANIFEST);
        let unreadable = |source| PacksError::Pack {
            file: file.clone(),
            error: PackError::File { action: "read", path: file.clone(), source },
        };
        let text = fs::read(&file).map_err(unreadable)?;
        let manifest = Manifest::parse(&text)
            .map_err(|error| PacksError::Pack { file: file.clone(), error: error.into() })?;
        let own = Installed { manifest, folder: folder.to_owned() };
        let own = Arc::new(fits(own, &List::default())?);
        let mut game = Self { own: Some(Arc::clone(&own)), ..Self::default() };
        game.add(&own, None);
        Ok(game)
    }

    /// Without the game's own modules that are built here.
    pub fn without<T>(mut self, crates: &BTreeMap<ModuleId, T>) -> Self {
        self.modules.retain(|id, module| module.pack.is_some() || !crates.contains_key(id));
        self
    }

    /// True for a module of a game that was released, even if a pack replaces it.
    pub fn has_own(&self, id: &ModuleId) -> bool {
        let modules = self.own.iter().flat_map(|own| &own.manifest.modules);
        modules.into_iter().any(|module| *id == *module.id)
    }

    /// Reads the installed packs. `members` has the game's own modules.
    pub fn read(store: &Store, members: &Members) -> Self {
        // Before the list, so that a change meanwhile is seen at the next reading.
        let stamp = Stamp::of(&store.list_file());
        let own = members.prebuilt.own.clone();
        let mut packs = Self { stamp, own: own.clone(), ..Self::default() };
        if let Some(own) = own {
            packs.add(&own, None);
            packs = packs.without(&members.crates);
        }
        let list = match store.list() {
            Ok(list) => list,
            Err(error) => {
                packs.refused.insert(String::new(), PacksError::from(error).into());
                return packs;
            }
        };
        let mut found = Vec::new();
        for (id, entry) in list.packs.iter().filter(|(_, entry)| entry.is_on) {
            let read = store.read(id, entry).map_err(PacksError::from);
            match read.and_then(|installed| fits(installed, &list)) {
                Ok(installed) => found.push(installed),
                Err(error) => _ = packs.refused.insert(id.clone(), error.into()),
            }
        }
        for installed in together(found, members, &mut packs.refused) {
            let Manifest { id, title, version, .. } = installed.manifest.clone();
            let folder = installed.folder.clone();
            packs.add(&installed, Some(Arc::new(PackVersion { id, title, version, folder })));
        }
        packs
    }

    fn add(&mut self, Installed { manifest, folder }: &Installed, pack: Option<Arc<PackVersion>>) {
        let triple = triple();
        for module in &manifest.modules {
            let Some(file) = manifest.library(&triple, &module.id) else { continue };
            let cores = module.requires.keys().map(|id| ModuleId::from(id.as_str()));
            let prebuilt = PrebuiltModule {
                pack: pack.clone(),
                folder: folder.clone(),
                file: folder.join(&file.path),
                hash: file.blake3.to_string().into(),
                links: cores.filter(|id| id.is_core()).collect(),
                module: module.clone(),
            };
            self.modules.insert(module.id.as_str().into(), prebuilt);
        }
    }
}

/// Checks whether a pack may run in this game, for itself.
fn fits(installed: Installed, list: &List) -> Result<Installed, PacksError> {
    let Manifest { id, publisher, .. } = &installed.manifest;
    if let Some(publisher) = publisher.as_ref().filter(|publisher| list.has_revoked(publisher)) {
        let (key, name) = (publisher.key_id().unwrap_or_default(), publisher.name.clone());
        return Err(StoreError::Revoked { id: id.clone(), key, name }.into());
    }
    has_target(&installed.folder, &installed.manifest)?;
    Ok(installed)
}

/// Those of the packs that run together with each other and with the game's own modules. Where some
/// clash, the first ones by id stay.
fn together(
    found: Vec<Installed>,
    members: &Members,
    refused: &mut BTreeMap<String, Refusal>,
) -> Vec<Installed> {
    let manifests =
        |packs: &[Installed]| packs.iter().map(|pack| pack.manifest.clone()).collect::<Vec<_>>();
    if find(&manifests(&found), members).is_ok() {
        return found;
    }
    let mut kept: Vec<Installed> = Vec::new();
    for pack in found {
        let id = pack.manifest.id.clone();
        kept.push(pack);
        if let Err(error) = find(&manifests(&kept), members) {
            refused.insert(id, error.into());
            kept.pop();
        }
    }
    kept
}

/// Finds out whether these packs run together with the game's own modules.
///
/// # Errors
///
/// If they do not: which requirements clash, and what would help.
pub(super) fn find(packs: &[Manifest], members: &Members) -> Result<Resolution, PacksError> {
    let offered: BTreeSet<&str> = packs
        .iter()
        .flat_map(|pack| pack.modules.iter().map(|module| module.id.as_str()))
        .collect();
    let built_in = members.crates.values().filter_map(|module| {
        let id = module.id.as_str();
        let own = Module {
            id: id.to_owned(),
            kind: Kind::of_name(id)?,
            version: module.version.clone(),
            requires: BTreeMap::new(),
            optional: BTreeMap::new(),
            conflicts: BTreeMap::new(),
            after: BTreeSet::new(),
            before: BTreeSet::new(),
        };
        Some(own)
    });
    let own = members.prebuilt.own.iter().flat_map(|own| own.manifest.modules.iter().cloned());
    let own = own.filter(|module| !members.crates.contains_key(module.id.as_str()));
    let built_in = built_in.chain(own).map(|module| {
        // Installing a module in place of one of the game's is a decision.
        let is_on = module.kind != Kind::Apps && !offered.contains(module.id.as_str());
        BuiltIn { module, is_on }
    });
    let catalog = Catalog {
        game: own_version(),
        api: own_version(),
        built_in: built_in.collect(),
        packs: packs.iter().map(Offer::from).collect(),
    };
    let wants: Vec<Want> = packs
        .iter()
        .map(|pack| Want { pack: pack.id.clone(), version: Some(pack.version.clone()) })
        .collect();
    // The solver logs each of its steps.
    let silence = tracing::subscriber::NoSubscriber::default();
    let found = tracing::subscriber::with_default(silence, || resolve(&catalog, &wants));
    let found = found.map_err(|clash| PacksError::Clash(Box::new(clash)))?;
    let own = catalog.built_in.iter().map(|built_in| &built_in.module);
    let own = own.filter(|module| !offered.contains(module.id.as_str()));
    let of_packs = packs.iter().flat_map(|pack| &pack.modules);
    load_order(own.chain(of_packs), None).map_err(PacksError::Order)?;
    Ok(found)
}

/// The folder of installed packs in a workspace.
pub fn folder_in(workspace: &Path) -> PathBuf {
    workspace.join("saves").join("packs")
}

/// The version of the game and of the API, which are released together.
pub fn own_version() -> Version {
    let version = Version::parse(env!("CARGO_PKG_VERSION"));
    version.unwrap_or(Version::new(0, 0, 0))
}
