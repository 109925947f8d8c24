//! The history of the command line: bounded, oldest first, no duplicates in a row.

use std::collections::VecDeque;

/// Submitted lines, and the position of the up and down keys among them.
#[derive(Debug, Clone)]
pub struct History {
    lines: VecDeque<String>,
    limit: usize,
    /// The entry shown on the line; `None` while the line shows the draft.
    at: Option<usize>,
    /// The text before the first step up.
    draft: String,
}

impl Default for History {
    fn default() -> Self {
        Self::new(200)
    }
}

impl History {
    /// An empty history that keeps the newest `limit` lines.
    pub fn new(limit: usize) -> Self {
        Self { lines: VecDeque::new(), limit, at: None, draft: String::new() }
    }

    /// Adds a submitted line, unless it is blank or equal to the previous one.
    pub fn push(&mut self, line: &str) {
        self.leave();
        let line = line.trim();
        if line.is_empty() || self.lines.back().is_some_and(|last| last == line) {
            return;
        }
        self.lines.push_back(line.to_owned());
        while self.lines.len() > self.limit {
            self.lines.pop_front();
        }
    }

    /// The line before the one shown, or `None` at the oldest; the first step keeps `current` as
    /// the draft.
    pub fn older(&mut self, current: &str) -> Option<&str> {
        let next = match self.at {
            None => {
                let last = self.lines.len().checked_sub(1)?;
                self.draft = current.to_owned();
                last
            }
            Some(at) => at.checked_sub(1)?,
        };
        self.at = Some(next);
        self.lines.get(next).map(String::as_str)
    }

    /// The line after the one shown, the draft after the newest, or `None` at the draft.
    pub fn newer(&mut self) -> Option<&str> {
        let next = self.at? + 1;
        if next < self.lines.len() {
            self.at = Some(next);
            self.lines.get(next).map(String::as_str)
        } else {
            self.at = None;
            Some(&self.draft)
        }
    }

    /// Ends the walk through the history, since the line was edited or submitted.
    pub fn leave(&mut self) {
        self.at = None;
        self.draft.clear();
    }

    /// All lines, oldest first.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.lines.iter().map(String::as_str)
    }
}
