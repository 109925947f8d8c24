//! Finds code that Rust does not check in a module's source, before rustc starts.
//!
//! `-F unsafe_code` alone would let it through: rustc does not lint what the macros of other crates
//! expand to, and the macro of a core crate is that of another crate in each module that links to it.
//! So these words are refused wherever they stand, also in a macro's definition.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};

/// Words that are refused as tokens of a module: they switch Rust's checks off, place code where the
/// system's loader runs or finds it unasked, or exchange the allocator.
const WORDS: [&str; 13] = [
    "allow_internal_unsafe",
    "export_name",
    "global_allocator",
    "global_asm",
    "link_args",
    "link_section",
    "llvm_asm",
    "naked",
    "naked_asm",
    "no_mangle",
    "rustc_std_internal_symbol",
    "unsafe",
    ASM,
];

/// An ordinary word, unless it calls the macro.
const ASM: &str = "asm";

/// Stands before an occurrence's number in the text that is split into tokens.
const MARK: &str = "playground_word_";

/// The places in the sources of the crate in `folder` with a refused word: file, line and word; lines
/// count from 1. The build script is not a part of the module, and a file that is not Rust is left to
/// rustc.
pub fn refused_words<'a>(
    sources: &'a [(PathBuf, String)],
    folder: &Path,
) -> Vec<(&'a Path, usize, &'static str)> {
    let build_script = build_script(folder);
    let of_module = sources.iter().filter(|(path, _)| *path != build_script);
    of_module
        .flat_map(|(path, text)| {
            let found = in_text(text).into_iter();
            found.map(move |(line, word)| (path.as_path(), line, word))
        })
        .collect()
}

/// The path of the crate's build script in its folder, if it has one.
fn build_script(folder: &Path) -> PathBuf {
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    let manifest: toml::Table = manifest.parse().unwrap_or_default();
    let named = manifest.get("package").and_then(|package| package.get("build")?.as_str());
    named.unwrap_or("build.rs").into()
}

/// The refused words among the tokens of a text, with their lines. Tokens know their lines only with
/// a feature of `proc_macro2` that every derive would pay for, so each occurrence in the text gets a
/// name of its own first: those in comments and literals do not come back as tokens.
fn in_text(text: &str) -> Vec<(usize, &'static str)> {
    let (marked, places) = marked(text);
    if places.is_empty() {
        return Vec::new();
    }
    // A first line for the shell is not Rust.
    let is_shebang = marked.starts_with("#!") && !marked[2..].trim_start().starts_with('[');
    let code =
        if is_shebang { marked.split_once('\n').map_or("", |(_, code)| code) } else { &marked };
    let mut found = Vec::new();
    if let Ok(tokens) = code.parse() {
        collect(tokens, &places, &mut found);
    }
    found
}

/// The text with a name of its own in place of each occurrence of a refused word, and what stood
/// there: the line and the word.
fn marked(text: &str) -> (String, Vec<(usize, &'static str)>) {
    let (mut marked, mut places) = (String::with_capacity(text.len()), Vec::new());
    let (mut rest, mut line) = (text, 1);
    while !rest.is_empty() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let (word, tail) = rest.split_at(rest.find(|c| !is_word(c)).unwrap_or(rest.len()));
        let (gap, tail) = tail.split_at(tail.find(is_word).unwrap_or(tail.len()));
        // `r#unsafe` is a name, but `r#link_section` is the attribute.
        let is_name = |word: &str| word == "unsafe" && marked.ends_with("r#");
        match WORDS.into_iter().find(|refused| *refused == word).filter(|word| !is_name(word)) {
            Some(refused) => {
                marked.push_str(&format!("{MARK}{}", places.len()));
                places.push((line, refused));
            }
            None => marked.push_str(word),
        }
        marked.push_str(gap);
        line += gap.matches('\n').count();
        rest = tail;
    }
    (marked, places)
}

fn collect(
    tokens: TokenStream,
    places: &[(usize, &'static str)],
    found: &mut Vec<(usize, &'static str)>,
) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Group(group) => collect(group.stream(), places, found),
            TokenTree::Ident(word) => {
                let word = word.to_string();
                let number = word.trim_start_matches("r#").strip_prefix(MARK);
                let place = number.and_then(|number| places.get(number.parse::<usize>().ok()?));
                let calls = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == '!');
                if let Some(&(line, word)) = place
                    && (word != ASM || tokens.peek().is_some_and(calls))
                {
                    found.push((line, word));
                }
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;
