//! `#[derive(Persist)]`: writes a type's schema from its definition and its serde attributes.
//!
//! | on | `#[persist(…)]` | meaning |
//! | --- | --- | --- |
//! | type | `was = "core_a::old::Name"` | a former path; may be repeated |
//! | type | `dropped("shield", "Fast")` | removed fields or variants whose values may be dropped |
//! | type | `version = 2`, `migrate = path` | `path(from, value)` upgrades older values by one version |
//! | enum, variant | `fallback = "Idle"`, `fallback` | the variant that replaces removed variants |
//! | field, variant | `rename = "old"` | a former name; may be repeated |
//! | field | `recursive`, `recursive(Outer)` | the field's type contains the type itself, or `Outer` |
//! | type, field | `as = "Type"` | serde encodes it as a `Type` |
//! | type | `crate = path` | the path of the schema crate |
//!
//! A new field gets its default from `#[serde(default)]`, else from the `Default` of the enclosing
//! struct, else from that of its type. A generic struct's `Default` is used only if it follows from
//! the struct's own bounds.
#![forbid(unsafe_code)]

mod attributes;
mod expand;
mod fields;
mod recursive;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

/// Implements `Persist` for a struct or an enum. The attributes are described at the crate.
#[proc_macro_derive(Persist, attributes(persist, serde))]
pub fn derive_persist(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    expand::expand(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}
