//! Begins the game anew, as the console's `restart` asks: set-up code runs again, and nothing is
//! loaded.
//!
//! Only a process that begins anew has run no code of before. So the game ends as with `quit`, and
//! its `main` replaces the process by a new one.

use std::sync::{Mutex, PoisonError};

use crate::ids::ModuleId;

/// The app that runs after the restart, once one was asked for.
static REQUESTED: Mutex<Option<Restart>> = Mutex::new(None);

/// A restart that the user asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restart {
    /// The app that ran; `None` if none did.
    pub app: Option<ModuleId>,
}

/// Asks `main` to start the game again once it has ended.
pub(crate) fn request(restart: Restart) {
    *REQUESTED.lock().unwrap_or_else(PoisonError::into_inner) = Some(restart);
}

/// The restart that the user asked for, if the game ended for that. Ask once [`App::run`] has
/// returned.
///
/// [`App::run`]: bevy::app::App::run
pub fn requested() -> Option<Restart> {
    REQUESTED.lock().unwrap_or_else(PoisonError::into_inner).take()
}
