//! The player's input.

use playground_api::prelude::*;

/// The player's input, from the keyboard and mouse or from the autopilot.
///
/// `dash` and `restart` stay set until a fixed step has handled them, so that a key pressed between
/// two steps is not lost.
#[persist]
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub struct PlayerIntent {
    /// Direction of thrust, of length at most 1.
    pub thrust: Vec2,
    /// The point to aim at, in world units.
    pub aim: Vec2,
    /// Whether to shoot.
    pub fire: bool,
    /// Whether to dash.
    pub dash: bool,
    /// Whether to start a new game.
    pub restart: bool,
}
