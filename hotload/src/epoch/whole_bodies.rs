//! Decides which bodies of functions can shape a type or attach code to one.
//!
//! Such a body counts whole, because its types are known by their place in it: a nested function
//! is known by its name, a closure by its number.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

use super::known_macros::KnownMacros;
use super::names::is_loud;

/// Words that begin an item or a future wherever they stand.
const SHAPING: [&str; 11] = [
    "async",
    "const",
    "enum",
    "extern",
    "impl",
    "macro_rules",
    "mod",
    "static",
    "struct",
    "trait",
    "type",
];

/// Functions that attach code to types.
const HOOKS: [&str; 7] = [
    "register_component_hooks",
    "on_add",
    "on_insert",
    "on_replace",
    "on_remove",
    "on_despawn",
    "on_discard",
];

/// Words that can stand before `!` or `|` without being an operand or a macro's name.
const KEYWORDS: [&str; 10] =
    ["break", "else", "if", "in", "match", "move", "mut", "return", "static", "while"];

/// True if the body holds an item other than `use`, `async`, an attribute or macro that may expand
/// to either, or a call that attaches code to a type.
pub(super) fn shapes_types(body: &TokenStream, known: &KnownMacros) -> bool {
    search(body.clone(), known, false)
}

/// True if a block in a type, such as the length of an array, holds what [`shapes_types`] finds, or if
/// a macro may expand to one.
pub(super) fn holds_shaping_block(tokens: TokenStream, known: &KnownMacros) -> bool {
    let tokens: Vec<_> = tokens.into_iter().collect();
    tokens.iter().enumerate().any(|(at, token)| match token {
        TokenTree::Group(group) => {
            let is_block = group.delimiter() == Delimiter::Brace;
            (is_block && shapes_types(&group.stream(), known))
                || macro_name(&tokens[..at]).is_some_and(|(path, name)| !known.contains(path, name))
                || holds_shaping_block(group.stream(), known)
        }
        _ => false,
    })
}

fn search(tokens: TokenStream, known: &KnownMacros, in_macro: bool) -> bool {
    let tokens: Vec<_> = tokens.into_iter().collect();
    tokens.iter().enumerate().any(|(at, token)| {
        let (before, rest) = (&tokens[..at], &tokens[at + 1..]);
        match token {
            TokenTree::Group(group) => {
                search(group.stream(), known, in_macro || macro_name(before).is_some())
                    || macro_name(before).is_some_and(|(path, name)| !known.contains(path, name))
            }
            TokenTree::Ident(word) => {
                begins_item(&word.to_string(), before, rest, in_macro) || attaches(word, rest)
            }
            TokenTree::Punct(punct) => punct.as_char() == '#' && is_loud(rest),
            TokenTree::Literal(_) => false,
        }
    })
}

fn begins_item(word: &str, before: &[TokenTree], rest: &[TokenTree], in_macro: bool) -> bool {
    match word {
        // The type `fn(u8)` and the method `union` are none.
        "fn" | "union" => matches!(rest.first(), Some(TokenTree::Ident(_))),
        // The import of a macro: what a macro's arguments import is not known otherwise.
        "use" => in_macro,
        "static" if ends_with(before, '\'') => false,
        word => SHAPING.contains(&word),
    }
}

/// True for a call such as `.on_add(…)` or `register_required_components::<A, B>(…)`.
fn attaches(word: &Ident, rest: &[TokenTree]) -> bool {
    let word = word.to_string();
    let hook = HOOKS.contains(&word.as_str()) || word.contains("register_required_components");
    hook && match rest.first() {
        Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Parenthesis,
        Some(TokenTree::Punct(punct)) => punct.as_char() == ':',
        _ => false,
    }
}

/// The tokens before a macro's name, and its name, if the next token is the macro's arguments.
fn macro_name(before: &[TokenTree]) -> Option<(&[TokenTree], &Ident)> {
    match before {
        [path @ .., TokenTree::Ident(name), TokenTree::Punct(bang)]
            if bang.as_char() == '!' && !is_keyword(name) =>
        {
            Some((path, name))
        }
        _ => None,
    }
}

/// True if the body holds a closure. A leading `|` in a pattern is taken for one.
pub(super) fn holds_closure(body: TokenStream) -> bool {
    let tokens: Vec<_> = body.into_iter().collect();
    tokens.iter().enumerate().any(|(at, token)| match token {
        TokenTree::Group(group) => holds_closure(group.stream()),
        TokenTree::Punct(punct) if punct.as_char() == '|' => match tokens[..at].last() {
            None => true,
            Some(TokenTree::Punct(before)) => before.as_char() != '|',
            Some(TokenTree::Ident(before)) => is_keyword(before),
            // After a block, or after an attribute.
            Some(TokenTree::Group(before)) => {
                before.delimiter() == Delimiter::Brace || ends_with(&tokens[..at - 1], '#')
            }
            Some(TokenTree::Literal(_)) => false,
        },
        _ => false,
    })
}

fn is_keyword(word: &Ident) -> bool {
    KEYWORDS.iter().any(|keyword| word == keyword)
}

fn ends_with(tokens: &[TokenTree], mark: char) -> bool {
    matches!(tokens.last(), Some(TokenTree::Punct(punct)) if punct.as_char() == mark)
}

/// The arguments of every call of `configure_sets`: an order of sets cannot be taken back while
/// the sets' types stay.
pub(super) fn set_orders(body: TokenStream) -> TokenStream {
    let tokens: Vec<_> = body.into_iter().collect();
    let mut orders = TokenStream::new();
    for (at, token) in tokens.iter().enumerate() {
        let TokenTree::Group(group) = token else { continue };
        match tokens[..at].last() {
            Some(TokenTree::Ident(name)) if name == "configure_sets" => {
                orders.extend([token.clone()]);
            }
            _ => orders.extend(set_orders(group.stream())),
        }
    }
    orders
}
