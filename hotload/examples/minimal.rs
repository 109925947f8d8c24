//! The smallest app whose modules can be edited while it runs:
//! `cargo run -p playground_hotload --example minimal`, from the workspace's root.

use bevy::prelude::*;
use playground_hotload::HotLoadPlugin;

fn main() -> AppExit {
    // Bevy looks for assets beside the example's manifest; the modules' lie in the workspace.
    let assets = AssetPlugin { file_path: "../assets".to_owned(), ..default() };
    App::new().add_plugins((DefaultPlugins.set(assets), HotLoadPlugin::default())).run()
}
