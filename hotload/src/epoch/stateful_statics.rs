//! Finds statics that hold state: in a core crate they would exist once per dylib and be reset by
//! each swap.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

use super::attributes::{attributes, is_test};
use super::names::name_of;
use super::{Content, parse};

/// Types with interior mutability, beside all that begin with `Atomic`.
const CELLS: [&str; 21] = [
    "Cell",
    "Condvar",
    "ConcurrentQueue",
    "DashMap",
    "LazyCell",
    "LazyLock",
    "Mutex",
    "Once",
    "OnceBox",
    "OnceCell",
    "OnceLock",
    "Parallel",
    "Receiver",
    "RefCell",
    "ReentrantLock",
    "RwLock",
    "Sender",
    "SyncCell",
    "SyncOnceCell",
    "SyncUnsafeCell",
    "UnsafeCell",
];

/// The statics of a core crate that hold state, with the file, the line (from 1) and the reason.
///
/// Types are matched by name; the crate's own structs and aliases are followed, those of other
/// crates are not.
pub fn refused_statics(sources: &[(PathBuf, String)]) -> Vec<(PathBuf, usize, String)> {
    let files = parse(sources);
    let parsed = || {
        files.iter().filter_map(|file| match &file.content {
            Content::Parsed(parsed) => Some((file, parsed)),
            Content::Whole(_) | Content::Raw(_) => None,
        })
    };
    let mut types = Types::default();
    for (_, file) in parsed() {
        types.visit_file(file);
    }
    let cells = types.with_cells();

    let mut refused = Vec::new();
    for (source, file) in parsed() {
        let mut statics = Statics { cells: &cells, found: Vec::new() };
        statics.visit_file(file);
        let text = sources.iter().find(|(path, _)| path == source.path);
        let mut lines = Lines::new(text.map_or("", |(_, text)| text));
        for (words, reason) in statics.found {
            let line = lines.next_with(&words);
            let Some(reason) = reason else { continue };
            let reason = format!(
                "{reason}, which every module that links this crate would have for itself, new at \
                 each swap. Make it a resource"
            );
            refused.push((source.path.to_owned(), line, reason));
        }
    }
    refused
}

/// The crate's own types, with the names of those in them.
#[derive(Default)]
struct Types(BTreeMap<String, BTreeSet<String>>);

impl Types {
    /// Names of the crate's types that hold a cell at some depth.
    fn with_cells(self) -> BTreeSet<String> {
        let mut cells = BTreeSet::new();
        loop {
            let more: Vec<_> = self
                .0
                .iter()
                .filter(|(name, parts)| {
                    !cells.contains(*name) && parts.iter().any(|part| is_cell(part, &cells))
                })
                .map(|(name, _)| name.clone())
                .collect();
            if more.is_empty() {
                return cells;
            }
            cells.extend(more);
        }
    }
}

impl<'a> Visit<'a> for Types {
    fn visit_item_struct(&mut self, item: &'a syn::ItemStruct) {
        let mut names = Names::default();
        names.visit_fields(&item.fields);
        self.0.entry(item.ident.to_string()).or_default().extend(names.0);
    }

    fn visit_item_enum(&mut self, item: &'a syn::ItemEnum) {
        let mut names = Names::default();
        item.variants.iter().for_each(|variant| names.visit_fields(&variant.fields));
        self.0.entry(item.ident.to_string()).or_default().extend(names.0);
    }

    fn visit_item_type(&mut self, item: &'a syn::ItemType) {
        let mut names = Names::default();
        names.visit_type(&item.ty);
        self.0.entry(item.ident.to_string()).or_default().extend(names.0);
    }
}

fn is_cell(name: &str, own: &BTreeSet<String>) -> bool {
    name.starts_with("Atomic") || CELLS.contains(&name) || own.contains(name)
}

/// Names of types. A function that takes a cell does not contain one.
#[derive(Default)]
struct Names(Vec<String>);

impl<'a> Visit<'a> for Names {
    fn visit_path_segment(&mut self, segment: &'a syn::PathSegment) {
        self.0.push(segment.ident.to_string());
        visit::visit_path_segment(self, segment);
    }

    fn visit_type_bare_fn(&mut self, _: &'a syn::TypeBareFn) {}

    fn visit_attribute(&mut self, _: &'a syn::Attribute) {}
}

struct Statics<'c> {
    cells: &'c BTreeSet<String>,
    /// The words of its line, and the reason if it is refused.
    found: Vec<(Vec<String>, Option<String>)>,
}

impl Statics<'_> {
    fn check(&mut self, name: &str, mutable: bool, types: &[String]) {
        let (second, reason) = match types.iter().find(|name| is_cell(name, self.cells)) {
            _ if mutable => ("mut", Some(format!("`static mut {name}` holds state"))),
            Some(cell) => (name, Some(format!("static `{name}` holds state in a `{cell}`"))),
            None => (name, None),
        };
        self.found.push((vec!["static".to_owned(), second.to_owned()], reason));
    }

    /// In a macro's tokens: `static NAME: types = …`.
    fn check_tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<_> = tokens.into_iter().collect();
        for (at, token) in tokens.iter().enumerate() {
            let lifetime = at > 0
                && matches!(&tokens[at - 1], TokenTree::Punct(tick) if tick.as_char() == '\'');
            match token {
                TokenTree::Ident(word) if word == "static" && !lifetime => {
                    let end = |token: &&TokenTree| !matches!(token, TokenTree::Punct(punct) if "=;".contains(punct.as_char()));
                    let head: TokenStream =
                        tokens[at + 1..].iter().take_while(end).cloned().collect();
                    let mut words = Vec::new();
                    super::names::idents(head, &mut |word| words.push(word));
                    let mutable = words.first().is_some_and(|word| word == "mut");
                    let (name, types) = match words.split_at(usize::from(mutable)).1 {
                        [name, types @ ..] => (name.as_str(), types),
                        [] => ("", &[][..]),
                    };
                    self.check(name, mutable, types);
                }
                TokenTree::Group(group) => self.check_tokens(group.stream()),
                _ => {}
            }
        }
    }
}

impl<'a> Visit<'a> for Statics<'_> {
    fn visit_item(&mut self, item: &'a syn::Item) {
        if !is_test(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_static(&mut self, item: &'a syn::ItemStatic) {
        let mut names = Names::default();
        names.visit_type(&item.ty);
        let mutable = matches!(item.mutability, syn::StaticMutability::Mut(_));
        self.check(&item.ident.to_string(), mutable, &names.0);
        visit::visit_item_static(self, item);
    }

    fn visit_macro(&mut self, call: &'a syn::Macro) {
        let name = name_of(&call.path);
        if name == "thread_local" || name == "lazy_static" {
            self.found.push((vec![name.clone()], Some(format!("`{name}!` holds state"))));
        } else {
            self.check_tokens(call.tokens.clone());
        }
    }
}

/// The lines of a file as words. Tokens have no line numbers without a feature that slows down
/// every build.
struct Lines {
    words: Vec<(usize, String)>,
    /// Where to continue each search, by its words.
    from: BTreeMap<Vec<String>, usize>,
}

impl Lines {
    fn new(text: &str) -> Self {
        let words = text.lines().enumerate().flat_map(|(index, line)| {
            let code = line.split("//").next().unwrap_or_default();
            let words = code.split(|c: char| !c.is_alphanumeric() && c != '_');
            words.filter(|word| !word.is_empty()).map(move |word| (index + 1, word.to_owned()))
        });
        Self { words: words.collect(), from: BTreeMap::new() }
    }

    /// The line of the next place where these words appear in sequence; 1 if there is none.
    fn next_with(&mut self, wanted: &[String]) -> usize {
        let from = self.from.entry(wanted.to_vec()).or_default();
        let mut places = self.words.windows(wanted.len()).enumerate().skip(*from);
        let place = places.find(|(_, words)| words.iter().map(|(_, word)| word).eq(wanted));
        match place {
            Some((at, words)) => {
                *from = at + 1;
                words.first().map_or(1, |(line, _)| *line)
            }
            None => 1,
        }
    }
}
