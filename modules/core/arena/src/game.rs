//! The state of the game.

use playground_api::prelude::*;

/// The phase of the game.
#[persist]
#[derive(States, Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum GameState {
    /// The player is alive.
    #[default]
    Playing,
    /// The player is dead, and can start a new game.
    GameOver,
}

/// The player's score.
#[persist]
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub struct Score {
    /// Points in this game.
    pub points: u32,
    /// Enemies shot in this game.
    pub kills: u32,
    /// The highest score in this run of the program.
    pub best: u32,
    /// The factor of a kill's points, from 1; kills in quick succession raise it.
    pub combo: u32,
    /// Seconds until the combo ends.
    pub combo_left_s: f32,
    /// Seconds since the game ended.
    pub over_for_s: f32,
}

impl Score {
    /// Resets the score for a new game; keeps the best one.
    pub fn begin(&mut self) {
        *self = Self { best: self.best, combo: 1, ..Self::default() };
    }
}

/// The current wave of enemies.
#[persist]
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub struct Wave {
    /// The number of the current wave, from 1; 0 before the first.
    pub number: u32,
    /// Swarmers, gunners and brutes of this wave that were not spawned yet.
    pub pending: [u32; 3],
    /// Seconds until the next group is spawned or the next wave begins.
    pub next_in_s: f32,
}
