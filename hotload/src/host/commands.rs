//! The console's commands.

use bevy::prelude::*;

use super::Host;
use super::command_queue::Line;
use super::report::lines;
use crate::console::command::{self, Command, QuarantineCommand, UnknownCommand};
use crate::console::view::Level;
use crate::console::{Console, Input};
use crate::guard;
use crate::ids::ModuleId;
use crate::refusal::{CommandError, Refusal};
use crate::restart::{self, Restart};
use crate::swap::leftovers::FunctionSets;
use crate::worker::event::Request;

fn may_run_early(line: &Line) -> bool {
    let is_one = |command: &Command| matches!(command, Command::Quarantine(_) | Command::Pack(_));
    match line {
        Line::Command(command) => is_one(command),
        Line::Text(text) => {
            command::parse(text).is_ok_and(|all| !all.is_empty() && all.iter().all(is_one))
        }
    }
}

impl Host {
    /// Runs the commands that are due; the first ones run once the game is ready.
    pub(super) fn run_commands(&mut self, world: &mut World) {
        let mut declined = Vec::new();
        if let Some(mut console) = world.get_resource_mut::<Console>() {
            for input in console.take_input() {
                match input {
                    Input::Text(text) => self.commands.push(Line::Text(text)),
                    Input::Command(command) => self.commands.push(Line::Command(command)),
                    Input::Decline(id) => declined.push(id.into()),
                    Input::DeclineTrust => self.pack_question = None,
                }
            }
        }
        for id in declined {
            self.decline(world, &id);
        }
        if matches!(self.phase, super::Phase::Starting | super::Phase::Resuming) {
            // A module in quarantine or of a pack may be the reason why the game does not become
            // ready.
            while let Some(line) = self.commands.next_that(may_run_early) {
                self.run_line(world, line);
            }
            return;
        }
        while let Some(line) = self.commands.next(self.frame) {
            self.run_line(world, line);
        }
        let is_last_frame = self.settings.frames.is_some_and(|frames| self.frame >= frames);
        if is_last_frame && self.commands.is_over() {
            self.exit(world);
        }
    }

    fn run_line(&mut self, world: &mut World, line: Line) {
        match line {
            Line::Text(text) => {
                self.print(world, Level::Input, &text);
                match command::parse(&text) {
                    Ok(commands) if self.is_ready() => self.commands.push_first(commands),
                    Ok(commands) => {
                        commands.into_iter().for_each(|command| self.run_command(world, command));
                    }
                    Err(error) => {
                        // Its other arguments do not matter where the module does not exist.
                        let named = command::named_module(&text).map(ModuleId::from);
                        if named.is_none_or(|id| self.known(world, &id)) {
                            self.print(world, Level::Error, &error.to_string());
                        }
                    }
                }
            }
            Line::Command(command) => self.run_command(world, command),
        }
    }

    fn run_command(&mut self, world: &mut World, command: Command) {
        match command {
            Command::Help { command } => self.help(world, command.as_deref()),
            Command::Modules => self.list(world),
            Command::Enable { id } => self.switch(world, &id.into(), true),
            Command::Disable { id } => self.switch(world, &id.into(), false),
            Command::Reload { id, force } => {
                let id = id.into();
                if self.known(world, &id) {
                    self.request_and_wait(Request::Reload { id, force });
                }
            }
            Command::Load { id, path } => {
                let id = id.into();
                if self.known(world, &id) {
                    self.request_and_wait(Request::LoadFile { id, path: path.into() });
                }
            }
            Command::Rollback { id, generation, state } => {
                self.roll_back_by_hand(world, &id.into(), generation, state);
            }
            Command::History { id } => self.show_history(world, &id.into()),
            Command::Plan { id } => {
                let id = id.into();
                if self.known(world, &id) {
                    self.request_and_wait(Request::Plan(id));
                }
            }
            Command::Why { id } => self.show_causes(world, &id.into()),
            Command::App { name } => self.change_app(world, name.as_deref()),
            Command::Stats => {
                let text = format!("{}\n{}", self.stats.text(), FunctionSets::count(world));
                self.print(world, Level::Info, &text);
            }
            Command::Hash => self.hash(world),
            Command::Quarantine(command) => {
                let clear = command == QuarantineCommand::Clear;
                self.request_and_wait(Request::Quarantine { clear });
            }
            Command::Snapshot(command) => self.snapshot_command(world, &command),
            Command::Pack(command) => self.request_and_wait(Request::Packs(command)),
            Command::Wait { frames } => {
                self.commands.wait_until(self.frame.saturating_add(frames));
            }
            Command::Quit => self.exit(world),
            Command::Restart if !self.settings.can_restart => {
                let text = "this program cannot begin anew by itself: end it and start it again";
                self.print(world, Level::Error, text);
            }
            Command::Restart => {
                self.print(world, Level::Info, "the game begins anew");
                restart::request(Restart { app: self.selection.app.clone() });
                self.exit(world);
            }
            Command::Clear => {
                if let Some(mut console) = world.get_resource_mut::<Console>() {
                    console.clear();
                }
            }
            Command::Other { name, args } => self.module_command(world, &name, args),
        }
    }

    fn help(&self, world: &mut World, name: Option<&str>) {
        let own = self.running.active.values().flat_map(|active| &active.commands);
        let own: Vec<(&str, &str)> = own.map(|command| (command.name, command.help)).collect();
        match command::help(name, &own) {
            Ok(text) => self.print(world, Level::Info, text.trim_end()),
            Err(error) => self.print(world, Level::Error, &error.to_string()),
        }
    }

    /// Prints why the running generation of a module was built.
    fn show_causes(&self, world: &mut World, id: &ModuleId) {
        if !self.known(world, id) {
            return;
        }
        let text = match self.last_generation(id) {
            Some(generation) => lines::why(generation),
            None => format!("{id} was not built"),
        };
        self.print(world, Level::Info, &text);
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
        self.print(world, Level::Info, text.trim_end());
    }

    fn hash(&mut self, world: &mut World) {
        let records = self.running.active.values().flat_map(|active| &active.persisted);
        match playground_state_hash::hash(world, records) {
            Ok(hash) => self.print(world, Level::Info, &format!("hash {hash}")),
            Err(error) => {
                let refusal = Refusal::from(CommandError::Hash(error));
                self.print(world, Level::Error, &refusal.to_string());
            }
        }
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
                    self.on_panic(world, &panic);
                    return;
                }
                // Only the command failed; the world and the modules are unaffected.
                Err(panic) => (Level::Error, panic.to_string()),
            };
            return self.print(world, level, &text);
        }
        let own = self.running.active.values().flat_map(|active| &active.commands);
        let error = UnknownCommand::new(name, own.map(|command| command.name));
        self.print(world, Level::Error, &error.to_string());
    }
}
