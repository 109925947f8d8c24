//! The commands about installed packs, which the console and the command line share.
//!
//! ```text
//!  install: Reader ─► Store::stage ─► inspect its libraries ─► resolve with the others ─► Staged::install
//! ```
//!
//! They change the store and nothing else. A game that runs watches the store's list, and swaps
//! what changed, whoever changed it.

use std::io::{BufRead, Cursor};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use clap::builder::NonEmptyStringValueParser;
use playground_pack::store::Entry;
use playground_pack::{Manifest, Permissions, Reader, Staged, Store, StoreError};

use super::describe::{publisher, summary};
use super::prebuilt::{Prebuilt, find, folder_in};
use super::{PacksError, fit};
use crate::workspace::{self, Members};

/// A command about installed packs.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum StoreCommand {
    /// Installs a pack, or a newer version of one; its modules run at once.
    Install {
        /// A packed file, or with `--developer` the folder of a pack to build.
        #[arg(id = "file", value_parser = NonEmptyStringValueParser::new())]
        file: String,
        /// Trusts the pack's publisher from now on.
        #[arg(long)]
        trust: bool,
        /// Takes unsigned packs, and other content under the same version.
        #[arg(long)]
        developer: bool,
        /// Takes a version that is older than the installed one.
        #[arg(long)]
        downgrade: bool,
    },
    /// Installs a newer version of a pack that is installed.
    Update {
        /// A packed file, or with `--developer` the folder of a pack to build.
        #[arg(id = "file", value_parser = NonEmptyStringValueParser::new())]
        file: String,
        /// Takes unsigned packs, and other content under the same version.
        #[arg(long)]
        developer: bool,
    },
    /// Lists the installed packs.
    List,
    /// Shows what an installed pack is and what it holds.
    Info {
        /// A pack's id.
        #[arg(id = "pack", value_parser = NonEmptyStringValueParser::new())]
        id: String,
    },
    /// Shows why a pack runs or does not, and what it needs.
    Why {
        /// A pack's id.
        #[arg(id = "pack", value_parser = NonEmptyStringValueParser::new())]
        id: String,
    },
    /// Switches a pack on.
    Enable {
        /// A pack's id.
        #[arg(id = "pack", value_parser = NonEmptyStringValueParser::new())]
        id: String,
    },
    /// Switches a pack off; its files and its state are kept.
    Disable {
        /// A pack's id.
        #[arg(id = "pack", value_parser = NonEmptyStringValueParser::new())]
        id: String,
    },
    /// Removes a pack and its files.
    Remove {
        /// A pack's id.
        #[arg(id = "pack", value_parser = NonEmptyStringValueParser::new())]
        id: String,
    },
    /// Compares all files of a pack with its manifest, and checks whether this game can load it.
    Verify {
        /// A packed file, or the id of an installed pack.
        #[arg(id = "pack", value_parser = NonEmptyStringValueParser::new())]
        pack: String,
    },
    /// Lists the publishers that are trusted, and those whose keys are revoked.
    Keys,
    /// Trusts a publisher again whose key was revoked.
    Trust {
        /// A key, as `pack keys` shows it.
        #[arg(id = "key", value_parser = NonEmptyStringValueParser::new())]
        key: String,
    },
    /// Refuses the packs of a publisher from now on, and switches off those that are installed.
    Revoke {
        /// A key, as `pack keys` shows it.
        #[arg(id = "key", value_parser = NonEmptyStringValueParser::new())]
        key: String,
    },
}

/// The result of a command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// For people, without a line end.
    pub text: String,
    /// The store's list, if it was changed.
    pub changed: Option<PathBuf>,
}

/// Where the modules of a game are that does not run.
#[derive(Clone, Copy, Debug)]
pub enum GameFolder<'a> {
    /// A folder in the workspace that they are built in.
    Workspace(&'a Path),
    /// A game that was released.
    Released {
        /// The folder of its own modules.
        modules: &'a Path,
        /// The folder of installed packs.
        packs: &'a Path,
    },
}

/// Carries out a command for a game that does not run, or that runs in another process.
///
/// # Errors
///
/// As for [`run`], and if the game's own modules cannot be read.
pub fn run_in(
    game: GameFolder<'_>,
    command: &StoreCommand,
    report: &mut dyn FnMut(&str),
) -> Result<Report, PacksError> {
    let (store, members) = match game {
        GameFolder::Workspace(folder) => {
            let (folders, members) = workspace::scan(folder)?;
            (Store::new(folder_in(&folders.workspace)), members)
        }
        GameFolder::Released { modules, packs } => {
            let prebuilt = Prebuilt::of_game(modules)?;
            (Store::new(packs), Members { prebuilt, ..Members::default() })
        }
    };
    run(&store, &members, command, report)
}

/// Carries out a command. `members` are the game's own modules.
///
/// # Errors
///
/// If the pack is refused, the store cannot be read or written, or the packs would not run
/// together. Nothing is changed then.
pub fn run(
    store: &Store,
    members: &Members,
    command: &StoreCommand,
    report: &mut dyn FnMut(&str),
) -> Result<Report, PacksError> {
    let player = Player { store, members };
    match command {
        StoreCommand::Install { file, trust, developer, downgrade } => {
            let permissions =
                Permissions { trust: *trust, developer: *developer, downgrade: *downgrade };
            player.install(Path::new(file), permissions, false, report)
        }
        StoreCommand::Update { file, developer } => {
            let permissions = Permissions { developer: *developer, ..Permissions::default() };
            player.install(Path::new(file), permissions, true, report)
        }
        StoreCommand::List => player.list(),
        StoreCommand::Info { id } => player.info(id),
        StoreCommand::Why { id } => player.why(id),
        StoreCommand::Enable { id } => player.enable(id),
        StoreCommand::Disable { id } => {
            player.without(id, "switched off; its files and its state are kept", |list, id| {
                list.entry(id).map(|entry| entry.is_on = false)
            })
        }
        StoreCommand::Remove { id } => {
            let done = "removed; saves that hold its values keep them";
            player.without(id, done, |list, id| list.remove(id).map(|_| ()))
        }
        StoreCommand::Verify { pack } => player.verify(pack),
        StoreCommand::Keys => player.keys(),
        StoreCommand::Trust { key } => player.decide(key, true),
        StoreCommand::Revoke { key } => player.decide(key, false),
    }
}

/// Carries out commands.
pub(super) struct Player<'a> {
    pub store: &'a Store,
    pub members: &'a Members,
}

impl Player<'_> {
    fn install(
        &self,
        file: &Path,
        permissions: Permissions,
        is_update: bool,
        report: &mut dyn FnMut(&str),
    ) -> Result<Report, PacksError> {
        let refused = |error| PacksError::Pack { file: file.to_owned(), error };
        if !file.is_dir() {
            let reader = Reader::open(file).map_err(refused)?;
            return self.take(file, reader, permissions, is_update);
        }
        if !permissions.developer {
            return Err(PacksError::Folder { folder: file.to_owned() });
        }
        let draft = super::build(file, report)?;
        let bytes = draft.write(Vec::new()).map_err(PacksError::Draft)?;
        let size = bytes.len() as u64;
        let reader = Reader::new(Cursor::new(bytes), size).map_err(refused)?;
        self.take(file, reader, permissions, is_update)
    }

    fn take<R: BufRead>(
        &self,
        file: &Path,
        reader: Reader<R>,
        permissions: Permissions,
        is_update: bool,
    ) -> Result<Report, PacksError> {
        let id = reader.manifest().id.clone();
        let before = self.store.list()?.packs.get(&id).cloned();
        if is_update && before.is_none() {
            let known = self.store.list()?.packs.into_keys().collect();
            return Err(StoreError::NotInstalled { id, known }.into());
        }
        let staged = self.store.stage(reader, permissions).map_err(|error| match error {
            StoreError::Pack(error) => PacksError::Pack { file: file.to_owned(), error },
            error => error.into(),
        })?;
        fit::in_folder(file, staged.manifest(), staged.folder())?;
        self.check_together(&staged)?;
        let manifest = staged.install()?.manifest;
        let done = match before {
            Some(before) if before.version == manifest.version => "installed once more".to_owned(),
            Some(before) => format!("replaces {}", before.version),
            None => "installed".to_owned(),
        };
        let text = format!("{}: {done}; {}", summary(&manifest), publisher(&manifest));
        Ok(Report { text, changed: Some(self.store.list_file()) })
    }

    /// Checks whether a new pack runs together with the others that are on.
    fn check_together(&self, staged: &Staged) -> Result<(), PacksError> {
        let mut manifests = self.running_beside(&staged.manifest().id)?;
        manifests.push(staged.manifest().clone());
        find(&manifests, self.members).map(|_| ())
    }

    /// The manifests of the packs that are on and can run, without that of `id`.
    pub fn running_beside(&self, id: &str) -> Result<Vec<Manifest>, PacksError> {
        let list = self.store.list()?;
        let refused = Prebuilt::read(self.store, self.members).refused;
        let runs = |(other, entry): &(&String, &Entry)| {
            entry.is_on && *other != id && !refused.contains_key(*other)
        };
        let read = |(id, entry): (&String, &Entry)| Ok(self.store.read(id, entry)?.manifest);
        list.packs.iter().filter(runs).map(read).collect()
    }

    fn enable(&self, id: &str) -> Result<Report, PacksError> {
        let entry = self.store.list()?.entry(id)?.clone();
        if entry.is_on {
            return Ok(Report { text: format!("pack {id} is on already"), changed: None });
        }
        let installed = self.store.read(id, &entry)?;
        fit::in_folder(&installed.folder, &installed.manifest, &installed.folder)?;
        let mut manifests = self.running_beside(id)?;
        manifests.push(installed.manifest);
        find(&manifests, self.members)?;
        self.store.change(|list| {
            let entry = list.entry(id)?;
            (entry.is_on, entry.problem) = (true, None);
            Ok(())
        })?;
        let text = format!("pack {id} {} is on", entry.version);
        Ok(Report { text, changed: Some(self.store.list_file()) })
    }

    /// Changes the list so that a pack does not run any more.
    fn without(
        &self,
        id: &str,
        done: &str,
        change: impl FnOnce(&mut playground_pack::store::List, &str) -> Result<(), StoreError>,
    ) -> Result<Report, PacksError> {
        let entry = self.store.list()?.entry(id)?.clone();
        let own = self.store.read(id, &entry).map(|installed| installed.manifest).ok();
        if let Some(own) = own.filter(|_| entry.is_on) {
            let others = self.running_beside(id)?;
            let by: Vec<String> = others
                .iter()
                .filter(|other| find(std::slice::from_ref(other), self.members).is_err())
                .filter(|other| find(&[(*other).clone(), own.clone()], self.members).is_ok())
                .map(|other| other.id.clone())
                .collect();
            if !by.is_empty() {
                return Err(PacksError::Required { id: id.to_owned(), by });
            }
        }
        self.store.change(|list| change(list, id))?;
        let text = format!("pack {id} {} is {done}", entry.version);
        Ok(Report { text, changed: Some(self.store.list_file()) })
    }

    /// Trusts a publisher, or revokes its key.
    fn decide(&self, key: &str, is_trusted: bool) -> Result<Report, PacksError> {
        let name = self.store.change(|list| {
            let key = list.key(key)?;
            key.is_trusted = is_trusted;
            Ok(key.name.clone())
        })?;
        let text = match is_trusted {
            true => format!("packs of {name:?} are installed without a question from now on"),
            false => format!("packs of {name:?} are refused from now on, installed ones too"),
        };
        Ok(Report { text, changed: Some(self.store.list_file()) })
    }
}
