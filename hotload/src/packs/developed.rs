//! Packs that are made in the workspace, in `packs/ID`: their modules are built here, and their assets
//! are read from there.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use playground_pack::Source;

use super::PackVersion;
use crate::ids::ModuleId;

/// The folder of the packs' folders, in the workspace.
pub const FOLDER: &str = "packs";

/// The packs of the workspace, by module. One whose `pack.toml` cannot be read is left out: `pack
/// build` says why.
pub fn developed(workspace: &Path) -> BTreeMap<ModuleId, Arc<PackVersion>> {
    let mut by_module = BTreeMap::new();
    let entries = fs::read_dir(workspace.join(FOLDER)).into_iter().flatten().flatten();
    for folder in entries.map(|entry| entry.path()) {
        let Ok(Source { id, title, version, modules, .. }) = Source::read(&folder) else {
            continue;
        };
        let pack = Arc::new(PackVersion { id, title, version, folder });
        let modules = modules.into_iter().map(|module| (module.as_str().into(), pack.clone()));
        by_module.extend(modules);
    }
    by_module
}
