//! Module events as a Bevy message that any system can read.

use bevy::prelude::*;
use serde::Serialize;

/// An event of a module, a snapshot or the app. The events file contains each as a line of JSON
/// with the same fields.
///
/// ```ignore
/// # use bevy::prelude::*;
/// # use playground_api::events::{HotLoadEvent, HotLoadEventKind};
/// fn pause_after_a_swap(mut events: MessageReader<HotLoadEvent>, mut time: ResMut<Time<Virtual>>) {
///     if events.read().any(|event| event.event == HotLoadEventKind::Swapped) {
///         time.pause();
///     }
/// }
/// ```
#[derive(Message, Clone, Debug, Serialize)]
pub struct HotLoadEvent {
    pub event: HotLoadEventKind,
    /// The module; in a swap of several, the edited one. `None` if the event concerns the
    /// workspace or the whole game.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// The generation of `module`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<u32>,
    /// All modules of a swap, with their generations.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<ModuleGeneration>,
    /// Those of them that were linked again and not compiled, because only the code of cores is new.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub linked: Vec<String>,
    /// Frames since `ready`; 0 before it.
    pub frame: u64,
    /// The time of a swap by stage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ms: Option<Milliseconds>,
    /// The reason, or further details.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A module and its generation.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct ModuleGeneration {
    pub module: String,
    pub generation: u32,
}

/// The kinds of [`HotLoadEvent`]s.
#[derive(Clone, Copy, Debug, Serialize, PartialEq, Eq, Hash)]
#[serde(rename_all = "snake_case")]
pub enum HotLoadEventKind {
    /// The app's modules are running for the first time.
    Ready,
    /// A module's source or manifest changed.
    Changed,
    /// rustc started to compile a module.
    BuildStarted,
    /// rustc reported errors in a module.
    BuildFailed,
    /// A module was built but rejected, or the workspace cannot be read.
    Refused,
    /// New generations are running.
    Swapped,
    /// A generation passed its probation.
    Committed,
    /// An older generation is running again.
    RolledBack,
    /// A swap failed half done; the game exits.
    Broken,
    /// A module's system blocked a frame for longer than the limit.
    Blocked,
    /// A module was enabled.
    Enabled,
    /// A module was disabled.
    Disabled,
    /// Another app is running.
    AppChanged,
    /// A snapshot was written.
    SnapshotSaved,
    /// A snapshot replaced the state.
    SnapshotLoaded,
    /// A module's newest artifact is in quarantine; the last good one is running.
    Quarantined,
    /// A pack was installed, removed, switched on or off, or went back to an earlier version.
    Packs,
    /// rustc or inspection reported a warning for a module that runs nevertheless, or the game is
    /// close to a limit of the machine.
    Warning,
}

/// The time of an edit by stage, in milliseconds. A stage that was not measured is 0, and is left out
/// of the events file: an artifact of an earlier build has no times of rustc.
#[derive(Clone, Copy, Debug, Default, Serialize, PartialEq)]
pub struct Milliseconds {
    /// From the save to the start of the attempt.
    #[serde(skip_serializing_if = "is_unmeasured")]
    pub watch: f32,
    /// rustc, up to the end of type checking.
    #[serde(skip_serializing_if = "is_unmeasured")]
    pub check: f32,
    /// rustc, from there to the start of the linker.
    #[serde(skip_serializing_if = "is_unmeasured")]
    pub compile: f32,
    /// The linker.
    #[serde(skip_serializing_if = "is_unmeasured")]
    pub link: f32,
    /// Reading what rustc read, and comparing it with the inputs.
    #[serde(skip_serializing_if = "is_unmeasured")]
    pub verify: f32,
    /// `check`, `compile`, `link` and `verify` together.
    #[serde(skip_serializing_if = "is_unmeasured")]
    pub build: f32,
    /// Inspecting the artifact's file.
    #[serde(skip_serializing_if = "is_unmeasured")]
    pub inspect: f32,
    /// Running it in the probe.
    #[serde(skip_serializing_if = "is_unmeasured")]
    pub probe: f32,
    /// Loading it into the game.
    #[serde(skip_serializing_if = "is_unmeasured")]
    pub load: f32,
    /// Planning the swap on scratch schedules.
    #[serde(skip_serializing_if = "is_unmeasured")]
    pub plan: f32,
    /// Part of the probe, of checking and of the pause: finding and comparing layouts of types.
    #[serde(skip_serializing_if = "is_unmeasured")]
    pub layouts: f32,
    /// The pause between two frames.
    #[serde(skip_serializing_if = "is_unmeasured")]
    pub pause: f32,
    /// From the save until the new code runs.
    #[serde(skip_serializing_if = "is_unmeasured")]
    pub total: f32,
    /// Part of the pause: encoding old values.
    #[serde(skip_serializing_if = "is_unmeasured")]
    pub snapshot: f32,
    /// Part of the pause: converting and decoding to new values.
    #[serde(skip_serializing_if = "is_unmeasured")]
    pub decode: f32,
    /// Part of the pause: removing old values and inserting new ones.
    #[serde(skip_serializing_if = "is_unmeasured")]
    pub insert: f32,
}

fn is_unmeasured(ms: &f32) -> bool {
    *ms == 0.0
}
