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

// Names, which modules there are, and which of them should run.
pub mod ids;
pub mod resolve;
pub mod workspace;
// Beside the game, in the order of the flow.
pub mod artifact;
mod atomic_write;
pub mod build;
pub mod epoch;
pub mod generation;
pub mod inspect;
pub mod journal;
pub mod load;
mod os_remedies;
pub mod plan;
pub mod probe;
pub mod process_limits;
pub mod watch;
mod worker;
// Between two frames.
pub mod events;
pub mod guard;
mod host;
pub mod restore;
pub mod snapshot;
pub mod snapshot_file;
pub mod swap;
pub mod tuning;
pub mod type_matching;
pub mod watchdog;
// What people see.
pub mod console;
mod plugin;

pub use plugin::HotLoadPlugin;
pub use tuning::AssetFolder;
