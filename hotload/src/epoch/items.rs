//! Reads the items of a crate: those that always count, and those that count where code that counts
//! reaches their names.

use std::collections::BTreeSet;
use std::path::PathBuf;

use proc_macro2::{Delimiter, Group, Literal, TokenStream};
use quote::{ToTokens, TokenStreamExt};
use syn::visit::{self, Visit};

use super::known_macros::KnownMacros;
use super::names::{
    Mentions, calls_method, idents, is_plain, is_silent, name_of, persist_list, self_type,
};
use super::token_hash::TokenHasher;
use super::whole_bodies::{holds_closure, set_orders, shapes_types};

/// A function with a body, wherever it stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Function {
    pub name: String,
    /// The modules and the type that it is in.
    pub modules: Vec<String>,
    /// What its body mentions; of a generic function, also what its signature does.
    pub body: Mentions,
    /// What its signature and its attributes mention.
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

/// A constant, a static, a type alias or an import.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub name: String,
    pub modules: Vec<String>,
    pub mentions: Mentions,
    pub hash: u64,
    pub import: Option<Import>,
}

/// What an import brings.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Import {
    /// The last name of its path.
    pub last: String,
    /// The names before it: modules and crates, perhaps imported as well.
    pub path: BTreeSet<String>,
}

/// Visits items at one module path of the crate.
pub(super) struct Items<'k> {
    known: &'k KnownMacros,
    /// The crate has macros among its items, which may do anything with what is beside them: all
    /// items count, without the bodies of functions.
    all_count: bool,
    /// The folder of the file.
    pub folder: PathBuf,
    modules: Vec<String>,
    /// How many impls came before in this module: types in an impl's functions are known by that.
    impls: u64,
    /// What all functions of an impl have in common.
    impl_header: TokenStream,
    /// What always counts.
    pub tokens: TokenStream,
    /// In the order of the sources.
    pub functions: Vec<Function>,
    /// In the order of the sources.
    pub named: Vec<Named>,
    /// The paths of modules that are files of their own.
    pub files: Vec<Vec<String>>,
    /// What the tokens may call.
    pub mentions: Mentions,
    /// The tokens call a method.
    pub calls_method: bool,
}

impl<'k> Items<'k> {
    /// `folder` and `modules` are the folder and the module path of a file.
    pub fn new(
        known: &'k KnownMacros,
        all_count: bool,
        folder: PathBuf,
        modules: Vec<String>,
    ) -> Self {
        Self {
            known,
            all_count,
            folder,
            modules,
            impls: 0,
            impl_header: TokenStream::new(),
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
            syn::Item::Impl(_) => self.trait_impl(item),
            syn::Item::Macro(item) if name_of(&item.mac.path) == "export_module" => {
                self.attributes(&item.attrs);
                self.tokens.extend(persist_list(&item.mac.tokens));
            }
            // What they call counts where they are used.
            syn::Item::Use(_) if self.all_count => item.to_tokens(&mut self.tokens),
            syn::Item::Use(import) => self.import(import),
            syn::Item::Macro(definition) if definition.ident.is_some() => {
                item.to_tokens(&mut self.tokens);
            }
            syn::Item::Struct(_) | syn::Item::Enum(_) | syn::Item::Union(_) => {
                self.mentions.add(item.to_token_stream());
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
        if shapes_types(&value, self.known) {
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
        let mut hasher = TokenHasher::new();
        hasher.tokens(self.impl_header.clone(), &self.folder);
        hasher.tokens(tokens, &self.folder);
        let (modules, hash) = (self.modules.clone(), hasher.finish());
        self.named.push(Named { name, modules, mentions, hash, import });
    }

    fn import(&mut self, import: &syn::ItemUse) {
        let mut before = TokenStream::new();
        before.append_all(&import.attrs);
        import.vis.to_tokens(&mut before);
        import.leading_colon.to_tokens(&mut before);
        self.import_tree(&import.tree, before, &[]);
    }

    /// `before` are the tokens before the tree, `path` is the path in them.
    fn import_tree(&mut self, tree: &syn::UseTree, before: TokenStream, path: &[String]) {
        let import = |name: &syn::Ident| match path {
            [path @ .., last] if name == "self" => {
                Import { last: last.clone(), path: path.iter().cloned().collect() }
            }
            _ => Import { last: name.to_string(), path: path.iter().cloned().collect() },
        };
        let tokens = |ending: &dyn ToTokens| {
            let mut tokens = before.clone();
            ending.to_tokens(&mut tokens);
            tokens
        };
        match tree {
            syn::UseTree::Path(next) => {
                let before = tokens(&next.ident);
                let path = [path, &[next.ident.to_string()]].concat();
                self.import_tree(&next.tree, before, &path);
            }
            syn::UseTree::Name(name) => {
                let import = import(&name.ident);
                self.add_named(tokens(name), import.last.clone(), Some(import));
            }
            syn::UseTree::Rename(rename) => {
                let import = import(&rename.ident);
                self.add_named(tokens(rename), rename.rename.to_string(), Some(import));
            }
            // It may bring any name.
            syn::UseTree::Glob(_) => {
                self.tokens.extend(tokens(tree));
                self.mentions.add(before);
            }
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    self.import_tree(tree, before.clone(), path);
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

    /// What is numbered in an impl is known by the impl's number.
    fn trait_impl(&mut self, item: &syn::Item) {
        let functions = self.functions.len();
        self.whole(item);
        let is_numbered = |function: &Function| function.shapes || function.has_closure;
        if self.functions[functions..].iter().any(is_numbered)
            || holds_closure(item.to_token_stream())
        {
            self.tokens.append(Literal::u64_unsuffixed(self.impls));
        }
        self.impls += 1;
    }

    fn inherent_impl(&mut self, item: &syn::ItemImpl) {
        let mut header = TokenStream::new();
        header.append_all(&item.attrs);
        self.mentions.add_attributes(header.clone());
        item.unsafety.to_tokens(&mut header);
        item.impl_token.to_tokens(&mut header);
        item.generics.to_tokens(&mut header);
        item.self_ty.to_tokens(&mut header);
        item.generics.where_clause.to_tokens(&mut header);
        self.impl_header = header.clone();
        self.braced(header, self.all_count, self_type(item), |inner| {
            for item in item.items.iter().filter(|item| !is_test(impl_item_attributes(item))) {
                match item {
                    syn::ImplItem::Fn(method) => {
                        if inner.all_count {
                            inner.attributes(&method.attrs);
                            method.vis.to_tokens(&mut inner.tokens);
                            method.defaultness.to_tokens(&mut inner.tokens);
                            method.sig.to_tokens(&mut inner.tokens);
                        }
                        inner.body(&method.attrs, &method.vis, &method.sig, &method.block);
                    }
                    syn::ImplItem::Const(constant) if !inner.all_count => {
                        let name = constant.ident.to_string();
                        inner.add_named(item.to_token_stream(), name, None);
                    }
                    item => {
                        inner.mentions.add(item.to_token_stream());
                        item.to_tokens(&mut inner.tokens);
                    }
                }
            }
        });
        self.impl_header = TokenStream::new();
        self.impls += 1;
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
            || shapes_types(&tokens, self.known);
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

/// True for functions whose bodies shape types by themselves: async functions, and those with an
/// attribute macro.
fn is_special(attributes: &[syn::Attribute], signature: &syn::Signature) -> bool {
    signature.asyncness.is_some() || attributes.iter().any(|attribute| !is_silent(attribute))
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
