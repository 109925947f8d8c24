//! A boss in every third wave of the arena.
#![forbid(unsafe_code)]

mod look;
mod warden;

use core_arena::ArenaSet;
use core_canvas::CanvasSet;
use playground_api::prelude::*;
use warden::{Summons, Warden};

export_module! {
    kind: Plugins,
    requires: { core_arena: "^0.1", core_canvas: "^0.1", core_physics: "^0.1" },
    persist: [Warden, Summons],
    build: build,
}

fn build(module: &mut ModuleApp) {
    module
        .init_resource::<Summons>()
        .add_systems(
            FixedUpdate,
            (
                warden::fire_rings.after(ArenaSet::Shoot).before(ArenaSet::Hit),
                warden::shield.after(ArenaSet::Hit).before(ArenaSet::Damage),
                (warden::announce, warden::arrive)
                    .chain()
                    .after(ArenaSet::Wave)
                    .before(ArenaSet::Flow),
            ),
        )
        .add_systems(Update, look::draw.in_set(CanvasSet::Draw))
        .add_console_command("boss", "calls a warden into the arena", call);
}

fn call(_: In<Vec<String>>, mut summons: ResMut<Summons>) -> String {
    summons.waiting += 1;
    "a warden is on its way".to_owned()
}
