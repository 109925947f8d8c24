//! A module's status, apart from its generation.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::console::plan::ModulePlan;
use crate::generation::Times;
use crate::refusal::Refusal;

/// A module's status, apart from its generation.
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// True while rustc compiles it.
    pub building: bool,
    /// The state of its newest source.
    pub newest: NewestSource,
    /// The last plan, or why the newest code does not run.
    pub plan: Option<Arc<ModulePlan>>,
    /// The duration of each step of its last swap.
    pub times: Option<Times>,
    /// Errors that its systems returned, by system.
    pub errors: BTreeMap<String, ReturnedErrors>,
}

/// The state of a module's newest source.
#[derive(Clone, Debug, Default)]
pub enum NewestSource {
    /// It runs, or would run if it were selected.
    #[default]
    Fine,
    /// rustc refused it, with these messages.
    NotCompiled(String),
    /// It was built and will not run.
    Refused(Refusal),
    /// It would drop data, and waits for a confirmation.
    NeedsConfirmation(Refusal),
    /// Its artifact is in quarantine; the last good one runs instead.
    StandIn(Refusal),
    /// It panicked, and the module is switched off.
    SwitchedOff(String),
    /// It panicked, and the previous generation is back.
    RolledBack(String),
}

impl NewestSource {
    /// Why the newest source does not run.
    pub fn error(&self) -> Option<String> {
        match self {
            Self::Fine => None,
            Self::NotCompiled(text) | Self::SwitchedOff(text) | Self::RolledBack(text) => {
                Some(text.clone())
            }
            Self::Refused(refusal) | Self::NeedsConfirmation(refusal) | Self::StandIn(refusal) => {
                Some(refusal.to_string())
            }
        }
    }
}

/// Errors that one system returned.
#[derive(Clone, Debug, Default)]
pub struct ReturnedErrors {
    /// Their number.
    pub count: u64,
    /// The count at which the next one is reported.
    report_at: u64,
    /// The last one.
    pub last: String,
}

impl ReturnedErrors {
    /// Counts one more. True if it should be reported: once for every tenfold increase, not once
    /// per frame.
    pub fn add(&mut self, message: &str) -> bool {
        self.count += 1;
        self.last = message.to_owned();
        let is_due = self.count == self.report_at.max(1);
        if is_due {
            self.report_at = self.count * 10;
        }
        is_due
    }
}

impl Status {
    /// The number of errors that the module's systems returned, and the last one of the system with
    /// the most.
    pub fn returned(&self) -> Option<(u64, String)> {
        let (system, most) = self.errors.iter().max_by_key(|(_, errors)| errors.count)?;
        let count = self.errors.values().map(|errors| errors.count).sum();
        Some((count, format!("{system}: {}", most.last)))
    }

    /// True while rustc refuses the newest source.
    pub fn is_not_compiled(&self) -> bool {
        matches!(self.newest, NewestSource::NotCompiled(_))
    }

    /// The newest source compiles again, even if the module still waits for others.
    pub fn on_compiled(&mut self) {
        if self.is_not_compiled() {
            self.newest = NewestSource::Fine;
        }
    }

    /// rustc refused the newest source.
    pub fn on_not_compiled(&mut self, messages: String) {
        self.building = false;
        self.plan = None;
        self.newest = NewestSource::NotCompiled(messages);
    }

    /// The newest source was built and refused, or needs a confirmation.
    pub fn on_refused(&mut self, refusal: Refusal, needs_confirmation: bool) {
        self.plan = None;
        self.newest = if needs_confirmation {
            NewestSource::NeedsConfirmation(refusal)
        } else {
            NewestSource::Refused(refusal)
        };
    }

    /// The question about its data no longer counts.
    pub fn on_settled(&mut self) {
        self.plan = None;
        if matches!(self.newest, NewestSource::NeedsConfirmation(_)) {
            self.newest = NewestSource::Fine;
        }
    }

    /// The last good artifact runs instead of the newest one.
    pub fn on_stand_in(&mut self, refusal: Refusal) {
        self.newest = NewestSource::StandIn(refusal);
    }

    /// The module panicked and is switched off.
    pub fn on_ended(&mut self, reason: String) {
        self.newest = NewestSource::SwitchedOff(reason);
    }

    /// A new generation runs. Its code is older than the newest source if that was not reported to
    /// compile again, or if it stands in for an artifact in quarantine, as a first generation can.
    pub fn on_swapped(&mut self, times: Times, was_running: bool) {
        let stands_in = matches!(self.newest, NewestSource::StandIn(_)) && !was_running;
        let is_older = stands_in || self.is_not_compiled();
        let newest = if is_older { std::mem::take(&mut self.newest) } else { NewestSource::Fine };
        *self = Self { newest, times: Some(times), ..Self::default() };
    }
}
