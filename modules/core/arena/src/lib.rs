//! The arena game's data: who fights, with what, how it stands, and the messages about it.
//!
//! ```text
//!  FixedUpdate:  ArenaSet::Intent → Think → PhysicsSet::Index … Contain
//!                  → ArenaSet::Shoot → Hit → Damage → Score → Wave → Flow → Reset
//! ```
#![forbid(unsafe_code)]

pub mod fighter;
pub mod game;
pub mod intent;
pub mod messages;
pub mod weapon;

pub use fighter::{Enemy, EnemyKind, Health, Player, Team};
pub use game::{GameState, Score, Wave};
pub use intent::PlayerIntent;
pub use messages::{Damage, Died, Fired, NewGame};
pub use weapon::{Bullet, Contact, Weapon};

use core_physics::PhysicsSet;
use playground_api::prelude::*;

export_module! {
    kind: Core,
    requires: { core_physics: "^0.1" },
    persist: [
        Player, Enemy, Team, Health, Weapon, Contact, Bullet,
        Score, Wave, PlayerIntent, GameState,
    ],
    build: build,
}

/// The stages of an arena step around those of physics, in their order.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ArenaSet {
    /// What the player wants is settled: by hand or by autopilot.
    Intent,
    /// Enemies choose their goals.
    Think,
    /// Weapons cool down and fire.
    Shoot,
    /// Bullets and bodies find what they touch.
    Hit,
    /// Hits become losses of health, and deaths.
    Damage,
    /// Deaths become points, or the end of the game.
    Score,
    /// New enemies come in.
    Wave,
    /// Games end and begin.
    Flow,
    /// What is left of an old game goes.
    Reset,
}

fn build(module: &mut ModuleApp) {
    module
        .add_message::<Damage>()
        .add_message::<Died>()
        .add_message::<Fired>()
        .add_message::<NewGame>()
        .init_resource::<Score>()
        .init_resource::<Wave>()
        .init_resource::<PlayerIntent>()
        .init_state::<GameState>()
        .configure_sets(FixedUpdate, (ArenaSet::Intent, ArenaSet::Think, PhysicsSet::Index).chain())
        .configure_sets(
            FixedUpdate,
            (
                PhysicsSet::Contain,
                ArenaSet::Shoot,
                ArenaSet::Hit,
                ArenaSet::Damage,
                ArenaSet::Score,
                ArenaSet::Wave,
                ArenaSet::Flow,
                ArenaSet::Reset,
            )
                .chain(),
        );
}
