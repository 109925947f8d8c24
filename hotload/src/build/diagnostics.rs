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

impl Message {
    fn starts_with(&self, start: &str) -> bool {
        self.message.as_ref().is_some_and(|text| text.starts_with(start))
    }

    /// True for rustc's last warning, which tells how many came before it.
    fn counts_warnings(&self) -> bool {
        let ends_with = |end| self.message.as_ref().is_some_and(|text| text.ends_with(end));
        self.spans.is_empty() && (ends_with(" warning emitted") || ends_with(" warnings emitted"))
    }
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
    /// Reads messages until they end or rustc reports that it stops. Calls `metadata` when the
    /// crate's metadata was written.
    pub fn read(
        lines: &mut impl Iterator<Item = String>,
        started: Instant,
        metadata: impl Fn(),
    ) -> Self {
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
                metadata();
            }
            let Some(rendered) = message.rendered.clone() else { continue };
            // A message with a span quotes the source, which may contain anything.
            if message.spans.is_empty()
                && message.level.as_ref().is_some_and(|level| level.starts_with("error"))
            {
                diagnostics.remedy = diagnostics.remedy.or(remedy_in(&rendered));
            }
            match message.level.as_deref() {
                Some("error") if message.starts_with("aborting due to") => {
                    // It says nothing that the errors before it do not say.
                    if diagnostics.errors.is_empty() {
                        diagnostics.errors.push(rendered);
                    }
                    diagnostics.aborts = true;
                    break;
                }
                Some("error") => diagnostics.errors.push(rendered),
                Some("error: internal compiler error") => diagnostics.errors.push(rendered),
                Some("warning") if message.counts_warnings() => {}
                Some("warning") => diagnostics.warnings.push(rendered),
                _ => {}
            }
        }
        diagnostics
    }

    /// True if rustc may have begun to generate code, which it does after it has written metadata.
    pub fn reached_codegen(&self) -> bool {
        self.check_ms > 0.0
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(messages: &[(&str, &str, bool)]) -> Diagnostics {
        let line = |(level, text, has_span): &(&str, &str, bool)| {
            let spans = if *has_span { "[{}]" } else { "[]" };
            format!(
                r#"{{"$message_type":"diagnostic","level":"{level}","message":"{text}","spans":{spans},"rendered":"{level}: {text}\n\n"}}"#
            )
        };
        Diagnostics::read(&mut messages.iter().map(line), Instant::now(), || ())
    }

    #[test]
    fn rustcs_tally_is_no_warning() {
        let diagnostics = read(&[
            ("warning", "unused variable: `a`", true),
            ("warning", "unused variable: `b`", true),
            ("warning", "2 warnings emitted", false),
        ]);
        assert_eq!(diagnostics.warnings.len(), 2);
        let one = read(&[("warning", "unused", true), ("warning", "1 warning emitted", false)]);
        assert_eq!(one.warnings, ["warning: unused\n\n"]);
        // A warning may have no place in the source.
        assert_eq!(read(&[("warning", "unstable feature", false)]).warnings.len(), 1);
    }

    #[test]
    fn rustcs_last_error_ends_the_reading_and_is_left_out() {
        let aborting = ("error", "aborting due to 1 previous error; 1 warning emitted", false);
        let diagnostics = read(&[
            ("error", "mismatched types", true),
            aborting,
            ("failure-note", "For more information about this error, try …", false),
        ]);
        assert_eq!(diagnostics.errors, ["error: mismatched types\n\n"]);
        assert!(diagnostics.aborts);
        // Without another one it is better than none.
        assert_eq!(read(&[aborting]).errors.len(), 1);
    }
}
