//! The macros that are known to define no type: those of std, of Bevy and of the API, as long as
//! nothing else can be meant by their names.

use std::collections::BTreeSet;

use proc_macro2::{Ident, TokenTree};

use super::declarations::Declarations;

const KNOWN: [&str; 53] = [
    "assert",
    "assert_eq",
    "assert_ne",
    "cfg",
    "children",
    "column",
    "concat",
    "dbg",
    "debug",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "debug_once",
    "debug_span",
    "despawn_on_reload",
    "despawn_on_unload",
    "env",
    "eprint",
    "eprintln",
    "error",
    "error_once",
    "error_span",
    "file",
    "format",
    "format_args",
    "include_bytes",
    "include_str",
    "info",
    "info_once",
    "info_span",
    "line",
    "matches",
    "module_path",
    "once",
    "option_env",
    "panic",
    "print",
    "println",
    "related",
    "stringify",
    "todo",
    "trace",
    "trace_once",
    "trace_span",
    "unimplemented",
    "unreachable",
    "uuid_handle",
    "vec",
    "warn",
    "warn_once",
    "warn_span",
    "write",
    "writeln",
];

/// The attributes that give a type an identity of its own.
const OWN_IDENTITY: [&str; 2] = ["own_identity", "persist"];

/// The crates whose macros the list is about.
const CRATES: [&str; 7] = ["alloc", "bevy", "bevy_egui", "core", "playground_api", "serde", "std"];

/// Decides about the macro calls of one crate.
pub(super) struct KnownMacros {
    /// Names that may mean something else in this crate.
    taken: BTreeSet<String>,
    /// Any name may.
    all_taken: bool,
    /// A module `std` hides the crate.
    modules: BTreeSet<String>,
}

impl KnownMacros {
    /// `cores` are the crates that the crate links to, with their names.
    pub fn new<'a>(
        own: &Declarations,
        cores: impl Iterator<Item = (String, &'a Declarations)>,
    ) -> Self {
        let (mut taken, mut all_taken) = (own.taken.clone(), own.hides_macros);
        let mut crates: BTreeSet<String> = CRATES.map(str::to_owned).into();
        let mut globs: BTreeSet<&str> = own.globs.iter().map(|(root, _)| root.as_str()).collect();
        let mut modules = own.modules.clone();
        for (name, core) in cores {
            crates.insert(name);
            taken.extend(core.taken.iter().cloned());
            all_taken |= core.hides_macros;
            modules.extend(core.modules.iter().cloned());
            globs.extend(core.globs.iter().filter(|(_, public)| *public).map(|(root, _)| &**root));
        }
        let from_elsewhere = |root: &str| {
            let is_type = root.starts_with(|first: char| first.is_uppercase());
            !is_type && !crates.contains(root) && !modules.contains(root)
        };
        all_taken |= globs.into_iter().any(from_elsewhere);
        Self { taken, all_taken, modules }
    }

    /// True if the macro `name`, with the path's other tokens before it, defines no type.
    pub fn contains(&self, path: &[TokenTree], name: &Ident) -> bool {
        let name = name.to_string();
        let is_free = !self.all_taken && !self.taken.contains(&name);
        is_free
            && KNOWN.contains(&name.as_str())
            && root(path).map(ToString::to_string).is_none_or(|root| {
                is_known_crate(&root)
                    && !self.taken.contains(&root)
                    && !self.modules.contains(&root)
            })
    }
}

impl KnownMacros {
    /// True for the path of `#[persist]` or `#[own_identity]`.
    pub fn means_own_identity(&self, path: &syn::Path) -> bool {
        let is_free = |name: &str| {
            !self.all_taken && !self.taken.contains(name) && !self.modules.contains(name)
        };
        let mut names = path.segments.iter().map(|segment| segment.ident.to_string());
        let last = names.next_back().unwrap_or_default();
        OWN_IDENTITY.contains(&last.as_str())
            && !self.all_taken
            && !self.taken.contains(&last)
            && names.next().is_none_or(|root| root == "playground_api" && is_free(&root))
    }
}

/// True for the name of a macro of std, or of its like, whose arguments are expressions.
pub(super) fn takes_expressions(name: &str) -> bool {
    const OTHERS: [&str; 9] = [
        "cfg",
        "children",
        "concat",
        "env",
        "include_bytes",
        "include_str",
        "matches",
        "option_env",
        "related",
    ];
    KNOWN.contains(&name) && !OTHERS.contains(&name)
}

/// True for the crates whose macros and prelude are known.
pub(super) fn is_known_crate(name: &str) -> bool {
    CRATES.contains(&name)
}

/// The first segment of the path that ends with these tokens.
fn root(path: &[TokenTree]) -> Option<&Ident> {
    match path {
        [path @ .., TokenTree::Ident(segment), TokenTree::Punct(one), TokenTree::Punct(two)]
            if one.as_char() == ':' && two.as_char() == ':' =>
        {
            root(path).or(Some(segment))
        }
        _ => None,
    }
}
