//! The only code that Playground's modules and their host share.
//!
//! A module is a library crate that says with [`export_module!`] what it is and, in its `build`
//! function, what it wants; [`ModuleApp`] records that and touches no world. The host reads the
//! record, checks it, and puts it onto Bevy's schedules.
//!
//! ```text
//!  module crate ──export_module!──► PLAYGROUND_MODULE (manifest bytes, build)
//!                                        │
//!                 build(&mut ModuleApp) ─┴─► Recorded ──► the host's World and Schedules
//! ```
//!
//! In development this crate is one shared library, so that a single copy of Bevy, bevy_egui and
//! serde exists in the process.

pub mod codec;
pub mod export;
pub mod handover;
pub mod module;
pub mod options;
pub mod panic_guard;
pub mod persist;
mod state;
pub mod tuning;
pub mod unload;

pub use bevy;
pub use bevy_egui;
pub use playground_schema as schema;
pub use serde;

pub use module::ModuleApp;

/// Fingerprint of this build of the API: rustc, target, profile, features, Bevy and the API's source.
///
/// A module carries the one it was built against; the host refuses a different one.
pub const ABI: &str = env!("PLAYGROUND_ABI");

/// What a module's source begins with: `use playground_api::prelude::*;`.
///
/// It is Bevy's prelude, with the parameters whose memory has to survive a swap
/// ([`MessageReader`](handover::MessageReader), [`RemovedComponents`](handover::RemovedComponents),
/// [`Keep`](handover::Keep)) in place of Bevy's own.
pub mod prelude {
    pub use bevy::prelude::*;
    pub use bevy_egui::{EguiContexts, EguiPrimaryContextPass, egui};
    pub use serde::{Deserialize, Serialize};

    pub use playground_derive::Persist;

    pub use crate::handover::{Keep, MessageReader, RemovedComponents};
    pub use crate::module::{ModuleApp, OnLoad, OnUnload};
    pub use crate::options::{KeyboardFocus, RunOptions};
    pub use crate::persist::Restoring;
    pub use crate::schema::Persist;
    pub use crate::unload::DespawnOnUnload;
    pub use crate::{despawn_on_unload, export_module};
}
