//! Reads impls.

use std::mem;

use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, TokenStreamExt};

use super::Items;
use crate::epoch::attributes::{impl_item_attributes, is_test};
use crate::epoch::definitions::{Function, Named};
use crate::epoch::names::self_type;
use crate::epoch::token_hash::TokenHasher;
use crate::epoch::whole_bodies::{holds_closure, holds_shaping_block, shapes_types};

impl Items<'_> {
    /// Closures and nested items in an impl are known by the impl's number.
    pub(super) fn trait_impl(&mut self, item: &syn::Item, trait_impl: &syn::ItemImpl) {
        let functions = self.functions.len();
        let tokens = mem::take(&mut self.tokens);
        let mentions = mem::take(&mut self.mentions);
        let calls_method = mem::take(&mut self.calls_method);
        self.impl_of_own = self.of_own_type(trait_impl);
        self.whole(item);
        let of_own = self.impl_of_own.take();
        let is_numbered = |function: &Function| function.shapes || function.has_closure;
        let is_numbered = self.functions[functions..].iter().any(is_numbered)
            || holds_closure(item.to_token_stream());
        let own_tokens = mem::replace(&mut self.tokens, tokens);
        let own_mentions = mem::replace(&mut self.mentions, mentions);
        let own_calls = mem::replace(&mut self.calls_method, calls_method);
        if !is_numbered && let Some(name) = of_own {
            let mut hasher = TokenHasher::new();
            hasher.tokens(own_tokens, &self.folder);
            self.named.push(Named {
                name,
                modules: self.modules.clone(),
                mentions: own_mentions,
                hash: hasher.finish(),
                calls_method: own_calls,
                import: None,
            });
        } else {
            self.tokens.extend(own_tokens);
            self.mentions.extend(own_mentions);
            self.calls_method |= own_calls;
            if is_numbered {
                self.tokens.append(Literal::u64_unsuffixed(self.impls));
            }
        }
        self.impls += 1;
    }

    /// The name of the type that the impl is for, if that has an identity of its own: the impl is
    /// attached to that type alone.
    fn of_own_type(&self, item: &syn::ItemImpl) -> Option<String> {
        let name = self_type(item);
        let is_path = matches!(&*item.self_ty, syn::Type::Path(path) if path.qself.is_none());
        let is_parameter = item.generics.type_params().any(|parameter| parameter.ident == name);
        (is_path && !is_parameter && self.own.contains(&name)).then_some(name)
    }

    pub(super) fn inherent_impl(&mut self, item: &syn::ItemImpl) {
        let mut header = TokenStream::new();
        header.append_all(&item.attrs);
        self.mentions.add_attributes(header.clone());
        item.unsafety.to_tokens(&mut header);
        item.impl_token.to_tokens(&mut header);
        item.generics.to_tokens(&mut header);
        item.self_ty.to_tokens(&mut header);
        item.generics.where_clause.to_tokens(&mut header);
        self.impl_header = header.clone();
        self.impl_of_own = self.of_own_type(item);
        let always = self.all_count || holds_shaping_block(header.clone(), self.known);
        self.braced(header, always, self_type(item), |inner| {
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
                    syn::ImplItem::Const(constant)
                        if !inner.all_count
                            && !shapes_types(&constant.expr.to_token_stream(), inner.known)
                            && !holds_shaping_block(constant.to_token_stream(), inner.known) =>
                    {
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
        self.impl_of_own = None;
        self.impls += 1;
    }
}
