//! The arena's data: fighters, weapons, the state of the game, and messages.
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

/// The stages of an arena step, in their order, before and after those of physics.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ArenaSet {
    /// The player's input is determined, by hand or by autopilot.
    Intent,
    /// Enemies choose their goals.
    Think,
    /// Weapons cool down and fire.
    Shoot,
    /// Hits by bullets and by touch are detected.
    Hit,
    /// Damage is applied; fighters die.
    Damage,
    /// The score is updated.
    Score,
    /// Enemies are spawned.
    Wave,
    /// Games start and end.
    Flow,
    /// The arena is reset for a new game.
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
