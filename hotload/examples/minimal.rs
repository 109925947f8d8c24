//! The smallest app whose modules can be edited while it runs:
//! `cargo run -p playground_hotload --example minimal`, from the workspace's root.

use bevy::prelude::*;
use playground_hotload::HotLoadPlugin;

fn main() -> AppExit {
    App::new().add_plugins((DefaultPlugins, HotLoadPlugin::default())).run()
}
