//! Which modules there are on disk, how cargo would compile them, and that something changed.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use notify::RecursiveMode;

use super::{Ask, Progress, State, Tell};
use crate::build::{self, capture};
use crate::ids::ModuleId;
use crate::watch;
use crate::workspace::{self, Folders};

impl State {
    /// Reads which modules there are, and how cargo would compile them.
    pub(super) fn scan(&mut self) -> Result<(), String> {
        let (folders, catalog) =
            workspace::scan(&self.folder).map_err(|error| error.to_string())?;
        let modules: BTreeSet<ModuleId> = catalog.crates.keys().cloned().collect();
        let workspace = folders.workspace.clone();
        self.tell(Tell::Catalog { workspace, modules });
        self.open_journal(&folders.built);
        let libraries: BTreeSet<PathBuf> =
            catalog.libraries.values().map(|library| library.folder.clone()).collect();
        if self.watches && (self.watch.is_none() || self.watched_libraries != libraries) {
            self.start_watch(&folders, &libraries);
            self.watched_libraries = libraries;
        }
        capture::check_libraries(&self.catalog, &catalog).map_err(|error| error.to_string())?;
        let gone = self.latest.keys().filter(|id| !catalog.crates.contains_key(*id));
        for id in gone.cloned().collect::<Vec<_>>() {
            self.latest.remove(&id);
            self.inputs.remove(&id);
            self.rethink = true;
        }
        let recipes = match capture::kept(&folders, &catalog) {
            Some(recipes) => Ok(recipes),
            None => {
                let what = |what: &str| Progress { what: what.into(), done: 0, total: 0 };
                self.tell(Tell::Progress(Some(what("asking cargo how to build the modules"))));
                capture::capture(&folders, &catalog, &self.stopped, |line| {
                    // What is compiled, fetched, or waited for.
                    let line = line.trim();
                    if ["Compiling", "Downloading", "Blocking"].iter().any(|w| line.starts_with(w))
                    {
                        self.tell(Tell::Progress(Some(what(line))));
                    }
                })
            }
        };
        self.folders = Some(folders.clone());
        self.catalog = catalog;
        self.recipes = recipes.map_err(|error| error.to_string())?;
        self.linker = build::linker(&folders, &self.recipes).map_err(|error| error.to_string())?;
        self.look = true;
        Ok(())
    }

    fn start_watch(&mut self, folders: &Folders, libraries: &BTreeSet<PathBuf>) {
        let (ask, newer) = (self.ask.clone(), self.newer.clone());
        let mut watched = vec![
            (folders.modules.as_path(), RecursiveMode::Recursive),
            (folders.workspace.as_path(), RecursiveMode::NonRecursive),
        ];
        watched.extend(libraries.iter().map(|it| (it.as_path(), RecursiveMode::Recursive)));
        let workspace = folders.workspace.clone();
        let sources: Vec<PathBuf> =
            std::iter::once(&folders.modules).chain(libraries).cloned().collect();
        let started = watch::watch(&watched, move |path| {
            // Of the workspace's own folder only manifests count.
            let name = path.file_name().unwrap_or_default();
            let manifest = name == "Cargo.toml" || name == "Cargo.lock";
            let is_source = sources.iter().any(|folder| path.starts_with(folder));
            if is_source || (manifest && path.starts_with(&workspace)) {
                newer.store(true, Ordering::Relaxed);
                let _ = ask.send(Ask::Changed(path));
            }
        });
        match started {
            Ok(watch) => self.watch = Some(watch),
            Err(error) => self.tell(Tell::Trouble(error.to_string())),
        }
    }
}
