//! The queue of commands from the command line, standard input and the console, in order.

use std::collections::VecDeque;
use std::io::{BufRead, IsTerminal, Write, stdin, stdout};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use crate::console::command::Command;
use crate::worker::request::Ticket;

/// Commands that have not run yet.
pub struct CommandQueue {
    queue: VecDeque<Line>,
    waits_for: Option<WaitsFor>,
    stdin: Option<Mutex<Receiver<String>>>,
}

/// A line to run; its commands run one after the other.
#[derive(Debug)]
pub enum Line {
    /// The text as it was typed.
    Text(String),
    /// A parsed command.
    Command(Command),
}

/// The condition under which the next command runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WaitsFor {
    /// This frame.
    Frame(u64),
    /// The answer to this request.
    Ticket(Ticket),
}

impl CommandQueue {
    /// A queue of the lines given on the command line; with `prompt` it continues with standard
    /// input.
    pub fn new(lines: &[String], prompt: bool) -> Self {
        Self {
            queue: lines.iter().cloned().map(Line::Text).collect(),
            waits_for: None,
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

    /// Removes and returns the first line of that kind, ahead of the others.
    pub fn next_that(&mut self, is_one: fn(&Line) -> bool) -> Option<Line> {
        self.take_stdin();
        let at = self.queue.iter().position(is_one)?;
        self.queue.remove(at)
    }

    /// The next line, if the condition of the queue is met.
    pub fn next(&mut self, frame: u64) -> Option<Line> {
        self.take_stdin();
        match self.waits_for {
            Some(WaitsFor::Frame(until)) if frame >= until => self.waits_for = None,
            Some(_) => return None,
            None => {}
        }
        self.queue.pop_front()
    }

    /// Postpones the next command until this frame.
    pub fn wait_until(&mut self, frame: u64) {
        self.waits_for = Some(WaitsFor::Frame(frame));
    }

    /// Postpones the next command until this request is answered.
    pub fn wait_for(&mut self, ticket: Ticket) {
        self.waits_for = Some(WaitsFor::Ticket(ticket));
    }

    /// A request was answered.
    pub fn answered(&mut self, ticket: Ticket) {
        if self.waits_for == Some(WaitsFor::Ticket(ticket)) {
            self.waits_for = None;
        }
    }

    /// The worker has ended: no more requests will be answered.
    pub fn worker_ended(&mut self) {
        if self.waits_for_worker() {
            self.waits_for = None;
        }
    }

    /// True while the queue waits for the worker.
    pub fn waits_for_worker(&self) -> bool {
        matches!(self.waits_for, Some(WaitsFor::Ticket(_)))
    }

    /// True when nothing is left to do.
    pub fn is_over(&self) -> bool {
        self.queue.is_empty() && self.waits_for.is_none()
    }
}

/// Lines of standard input, with a prompt on a terminal.
fn read_stdin() -> Mutex<Receiver<String>> {
    let (send, lines) = channel();
    thread::spawn(move || {
        let prompt = || {
            if stdin().is_terminal() {
                print!("playground> ");
                // If the prompt cannot be shown, still read the lines.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn text(line: Option<Line>) -> Option<String> {
        line.map(|line| match line {
            Line::Text(text) => text,
            Line::Command(command) => format!("{command:?}"),
        })
    }

    #[test]
    fn a_command_waits_for_its_own_ticket_alone() {
        let mut queue = CommandQueue::new(&["one".to_owned(), "two".to_owned()], false);
        assert_eq!(text(queue.next(0)).as_deref(), Some("one"));
        queue.wait_for(Ticket(2));
        assert!(queue.waits_for_worker() && !queue.is_over());
        queue.answered(Ticket(1));
        assert!(queue.next(0).is_none());
        queue.answered(Ticket(2));
        assert_eq!(text(queue.next(0)).as_deref(), Some("two"));
        assert!(queue.is_over());
    }

    #[test]
    fn a_worker_that_ended_holds_nothing_up() {
        let mut queue = CommandQueue::new(&["one".to_owned()], false);
        queue.wait_for(Ticket(1));
        queue.worker_ended();
        assert!(queue.next(0).is_some());
        queue.wait_until(5);
        queue.worker_ended();
        queue.push(Line::Text("two".to_owned()));
        assert!(queue.next(4).is_none());
        assert!(queue.next(5).is_some());
    }
}
