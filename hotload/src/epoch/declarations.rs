//! A crate's declarations that decide how its bodies, and those of its dependents, are read:
//! macros, imports, modules and generic types.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use serde::{Deserialize, Serialize};
use syn::visit::{self, Visit};

use super::attributes::{attributes, is_test};
use super::code_holders::code_holders;
use super::definitions::returns_impl;
use super::known_macros::is_known_crate;
use super::names::{idents, is_silent, name_of, self_type};
use super::values::values;
use super::whole_bodies::holds_closure;

/// Derives that do not make a type one that the world stores.
const PLAIN_DERIVES: [&str; 15] = [
    "Clone",
    "Copy",
    "Debug",
    "Default",
    "Deref",
    "DerefMut",
    "Deserialize",
    "Eq",
    "Hash",
    "Ord",
    "PartialEq",
    "PartialOrd",
    "Persist",
    "Reflect",
    "Serialize",
];

/// Traits of types that the world stores.
const STORED: [&str; 11] = [
    "Asset",
    "Bundle",
    "Component",
    "EntityEvent",
    "Event",
    "FreelyMutableState",
    "Message",
    "Resource",
    "States",
    "SubStates",
    "SystemParam",
];

/// A crate's declarations.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Declarations {
    /// Names by which the crate may mean a macro of its own or of an unknown crate.
    pub taken: BTreeSet<String>,
    /// A crate's macros are imported without naming them.
    pub hides_macros: bool,
    /// The first segments of imports with `*`, and whether they are public.
    pub globs: BTreeSet<(String, bool)>,
    pub modules: BTreeSet<String>,
    /// The targets of each name: `use name as alias`, alias first, and the names in a macro.
    pub leads: BTreeMap<String, BTreeSet<String>>,
    /// Generic types that the world may store.
    pub generics: BTreeSet<String>,
    /// A function returns `impl`.
    returns_impl: bool,
    /// In such a crate, names that stand for more than a call: a function among them may be a part
    /// of a type.
    pub values: BTreeSet<String>,
    /// A module that no crate links to.
    pub is_leaf: bool,
    /// Macros are defined or called among the items, or change them: they may define impls and
    /// types that are known by their place among the others.
    pub has_item_macros: bool,
    pub traits: BTreeSet<String>,
    /// Types, functions, constants and modules.
    pub no_traits: BTreeSet<String>,
    /// Types with a function pointer or a trait object in them, at any depth within the crate.
    pub code_holders: BTreeSet<String>,
    /// Impls of traits for types with a type parameter: trait and type.
    generic_impls: BTreeSet<(String, String)>,
}

impl Declarations {
    pub fn of<'a>(files: impl Iterator<Item = &'a syn::File>) -> Self {
        let mut all = Self::default();
        for root in ["crate", "self", "super"] {
            all.modules.insert(root.to_owned());
        }
        let files: Vec<_> = files.collect();
        files.iter().for_each(|file| all.visit_file(file));
        if all.returns_impl {
            files.iter().for_each(|file| values(file, &mut all.values));
        }
        all.code_holders = code_holders(files.iter().copied());
        for (name, item) in std::mem::take(&mut all.generic_impls) {
            let mut names = all.leads.get(&name).cloned().unwrap_or_default();
            names.insert(name);
            if names.iter().any(|name| STORED.contains(&name.as_str())) {
                all.generics.insert(item);
            }
        }
        all
    }

    fn import(&mut self, tree: &syn::UseTree, root: Option<&str>, public: bool) {
        match tree {
            syn::UseTree::Path(path) => {
                let first = path.ident.to_string();
                self.import(&path.tree, Some(root.unwrap_or(&first)), public);
            }
            syn::UseTree::Name(name) => {
                if root.is_some_and(|root| !is_known_crate(root)) {
                    self.taken.insert(name.ident.to_string());
                }
            }
            syn::UseTree::Rename(rename) => {
                let alias = rename.rename.to_string();
                self.taken.insert(alias.clone());
                self.leads.entry(alias).or_default().insert(rename.ident.to_string());
            }
            syn::UseTree::Glob(_) => {
                self.globs.insert((root.unwrap_or_default().to_owned(), public));
            }
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.import(tree, root, public));
            }
        }
    }

    fn generic_type(
        &mut self,
        attributes: &[syn::Attribute],
        name: &syn::Ident,
        generics: &syn::Generics,
    ) {
        if generics.type_params().next().is_some() && attributes.iter().any(may_store) {
            self.generics.insert(name.to_string());
        }
    }
}

/// True for a derive or an attribute macro that may make a type one that the world stores.
fn may_store(attribute: &syn::Attribute) -> bool {
    if !attribute.path().is_ident("derive") {
        let helper = ["persist", "reflect", "serde"].iter().any(|n| attribute.path().is_ident(n));
        return !helper && !is_silent(attribute);
    }
    let parser = syn::punctuated::Punctuated::<syn::Path, syn::Token![,]>::parse_terminated;
    attribute.parse_args_with(parser).is_ok_and(|derives| {
        derives.iter().any(|derive| !PLAIN_DERIVES.contains(&name_of(derive).as_str()))
    })
}

impl<'a> Visit<'a> for Declarations {
    fn visit_item(&mut self, item: &'a syn::Item) {
        if is_test(attributes(item)) {
            return;
        }
        let name = match item {
            syn::Item::Const(item) => Some(&item.ident),
            syn::Item::Enum(item) => Some(&item.ident),
            syn::Item::Fn(item) => Some(&item.sig.ident),
            syn::Item::Mod(item) => Some(&item.ident),
            syn::Item::Static(item) => Some(&item.ident),
            syn::Item::Struct(item) => Some(&item.ident),
            syn::Item::Type(item) => Some(&item.ident),
            syn::Item::Union(item) => Some(&item.ident),
            _ => None,
        };
        self.no_traits.extend(name.map(ToString::to_string));
        self.has_item_macros |= match item {
            syn::Item::Fn(item) => !item.attrs.iter().all(is_silent),
            syn::Item::Struct(_) | syn::Item::Enum(_) | syn::Item::Union(_) => {
                let attributes = attributes(item).iter().map(ToTokens::to_token_stream);
                holds_closure(attributes.collect())
            }
            _ => false,
        };
        visit::visit_item(self, item);
    }

    fn visit_item_trait(&mut self, item: &'a syn::ItemTrait) {
        self.traits.insert(item.ident.to_string());
        visit::visit_item_trait(self, item);
    }

    fn visit_item_mod(&mut self, item: &'a syn::ItemMod) {
        self.modules.insert(item.ident.to_string());
        visit::visit_item_mod(self, item);
    }

    fn visit_item_use(&mut self, item: &'a syn::ItemUse) {
        let public = !matches!(item.vis, syn::Visibility::Inherited);
        self.import(&item.tree, None, public);
    }

    fn visit_item_extern_crate(&mut self, item: &'a syn::ItemExternCrate) {
        self.hides_macros |= item.rename.is_some() || !item.attrs.is_empty();
    }

    fn visit_item_macro(&mut self, item: &'a syn::ItemMacro) {
        let mut names = BTreeSet::new();
        idents(item.mac.tokens.clone(), &mut |name| {
            names.insert(name);
        });
        self.has_item_macros |= name_of(&item.mac.path) != "export_module";
        match &item.ident {
            Some(name) => {
                // A macro that defines macros.
                if names.contains("macro_rules") {
                    self.taken.extend(names.iter().cloned());
                }
                self.taken.insert(name.to_string());
                // Two macros of one name are treated as one.
                self.leads.entry(name.to_string()).or_default().extend(names);
            }
            None if name_of(&item.mac.path) != "export_module" => self.taken.extend(names),
            None => {
                self.is_leaf |=
                    ["Systems", "Plugins", "Apps"].iter().any(|&kind| names.contains(kind))
                        && !names.contains("Core");
            }
        }
        visit::visit_item_macro(self, item);
    }

    fn visit_signature(&mut self, signature: &'a syn::Signature) {
        self.returns_impl |= returns_impl(signature);
    }

    fn visit_macro(&mut self, call: &'a syn::Macro) {
        self.generics.extend(generic_types(call.tokens.clone()));
    }

    fn visit_item_struct(&mut self, item: &'a syn::ItemStruct) {
        self.generic_type(&item.attrs, &item.ident, &item.generics);
        visit::visit_item_struct(self, item);
    }

    fn visit_item_enum(&mut self, item: &'a syn::ItemEnum) {
        self.generic_type(&item.attrs, &item.ident, &item.generics);
        visit::visit_item_enum(self, item);
    }

    fn visit_item_union(&mut self, item: &'a syn::ItemUnion) {
        self.generic_type(&item.attrs, &item.ident, &item.generics);
        visit::visit_item_union(self, item);
    }

    fn visit_item_impl(&mut self, item: &'a syn::ItemImpl) {
        if let Some((_, name, _)) = &item.trait_
            && item.generics.type_params().next().is_some()
        {
            self.generic_impls.insert((name_of(name), self_type(item)));
        }
        visit::visit_item_impl(self, item);
    }
}

/// The names of generic types that a macro defines, or is given: `struct Name<` or `struct $name<`.
fn generic_types(tokens: TokenStream) -> Vec<String> {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => found.extend(generic_types(group.stream())),
            TokenTree::Ident(word) if word == "struct" || word == "enum" || word == "union" => {
                let (mark, rest) = match &tokens[at + 1..] {
                    [TokenTree::Punct(dollar), rest @ ..] if dollar.as_char() == '$' => ("$", rest),
                    rest => ("", rest),
                };
                if let [TokenTree::Ident(name), TokenTree::Punct(open), ..] = rest
                    && open.as_char() == '<'
                {
                    found.push(format!("{mark}{name}"));
                }
            }
            _ => {}
        }
    }
    found
}
