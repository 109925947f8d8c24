//! `#[persist]`, `#[own_identity]`, and `#[derive(Persist)]`, which writes a type's schema from its
//! definition and its serde attributes.
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
mod own_identity;
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

/// Persists a type, and gives it an identity of its own: an edit of another type leaves the values of
/// this one where they are, and an edit of this one leaves those of the others.
///
/// Stands above the type's other attributes, for `#[derive(Serialize, Deserialize, Persist)]`, and takes
/// the arguments of `Persist` for types: `#[persist(was = "core_a::Old")]`. The type is listed in
/// `export_module!` as well. For items of modules, not for types in functions or from macros.
#[proc_macro_attribute]
pub fn persist(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let item = syn::parse_macro_input!(item as syn::DeriveInput);
    own_identity::persist(arguments.into(), item, &types())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Gives a type an identity of its own, as [`macro@persist`] does, without persisting it: for markers,
/// bundles, caches and events.
///
/// Stands above the type's other attributes.
#[proc_macro_attribute]
pub fn own_identity(arguments: TokenStream, item: TokenStream) -> TokenStream {
    if !arguments.is_empty() {
        let error = syn::Error::new(
            proc_macro2::Span::call_site(),
            "`#[own_identity]` takes no arguments: `#[persist(…)]` does",
        );
        return error.into_compile_error().into();
    }
    let item = syn::parse_macro_input!(item as syn::DeriveInput);
    own_identity::own_identity(item, &types()).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// The host's list of the crate's types.
fn types() -> String {
    std::env::var("PLAYGROUND_TYPES").unwrap_or_default()
}
