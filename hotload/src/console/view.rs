//! What the console shows: plain data, filled by the host once a frame while the console is open.

use std::collections::VecDeque;
use std::sync::Arc;

use super::command::Names;
use super::plan::ModulePlan;

/// Where a module is on its way into the game.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ModuleState {
    /// Waits for its build.
    #[default]
    Queued,
    /// Is being compiled or linked.
    Building,
    /// Is being inspected, probed or planned.
    Checking,
    /// Runs, and its generation is committed.
    Active,
    /// Runs; a panic in the next frames brings back the generation before it.
    Probation,
    /// Loaded, but switched off.
    Disabled,
    /// Its newest code would drop values, and waits for a yes; an older generation runs.
    Waiting,
    /// Its newest build or swap failed; an older generation may still run.
    Failed,
    /// Its newest generation was taken back; the one before it runs.
    RolledBack,
    /// Its artifact will not be loaded until a person says so.
    Quarantined,
    /// Its folder is gone.
    Removed,
}

impl ModuleState {
    /// The word that the table shows.
    pub fn label(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Building => "building",
            Self::Checking => "checking",
            Self::Active => "active",
            Self::Probation => "probation",
            Self::Disabled => "disabled",
            Self::Waiting => "waiting",
            Self::Failed => "failed",
            Self::RolledBack => "rolled back",
            Self::Quarantined => "quarantined",
            Self::Removed => "removed",
        }
    }

    /// Whether a person should look at it.
    pub fn is_trouble(self) -> bool {
        matches!(self, Self::Waiting | Self::Failed | Self::RolledBack | Self::Quarantined)
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
    /// Where it is on its way into the game.
    pub state: ModuleState,
    /// The switch's position.
    pub enabled: bool,
    /// Whether the switch can be moved.
    pub can_toggle: bool,
    /// The reason why not, shown on the switch.
    pub why_not_toggle: Option<String>,
    /// The last failure in full, rustc's message included; `None` once it was repaired.
    pub last_error: Option<String>,
    /// How many errors its systems returned since the last swap, and one of them.
    pub returned: Option<(u64, String)>,
    /// Type checking of the last build, in milliseconds.
    pub check_ms: Option<f32>,
    /// Code generation of the last build, in milliseconds.
    pub build_ms: Option<f32>,
    /// Linking of the last build, in milliseconds.
    pub link_ms: Option<f32>,
    /// The pause of the last swap, in milliseconds.
    pub swap_ms: Option<f32>,
    /// Whether an older generation is there to go back to.
    pub can_rollback: bool,
    /// What a swap to its newest code would change, where that was asked for or did not happen.
    pub plan: Option<Arc<ModulePlan>>,
}

/// A longer piece of work and how far it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Progress {
    /// What is done now, e.g. `building systems_combat`.
    pub what: String,
    /// Steps finished.
    pub done: usize,
    /// Steps in all; 0 where that is not known yet.
    pub total: usize,
    /// Since it began, in seconds.
    pub elapsed_s: f32,
    /// A second, dim line, e.g. the crate that cargo compiles.
    pub detail: Option<String>,
    /// Why it is stuck, in full: a compile error in the very first build.
    pub error: Option<String>,
}

impl Progress {
    /// From 0 to 1; `None` while the number of steps is not known.
    pub fn fraction(&self) -> Option<f32> {
        (self.total > 0).then(|| (self.done as f32 / self.total as f32).clamp(0.0, 1.0))
    }

    /// `3 of 12`, the step under way counted, or nothing while the number is not known.
    pub fn counted(&self) -> String {
        if self.total == 0 {
            return String::new();
        }
        format!("{} of {}", (self.done + 1).min(self.total), self.total)
    }
}

/// How a line of output is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Level {
    /// An answer.
    #[default]
    Info,
    /// Something to know about.
    Warn,
    /// A failure.
    Error,
    /// A command as it was typed or clicked.
    Input,
}

/// One line of output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// How it is coloured.
    pub level: Level,
    /// Its text, without line breaks.
    pub text: Arc<str>,
}

/// The console's output, newest last, bounded.
///
/// A clone shares the lines. A push while a clone is alive copies the list of lines (not their
/// text), so the host drops its view before it writes on.
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

    /// Adds a text, each of its lines as a line of its own.
    pub fn push(&mut self, level: Level, text: &str) {
        self.revision += 1;
        let lines = Arc::make_mut(&mut self.lines);
        for line in text.lines() {
            // Rows have one height and no layout of their own, so a tab becomes spaces.
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

    /// Differs after every change.
    pub fn revision(&self) -> u64 {
        self.revision
    }
}

/// A command that a module added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModuleCommand {
    /// What is typed.
    pub name: String,
    /// With its arguments, e.g. `spawn <count>`.
    pub usage: String,
    /// What it does, in one line.
    pub help: String,
    /// The module that brought it.
    pub module: String,
}

/// Everything the console shows in a frame.
#[derive(Debug, Clone, Default)]
pub struct ConsoleView {
    /// The modules, in any order; the table groups them by kind.
    pub modules: Vec<ModuleRow>,
    /// The commands that modules added.
    pub commands: Vec<ModuleCommand>,
    /// The app that runs.
    pub app: String,
    /// The apps there are.
    pub apps: Vec<String>,
    /// The names of the snapshots.
    pub snapshots: Vec<String>,
    /// The frame's number.
    pub frame: u64,
    /// Frames a second, smoothed.
    pub fps: f32,
    /// What a frame takes, in milliseconds, smoothed.
    pub frame_ms: f32,
    /// A build under way.
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
            commands: self.commands.iter().map(|command| command.name.as_str()).collect(),
        }
    }
}
