//! Parses rustc's messages: one JSON object per line of its standard error.

use std::time::Instant;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::error::BuildError;
use super::rustc::{Job, ms};
use crate::os_remedies::remedy_in;

#[derive(Deserialize)]
struct Message {
    #[serde(rename = "$message_type")]
    kind: String,
    level: Option<String>,
    message: Option<String>,
    rendered: Option<String>,
    emit: Option<String>,
    #[serde(default)]
    spans: Vec<IgnoredAny>,
}

/// The messages of one compilation.
#[derive(Default)]
pub(super) struct Diagnostics {
    /// As rustc renders them, with colours.
    pub errors: Vec<String>,
    pub warnings: Vec<String>,
    /// Time until the metadata was written, in milliseconds.
    pub check_ms: f32,
    /// rustc has reported all errors and stopped.
    pub aborts: bool,
    /// The remedy, if an error was caused by a machine limit and not by the source.
    remedy: Option<&'static str>,
}

impl Diagnostics {
    /// Reads messages until they end or rustc reports that it stops.
    pub fn read(lines: &mut impl Iterator<Item = String>, started: Instant) -> Self {
        let mut diagnostics = Self::default();
        for line in lines {
            let Ok(message) = serde_json::from_str::<Message>(&line) else {
                // Output of a linker, or the text of a crash.
                diagnostics.remedy = diagnostics.remedy.or(remedy_in(&line));
                diagnostics.errors.push(line);
                continue;
            };
            if message.kind == "artifact" && message.emit.as_deref() == Some("metadata") {
                diagnostics.check_ms = ms(started);
            }
            let Some(rendered) = message.rendered else { continue };
            // A message with a span quotes the source, which may contain anything.
            if message.spans.is_empty()
                && message.level.as_ref().is_some_and(|level| level.starts_with("error"))
            {
                diagnostics.remedy = diagnostics.remedy.or(remedy_in(&rendered));
            }
            match message.level.as_deref() {
                Some("error") => {
                    diagnostics.errors.push(rendered);
                    if message.message.is_some_and(|text| text.starts_with("aborting due to")) {
                        diagnostics.aborts = true;
                        break;
                    }
                }
                Some("error: internal compiler error") => diagnostics.errors.push(rendered),
                Some("warning") => diagnostics.warnings.push(rendered),
                _ => {}
            }
        }
        diagnostics
    }

    /// The errors, preceded by the remedy if a machine limit caused them.
    pub fn into_errors(self, job: &Job) -> Vec<String> {
        let note = self.remedy.map(|remedy| {
            let (module, folder) = (job.id.clone(), job.folder.clone());
            BuildError::Machine { module, folder, remedy }.to_string()
        });
        note.into_iter().chain(self.errors).collect()
    }
}
