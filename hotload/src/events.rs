//! What the pipeline does, one JSON object a line, for other tools to read.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use crate::generation::Times;
use crate::ids::ModuleId;

/// One thing that happened.
#[derive(Clone, Debug, Serialize)]
pub struct Event {
    /// Its kind.
    pub event: EventKind,
    /// The module that it is about; of several in one transaction the one that was edited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module: Option<ModuleId>,
    /// That module's generation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<u32>,
    /// All modules of the transaction.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<ModuleGeneration>,
    /// Frames since `ready`; 0 before.
    pub frame: u64,
    /// Where the time went.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ms: Option<Milliseconds>,
    /// Why, or what else there is to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A module and its generation.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct ModuleGeneration {
    /// The module's id.
    pub module: ModuleId,
    /// Its generation.
    pub generation: u32,
}

/// The kinds of events.
#[derive(Clone, Copy, Debug, Serialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// The modules of the app run for the first time.
    Ready,
    /// A module's source or manifest changed.
    Changed,
    /// rustc starts on a module.
    BuildStarted,
    /// rustc refused a module's source.
    BuildFailed,
    /// A module was built, and will not run.
    Refused,
    /// New generations run.
    Swapped,
    /// A generation passed its probation.
    Committed,
    /// An old generation is back.
    RolledBack,
    /// A module's system kept a frame for too long.
    Blocked,
    /// A module was switched on.
    Enabled,
    /// A module was switched off.
    Disabled,
    /// Another app runs.
    AppChanged,
    /// A snapshot was written.
    SnapshotSaved,
    /// A snapshot took the place of the state.
    SnapshotLoaded,
    /// A module's newest artifact is in quarantine: the last good one runs.
    Quarantined,
}

/// [`Times`] as they stand in the events file.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Milliseconds {
    watch: f32,
    check: f32,
    compile: f32,
    link: f32,
    build: f32,
    inspect: f32,
    probe: f32,
    load: f32,
    plan: f32,
    pause: f32,
    total: f32,
    /// Parts of the pause: persisted values whose type changes.
    snapshot: f32,
    decode: f32,
    insert: f32,
}

impl From<Times> for Milliseconds {
    fn from(times: Times) -> Self {
        Self {
            watch: times.watch_ms,
            check: times.compile.check_ms,
            compile: times.compile.compile_ms,
            link: times.compile.link_ms,
            build: times.build_ms(),
            inspect: times.inspect_ms,
            probe: times.probe_ms,
            load: times.load_ms,
            plan: times.plan_ms,
            pause: times.pause_ms,
            total: times.total_ms,
            snapshot: times.restore.snapshot_ms,
            decode: times.restore.decode_ms,
            insert: times.restore.insert_ms,
        }
    }
}

impl Event {
    /// An event without particulars.
    pub fn new(event: EventKind, frame: u64) -> Self {
        Self {
            event,
            module: None,
            generation: None,
            modules: Vec::new(),
            frame,
            ms: None,
            reason: None,
        }
    }

    /// About this module.
    pub fn about(mut self, module: &ModuleId) -> Self {
        self.module = Some(module.clone());
        self
    }

    /// In this generation.
    pub fn generation(mut self, generation: u32) -> Self {
        self.generation = Some(generation);
        self
    }

    /// For this reason.
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }
}

/// Where events go.
pub struct EventLog {
    file: File,
}

impl EventLog {
    /// Appends to `path`.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self { file })
    }

    /// Writes one line, whole or not at all.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn write(&mut self, event: &Event) -> io::Result<()> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        let before = self.file.metadata()?;
        let written = self.file.write_all(&line);
        if written.is_err() && before.is_file() {
            // Half a line would take the next one with it. Where this fails, too, it is told.
            self.file.set_len(before.len())?;
        }
        written
    }
}
