//! The arena's combat: bullets, hits, deaths, score and waves of enemies.
#![forbid(unsafe_code)]

mod enemies;
mod hit;
mod reset;
mod score;
mod shoot;
mod suffer;
mod think;
mod tuning;
mod waves;

use core_arena::{ArenaSet, GameState};
use playground_api::prelude::*;
use tuning::CombatTuning;

export_module! {
    kind: Systems,
    requires: { core_physics: "^0.1", core_arena: "^0.1" },
    persist: [],
    build: build,
}

fn build(module: &mut ModuleApp) {
    module.add_tuning_file::<CombatTuning>("arena/combat.toml").add_systems(
        FixedUpdate,
        (
            think::choose_goals.in_set(ArenaSet::Think),
            (shoot::aim_gunners, shoot::fire).chain().in_set(ArenaSet::Shoot),
            (hit::strike, hit::touch, hit::expire).chain().in_set(ArenaSet::Hit),
            (suffer::fade_flashes, suffer::lose_health, suffer::die)
                .chain()
                .in_set(ArenaSet::Damage),
            score::count.in_set(ArenaSet::Score),
            waves::advance.in_set(ArenaSet::Wave).run_if(in_state(GameState::Playing)),
            reset::clear_field.in_set(ArenaSet::Reset),
        ),
    );
}
