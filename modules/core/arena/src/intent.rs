//! What the player wants.

use playground_api::prelude::*;

/// What the player wants to do, from the keyboard and mouse or from the autopilot.
///
/// `dash` and `restart` stay until a fixed step has taken them, so that a key pressed between two
/// steps is not lost.
#[derive(Resource, Persist, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct PlayerIntent {
    /// Direction to fly in, at most 1 long.
    pub thrust: Vec2,
    /// The point to shoot at, in world units.
    pub aim: Vec2,
    /// Whether to shoot.
    pub fire: bool,
    /// Whether to dash.
    pub dash: bool,
    /// Whether to begin a new game.
    pub restart: bool,
}
