//! Module packs: modules, assets and a signed manifest in one file.
//!
//! ```text
//!  author   folder ─► Source ─► Draft ─► Writer ─► .pgpack ─► SigningKey::sign
//!  player  .pgpack ─► Reader ─► limits, manifest, signature ─► Store::stage ─► Staged::install
//! ```
//!
//! [`resolve`] decides which packs go together, and in which order their modules are loaded.
//! `FORMAT.md` beside this crate's manifest documents the format. Nothing here executes anything of
//! a pack, and nothing knows the game: whether a library fits a game is for the game to check.
#![forbid(unsafe_code)]

pub mod archive;
pub mod error;
pub mod limits;
pub mod manifest;
pub mod path;
pub mod resolve;
pub mod sign;
pub mod source;
pub mod store;

pub use archive::{Contents, Reader, Writer};
pub use error::{ArchiveError, PackError, Size};
pub use manifest::{File, Hash, Kind, Manifest, Module, Publisher, Target};
pub use sign::{SignError, SigningKey, sign_pack};
pub use source::{Draft, Library, Source, SourceError};
pub use store::{Installed, Permissions, Staged, Store, StoreError};
