//! How the game stands.

use playground_api::prelude::*;

/// Whether a game is on.
#[derive(
    States, Persist, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq, Hash,
)]
pub enum GameState {
    /// The player lives.
    #[default]
    Playing,
    /// The player is dead, and may begin again.
    GameOver,
}

/// What the player has reached.
#[derive(Resource, Persist, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct Score {
    /// Points in this game.
    pub points: u32,
    /// Enemies shot in this game.
    pub kills: u32,
    /// Most points in any game of this run.
    pub best: u32,
    /// What a kill's points are multiplied by, from 1; kills in quick succession raise it.
    pub combo: u32,
    /// Seconds until the combo ends.
    pub combo_left_s: f32,
    /// Seconds since the game ended.
    pub over_for_s: f32,
}

impl Score {
    /// The score at the start of a game: only the best one stays.
    pub fn begin(&mut self) {
        *self = Self { best: self.best, combo: 1, ..Self::default() };
    }
}

/// The enemies that are to come.
#[derive(Resource, Persist, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct Wave {
    /// The number of the current wave, from 1; 0 before the first.
    pub number: u32,
    /// Swarmers, gunners and brutes of this wave that are not in the arena yet.
    pub pending: [u32; 3],
    /// Seconds until the next group comes in, or the next wave begins.
    pub next_in_s: f32,
}
