//! The epoch of a crate: a hash of everything in its sources that can shape a type or attach code to it.
//!
//! ```text
//!  sources ─► syn ─► types, traits, impls of traits ───────────────────────────┐
//!               └──► functions, constants, imports ─► those that these reach ─┴─► blake3
//!  facts of the cores below ──────────────────────────┘
//! ```
//!
//! Definitions that no type and no code attached to one can reach are left out, so that editing them
//! keeps the `TypeId`s of the crate's types. Code that might matter is included.

pub mod check;
mod items;
mod definitions;
mod imports;
mod attributes;
mod whole_bodies;
mod known_macros;
mod code_holders;
mod declarations;
mod edited;
mod facts;
mod interface;
mod names;
mod own_identity;
mod stateful_statics;
mod token_hash;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use facts::{CoreFacts, Facts};
pub use stateful_statics::refused_statics;

use declarations::Declarations;
use facts::{Counted, Counting};
use items::Items;
use known_macros::KnownMacros;
use names::Mentions;
use own_identity::own_identities;
use token_hash::TokenHasher;

use crate::ids::{Epoch, ModuleId};

/// Part of every epoch: a change of the algorithm must change this text, and so all epochs.
const VERSION: &str = "playground epoch 4";

/// The values that decide about the identities of a crate's types.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The epoch of the crate as a whole, for modules that are built against it.
    pub epoch: Epoch,
    /// The part that all of its types share, which rustc gets as `-C metadata`.
    pub crate_epoch: Epoch,
    /// The types that have an identity of their own, by name.
    pub types: BTreeMap<String, OwnIdentity>,
}

impl Identity {
    /// The types with an identity of their own, as `#[persist]` and the manifest read them: a line
    /// each, with name, epoch, and the path of the module that declares it.
    pub fn own_types(&self, crate_name: &str) -> String {
        let lines = self.types.iter().map(|(name, own)| match own.module.as_str() {
            "" => format!("{name} {} {crate_name}", own.epoch),
            module => format!("{name} {} {crate_name}::{module}", own.epoch),
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// The identity of one type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnIdentity {
    /// The hash of all that can shape the type or attach code to it, beside the crate's epoch.
    pub epoch: Epoch,
    /// The path of its module in the crate, such as `walls::bricks`.
    pub module: String,
}

/// The identity of the crate in the folder `crate_root`, and what those of its dependents need.
///
/// `sources` are its Rust files, with paths relative to that folder, in any order. `salt` lists
/// everything else that shapes types: features, dependencies, the crate epochs of core crates.
/// `cores` has all core crates that it links to, directly or through others. Files that the sources
/// include by a literal path are read from disk.
pub fn identity(
    crate_root: &Path,
    sources: &[(PathBuf, String)],
    salt: &[impl AsRef<str>],
    cores: &CoreFacts,
) -> (Identity, Facts) {
    let mut hasher = TokenHasher::new();
    hasher.text(VERSION);
    hasher.number(salt.len() as u64);
    for salt in salt {
        hasher.text(salt.as_ref());
    }

    let files = parse(sources);
    let declarations = Declarations::of(files.iter().filter_map(Source::parsed));
    let below = cores.iter().map(|(id, core)| (id.crate_name(), &core.declarations));
    let known = KnownMacros::new(&declarations, below);
    let all_count = declarations.has_item_macros;
    let own = match all_count {
        true => BTreeSet::new(),
        false => own_identities(files.iter().filter_map(Source::parsed), &known),
    };
    let interface = interface_of(&files, &known, all_count, crate_root);
    let mut facts = Facts { declarations, own, interface, ..Facts::default() };
    let (mut mentions, mut calls_method) = (Mentions::default(), false);
    // Modules that are declared, and those in which something counts.
    let (mut declared, mut counting) = (BTreeSet::new(), BTreeSet::new());
    for file in &files {
        let folder = crate_root.join(file.path.parent().unwrap_or(Path::new("")));
        match &file.content {
            Content::Parsed(parsed) => {
                let items = Items::new(&known, all_count, &facts.own, folder, file.modules.clone());
                let items = items.file(parsed);
                if all_count || !items.tokens.is_empty() {
                    hasher.text(&file.name);
                    hasher.tokens(items.tokens, &items.folder);
                    counting.insert(file.modules.clone());
                }
                facts.functions.extend(items.functions);
                facts.named.extend(items.named);
                mentions.extend(items.mentions);
                calls_method |= items.calls_method;
                declared.extend(items.files);
            }
            Content::Whole(parsed) => {
                hasher.text(&file.name);
                hasher.tokens(quote::ToTokens::to_token_stream(parsed), &folder);
            }
            Content::Raw(text) => {
                hasher.text(&file.name);
                hasher.text(text);
            }
        }
    }
    // A file counts if a module leads to it.
    declared.retain(|module| counting.iter().any(|counting| counting.starts_with(module)));
    for module in declared {
        hasher.text(&module.join("::"));
    }

    let counting = Counting::new(&facts, cores);
    add(&mut hasher, &counting.of_crate(mentions, calls_method));
    let crate_epoch = epoch_of(hasher);
    let types = own_types(&facts, &counting);
    let epoch = match types.is_empty() {
        true => crate_epoch.clone(),
        false => {
            let mut hasher = TokenHasher::new();
            hasher.text(crate_epoch.as_str());
            for (name, own) in &types {
                hasher.text(name);
                hasher.text(own.epoch.as_str());
            }
            epoch_of(hasher)
        }
    };
    (Identity { epoch, crate_epoch, types }, facts)
}

/// The hash of what rustc reads of these files while it compiles another crate.
fn interface_of(
    files: &[Source<'_>],
    known: &KnownMacros,
    all_count: bool,
    crate_root: &Path,
) -> u64 {
    let mut hasher = TokenHasher::new();
    let parsed = files.iter().filter_map(Source::parsed);
    // A file that is not parsed may name any of them.
    let all_are_parsed = files.iter().all(|file| !matches!(file.content, Content::Raw(_)));
    let private = interface::private_constants(parsed, known, all_count || !all_are_parsed);
    for file in files {
        let folder = crate_root.join(file.path.parent().unwrap_or(Path::new("")));
        hasher.text(&file.name);
        match &file.content {
            Content::Parsed(parsed) => {
                let file = (parsed, file.text);
                interface::hash(&mut hasher, file, (known, &private), all_count, &folder);
            }
            Content::Whole(parsed) => {
                hasher.tokens(quote::ToTokens::to_token_stream(parsed), &folder);
            }
            Content::Raw(text) => hasher.text(text),
        }
    }
    hasher.finish()
}

/// The identities of the types that have one of their own.
fn own_types(facts: &Facts, counting: &Counting<'_>) -> BTreeMap<String, OwnIdentity> {
    let identity = |name: &String| {
        let mut hasher = TokenHasher::new();
        hasher.text(VERSION);
        hasher.text(name);
        add(&mut hasher, &counting.of_type(name));
        let definition = facts.named.iter().find(|named| named.name == *name);
        let module = definition.map_or_else(String::new, |named| named.modules.join("::"));
        (name.clone(), OwnIdentity { epoch: epoch_of(hasher), module })
    };
    facts.own.iter().map(identity).collect()
}

fn add(hasher: &mut TokenHasher, counted: &[Counted<'_>]) {
    for counted in counted {
        hasher.text(counted.core.map_or("", ModuleId::as_str));
        hasher.text(&counted.modules.join("::"));
        hasher.text(counted.name);
        hasher.number(counted.hash);
    }
}

fn epoch_of(hasher: TokenHasher) -> Epoch {
    Epoch::from(format!("{:016x}", hasher.finish()))
}

/// A file of the crate.
struct Source<'a> {
    path: &'a Path,
    text: &'a str,
    /// The path, in the same form on every system.
    name: String,
    /// The module path of its items in the crate.
    modules: Vec<String>,
    content: Content<'a>,
}

enum Content<'a> {
    /// Processed item by item.
    Parsed(syn::File),
    /// Included as a whole: the build script.
    Whole(syn::File),
    /// Not valid Rust, at least for now.
    Raw(&'a str),
}

impl Source<'_> {
    fn parsed(&self) -> Option<&syn::File> {
        match &self.content {
            Content::Parsed(file) => Some(file),
            Content::Whole(_) | Content::Raw(_) => None,
        }
    }
}

/// The files that are part of the crate, sorted by path.
fn parse(sources: &[(PathBuf, String)]) -> Vec<Source<'_>> {
    let mut files: Vec<_> = sources
        .iter()
        .map(|(path, text)| {
            let name = parts(path).join("/");
            let content = match syn::parse_file(text) {
                Ok(file) if name == "build.rs" => Content::Whole(file),
                Ok(file) if path.extension().is_some_and(|end| end == "rs") => {
                    Content::Parsed(file)
                }
                _ => Content::Raw(text),
            };
            Source { path, text, modules: modules_of(path), name, content }
        })
        .collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    files.dedup_by(|a, b| a.name == b.name);

    // A path or a computed include may lead to any file.
    let paths_given = sources.iter().any(|(_, text)| may_lead_elsewhere(text));
    let outside: BTreeSet<String> =
        files.iter().filter(|_| !paths_given).flat_map(test_files).collect();
    files.retain(|file| {
        let stem = file.name.strip_suffix("/mod.rs").or_else(|| file.name.strip_suffix(".rs"));
        let folder = ["tests/", "benches/", "examples/"]
            .iter()
            .any(|folder| !paths_given && file.name.starts_with(folder));
        !folder && !stem.is_some_and(|stem| outside.iter().any(|test| is_below(stem, test)))
    });
    files
}

fn may_lead_elsewhere(text: &str) -> bool {
    let attribute = text.contains("#[path") || (text.contains("path") && text.contains("cfg_attr"));
    attribute || text.contains("include!") || text.contains("include !")
}

fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn parts(path: &Path) -> Vec<String> {
    path.components()
        .filter(|part| !matches!(part, Component::CurDir))
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect()
}

/// `src/a/b.rs` and `src/a/b/mod.rs` are the module `a::b`.
fn modules_of(path: &Path) -> Vec<String> {
    let mut modules = parts(&path.with_extension(""));
    if modules.first().is_some_and(|part| part == "src") {
        modules.remove(0);
    }
    if modules.last().is_some_and(|part| ["lib", "main", "mod"].contains(&part.as_str())) {
        modules.pop();
    }
    modules
}

/// The paths of the files of `#[cfg(test)] mod name;`, without their extension.
fn test_files(file: &Source) -> Vec<String> {
    let Content::Parsed(parsed) = &file.content else { return Vec::new() };
    let mut folder = parts(&file.path.with_extension(""));
    if folder.last().is_some_and(|part| ["lib", "main", "mod"].contains(&part.as_str())) {
        folder.pop();
    }
    let test_module = |item: &syn::Item| match item {
        syn::Item::Mod(module)
            if module.content.is_none() && attributes::is_test(&module.attrs) =>
        {
            Some([folder.join("/"), module.ident.to_string()].join("/"))
        }
        _ => None,
    };
    let mut modules: Vec<_> = parsed.items.iter().filter_map(test_module).collect();
    // `#[cfg(test)] mod name;` beside `#[cfg(not(test))] mod name;`
    let is_used = |path: &String| {
        let name = path.rsplit('/').next();
        parsed.items.iter().any(|item| {
            matches!(item, syn::Item::Mod(module)
                if Some(&*module.ident.to_string()) == name && !attributes::is_test(&module.attrs))
        })
    };
    modules.retain(|path| !is_used(path));
    modules
}

#[cfg(test)]
mod tests;
