//! What happened in a step.

use playground_api::prelude::*;

use crate::{EnemyKind, Team};

/// A fighter was hit.
#[derive(Message, Clone, Debug)]
pub struct Damage {
    /// Who was hit.
    pub target: Entity,
    /// Points of health.
    pub points: i32,
    /// Where.
    pub at: Vec2,
    /// The direction of the hit, a unit vector.
    pub along: Vec2,
}

/// A fighter has no health left.
#[derive(Message, Clone, Debug)]
pub struct Died {
    /// Its kind; the player's ship has none.
    pub enemy: Option<EnemyKind>,
    /// Where it was.
    pub at: Vec2,
    /// Its colour.
    pub color: LinearRgba,
    /// Its size, in world units.
    pub size: f32,
}

/// A weapon fired.
#[derive(Message, Clone, Debug)]
pub struct Fired {
    /// Whose weapon.
    pub team: Team,
    /// Where the bullet appeared.
    pub at: Vec2,
    /// The direction of fire, a unit vector.
    pub along: Vec2,
}

/// A new game begins: whoever keeps something of the old one puts it away.
#[derive(Message, Clone, Debug)]
pub struct NewGame;
