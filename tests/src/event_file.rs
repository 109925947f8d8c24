//! The events file of an app, of which each line is read once.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;

use serde_json::Value;

/// An events file that grows.
pub struct EventFile {
    path: PathBuf,
    read_bytes: u64,
    events: Vec<Value>,
}

impl EventFile {
    /// The file at `path`, which need not exist yet.
    pub fn new(path: PathBuf) -> Self {
        Self { path, read_bytes: 0, events: Vec::new() }
    }

    /// All events so far.
    ///
    /// # Panics
    ///
    /// When the file cannot be read, or a line is no JSON.
    pub fn read(&mut self) -> &[Value] {
        let mut bytes = Vec::new();
        // There is none before the app has started.
        if let Ok(mut file) = File::open(&self.path) {
            file.seek(SeekFrom::Start(self.read_bytes)).expect("a file");
            file.read_to_end(&mut bytes).expect("the events");
        }
        // The last line may be half written.
        let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        self.read_bytes += end as u64;
        let lines = bytes[..end].split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let parse = |line| serde_json::from_slice::<Value>(line).expect("events are JSON");
        self.events.extend(lines.map(parse));
        &self.events
    }

    /// The text of the file.
    pub fn text(&self) -> String {
        fs::read_to_string(&self.path).unwrap_or_default()
    }
}
