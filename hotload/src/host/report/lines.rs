//! Console lines, which headless runs print.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::console::plain_text;
use crate::console::plan::ModulePlan;
use crate::console::view::Level;
use crate::generation::Times;
use crate::host::happened::Happened;
use crate::ids::{GenerationId, ModuleId};
use crate::journal::{Death, Quarantined};
use crate::pipeline::NotBuilt;
use crate::refusal::Refusal;

/// The console line and its level; `None` if only tools need to know.
pub fn line(happened: &Happened) -> Option<(Level, String)> {
    Some(match happened {
        Happened::Ready { app, modules } => {
            let app = app.as_ref().map_or("no app", ModuleId::as_str);
            (Level::Info, format!("ready: {app}, {modules} modules"))
        }
        Happened::Restarted { died_of, resumes } => {
            (Level::Warn, format!("{RESTARTED}: {}", restart(died_of, *resumes)))
        }
        Happened::PreviousRunDied(death) => (Level::Warn, format!("{DIED}\n{}", deaths(death))),
        Happened::NotBuilt(not_built) => (Level::Error, not_built_text(not_built)?),
        Happened::CompilerWarned { module, texts } => {
            (Level::Warn, format!("{}\n{}", warnings(module, texts.len()), messages(texts)))
        }
        Happened::Refused { modules, refusal, plans } => {
            let text = with_plans(refusal, plans);
            (Level::Error, format!("{} refused: the old code goes on\n{text}", named(modules)))
        }
        Happened::NeedsConfirmation { modules, refusal, plans } => {
            let text = with_plans(refusal, plans);
            let title = format!("{} needs your confirmation", named(modules));
            (Level::Warn, format!("{title}: the old code goes on\n{text}"))
        }
        Happened::Unreadable(refusal) => (Level::Error, refusal.to_string()),
        Happened::Swapped { is_edit, .. } => {
            let mut lines = lost(happened);
            let level = if lines.is_empty() { Level::Info } else { Level::Warn };
            if *is_edit {
                lines.push(format!("{}: {}", live(happened), timing(happened)));
            }
            if lines.is_empty() {
                return None;
            }
            (level, lines.join("\n"))
        }
        Happened::Enabled(generation) => (Level::Info, format!("{} is on", generation.module)),
        Happened::Disabled(module) => (Level::Info, format!("{module} is off")),
        Happened::RolledBack { generation, reason } => {
            (Level::Warn, format!("{}\n{reason}", back(generation)))
        }
        Happened::SwitchedOff { module, reason } => {
            let advice = format!("`rollback {module}` or fix it, then `enable {module}`");
            (Level::Error, format!("{module} is switched off: {reason}\n{advice}"))
        }
        Happened::PanickedAgain(panic) => (Level::Warn, panic.to_string()),
        Happened::ErrorsReturned { module, system, count, last } => {
            let times = match count {
                1 => "an error".to_owned(),
                count => format!("{count} errors so far, the last"),
            };
            (Level::Warn, format!("{system} of module `{module}` returned {times}: {last}"))
        }
        Happened::Blocked { .. } => (Level::Warn, blocked(happened)?),
        Happened::AppChanged { to, .. } => (Level::Info, format!("{to} runs")),
        Happened::Quarantined { module, refusal } => {
            (Level::Warn, format!("{module}: the last good code runs\n{refusal}"))
        }
        Happened::Planned(plan) => (Level::Info, plan.to_string()),
        Happened::SnapshotSaved { is_autosave: true, .. } => return None,
        Happened::SnapshotSaved { summary, .. } | Happened::SnapshotLoaded { summary, .. } => {
            (Level::Info, summary.clone())
        }
        Happened::NotResumed(text) => (Level::Error, text.clone()),
        Happened::TuningRead(path) => (Level::Info, read_again(path)),
        Happened::TuningRefused(refusal)
        | Happened::Failed(refusal)
        | Happened::WorkerEnded(refusal) => (Level::Error, refusal.to_string()),
        Happened::Warned(text) => (Level::Warn, text.clone()),
        // Printed where the process ends.
        Happened::Broken { .. }
        | Happened::Changed(_)
        | Happened::BuildStarted(_)
        | Happened::Compiled(_)
        | Happened::Committed(_) => return None,
    })
}

pub const RESTARTED: &str = "The game died, and was started again";
pub const DIED: &str = "The game before this one died";

/// Why the game was restarted, and from where it resumes.
pub fn restart(died_of: &str, resumes: bool) -> String {
    let saved = if resumes { "; it goes on from its last save" } else { "" };
    format!("of {died_of}{saved}")
}

/// The modules that are now in quarantine, and those that are tried again.
pub fn deaths(death: &Death) -> String {
    let named = |it: &Quarantined| format!("{}: {}", it.module, it.reason);
    let mut lines: Vec<String> = death.quarantined.iter().map(named).collect();
    if !death.tried_again.is_empty() {
        let modules: Vec<&str> = death.tried_again.iter().map(ModuleId::as_str).collect();
        let modules = modules.join(", ");
        lines.push(format!("new and tried again, since nothing ran well before: {modules}"));
    }
    lines.join("\n")
}

/// The modules that were not built.
pub fn not_built_title(not_built: &NotBuilt) -> String {
    let failed: BTreeSet<ModuleId> = not_built.failed.keys().cloned().collect();
    let word = if failed.len() == 1 { "was" } else { "were" };
    format!("{} {word} not built ({:.0} ms)", named(&failed), not_built.took_ms)
}

/// The number of modules that wait for those that were not built.
pub fn waiting(not_built: &NotBuilt) -> Option<String> {
    let them = if not_built.failed.len() == 1 { "it" } else { "them" };
    match not_built.waiting.len() {
        0 => None,
        1 => not_built.waiting.first().map(|id| format!("{id} waits for {them}")),
        count => Some(format!("{count} modules wait for {them}")),
    }
}

fn not_built_text(not_built: &NotBuilt) -> Option<String> {
    let all: Vec<String> = not_built.failed.values().map(|it| messages(it)).collect();
    let mut text = format!("{}: the old code goes on", not_built_title(not_built));
    if let Some(waiting) = waiting(not_built) {
        text.push_str(&format!("; {waiting}"));
    }
    (!all.is_empty()).then(|| format!("{text}\n{}", all.join("\n\n")))
}

/// The number of warnings.
pub fn warnings(module: &ModuleId, count: usize) -> String {
    let word = if count == 1 { "warning" } else { "warnings" };
    format!("{module}: {count} {word}")
}

/// A refusal, and the changes that the swap would have made.
pub fn with_plans(refusal: &Refusal, plans: &[Arc<ModulePlan>]) -> String {
    let mut text = refusal.to_string();
    plans.iter().for_each(|plan| text.push_str(&format!("\n{plan}")));
    text
}

/// The modules' ids, or their number if there are many.
pub fn named(ids: &BTreeSet<ModuleId>) -> String {
    if ids.len() > 3 {
        return format!("{} modules", ids.len());
    }
    ids.iter().map(ModuleId::as_str).collect::<Vec<_>>().join(", ")
}

/// A type's name and the number of its values.
pub fn counted((name, count): &(String, usize)) -> String {
    let word = if *count == 1 { "value" } else { "values" };
    format!("{count} {word} of `{name}`")
}

/// Values that were dropped in the swap.
fn lost(happened: &Happened) -> Vec<String> {
    let Happened::Swapped { orphaned, dropped, .. } = happened else { return Vec::new() };
    let list =
        |values: &[(String, usize)]| values.iter().map(counted).collect::<Vec<_>>().join(", ");
    let mut lines = Vec::new();
    if !orphaned.is_empty() {
        lines.push(format!(
            "{} went with the old form of the crate: persist a type to keep its values",
            list(orphaned)
        ));
    }
    if !dropped.is_empty() {
        lines.push(format!("dropped, as declared or confirmed: {}", list(dropped)));
    }
    lines
}

/// The modules that are live, and the time that it took.
pub fn live(happened: &Happened) -> String {
    let Happened::Swapped { lead, modules, times, .. } = happened else { return String::new() };
    let others = match modules.len() {
        0 | 1 => String::new(),
        2 => " with 1 other".to_owned(),
        count => format!(" with {} others", count - 1),
    };
    if times.total_ms > 0.0 {
        format!("{}{others} live in {:.0} ms", lead.module, times.total_ms)
    } else {
        format!("{}{others} live", lead.module)
    }
}

/// The duration of each step of a swap.
pub fn timing(happened: &Happened) -> String {
    let Happened::Swapped { times, migrated, .. } = happened else { return String::new() };
    let Times { compile, pause_ms, .. } = times;
    let mut text = format!(
        "check {:.0}, compile {:.0}, link {:.0}, pause {pause_ms:.1} ms",
        compile.check_ms, compile.compile_ms, compile.link_ms
    );
    if *migrated > 0 {
        text.push_str(&format!("; {migrated} values carried over"));
    }
    text
}

/// The generation that is back.
pub fn back(generation: &GenerationId) -> String {
    format!("{}: generation {} is back", generation.module, generation.number)
}

/// The code that blocked a frame, and for how long.
pub fn blocked(happened: &Happened) -> Option<String> {
    let Happened::Blocked { module, what, seconds } = happened else { return None };
    let of = module.as_ref().map_or(String::new(), |module| format!(" of {module}"));
    Some(format!("{what}{of} kept a frame for {seconds:.1} s"))
}

/// The tuning file that was read.
pub fn read_again(path: &str) -> String {
    format!("assets/{path} read again")
}

/// rustc's messages without its colours. A blank line follows each of them, but not the lines of
/// other programs.
pub fn messages(rendered: &[String]) -> String {
    let mut text = String::new();
    for message in rendered {
        text.push_str(plain_text(message).trim_end());
        text.push_str(if message.ends_with('\n') { "\n\n" } else { "\n" });
    }
    text.truncate(text.trim_end().len());
    text
}

#[cfg(test)]
mod tests;
