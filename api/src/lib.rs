//! The only code that Playground's modules and their host share.
//!
//! A module is a library crate that describes itself with [`export_module!`] and registers its
//! systems and data in its `build` function. [`ModuleApp`] records the registrations without
//! touching a world; the host checks the record and applies it to Bevy's schedules.
//!
//! ```text
//!  module crate ──export_module!──► PLAYGROUND_MODULE (manifest bytes, build)
//!                                        │
//!                 build(&mut ModuleApp) ─┴─► Recorded ──► the host's World and Schedules
//! ```
//!
//! In development this crate is a shared library, so that a single copy of Bevy, bevy_egui and
//! serde exists in the process.

pub mod codec;
pub mod conditions;
pub mod events;
pub mod export;
pub mod handover;
pub mod module;
pub mod observer;
pub mod options;
pub mod panic_guard;
pub mod persist;
pub mod registered;
mod state;
pub mod stored;
pub mod tuning;
pub mod unload;

pub use bevy;
pub use bevy_egui;
pub use playground_schema as schema;
pub use serde;

pub use module::ModuleApp;

/// Fingerprint of this build of the API: rustc, target, profile, features, Bevy and the API's
/// source.
///
/// A module contains the fingerprint that it was built against; the host rejects a different one.
pub const ABI: &str = env!("PLAYGROUND_ABI");

/// The imports for modules: `use playground_api::prelude::*;`.
///
/// Bevy's prelude, with the system parameters whose state survives a swap
/// ([`MessageReader`](handover::MessageReader), [`RemovedComponents`](handover::RemovedComponents),
/// [`Keep`](handover::Keep)) in place of Bevy's own.
pub mod prelude {
    pub use bevy::prelude::*;
    pub use bevy_egui::{EguiContexts, EguiPrimaryContextPass, egui};
    pub use serde::{Deserialize, Serialize};

    pub use playground_derive::{Persist, own_identity, persist};

    pub use crate::conditions::{
        on_message, on_real_timer, on_timer, once_after_delay, once_after_real_delay,
        repeating_after_delay, repeating_after_real_delay, run_once,
    };
    pub use crate::handover::{Keep, MessageReader, RemovedComponents};
    pub use crate::module::{ModuleApp, OnLoad, OnUnload};
    pub use crate::options::{KeyboardFocus, RunOptions};
    pub use crate::persist::Restoring;
    pub use crate::registered::RegisteredSystems;
    pub use crate::schema::Persist;
    pub use crate::unload::{DespawnOnReload, DespawnOnUnload};
    pub use crate::{despawn_on_reload, despawn_on_unload, export_module};
}
