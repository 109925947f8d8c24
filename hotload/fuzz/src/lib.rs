//! Code shared by the fuzz targets: the project's files that parse bytes, built without Bevy.
//!
//! ```text
//!  schema_definition   bytes ──► Definition::parse ──► displayed, compared with itself
//!  schema_convert      bytes ──► two types, values ──► Resolution ──► values of the reader's type
//!  snapshot_file       bytes ──► snapshot_file/format.rs, with and without a valid checksum
//!  artifact            bytes ──► inspect.rs, as a module for the running fuzzer
//!  manifest            bytes ──► inspect/manifest.rs ──► inspect/graph.rs
//!  pack                bytes ──► playground_pack::Reader, Manifest
//! ```
//!
//! `cargo run --example seeds` writes the initial corpora.

pub mod packs;
pub mod pool;
pub mod types;
pub mod values;

// The parts of `playground_api`, which depends on Bevy, that the included files use.
extern crate self as playground_api;
pub use playground_schema as schema;
#[path = "../../../api/src/codec.rs"]
pub mod codec;

/// The files of `hotload/src` that do not need Bevy.
#[path = "../../src"]
pub mod hotload {
    pub mod explain;
    pub mod ids;
    pub mod inspect;
    /// The file format of snapshots.
    pub mod snapshot_file {
        pub mod format;
    }
}

pub use hotload::explain;
pub use hotload::ids;
pub use hotload::inspect;
pub use hotload::snapshot_file::format;

/// The expected fingerprint of artifacts.
pub const ABI: &str = "fuzz";
/// The expected module id of artifacts.
pub const MODULE: &str = "demo";
