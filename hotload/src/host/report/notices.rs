//! Short notices in the game.

use super::lines;
use crate::console::notices::{Notice, NoticeLevel};
use crate::host::happened::Happened;
use crate::host::questions;
use crate::ids::ModuleId;

/// A change to the notices. A notice replaces an older one with the same key.
pub enum Change {
    /// Nothing.
    None,
    /// This one is shown.
    Show(String, Notice),
    /// Removes the notice with this key.
    Dismiss(String),
}

/// Points to the full text.
const DETAILS: &str = "details in the console (F1)";

/// The keys of notices about code that runs no longer: those of the other modules of a group.
pub fn outdated(happened: &Happened) -> Vec<String> {
    let (lead, all) = match happened {
        Happened::Swapped { lead, modules, is_edit: true, .. } => (lead, modules),
        Happened::RolledBack { lead, generations, .. } => (lead, generations),
        _ => return Vec::new(),
    };
    let others = all.iter().filter(|other| *other != lead);
    others.map(|other| other.module.to_string()).collect()
}

/// The notice of what happened.
pub fn notice(happened: &Happened) -> Change {
    let show = |key: &str, notice: Notice| Change::Show(key.to_owned(), notice);
    let first_line = |text: &str| text.lines().next().unwrap_or_default().to_owned();
    let key_of = |mut modules: Vec<&ModuleId>| {
        modules.sort();
        modules.first().map_or("refused".to_owned(), |id| id.to_string())
    };
    match happened {
        Happened::Restarted { died_of, resumes } => {
            let body = lines::restart(died_of, *resumes);
            show("restarted", Notice::new(NoticeLevel::Question, lines::RESTARTED, body))
        }
        Happened::PreviousRunDied(death) => {
            let notice = Notice::new(NoticeLevel::Question, lines::DIED, lines::deaths(death));
            show("death", notice.details("`quarantine list` in the console (F1)"))
        }
        Happened::NotBuilt(not_built) if not_built.failed.is_empty() => Change::None,
        // Nobody waits for it, and it has a notice.
        Happened::NotBuilt(it) if lines::is_known(it) && it.waiting.is_empty() => Change::None,
        Happened::NotBuilt(not_built) => {
            let mut messages = not_built.failed.values().map(|it| lines::messages(it));
            let mut body = first_error(&messages.next().unwrap_or_default());
            if let Some(waiting) = lines::waiting(not_built) {
                body.push_str(&format!("\n{waiting}"));
            }
            let title = lines::not_built_title(not_built);
            let key = not_built.failed.keys().next().map(ToString::to_string).unwrap_or_default();
            let notice = Notice::new(NoticeLevel::Error, title, body).details(DETAILS);
            let about = not_built.failed.keys().cloned().collect();
            show(&key, notice.about(about))
        }
        Happened::CompilerWarned { module, texts } => {
            let title = lines::warnings(module, texts.len());
            let body = first_error(&lines::messages(texts));
            let key = format!("{module} warnings");
            show(&key, Notice::new(NoticeLevel::Warn, title, body).details(DETAILS))
        }
        Happened::Refused { modules, refusal, .. } => {
            let title = format!("{} refused", lines::named(modules));
            let body = first_line(&refusal.to_string());
            let key = key_of(modules.iter().collect());
            let notice = Notice::new(NoticeLevel::Error, title, body).details(DETAILS);
            show(&key, notice.about(modules.clone()))
        }
        Happened::NeedsConfirmation { modules, group, plans, .. } => {
            let items =
                plans.iter().flat_map(|plan| &plan.items).filter(|item| item.drops_values());
            let lost: Vec<String> =
                items.map(|item| format!("{} of {}", item.counted(), item.name)).collect();
            let title = format!("{} needs your confirmation", lines::named(modules));
            let body = format!("it would drop data: {}", lost.join(", "));
            let notice = Notice::new(NoticeLevel::Question, title, body);
            let key = questions::notice_key(group);
            show(&key, notice.details("the question is in the console (F1)"))
        }
        Happened::Unreadable(refusal) => {
            let body = cargos_reason(&refusal.to_string());
            let notice = Notice::new(NoticeLevel::Error, "The modules cannot be built", body);
            show("workspace", notice.details(DETAILS))
        }
        Happened::Readable => Change::Dismiss("workspace".to_owned()),
        Happened::Swapped { lead, is_edit: true, .. } => {
            let (title, mut body) = (lines::live(happened), lines::timing(happened));
            let lost = lines::lost_values(happened);
            let level = if lost.is_empty() { NoticeLevel::Success } else { NoticeLevel::Warn };
            if !lost.is_empty() {
                body.push_str(&format!("\nlost: {}", lost.join(", ")));
            }
            for cause in lines::causes(happened) {
                body.push_str(&format!("\n{cause}"));
            }
            if lines::set_up(happened).is_some() {
                body.push_str("\nset-up code ran before this edit: `restart` runs it again");
            }
            show(lead.module.as_str(), Notice::new(level, title, body))
        }
        Happened::RolledBack { lead, is_by_hand: true, .. } => {
            let notice = Notice::new(NoticeLevel::Success, lines::back(happened), "");
            show(lead.module.as_str(), notice)
        }
        Happened::RolledBack { lead, reason, .. } => {
            let notice = Notice::new(NoticeLevel::Warn, lines::back(happened), reason.clone());
            show(lead.module.as_str(), notice.details(DETAILS))
        }
        Happened::SwitchedOff { module, reason } => {
            let title = format!("{module} is switched off");
            let notice = Notice::new(NoticeLevel::Error, title, reason.clone());
            show(module.as_str(), notice.details(DETAILS).about([module.clone()].into()))
        }
        Happened::Blocked { module: Some(module), .. } => {
            let title = lines::blocked(happened).unwrap_or_default();
            show(module.as_str(), Notice::new(NoticeLevel::Warn, title, ""))
        }
        Happened::SnapshotLoaded { name, .. } => {
            let title = format!("snapshot `{name}` loaded");
            show("snapshot", Notice::new(NoticeLevel::Success, title, ""))
        }
        Happened::NotResumed(text) => {
            let notice =
                Notice::new(NoticeLevel::Error, "The game was not resumed", first_line(text));
            show("snapshot", notice)
        }
        Happened::TuningRead { path, unknown } => {
            let level = if unknown.is_some() { NoticeLevel::Warn } else { NoticeLevel::Success };
            let body = unknown.as_ref().map(|unknown| first_line(&unknown.to_string()));
            show(path, Notice::new(level, lines::read_again(path), body.unwrap_or_default()))
        }
        Happened::TuningRefused { path, refusal } => {
            let notice =
                Notice::new(NoticeLevel::Error, "Tuning values refused", refusal.to_string());
            show(path, notice)
        }
        Happened::PackDone(report) if report.changed.is_some() => {
            let (title, body) = report.text.split_once("; ").unwrap_or((&report.text, ""));
            show("packs", Notice::new(NoticeLevel::Success, title, body))
        }
        Happened::PackRefused { refusal, .. } if refusal.asks_for_trust().is_some() => {
            let title = "A pack is from a publisher that you do not know";
            let body = first_line(&refusal.to_string());
            let notice = Notice::new(NoticeLevel::Question, title, body.trim_end_matches(':'));
            show("packs", notice.details("the question is on the console's page Packs (F1)"))
        }
        Happened::PackRefused { refusal, .. } => {
            let text = refusal.to_string();
            let notice = Notice::new(NoticeLevel::Error, "Packs", first_line(&text));
            show("packs", notice.details(DETAILS))
        }
        Happened::PackWentBack(back) => {
            let notice = Notice::new(NoticeLevel::Warn, lines::went_back(back), "");
            show(&format!("pack {}", back.failed.id), notice.details(DETAILS))
        }
        Happened::WorkerEnded(refusal) => {
            let notice = Notice::new(NoticeLevel::Error, "No more edits", refusal.to_string());
            show("worker", notice)
        }
        Happened::Ready { .. }
        | Happened::Broken { .. }
        | Happened::Changed(_)
        | Happened::Compiled(_)
        | Happened::Declined(_)
        | Happened::BuildStarted(_)
        | Happened::Swapped { .. }
        | Happened::Enabled(_)
        | Happened::Disabled(_)
        | Happened::Committed(_)
        | Happened::PanickedAgain(_)
        | Happened::ErrorsReturned { .. }
        | Happened::Blocked { module: None, .. }
        | Happened::AppChanged { .. }
        | Happened::Quarantined { .. }
        | Happened::Planned(_)
        | Happened::SnapshotSaved { .. }
        | Happened::PackDone(_)
        | Happened::Warned(_)
        | Happened::Failed(_) => Change::None,
    }
}

/// The first error's message and location, on one line.
fn first_error(text: &str) -> String {
    let is_message = |line: &&str| line.starts_with("error") || line.starts_with("warning");
    let message = text.lines().find(is_message).or(text.lines().next());
    let place = text.lines().find_map(|line| line.trim_start().strip_prefix("--> "));
    match (message, place) {
        (Some(message), Some(place)) => format!("{place}: {message}"),
        (Some(message), None) => message.to_owned(),
        _ => String::new(),
    }
}

/// The first line of a refusal, and the innermost causes of cargo's message below it.
fn cargos_reason(text: &str) -> String {
    let (first, message) = text.split_once('\n').unwrap_or((text, ""));
    let innermost = if message.contains("--> ") {
        first_error(message)
    } else {
        let causes = message
            .split("Caused by:")
            .filter_map(|cause| cause.lines().map(str::trim).rfind(|line| !line.is_empty()));
        let causes: Vec<&str> = causes.collect();
        causes[causes.len().saturating_sub(2)..].join(": ")
    };
    format!("{first}\n{innermost}").trim_end().to_owned()
}

#[cfg(test)]
mod tests;
