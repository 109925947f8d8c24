//! Messages about fights.

use playground_api::prelude::*;

use crate::{EnemyKind, Team};

/// A fighter was hit.
#[own_identity]
#[derive(Message, Clone, Debug)]
pub struct Damage {
    /// The fighter that was hit.
    pub target: Entity,
    /// Damage, in health points.
    pub points: i32,
    /// The place of the hit.
    pub at: Vec2,
    /// The direction of the hit, a unit vector.
    pub along: Vec2,
}

/// A fighter died.
#[own_identity]
#[derive(Message, Clone, Debug)]
pub struct Died {
    /// The kind of enemy; `None` for the player's ship.
    pub enemy: Option<EnemyKind>,
    /// The fighter's position.
    pub at: Vec2,
    pub color: LinearRgba,
    /// Its size, in world units.
    pub size: f32,
}

/// A weapon fired.
#[own_identity]
#[derive(Message, Clone, Debug)]
pub struct Fired {
    /// The weapon's bearer.
    pub team: Team,
    /// The place where the bullet appeared.
    pub at: Vec2,
    /// The bullet's direction, a unit vector.
    pub along: Vec2,
}

/// A new game begins: reset everything that belongs to the old one.
#[own_identity]
#[derive(Message, Clone, Debug)]
pub struct NewGame;
