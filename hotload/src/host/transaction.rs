//! A swap, and what follows from it: events, notices, probation, what can be taken back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::SystemTime;

use bevy::prelude::*;

use super::history::PastSwap;
use super::{Host, Status};
use crate::console::notices::{Notice, NoticeLevel};
use crate::console::view::Level;
use crate::events::{Event, EventKind, ModuleGeneration};
use crate::generation::{SharedGeneration, Times};
use crate::ids::ModuleId;
use crate::resolve::Selection;
use crate::snapshot::{self, Snapshot};
use crate::swap::{self, SwapError, Swapped, Transaction};
use crate::worker::{Ask, Prepared, Runs};

/// What ran before a swap, and what was switched off.
struct Past<'a> {
    before: &'a BTreeMap<ModuleId, SharedGeneration>,
    dormant: &'a BTreeSet<ModuleId>,
}

impl Host {
    /// swap, and what follows from it.
    pub(super) fn swap(&mut self, world: &mut World, prepared: Prepared) {
        let Prepared { enter, leave, removed, changed, wanted, force, written, plan_ms } = prepared;
        let transaction =
            Transaction { enter: enter.clone(), leave: leave.iter().cloned().collect(), force };
        let before: BTreeMap<ModuleId, SharedGeneration> = self.generations();
        let dormant: BTreeSet<ModuleId> = self.running.dormant.keys().cloned().collect();
        let snapshot = self.snapshot(world, &enter);
        let swapped = match swap::swap(world, &mut self.running, transaction) {
            Ok(swapped) => swapped,
            Err(error) => return self.hear_swap_error(world, enter, &changed, &error),
        };
        for id in &removed {
            self.running.forget(world, id);
            self.status.remove(id);
        }
        self.answer(Vec::new(), true);
        self.taken.swaps += u64::from(!enter.is_empty() || !leave.is_empty());
        for generation in &enter {
            let (id, bytes) = (generation.generation_id(), generation.code.size_bytes());
            self.taken.artifacts.insert(id, bytes);
        }
        let total_ms = written
            .and_then(|at| SystemTime::now().duration_since(at).ok())
            .map_or(0.0, |took| took.as_secs_f32() * 1000.0);
        let was_running = |generation: &SharedGeneration| before.contains_key(generation.id());
        for generation in &enter {
            let status = self.status.entry(generation.id().clone()).or_default();
            // What stands in for an artifact in quarantine says so for as long as it runs.
            let stands_in = std::mem::take(&mut status.quarantined) && !was_running(generation);
            let error = status.error.take().filter(|_| stands_in);
            *status = Status { error, quarantined: stands_in, ..Status::default() };
            let Swapped { pause_ms, restore, .. } = swapped;
            status.times = Some(Times { plan_ms, pause_ms, total_ms, restore, ..generation.times });
        }
        self.remember(&enter, &before, snapshot, false);
        let past = Past { before: &before, dormant: &dormant };
        self.report_swap(world, &enter, &leave, &changed, &past, &swapped);
        self.probations.begin(&enter, &before, self.settings.probation_frames);
        self.become_ready(world, &wanted);
        self.report_app(world, &wanted);
        let entered = enter.iter().map(|generation| generation.id());
        for id in entered.chain(leave.iter().chain(&changed)) {
            self.script.done(id);
        }
        self.script.wanted_done(&wanted);
    }

    /// What the modules that are about to be replaced hold in resources and states.
    pub(super) fn snapshot(&self, world: &mut World, enter: &[SharedGeneration]) -> Snapshot {
        let active = enter.iter().filter_map(|new| self.running.active.get_key_value(new.id()));
        let records =
            active.flat_map(|(id, active)| active.persisted.iter().map(move |record| (id, record)));
        match snapshot::take(world, records) {
            Ok(snapshot) => snapshot,
            Err(error) => {
                let text = format!("no snapshot of the resources before the swap: {error}");
                self.say(world, Level::Warn, &text);
                Snapshot::default()
            }
        }
    }

    /// What was replaced can come back.
    pub(super) fn remember(
        &mut self,
        enter: &[SharedGeneration],
        before: &BTreeMap<ModuleId, SharedGeneration>,
        snapshot: Snapshot,
        is_rollback: bool,
    ) {
        let with_old = |g: &SharedGeneration| Some((g.clone(), before.get(g.id())?.clone()));
        let modules: Vec<_> = enter.iter().filter_map(with_old).collect();
        self.history.push(PastSwap { modules, snapshot, frame: self.frame, is_rollback });
    }

    /// The generation of a module that runs, or ran last.
    pub(super) fn last_generation(&self, id: &ModuleId) -> Option<&SharedGeneration> {
        let active = self.running.active.get(id).map(|active| &active.generation);
        active.or_else(|| self.running.dormant.get(id).map(|dormant| &dormant.generation))
    }

    fn hear_swap_error(
        &mut self,
        world: &mut World,
        enter: Vec<SharedGeneration>,
        changed: &BTreeSet<ModuleId>,
        error: &SwapError,
    ) {
        let entering = enter.iter().map(|generation| generation.id().clone());
        let ids = if changed.is_empty() { entering.collect() } else { changed.clone() };
        let plans = match error {
            SwapError::Restore(_) => self.plans_of_refused(world, &enter),
            SwapError::Build(_) | SwapError::Schedule { .. } => Vec::new(),
        };
        let mut reason = error.to_string();
        plans.iter().for_each(|plan| reason.push_str(&format!("\n{plan}")));
        let asks = matches!(error, SwapError::Restore(restore) if restore.asks());
        if asks {
            self.hear_question(world, &ids, &reason, &plans);
        } else {
            self.hear_refused(world, &ids, &reason);
        }
        for id in &ids {
            // The plan stands below it.
            self.status.entry(id.clone()).or_default().error = Some(error.to_string());
        }
        for plan in plans {
            let status = self.status.entry(plan.module.as_str().into()).or_default();
            status.waits = asks && plan.asks();
            status.plan = Some(Arc::new(plan));
        }
        self.answer(enter, true);
        self.script.all_done();
    }

    /// Tells the worker what runs.
    pub(super) fn answer(&self, rejected: Vec<SharedGeneration>, answers: bool) {
        let generations = self.generations();
        let wanted = self.wanted.clone();
        self.worker.ask(Ask::Runs(Runs { generations, rejected, answers, wanted }));
    }

    pub(super) fn generations(&self) -> BTreeMap<ModuleId, SharedGeneration> {
        let active = self.running.active.iter();
        active.map(|(id, active)| (id.clone(), active.generation.clone())).collect()
    }

    fn report_swap(
        &mut self,
        world: &mut World,
        enter: &[SharedGeneration],
        leave: &BTreeSet<ModuleId>,
        changed: &BTreeSet<ModuleId>,
        past: &Past,
        swapped: &Swapped,
    ) {
        for warning in &swapped.warnings {
            self.say(world, Level::Warn, warning);
        }
        if !swapped.orphaned.is_empty() {
            let values = |(name, count): &(String, usize)| {
                let word = if *count == 1 { "value" } else { "values" };
                format!("{count} {word} of `{name}`")
            };
            let lost: Vec<String> = swapped.orphaned.iter().map(values).collect();
            let text = format!(
                "{} went with the old form of the crate: persist a type to keep its values",
                lost.join(", ")
            );
            self.say(world, Level::Warn, &text);
        }
        let was_off = |g: &&SharedGeneration| {
            !past.before.contains_key(g.id()) && past.dormant.contains(g.id())
        };
        let (back, fresh): (Vec<&SharedGeneration>, Vec<&SharedGeneration>) =
            enter.iter().partition(was_off);
        for generation in &back {
            let event = Event::new(EventKind::Enabled, self.frame).about(generation.id());
            self.log_event(world, event.generation(generation.number));
            self.say(world, Level::Info, &format!("{} is on", generation.id()));
        }
        for id in leave {
            self.log_event(world, Event::new(EventKind::Disabled, self.frame).about(id));
            self.say(world, Level::Info, &format!("{id} is off"));
        }
        let lead = fresh.iter().find(|g| changed.contains(g.id())).or(fresh.first());
        let Some(lead) = lead else { return };
        let times = self.status.get(lead.id()).and_then(|status| status.times).unwrap_or_default();
        let mut event =
            Event::new(EventKind::Swapped, self.frame).about(lead.id()).generation(lead.number);
        event.modules = fresh
            .iter()
            .map(|g| ModuleGeneration { module: g.id().clone(), generation: g.number })
            .collect();
        event.ms = Some(times.into());
        let mut reasons = Vec::new();
        if swapped.migrated > 0 {
            reasons.push(format!("{} values carried over", swapped.migrated));
        }
        let orphaned = swapped.orphaned.iter();
        reasons.extend(orphaned.map(|(name, count)| format!("{count} of `{name}` went")));
        if !reasons.is_empty() {
            event = event.because(reasons.join("; "));
        }
        self.log_event(world, event);
        if self.ready {
            self.notice_swap(world, lead, fresh.len(), times, swapped);
        }
    }

    fn notice_swap(
        &mut self,
        world: &mut World,
        lead: &SharedGeneration,
        count: usize,
        times: Times,
        swapped: &Swapped,
    ) {
        let id = lead.id();
        let others = if count > 1 { format!(" with {} others", count - 1) } else { String::new() };
        let title = if times.total_ms > 0.0 {
            format!("{id}{others} live in {:.0} ms", times.total_ms)
        } else {
            format!("{id}{others} live")
        };
        let compile = times.compile;
        let mut body = format!(
            "check {:.0}, compile {:.0}, link {:.0}, pause {:.1} ms",
            compile.check_ms, compile.compile_ms, compile.link_ms, swapped.pause_ms
        );
        if swapped.migrated > 0 {
            body.push_str(&format!("; {} values carried over", swapped.migrated));
        }
        self.say(world, Level::Info, &format!("{title}: {body}"));
        self.notice(world, id.as_str(), Notice::new(NoticeLevel::Success, title, body));
    }

    fn report_app(&mut self, world: &mut World, wanted: &Selection) {
        let before = std::mem::replace(&mut self.app, wanted.app.clone());
        if let (Some(before), Some(app)) = (before, &wanted.app)
            && before != *app
        {
            let event = Event::new(EventKind::AppChanged, self.frame).about(app);
            self.log_event(world, event.because(format!("from {before}")));
            self.say(world, Level::Info, &format!("{app} runs"));
        }
    }
}
