//! The lines of a journal: which artifact is pending, and since which stage.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::{ArtifactHash, ModuleId};

/// The progress of uncommitted code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Its library is about to be opened.
    Load,
    /// It is loaded, and none of its code runs: it cannot cause a crash.
    Loaded,
    /// Its `build` is about to be called.
    Plan,
    /// It is about to enter the game.
    Swap,
    /// It is running, not committed yet.
    Probation,
}

impl Stage {
    pub(super) fn description(self) -> &'static str {
        match self {
            Self::Load | Self::Loaded => "while it was being loaded",
            Self::Plan => "in its `build`",
            Self::Swap => "while it was being swapped in",
            Self::Probation => "in its first frames",
        }
    }
}

/// A line of the journal.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub(super) enum Line {
    /// New code is about to run.
    Pending { module: ModuleId, hash: ArtifactHash, stage: Stage },
    /// It was committed or rolled back.
    Over { hash: ArtifactHash },
}

/// The artifacts at the end of a journal that may have crashed the game.
pub(super) fn pending(text: &str) -> BTreeMap<ArtifactHash, (ModuleId, Stage)> {
    let mut pending = noted(text);
    pending.retain(|_, (_, stage)| *stage != Stage::Loaded);
    pending
}

/// The pending artifacts at the end of a journal.
pub(super) fn noted(text: &str) -> BTreeMap<ArtifactHash, (ModuleId, Stage)> {
    let mut pending = BTreeMap::new();
    // Ignores an incomplete line.
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
