//! Finds the types that have an identity of their own, by `#[persist]` or `#[own_identity]`.

use std::collections::BTreeSet;

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt};
use syn::visit::{self, Visit};

use super::attributes::{attributes, is_test};
use super::known_macros::KnownMacros;
use super::names::is_plain;
use super::whole_bodies::holds_shaping_block;

/// The names of these types. No other type of the crate has such a name, so that an impl for that name
/// belongs to one of them.
pub(super) fn own_identities<'a>(
    files: impl Iterator<Item = &'a syn::File>,
    known: &KnownMacros,
) -> BTreeSet<String> {
    let mut search =
        Search { known, in_body: false, own: BTreeSet::new(), others: BTreeSet::new() };
    files.for_each(|file| search.visit_file(file));
    search.own.retain(|name| !search.others.contains(name));
    search.own
}

struct Search<'k> {
    known: &'k KnownMacros,
    in_body: bool,
    own: BTreeSet<String>,
    others: BTreeSet<String>,
}

impl Search<'_> {
    fn add_type(&mut self, name: &syn::Ident, attributes: &[syn::Attribute], item: &impl ToTokens) {
        let is_own = !self.in_body
            && self.has_attribute(attributes)
            && !holds_shaping_block(without_attributes(item.to_token_stream()), self.known);
        let names = if is_own { &mut self.own } else { &mut self.others };
        names.insert(name.to_string());
    }

    /// True if the first attribute is one of the two: behind a derive it may be the helper of that, and
    /// behind a `cfg_attr` another attribute may change it.
    fn has_attribute(&self, attributes: &[syn::Attribute]) -> bool {
        let changes =
            |attribute: &&syn::Attribute| !is_plain(attribute) && !attribute.path().is_ident("cfg");
        let is_conditional = attributes.iter().any(|it| it.path().is_ident("cfg_attr"));
        !is_conditional
            && attributes
                .iter()
                .find(changes)
                .is_some_and(|first| self.known.means_own_identity(first.path()))
    }
}

/// Attributes of fields and variants belong to the type's derives, which are compiled with it.
fn without_attributes(tokens: TokenStream) -> TokenStream {
    let mut tokens = tokens.into_iter().peekable();
    let mut without = TokenStream::new();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                tokens.next_if(|token| matches!(token, TokenTree::Group(_)));
            }
            TokenTree::Group(group) => {
                let inner = without_attributes(group.stream());
                without.append(Group::new(group.delimiter(), inner));
            }
            other => without.append(other),
        }
    }
    without
}

impl<'a> Visit<'a> for Search<'_> {
    fn visit_item(&mut self, item: &'a syn::Item) {
        if is_test(attributes(item)) {
            return;
        }
        match item {
            syn::Item::Struct(it) => self.add_type(&it.ident, &it.attrs, it),
            syn::Item::Enum(it) => self.add_type(&it.ident, &it.attrs, it),
            syn::Item::Union(it) => self.add_type(&it.ident, &it.attrs, it),
            syn::Item::Type(syn::ItemType { ident, .. })
            | syn::Item::Trait(syn::ItemTrait { ident, .. }) => {
                self.others.insert(ident.to_string());
            }
            _ => {}
        }
        visit::visit_item(self, item);
    }

    fn visit_use_rename(&mut self, rename: &'a syn::UseRename) {
        self.others.insert(rename.rename.to_string());
    }

    fn visit_block(&mut self, block: &'a syn::Block) {
        let outer = std::mem::replace(&mut self.in_body, true);
        visit::visit_block(self, block);
        self.in_body = outer;
    }
}
