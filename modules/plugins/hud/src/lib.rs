//! The HUD: health, wave, score, and the panel at the end of a game.
#![forbid(unsafe_code)]

mod layout;
mod update;

use playground_api::prelude::*;

export_module! {
    kind: Plugins,
    requires: { core_arena: "^0.1" },
    persist: [],
    build: build,
}

fn build(module: &mut ModuleApp) {
    module
        .add_systems(OnLoad, layout::lay_out)
        .add_systems(Update, (update::health, update::dash, update::texts, update::game_over));
}
