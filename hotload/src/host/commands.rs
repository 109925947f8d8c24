//! The console's commands.

use std::collections::BTreeMap;
use std::sync::Arc;

use bevy::prelude::*;

use super::command_queue::Line;
use super::{Host, QUARANTINE, Taken};
use crate::console::command::{self, Command, built_in, suggest};
use crate::console::view::Level;
use crate::console::{Console, Input};
use crate::generation::SharedGeneration;
use crate::guard;
use crate::ids::ModuleId;
use crate::inspect::{self, Kind, Manifest};
use crate::plan::{self, Outlines, Trial};
use crate::process_limits::Usage;
use crate::snapshot;
use crate::worker::Ask;

fn is_of_quarantine(line: &Line) -> bool {
    let is_one = |command: &Command| matches!(command, Command::Quarantine { .. });
    match line {
        Line::Command(command) => is_one(command),
        Line::Text(text) => {
            command::parse(text).is_ok_and(|all| !all.is_empty() && all.iter().all(is_one))
        }
    }
}

impl Host {
    /// Runs the commands whose turn has come; they start once the game is ready.
    pub(super) fn run_script(&mut self, world: &mut World) {
        if let Some(mut console) = world.get_resource_mut::<Console>() {
            for line in console.take_input() {
                self.script.push(match line {
                    Input::Text(text) => Line::Text(text),
                    Input::Command(command) => Line::Command(command),
                });
            }
        }
        if !self.ready || self.resuming {
            // What is in quarantine may be why it does not become ready.
            while let Some(line) = self.script.next_that(is_of_quarantine) {
                self.run_line(world, line);
            }
            return;
        }
        while let Some(line) = self.script.next(self.frame) {
            self.run_line(world, line);
        }
        if self.settings.frames.is_some_and(|frames| self.frame >= frames) && self.script.is_over()
        {
            self.exit(world);
        }
    }

    fn run_line(&mut self, world: &mut World, line: Line) {
        match line {
            Line::Text(text) => {
                self.say(world, Level::Input, &text);
                match command::parse(&text) {
                    Ok(commands) if self.ready => self.script.push_first(commands),
                    Ok(commands) => {
                        commands.into_iter().for_each(|command| self.run_command(world, command));
                    }
                    Err(error) => self.say(world, Level::Error, &error.to_string()),
                }
            }
            Line::Command(command) => self.run_command(world, command),
        }
    }

    fn run_command(&mut self, world: &mut World, command: Command) {
        match command {
            Command::Help(name) => self.help(world, name.as_deref()),
            Command::Modules => self.list(world),
            Command::Enable(id) => self.switch(world, &id.into(), true),
            Command::Disable(id) => self.switch(world, &id.into(), false),
            Command::Reload { id, force } => {
                let id = ModuleId::from(id);
                if self.known(world, &id) {
                    self.script.await_module(&id);
                    self.worker.ask(Ask::Reload { id, force });
                }
            }
            Command::Load { id, path } => {
                let id = ModuleId::from(id);
                if self.known(world, &id) {
                    self.script.await_module(&id);
                    self.worker.ask(Ask::Load { id, path: path.into() });
                }
            }
            Command::Rollback { id, generation, state } => {
                self.roll_back_by_hand(world, &id.into(), generation, state);
            }
            Command::History(id) => self.history(world, &id.into()),
            Command::Plan(id) => {
                let id = ModuleId::from(id);
                if self.known(world, &id) {
                    self.script.await_module(&id);
                    self.worker.ask(Ask::Plan(id));
                }
            }
            Command::App(name) => self.app(world, name.as_deref()),
            Command::Stats => self.stats(world),
            Command::Hash => self.hash(world),
            Command::Quarantine { clear } => {
                self.script.await_module(&QUARANTINE.into());
                self.worker.ask(Ask::Quarantine { clear });
            }
            Command::Snapshot(command) => self.snapshot_command(world, &command),
            Command::Wait(frames) => self.script.wait_until(self.frame.saturating_add(frames)),
            Command::Quit => self.exit(world),
            Command::Clear => {
                if let Some(mut console) = world.get_resource_mut::<Console>() {
                    console.clear();
                }
            }
            Command::Other { name, args } => self.module_command(world, &name, args),
        }
    }

    fn help(&self, world: &mut World, name: Option<&str>) {
        let mut text = String::new();
        let own = self.running.active.values().flat_map(|active| &active.commands);
        match name {
            Some(name) => match built_in(name) {
                Some(command) => text = format!("{}\n  {}", command.usage, command.help),
                None => {
                    let found = own.into_iter().find(|command| command.name == name);
                    let unknown = || format!("there is no command `{name}`");
                    text = found.map_or_else(unknown, |c| format!("{}\n  {}", c.name, c.help));
                }
            },
            None => {
                for command in command::BUILT_IN {
                    text.push_str(&format!("{:<26} {}\n", command.usage, command.help));
                }
                for command in own {
                    text.push_str(&format!("{:<26} {}\n", command.name, command.help));
                }
            }
        }
        self.say(world, Level::Info, text.trim_end());
    }

    fn list(&self, world: &mut World) {
        let mut text = format!(
            "{:<24} {:<8} {:<8} {:>3}  {:<10} {:>8} {:>8}\n",
            "module", "kind", "version", "gen", "state", "build ms", "swap ms"
        );
        for row in self.rows() {
            let number = |ms: Option<f32>| ms.map_or("-".to_owned(), |ms| format!("{ms:.1}"));
            let returned = row.returned.as_ref();
            let returned = returned.map(|(number, _)| format!("  {number} errors returned"));
            text.push_str(&format!(
                "{:<24} {:<8} {:<8} {:>3}  {:<10} {:>8} {:>8}{}\n",
                row.id,
                row.kind,
                row.version,
                row.generation,
                row.state.label(),
                number(row.build_ms),
                number(row.swap_ms),
                returned.unwrap_or_default()
            ));
        }
        self.say(world, Level::Info, text.trim_end());
    }

    /// True for a module that exists; says so otherwise.
    fn known(&self, world: &mut World, id: &ModuleId) -> bool {
        if self.modules.contains(id) {
            return true;
        }
        let names = self.modules.iter().map(ModuleId::as_str);
        let hint = suggest(id.as_str(), names)
            .map_or(String::new(), |name| format!(" Did you mean `{name}`?"));
        self.say(world, Level::Error, &format!("there is no module `{id}`.{hint}"));
        false
    }

    fn switch(&mut self, world: &mut World, id: &ModuleId, on: bool) {
        if !self.known(world, id) {
            return;
        }
        if let Some(reason) = self.cannot_switch(id) {
            return self.say(world, Level::Error, &reason);
        }
        if self.running.active.contains_key(id) == on {
            let state = if on { "on" } else { "off" };
            return self.say(world, Level::Info, &format!("{id} is {state} already"));
        }
        self.wanted.switched.insert(id.clone(), on);
        self.script.await_wanted(self.wanted.clone());
        self.worker.ask(Ask::Want(self.wanted.clone()));
    }

    /// Why a module cannot be switched by itself.
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

    fn roll_back_by_hand(
        &mut self,
        world: &mut World,
        id: &ModuleId,
        generation: Option<u32>,
        state: bool,
    ) {
        if !self.known(world, id) {
            return;
        }
        let before = self.last_generation(id).and_then(|last| self.history.before(last));
        let Some(number) = generation.or(before) else {
            let text = format!("there is no older generation of `{id}` to go back to");
            return self.say(world, Level::Error, &text);
        };
        if self.running.active.get(id).is_some_and(|active| active.generation.number == number) {
            return self.say(world, Level::Info, &format!("generation {number} of {id} runs"));
        }
        let is_off = !self.running.active.contains_key(id);
        if is_off && self.wanted.switched.get(id) != Some(&false) {
            let text =
                format!("`{id}` is no part of what runs: change to an app that it belongs to");
            return self.say(world, Level::Error, &text);
        }
        let mut way = match self.history.way_back(id, number) {
            Ok(way) => way,
            Err(reason) => return self.say(world, Level::Error, &reason),
        };
        // What was switched off since stays off; what panicked and was switched off comes back.
        way.retain(|other| other == id || self.running.active.contains_key(other));
        let enter = match self.planned(&way.enter) {
            Ok(enter) => enter,
            Err(reason) => {
                let text = format!("H0808: `{id}` stays as it is: {reason}");
                return self.say(world, Level::Error, &text);
            }
        };
        let newest = |old: &SharedGeneration| self.last_generation(old.id()).cloned();
        let rejected: Vec<SharedGeneration> = enter.iter().filter_map(newest).collect();
        let running = self.generations();
        let snapshot = self.snapshot(world, &enter);
        let wanted = self.wanted.clone();
        if is_off {
            self.wanted.switched.insert(id.clone(), true);
        }
        if let Err(error) = self.roll_back(world, enter.clone(), rejected, "by hand") {
            self.wanted = wanted;
            let text = format!("H0808: `{id}` stays as it is: {error}");
            return self.say(world, Level::Error, &text);
        }
        if state {
            let restored = self
                .history
                .snapshots(&way)
                .try_for_each(|(snapshot, modules)| snapshot.restore(world, modules));
            if let Err(error) = restored {
                let text = format!("H0806: some resources stay as they are: {error}");
                self.say(world, Level::Error, &text);
            }
        }
        if enter.iter().any(|old| !self.history.is_committed(old)) {
            self.probations.begin(&enter, &running, self.settings.probation_frames);
        }
        self.remember(&enter, &running, snapshot, true);
    }

    /// These, each behind what it requires, once it is known that they can run with what stays.
    fn planned(&self, enter: &[SharedGeneration]) -> Result<Vec<SharedGeneration>, String> {
        let mut all = self.generations();
        all.extend(enter.iter().map(|old| (old.id().clone(), old.clone())));
        let manifests: BTreeMap<ModuleId, Manifest> =
            all.iter().map(|(id, module)| (id.clone(), module.manifest.clone())).collect();
        let order = inspect::graph::check_graph(&manifests).map_err(|error| error.to_string())?;
        let in_order: Vec<SharedGeneration> =
            order.iter().filter_map(|id| all.get(id).cloned()).collect();
        plan::plan(&in_order, &Outlines::new(), Trial::Due).map_err(|error| error.to_string())?;
        let enters = |module: &SharedGeneration| enter.iter().any(|it| Arc::ptr_eq(it, module));
        Ok(in_order.into_iter().filter(enters).collect())
    }

    fn history(&self, world: &mut World, id: &ModuleId) {
        if self.known(world, id) {
            let active = self.running.active.get(id).map(|active| &active.generation);
            self.say(world, Level::Info, &self.history.told(id, active));
        }
    }

    fn app(&mut self, world: &mut World, name: Option<&str>) {
        let apps: Vec<&str> =
            self.modules.iter().filter(|id| id.is_app()).map(ModuleId::as_str).collect();
        let Some(name) = name else {
            let runs = self.wanted.app.as_ref().map_or("none", ModuleId::as_str);
            let text = format!("{runs} runs; there are {}", apps.join(", "));
            return self.say(world, Level::Info, &text);
        };
        let id = ModuleId::of_app(name);
        if !self.modules.contains(&id) {
            let text = format!("there is no app `{name}`; there are {}", apps.join(", "));
            return self.say(world, Level::Error, &text);
        }
        if self.wanted.app.as_ref() == Some(&id) {
            return self.say(world, Level::Info, &format!("{id} runs already"));
        }
        self.wanted.app = Some(id);
        self.script.await_wanted(self.wanted.clone());
        self.worker.ask(Ask::Want(self.wanted.clone()));
    }

    fn hash(&self, world: &mut World) {
        let records = self.running.active.values().flat_map(|active| &active.persisted);
        match snapshot::hash(world, records) {
            Ok(hash) => self.say(world, Level::Info, &format!("hash {hash}")),
            Err(error) => self.say(world, Level::Error, &format!("H0803: no hash: {error}")),
        }
    }

    fn stats(&self, world: &mut World) {
        let (now, Taken { at_ready, swaps, artifacts }) = (Usage::now(), &self.taken);
        let per_swap = |now: u64, before: u64| {
            let more = now as f64 - before as f64;
            if *swaps == 0 { 0.0 } else { more / *swaps as f64 }
        };
        let mib = |bytes: f64| bytes / (1 << 20) as f64;
        let text = format!(
            "memory {:.1} MiB, {:+.2} a swap\nmappings {} of {}, {:+.1} a swap\n\
             descriptors {} of {}, {:+.1} a swap\nswaps {swaps} since ready; {} artifacts in the \
             process, {:.1} MiB",
            mib(now.resident_bytes as f64),
            mib(per_swap(now.resident_bytes, at_ready.resident_bytes)),
            now.mappings,
            now.max_mappings,
            per_swap(now.mappings, at_ready.mappings),
            now.descriptors,
            now.max_descriptors.map_or("any number".to_owned(), |most| most.to_string()),
            per_swap(now.descriptors, at_ready.descriptors),
            artifacts.len(),
            mib(artifacts.values().sum::<u64>() as f64),
        );
        self.say(world, Level::Info, &text);
    }

    fn module_command(&mut self, world: &mut World, name: &str, args: Vec<String>) {
        for (id, active) in &mut self.running.active {
            let Some(command) = active.commands.iter_mut().find(|c| c.name == name) else {
                continue;
            };
            let what = format!("command `{name}`");
            let ran = guard::catch(id, &what, || {
                let answer = command.system.run(args, world);
                command.system.apply_deferred(world);
                answer
            });
            let (level, text) = match ran {
                Ok(Ok(text)) => (Level::Info, text),
                Ok(Err(error)) => (Level::Error, format!("{what}: {error}")),
                Err(panic) if self.probations.holds(&panic.module) => {
                    self.hear_panic(world, &panic);
                    return;
                }
                // Nothing but the command failed, and only whoever typed it asked for it.
                Err(panic) => (Level::Error, panic.to_string()),
            };
            return self.say(world, level, &text);
        }
        let own = self.running.active.values().flat_map(|active| &active.commands);
        let names = command::BUILT_IN.iter().map(|c| c.name).chain(own.map(|command| command.name));
        let hint = suggest(name, names).map_or_else(
            || " `help` lists them.".to_owned(),
            |name| format!(" Did you mean `{name}`?"),
        );
        self.say(world, Level::Error, &format!("there is no command `{name}`.{hint}"));
    }
}
