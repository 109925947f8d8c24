//! The tokens of a file that are part of the epoch: its items, without the bodies of ordinary
//! functions.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt};
use syn::visit::{self, Visit};

use super::macro_effects::{is_hook, name_of};
use super::reachable_functions::{ReachableFunctions, self_type};

/// Visits items at one module path of the crate.
pub(super) struct SignificantTokens<'k> {
    reachable: &'k ReachableFunctions,
    modules: Vec<String>,
    tokens: TokenStream,
}

impl<'k> SignificantTokens<'k> {
    /// `modules` is the module path of the file.
    pub fn new(reachable: &'k ReachableFunctions, modules: Vec<String>) -> Self {
        Self { reachable, modules, tokens: TokenStream::new() }
    }

    /// The tokens of `file` that are part of the epoch.
    pub fn file(mut self, file: &syn::File) -> TokenStream {
        self.tokens.append_all(&file.attrs);
        for item in &file.items {
            self.item(item);
        }
        self.tokens
    }

    fn item(&mut self, item: &syn::Item) {
        if is_test(attributes(item)) {
            return;
        }
        match item {
            syn::Item::Fn(item) => {
                self.tokens.append_all(&item.attrs);
                item.vis.to_tokens(&mut self.tokens);
                item.sig.to_tokens(&mut self.tokens);
                self.body(&item.attrs, &item.sig, &item.block);
            }
            syn::Item::Mod(module) => self.module(module),
            syn::Item::Impl(item) if item.trait_.is_none() => self.inherent_impl(item),
            syn::Item::Macro(item) if name_of(&item.mac.path) == "export_module" => {
                let tokens = item.mac.tokens.clone();
                self.tokens.append_all(&item.attrs);
                self.tokens.extend(persist_list(&tokens).unwrap_or(tokens));
            }
            item => item.to_tokens(&mut self.tokens),
        }
    }

    fn module(&mut self, module: &syn::ItemMod) {
        let Some((_, items)) = &module.content else {
            module.to_tokens(&mut self.tokens);
            return;
        };
        let mut modules = self.modules.clone();
        modules.push(module.ident.to_string());
        let mut inner = SignificantTokens::new(self.reachable, modules);
        for item in items {
            inner.item(item);
        }
        self.tokens.append_all(&module.attrs);
        module.vis.to_tokens(&mut self.tokens);
        module.mod_token.to_tokens(&mut self.tokens);
        module.ident.to_tokens(&mut self.tokens);
        self.braced(inner.tokens);
    }

    fn inherent_impl(&mut self, item: &syn::ItemImpl) {
        self.tokens.append_all(&item.attrs);
        item.unsafety.to_tokens(&mut self.tokens);
        item.impl_token.to_tokens(&mut self.tokens);
        item.generics.to_tokens(&mut self.tokens);
        item.self_ty.to_tokens(&mut self.tokens);
        item.generics.where_clause.to_tokens(&mut self.tokens);

        let mut modules = self.modules.clone();
        modules.push(self_type(item));
        let mut inner = SignificantTokens::new(self.reachable, modules);
        for item in item.items.iter().filter(|item| !is_test(impl_item_attributes(item))) {
            match item {
                syn::ImplItem::Fn(method) => {
                    inner.tokens.append_all(&method.attrs);
                    method.vis.to_tokens(&mut inner.tokens);
                    method.defaultness.to_tokens(&mut inner.tokens);
                    method.sig.to_tokens(&mut inner.tokens);
                    inner.body(&method.attrs, &method.sig, &method.block);
                }
                item => item.to_tokens(&mut inner.tokens),
            }
        }
        self.braced(inner.tokens);
    }

    fn body(
        &mut self,
        attributes: &[syn::Attribute],
        signature: &syn::Signature,
        block: &syn::Block,
    ) {
        if self.reachable.contains(attributes, signature, &self.modules) {
            block.to_tokens(&mut self.tokens);
        } else {
            let rest = self.omitted_body(block);
            self.braced(rest);
        }
    }

    /// The tokens of an omitted body that are part of the epoch.
    fn omitted_body(&self, block: &syn::Block) -> TokenStream {
        let inner = SignificantTokens::new(self.reachable, self.modules.clone());
        let mut rest = OmittedBody { inner, uses: TokenStream::new() };
        rest.visit_block(block);
        let OmittedBody { inner, mut uses } = rest;
        if inner.tokens.is_empty() {
            return inner.tokens;
        }
        uses.extend(inner.tokens);
        uses
    }

    fn braced(&mut self, tokens: TokenStream) {
        self.tokens.append(Group::new(Delimiter::Brace, tokens));
    }
}

/// Finds items, hooks and macro calls in an omitted body.
struct OmittedBody<'k> {
    inner: SignificantTokens<'k>,
    /// Items that count only together with code that may use them.
    uses: TokenStream,
}

impl<'a> Visit<'a> for OmittedBody<'_> {
    fn visit_item(&mut self, item: &'a syn::Item) {
        match item {
            syn::Item::Use(item) => item.to_tokens(&mut self.uses),
            // Its name has no effect outside of the body, only its content does.
            syn::Item::Fn(function)
                if !is_test(&function.attrs)
                    && !self.inner.reachable.contains(
                        &function.attrs,
                        &function.sig,
                        &self.inner.modules,
                    ) =>
            {
                self.visit_block(&function.block);
            }
            item => self.inner.item(item),
        }
    }

    fn visit_expr_method_call(&mut self, call: &'a syn::ExprMethodCall) {
        if is_hook(&call.method.to_string()) {
            let tokens = &mut self.inner.tokens;
            call.method.to_tokens(tokens);
            call.turbofish.to_tokens(tokens);
            tokens.append(Group::new(Delimiter::Parenthesis, call.args.to_token_stream()));
            self.visit_expr(&call.receiver);
        } else {
            visit::visit_expr_method_call(self, call);
        }
    }

    fn visit_expr_call(&mut self, call: &'a syn::ExprCall) {
        match &*call.func {
            syn::Expr::Path(function) if is_hook(&name_of(&function.path)) => {
                call.to_tokens(&mut self.inner.tokens);
            }
            _ => visit::visit_expr_call(self, call),
        }
    }

    fn visit_macro(&mut self, call: &'a syn::Macro) {
        if self.inner.reachable.macros.is_shaping(call) {
            call.to_tokens(&mut self.inner.tokens);
        }
    }

    // The layout of the states between its awaits is defined only here.
    fn visit_expr_async(&mut self, expr: &'a syn::ExprAsync) {
        expr.to_tokens(&mut self.inner.tokens);
    }

    fn visit_expr_closure(&mut self, expr: &'a syn::ExprClosure) {
        if expr.asyncness.is_some() {
            expr.to_tokens(&mut self.inner.tokens);
        } else {
            visit::visit_expr_closure(self, expr);
        }
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
