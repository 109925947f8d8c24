//! The folders that the reader watches, and which of the changes there count.

use std::collections::{BTreeSet, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Component, Path, PathBuf};

use notify::RecursiveMode;
use playground_pack::Store;
use playground_pack::manifest::MANIFEST;

use super::Workspace;
use crate::packs;

/// A path that leads through more links than this is a circle.
const MOST_LINKS: usize = 40;

/// The paths whose changes count.
#[derive(Clone, Default)]
pub struct Coverage {
    workspace: PathBuf,
    /// The workspace's folder with cargo's configuration.
    configuration: PathBuf,
    /// The folder of the packs that are made in the workspace.
    packs: PathBuf,
    /// The folders of modules and of the workspace's other libraries.
    sources: Vec<PathBuf>,
    elsewhere: Elsewhere,
    /// The list of installed packs.
    list: Option<PathBuf>,
    /// Sources count, and not only packs.
    watches: bool,
}

impl Coverage {
    /// The modules' folders and what they read elsewhere; only installed packs without `watches`.
    pub fn of(workspace: &Workspace, elsewhere: &Elsewhere, watches: bool) -> Self {
        let Workspace { folders, members, store, .. } = workspace;
        let list = store.as_ref().map(Store::list_file);
        let libraries = members.libraries.values().map(|library| library.folder.clone());
        let sources = [folders.modules.clone()].into_iter().chain(libraries);
        let (sources, elsewhere) = match watches {
            true => (sources.collect(), elsewhere.clone()),
            false => Default::default(),
        };
        let workspace = folders.workspace.clone();
        let configuration = workspace.join(".cargo");
        let packs = workspace.join(packs::developed::FOLDER);
        Self { workspace, configuration, packs, sources, elsewhere, list, watches }
    }

    /// The folders to watch. They may not exist.
    pub fn folders<'a>(&'a self) -> Vec<(&'a Path, RecursiveMode)> {
        // Above a folder that is missing, the next one shows when it comes back.
        let source = |folder: &'a PathBuf| match there(folder) {
            Some(above) if above != folder => (above, RecursiveMode::NonRecursive),
            _ => (&**folder, RecursiveMode::Recursive),
        };
        let mut folders: Vec<_> = self.sources.iter().map(source).collect();
        if self.watches {
            let of_workspace = [&*self.workspace, &*self.configuration];
            folders.extend(of_workspace.map(|folder| (folder, RecursiveMode::NonRecursive)));
            folders.push((&self.packs, RecursiveMode::Recursive));
        }
        let elsewhere = self.elsewhere.folders.iter();
        folders.extend(elsewhere.map(|folder| (&**folder, RecursiveMode::NonRecursive)));
        let packs = self.list.as_ref().and_then(|list| list.parent());
        folders.extend(packs.map(|folder| (folder, RecursiveMode::NonRecursive)));
        folders
    }

    /// True if a change of this path may change what modules are made of.
    pub fn counts(&self, path: &Path) -> bool {
        self.sources.iter().any(|folder| path.starts_with(folder) || folder.starts_with(path))
            || self.list.as_deref() == Some(path)
            || self.elsewhere.has(path)
            || self.watches && is_configuration(&self.workspace, path)
            || self.is_pack(path)
    }

    /// True for the folder of a pack that is made in the workspace, and for its manifest.
    fn is_pack(&self, path: &Path) -> bool {
        let Some(parts) = self.in_packs(path) else { return false };
        parts.len() < 2 || parts.len() == 2 && parts[1] == MANIFEST
    }

    /// True for what is in the folder `assets` of a pack that is made in the workspace.
    pub fn is_pack_asset(&self, path: &Path) -> bool {
        self.in_packs(path).is_some_and(|parts| parts.len() > 2 && parts[1] == "assets")
    }

    fn in_packs<'a>(&self, path: &'a Path) -> Option<Vec<&'a OsStr>> {
        let relative = path.strip_prefix(&self.packs).ok().filter(|_| self.watches)?;
        Some(relative.iter().collect())
    }
}

/// The files and folders outside of `modules/` that rustc and build scripts read.
#[derive(Clone, Default)]
pub struct Elsewhere {
    /// With those that symbolic links lead to.
    paths: BTreeSet<PathBuf>,
    /// The folders in which one of them can be created, replaced or removed.
    folders: BTreeSet<PathBuf>,
}

impl Elsewhere {
    /// Of these files and folders, those that are not in `modules`.
    pub fn of(read: impl IntoIterator<Item = PathBuf>, modules: &Path) -> Self {
        let mut this = Self::default();
        let mut without_links = HashSet::new();
        for path in read {
            this.follow(&path, modules, &mut without_links);
        }
        this
    }

    /// Adds every link on the path, and where they lead in the end.
    fn follow(&mut self, path: &Path, modules: &Path, without_links: &mut HashSet<PathBuf>) {
        let known = path.parent().filter(|folder| without_links.contains(*folder));
        let mut reached = known.map(Path::to_owned).unwrap_or_default();
        let mut open = parts(path.strip_prefix(&reached).unwrap_or(path));
        let mut links = 0;
        while let Some(part) = open.pop() {
            // What was reached has no links left, so that `..` is the folder above.
            if part == ".." {
                reached.pop();
                continue;
            }
            let next = reached.join(&part);
            let link = fs::read_link(&next).ok();
            // The watcher itself follows links to folders in `modules`.
            let is_followed = || next.starts_with(modules) && next.is_dir();
            match link.filter(|_| !is_followed()) {
                None => reached = next,
                Some(_) if links == MOST_LINKS => return,
                Some(target) => {
                    links += 1;
                    self.add(&next, modules);
                    open.extend(parts(&target));
                }
            }
        }
        self.add(&reached, modules);
        if links == 0 {
            without_links.extend(path.parent().map(Path::to_owned));
        }
    }

    fn add(&mut self, path: &Path, modules: &Path) {
        if path.starts_with(modules) || !self.paths.insert(path.to_owned()) {
            return;
        }
        // A build script may name a whole folder. Where a folder is missing, the one above it that is
        // there shows when it is created.
        let is_folder = path.is_dir() && !path.is_symlink();
        let folders = [path.parent(), is_folder.then_some(path)];
        for folder in folders.into_iter().flatten() {
            let outside = there(folder).filter(|folder| !folder.starts_with(modules));
            self.folders.extend(outside.map(Path::to_owned));
        }
    }

    /// True for these paths, for what is in them, and for the folders that they are in: without
    /// those, they are gone.
    pub fn has(&self, path: &Path) -> bool {
        // The paths in a folder are the next ones in their order.
        let next = self.paths.range(path.to_owned()..).next();
        next.is_some_and(|next| next.starts_with(path))
            || path.ancestors().any(|folder| self.paths.contains(folder))
    }
}

/// The folder, or the next one above it that is there.
fn there(folder: &Path) -> Option<&Path> {
    folder.ancestors().find(|folder| folder.is_dir())
}

/// The parts of a path, the last one first.
fn parts(path: &Path) -> Vec<OsString> {
    let parts = path.components().filter(|part| *part != Component::CurDir);
    parts.rev().map(|part| part.as_os_str().to_owned()).collect()
}

/// True for the files beside the modules that can change how they are compiled.
pub fn is_configuration(workspace: &Path, path: &Path) -> bool {
    const NAMES: [&str; 5] =
        ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", "rust-toolchain", ".cargo"];
    let Ok(relative) = path.strip_prefix(workspace) else { return false };
    NAMES.iter().any(|name| relative == Path::new(name))
        || [".cargo/config.toml", ".cargo/config"].iter().any(|name| relative == Path::new(name))
}

#[cfg(test)]
mod tests;
