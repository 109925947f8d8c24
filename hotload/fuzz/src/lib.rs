//! What the fuzz targets share: the project's own files that read bytes, built without Bevy.
//!
//! ```text
//!  schema_definition   bytes ──► Definition::parse ──► told, compared with itself
//!  schema_convert      bytes ──► two types, values ──► Resolution ──► values of the reader's type
//!  snapshot_file       bytes ──► snapshot_file/format.rs, with and without a right checksum
//!  artifact            bytes ──► inspect.rs, as a module for the running fuzzer
//!  manifest            bytes ──► inspect/manifest.rs ──► inspect/graph.rs
//! ```
//!
//! `cargo run --example seeds` writes files to begin with.

pub mod pool;
pub mod types;
pub mod values;

// What the included files take from `playground_api`, which knows Bevy.
extern crate self as playground_api;
pub use playground_schema as schema;
#[path = "../../../api/src/codec.rs"]
pub mod codec;

/// The files of `hotload/src` that stand alone.
#[path = "../../src"]
pub mod hotload {
    pub mod ids;
    pub mod inspect;
    /// Snapshots.
    pub mod snapshot_file {
        pub mod format;
    }
}

pub use hotload::ids;
pub use hotload::inspect;
pub use hotload::snapshot_file::format;

/// The fingerprint that artifacts have to have.
pub const ABI: &str = "fuzz";
/// The module that artifacts have to be.
pub const MODULE: &str = "demo";
