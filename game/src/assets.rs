//! The game's asset folder.

use std::path::PathBuf;

use bevy::asset::io::file::FileAssetReader;
use bevy::prelude::*;

/// The folder `assets` beside the executable or in one of its parents, so that a build in `target/`
/// finds the workspace's.
pub fn folder() -> PathBuf {
    let base = FileAssetReader::get_base_path();
    let mut candidates = base.ancestors().map(|folder| folder.join("assets"));
    candidates.find(|folder| folder.is_dir()).unwrap_or_else(|| base.join("assets"))
}

/// Bevy's asset plugin for the asset folder.
pub fn plugin() -> AssetPlugin {
    AssetPlugin { file_path: folder().to_string_lossy().into_owned(), ..default() }
}
