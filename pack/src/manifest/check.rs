//! The rules of a manifest.

use std::collections::{BTreeMap, BTreeSet};

use semver::VersionReq;
use thiserror::Error;

use super::{FORMAT, Kind, Manifest, Module, library_path};
use crate::limits::{MAX_FILE_BYTES, MAX_FILES, MAX_MODULES, MAX_TARGETS, MAX_TOTAL_BYTES};
use crate::path::{PathError, Paths};

/// The maximum length of ids and of targets' names, in bytes.
const MAX_ID_BYTES: usize = 60;
/// The maximum length of a line of text, in characters.
const MAX_LINE: usize = 200;
/// The maximum length of the description, in characters.
const MAX_DESCRIPTION: usize = 4000;
const MAX_AUTHORS: usize = 50;
/// The maximum number of modules that one module names.
const MAX_RELATIONS: usize = 200;

/// Why a manifest is refused.
#[derive(Debug, Error)]
pub enum ManifestError {
    /// It is not UTF-8.
    #[error("it is not UTF-8 text")]
    NotText,
    /// It is not TOML, has an unknown field, or lacks one.
    #[error("{}", printable(&.0.to_string()))]
    Toml(#[from] toml::de::Error),
    /// It cannot be written as TOML.
    #[error("{0}")]
    Write(#[from] toml::ser::Error),
    /// It is of another format.
    #[error("it is of format {found}, and this program reads format {FORMAT}")]
    Format {
        /// The manifest's format.
        found: u32,
    },
    /// An id that is not a lower-case name.
    #[error(
        "{what} is `{found}`: it has to be 1 to {MAX_ID_BYTES} lower-case letters, digits and \
             `_`, and to begin with a letter"
    )]
    Id {
        /// The field.
        what: &'static str,
        /// Its value.
        found: String,
    },
    /// A text that is empty, too long, or has characters that no terminal should get.
    #[error("{what} {problem}")]
    Text {
        /// The field.
        what: &'static str,
        /// The fault.
        problem: String,
    },
    /// More entries than allowed.
    #[error("it has {found} {what}, and at most {limit} are allowed")]
    TooMany {
        /// The kind of entry.
        what: &'static str,
        /// The number.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// No modules, or no targets.
    #[error("it has no {what}")]
    None {
        /// The missing part.
        what: &'static str,
    },
    /// The same target or module twice, or not in order.
    #[error("its {what} are not ordered, or one is listed twice: `{second}` comes after `{first}`")]
    NotOrdered {
        /// The list's name.
        what: &'static str,
        /// An entry.
        first: String,
        /// The entry after it.
        second: String,
    },
    /// A module whose name does not begin with its kind.
    #[error("module `{module}` is of kind {kind}, and its name has to begin with `{kind}_`")]
    Kind {
        /// The module.
        module: String,
        /// Its kind.
        kind: Kind,
    },
    /// A module that requires and excludes the same module, or names itself.
    #[error("module `{module}` names `{other}` {problem}")]
    Relation {
        /// The module.
        module: String,
        /// The named module.
        other: String,
        /// The fault.
        problem: &'static str,
    },
    /// A path that is not allowed.
    #[error("the path {path:?} is not allowed: {error}")]
    Path {
        /// The path.
        path: String,
        /// The broken rule.
        error: PathError,
    },
    /// A file where the format has no place for one.
    #[error(
        "`{path}` has no place in a pack: files are README.md, LICENSE*, icon.png, what lies \
             under assets/ and licences/, and the modules' libraries under targets/"
    )]
    Place {
        /// The file.
        path: String,
    },
    /// A module without its library for a target.
    #[error("module `{module}` has no library for {triple}: `{path}` is not listed")]
    NoLibrary {
        /// The module.
        module: String,
        /// The target.
        triple: String,
        /// The library's path.
        path: String,
    },
    /// Files that are too large.
    #[error("{what} has {found} bytes, and at most {limit} are allowed")]
    TooLarge {
        /// A file, or all of them.
        what: String,
        /// The size.
        found: u64,
        /// The limit.
        limit: u64,
    },
}

impl Manifest {
    /// Checks everything that needs no file.
    pub(super) fn check(&self) -> Result<(), ManifestError> {
        if self.format != FORMAT {
            return Err(ManifestError::Format { found: self.format });
        }
        id("the pack's id", &self.id)?;
        line("the title", &self.title)?;
        at_most("authors", self.authors.len(), MAX_AUTHORS)?;
        self.authors.iter().try_for_each(|author| line("an author", author))?;
        line("the licence", &self.licence)?;
        text("the description", &self.description, MAX_DESCRIPTION, true)?;
        if let Some(publisher) = &self.publisher {
            line("the publisher's name", &publisher.name)?;
            line("the publisher's key", &publisher.key)?;
        }
        self.check_targets()?;
        self.check_modules()?;
        self.check_files()
    }

    fn check_targets(&self) -> Result<(), ManifestError> {
        some("targets", self.targets.len())?;
        at_most("targets", self.targets.len(), MAX_TARGETS)?;
        let triples = self.targets.iter().map(|target| target.triple.as_str());
        ordered("targets", triples)?;
        for target in &self.targets {
            let is_triple =
                |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
            let is_name = target.triple.len() <= MAX_ID_BYTES
                && target.triple.starts_with(|c: char| c.is_ascii_lowercase())
                && target.triple.matches('-').count() >= 2
                && target.triple.chars().all(is_triple);
            if !is_name {
                let problem = format!("`{}` is no target of rustc", target.triple.escape_debug());
                return Err(ManifestError::Text { what: "a target", problem });
            }
            line("an ABI fingerprint", &target.abi)?;
        }
        Ok(())
    }

    fn check_modules(&self) -> Result<(), ManifestError> {
        some("modules", self.modules.len())?;
        at_most("modules", self.modules.len(), MAX_MODULES)?;
        ordered("modules", self.modules.iter().map(|module| module.id.as_str()))?;
        let mut crates: BTreeMap<String, &str> = BTreeMap::new();
        for module in &self.modules {
            if let Some(other) = crates.insert(module.id.replace('-', "_"), &module.id) {
                let (module, other) = (module.id.clone(), other.to_owned());
                let problem = "by another spelling of its own name";
                return Err(ManifestError::Relation { module, other, problem });
            }
        }
        self.modules.iter().try_for_each(Module::check)
    }

    fn check_files(&self) -> Result<(), ManifestError> {
        at_most("files", self.files.len(), MAX_FILES)?;
        ordered("files", self.files.iter().map(|file| file.path.as_str()))?;
        let libraries: BTreeSet<String> = self
            .targets
            .iter()
            .flat_map(|target| {
                self.modules.iter().map(|module| library_path(&target.triple, &module.id))
            })
            .collect();
        let mut paths = Paths::default();
        let mut total: u64 = 0;
        for file in &self.files {
            let refused = |error| ManifestError::Path { path: file.path.clone(), error };
            paths.add(&file.path).map_err(refused)?;
            if !libraries.contains(&file.path) && !has_place(&file.path) {
                return Err(ManifestError::Place { path: file.path.clone() });
            }
            no_larger(&format!("`{}`", file.path), file.size, MAX_FILE_BYTES)?;
            total = total.saturating_add(file.size);
        }
        no_larger("all of it", total, MAX_TOTAL_BYTES)?;
        for (triple, module) in self
            .targets
            .iter()
            .flat_map(|target| self.modules.iter().map(|module| (&target.triple, &module.id)))
        {
            if self.library(triple, module).is_none() {
                let (module, triple) = (module.clone(), triple.clone());
                let path = library_path(&triple, &module);
                return Err(ManifestError::NoLibrary { module, triple, path });
            }
        }
        Ok(())
    }
}

impl Module {
    fn check(&self) -> Result<(), ManifestError> {
        module_id("a module's id", &self.id)?;
        if Kind::of_name(&self.id) != Some(self.kind) {
            return Err(ManifestError::Kind { module: self.id.clone(), kind: self.kind });
        }
        let relation = |other: &str, problem| ManifestError::Relation {
            module: self.id.clone(),
            other: other.to_owned(),
            problem,
        };
        let versioned: [&BTreeMap<String, VersionReq>; 3] =
            [&self.requires, &self.optional, &self.conflicts];
        let named = versioned.iter().flat_map(|modules| modules.keys());
        let named: Vec<&String> = named.chain(&self.after).chain(&self.before).collect();
        at_most("relations of one module", named.len(), MAX_RELATIONS)?;
        for other in named {
            module_id("the name of a related module", other)?;
            if *other == self.id {
                return Err(relation(other, "although that is itself"));
            }
        }
        for (one, two, problem) in [
            (&self.requires, &self.optional, "as required and as optional"),
            (&self.requires, &self.conflicts, "as required and as a conflict"),
            (&self.optional, &self.conflicts, "as optional and as a conflict"),
        ] {
            if let Some(other) = one.keys().find(|other| two.contains_key(*other)) {
                return Err(relation(other, problem));
            }
        }
        if let Some(other) = self.after.intersection(&self.before).next() {
            return Err(relation(other, "as loaded before it and as loaded after it"));
        }
        Ok(())
    }
}

/// True for the files of a pack that are no libraries.
pub(crate) fn has_place(path: &str) -> bool {
    let is_licence =
        path.starts_with("licences/") || (path.starts_with("LICENSE") && !path.contains('/'));
    ["README.md", "icon.png"].contains(&path) || path.starts_with("assets/") || is_licence
}

/// True for the id of a pack: a lower-case name.
pub fn is_id(found: &str) -> bool {
    (1..=MAX_ID_BYTES).contains(&found.len())
        && found.starts_with(|c: char| c.is_ascii_lowercase())
        && found.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// Packages of modules may have hyphens in their names.
fn module_id(what: &'static str, found: &str) -> Result<(), ManifestError> {
    id(what, &found.replace('-', "_")).map_err(|_| ManifestError::Id { what, found: shown(found) })
}

fn id(what: &'static str, found: &str) -> Result<(), ManifestError> {
    if is_id(found) { Ok(()) } else { Err(ManifestError::Id { what, found: shown(found) }) }
}

/// Lines of an unknown kind, without characters that control a terminal.
fn printable(found: &str) -> String {
    let one = |c: char| {
        if c != '\n' && is_invisible(c) { c.escape_default().to_string() } else { c.into() }
    };
    found.trim_end().chars().map(one).collect()
}

/// A text of an unknown kind, fit for a message.
fn shown(found: &str) -> String {
    found.chars().take(MAX_ID_BYTES).collect::<String>().escape_debug().to_string()
}

fn line(what: &'static str, found: &str) -> Result<(), ManifestError> {
    if found.trim().is_empty() {
        return Err(ManifestError::Text { what, problem: "is empty".to_owned() });
    }
    text(what, found, MAX_LINE, false)
}

fn text(
    what: &'static str,
    found: &str,
    limit: usize,
    may_have_lines: bool,
) -> Result<(), ManifestError> {
    let problem = |problem| Err(ManifestError::Text { what, problem });
    let length = found.chars().count();
    if length > limit {
        return problem(format!("has {length} characters, and at most {limit} are allowed"));
    }
    let is_line_end = |c: char| may_have_lines && c == '\n';
    match found.chars().find(|c| is_invisible(*c) && !is_line_end(*c)) {
        Some(c) => problem(format!("contains the invisible character U+{:04X}", u32::from(c))),
        None => Ok(()),
    }
}

/// Characters that control a terminal, or make a text look like another one.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn some(what: &'static str, found: usize) -> Result<(), ManifestError> {
    if found == 0 { Err(ManifestError::None { what }) } else { Ok(()) }
}

fn at_most(what: &'static str, found: usize, limit: usize) -> Result<(), ManifestError> {
    if found > limit { Err(ManifestError::TooMany { what, found, limit }) } else { Ok(()) }
}

fn no_larger(what: &str, found: u64, limit: u64) -> Result<(), ManifestError> {
    let what = what.to_owned();
    if found > limit { Err(ManifestError::TooLarge { what, found, limit }) } else { Ok(()) }
}

/// Checks that each entry is greater than the one before it.
fn ordered<'a>(
    what: &'static str,
    entries: impl Iterator<Item = &'a str>,
) -> Result<(), ManifestError> {
    let mut before: Option<&str> = None;
    for entry in entries {
        if let Some(first) = before.filter(|first| *first >= entry) {
            let (first, second) = (shown(first), shown(entry));
            return Err(ManifestError::NotOrdered { what, first, second });
        }
        before = Some(entry);
    }
    Ok(())
}
