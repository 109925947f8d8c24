//! Records on disk which uncommitted code runs, so that the next start knows what crashed the game.
//!
//! ```text
//!  before the first call ──► journal/PID.jsonl, fsync ──► cleared: commit, rollback, normal exit,
//!                                  │ the process died             a signal that asks it to end
//!                                  ▼
//!  next start: pending hashes ──► quarantine.json; the last good set, good.json, runs instead
//! ```
//!
//! A running game locks its journal, so that another game in the same folder ignores it.

mod lines;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::atomic_write;
use crate::explain::{Explain, Explanation};
use crate::ids::{AbiFingerprint, ArtifactHash, Epoch, ModuleId};
pub use lines::Stage;
use lines::{Line, noted, pending};

/// An artifact in quarantine, which is not loaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantined {
    pub module: ModuleId,
    pub hash: ArtifactHash,
    /// How it ended the game.
    pub reason: String,
    /// The time of quarantine, in seconds since 1970.
    pub at_s: u64,
}

/// A committed artifact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Good {
    pub hash: ArtifactHash,
    /// The epoch of its types.
    pub epoch: Epoch,
    /// The API that it was built against. Only a game with the same one can load it.
    pub abi: AbiFingerprint,
}

/// The result of reading the journals of previous games that crashed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Death {
    /// Artifacts that are now in quarantine.
    pub quarantined: Vec<Quarantined>,
    /// New modules that are tried again, as nothing was committed before them.
    pub tried_again: Vec<ModuleId>,
    /// The installed packs that modules in quarantine came with.
    pub packs: BTreeMap<ModuleId, String>,
}

/// The journal cannot be written.
#[derive(Debug, Error)]
#[error("{}", self.explain())]
pub struct JournalError {
    path: PathBuf,
    source: io::Error,
}

impl Explain for JournalError {
    fn explain(&self) -> Explanation {
        let Self { path, source } = self;
        Explanation::new("H1002", format!("{} cannot be written: {source}", path.display())).remedy(
            "If new code crashes the game, the next start will not know which. Free space there, or \
             make it writable, and restart the game",
        )
    }
}

/// Uncommitted artifacts, artifacts in quarantine, and the last committed ones.
#[derive(Debug, Default)]
pub struct Journal {
    folder: PathBuf,
    own: Option<File>,
    pending: BTreeMap<ArtifactHash, (ModuleId, Stage)>,
    quarantine: Vec<Quarantined>,
    good: BTreeMap<ModuleId, Good>,
}

impl Journal {
    /// Opens the journal in `folder`, and puts the code that crashed previous games into
    /// quarantine, except for that of the game with the process id `killed`.
    ///
    /// # Errors
    ///
    /// When the folder cannot be written. The journal is usable nevertheless, and keeps the
    /// existing quarantine.
    pub fn open(folder: &Path, killed: Option<u32>) -> (Self, Death, Option<JournalError>) {
        let mut journal = Self { folder: folder.to_owned(), ..Self::default() };
        // Until this game's journal exists and is locked, so that no other game takes it for a
        // crashed one's.
        let lock = journal.lock();
        journal.read_again();
        let (mut death, left) = journal.deaths(killed);
        let mut error = None;
        if !death.quarantined.is_empty() {
            journal.quarantine.append(&mut death.quarantined.clone());
            // Before the journals are removed: if this process is killed in between, they are read
            // again.
            error = journal.write_quarantine().err();
        }
        if error.is_none() {
            left.iter().for_each(|path| drop(fs::remove_file(path)));
        }
        death.tried_again.sort();
        let path = journal.own_path();
        let opened = fs::create_dir_all(folder.join("journal"))
            .and_then(|()| File::create(&path))
            .and_then(|file| file.try_lock().map_err(io::Error::from).map(|()| file));
        match opened {
            Ok(file) => journal.own = Some(file),
            Err(source) => error = Some(JournalError { path, source }),
        }
        drop(lock);
        (journal, death, error)
    }

    /// Locks the files that games in the same folder share.
    fn lock(&self) -> Result<File, JournalError> {
        let path = self.folder.join("journal.lock");
        let locked = fs::create_dir_all(&self.folder)
            .and_then(|()| File::create(&path))
            .and_then(|file| file.lock().map(|()| file));
        locked.map_err(|source| JournalError { path, source })
    }

    /// Reads the shared files again.
    fn read_again(&mut self) {
        self.quarantine = read(&self.folder.join("quarantine.json")).unwrap_or_default();
        self.good = read(&self.folder.join("good.json")).unwrap_or_default();
        self.good.retain(|_, good| good.abi == playground_api::ABI);
    }

    /// Reads the journals of games that no longer run; returns their paths too.
    fn deaths(&self, killed: Option<u32>) -> (Death, Vec<PathBuf>) {
        let (mut death, mut left) = (Death::default(), Vec::new());
        let entries = fs::read_dir(self.folder.join("journal")).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()) {
            let Ok(file) = File::open(&path) else { continue };
            // Its game is running.
            if file.try_lock_shared().is_err() {
                continue;
            }
            let pending = pending(&fs::read_to_string(&path).unwrap_or_default());
            let is_killed = killed.is_some_and(|id| path == self.path_of(id));
            left.push(path);
            if is_killed {
                continue;
            }
            // Before the first commit there is nothing to fall back to, and of several modules no
            // way to find the one that crashed.
            let is_first = self.good.is_empty() && pending.len() > 1;
            for (hash, (module, stage)) in pending {
                if self.good.values().any(|good| good.hash == hash) {
                    // Killed between the two writes of a commit.
                    continue;
                }
                if is_first {
                    death.tried_again.push(module);
                } else if self.quarantined(&hash).is_none() {
                    let reason = format!("the game died {}", stage.description());
                    death.quarantined.push(Quarantined { module, hash, reason, at_s: now_s() });
                }
            }
        }
        (death, left)
    }

    /// Records that an artifact is about to be loaded, with fsync. Does nothing for committed ones.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn before(&mut self, module: &ModuleId, hash: &ArtifactHash) -> Result<(), JournalError> {
        if self.good.values().any(|good| good.hash == *hash) || self.pending.contains_key(hash) {
            return Ok(());
        }
        self.note(module, hash, Stage::Load)?;
        let synced = self.own.as_ref().map_or(Ok(()), File::sync_data);
        synced.map_err(|source| JournalError { path: self.own_path(), source })
    }

    /// Records the stage of an uncommitted artifact. Without fsync, as the write survives this
    /// process.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn reached(
        &mut self,
        module: &ModuleId,
        hash: &ArtifactHash,
        stage: Stage,
    ) -> Result<(), JournalError> {
        match self.pending.get(hash) {
            Some((_, before)) if *before != stage => self.note(module, hash, stage),
            _ => Ok(()),
        }
    }

    /// Records that an artifact was committed or rolled back.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn over(&mut self, hash: &ArtifactHash) -> Result<(), JournalError> {
        if self.pending.remove(hash).is_none() {
            return Ok(());
        }
        if self.pending.is_empty() {
            // Nothing is pending, so the lines are no longer needed.
            let emptied = self.own.as_ref().map_or(Ok(()), |file| file.set_len(0));
            return emptied.map_err(|source| JournalError { path: self.own_path(), source });
        }
        self.append(&Line::Over { hash: hash.clone() })
    }

    /// Removes the journal at a normal exit, or when somebody ends the game: no code crashed.
    pub fn end(&mut self) {
        if self.own.take().is_some() {
            let _ = fs::remove_file(self.own_path());
        }
    }

    /// The artifact's entry in the quarantine.
    pub fn quarantined(&self, hash: &ArtifactHash) -> Option<&Quarantined> {
        self.quarantine.iter().find(|quarantined| quarantined.hash == *hash)
    }

    /// All artifacts in quarantine.
    pub fn quarantine(&self) -> &[Quarantined] {
        &self.quarantine
    }

    /// Empties the quarantine; returns how many artifacts it contained.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn clear_quarantine(&mut self) -> Result<usize, JournalError> {
        let _lock = self.lock()?;
        self.read_again();
        let count = self.quarantine.len();
        self.quarantine.clear();
        self.write_quarantine().map(|()| count)
    }

    /// A module's last committed artifact, with its path and bytes, if it is still on disk.
    pub fn good(&self, module: &ModuleId) -> Option<(&Good, PathBuf, Vec<u8>)> {
        let good = self.good.get(module)?;
        let path = self.kept(&good.hash);
        let bytes = fs::read(&path).ok()?;
        (ArtifactHash::of(&bytes) == good.hash).then_some((good, path, bytes))
    }

    /// Commits artifacts that ran well together, for a later start to fall back to.
    ///
    /// # Errors
    ///
    /// When it cannot be written; the previous set stays.
    pub fn ran_well(&mut self, set: BTreeMap<ModuleId, Good>) -> Result<(), JournalError> {
        if set.iter().all(|(module, good)| self.good.get(module) == Some(good)) {
            return Ok(());
        }
        let _lock = self.lock()?;
        self.read_again();
        // Keep modules that do not run at the moment.
        let mut good = self.good.clone();
        good.extend(set);
        self.write("good.json", &good)?;
        self.good = good;
        self.prune();
        Ok(())
    }

    /// Saves an artifact's bytes under their hash, as its module's next build overwrites its file.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn keep(&self, hash: &ArtifactHash, bytes: &[u8]) -> Result<(), JournalError> {
        if self.is_kept(hash) {
            return Ok(());
        }
        let path = self.kept(hash);
        let written = atomic_write::write(&path, bytes);
        // Another game may have written it.
        written
            .or_else(|error| if path.is_file() { Ok(()) } else { Err(error) })
            .map_err(|source| JournalError { path, source })
    }

    /// Removes saved artifacts that neither this nor another game can fall back to.
    fn prune(&self) {
        let mut needed: BTreeSet<ArtifactHash> =
            self.good.values().map(|good| good.hash.clone()).collect();
        let journals = fs::read_dir(self.folder.join("journal")).into_iter().flatten().flatten();
        for path in journals.map(|entry| entry.path()) {
            needed.extend(noted(&fs::read_to_string(&path).unwrap_or_default()).into_keys());
        }
        let entries = fs::read_dir(self.folder.join("kept")).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()) {
            let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            if !needed.contains(stem) {
                // A leftover file does no harm.
                let _ = fs::remove_file(&path);
            }
        }
    }

    /// True if an artifact's bytes are saved.
    pub fn is_kept(&self, hash: &ArtifactHash) -> bool {
        self.kept(hash).is_file()
    }

    fn kept(&self, hash: &ArtifactHash) -> PathBuf {
        self.folder.join("kept").join(format!("{hash}.so"))
    }

    fn own_path(&self) -> PathBuf {
        self.path_of(std::process::id())
    }

    fn path_of(&self, process: u32) -> PathBuf {
        self.folder.join("journal").join(format!("{process}.jsonl"))
    }

    fn note(
        &mut self,
        module: &ModuleId,
        hash: &ArtifactHash,
        stage: Stage,
    ) -> Result<(), JournalError> {
        self.pending.insert(hash.clone(), (module.clone(), stage));
        self.append(&Line::Pending { module: module.clone(), hash: hash.clone(), stage })
    }

    fn append(&mut self, line: &Line) -> Result<(), JournalError> {
        let Some(file) = &mut self.own else { return Ok(()) };
        let written = serde_json::to_string(line).map_err(io::Error::from);
        let written = written.and_then(|text| {
            // In one write, so that a kill leaves a whole line or none.
            let end = io::Seek::seek(file, io::SeekFrom::End(0))?;
            file.write_all(format!("{text}\n").as_bytes()).inspect_err(|_| {
                // Half a line would make the next one unreadable.
                let _ = file.set_len(end);
            })
        });
        written.map_err(|source| JournalError { path: self.own_path(), source })
    }

    fn write_quarantine(&self) -> Result<(), JournalError> {
        self.write("quarantine.json", &self.quarantine)
    }

    fn write(&self, name: &str, value: &impl Serialize) -> Result<(), JournalError> {
        let path = self.folder.join(name);
        let text = serde_json::to_vec_pretty(value).map_err(io::Error::from);
        let written = text.and_then(|text| atomic_write::write(&path, &text));
        written.map_err(|source| JournalError { path, source })
    }
}

fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}
