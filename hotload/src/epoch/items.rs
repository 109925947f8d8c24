//! Reads the items of a crate: those that always count, and those that count where code that counts
//! reaches their names.

use std::collections::BTreeSet;
use std::path::PathBuf;

use proc_macro2::{Delimiter, Group, TokenStream};
use quote::{ToTokens, TokenStreamExt};
use syn::visit::{self, Visit};

use super::attributes::{attributes, is_test};
use super::definitions::{Function, Import, Named, is_generic, is_special, returns_impl};
use super::imports::{self, Brought};
use super::known_macros::KnownMacros;
use super::names::{Mentions, calls_method, is_plain, name_of, self_type};
use super::token_hash::TokenHasher;
use super::whole_bodies::{holds_closure, holds_shaping_block, set_orders, shapes_types};

mod impls;

/// Visits items at one module path of the crate.
pub(super) struct Items<'k> {
    known: &'k KnownMacros,
    /// The crate has macros among its items, which may do anything with what is beside them: all
    /// items count, without the bodies of functions.
    all_count: bool,
    /// The names of the types that have an identity of their own.
    own: &'k BTreeSet<String>,
    /// The folder of the file.
    pub folder: PathBuf,
    modules: Vec<String>,
    /// How many impls came before in this module: types in an impl's functions are known by that.
    impls: u64,
    /// The beginning of the impl that is read, up to its items.
    impl_header: TokenStream,
    /// The type with an identity of its own whose impl is read.
    impl_of_own: Option<String>,
    /// Everything that always counts.
    pub tokens: TokenStream,
    /// In the order of the sources.
    pub functions: Vec<Function>,
    /// In the order of the sources.
    pub named: Vec<Named>,
    /// The paths of modules that are files of their own.
    pub files: Vec<Vec<String>>,
    /// Names that the tokens may call.
    pub mentions: Mentions,
    /// The tokens call a method.
    pub calls_method: bool,
}

impl<'k> Items<'k> {
    /// `folder` and `modules` are the folder and the module path of a file.
    pub fn new(
        known: &'k KnownMacros,
        all_count: bool,
        own: &'k BTreeSet<String>,
        folder: PathBuf,
        modules: Vec<String>,
    ) -> Self {
        Self {
            known,
            all_count,
            own,
            folder,
            modules,
            impls: 0,
            impl_header: TokenStream::new(),
            impl_of_own: None,
            tokens: TokenStream::new(),
            functions: Vec::new(),
            named: Vec::new(),
            files: Vec::new(),
            mentions: Mentions::default(),
            calls_method: false,
        }
    }

    /// Reads a file.
    pub fn file(mut self, file: &syn::File) -> Self {
        self.tokens.append_all(file.attrs.iter().filter(|it| self.all_count || !is_plain(it)));
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
                if self.all_count {
                    self.attributes(&item.attrs);
                    item.vis.to_tokens(&mut self.tokens);
                    item.sig.to_tokens(&mut self.tokens);
                }
                self.body(&item.attrs, &item.vis, &item.sig, &item.block);
            }
            syn::Item::Mod(module) => self.module(module),
            syn::Item::Impl(item) if item.trait_.is_none() => self.inherent_impl(item),
            syn::Item::Impl(trait_impl) => self.trait_impl(item, trait_impl),
            syn::Item::Macro(item) if name_of(&item.mac.path) == "export_module" => {
                self.attributes(&item.attrs);
            }
            // What they call counts where they are used.
            syn::Item::Use(_) if self.all_count => item.to_tokens(&mut self.tokens),
            syn::Item::Use(import) => self.import(import),
            syn::Item::Macro(definition) if definition.ident.is_some() => {
                item.to_tokens(&mut self.tokens);
            }
            syn::Item::Struct(syn::ItemStruct { ident, .. })
            | syn::Item::Enum(syn::ItemEnum { ident, .. })
            | syn::Item::Union(syn::ItemUnion { ident, .. })
                if self.own.contains(&ident.to_string()) =>
            {
                let mut mentions = Mentions::default();
                mentions.add(without_variants(item));
                self.push_named(item.to_token_stream(), ident.to_string(), mentions, None);
            }
            syn::Item::Struct(_) | syn::Item::Enum(_) | syn::Item::Union(_) => {
                self.mentions.add(without_variants(item));
                item.to_tokens(&mut self.tokens);
            }
            syn::Item::Const(syn::ItemConst { ident, .. })
            | syn::Item::Static(syn::ItemStatic { ident, .. })
            | syn::Item::Type(syn::ItemType { ident, .. })
                if !self.all_count && ident != "_" =>
            {
                self.named(item.to_token_stream(), ident.to_string(), item);
            }
            item => self.whole(item),
        }
    }

    /// A definition that counts where its name is reached, unless it may hold an impl.
    fn named(&mut self, tokens: TokenStream, name: String, item: &syn::Item) {
        let value = match item {
            syn::Item::Const(item) => item.expr.to_token_stream(),
            syn::Item::Static(item) => item.expr.to_token_stream(),
            _ => TokenStream::new(),
        };
        let shapes =
            shapes_types(&value, self.known) || holds_shaping_block(tokens.clone(), self.known);
        if shapes {
            self.whole(item);
        } else {
            self.add_named(tokens, name, None);
        }
    }

    fn add_named(&mut self, tokens: TokenStream, name: String, import: Option<Import>) {
        let mut mentions = Mentions::default();
        match &import {
            Some(import) => _ = mentions.names.insert(import.last.clone()),
            None => mentions.add(tokens.clone()),
        }
        self.push_named(tokens, name, mentions, import);
    }

    fn push_named(
        &mut self,
        tokens: TokenStream,
        name: String,
        mentions: Mentions,
        import: Option<Import>,
    ) {
        let mut hasher = TokenHasher::new();
        hasher.tokens(self.impl_header.clone(), &self.folder);
        hasher.tokens(tokens, &self.folder);
        let (modules, hash) = (self.modules.clone(), hasher.finish());
        self.named.push(Named { name, modules, mentions, hash, calls_method: false, import });
    }

    fn import(&mut self, import: &syn::ItemUse) {
        for brought in imports::all(import) {
            match brought {
                Brought::Name { name, tokens, import } => {
                    self.add_named(tokens, name, Some(import));
                }
                // It may bring any name.
                Brought::Everything { tokens } => {
                    self.mentions.add(tokens.clone());
                    self.tokens.extend(tokens);
                }
            }
        }
    }

    /// An item that counts with all that it mentions.
    fn whole(&mut self, item: &syn::Item) {
        let tokens = item.to_token_stream();
        self.mentions.add(tokens.clone());
        self.calls_method |= calls_method(&tokens);
        self.tokens.extend(tokens);
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
            if self.all_count || !module.attrs.iter().all(is_plain) {
                module.to_tokens(&mut self.tokens);
            }
            let mut path = self.modules.clone();
            path.push(module.ident.to_string());
            self.files.push(path);
            return;
        };
        let mut header = TokenStream::new();
        header.append_all(&module.attrs);
        module.vis.to_tokens(&mut header);
        module.mod_token.to_tokens(&mut header);
        module.ident.to_tokens(&mut header);
        self.mentions.add_attributes(header.clone());
        let always = self.all_count || !module.attrs.iter().all(is_plain);
        let impls = std::mem::take(&mut self.impls);
        self.braced(header, always, module.ident.to_string(), |inner| {
            items.iter().for_each(|item| inner.item(item));
        });
        self.impls = impls;
    }

    /// Adds `header` and the tokens that `read` adds, in braces, at the module path below this one;
    /// nothing if `read` adds none, unless `always`.
    fn braced(
        &mut self,
        header: TokenStream,
        always: bool,
        module: String,
        read: impl FnOnce(&mut Self),
    ) {
        let outer = std::mem::take(&mut self.tokens);
        self.modules.push(module);
        read(self);
        self.modules.pop();
        let inner = std::mem::replace(&mut self.tokens, outer);
        if always || !inner.is_empty() {
            self.tokens.extend(header);
            self.tokens.append(Group::new(Delimiter::Brace, inner));
        }
    }

    fn body(
        &mut self,
        attributes: &[syn::Attribute],
        visibility: &syn::Visibility,
        signature: &syn::Signature,
        block: &syn::Block,
    ) {
        let orders = set_orders(block.to_token_stream());
        if self.all_count || !orders.is_empty() {
            self.mentions.add(orders.clone());
            self.tokens.append(Group::new(Delimiter::Brace, orders));
        }
        self.function(attributes, Some(visibility), signature, block);
        self.visit_block(block);
    }

    fn function(
        &mut self,
        attributes: &[syn::Attribute],
        visibility: Option<&syn::Visibility>,
        signature: &syn::Signature,
        block: &syn::Block,
    ) {
        let mut header = TokenStream::new();
        header.append_all(attributes);
        visibility.to_tokens(&mut header);
        signature.to_tokens(&mut header);
        let mut of_signature = Mentions::default();
        of_signature.add(header.clone());
        of_signature.add(self.impl_header.clone());

        let tokens = block.to_token_stream();
        let mut of_body = Mentions::default();
        of_body.add(tokens.clone());
        let is_generic = is_generic(signature);
        if is_generic {
            of_body.add(signature.to_token_stream());
        }
        let is_const = signature.constness.is_some();
        let shapes = (is_const && self.all_count)
            || is_special(attributes, signature)
            || shapes_types(&tokens, self.known)
            || holds_shaping_block(header.clone(), self.known);
        let has_closure = holds_closure(tokens.clone());

        let hashed_header = || {
            let mut hasher = TokenHasher::new();
            hasher.tokens(self.impl_header.clone(), &self.folder);
            hasher.tokens(header.clone(), &self.folder);
            hasher
        };
        let mut whole = hashed_header();
        whole.tokens(tokens.clone(), &self.folder);
        if (shapes || has_closure) && !self.impl_header.is_empty() {
            whole.number(self.impls);
        }
        self.functions.push(Function {
            name: signature.ident.to_string(),
            modules: self.modules.clone(),
            of_own: self.impl_of_own.clone(),
            body: of_body,
            signature: of_signature,
            header_hash: hashed_header().finish(),
            hash: whole.finish(),
            shapes,
            has_closure,
            calls_method: calls_method(&tokens),
            is_generic,
            returns_impl: returns_impl(signature),
            is_const,
        });
    }
}

/// The tokens of a type, without the names of an enum's variants: these name nothing else.
fn without_variants(item: &syn::Item) -> TokenStream {
    let syn::Item::Enum(item) = item else { return item.to_token_stream() };
    let mut item = item.clone();
    for variant in &mut item.variants {
        variant.ident = syn::Ident::new("_", variant.ident.span());
    }
    item.into_token_stream()
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
        self.function(&item.attrs, None, &item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'a syn::ImplItemFn) {
        self.function(&item.attrs, None, &item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'a syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.function(&item.attrs, None, &item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }
}
