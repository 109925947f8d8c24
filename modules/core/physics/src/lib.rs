//! Data that all games share: positions, velocities, shapes, flocks and random numbers.
//!
//! ```text
//!  FixedUpdate:  PhysicsSet::Index → Steer → Move → Contain
//!                (spatial grid)     (flocks)  (positions)  (world's edge)
//! ```
#![forbid(unsafe_code)]

pub mod body;
pub mod bounds;
pub mod flock;
pub mod grid;
pub mod identity;
pub mod random;
pub mod shape;

pub use body::{Heading, Position, Radius, Velocity};
pub use bounds::{Bounds, Edge};
pub use flock::{Flocker, Goal, Lure};
pub use grid::{Neighbour, SpatialGrid};
pub use identity::{StableId, StableIds};
pub use random::GameRng;
pub use shape::{Outline, Shape};

use playground_api::prelude::*;

export_module! {
    kind: Core,
    requires: {},
    persist: [
        Position, Velocity, Heading, Radius, Shape, StableId, StableIds,
        Flocker, Goal, Lure, Bounds, GameRng,
    ],
    build: build,
}

/// The stages of a physics step, in their order.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PhysicsSet {
    /// The spatial grid is rebuilt from the flockers' positions.
    Index,
    /// Flockers choose their velocities.
    Steer,
    /// Bodies move by their velocities.
    Move,
    /// Bodies that have left the world are brought back or despawned.
    Contain,
}

fn build(module: &mut ModuleApp) {
    module
        .init_resource::<StableIds>()
        .init_resource::<GameRng>()
        .init_resource::<Bounds>()
        .init_resource::<Lure>()
        .init_resource::<SpatialGrid>()
        .configure_sets(
            FixedUpdate,
            (PhysicsSet::Index, PhysicsSet::Steer, PhysicsSet::Move, PhysicsSet::Contain).chain(),
        );
}
