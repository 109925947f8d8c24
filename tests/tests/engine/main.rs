//! The engine end to end, in this process: real modules, built by real cargo and rustc in temporary
//! copies. Each file tests one area; a test has its own app over its own copy.
//!
//! All of it is one program, since each program links the whole host and builds the template that
//! copies start from.

mod ahead;
mod console;
mod console_panel;
mod edits;
mod external;
mod failures;
mod faults;
mod game;
mod games;
mod generic_types;
mod held_code;
mod killed;
mod live_edit;
mod many_swaps;
mod messages_of_rustc;
mod notices;
mod ordinary_edits;
mod own_identities;
mod packs;
mod probe;
mod refusals;
mod related_values;
mod relinked;
mod rollback;
mod schema_changes;
mod set_up_code;
mod snapshots;
mod soundness;
mod states;
mod structure;
mod types;
mod workspaces;
mod world_code;

/// Source files of the test modules, below `modules/`.
const WALK: &str = "systems/walk/src/lib.rs";
const OBSERVE: &str = "systems/observe/src/lib.rs";
const EXTRA: &str = "plugins/extra/src/lib.rs";
const DEMO: &str = "apps/demo/src/lib.rs";
const OTHER: &str = "apps/other/src/lib.rs";
const SCENE: &str = "core/scene/src/lib.rs";
