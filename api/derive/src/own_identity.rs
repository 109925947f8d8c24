//! `#[persist]` and `#[own_identity]`: compile a type in a module that is named after the type's epoch.
//!
//! A type's `TypeId` depends on its path. The host lists the epochs of such types in the variable
//! `PLAYGROUND_TYPES`, a line each: name, epoch, and the path of the module that declares it. Where a type
//! is not listed, as in cargo's own builds, it stays in its place.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::{Attribute, DeriveInput, Result, Visibility};

/// The host's entry for a type.
pub struct Listed<'a> {
    /// 16 hex digits.
    epoch: &'a str,
    module: &'a str,
}

/// The type `name` in the list of the host.
pub fn listed<'a>(types: &'a str, name: &str) -> Option<Listed<'a>> {
    types.lines().find_map(|line| {
        let mut words = line.split(' ');
        let is_named = words.next() == Some(name);
        let (epoch, module) = (words.next()?, words.next()?);
        is_named.then_some(Listed { epoch, module })
    })
}

/// `#[persist]`: three derives, and the type's own identity.
pub fn persist(arguments: TokenStream, mut item: DeriveInput, types: &str) -> Result<TokenStream> {
    if let Some(derived) = derives(&item.attrs)
        .into_iter()
        .find(|name| ["Persist", "Serialize", "Deserialize"].contains(&name.as_str()))
    {
        return Err(syn::Error::new_spanned(
            &item.ident,
            format!("`#[persist]` derives `{derived}` itself: remove it from the list"),
        ));
    }
    if !arguments.is_empty() {
        item.attrs.push(syn::parse_quote!(#[persist(#arguments)]));
    }
    item.attrs.insert(0, syn::parse_quote!(#[serde(crate = "::playground_api::serde")]));
    item.attrs.insert(
        0,
        syn::parse_quote!(
            #[derive(
                ::playground_api::serde::Serialize,
                ::playground_api::serde::Deserialize,
                ::playground_api::prelude::Persist
            )]
        ),
    );
    own_identity(item, types)
}

/// `#[own_identity]`: the type, in a module named after its epoch if the host lists one.
pub fn own_identity(mut item: DeriveInput, types: &str) -> Result<TokenStream> {
    let name = item.ident.to_string();
    let Some(Listed { epoch, module }) = listed(types, name.trim_start_matches("r#")) else {
        return Ok(item.into_token_stream());
    };
    if derives(&item.attrs).iter().any(|name| name == "Reflect" || name == "TypePath")
        && !item.attrs.iter().any(|attribute| attribute.path().is_ident("type_path"))
    {
        // Reflection would take the path from the module.
        item.attrs.push(syn::parse_quote!(#[type_path = #module]));
    }
    let visibility = item.vis.clone();
    let mut item: DeriveInput = syn::parse2(paths_one_deeper(item.into_token_stream()))?;
    one_deeper(&mut item.vis);
    match &mut item.data {
        syn::Data::Struct(data) => {
            data.fields.iter_mut().for_each(|field| one_deeper(&mut field.vis));
        }
        syn::Data::Union(data) => {
            data.fields.named.iter_mut().for_each(|field| one_deeper(&mut field.vis));
        }
        // The fields of variants are as visible as the enum.
        syn::Data::Enum(_) => {}
    }
    let wrapper = format_ident!("__{epoch}");
    let ident = &item.ident;
    Ok(quote! {
        #[doc(hidden)]
        #[allow(unused_imports)]
        mod #wrapper {
            use super::*;
            #item
        }
        #[allow(unused_imports)]
        #visibility use #wrapper::#ident;
    })
}

/// The last segments of all derives.
fn derives(attributes: &[Attribute]) -> Vec<String> {
    let derives = attributes.iter().filter(|attribute| attribute.path().is_ident("derive"));
    let mut names = Vec::new();
    for derive in derives {
        // A faulty list is an error of the derive itself.
        let _ = derive.parse_nested_meta(|meta| {
            names.extend(meta.path.segments.last().map(|segment| segment.ident.to_string()));
            Ok(())
        });
    }
    names
}

/// Makes visible in a module within this one what is visible here. Paths are that much longer already.
fn one_deeper(visibility: &mut Visibility) {
    let is_just = |restricted: &syn::VisRestricted, word: &str| restricted.path.is_ident(word);
    match visibility {
        Visibility::Inherited => *visibility = syn::parse_quote!(pub(super)),
        Visibility::Restricted(path) if is_just(path, "self") => {
            *visibility = syn::parse_quote!(pub(super));
        }
        Visibility::Restricted(path) if is_just(path, "super") => {
            *visibility = syn::parse_quote!(pub(in super::super));
        }
        Visibility::Restricted(_) | Visibility::Public(_) => {}
    }
}

/// Paths from `self` and `super`, in code and in attributes' texts, as they are written in a module
/// within this one.
fn paths_one_deeper(tokens: TokenStream) -> TokenStream {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut deeper = Vec::<TokenTree>::new();
    let is_colon = |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
    for (at, token) in tokens.iter().enumerate() {
        let follows_path = at > 1 && is_colon(at - 1) && is_colon(at - 2);
        let begins_path = is_colon(at + 1) && is_colon(at + 2) && !follows_path;
        match token {
            TokenTree::Ident(word) if begins_path && word == "super" => {
                let span = word.span();
                deeper.extend(quote::quote_spanned!(span=> super::super));
            }
            TokenTree::Ident(word) if begins_path && word == "self" => {
                deeper.push(Ident::new("super", word.span()).into());
            }
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), paths_one_deeper(group.stream()));
                inner.set_span(group.span());
                deeper.push(inner.into());
            }
            TokenTree::Literal(literal) => deeper.push(text_one_deeper(literal)),
            other => deeper.push(other.clone()),
        }
    }
    deeper.into_iter().collect()
}

/// serde takes paths as texts: `default = "super::full"`.
fn text_one_deeper(literal: &proc_macro2::Literal) -> TokenTree {
    let text = literal.to_string();
    let deeper = match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(path) if path.starts_with("super::") => format!("super::{path}"),
        Some(path) if path.starts_with("self::") => format!("super::{}", &path["self::".len()..]),
        _ => return literal.clone().into(),
    };
    let mut deeper = proc_macro2::Literal::string(&deeper);
    deeper.set_span(literal.span());
    deeper.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPES: &str = "Brick 0123456789abcdef breakout::bricks\nKind fedcba9876543210 breakout";

    /// The tokens without white space.
    fn normal(tokens: &str) -> String {
        tokens.parse::<TokenStream>().unwrap().to_string().split_whitespace().collect()
    }

    fn with_own_identity(item: &str) -> String {
        normal(&own_identity(syn::parse_str(item).unwrap(), TYPES).unwrap().to_string())
    }

    #[test]
    fn a_listed_type_is_in_a_module_named_after_its_epoch() {
        let brick = with_own_identity(
            "#[serde(default = \"self::full\", with = \"super::codec\")] pub(crate) struct Brick { \
             pub hits: super::Hits, pub(super) a: self::A, pub(self) b: B, c: [u8; super::super::N], \
             pub(in super::super) d: crate::D }",
        );
        let expected = normal(
            "#[doc(hidden)] #[allow(unused_imports)] mod __0123456789abcdef { use super::*; \
             #[serde(default = \"super::full\", with = \"super::super::codec\")] \
             pub(crate) struct Brick { pub hits: super::super::Hits, pub(in super::super) a: super::A, \
             pub(super) b: B, pub(super) c: [u8; super::super::super::N], \
             pub(in super::super::super) d: crate::D } } \
             #[allow(unused_imports)] pub(crate) use __0123456789abcdef::Brick;",
        );
        assert_eq!(brick, expected);
        let kind =
            with_own_identity("#[derive(Clone, Reflect)] enum Kind { Hard(super::Hits), Soft }");
        let expected = normal(
            "#[doc(hidden)] #[allow(unused_imports)] mod __fedcba9876543210 { use super::*; \
             #[derive(Clone, Reflect)] #[type_path = \"breakout\"] \
             pub(super) enum Kind { Hard(super::super::Hits), Soft } } \
             #[allow(unused_imports)] use __fedcba9876543210::Kind;",
        );
        assert_eq!(kind, expected);
    }

    #[test]
    fn other_types_stay_in_their_place() {
        let item = "struct Bricks { a: super::A }";
        assert_eq!(with_own_identity(item), normal(item));
    }

    #[test]
    fn persist_stands_for_three_derives() {
        let item =
            || syn::parse_str::<DeriveInput>("#[derive(Component)] struct Wall(u8);").unwrap();
        let wall = persist(quote!(was = "core_a::Old"), item(), TYPES).unwrap();
        let expected = normal(
            "#[derive(::playground_api::serde::Serialize, ::playground_api::serde::Deserialize, \
             ::playground_api::prelude::Persist)] #[serde(crate = \"::playground_api::serde\")] \
             #[derive(Component)] #[persist(was = \"core_a::Old\")] struct Wall(u8);",
        );
        assert_eq!(normal(&wall.to_string()), expected);

        let twice =
            syn::parse_str("#[derive(Component, serde::Serialize)] struct Wall(u8);").unwrap();
        let error = persist(TokenStream::new(), twice, TYPES).unwrap_err().to_string();
        assert!(error.contains("derives `Serialize` itself"), "{error}");
    }
}
