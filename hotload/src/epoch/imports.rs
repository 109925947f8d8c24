//! Takes `use` items apart: each name that they bring counts by itself.

use proc_macro2::TokenStream;
use quote::{ToTokens, TokenStreamExt};

use super::definitions::Import;

/// A part of a `use` item, with its attributes, visibility and whole path.
pub(super) enum Brought {
    /// One name.
    Name {
        /// Under which it is imported.
        name: String,
        tokens: TokenStream,
        import: Import,
    },
    /// Everything in a module.
    Everything { tokens: TokenStream },
}

/// All parts of an item, in their order.
pub(super) fn all(import: &syn::ItemUse) -> Vec<Brought> {
    let mut before = TokenStream::new();
    before.append_all(&import.attrs);
    import.vis.to_tokens(&mut before);
    import.leading_colon.to_tokens(&mut before);
    let mut found = Vec::new();
    search(&import.tree, before, &[], &mut found);
    found
}

/// `before` are the tokens before the tree, `path` is the path in them.
fn search(tree: &syn::UseTree, before: TokenStream, path: &[String], found: &mut Vec<Brought>) {
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
            let path = [path, &[next.ident.to_string()]].concat();
            search(&next.tree, tokens(&next.ident), &path, found);
        }
        syn::UseTree::Name(name) => {
            let import = import(&name.ident);
            found.push(Brought::Name { name: import.last.clone(), tokens: tokens(name), import });
        }
        syn::UseTree::Rename(rename) => {
            let import = import(&rename.ident);
            let name = rename.rename.to_string();
            found.push(Brought::Name { name, tokens: tokens(rename), import });
        }
        syn::UseTree::Glob(_) => found.push(Brought::Everything { tokens: tokens(tree) }),
        syn::UseTree::Group(group) => {
            for tree in &group.items {
                search(tree, before.clone(), path, found);
            }
        }
    }
}
