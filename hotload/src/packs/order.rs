//! The order in which modules are loaded.

use std::collections::{BTreeMap, BTreeSet};

use playground_pack::resolve::{Cycle, load_order};
use playground_pack::{Kind, Module};

use crate::ids::ModuleId;
use crate::inspect::{self, Manifest};
use crate::workspace::Members;

/// The modules, each after those that it requires, and as the packs that they came with say beside
/// that. What is free to differ is ordered by name, or by chance where `shuffle` has a seed.
///
/// # Errors
///
/// If there is no such order.
pub fn order(
    manifests: &BTreeMap<ModuleId, Manifest>,
    members: &Members,
    shuffle: Option<u64>,
) -> Result<Vec<ModuleId>, Cycle> {
    let modules: Vec<Module> = manifests.values().map(|it| described(it, members)).collect();
    let order = load_order(&modules, shuffle)?;
    Ok(order.into_iter().map(ModuleId::from).collect())
}

/// A module as a pack describes it.
fn described(manifest: &Manifest, members: &Members) -> Module {
    let of_pack = members.prebuilt_module(&manifest.id).map(|prebuilt| prebuilt.module.clone());
    let requires = manifest.requires.iter();
    Module {
        id: manifest.id.to_string(),
        kind: match manifest.kind {
            inspect::Kind::Core => Kind::Core,
            inspect::Kind::Systems => Kind::Systems,
            inspect::Kind::Plugins => Kind::Plugins,
            inspect::Kind::Apps => Kind::Apps,
        },
        version: manifest.version.clone(),
        requires: requires.map(|(id, versions)| (id.to_string(), versions.clone())).collect(),
        optional: of_pack.as_ref().map(|it| it.optional.clone()).unwrap_or_default(),
        conflicts: BTreeMap::new(),
        after: of_pack.as_ref().map_or_else(BTreeSet::new, |it| it.after.clone()),
        before: of_pack.map_or_else(BTreeSet::new, |it| it.before),
    }
}
