//! Schemas of persisted types, and the conversion of values from one schema to another.
//!
//! ```text
//! #[derive(Persist)] ── Schema (a constant) ─ const_encode ─▶ bytes in the artifact
//!                          │                                   │ Definition::parse
//!                          ▼                                   ▼
//!              Definition (old) + Definition (new) ── TypeChange::between ──▶ lines for `plan`
//!              Definition (old) + Schema (new) ────── Resolution::new ──▶ steps
//!              bincode (old) ── Resolution::convert ──▶ bincode (new), for each value
//! ```

// A type's schema: as a constant, as bytes in the artifact, and as an owned value.
#[cfg(feature = "bevy")]
mod bevy_types;
mod const_encode;
mod definition;
pub mod names;
mod parse;
mod schema;
mod type_name;
mod types;

// From one type to another: the change for the plan, and the conversion.
mod bytecode;
mod compile;
mod diff;
mod fast_path;
mod fields;
mod interpreter;
mod numbers;
mod resolve;
mod wire_format;

// Values with field names, and `migrate` functions.
mod decode;
mod encode;
mod infer_schema;
mod migrate;
mod value;

// Used by the derive's output.
#[doc(hidden)]
pub mod defaults;
pub mod opaque;

pub use const_encode::{
    const_encode, const_encode_all, encode_schemas, encoded_len, encoded_len_all,
};
pub use decode::{ValueError, decode, decode_next, verify};
pub use definition::{Definition, FieldDef, Form, VariantDef};
pub use diff::{Entry, Severity, TypeChange, same_layout};
pub use encode::encode;
pub use interpreter::{ConvertError, Entities};
pub use parse::SchemaError;
pub use resolve::{Options, Resolution, ResolveError};
pub use schema::{Field, Migrate, Number, Persist, Schema, Shape, Variant, WriteDefault};
pub use type_name::{Argument, TypeName};
pub use types::Recursive;
pub use value::Value;
