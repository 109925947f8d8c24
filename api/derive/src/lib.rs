//! `#[derive(Persist)]`: writes a type's schema from its definition and its serde attributes.
//!
//! | on | `#[persist(…)]` | says |
//! | --- | --- | --- |
//! | type | `was = "core_a::old::Name"` | a former path; may be repeated |
//! | type | `dropped("shield", "Fast")` | fields or variants whose values are given up |
//! | type | `version = 2`, `migrate = path` | `path(from, value)` takes older values one version on |
//! | enum, variant | `fallback = "Idle"`, `fallback` | what stands for variants that are gone |
//! | field, variant | `rename = "old"` | a former name; may be repeated |
//! | field | `recursive`, `recursive(Outer)` | the type contains itself, or `Outer`, here |
//! | type, field | `as = "Type"` | written as a `Type` |
//! | type | `crate = path` | where the schema crate is |
//!
//! A field that is new gets its default: that of `#[serde(default)]`; else that of the `Default` of
//! the struct around it; else that of its type. A generic struct's `Default` counts only if the
//! struct's own bounds promise it.
#![forbid(unsafe_code)]

mod attributes;
mod expand;
mod fields;
mod recursive;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

/// Implements `Persist` for a struct or an enum; see the crate.
#[proc_macro_derive(Persist, attributes(persist, serde))]
pub fn derive_persist(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    expand::expand(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}
