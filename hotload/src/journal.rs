//! What is on disk while code runs that did not run well before, so that the next start finds what
//! took the game down.
//!
//! ```text
//!  before the first call ──► journal/PID.jsonl, fsync ──► committed, rolled back or the end: cleared
//!                                  │ the process died
//!                                  ▼
//!  next start: pending hashes ──► quarantine.json; the last good set, good.json, runs instead
//! ```
//!
//! A game holds a lock on its journal as long as it lives: that of a game that runs beside this one
//! is left alone.

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
use crate::ids::{AbiFingerprint, ArtifactHash, Epoch, ModuleId};

/// How far code that is new has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Its library is about to be opened.
    Load,
    /// It is in the process, and nothing of it runs: it is not to blame.
    Loaded,
    /// Its `build` is about to be called.
    Plan,
    /// It is about to enter the game.
    Swap,
    /// It runs, and is not committed yet.
    Probation,
}

impl Stage {
    fn words(self) -> &'static str {
        match self {
            Self::Load | Self::Loaded => "while it was loaded",
            Self::Plan => "in its `build`",
            Self::Swap => "while it entered the game",
            Self::Probation => "in its first frames",
        }
    }
}

/// A line of the journal.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
enum Line {
    /// New code is about to run.
    Pending { module: ModuleId, hash: ArtifactHash, stage: Stage },
    /// It ran well, or was taken back.
    Over { hash: ArtifactHash },
}

/// An artifact that will not be loaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantined {
    /// The module.
    pub module: ModuleId,
    /// blake3 hash of the artifact.
    pub hash: ArtifactHash,
    /// What happened.
    pub reason: String,
    /// When, in seconds since 1970.
    pub at_s: u64,
}

/// An artifact of the last set that ran well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Good {
    /// blake3 hash of its bytes.
    pub hash: ArtifactHash,
    /// The epoch of its types.
    pub epoch: Epoch,
    /// Fingerprint of the API that it was built against: no other game can load it.
    pub abi: AbiFingerprint,
}

/// What the game before this one died of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Death {
    /// Artifacts that are in quarantine now.
    pub quarantined: Vec<Quarantined>,
    /// Modules that were new, and are tried again, since nothing ran well before them.
    pub tried_again: Vec<ModuleId>,
}

/// Why the journal cannot be kept.
#[derive(Debug, Error)]
#[error(
    "H1002: {path} cannot be written: {source}. Should new code take the game down, the next start \
     will not know which it was. Make room there, or make it writable, and start again"
)]
pub struct JournalError {
    path: PathBuf,
    source: io::Error,
}

/// New code that is on its way, what is in quarantine, and the last set that ran well.
#[derive(Debug, Default)]
pub struct Journal {
    folder: PathBuf,
    own: Option<File>,
    pending: BTreeMap<ArtifactHash, (ModuleId, Stage)>,
    quarantine: Vec<Quarantined>,
    good: BTreeMap<ModuleId, Good>,
}

impl Journal {
    /// Opens the journal below `folder`, and reads what games that died left in it.
    ///
    /// # Errors
    ///
    /// When the folder cannot be written. The journal is of use all the same: what is in quarantine
    /// stays there.
    pub fn open(folder: &Path) -> (Self, Death, Option<JournalError>) {
        let mut journal = Self { folder: folder.to_owned(), ..Self::default() };
        // Held until the own journal is there, and locked: no other game takes it for a dead one's.
        let lock = journal.lock();
        journal.read_again();
        let (mut death, left) = journal.deaths();
        let mut error = None;
        if !death.quarantined.is_empty() {
            journal.quarantine.append(&mut death.quarantined.clone());
            // On disk before the journals are gone: whoever is killed in between finds them again.
            error = journal.write_quarantine().err();
        }
        if error.is_none() {
            left.iter().for_each(|path| drop(fs::remove_file(path)));
        }
        death.tried_again.sort();
        let path = folder.join("journal").join(format!("{}.jsonl", std::process::id()));
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

    /// Waits until no other game reads or writes what they share.
    fn lock(&self) -> Result<File, JournalError> {
        let path = self.folder.join("journal.lock");
        let locked = fs::create_dir_all(&self.folder)
            .and_then(|()| File::create(&path))
            .and_then(|file| file.lock().map(|()| file));
        locked.map_err(|source| JournalError { path, source })
    }

    /// What games share, as it is on disk now.
    fn read_again(&mut self) {
        self.quarantine = read(&self.folder.join("quarantine.json")).unwrap_or_default();
        self.good = read(&self.folder.join("good.json")).unwrap_or_default();
        self.good.retain(|_, good| good.abi == playground_api::ABI);
    }

    /// What games left that are gone, and their journals.
    fn deaths(&self) -> (Death, Vec<PathBuf>) {
        let (mut death, mut left) = (Death::default(), Vec::new());
        let entries = fs::read_dir(self.folder.join("journal")).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()) {
            let Ok(file) = File::open(&path) else { continue };
            // Its game lives.
            if file.try_lock_shared().is_err() {
                continue;
            }
            let pending = pending(&fs::read_to_string(&path).unwrap_or_default());
            left.push(path);
            // Before anything ran well there is nothing to go back to, and no way to tell which of
            // them it was.
            let is_first = self.good.is_empty() && pending.len() > 1;
            for (hash, (module, stage)) in pending {
                if self.good.values().any(|good| good.hash == hash) {
                    // It died between the two writes of a commit.
                    continue;
                }
                if is_first {
                    death.tried_again.push(module);
                } else if self.quarantined(&hash).is_none() {
                    let reason = format!("the game died {}", stage.words());
                    death.quarantined.push(Quarantined { module, hash, reason, at_s: now_s() });
                }
            }
        }
        (death, left)
    }

    /// New code is about to run: on disk when this returns, unless it ran well before.
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

    /// Code that is new has come so far. What was written survives this process without `fsync`.
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

    /// Code ran well, or was taken back.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn over(&mut self, hash: &ArtifactHash) -> Result<(), JournalError> {
        if self.pending.remove(hash).is_none() {
            return Ok(());
        }
        if self.pending.is_empty() {
            // Nothing is open: the lines are of no use any more.
            let emptied = self.own.as_ref().map_or(Ok(()), |file| file.set_len(0));
            return emptied.map_err(|source| JournalError { path: self.own_path(), source });
        }
        self.append(&Line::Over { hash: hash.clone() })
    }

    /// The game ends as it should: nothing of what is open is to blame.
    pub fn end(&mut self) {
        if self.own.take().is_some() {
            let _ = fs::remove_file(self.own_path());
        }
    }

    /// Why an artifact will not be loaded.
    pub fn quarantined(&self, hash: &ArtifactHash) -> Option<&Quarantined> {
        self.quarantine.iter().find(|quarantined| quarantined.hash == *hash)
    }

    /// All that is in quarantine.
    pub fn quarantine(&self) -> &[Quarantined] {
        &self.quarantine
    }

    /// Lets everything out of quarantine.
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

    /// A module's artifact in the last set that ran well, with its bytes, if they are there.
    pub fn good(&self, module: &ModuleId) -> Option<(&Good, PathBuf, Vec<u8>)> {
        let good = self.good.get(module)?;
        let path = self.kept(&good.hash);
        let bytes = fs::read(&path).ok()?;
        (ArtifactHash::of(&bytes) == good.hash).then_some((good, path, bytes))
    }

    /// These ran well together: they are what a later start can go back to.
    ///
    /// # Errors
    ///
    /// When it cannot be written; the set before stays.
    pub fn ran_well(&mut self, set: BTreeMap<ModuleId, Good>) -> Result<(), JournalError> {
        if set.iter().all(|(module, good)| self.good.get(module) == Some(good)) {
            return Ok(());
        }
        let _lock = self.lock()?;
        self.read_again();
        // Modules that do not run at the moment may run again.
        let mut good = self.good.clone();
        good.extend(set);
        self.write("good.json", &good)?;
        self.good = good;
        self.prune();
        Ok(())
    }

    /// Keeps an artifact's bytes under their hash: its module's next build takes its file's place.
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
        // Another game may have been faster.
        written
            .or_else(|error| if path.is_file() { Ok(()) } else { Err(error) })
            .map_err(|source| JournalError { path, source })
    }

    /// Removes kept artifacts that nobody goes back to, also no other game.
    fn prune(&self) {
        let mut wanted: BTreeSet<ArtifactHash> =
            self.good.values().map(|good| good.hash.clone()).collect();
        let journals = fs::read_dir(self.folder.join("journal")).into_iter().flatten().flatten();
        for path in journals.map(|entry| entry.path()) {
            wanted.extend(noted(&fs::read_to_string(&path).unwrap_or_default()).into_keys());
        }
        let entries = fs::read_dir(self.folder.join("kept")).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()) {
            let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            if !wanted.contains(stem) {
                // It only takes room.
                let _ = fs::remove_file(&path);
            }
        }
    }

    /// True where an artifact's bytes can be gone back to.
    pub fn is_kept(&self, hash: &ArtifactHash) -> bool {
        self.kept(hash).is_file()
    }

    fn kept(&self, hash: &ArtifactHash) -> PathBuf {
        self.folder.join("kept").join(format!("{hash}.so"))
    }

    fn own_path(&self) -> PathBuf {
        self.folder.join("journal").join(format!("{}.jsonl", std::process::id()))
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
            // In one piece: a kill leaves a whole line or none.
            let end = io::Seek::seek(file, io::SeekFrom::End(0))?;
            file.write_all(format!("{text}\n").as_bytes()).inspect_err(|_| {
                // Half a line would take the next one with it.
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

/// What was to blame at the end of a journal.
fn pending(text: &str) -> BTreeMap<ArtifactHash, (ModuleId, Stage)> {
    let mut pending = noted(text);
    pending.retain(|_, (_, stage)| *stage != Stage::Loaded);
    pending
}

/// What was open at the end of a journal.
fn noted(text: &str) -> BTreeMap<ArtifactHash, (ModuleId, Stage)> {
    let mut pending = BTreeMap::new();
    // A line that was not written whole is as good as none.
    for line in text.lines().filter_map(|line| serde_json::from_str(line).ok()) {
        match line {
            Line::Pending { module, hash, stage } => {
                pending.insert(hash, (module, stage));
            }
            Line::Over { hash } => {
                pending.remove(&hash);
            }
        }
    }
    pending
}

fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}
