//! The files and variables that a module is compiled from.
//!
//! Before a compilation they are predicted: the crate's `.rs` files that a `mod` may name, and the
//! paths and variables in `include…!` and `env!`. What rustc read beyond that, as its dep-info says,
//! is known from the module's last compilation.

mod scan;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::dep_info::DepInfo;
use super::recipe::Recipe;
use super::stamp::Stamp;
use crate::workspace::{self, WorkspaceError, resolved};

/// Variables that every module reads: `export_module!` does.
const ALWAYS_READ: [&str; 2] = ["CARGO_PKG_NAME", "CARGO_PKG_VERSION"];

/// Everything that a module is compiled from, as it was read.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The crate's own Rust files, relative to its folder, sorted.
    pub rust: Vec<(PathBuf, String)>,
    /// Hashes of all other files that rustc reads, by absolute path; `None` for one that is missing.
    pub others: BTreeMap<PathBuf, Option<blake3::Hash>>,
    /// Those of them that may hold Rust code, also macros for other crates.
    pub code: Vec<(PathBuf, String)>,
    /// Hashes of files of the crate that rustc did not read when it last succeeded.
    pub beside: BTreeMap<PathBuf, Option<blake3::Hash>>,
    /// The variables behind `env!`.
    pub variables: BTreeMap<String, Option<String>>,
    /// The stamps of the files that rustc reads, taken before their content was.
    pub stamps: Stamps,
}

/// The stamps of files, by absolute path; `None` for one that is missing.
pub type Stamps = BTreeMap<PathBuf, Option<Stamp>>;

impl Sources {
    /// Reads the sources of the module in `folder`. `known` is what its last compilation read. With
    /// `all`, the crate's other files are read too: where a compilation failed, any of them may be
    /// the one that it needs.
    ///
    /// # Errors
    ///
    /// If a file exists and cannot be read.
    pub fn read(
        folder: &Path,
        recipe: &Recipe,
        known: Option<&DepInfo>,
        all: bool,
    ) -> Result<Self, WorkspaceError> {
        let paths = workspace::list(folder)?;
        let mut sources = Self::default();
        let (mut includes, mut variables) = (BTreeSet::new(), BTreeSet::new());
        let read = known.into_iter().flat_map(|known| &known.files);
        let read: BTreeSet<PathBuf> = read.map(|path| resolved(path)).collect();
        let mut tree = Tree::new(folder, &paths, root(folder, recipe), &read);
        while let Some(path) = tree.next() {
            let file = folder.join(path);
            sources.stamps.insert(file.clone(), Stamp::of(&file));
            // Removed since the folder was listed: a change event follows.
            let Some(bytes) = workspace::read_existing(&file)? else { continue };
            let text = String::from_utf8_lossy(&bytes).into_owned();
            tree.follow(&text);
            let beside = file.parent().unwrap_or(folder);
            includes.extend(scan::includes(&text).map(|path| resolved(&beside.join(path))));
            variables.extend(scan::variables(&text).map(str::to_owned));
            sources.rust.push((path.to_owned(), text));
        }
        sources.rust.sort();

        let rust: BTreeSet<PathBuf> =
            sources.rust.iter().map(|(path, _)| folder.join(path)).collect();
        for path in includes.into_iter().chain(read).filter(|path| !rust.contains(path)) {
            sources.stamps.insert(path.clone(), Stamp::of(&path));
            let bytes = workspace::read_existing(&path)?;
            sources.others.insert(path.clone(), bytes.as_deref().map(blake3::hash));
            if let Some(text) = bytes.and_then(|bytes| String::from_utf8(bytes).ok())
                && (is_rust(&path) || text.contains("macro_rules"))
            {
                sources.code.push((path, text));
            }
        }
        if all {
            for path in paths.into_iter().map(|path| folder.join(path)) {
                if !rust.contains(&path) && !sources.others.contains_key(&path) {
                    let hash = workspace::read_existing(&path)?.map(|bytes| blake3::hash(&bytes));
                    sources.beside.insert(path, hash);
                }
            }
        }
        variables.extend(known.into_iter().flat_map(|known| known.variables.iter().cloned()));
        variables.extend(ALWAYS_READ.map(str::to_owned));
        // These follow from the rest.
        variables.retain(|name| !name.starts_with("PLAYGROUND_"));
        let with_value = |name: String| (name.clone(), recipe.variable(&name));
        sources.variables = variables.into_iter().map(with_value).collect();
        Ok(sources)
    }

    /// Everything that shapes the crate's types besides its own Rust files.
    pub fn salt(&self, workspace: &Path) -> Vec<String> {
        let files = self.others.iter().map(|(path, hash)| {
            let hash = hash.map_or("missing".to_owned(), |hash| hash.to_hex().to_string());
            format!("file {}={hash}", path.strip_prefix(workspace).unwrap_or(path).display())
        });
        // The same in every checkout.
        let root = workspace.to_string_lossy();
        let variables = self.variables.iter().map(|(name, value)| {
            let value = value.as_ref().map(|value| value.replace(&*root, "."));
            format!("env {name}={value:?}")
        });
        files.chain(variables).collect()
    }
}

fn is_rust(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "rs")
}

/// True if none of the files was written since their stamps were taken.
pub fn are_unchanged(stamps: &Stamps) -> bool {
    stamps.iter().all(|(path, stamp)| Stamp::of(path) == *stamp)
}

/// The crate's root file, relative to its folder; `None` if the recipe does not name it.
fn root(folder: &Path, recipe: &Recipe) -> Option<PathBuf> {
    let mut arguments = recipe.arguments.iter();
    let root = arguments.find(|it| it.ends_with(".rs") && !it.starts_with('-'))?;
    recipe.folder.join(root).strip_prefix(folder).map(Path::to_owned).ok()
}

/// Finds the crate's Rust files that a `mod` may name.
struct Tree<'a> {
    /// Files that nothing named so far.
    others: BTreeSet<&'a Path>,
    /// Files to be read.
    open: Vec<&'a Path>,
}

impl<'a> Tree<'a> {
    fn new(
        folder: &'a Path,
        paths: &'a [PathBuf],
        root: Option<PathBuf>,
        read: &BTreeSet<PathBuf>,
    ) -> Self {
        let others = paths.iter().map(PathBuf::as_path).filter(|path| is_rust(path)).collect();
        let mut this = Self { others, open: Vec::new() };
        match root.filter(|root| this.others.contains(root.as_path())) {
            Some(root) => this.take(|path| {
                path == root || path == Path::new("build.rs") || read.contains(&folder.join(path))
            }),
            None => this.take(|_| true),
        }
        this
    }

    fn next(&mut self) -> Option<&'a Path> {
        self.open.pop()
    }

    /// Takes the files that `text` may name as modules. Names alone count, wherever the file is: one
    /// too many does no harm.
    fn follow(&mut self, text: &str) {
        if scan::has_path_attribute(text) {
            self.take(|_| true);
        }
        for name in scan::modules(text) {
            self.take(|path| {
                let is_folder = path.ends_with("mod.rs");
                let path = if is_folder { path.parent() } else { Some(path) };
                path.and_then(Path::file_stem).is_some_and(|stem| stem == name)
            });
        }
    }

    fn take(&mut self, is_named: impl Fn(&Path) -> bool) {
        let (named, others) = self.others.iter().partition(|path| is_named(path));
        self.others = others;
        let named: BTreeSet<&Path> = named;
        self.open.extend(named);
    }
}

#[cfg(test)]
mod tests;
