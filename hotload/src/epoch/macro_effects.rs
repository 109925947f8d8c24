//! Decides which macro calls may define a type or attach code to one.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::Visit;

/// Functions that attach code to types.
const HOOKS: [&str; 9] = [
    "configure_sets",
    "register_component_hooks",
    "register_required_components",
    "on_add",
    "on_insert",
    "on_replace",
    "on_remove",
    "on_despawn",
    "on_discard",
];

const ITEM_WORDS: [&str; 11] = [
    "struct",
    "enum",
    "union",
    "const",
    "static",
    "type",
    "impl",
    "trait",
    "mod",
    "extern",
    "macro_rules",
];

/// Macros of std, Bevy and similar crates that define nothing, whatever their arguments are.
const PLAIN: [&str; 57] = [
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
    "span",
    "stringify",
    "todo",
    "trace",
    "trace_once",
    "trace_span",
    "try",
    "uuid_handle",
    "unimplemented",
    "unreachable",
    "vec",
    "warn",
    "warn_once",
    "warn_span",
    "weak_handle",
    "write",
    "writeln",
    "bail",
    "ensure",
    "anyhow",
];

/// True for names such as `on_add` and `register_required_components_with`.
pub(super) fn is_hook(name: &str) -> bool {
    HOOKS.contains(&name)
        || ["register_required_components", "try_register_required_components"]
            .iter()
            .any(|start| name.starts_with(start))
}

/// The last segment of a path.
pub(super) fn name_of(path: &syn::Path) -> String {
    path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default()
}

/// The crate's own macros.
#[derive(Default)]
pub(super) struct Macros {
    pub definitions: BTreeMap<String, TokenStream>,
    /// Those that may define types or attach code to them.
    shaping: BTreeSet<String>,
}

impl Macros {
    pub fn of<'a>(files: impl Iterator<Item = &'a syn::File>) -> Self {
        let mut macros = Self::default();
        for file in files {
            macros.visit_file(file);
        }
        loop {
            let more: Vec<_> = macros
                .definitions
                .iter()
                .filter(|(name, tokens)| {
                    !macros.shaping.contains(*name) && macros.may_shape(tokens)
                })
                .map(|(name, _)| name.clone())
                .collect();
            if more.is_empty() {
                return macros;
            }
            macros.shaping.extend(more);
        }
    }

    /// True if this call in a function's body may define a type or attach code to one.
    pub fn is_shaping(&self, call: &syn::Macro) -> bool {
        let name = name_of(&call.path);
        let own = self.definitions.contains_key(&name);
        self.shaping.contains(&name)
            || (!own && !PLAIN.contains(&name.as_str()))
            || self.may_shape(&call.tokens)
    }

    fn may_shape(&self, tokens: &TokenStream) -> bool {
        let mut after_tick = false;
        for token in tokens.clone() {
            match &token {
                TokenTree::Ident(ident) => {
                    let word = ident.to_string();
                    if !after_tick
                        && (ITEM_WORDS.contains(&word.as_str())
                            || is_hook(&word)
                            || self.shaping.contains(&word)
                            || word == "include")
                    {
                        return true;
                    }
                }
                TokenTree::Group(group) if self.may_shape(&group.stream()) => return true,
                _ => {}
            }
            // The `static` of `&'static str`.
            after_tick = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '\'');
        }
        false
    }
}

impl<'a> Visit<'a> for Macros {
    fn visit_item_macro(&mut self, item: &'a syn::ItemMacro) {
        if let Some(name) = &item.ident {
            // Two macros of one name are treated as one.
            let tokens = self.definitions.entry(name.to_string()).or_default();
            tokens.extend(item.mac.tokens.clone());
        }
    }
}

/// All identifiers in `tokens`.
pub(super) fn idents(tokens: TokenStream, each: &mut impl FnMut(String)) {
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => each(ident.to_string()),
            TokenTree::Group(group) => idents(group.stream(), each),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

/// All string literals in `tokens`.
pub(super) fn strings(tokens: TokenStream, each: &mut impl FnMut(String)) {
    for token in tokens {
        match token {
            TokenTree::Literal(literal) => {
                if let Ok(literal) = syn::parse2::<syn::LitStr>(TokenTree::from(literal).into()) {
                    each(literal.value());
                }
            }
            TokenTree::Group(group) => strings(group.stream(), each),
            TokenTree::Punct(_) | TokenTree::Ident(_) => {}
        }
    }
}
