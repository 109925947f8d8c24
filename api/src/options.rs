//! Resources that the host provides to every module.

use bevy::prelude::*;

/// How the game was started.
#[derive(Resource, Clone, Debug)]
pub struct RunOptions {
    /// The seed of all of the game's random numbers.
    pub seed: u64,
    /// True when the game plays itself.
    pub autopilot: bool,
    /// True when there is no window.
    pub headless: bool,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self { seed: 1, autopilot: false, headless: false }
    }
}

/// Whether the console has the keyboard and the mouse. Gameplay should ignore them then.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyboardFocus {
    /// True while the console takes text input.
    pub console: bool,
    /// True while the pointer is over the console.
    pub pointer_over_console: bool,
}
