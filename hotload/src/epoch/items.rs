//! Reads the items of a crate: the tokens that always count, and its functions.

use std::collections::BTreeSet;
use std::path::PathBuf;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt};
use syn::visit::{self, Visit};

use super::known_macros::KnownMacros;
use super::names::{Mentions, idents, is_silent, name_of, self_type};
use super::token_hash::TokenHasher;
use super::whole_bodies::{holds_closure, set_orders, shapes_types};

/// A function with a body, wherever it stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Function {
    pub name: String,
    /// The modules and the type that it is in.
    pub modules: Vec<String>,
    /// What its body mentions.
    pub names: BTreeSet<String>,
    /// The modules that attributes in its body mention.
    pub mentioned_modules: BTreeSet<String>,
    /// Its body's hash.
    pub body: u64,
    /// Its body counts in its own crate, whoever calls it.
    pub shapes: bool,
    pub has_closure: bool,
    /// It has a type parameter, so that types of its callers get into its types.
    pub is_generic: bool,
    /// It returns `impl`: a type that holds the function shows nothing of what is behind that.
    pub returns_impl: bool,
}

/// Visits items at one module path of the crate.
pub(super) struct Items<'k> {
    known: &'k KnownMacros,
    /// The folder of the file.
    pub folder: PathBuf,
    modules: Vec<String>,
    /// Everything but the bodies of functions.
    pub tokens: TokenStream,
    /// In the order of the sources.
    pub functions: Vec<Function>,
    /// What the tokens may call.
    pub mentions: Mentions,
}

impl<'k> Items<'k> {
    /// `folder` and `modules` are the folder and the module path of a file.
    pub fn new(known: &'k KnownMacros, folder: PathBuf, modules: Vec<String>) -> Self {
        let (tokens, functions) = (TokenStream::new(), Vec::new());
        Self { known, folder, modules, tokens, functions, mentions: Mentions::default() }
    }

    /// Reads a file.
    pub fn file(mut self, file: &syn::File) -> Self {
        self.tokens.append_all(&file.attrs);
        for item in &file.items {
            self.item(item);
        }
        self
    }

    fn item(&mut self, item: &syn::Item) {
        if is_test(attributes(item)) {
            return;
        }
        match item {
            syn::Item::Fn(item) => {
                self.attributes(&item.attrs);
                item.vis.to_tokens(&mut self.tokens);
                item.sig.to_tokens(&mut self.tokens);
                self.body(&item.attrs, &item.sig, &item.block);
            }
            syn::Item::Mod(module) => self.module(module),
            syn::Item::Impl(item) if item.trait_.is_none() => self.inherent_impl(item),
            syn::Item::Macro(item) if name_of(&item.mac.path) == "export_module" => {
                let tokens = item.mac.tokens.clone();
                self.attributes(&item.attrs);
                self.tokens.extend(persist_list(&tokens).unwrap_or(tokens));
            }
            // What they call counts where they are used.
            syn::Item::Use(_) => item.to_tokens(&mut self.tokens),
            syn::Item::Macro(definition) if definition.ident.is_some() => {
                item.to_tokens(&mut self.tokens);
            }
            syn::Item::Struct(_) | syn::Item::Enum(_) | syn::Item::Union(_) => {
                self.mentions.add_attributes(item.to_token_stream());
                item.to_tokens(&mut self.tokens);
            }
            item => self.whole(item),
        }
    }

    /// An item that counts with all that it mentions.
    fn whole(&mut self, item: &syn::Item) {
        self.mentions.add(item.to_token_stream());
        item.to_tokens(&mut self.tokens);
        self.visit_item(item);
    }

    fn attributes(&mut self, attributes: &[syn::Attribute]) {
        let mut tokens = TokenStream::new();
        tokens.append_all(attributes);
        self.mentions.add_attributes(tokens.clone());
        self.tokens.extend(tokens);
    }

    fn module(&mut self, module: &syn::ItemMod) {
        let Some((_, items)) = &module.content else {
            module.to_tokens(&mut self.tokens);
            return;
        };
        self.attributes(&module.attrs);
        module.vis.to_tokens(&mut self.tokens);
        module.mod_token.to_tokens(&mut self.tokens);
        module.ident.to_tokens(&mut self.tokens);
        self.braced(module.ident.to_string(), |inner| {
            items.iter().for_each(|item| inner.item(item));
        });
    }

    fn inherent_impl(&mut self, item: &syn::ItemImpl) {
        self.attributes(&item.attrs);
        item.unsafety.to_tokens(&mut self.tokens);
        item.impl_token.to_tokens(&mut self.tokens);
        item.generics.to_tokens(&mut self.tokens);
        item.self_ty.to_tokens(&mut self.tokens);
        item.generics.where_clause.to_tokens(&mut self.tokens);
        self.braced(self_type(item), |inner| {
            for item in item.items.iter().filter(|item| !is_test(impl_item_attributes(item))) {
                match item {
                    syn::ImplItem::Fn(method) => {
                        inner.attributes(&method.attrs);
                        method.vis.to_tokens(&mut inner.tokens);
                        method.defaultness.to_tokens(&mut inner.tokens);
                        method.sig.to_tokens(&mut inner.tokens);
                        inner.body(&method.attrs, &method.sig, &method.block);
                    }
                    item => {
                        inner.mentions.add(item.to_token_stream());
                        item.to_tokens(&mut inner.tokens);
                    }
                }
            }
        });
    }

    /// Adds the tokens that `read` adds, in braces, at the module path below this one.
    fn braced(&mut self, module: String, read: impl FnOnce(&mut Self)) {
        let outer = std::mem::take(&mut self.tokens);
        self.modules.push(module);
        read(self);
        self.modules.pop();
        let inner = std::mem::replace(&mut self.tokens, outer);
        self.tokens.append(Group::new(Delimiter::Brace, inner));
    }

    fn body(
        &mut self,
        attributes: &[syn::Attribute],
        signature: &syn::Signature,
        block: &syn::Block,
    ) {
        let orders = set_orders(block.to_token_stream());
        self.mentions.add(orders.clone());
        self.tokens.append(Group::new(Delimiter::Brace, orders));
        self.function(attributes, signature, block);
        self.visit_block(block);
    }

    fn function(
        &mut self,
        attributes: &[syn::Attribute],
        signature: &syn::Signature,
        block: &syn::Block,
    ) {
        let tokens = block.to_token_stream();
        let mut hasher = TokenHasher::new();
        hasher.tokens(tokens.clone(), &self.folder);
        let mut mentions = Mentions::default();
        mentions.add(tokens.clone());
        let is_generic = is_generic(signature);
        if is_generic {
            mentions.add(signature.to_token_stream());
        }
        self.functions.push(Function {
            name: signature.ident.to_string(),
            modules: self.modules.clone(),
            names: mentions.names,
            mentioned_modules: mentions.modules,
            body: hasher.finish(),
            shapes: is_special(attributes, signature) || shapes_types(&tokens, self.known),
            has_closure: holds_closure(tokens),
            is_generic,
            returns_impl: returns_impl(signature),
        });
    }
}

/// True for functions whose bodies shape types by themselves: const and async functions, and
/// those with an attribute macro.
fn is_special(attributes: &[syn::Attribute], signature: &syn::Signature) -> bool {
    signature.constness.is_some()
        || signature.asyncness.is_some()
        || attributes.iter().any(|attribute| !is_silent(attribute))
}

fn is_generic(signature: &syn::Signature) -> bool {
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

/// Functions in items and bodies that count whole are followed like others.
impl<'a> Visit<'a> for Items<'_> {
    fn visit_item_mod(&mut self, item: &'a syn::ItemMod) {
        self.modules.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.modules.pop();
    }

    fn visit_item_impl(&mut self, item: &'a syn::ItemImpl) {
        self.modules.push(self_type(item));
        visit::visit_item_impl(self, item);
        self.modules.pop();
    }

    fn visit_item_fn(&mut self, item: &'a syn::ItemFn) {
        self.function(&item.attrs, &item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'a syn::ImplItemFn) {
        self.function(&item.attrs, &item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'a syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.function(&item.attrs, &item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }
}

/// The list behind `persist:` in an `export_module!`.
fn persist_list(tokens: &TokenStream) -> Option<TokenStream> {
    let tokens: Vec<_> = tokens.clone().into_iter().collect();
    tokens.windows(3).find_map(|window| match window {
        [TokenTree::Ident(key), TokenTree::Punct(_), TokenTree::Group(list)]
            if key == "persist" =>
        {
            Some(TokenTree::Group(list.clone()).into())
        }
        _ => None,
    })
}

/// True for items that exist only in tests.
pub(super) fn is_test(attributes: &[syn::Attribute]) -> bool {
    let is_test_condition = |condition: &syn::Meta| match condition {
        syn::Meta::Path(path) => path.is_ident("test"),
        syn::Meta::List(list) if list.path.is_ident("all") => {
            let parser = syn::punctuated::Punctuated::<syn::Meta, syn::Token![,]>::parse_terminated;
            list.parse_args_with(parser).is_ok_and(|conditions| {
                conditions.iter().any(|condition| condition.path().is_ident("test"))
            })
        }
        _ => false,
    };
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || (attribute.path().is_ident("cfg")
                && attribute.parse_args().is_ok_and(|condition| is_test_condition(&condition)))
    })
}

/// The attributes of an item.
pub(super) fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::ExternCrate(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::ForeignMod(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Macro(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Static(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Trait(item) => &item.attrs,
        syn::Item::TraitAlias(item) => &item.attrs,
        syn::Item::Type(item) => &item.attrs,
        syn::Item::Union(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// The attributes of an item of an impl.
pub(super) fn impl_item_attributes(item: &syn::ImplItem) -> &[syn::Attribute] {
    match item {
        syn::ImplItem::Const(item) => &item.attrs,
        syn::ImplItem::Fn(item) => &item.attrs,
        syn::ImplItem::Type(item) => &item.attrs,
        syn::ImplItem::Macro(item) => &item.attrs,
        _ => &[],
    }
}
