//! What rustc reads of a crate while it compiles another one: everything but the bodies of functions
//! that are compiled once, in their own crate.
//!
//! Where only such bodies differ, the object files of its dependents are still right: they call the
//! functions by symbols that do not depend on their bodies. A body counts if rustc may compile it in
//! a dependent (generic, `#[inline]`, `const`), if a signature does not say all about it (`async`,
//! `impl Trait`), or if it may hold items, which count wherever they stand. With it counts the line
//! where it begins, which the messages of panics depend on.

use std::collections::BTreeSet;
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit::{self, Visit};

use super::attributes::{attributes, is_test};
use super::known_macros::KnownMacros;
use super::names::name_of;
use super::token_hash::TokenHasher;
use super::whole_bodies::shapes_types;

/// Attributes of functions, impls and modules that expand to nothing else.
const PLAIN: [&str; 9] =
    ["allow", "cfg", "deny", "deprecated", "doc", "expect", "forbid", "must_use", "warn"];

/// Hashes the interface of a crate's file.
pub(super) fn hash(
    hasher: &mut TokenHasher,
    (file, text): (&syn::File, &str),
    known: &KnownMacros,
    all_count: bool,
    folder: &Path,
) {
    let bodies = Functions::default();
    let mut interface = Interface { hasher, known, all_count, folder, bodies };
    interface.tokens(&file.attrs);
    interface.items(&file.items);
    let Interface { hasher, bodies, .. } = interface;
    for (number, line) in (1..).zip(text.lines()) {
        let begun = line.split("fn ").skip(1).map(|rest| {
            rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
        });
        if begun.into_iter().any(|name| bodies.0.contains(name)) {
            hasher.number(number);
        }
    }
}

/// Names of functions.
#[derive(Default)]
struct Functions(BTreeSet<String>);

impl<'a> Visit<'a> for Functions {
    fn visit_signature(&mut self, signature: &'a syn::Signature) {
        self.0.insert(signature.ident.to_string());
        visit::visit_signature(self, signature);
    }
}

struct Interface<'a> {
    hasher: &'a mut TokenHasher,
    known: &'a KnownMacros,
    /// The crate has macros among its items, which may do anything with what is beside them.
    all_count: bool,
    folder: &'a Path,
    /// Those whose bodies count.
    bodies: Functions,
}

impl Interface<'_> {
    fn items(&mut self, items: &[syn::Item]) {
        for item in items.iter().filter(|item| !is_test(attributes(item))) {
            self.item(item);
        }
        self.hasher.text("end");
    }

    fn item(&mut self, item: &syn::Item) {
        match item {
            // A dependent links to none of what it expands to.
            syn::Item::Macro(item) if name_of(&item.mac.path) == "export_module" => {}
            syn::Item::Fn(item) if self.is_compiled_once(&item.attrs, &item.sig, &item.block) => {
                self.signature(&item.attrs, &item.vis, &item.sig);
            }
            syn::Item::Impl(item) if !self.all_count && is_plain_impl(item) => {
                self.plain_impl(item);
            }
            syn::Item::Mod(syn::ItemMod {
                attrs, vis, ident, content: Some((_, items)), ..
            }) if !self.all_count && are_plain(attrs) => {
                self.tokens(attrs);
                self.tokens(&[vis.to_token_stream(), ident.to_token_stream()]);
                self.items(items);
            }
            syn::Item::Use(_)
            | syn::Item::Struct(_)
            | syn::Item::Enum(_)
            | syn::Item::Type(_)
            | syn::Item::Mod(syn::ItemMod { content: None, .. }) => self.tokens(&[item]),
            item => {
                self.bodies.visit_item(item);
                self.tokens(&[item]);
            }
        }
    }

    fn plain_impl(&mut self, item: &syn::ItemImpl) {
        let header = syn::ItemImpl { items: Vec::new(), ..item.clone() };
        self.tokens(&[header]);
        for item in &item.items {
            match item {
                syn::ImplItem::Fn(item)
                    if self.is_compiled_once(&item.attrs, &item.sig, &item.block) =>
                {
                    self.signature(&item.attrs, &item.vis, &item.sig);
                }
                item => {
                    self.bodies.visit_impl_item(item);
                    self.tokens(&[item]);
                }
            }
        }
        self.hasher.text("end");
    }

    fn is_compiled_once(
        &self,
        attrs: &[syn::Attribute],
        signature: &syn::Signature,
        body: &syn::Block,
    ) -> bool {
        let syn::Signature { constness, asyncness, abi, generics, variadic, .. } = signature;
        !self.all_count
            && are_plain(attrs)
            && constness.is_none()
            && asyncness.is_none()
            && abi.is_none()
            && variadic.is_none()
            && is_only_over_lifetimes(generics)
            && !holds_impl(signature.to_token_stream())
            && !shapes_types(&body.to_token_stream(), self.known)
    }

    fn signature(
        &mut self,
        attrs: &[syn::Attribute],
        visibility: &syn::Visibility,
        signature: &syn::Signature,
    ) {
        self.tokens(attrs);
        self.tokens(&[visibility.to_token_stream(), signature.to_token_stream()]);
    }

    fn tokens(&mut self, parts: &[impl ToTokens]) {
        for part in parts {
            self.hasher.tokens(part.to_token_stream(), self.folder);
        }
    }
}

fn is_plain_impl(item: &syn::ItemImpl) -> bool {
    are_plain(&item.attrs) && is_only_over_lifetimes(&item.generics)
}

fn are_plain(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().all(|attribute| PLAIN.iter().any(|plain| attribute.path().is_ident(plain)))
}

fn is_only_over_lifetimes(generics: &syn::Generics) -> bool {
    generics.params.iter().all(|parameter| matches!(parameter, syn::GenericParam::Lifetime(_)))
}

fn holds_impl(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Group(group) => holds_impl(group.stream()),
        TokenTree::Ident(word) => word == "impl",
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}
