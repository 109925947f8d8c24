//! Commands in their order: from the command line, standard input and the console.

use std::collections::VecDeque;
use std::io::{BufRead, IsTerminal, Write, stdin, stdout};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use crate::console::command::Command;
use crate::ids::ModuleId;
use crate::resolve::Selection;

/// Commands that wait for their turn.
pub struct Script {
    queue: VecDeque<Line>,
    waiting: Option<Awaited>,
    stdin: Option<Mutex<Receiver<String>>>,
}

/// A line to be run; commands in it come one after the other.
pub enum Line {
    /// As it was typed.
    Text(String),
    /// As it was understood.
    Command(Command),
}

/// What the next command waits for.
enum Awaited {
    /// This frame.
    Frame(u64),
    /// Something to happen to this module.
    Module(ModuleId),
    /// This to be wanted and done.
    Selection(Selection),
}

impl Script {
    /// A script of the lines given on the command line; with `prompt` it goes on from standard input.
    pub fn new(lines: &[String], prompt: bool) -> Self {
        Self {
            queue: lines.iter().cloned().map(Line::Text).collect(),
            waiting: None,
            stdin: prompt.then(read_stdin),
        }
    }

    /// Adds a line at the end.
    pub fn push(&mut self, line: Line) {
        self.queue.push_back(line);
    }

    /// Adds commands before all others, in their order.
    pub fn push_first(&mut self, commands: Vec<Command>) {
        for command in commands.into_iter().rev() {
            self.queue.push_front(Line::Command(command));
        }
    }

    fn take_stdin(&mut self) {
        if let Some(stdin) = &self.stdin {
            let lines = stdin.lock().map(|lines| lines.try_iter().collect::<Vec<_>>());
            self.queue.extend(lines.unwrap_or_default().into_iter().map(Line::Text));
        }
    }

    /// The first line of that kind, before its turn.
    pub fn next_that(&mut self, is_one: fn(&Line) -> bool) -> Option<Line> {
        self.take_stdin();
        let at = self.queue.iter().position(is_one)?;
        self.queue.remove(at)
    }

    /// The next line, when its turn has come.
    pub fn next(&mut self, frame: u64) -> Option<Line> {
        self.take_stdin();
        match self.waiting {
            Some(Awaited::Frame(until)) if frame >= until => self.waiting = None,
            Some(_) => return None,
            None => {}
        }
        self.queue.pop_front()
    }

    /// The next command waits for this frame.
    pub fn wait_until(&mut self, frame: u64) {
        self.waiting = Some(Awaited::Frame(frame));
    }

    /// The next command waits until something happened to the module.
    pub fn await_module(&mut self, id: &ModuleId) {
        self.waiting = Some(Awaited::Module(id.clone()));
    }

    /// The next command waits until this runs.
    pub fn await_wanted(&mut self, wanted: Selection) {
        self.waiting = Some(Awaited::Selection(wanted));
    }

    /// True while the worker has to do something before the script goes on.
    pub fn awaits(&self) -> bool {
        matches!(self.waiting, Some(Awaited::Module(_) | Awaited::Selection(_)))
    }

    /// Something happened to the module.
    pub fn done(&mut self, id: &ModuleId) {
        if matches!(&self.waiting, Some(Awaited::Module(awaited)) if awaited == id) {
            self.waiting = None;
        }
    }

    /// Something else is wanted now: that it runs is what is waited for.
    pub fn wanted_else(&mut self, wanted: &Selection) {
        if let Some(Awaited::Selection(awaited)) = &mut self.waiting {
            awaited.clone_from(wanted);
        }
    }

    /// This runs now.
    pub fn wanted_done(&mut self, runs: &Selection) {
        if matches!(&self.waiting, Some(Awaited::Selection(awaited)) if awaited == runs) {
            self.waiting = None;
        }
    }

    /// Whatever was waited for will not happen.
    pub fn all_done(&mut self) {
        if self.awaits() {
            self.waiting = None;
        }
    }

    /// True when nothing is left to do.
    pub fn is_over(&self) -> bool {
        self.queue.is_empty() && self.waiting.is_none()
    }
}

/// Lines of standard input, with a prompt on a terminal.
fn read_stdin() -> Mutex<Receiver<String>> {
    let (send, lines) = channel();
    thread::spawn(move || {
        let prompt = || {
            if stdin().is_terminal() {
                print!("playground> ");
                // A prompt that cannot be shown is no reason to stop reading.
                let _ = stdout().flush();
            }
        };
        prompt();
        for line in stdin().lock().lines().map_while(Result::ok) {
            if send.send(line).is_err() {
                break;
            }
            prompt();
        }
    });
    Mutex::new(lines)
}
