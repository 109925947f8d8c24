//! Console lines, which headless runs print.

mod crashes;
mod packs;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::console::plain_text;
use crate::console::plan::ModulePlan;
use crate::console::view::Level;
use crate::generation::{Generation, Times};
use crate::host::happened::{Happened, Lost};
use crate::ids::{GenerationId, ModuleId};
use crate::pipeline::NotBuilt;
use crate::refusal::Refusal;
use crate::restore::values;

pub use crashes::{DIED, RESTARTED, deaths, restart};
pub use packs::went_back;

/// The most types whose lost values a notice names.
const MOST_LOST: usize = 3;
/// Besides rustc's and the linker's, a stage is shown if it takes at least this long.
const LONG_STAGE_MS: f32 = 100.0;

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
        Happened::Declined(module) => {
            let asks = format!("the next save or `reload {module}` asks again");
            (Level::Info, format!("{module}: the old code and its data stay; {asks}"))
        }
        Happened::NeedsConfirmation { modules, refusal, plans, .. } => {
            let text = with_plans(refusal, plans);
            let title = format!("{} needs your confirmation", named(modules));
            (Level::Warn, format!("{title}: the old code goes on\n{text}"))
        }
        Happened::Unreadable(refusal) => (Level::Error, refusal.to_string()),
        Happened::Readable => (Level::Info, "the modules can be built again".to_owned()),
        Happened::Swapped { is_edit, .. } => {
            let mut lines = lost(happened);
            let level = if lines.is_empty() { Level::Info } else { Level::Warn };
            if *is_edit {
                lines.push(format!("{}: {}", live(happened), timing(happened)));
                lines.extend(causes(happened));
                lines.extend(set_up(happened));
            }
            if lines.is_empty() {
                return None;
            }
            (level, lines.join("\n"))
        }
        Happened::Enabled(generation) => (Level::Info, format!("{} is on", generation.module)),
        Happened::Disabled(module) => (Level::Info, format!("{module} is off")),
        Happened::RolledBack { is_by_hand: true, .. } => (Level::Info, back(happened)),
        Happened::RolledBack { reason, .. } => {
            (Level::Warn, format!("{}\n{reason}", back(happened)))
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
        Happened::TuningRead { path, unknown: None } => (Level::Info, read_again(path)),
        Happened::TuningRead { path, unknown: Some(unknown) } => {
            (Level::Warn, format!("{}\n{unknown}", read_again(path)))
        }
        Happened::TuningRefused { refusal, .. }
        | Happened::Failed(refusal)
        | Happened::WorkerEnded(refusal) => (Level::Error, refusal.to_string()),
        Happened::PackDone(report) => (Level::Info, report.text.clone()),
        Happened::PackRefused { refusal, .. } => (Level::Error, refusal.to_string()),
        Happened::PackWentBack(back) => (Level::Warn, went_back(back)),
        Happened::Warned(text) => (Level::Warn, text.clone()),
        // Printed where the process ends.
        Happened::Broken { .. }
        | Happened::Changed(_)
        | Happened::BuildStarted(_)
        | Happened::Compiled(_)
        | Happened::Committed(_) => return None,
    })
}

/// The modules that were not built.
pub fn not_built_title(not_built: &NotBuilt) -> String {
    let failed: BTreeSet<ModuleId> = not_built.failed.keys().cloned().collect();
    if is_known(not_built) {
        return format!("{} still not built", named(&failed));
    }
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
    if not_built.failed.is_empty() {
        return None;
    }
    let mut text = not_built_title(not_built);
    if !is_known(not_built) {
        text.push_str(": the old code goes on");
    }
    if let Some(waiting) = waiting(not_built) {
        text.push_str(&format!("; {waiting}"));
    }
    let new = not_built.failed.iter().filter(|(id, _)| !not_built.again.contains(*id));
    let mut parts: Vec<String> = new.map(|(_, it)| messages(it)).collect();
    if !not_built.again.is_empty() {
        let first = not_built.again.first().map_or("", ModuleId::as_str);
        let advice = format!("`reload {first}` shows its error again");
        parts.push(match parts.is_empty() {
            true => advice,
            false => format!("{} still not built; {advice}", named(&not_built.again)),
        });
    }
    Some(format!("{text}\n{}", parts.join("\n\n")))
}

/// True if nothing of it is new.
pub fn is_known(not_built: &NotBuilt) -> bool {
    not_built.failed.keys().all(|id| not_built.again.contains(id))
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

/// The number of values that were converted.
pub fn carried_over(count: usize) -> String {
    format!("{} carried over", values(count))
}

/// A type's name and the number of its values.
pub fn counted(lost: &Lost) -> String {
    format!("{} of `{}`", values(lost.count), lost.type_name)
}

/// The same, with the systems that take the type.
fn counted_with_systems(lost: &Lost) -> String {
    let Some((first, others)) = lost.systems.split_first() else { return counted(lost) };
    let ask = match others {
        [] => "asks for".to_owned(),
        [one] => format!("and `{one}` ask for"),
        _ => format!("and {} other systems ask for", others.len()),
    };
    format!("{}, which `{first}` {ask}", counted(lost))
}

/// Set-up code that was edited, and how to see the edit.
pub fn set_up(happened: &Happened) -> Option<String> {
    let Happened::Swapped { set_up, .. } = happened else { return None };
    if set_up.is_empty() {
        return None;
    }
    let systems = set_up.iter().map(|it| format!("`{}` in {}", it.name, it.schedule));
    let systems = systems.collect::<Vec<_>>().join(", ");
    Some(format!("{systems} ran before this edit: `restart` begins the app anew and runs it again"))
}

/// Values that a swap dropped, by type; the last entry stands for the rest of many.
pub fn lost_values(happened: &Happened) -> Vec<String> {
    let Happened::Swapped { orphaned, dropped, .. } = happened else { return Vec::new() };
    let dropped = dropped.iter().map(ToString::to_string);
    let mut all: Vec<String> = dropped.chain(orphaned.iter().map(counted_with_systems)).collect();
    if all.len() > MOST_LOST {
        let more = format!("and values of {} more types", all.len() - MOST_LOST + 1);
        all.truncate(MOST_LOST - 1);
        all.push(more);
    }
    all
}

/// Values that were dropped in the swap.
fn lost(happened: &Happened) -> Vec<String> {
    let Happened::Swapped { orphaned, dropped, .. } = happened else { return Vec::new() };
    let mut lines = Vec::new();
    if !orphaned.is_empty() {
        lines.push(format!(
            "{} went with the old form of the crate: persist a type to keep its values",
            orphaned.iter().map(counted_with_systems).collect::<Vec<_>>().join("; ")
        ));
    }
    if !dropped.is_empty() {
        let dropped: Vec<String> = dropped.iter().map(ToString::to_string).collect();
        lines.push(format!("dropped, as declared or confirmed: {}", dropped.join(", ")));
    }
    lines
}

/// The modules that are live, and the time that it took.
pub fn live(happened: &Happened) -> String {
    let Happened::Swapped { lead, pack, modules, times, .. } = happened else {
        return String::new();
    };
    let of = pack.as_ref().map_or(String::new(), |pack| format!(" of {pack}"));
    let others = others(modules).map_or(String::new(), |others| format!(" {others}"));
    if times.total_ms > 0.0 {
        format!("{}{of}{others} live in {:.0} ms", lead.module, times.total_ms)
    } else {
        format!("{}{of}{others} live", lead.module)
    }
}

/// The number of modules besides the one that stands for a group.
fn others(group: &[GenerationId]) -> Option<String> {
    match group.len() {
        0 | 1 => None,
        2 => Some("with 1 other".to_owned()),
        count => Some(format!("with {} others", count - 1)),
    }
}

/// The stages of a swap that were measured and matter: rustc's and the linker's, the pause, and
/// others that took a good part of the time.
pub fn timing(happened: &Happened) -> String {
    let Happened::Swapped { modules, linked, times, migrated, .. } = happened else {
        return String::new();
    };
    let Times { compile, pause_ms, .. } = times;
    let other = [
        ("sources and cargo", times.watch_ms),
        ("inspect", times.inspect_ms),
        ("probe", times.probe_ms),
        ("load", times.load_ms),
        ("plan", times.plan_ms),
    ];
    let known: f32 = other.iter().map(|(_, ms)| ms).sum::<f32>() + times.build_ms() + pause_ms;
    // With it, the parts of a slow swap add up: other modules are built one after the other.
    let rest = ("waiting and other modules", times.total_ms - known);
    let matters = |(_, ms): &(&str, f32)| *ms >= LONG_STAGE_MS && *ms >= times.total_ms * 0.1;
    let build =
        [("check", compile.check_ms), ("compile", compile.compile_ms), ("link", compile.link_ms)];
    let shown = other[..1].iter().copied().filter(matters);
    let shown = shown.chain(build.into_iter().filter(|(_, ms)| *ms > 0.0));
    let shown = shown.chain(other[1..].iter().copied().chain([rest]).filter(matters));
    let mut text = match linked.len() {
        count if count == 0 || count == modules.len() => String::new(),
        count => format!("{count} of {} modules only linked again, ", modules.len()),
    };
    text.extend(shown.map(|(stage, ms)| format!("{stage} {ms:.0}, ")));
    text.push_str(&format!("pause {pause_ms:.1} ms"));
    if *migrated > 0 {
        text.push_str(&format!("; {}", carried_over(*migrated)));
    }
    text
}

/// Why modules besides the edited one were compiled.
pub fn causes(happened: &Happened) -> Vec<String> {
    let Happened::Swapped { causes, .. } = happened else { return Vec::new() };
    let text = |(cause, count): &(String, usize)| {
        let modules = if *count == 1 { "module" } else { "modules" };
        format!("{cause}: {count} other {modules} compiled")
    };
    causes.iter().map(text).collect()
}

/// Why a generation was built, and how.
pub fn why(generation: &Generation) -> String {
    let (id, times) = (generation.generation_id(), &generation.times);
    let how = match times.compile {
        compile if compile.is_linked_only() => {
            format!("only linked again, in {:.0} ms", times.build_ms())
        }
        _ if times.build_ms() > 0.0 => format!("compiled in {:.0} ms", times.build_ms()),
        _ => "an artifact of an earlier build".to_owned(),
    };
    let mut text = format!("{}, generation {}: {how}", id.module, id.number);
    if generation.causes.is_empty() {
        text.push_str("\nNothing else ran before it in this game, or nothing was changed");
    }
    generation.causes.iter().for_each(|cause| text.push_str(&format!("\n{cause}")));
    text
}

/// The generations that are back.
pub fn back(happened: &Happened) -> String {
    let Happened::RolledBack { lead, generations, is_by_hand, .. } = happened else {
        return String::new();
    };
    let others = others(generations).map_or(String::new(), |others| format!(", {others}"));
    let by_hand = if *is_by_hand { ", by hand" } else { "" };
    format!("{}: generation {} is back{others}{by_hand}", lead.module, lead.number)
}

/// The code that blocked a frame, and for how long.
pub fn blocked(happened: &Happened) -> Option<String> {
    let Happened::Blocked { module, what, seconds } = happened else { return None };
    let of = module.as_ref().map_or(String::new(), |module| format!(" of {module}"));
    Some(format!("{what}{of} kept a frame for {seconds:.1} s"))
}

/// The tuning file that was read.
pub fn read_again(path: &str) -> String {
    format!("{path} read again")
}

/// rustc's messages without its colours. A blank line follows each of them, but not the lines of
/// other programs.
///
/// A crate that is missing in the manifest is one message, and not one for each derive.
pub fn messages(rendered: &[String]) -> String {
    let mut text = String::new();
    let mut missing = BTreeSet::new();
    for message in rendered {
        if let Some(name) = missing_crate(message) {
            if missing.insert(name) {
                text.push_str(&format!(
                    "{}\nAdd `{name}.workspace = true` to [dependencies] in the module's Cargo.toml\n\n",
                    plain_text(message).trim_end()
                ));
            }
            continue;
        }
        text.push_str(plain_text(message).trim_end());
        text.push_str(if message.ends_with('\n') { "\n\n" } else { "\n" });
    }
    text.truncate(text.trim_end().len());
    text
}

/// The crate that rustc does not find.
fn missing_crate(message: &str) -> Option<&str> {
    let (_, name) = message.split_once("can't find crate for `")?;
    name.split('`').next()
}

#[cfg(test)]
mod tests;
