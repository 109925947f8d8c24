//! Names in tokens.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use serde::{Deserialize, Serialize};

/// Attributes that name no function and do not change what they stand on.
const SILENT: [&str; 32] = [
    "allow",
    "automatically_derived",
    "cfg",
    "clippy",
    "cold",
    "default",
    "deny",
    "deprecated",
    "derive",
    "diagnostic",
    "doc",
    "expect",
    "forbid",
    "global_allocator",
    "ignore",
    "inline",
    "macro_export",
    "macro_use",
    "must_use",
    "no_std",
    "non_exhaustive",
    "optimize",
    "path",
    "recursion_limit",
    "repr",
    "rustfmt",
    "should_panic",
    "test",
    "track_caller",
    "type_length_limit",
    "type_path",
    "warn",
];

/// True for an attribute that names no function and does not change what it stands on.
pub(super) fn is_silent(attribute: &syn::Attribute) -> bool {
    let first = attribute.path().segments.first().map(|segment| segment.ident.to_string());
    first.is_some_and(|name| SILENT.contains(&name.as_str()))
}

/// True if the `#` before these tokens begins an attribute that is not silent.
pub(super) fn is_loud(rest: &[TokenTree]) -> bool {
    attribute(rest).is_some_and(|tokens| match tokens.into_iter().next() {
        Some(TokenTree::Ident(name)) => !SILENT.contains(&name.to_string().as_str()),
        _ => true,
    })
}

/// The content of the attribute whose `#` stands before these tokens.
fn attribute(rest: &[TokenTree]) -> Option<TokenStream> {
    let rest = match rest {
        [TokenTree::Punct(inner), rest @ ..] if inner.as_char() == '!' => rest,
        rest => rest,
    };
    match rest {
        [TokenTree::Group(group), ..] if group.delimiter() == Delimiter::Bracket => {
            Some(group.stream())
        }
        _ => None,
    }
}

/// True for an attribute that changes nothing about what it stands on.
pub(super) fn is_plain(attribute: &syn::Attribute) -> bool {
    const PLAIN: [&str; 7] = ["allow", "deny", "doc", "expect", "forbid", "rustfmt", "warn"];
    let first = attribute.path().segments.first().map(|segment| segment.ident.to_string());
    first.is_some_and(|name| PLAIN.contains(&name.as_str()))
}

/// The last segment of a path.
pub(super) fn name_of(path: &syn::Path) -> String {
    path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default()
}

/// The name of the type that an impl is for.
pub(super) fn self_type(item: &syn::ItemImpl) -> String {
    match &*item.self_ty {
        syn::Type::Path(path) => name_of(&path.path),
        _ => String::new(),
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

/// True if a method is called in `tokens`: which one that is depends on the traits in scope.
pub(super) fn calls_method(tokens: &TokenStream) -> bool {
    let tokens: Vec<_> = tokens.clone().into_iter().collect();
    tokens.iter().enumerate().any(|(at, token)| match (token, &tokens[at + 1..]) {
        (TokenTree::Group(group), _) => calls_method(&group.stream()),
        (TokenTree::Punct(dot), [TokenTree::Ident(_), next, ..]) if dot.as_char() == '.' => {
            matches!(next, TokenTree::Group(_)) || is_mark(next, ':')
        }
        _ => false,
    })
}

/// True for `.name` that is not a call, and for `name:`.
pub(super) fn is_field(before: &[TokenTree], rest: &[TokenTree]) -> bool {
    let colons = rest.iter().take(2).filter(|token| is_mark(token, ':')).count();
    let colon = rest.first().is_some_and(|token| is_mark(token, ':'));
    let called = matches!(rest.first(), Some(TokenTree::Group(_))) || colons == 2;
    // And not the end of a range.
    let dots = before.iter().rev().take_while(|token| is_mark(token, '.')).count();
    (colon && colons == 1) || (dots == 1 && !called)
}

fn ends_with_bang(before: &[TokenTree]) -> bool {
    before.last().is_some_and(|token| is_mark(token, '!'))
}

pub(super) fn is_mark(token: &TokenTree, mark: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == mark)
}

/// Functions and macros that some code may call.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mentions {
    /// Functions and macros of these names.
    pub names: BTreeSet<String>,
    /// All functions of the modules and types of these names.
    pub modules: BTreeSet<String>,
}

impl Mentions {
    /// Adds those of other code.
    pub fn extend(&mut self, other: Self) {
        self.names.extend(other.names);
        self.modules.extend(other.modules);
    }

    /// Adds everything that `tokens` may call.
    pub fn add(&mut self, tokens: TokenStream) {
        self.search(tokens, true);
    }

    /// Adds only what attributes in `tokens` may call.
    pub fn add_attributes(&mut self, tokens: TokenStream) {
        self.search(tokens, false);
    }

    fn search(&mut self, tokens: TokenStream, code: bool) {
        let tokens: Vec<_> = tokens.into_iter().collect();
        for (at, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    if is_loud(&tokens[at + 1..])
                        && let Some(tokens) = attribute(&tokens[at + 1..])
                    {
                        idents(tokens.clone(), &mut |name| {
                            self.names.insert(name);
                        });
                        self.strings(tokens);
                    }
                }
                TokenTree::Ident(name) if code && !is_field(&tokens[..at], &tokens[at + 1..]) => {
                    self.names.insert(name.to_string());
                }
                // What a macro does with a field's name is not known.
                TokenTree::Group(group) if code && ends_with_bang(&tokens[..at]) => {
                    idents(group.stream(), &mut |name| {
                        self.names.insert(name);
                    });
                    self.format_arguments(group.stream());
                    self.search(group.stream(), false);
                }
                TokenTree::Group(group) => self.search(group.stream(), code),
                _ => {}
            }
        }
    }

    /// Names in the text of a macro such as `format!("{name}")`.
    fn format_arguments(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Literal(literal) => {
                    let text = literal.to_string();
                    let names = text
                        .split('{')
                        .skip(1)
                        .map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next());
                    self.names.extend(names.flatten().map(str::to_owned));
                }
                TokenTree::Group(group) => self.format_arguments(group.stream()),
                TokenTree::Punct(_) | TokenTree::Ident(_) => {}
            }
        }
    }

    /// serde's attributes name functions and modules in strings: `default = "function"`,
    /// `with = "module"`.
    fn strings(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Literal(literal) => {
                    let text = literal.to_string();
                    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
                    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
                    self.names.extend(words.iter().map(|&word| word.to_owned()));
                    self.modules.extend(words.last().map(|&word| word.to_owned()));
                }
                TokenTree::Group(group) => self.strings(group.stream()),
                TokenTree::Punct(_) | TokenTree::Ident(_) => {}
            }
        }
    }
}
