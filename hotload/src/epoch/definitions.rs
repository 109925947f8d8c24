//! Definitions that count where code that counts reaches their names.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::ToTokens;
use serde::{Deserialize, Serialize};

use super::names::{Mentions, idents, is_silent};

/// A function with a body, wherever it stands.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Function {
    pub name: String,
    /// The modules and the type that it is in.
    pub modules: Vec<String>,
    /// The type with an identity of its own in whose impl it is. Code can only call it if names lead
    /// from that code to the type as well.
    pub of_own: Option<String>,
    /// Names in its body; of a generic function, in its signature as well.
    pub body: Mentions,
    /// Names in its signature and its attributes.
    pub signature: Mentions,
    /// The hash of all but its body.
    pub header_hash: u64,
    /// The hash of all of it.
    pub hash: u64,
    /// Its body counts in its own crate, whoever calls it.
    pub shapes: bool,
    pub has_closure: bool,
    pub calls_method: bool,
    /// It has a type parameter, so that types of its callers get into its types.
    pub is_generic: bool,
    /// It returns `impl`: a type that holds the function shows nothing of what is behind that.
    pub returns_impl: bool,
    /// Lengths of arrays may call it.
    pub is_const: bool,
}

/// A constant, a static, a type alias or an import; a type with an identity of its own, or an impl of
/// a trait for one.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Named {
    pub name: String,
    pub modules: Vec<String>,
    pub mentions: Mentions,
    pub hash: u64,
    /// In an impl.
    pub calls_method: bool,
    pub import: Option<Import>,
}

/// The path of an import.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Import {
    /// The last name of its path.
    pub last: String,
    /// The names before it: modules and crates, perhaps imported as well.
    pub path: BTreeSet<String>,
}

/// True for functions whose bodies shape types by themselves: async functions, and those with an
/// attribute macro.
pub(super) fn is_special(attributes: &[syn::Attribute], signature: &syn::Signature) -> bool {
    signature.asyncness.is_some() || attributes.iter().any(|attribute| !is_silent(attribute))
}

pub(super) fn is_generic(signature: &syn::Signature) -> bool {
    signature.generics.type_params().next().is_some() || mentions_impl(signature)
}

fn mentions_impl(signature: &syn::Signature) -> bool {
    has_impl(signature.inputs.to_token_stream())
}

pub(super) fn returns_impl(signature: &syn::Signature) -> bool {
    has_impl(signature.output.to_token_stream())
}

fn has_impl(tokens: TokenStream) -> bool {
    let mut found = false;
    idents(tokens, &mut |word| found |= word == "impl");
    found
}
