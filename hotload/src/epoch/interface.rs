//! What rustc reads of a crate while it compiles another one: everything but the bodies of functions
//! that are compiled once, in their own crate.
//!
//! Where only such bodies differ, the object files of its dependents are still right: they call the
//! functions by symbols that do not depend on their bodies. A body counts if rustc may compile it in
//! a dependent (generic, `#[inline]`, `const`), if a signature does not say all about it (`async`,
//! `impl Trait`), or if it may hold items, which count wherever they stand. With it counts the line
//! where it begins, which the messages of panics depend on. A constant that the crate keeps to itself
//! counts if anything that counts names it.

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

/// The names of the crate's own constants that only bodies outside of its interface use. Names stand
/// without their paths: if one constant of a name counts, all do.
pub(super) fn private_constants<'a>(
    files: impl Iterator<Item = &'a syn::File>,
    known: &KnownMacros,
    all_count: bool,
) -> BTreeSet<String> {
    if all_count {
        return BTreeSet::new();
    }
    let mut named = Named::default();
    for file in files {
        let mut interface = Interface::new(&mut named, known, all_count, Path::new(""));
        interface.file(file);
    }
    // What a constant that counts names counts as well.
    loop {
        let is_named = |(name, _): &(String, TokenStream)| named.names.contains(name);
        let (counting, left): (Vec<_>, Vec<_>) = named.constants.drain(..).partition(is_named);
        named.constants = left;
        if counting.is_empty() {
            return named.constants.into_iter().map(|(name, _)| name).collect();
        }
        counting.into_iter().for_each(|(_, tokens)| named.add(tokens));
    }
}

/// Hashes the interface of a crate's file, without the constants in `private`.
pub(super) fn hash(
    hasher: &mut TokenHasher,
    (file, text): (&syn::File, &str),
    (known, private): (&KnownMacros, &BTreeSet<String>),
    all_count: bool,
    folder: &Path,
) {
    let mut hashed = Hashed { hasher, private };
    let mut interface = Interface::new(&mut hashed, known, all_count, folder);
    interface.file(file);
    let Interface { bodies, .. } = interface;
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

/// Takes what belongs to an interface.
trait Take {
    fn tokens(&mut self, tokens: TokenStream, folder: &Path);
    /// The end of a list of items.
    fn end(&mut self);
    /// A constant of the crate's own.
    fn constant(&mut self, item: &syn::ItemConst, folder: &Path);
}

struct Hashed<'a> {
    hasher: &'a mut TokenHasher,
    private: &'a BTreeSet<String>,
}

impl Take for Hashed<'_> {
    fn tokens(&mut self, tokens: TokenStream, folder: &Path) {
        self.hasher.tokens(tokens, folder);
    }

    fn end(&mut self) {
        self.hasher.text("end");
    }

    fn constant(&mut self, item: &syn::ItemConst, folder: &Path) {
        if !self.private.contains(&item.ident.to_string()) {
            self.hasher.tokens(item.to_token_stream(), folder);
        }
    }
}

/// The words in an interface, those in literals among them: `{NAME}` may stand in one.
#[derive(Default)]
struct Named {
    names: BTreeSet<String>,
    constants: Vec<(String, TokenStream)>,
}

impl Named {
    fn add(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => self.add(group.stream()),
                TokenTree::Ident(word) => _ = self.names.insert(word.to_string()),
                TokenTree::Literal(literal) => {
                    let text = literal.to_string();
                    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
                    self.names.extend(words.map(str::to_owned));
                }
                TokenTree::Punct(_) => {}
            }
        }
    }
}

impl Take for Named {
    fn tokens(&mut self, tokens: TokenStream, _: &Path) {
        self.add(tokens);
    }

    fn end(&mut self) {}

    fn constant(&mut self, item: &syn::ItemConst, _: &Path) {
        self.constants.push((item.ident.to_string(), item.to_token_stream()));
    }
}

struct Interface<'a, T> {
    taker: &'a mut T,
    known: &'a KnownMacros,
    /// The crate has macros among its items, which may do anything with what is beside them.
    all_count: bool,
    folder: &'a Path,
    /// Those whose bodies count.
    bodies: Functions,
}

impl<'a, T: Take> Interface<'a, T> {
    fn new(taker: &'a mut T, known: &'a KnownMacros, all_count: bool, folder: &'a Path) -> Self {
        Self { taker, known, all_count, folder, bodies: Functions::default() }
    }

    fn file(&mut self, file: &syn::File) {
        self.tokens(&file.attrs);
        self.items(&file.items);
    }

    fn items(&mut self, items: &[syn::Item]) {
        for item in items.iter().filter(|item| !is_test(attributes(item))) {
            self.item(item);
        }
        self.taker.end();
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
            syn::Item::Const(item) if self.is_own_constant(item) => {
                self.taker.constant(item, self.folder);
            }
            item => {
                self.bodies.visit_item(item);
                self.tokens(&[item]);
            }
        }
    }

    /// True for a constant that no other crate can name and whose value has no items in it.
    fn is_own_constant(&self, item: &syn::ItemConst) -> bool {
        let is_own = match &item.vis {
            syn::Visibility::Public(_) => false,
            syn::Visibility::Restricted(_) | syn::Visibility::Inherited => true,
        };
        is_own
            && !self.all_count
            && are_plain(&item.attrs)
            && item.ident != "_"
            && !shapes_types(&item.expr.to_token_stream(), self.known)
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
        self.taker.end();
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
            self.taker.tokens(part.to_token_stream(), self.folder);
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
