//! Builds, checks and swaps a Bevy app's modules while it runs.
//!
//! ```text
//!  worker thread     watch ─► build ─► inspect ─► probe ─► load ─► plan
//!                                                 another process  │ Prepared
//!  between frames    snapshot ─► swap ─► restore ◄─────────────────┘
//!                                  │
//!  frames after      probation ─► commit | rollback
//! ```
//!
//! Read the files in the order below: it is an edit's way through. A stage takes what the one
//! before it gives: `load` takes an [`inspect::Inspected`], which only `inspect` can make.

// What there is, and what is wanted.
pub mod catalog;
pub mod roster;
// Beside the game, in the order of the flow.
pub mod artifact;
pub mod build;
mod durable;
pub mod epoch;
pub mod generation;
pub mod inspect;
pub mod journal;
mod limits;
pub mod load;
pub mod plan;
pub mod probe;
pub mod usage;
pub mod watch;
mod worker;
// Between two frames.
pub mod data;
pub mod events;
pub mod guard;
mod host;
pub mod restore;
pub mod saves;
pub mod snapshot;
pub mod successor;
pub mod swap;
pub mod watchdog;
// What people see.
pub mod console;
mod plugin;

pub use data::AssetFolder;
pub use plugin::HotLoadPlugin;
