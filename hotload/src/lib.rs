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
//! Read the files in the order below: an edit passes through them in this order. A stage takes the
//! output of the one before it: `load` takes an [`inspect::Inspected`], which only `inspect` can
//! make.

// Names and refusals.
pub mod explain;
pub mod ids;
pub mod refusal;
pub mod resolve;
pub mod workspace;
// On the worker's threads, in the order of the flow.
pub mod worker;
pub mod reader;
pub mod watch;
pub mod pipeline;
mod shared_libraries;
pub mod build;
pub mod epoch;
pub mod artifact;
pub mod quarantine;
pub mod inspect;
pub mod probe;
pub mod load;
pub mod generation;
pub mod stored;
pub mod plan;
pub mod journal;
mod end_signals;
pub mod process_limits;
mod atomic_write;
mod os_remedies;
// Between two frames.
mod host;
pub mod swap;
pub mod restore;
pub mod type_matching;
pub mod rollback_state;
pub mod snapshot_file;
pub mod tuning;
pub mod guard;
pub mod watchdog;
pub mod restart;
pub mod dist;
pub mod events;
// Modules from elsewhere, and for elsewhere.
pub mod packs;
pub mod sdk;
mod toolchain;
// The user interface.
pub mod console;
mod plugin;

pub use playground_api::events::{HotLoadEvent, HotLoadEventKind};
pub use plugin::HotLoadPlugin;
pub use refusal::Refusal;
pub use tuning::AssetFolder;

#[cfg(test)]
mod test_folder;
