//! Hashes tokens, ignoring formatting and comments.

use std::path::Path;

use proc_macro2::{Delimiter, Punct, Spacing, TokenStream, TokenTree};

const INCLUDES: [&str; 3] = ["include", "include_str", "include_bytes"];
/// Two-character operators whose meaning changes if white space separates them.
const PAIRS: [&str; 24] = [
    "->", "=>", "<-", "::", "==", "!=", "<=", ">=", "&&", "||", "+=", "-=", "*=", "/=", "%=", "^=",
    "&=", "|=", "<<", ">>", "..", ".=", "$$", "~=",
];

pub(super) struct TokenHasher(blake3::Hasher);

impl TokenHasher {
    pub fn new() -> Self {
        Self(blake3::Hasher::new())
    }

    pub fn number(&mut self, number: u64) {
        self.0.update(&number.to_le_bytes());
    }

    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.update(bytes);
    }

    pub fn finish(self) -> u64 {
        self.0.finalize().as_bytes().first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
    }

    /// Hashes `tokens` without doc comments and trailing commas, but with the content of included
    /// files, whose paths are relative to `folder`.
    pub fn tokens(&mut self, tokens: TokenStream, folder: &Path) {
        self.0.update(b"(");
        self.level(tokens, folder);
        self.0.update(b")");
    }

    fn level(&mut self, tokens: TokenStream, folder: &Path) {
        let tokens: Vec<_> = tokens.into_iter().collect();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let rest = &tokens[at + 1..];
            at += 1;
            match token {
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    let skipped = doc_attribute(rest);
                    at += skipped;
                    if skipped == 0 {
                        self.0.update(b"p#");
                    }
                }
                TokenTree::Punct(punct) if punct.as_char() == ',' && closes(rest) => {}
                TokenTree::Punct(punct) => {
                    let mut encoded = [0; 4];
                    self.0.update(if joined(punct, rest) { b"j" } else { b"p" });
                    self.0.update(punct.as_char().encode_utf8(&mut encoded).as_bytes());
                }
                TokenTree::Ident(ident) => {
                    self.0.update(b"i");
                    self.text(&ident.to_string());
                    if INCLUDES.iter().any(|include| ident == include)
                        && let Some(path) = included(rest)
                    {
                        self.file(&folder.join(path));
                    }
                }
                TokenTree::Literal(literal) => {
                    self.0.update(b"l");
                    self.text(&literal.to_string());
                }
                TokenTree::Group(group) => {
                    let (open, close) = match group.delimiter() {
                        Delimiter::Parenthesis => ("(", ")"),
                        Delimiter::Brace => ("{", "}"),
                        Delimiter::Bracket => ("[", "]"),
                        Delimiter::None => ("", ""),
                    };
                    self.0.update(open.as_bytes());
                    self.level(without_last_comma(group), folder);
                    self.0.update(close.as_bytes());
                }
            }
        }
    }

    fn file(&mut self, path: &Path) {
        match std::fs::metadata(path).map(|metadata| metadata.is_file()) {
            Ok(true) => match std::fs::read(path) {
                Ok(bytes) => self.bytes(&bytes),
                Err(_) => self.text("not readable"),
            },
            _ => self.text("not there"),
        }
    }
}

/// The number of tokens after a `#` that form a doc attribute; 0 if they do not.
fn doc_attribute(rest: &[TokenTree]) -> usize {
    let inner = matches!(rest.first(), Some(TokenTree::Punct(punct)) if punct.as_char() == '!');
    let skipped = 1 + usize::from(inner);
    match rest.get(skipped - 1) {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Bracket => {
            match group.stream().into_iter().next() {
                Some(TokenTree::Ident(name)) if name == "doc" => skipped,
                _ => 0,
            }
        }
        _ => 0,
    }
}

/// A comma before `>` has no meaning.
fn closes(rest: &[TokenTree]) -> bool {
    matches!(rest.first(), Some(TokenTree::Punct(punct)) if punct.as_char() == '>')
}

/// In parsed code syn sets the spacing, in macros it is the author's.
fn joined(first: &Punct, rest: &[TokenTree]) -> bool {
    let Some(TokenTree::Punct(second)) = rest.first() else { return false };
    let pair: String = [first.as_char(), second.as_char()].iter().collect();
    first.spacing() == Spacing::Joint && PAIRS.contains(&pair.as_str())
}

/// `[a, b,]` is `[a, b]`; `(a,)` is a tuple and `(a)` is not.
fn without_last_comma(group: &proc_macro2::Group) -> TokenStream {
    let is_comma =
        |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
    let mut tokens: Vec<_> = group.stream().into_iter().collect();
    let commas = tokens.iter().filter(|token| is_comma(token)).count();
    let enough = if group.delimiter() == Delimiter::Parenthesis { 2 } else { 1 };
    if tokens.len() > 1 && commas >= enough && tokens.last().is_some_and(is_comma) {
        tokens.pop();
    }
    tokens.into_iter().collect()
}

/// The literal path in `include…!("path")`, where `rest` follows the macro's name.
fn included(rest: &[TokenTree]) -> Option<String> {
    match rest {
        [TokenTree::Punct(bang), TokenTree::Group(group), ..] if bang.as_char() == '!' => {
            syn::parse2::<syn::LitStr>(without_last_comma(group)).ok().map(|path| path.value())
        }
        _ => None,
    }
}
