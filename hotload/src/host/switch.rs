//! Switches modules on and off, and switches between apps.

use bevy::prelude::*;

use super::Host;
use super::happened::Happened;
use super::transaction::Cause;
use crate::console::command::suggest;
use crate::console::view::Level;
use crate::ids::ModuleId;
use crate::inspect::Kind;
use crate::swap::Transaction;
use crate::worker::event::Request;

impl Host {
    /// True for a module that exists; otherwise prints an error.
    pub(super) fn known(&self, world: &mut World, id: &ModuleId) -> bool {
        if self.modules.contains(id) {
            return true;
        }
        let names = self.modules.iter().map(ModuleId::as_str);
        let hint = suggest(id.as_str(), names);
        let hint = hint.map_or(String::new(), |name| format!("; did you mean `{name}`?"));
        self.print(world, Level::Error, &format!("there is no module `{id}`{hint}"));
        false
    }

    /// The commands `enable` and `disable`.
    pub(super) fn switch(&mut self, world: &mut World, id: &ModuleId, on: bool) {
        if !self.known(world, id) {
            return;
        }
        if let Some(reason) = self.cannot_switch(id) {
            return self.print(world, Level::Error, &reason);
        }
        if self.running.active.contains_key(id) == on {
            let state = if on { "on" } else { "off" };
            return self.print(world, Level::Info, &format!("{id} is {state} already"));
        }
        self.selection.switched.insert(id.clone(), on);
        self.request_and_wait(Request::Select(self.selection.clone()));
    }

    /// Why a module cannot be switched on its own.
    pub(super) fn cannot_switch(&self, id: &ModuleId) -> Option<String> {
        let manifest = self.manifests.get(id)?;
        if manifest.kind == Kind::Apps {
            return Some(format!("`{id}` is an app: change to another one with `app <name>`"));
        }
        let others = self.running.active.values().map(|active| &active.generation.manifest);
        let needs: Vec<&str> = others
            .filter(|other| other.kind != Kind::Apps && other.requires.contains_key(id))
            .map(|other| other.id.as_str())
            .collect();
        let is_on = self.running.active.contains_key(id);
        (is_on && !needs.is_empty())
            .then(|| format!("`{id}` is required by {}: switch these off first", needs.join(", ")))
    }

    /// The command `app`.
    pub(super) fn change_app(&mut self, world: &mut World, name: Option<&str>) {
        let apps = self.modules.iter().filter(|id| id.is_app()).map(ModuleId::as_str);
        let apps = apps.collect::<Vec<_>>().join(", ");
        let Some(name) = name else {
            let runs = self.selection.app.as_ref().map_or("none", ModuleId::as_str);
            return self.print(world, Level::Info, &format!("{runs} runs; there are {apps}"));
        };
        let id = ModuleId::of_app(name);
        if !self.modules.contains(&id) {
            let text = format!("there is no app `{name}`; there are {apps}");
            return self.print(world, Level::Error, &text);
        }
        if self.selection.app.as_ref() == Some(&id) {
            return self.print(world, Level::Info, &format!("{id} runs already"));
        }
        if !self.manifests.contains_key(&id) {
            let status = self.status.get(&id);
            let why = status.and_then(|status| status.newest.error()).unwrap_or_default();
            let text = format!("{id} was not built, so the running app stays\n{why}");
            return self.print(world, Level::Error, text.trim_end());
        }
        self.selection.app = Some(id);
        self.request_and_wait(Request::Select(self.selection.clone()));
    }

    /// Stops a module that panicked after its probation, or that has no older generation.
    pub(super) fn switch_off(&mut self, world: &mut World, id: &ModuleId, reason: &str) {
        let transaction = Transaction { leave: vec![id.clone()], ..Transaction::default() };
        if let Err(refusal) = self.transact(world, transaction, Cause::Panic) {
            self.report(world, Happened::Failed(refusal));
        }
        if !self.history.was_ever_committed(id) {
            // It did not start: run its set-up again when it returns.
            self.running.forget_start(id);
        }
        self.selection.switched.insert(id.clone(), false);
        self.report_changed(Vec::new());
        self.select();
        let module = id.clone();
        let reason = match self.pack_of.get(id) {
            Some(pack) => format!("{reason}; it came with {pack}"),
            None => reason.to_owned(),
        };
        self.report(world, Happened::SwitchedOff { module, reason });
    }
}
