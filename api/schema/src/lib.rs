//! What persisted types look like, and how values written under one schema are read under another.
//!
//! ```text
//! #[derive(Persist)] ── Schema (a constant) ── flatten ──▶ bytes in the artifact
//!                          │                                   │ Definition::parse
//!                          ▼                                   ▼
//!              Definition (old) + Definition (new) ── TypeChange::between ──▶ lines for `plan`
//!              Definition (old) + Schema (new) ────── Resolution::new ──▶ steps
//!              bincode (old) ── Resolution::convert ──▶ bincode (new), for each value
//! ```

// A type, as a constant, as bytes, and as its own copy.
#[cfg(feature = "bevy")]
mod bevy_types;
mod const_encode;
mod definition;
mod parse;
mod schema;
mod types;

// From one type to another: what is told, and what is done.
mod bytecode;
mod compile;
mod diff;
mod fast_path;
mod fields;
mod interpreter;
mod numbers;
mod resolve;
mod wire_format;

// Values with their fields' names, and the author's functions.
mod decode;
mod encode;
mod infer_schema;
mod migrate;
mod value;

// What derived code uses.
#[doc(hidden)]
pub mod defaults;
pub mod opaque;

pub use const_encode::{flat_bytes, flat_len, flat_len_all, flatten, flatten_all};
pub use decode::{ValueError, decode, verify};
pub use definition::{Definition, FieldDef, Form, VariantDef};
pub use diff::{Entry, Severity, TypeChange, same_layout};
pub use encode::encode;
pub use interpreter::{ConvertError, Entities};
pub use parse::SchemaError;
pub use resolve::{Options, Resolution, ResolveError};
pub use schema::{Field, Migrate, Number, Persist, Schema, Shape, Variant, WriteDefault};
pub use types::Recursive;
pub use value::Value;
