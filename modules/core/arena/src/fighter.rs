//! Those who fight.

use playground_api::prelude::*;

/// The player's ship.
#[derive(Component, Persist, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct Player {
    /// Seconds until the next dash is ready.
    pub dash_cooldown_s: f32,
    /// Seconds from the last dash to the next.
    pub dash_interval_s: f32,
    /// Seconds of the current dash left, during which nothing hurts.
    pub dash_left_s: f32,
}

impl Player {
    /// How ready the next dash is, from 0 to 1.
    pub fn dash_readiness(&self) -> f32 {
        1.0 - (self.dash_cooldown_s / self.dash_interval_s.max(0.01)).clamp(0.0, 1.0)
    }

    /// True while nothing hurts.
    pub fn is_dashing(&self) -> bool {
        self.dash_left_s > 0.0
    }
}

/// One of the enemies.
#[derive(Component, Persist, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct Enemy {
    /// Its kind.
    pub kind: EnemyKind,
}

/// What enemies there are.
#[derive(Persist, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum EnemyKind {
    /// Small and quick, in large flocks; rams the player.
    #[default]
    Swarmer,
    /// Keeps its distance and shoots.
    Gunner,
    /// Slow, large and tough.
    Brute,
}

impl EnemyKind {
    /// All kinds, in the order of their appearance.
    pub const ALL: [Self; 3] = [Self::Swarmer, Self::Gunner, Self::Brute];
}

/// Whose side a fighter or a bullet is on.
#[derive(
    Component, Persist, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq, Hash,
)]
pub enum Team {
    /// The player's.
    #[default]
    Player,
    /// Everyone else's.
    Enemies,
}

/// How much a fighter can take. In whole points, so that the order of hits does not matter.
#[derive(Component, Persist, Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct Health {
    /// Points left.
    pub current: i32,
    /// Points at the start.
    pub max: i32,
}

impl Default for Health {
    fn default() -> Self {
        Self::full(1)
    }
}

impl Health {
    /// Unhurt, with `max` points.
    pub fn full(max: i32) -> Self {
        Self { current: max, max }
    }

    /// The part that is left, from 0 to 1.
    pub fn fraction(&self) -> f32 {
        self.current.max(0) as f32 / self.max.max(1) as f32
    }

    /// True when nothing is left.
    pub fn is_spent(&self) -> bool {
        self.current <= 0
    }
}
