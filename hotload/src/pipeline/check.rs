//! Inspect, and check the epochs: whether an artifact may replace the running one.

use std::time::Instant;

use super::admit::Admitted;
use super::{AttemptError, Run, lock};
use crate::build::rustc::ms;
use crate::epoch::check;
use crate::generation::Times;
use crate::inspect::{self, Inspected};
use crate::worker::event::Update;

/// An artifact that was inspected.
pub struct Checked {
    pub inspected: Inspected,
    pub times: Times,
    stands_in: bool,
}

impl Run<'_> {
    /// inspect: checks the bytes of each artifact without executing any of it.
    pub(super) fn inspect(
        &mut self,
        admitted: Vec<Admitted>,
    ) -> Result<Vec<Checked>, AttemptError> {
        self.check_cancelled()?;
        if let Some(full) = lock(&self.tools.usage).full() {
            return Err(full.into());
        }
        let facts = self.tools.facts.wait().as_ref().map_err(Clone::clone)?;
        let mut checked = Vec::with_capacity(admitted.len());
        for Admitted { id, built, stands_in } in admitted {
            let started = Instant::now();
            let compile = built.times;
            if !built.warnings.is_empty() {
                let texts = built.warnings;
                self.reports.push(Update::Warnings { id: id.clone(), texts });
            }
            let inspected = inspect::inspect(&built.path, built.bytes, &id, facts)?;
            let texts: Vec<String> = inspected.warnings().iter().map(ToString::to_string).collect();
            if !texts.is_empty() {
                self.reports.push(Update::Warnings { id: id.clone(), texts });
            }
            let inspect_ms = ms(started);
            let times = Times { watch_ms: self.watch_ms, compile, inspect_ms, ..Times::default() };
            checked.push(Checked { inspected, times, stands_in });
        }
        Ok(checked)
    }

    /// The epoch must be that of the source; and types of the same epoch share their storage, so
    /// they need the same layout.
    pub(super) fn check_epochs(
        &self,
        mut checked: Vec<Checked>,
    ) -> Result<Vec<Checked>, AttemptError> {
        self.check_cancelled()?;
        for Checked { inspected, times, stands_in } in &mut checked {
            let manifest = inspected.manifest();
            let inputs = self.inputs_of(&manifest.id);
            let is_built = self.attempt.workspace.members.prebuilt_module(&manifest.id).is_none();
            if let Some(inputs) = inputs.filter(|_| is_built && !*stands_in) {
                check::check_source(manifest, inputs.epoch(), &inputs.cores)?;
            }
            if let Some(running) = self.attempt.running.generations.get(&manifest.id) {
                let started = Instant::now();
                check::check_layouts(&running.manifest, &running.schemas, inspected)?;
                times.layouts_ms += ms(started);
            }
        }
        Ok(checked)
    }
}
