//! Reads the inputs of builds: the workspace and the sources of its modules.

mod coverage;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use playground_pack::Store;

use crate::build::capture::{self, CaptureError};
use crate::build::recipe;
use crate::build::rustc::{Cancel, Linker};
use crate::build::scripts::ScriptInputs;
use crate::build::{self, Inputs, Recipes};
use crate::end_signals::{SharedJournal, end_on_signal};
use crate::ids::ModuleId;
use crate::journal::{Death, Journal};
use crate::packs::{self, Prebuilt};
use crate::pipeline::lock;
use crate::refusal::Refusal;
use crate::sdk::SdkError;
use crate::shared_libraries::{KnownLibraries, SharedLibraries};
use crate::watch::{FileChange, Watch, WatchError};
use crate::worker::event::{Event, FileEvent, Progress, Reading, Update};
use crate::workspace::{self, Folders, Members};
use coverage::{Coverage, Elsewhere, is_configuration};

/// A file's modification time counts as the time of the edit if it is not older than this.
const RECENT: Duration = Duration::from_secs(2);

/// The modules on disk, and how cargo would compile them.
#[derive(Clone, Default)]
pub struct Workspace {
    /// The folders.
    pub folders: Folders,
    /// The modules.
    pub members: Members,
    /// cargo's rustc command for each of them.
    pub recipes: Recipes,
    /// The linker; `None` links with rustc's own.
    pub linker: Option<Linker>,
    /// The installed packs; `None` only in tests of the worker.
    pub store: Option<Store>,
}

/// A workspace is replaced as a whole, and shared.
pub type SharedWorkspace = Arc<Workspace>;

/// The watcher, and what it reports.
#[derive(Default)]
pub struct Watching {
    watch: Option<Watch>,
    coverage: Arc<Mutex<Arc<Coverage>>>,
    /// The folders that cannot be watched, as last reported.
    errors: BTreeSet<String>,
}

/// Reads the workspace, and watches its folders.
pub struct Reader {
    /// A folder in the workspace.
    pub folder: PathBuf,
    /// The folder of a released game's modules, in place of the workspace's.
    pub prebuilt: Option<PathBuf>,
    /// A folder in a project whose modules are built with the released game's SDK.
    pub project: Option<PathBuf>,
    /// Whether to report changes of files. Those of installed packs are always reported.
    pub watches: bool,
    /// The folder of installed packs; beside the snapshots of the workspace if `None`.
    pub packs: Option<PathBuf>,
    /// Receives changes of files.
    pub events: Sender<Event>,
    /// Receives progress and warnings.
    pub updates: Sender<Update>,
    /// Opened once the build folder is known.
    pub journal: SharedJournal,
    /// The libraries that modules have to fit, kept in the build folder.
    pub libraries: KnownLibraries,
    /// The process of the previous game, if it was killed from outside.
    pub killed: Option<u32>,
    /// Cancelled when the game exits.
    pub stop: Cancel,
    /// The watcher.
    pub watching: Mutex<Watching>,
}

impl Reader {
    /// Reads the current sources. The workspace itself is read again if `paths` or `everything`
    /// could have changed it.
    ///
    /// # Errors
    ///
    /// If cargo cannot read the workspace or build the modules' dependencies, or a source cannot be
    /// read.
    pub fn read(
        &self,
        known: Option<&SharedWorkspace>,
        inputs: &BTreeMap<ModuleId, Inputs>,
        paths: &BTreeSet<PathBuf>,
        everything: bool,
    ) -> Result<Reading, Refusal> {
        if let (Some(folder), None) = (&self.prebuilt, &self.project) {
            let workspace = match known {
                Some(known) => known.clone(),
                None => Arc::new(self.read_prebuilt(folder)?),
            };
            let was_unwatched = self.watch(&workspace, &Elsewhere::default());
            let workspace = self.with_packs(workspace);
            return Ok(Reading { workspace, inputs: BTreeMap::new(), was_unwatched });
        }
        let elsewhere = read_elsewhere(known, inputs);
        // Without a watcher nobody says which files changed.
        let kept = known.filter(|known| {
            !everything
                && (self.watches || known.recipes.hold(&known.folders, &known.members))
                && !changes_workspace(known, paths, &elsewhere)
                && known.recipes.linked.are_unchanged()
        });
        // Whatever is read has to be watched before that, so that no change is missed in between.
        let (workspace, mut was_unwatched) = match kept {
            Some(known) => (known.clone(), self.watch(known, &elsewhere)),
            None => {
                let (workspace, was_unwatched) = self.read_workspace(known, &elsewhere)?;
                (Arc::new(workspace), was_unwatched)
            }
        };
        let workspace = self.with_packs(workspace);
        let Workspace { folders, members, recipes, .. } = &*workspace;
        let mut inputs = build::inputs(folders, members, recipes, inputs)?;
        while self.watch(&workspace, &read_elsewhere(Some(&workspace), &inputs)) {
            was_unwatched = true;
            inputs = build::inputs(folders, members, recipes, &inputs)?;
        }
        Ok(Reading { workspace, inputs, was_unwatched })
    }

    /// The workspace with the packs that are installed now.
    fn with_packs(&self, workspace: SharedWorkspace) -> SharedWorkspace {
        let Some(store) = &workspace.store else { return workspace };
        if workspace.members.prebuilt.are_of(store) {
            return workspace;
        }
        let packs = Prebuilt::read(store, &workspace.members);
        for (id, refusal) in &packs.refused {
            let about = if id.is_empty() { String::new() } else { format!("pack {id}: ") };
            self.update(Update::Warning(format!("{about}{refusal}")));
        }
        self.update(Update::Packs(packs::rows(store, &packs)));
        let members = Members { prebuilt: packs, ..workspace.members.clone() };
        Arc::new(Workspace { members, ..(*workspace).clone() })
    }

    /// Reads the workspace, and watches it. True if a folder was not watched before.
    fn read_workspace(
        &self,
        known: Option<&SharedWorkspace>,
        elsewhere: &Elsewhere,
    ) -> Result<(Workspace, bool), Refusal> {
        let mut was_unwatched = false;
        let mut scanned = self.scan();
        if scanned.is_err() && known.is_some_and(|known| self.watch(known, elsewhere)) {
            // A folder that is missing may have come back before that was watched.
            was_unwatched = true;
            scanned = self.scan();
        }
        let mut scanned = scanned?;
        while self.watch(&scanned, elsewhere) {
            was_unwatched = true;
            scanned = self.scan()?;
        }
        let Workspace { folders, members, store, .. } = scanned;
        if let Some(store) = &store {
            self.open_journal(&folders.built, store, &members);
        }
        let libraries = self.libraries.wait().as_ref().map_err(Clone::clone)?;
        if members.project.is_none() {
            libraries.keep(&folders.built);
        }
        if let Some(known) = known {
            capture::check_libraries(&known.members, &members)?;
        }
        let report = |activity: &str| self.report_progress(activity);
        let recipes = read_recipes(&folders, &members, libraries, &self.stop, report)?;
        let linker = build::linker(&folders, &recipes)?;
        Ok((Workspace { folders, members, recipes, linker, store }, was_unwatched))
    }

    /// The modules on disk, without recipes.
    fn scan(&self) -> Result<Workspace, Refusal> {
        let (folders, mut members) =
            workspace::scan(self.project.as_ref().unwrap_or(&self.folder))?;
        match &self.prebuilt {
            Some(modules) if members.project.is_some() => {
                members.prebuilt = Prebuilt::of_game(modules)?.without(&members.crates);
            }
            Some(_) => return Err(SdkError::NoProject { folder: folders.workspace }.into()),
            None if members.project.is_some() => {
                let (folder, asked) = (folders.workspace, "starting a game from there");
                return Err(SdkError::NoGame { folder, asked }.into());
            }
            None => {}
        }
        members.developed = packs::developed::developed(&folders.workspace);
        let packs = self.packs.clone().unwrap_or_else(|| packs::folder_in(&folders.workspace));
        let store = Some(Store::new(packs));
        Ok(Workspace { folders, members, store, ..Workspace::default() })
    }

    /// The modules of a game that was released: they are not built here.
    fn read_prebuilt(&self, folder: &Path) -> Result<Workspace, Refusal> {
        let prebuilt = Prebuilt::of_game(folder)?;
        let members = Members { prebuilt, ..Members::default() };
        // What the game writes is where its packs are.
        let packs = self.packs.clone().unwrap_or_else(|| packs::folder_in(folder));
        let built = packs.with_file_name("state");
        let store = Store::new(packs);
        self.open_journal(&built, &store, &members);
        let (workspace, modules) = (folder.to_owned(), folder.to_owned());
        let folders = Folders { workspace, modules, built };
        Ok(Workspace { folders, members, store: Some(store), ..Workspace::default() })
    }

    fn report_progress(&self, activity: &str) {
        let progress = Progress { activity: activity.to_owned(), done: 0, total: 0 };
        self.update(Update::Progress(Some(progress)));
    }

    fn update(&self, update: Update) {
        // If the host is gone, nobody needs the update.
        let _ = self.updates.send(update);
    }

    /// Opens the journal below `folder`, and reports how the previous game crashed.
    fn open_journal(&self, folder: &Path, store: &Store, members: &Members) {
        let mut opened = lock(&self.journal);
        if opened.is_some() {
            return;
        }
        let (journal, mut death, error) = Journal::open(folder, self.killed);
        if !death.quarantined.is_empty() {
            let packs = Prebuilt::read(store, members);
            let came_with = death.quarantined.iter().filter_map(|it| {
                let module = packs.modules.get(&it.module).filter(|it_is| it_is.hash == it.hash)?;
                Some((it.module.clone(), module.pack.as_ref()?.to_string()))
            });
            death.packs = came_with.collect();
        }
        *opened = Some(journal);
        drop(opened);
        if let Err(error) = end_on_signal(&self.journal) {
            let text = format!("a signal that ends the game will look like a crash: {error}");
            self.update(Update::Warning(text));
        }
        if let Some(error) = error {
            self.update(Update::Warning(Refusal::from(error).to_string()));
        }
        if death != Death::default() {
            self.update(Update::Died(death));
        }
    }

    /// Watches the modules' folders and what they read elsewhere. True if anything of that was not
    /// watched before.
    fn watch(&self, workspace: &Workspace, elsewhere: &Elsewhere) -> bool {
        if let Some(store) = &workspace.store {
            // Packs may be installed while the game runs. Without the folder, they cannot.
            let _ = fs::create_dir_all(store.folder());
        }
        let covered = Arc::new(Coverage::of(workspace, elsewhere, self.watches));
        let mut watching = lock(&self.watching);
        let Watching { watch, coverage, errors } = &mut *watching;
        *lock(coverage) = covered.clone();
        let mut found = BTreeSet::new();
        let mut has_new = false;
        if watch.is_none() {
            match self.start_watching(coverage.clone()) {
                Ok(started) => *watch = Some(started),
                Err(error) => _ = found.insert(Refusal::from(error).to_string()),
            }
        }
        if let Some(watch) = watch {
            let set = watch.set(covered.folders());
            has_new = set.has_new;
            found.extend(set.errors.into_iter().map(|error| Refusal::from(error).to_string()));
        }
        for error in found.difference(errors) {
            self.update(Update::Warning(error.clone()));
        }
        *errors = found;
        has_new
    }

    fn start_watching(&self, coverage: Arc<Mutex<Arc<Coverage>>>) -> Result<Watch, WatchError> {
        let (events, updates) = (self.events.clone(), self.updates.clone());
        Watch::start(move |change| {
            let event = match change {
                FileChange::Lost { error } => FileEvent::Lost { error },
                FileChange::Changed(path) => {
                    let coverage = lock(&coverage).clone();
                    if coverage.is_pack_asset(&path) {
                        let _ = updates.send(Update::PackAsset(path));
                        return;
                    }
                    if !coverage.counts(&path) {
                        return;
                    }
                    let at = saved_at(&path);
                    FileEvent::Changed { path, at }
                }
            };
            // If the worker is gone, nobody needs the event.
            let _ = events.send(Event::Files(event));
        })
    }
}

/// cargo's rustc command for each module: as kept from last time, captured anew, or made with an SDK.
///
/// # Errors
///
/// If cargo cannot build the modules' dependencies.
pub fn read_recipes(
    folders: &Folders,
    members: &Members,
    libraries: &SharedLibraries,
    stop: &Cancel,
    mut report: impl FnMut(&str),
) -> Result<Recipes, CaptureError> {
    if let Some(project) = &members.project {
        return Ok(Recipes::of_project(folders, members, project)?);
    }
    if let Some(recipes) = recipe::kept(folders, members, libraries) {
        return Ok(recipes);
    }
    report("asking cargo how to build the modules");
    capture::capture(folders, members, libraries, stop, |line| {
        let line = line.trim();
        if ["Compiling", "Downloading", "Blocking"].iter().any(|w| line.starts_with(w)) {
            report(line);
        }
    })
}

/// When a file that just changed was saved. A file that was moved here or restored may have an old
/// modification time.
fn saved_at(path: &Path) -> SystemTime {
    let now = SystemTime::now();
    let recent = |at: &SystemTime| now.duration_since(*at).is_ok_and(|age| age < RECENT);
    path.metadata().and_then(|data| data.modified()).ok().filter(recent).unwrap_or(now)
}

/// The files that rustc and build scripts read for modules outside of their folders.
fn read_elsewhere(
    workspace: Option<&SharedWorkspace>,
    inputs: &BTreeMap<ModuleId, Inputs>,
) -> Elsewhere {
    let Some(workspace) = workspace else { return Elsewhere::default() };
    let Workspace { folders, members, recipes, .. } = &**workspace;
    let files = inputs.values().flat_map(|inputs| inputs.stamps.keys().cloned());
    let of_scripts = recipes.script_inputs(members);
    let of_scripts = of_scripts.flat_map(|inputs| [inputs.files(), inputs.paths]).flatten();
    Elsewhere::of(files.chain(of_scripts), &folders.modules)
}

/// True if one of the paths can change the set of modules or how cargo would compile them.
/// `elsewhere` are files that only rustc reads.
fn changes_workspace(
    workspace: &Workspace,
    paths: &BTreeSet<PathBuf>,
    elsewhere: &Elsewhere,
) -> bool {
    let Workspace { folders, members, recipes, .. } = workspace;
    let is_manifest = |path: &Path| {
        let name = path.file_name().unwrap_or_default();
        ["Cargo.toml", "Cargo.lock", "build.rs"].iter().any(|manifest| name == *manifest)
            || is_configuration(&folders.workspace, path)
    };
    let is_known = |path: &Path| {
        elsewhere.has(path) || members.crates.values().any(|it| path.starts_with(&it.folder))
    };
    let scripts: Vec<ScriptInputs> = recipes.script_inputs(members).collect();
    let is_of_script = |path: &Path| {
        scripts.iter().flat_map(|inputs| &inputs.paths).any(|input| path.starts_with(input))
    };
    // A folder that cannot be read counts as present.
    let is_gone = |folder: &Path| matches!(folder.join("Cargo.toml").try_exists(), Ok(false));
    let list = workspace.store.as_ref().map(Store::list_file);
    let paths = || paths.iter().filter(|path| list.as_ref() != Some(*path));
    recipes.by_module.is_empty()
        || paths().any(|path| is_manifest(path) || !is_known(path) || is_of_script(path))
        || members.crates.values().any(|it| is_gone(&it.folder))
}
