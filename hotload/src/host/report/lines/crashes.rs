//! A game that ended, and the one that replaced it.

use crate::ids::ModuleId;
use crate::journal::{Death, Quarantined};

pub const RESTARTED: &str = "The game died, and was started again";
pub const DIED: &str = "The game before this one died";

/// Why the game was restarted, and from where it resumes.
pub fn restart(died_of: &str, resumes: bool) -> String {
    let saved = if resumes { "; it goes on from its last save" } else { "" };
    format!("of {died_of}{saved}")
}

/// The modules that are now in quarantine, and those that are tried again.
pub fn deaths(death: &Death) -> String {
    let named = |it: &Quarantined| match death.packs.get(&it.module) {
        Some(pack) => format!("{} of {pack}: {}", it.module, it.reason),
        None => format!("{}: {}", it.module, it.reason),
    };
    let mut lines: Vec<String> = death.quarantined.iter().map(named).collect();
    if !death.tried_again.is_empty() {
        let modules: Vec<&str> = death.tried_again.iter().map(ModuleId::as_str).collect();
        let modules = modules.join(", ");
        lines.push(format!("new and tried again, since nothing ran well before: {modules}"));
    }
    lines.join("\n")
}
