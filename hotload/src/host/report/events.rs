//! Events for the events file and as a Bevy message.

use playground_api::events::{
    HotLoadEvent, HotLoadEventKind as Kind, Milliseconds, ModuleGeneration,
};

use super::lines::{self, counted};
use crate::generation::Times;
use crate::host::happened::Happened;
use crate::ids::{GenerationId, ModuleId};

/// The events; empty if only people need to know.
pub fn events(happened: &Happened, frame: u64) -> Vec<HotLoadEvent> {
    let event = |kind: Kind| HotLoadEvent {
        event: kind,
        module: None,
        generation: None,
        modules: Vec::new(),
        linked: Vec::new(),
        frame,
        ms: None,
        reason: None,
    };
    let about = |kind: Kind, module: &ModuleId| HotLoadEvent {
        module: Some(module.to_string()),
        ..event(kind)
    };
    let of = |kind: Kind, GenerationId { module, number }: &GenerationId| HotLoadEvent {
        generation: Some(*number),
        ..about(kind, module)
    };
    let because = |event: HotLoadEvent, reason: &str| HotLoadEvent {
        reason: Some(reason.to_owned()),
        ..event
    };
    let one = |event: HotLoadEvent| vec![event];
    match happened {
        Happened::Ready { app, .. } => {
            let app = app.as_ref().map_or("no app", ModuleId::as_str);
            one(because(event(Kind::Ready), app))
        }
        Happened::Changed(module) => one(about(Kind::Changed, module)),
        Happened::BuildStarted(module) => one(about(Kind::BuildStarted, module)),
        Happened::NotBuilt(not_built) => {
            let failed = not_built.failed.iter();
            let failed = failed.map(|(module, messages)| {
                because(about(Kind::BuildFailed, module), &lines::messages(messages))
            });
            failed.collect()
        }
        Happened::CompilerWarned { module, texts } => {
            one(because(about(Kind::Warning, module), &lines::messages(texts)))
        }
        Happened::Refused { modules, refusal, plans }
        | Happened::NeedsConfirmation { modules, refusal, plans, .. } => {
            let reason = lines::with_plans(refusal, plans);
            let each = |module| because(about(Kind::Refused, module), &reason);
            modules.iter().map(each).collect()
        }
        Happened::Unreadable(refusal) => one(because(event(Kind::Refused), &refusal.to_string())),
        Happened::Swapped { lead, modules, linked, times, migrated, orphaned, dropped, .. } => {
            let mut reasons = Vec::new();
            if *migrated > 0 {
                reasons.push(lines::carried_over(*migrated));
            }
            reasons.extend(orphaned.iter().map(|lost| format!("{} went", counted(lost))));
            reasons.extend(dropped.iter().map(|lost| format!("{lost} dropped")));
            let generation = |it: &GenerationId| ModuleGeneration {
                module: it.module.to_string(),
                generation: it.number,
            };
            one(HotLoadEvent {
                modules: modules.iter().map(generation).collect(),
                linked: linked.iter().map(ToString::to_string).collect(),
                ms: Some(milliseconds(times)),
                reason: (!reasons.is_empty()).then(|| reasons.join("; ")),
                ..of(Kind::Swapped, lead)
            })
        }
        Happened::Enabled(generation) => one(of(Kind::Enabled, generation)),
        Happened::Disabled(module) => one(about(Kind::Disabled, module)),
        Happened::Committed(generation) => one(of(Kind::Committed, generation)),
        Happened::RolledBack { generations, reason, .. } => {
            generations.iter().map(|old| because(of(Kind::RolledBack, old), reason)).collect()
        }
        Happened::SwitchedOff { module, reason } => {
            one(because(about(Kind::Disabled, module), reason))
        }
        Happened::Blocked { module: Some(module), .. } => {
            let text = lines::line(happened).map(|(_, text)| text).unwrap_or_default();
            one(because(about(Kind::Blocked, module), &text))
        }
        Happened::AppChanged { from, to } => {
            one(because(about(Kind::AppChanged, to), &format!("from {from}")))
        }
        Happened::Quarantined { module, refusal } => {
            one(because(about(Kind::Quarantined, module), &refusal.to_string()))
        }
        Happened::SnapshotSaved { name, .. } => one(because(event(Kind::SnapshotSaved), name)),
        Happened::SnapshotLoaded { name, .. } => one(because(event(Kind::SnapshotLoaded), name)),
        Happened::Warned(text) => one(because(event(Kind::Warning), text)),
        Happened::Failed(refusal) | Happened::WorkerEnded(refusal) => {
            one(because(event(Kind::Warning), &refusal.to_string()))
        }
        Happened::Broken { modules, reason } => {
            modules.iter().map(|module| because(about(Kind::Broken, module), reason)).collect()
        }
        Happened::PackDone(report) if report.changed.is_some() => {
            one(because(event(Kind::Packs), &report.text))
        }
        Happened::PackRefused { refusal, .. } => {
            one(because(event(Kind::Refused), &refusal.to_string()))
        }
        Happened::PackWentBack(back) => one(because(event(Kind::Packs), &lines::went_back(back))),
        Happened::PackDone(_)
        | Happened::Restarted { .. }
        | Happened::PreviousRunDied(_)
        | Happened::Compiled(_)
        | Happened::Readable
        | Happened::Declined(_)
        | Happened::PanickedAgain(_)
        | Happened::ErrorsReturned { .. }
        | Happened::Blocked { module: None, .. }
        | Happened::Planned(_)
        | Happened::NotResumed(_)
        | Happened::TuningRead { .. }
        | Happened::TuningRefused { .. } => Vec::new(),
    }
}

fn milliseconds(times: &Times) -> Milliseconds {
    Milliseconds {
        watch: times.watch_ms,
        check: times.compile.check_ms,
        compile: times.compile.compile_ms,
        link: times.compile.link_ms,
        verify: times.compile.verify_ms,
        build: times.build_ms(),
        inspect: times.inspect_ms,
        probe: times.probe_ms,
        load: times.load_ms,
        plan: times.plan_ms,
        layouts: times.layouts_ms,
        pause: times.pause_ms,
        total: times.total_ms,
        snapshot: times.restore.snapshot_ms,
        decode: times.restore.decode_ms,
        insert: times.restore.insert_ms,
    }
}
