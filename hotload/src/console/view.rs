//! The data that the console shows. The host fills it once a frame while the console is open.

use std::collections::VecDeque;
use std::sync::Arc;

use super::command::Names;
use super::plan::ModulePlan;
use crate::packs::StoreCommand;

/// The state of a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ModuleState {
    /// Not built yet.
    #[default]
    Queued,
    /// Being built, checked or planned.
    Building,
    /// Running, with its generation committed.
    Active,
    /// Running; a panic within the next frames rolls it back.
    Probation,
    /// Built, but switched off.
    Disabled,
    /// Its newest code would drop values and needs confirmation; an older generation runs.
    Waiting,
    /// Its newest build or swap failed; an older generation may still run.
    Failed,
    /// Its artifact crashed the game and is not loaded until `quarantine clear`.
    Quarantined,
}

impl ModuleState {
    /// The text in the table.
    pub fn label(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Building => "building",
            Self::Active => "active",
            Self::Probation => "probation",
            Self::Disabled => "disabled",
            Self::Waiting => "waiting",
            Self::Failed => "failed",
            Self::Quarantined => "quarantined",
        }
    }

    /// True if the module needs attention.
    pub fn is_trouble(self) -> bool {
        matches!(self, Self::Waiting | Self::Failed | Self::Quarantined)
    }
}

/// One module in the table.
#[derive(Debug, Clone, Default)]
pub struct ModuleRow {
    /// Its package name, e.g. `plugins_hud`.
    pub id: String,
    /// `core`, `systems`, `plugins` or `apps`; rows are grouped by it.
    pub kind: &'static str,
    /// Its version, from the manifest in the artifact.
    pub version: String,
    /// Number of the running generation; 0 before the first.
    pub generation: u32,
    /// Its state.
    pub state: ModuleState,
    /// Whether its switch is on.
    pub enabled: bool,
    /// Whether the switch can be moved.
    pub can_toggle: bool,
    /// Why it cannot be moved, shown on the switch.
    pub why_not_toggle: Option<String>,
    /// The last error in full, including rustc's message; `None` once it is fixed.
    pub last_error: Option<String>,
    /// The number of errors that its systems returned since the last swap, and one of them.
    pub returned: Option<(u64, String)>,
    /// Type checking in the last build, in milliseconds.
    pub check_ms: Option<f32>,
    /// Code generation in the last build, in milliseconds.
    pub build_ms: Option<f32>,
    /// Linking in the last build, in milliseconds.
    pub link_ms: Option<f32>,
    /// The pause of the game in the last swap, in milliseconds.
    pub swap_ms: Option<f32>,
    /// Whether there is an older generation to roll back to.
    pub can_rollback: bool,
    /// The plan of a swap to its newest code, if it was requested or the swap was refused.
    pub plan: Option<Arc<ModulePlan>>,
}

pub use crate::packs::PackRow;

/// A pack whose publisher the player has to trust first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackQuestion {
    /// The command that asked.
    pub command: StoreCommand,
    /// The publisher with its key, and what the pack holds.
    pub text: String,
}

impl PackQuestion {
    /// The command once more, after the answer *yes*.
    pub fn with_trust(&self) -> StoreCommand {
        match self.command.clone() {
            StoreCommand::Install { file, developer, downgrade, .. } => {
                StoreCommand::Install { file, trust: true, developer, downgrade }
            }
            // A publisher whose pack is installed is not asked about.
            other => other,
        }
    }
}

/// The progress of a build.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Progress {
    /// The current step, e.g. `building systems_combat`.
    pub what: String,
    /// Steps finished.
    pub done: usize,
    /// Number of steps; 0 if it is not known yet.
    pub total: usize,
    /// Time since its start, in seconds.
    pub elapsed_s: f32,
    /// The time that the last build of so many modules took, in seconds; `None` if it was short.
    pub last_s: Option<f32>,
    /// A second, dim line, e.g. the crate that cargo compiles.
    pub detail: Option<String>,
    /// The compile error that the first build is stuck at, in full.
    pub error: Option<String>,
}

impl Progress {
    /// From 0 to 1; `None` if the number of steps is not known.
    pub fn fraction(&self) -> Option<f32> {
        (self.total > 0).then(|| (self.done as f32 / self.total as f32).clamp(0.0, 1.0))
    }

    /// `2 of 12 done, 8 s last time`; empty if the number of steps is not known.
    pub fn counted(&self) -> String {
        if self.total == 0 {
            return String::new();
        }
        let last = self.last_s.map_or(String::new(), |last| format!(", {last:.0} s last time"));
        format!("{} of {} done{last}", self.done.min(self.total), self.total)
    }

    /// The current step and the number of finished ones, on one line.
    pub fn line(&self) -> String {
        let counted = self.counted();
        if counted.is_empty() { self.what.clone() } else { format!("{} ({counted})", self.what) }
    }
}

/// The level of a line of output, which sets its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Level {
    /// A result.
    #[default]
    Info,
    /// A warning.
    Warn,
    /// An error.
    Error,
    /// A command as it was typed.
    Input,
}

/// One line of output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Its level.
    pub level: Level,
    /// Its text, without line breaks.
    pub text: Arc<str>,
}

/// The console's output, newest line last, bounded.
///
/// Clones share the lines. A push while a clone exists copies the list of lines (not their text),
/// so the console drops the clone in its view before it adds lines.
#[derive(Debug, Clone)]
pub struct Log {
    lines: Arc<VecDeque<LogLine>>,
    limit: usize,
    revision: u64,
}

impl Default for Log {
    fn default() -> Self {
        Self::new(5_000)
    }
}

impl Log {
    /// An empty log that keeps the newest `limit` lines.
    pub fn new(limit: usize) -> Self {
        Self { lines: Arc::default(), limit, revision: 0 }
    }

    /// Adds each line of a text.
    pub fn push(&mut self, level: Level, text: &str) {
        self.revision += 1;
        let lines = Arc::make_mut(&mut self.lines);
        for line in text.lines() {
            // All rows have the same layout, without tab stops.
            let line = line.trim_end().replace('\t', "    ");
            lines.push_back(LogLine { level, text: line.into() });
        }
        while lines.len() > self.limit {
            lines.pop_front();
        }
    }

    /// Drops all lines.
    pub fn clear(&mut self) {
        self.revision += 1;
        self.lines = Arc::default();
    }

    /// The lines, oldest first.
    pub fn lines(&self) -> &VecDeque<LogLine> {
        &self.lines
    }

    /// Changes with every change of the log.
    pub fn revision(&self) -> u64 {
        self.revision
    }
}

/// A command that a module added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModuleCommand {
    /// Its name.
    pub name: String,
    /// Its name with its arguments, e.g. `spawn <count>`.
    pub usage: String,
    /// A one-line description.
    pub help: String,
    /// The module that added it.
    pub module: String,
}

/// Everything that the console shows in a frame.
#[derive(Debug, Clone, Default)]
pub struct ConsoleView {
    /// The modules, in any order; the table groups them by kind.
    pub modules: Vec<ModuleRow>,
    /// The commands that modules added.
    pub commands: Vec<ModuleCommand>,
    /// The running app.
    pub app: String,
    /// All apps.
    pub apps: Vec<String>,
    /// The names of the snapshots.
    pub snapshots: Vec<String>,
    /// The installed packs.
    pub packs: Vec<PackRow>,
    /// A pack that waits for an answer.
    pub pack_question: Option<PackQuestion>,
    /// The frame's number.
    pub frame: u64,
    /// Frames a second, smoothed.
    pub fps: f32,
    /// The duration of a frame in milliseconds, smoothed.
    pub frame_ms: f32,
    /// The build in progress.
    pub progress: Option<Progress>,
    /// The output.
    pub log: Log,
}

impl ConsoleView {
    /// The names that a command can be completed to.
    pub fn names(&self) -> Names<'_> {
        Names {
            modules: self.modules.iter().map(|row| row.id.as_str()).collect(),
            apps: self.apps.iter().map(String::as_str).collect(),
            snapshots: self.snapshots.iter().map(String::as_str).collect(),
            packs: self.packs.iter().map(|row| row.id.as_str()).collect(),
            commands: self.commands.iter().map(|command| command.name.as_str()).collect(),
        }
    }
}
