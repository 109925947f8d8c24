//! Replaces recursive occurrences in types with `Recursive<…>`.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{GenericArgument, Path, PathArguments, Type};

/// Wraps the types of `names` within `ty` in `Recursive<…>`; `None` if there are none.
pub fn replace(ty: &Type, root: &Path, names: &[Ident]) -> Option<Type> {
    let mut ty = ty.clone();
    visit(&mut ty, root, names).then_some(ty)
}

fn visit(ty: &mut Type, root: &Path, names: &[Ident]) -> bool {
    if let Type::Path(path) = ty
        && path.qself.is_none()
        && path.path.segments.last().is_some_and(|last| names.contains(&last.ident))
    {
        let inner = path.clone();
        *ty = syn::parse_quote!(#root::Recursive<#inner>);
        return true;
    }
    match ty {
        Type::Path(path) => {
            let mut found = false;
            for segment in &mut path.path.segments {
                if let PathArguments::AngleBracketed(arguments) = &mut segment.arguments {
                    for argument in &mut arguments.args {
                        if let GenericArgument::Type(ty) = argument {
                            found |= visit(ty, root, names);
                        }
                    }
                }
            }
            found
        }
        Type::Tuple(tuple) => {
            tuple.elems.iter_mut().fold(false, |found, ty| visit(ty, root, names) | found)
        }
        Type::Array(array) => visit(&mut array.elem, root, names),
        Type::Paren(paren) => visit(&mut paren.elem, root, names),
        Type::Group(group) => visit(&mut group.elem, root, names),
        _ => false,
    }
}

/// True if `tokens` contain `name` at any depth.
pub fn mentions(tokens: TokenStream, name: &Ident) -> bool {
    tokens.into_iter().any(|token| match token {
        proc_macro2::TokenTree::Ident(ident) => ident == *name,
        proc_macro2::TokenTree::Group(group) => mentions(group.stream(), name),
        _ => false,
    })
}

/// The type as text in rustfmt's spacing.
pub fn text(ty: &Type) -> String {
    let text = quote!(#ty).to_string();
    text.replace(" ,", ",").replace(" :: ", "::").replace(" < ", "<").replace(" >", ">")
}
