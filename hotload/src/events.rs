//! The events file: what happens to modules, one JSON object per line, for other tools to read.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use playground_api::events::HotLoadEvent;
use thiserror::Error;

use crate::explain::{Explain, Explanation};
use crate::os_remedies::remedy;

/// Why the events file is not written.
#[derive(Debug, Error)]
#[error("{}", self.explain())]
pub enum EventsError {
    /// It cannot be opened.
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line cannot be written. Events are lost until one can.
    Write {
        /// Why.
        source: io::Error,
    },
}

impl Explain for EventsError {
    fn explain(&self) -> Explanation {
        match self {
            Self::Open { path, source } => Explanation::new(
                "H0804",
                format!("the events file {} cannot be opened: {source}", path.display()),
            )
            .remedy(remedy(source)),
            Self::Write { source } => {
                Explanation::new("H0802", format!("the events file cannot be written: {source}"))
                    .remedy(remedy(source))
            }
        }
    }
}

/// The open events file.
pub struct EventLog {
    file: File,
}

impl EventLog {
    /// Appends to `path`.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened.
    pub fn open(path: &Path) -> Result<Self, EventsError> {
        let opened = OpenOptions::new().create(true).append(true).open(path);
        let file = opened.map_err(|source| EventsError::Open { path: path.to_owned(), source })?;
        Ok(Self { file })
    }

    /// Writes one line, completely or not at all.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn write(&mut self, event: &HotLoadEvent) -> Result<(), EventsError> {
        self.write_line(event).map_err(|source| EventsError::Write { source })
    }

    fn write_line(&mut self, event: &HotLoadEvent) -> io::Result<()> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        let before = self.file.metadata()?;
        let written = self.file.write_all(&line);
        if written.is_err() && before.is_file() {
            // Half a line would corrupt the next one. If truncating fails, too, that is reported.
            self.file.set_len(before.len())?;
        }
        written
    }
}
