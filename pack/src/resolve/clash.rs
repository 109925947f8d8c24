//! Why packs do not go together, and what would help.

use std::fmt;

use semver::Version;
use thiserror::Error;

use super::solver::{self, Outcome};
use super::{Catalog, Provider, Resolution, Want};

/// The largest number of changes that are tried together.
const MOST_CHANGES: usize = 3;
/// The largest number of attempts.
const MOST_ATTEMPTS: usize = 2_000;

/// Requirements that cannot all be met.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}", self.in_words())]
pub struct Clash {
    /// The facts that clash, in words.
    pub facts: Vec<String>,
    /// The smallest change that helps; empty if none of up to three steps does.
    pub changes: Vec<Change>,
}

/// A step that helps.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Exchange a pack for another version of it.
    Update {
        /// The pack.
        pack: String,
        /// The version that is wanted now.
        from: Version,
        /// The version that fits.
        to: Version,
    },
    /// Switch a module of the game off.
    SwitchOff {
        /// The module.
        module: String,
    },
    /// Give a pack up.
    Remove {
        /// The pack.
        pack: String,
    },
    /// Add a pack that another one requires.
    Add {
        /// The pack.
        pack: String,
        /// Its version.
        version: Version,
    },
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Update { pack, from, to } => {
                write!(f, "change pack `{pack}` from {from} to {to}")
            }
            Self::SwitchOff { module } => write!(f, "switch `{module}` off"),
            Self::Remove { pack } => write!(f, "leave pack `{pack}` out"),
            Self::Add { pack, version } => write!(f, "add pack `{pack}` {version}"),
        }
    }
}

impl Clash {
    fn in_words(&self) -> String {
        let facts: String = self.facts.iter().map(|fact| format!("\n- {fact}")).collect();
        let changes: Vec<String> = self.changes.iter().map(ToString::to_string).collect();
        let help = match changes.as_slice() {
            [] => "no small change would help".to_owned(),
            changes => format!("what would help: {}", changes.join(", and ")),
        };
        format!("these do not go together:{facts}\n{help}")
    }
}

/// A requirement that is given up to see whether that helps, the least painful kind first.
#[derive(Clone, Debug)]
enum Relaxed {
    AnyVersion(String),
    SwitchedOff(String),
    Unwanted(String),
}

/// The smallest set of changes that helps, and among those of the same size the first one: other
/// versions before modules that are switched off, and these before packs that are left out.
pub(super) fn smallest_change(catalog: &Catalog, wants: &[Want]) -> Vec<Change> {
    let pinned = wants.iter().filter(|want| want.version.is_some());
    let on = catalog.built_in.iter().filter(|built_in| built_in.is_on);
    let relaxed: Vec<Relaxed> = pinned
        .map(|want| Relaxed::AnyVersion(want.pack.clone()))
        .chain(on.map(|built_in| Relaxed::SwitchedOff(built_in.module.id.clone())))
        .chain(wants.iter().map(|want| Relaxed::Unwanted(want.pack.clone())))
        .collect();
    let mut attempts = 0;
    for size in 1..=MOST_CHANGES.min(relaxed.len()) {
        let mut picked: Vec<usize> = (0..size).collect();
        loop {
            attempts += 1;
            if attempts > MOST_ATTEMPTS {
                return Vec::new();
            }
            let steps: Vec<&Relaxed> = picked.iter().map(|at| &relaxed[*at]).collect();
            if let Some(changes) = attempt(catalog, wants, &steps) {
                return changes;
            }
            if !next_combination(&mut picked, relaxed.len()) {
                break;
            }
        }
    }
    Vec::new()
}

/// The changes of these steps, if they help.
fn attempt(catalog: &Catalog, wants: &[Want], steps: &[&Relaxed]) -> Option<Vec<Change>> {
    let (mut catalog, mut relaxed) = (catalog.clone(), wants.to_vec());
    for step in steps {
        match step {
            Relaxed::AnyVersion(pack) => {
                let want = relaxed.iter_mut().find(|want| want.pack == *pack)?;
                want.version = None;
            }
            Relaxed::SwitchedOff(module) => {
                catalog.built_in.retain(|built_in| built_in.module.id != *module);
            }
            Relaxed::Unwanted(pack) => relaxed.retain(|want| want.pack != *pack),
        }
    }
    let Outcome::Solved(resolution) = solver::solve(&catalog, &relaxed) else { return None };
    let mut changes: Vec<Change> = Vec::new();
    for step in steps {
        changes.push(change(step, wants, &resolution)?);
    }
    let added = resolution.packs.iter().filter(|(id, _)| wants.iter().all(|it| it.pack != **id));
    changes.extend(
        added.map(|(id, version)| Change::Add { pack: id.clone(), version: version.clone() }),
    );
    Some(changes)
}

fn change(step: &Relaxed, wants: &[Want], resolution: &Resolution) -> Option<Change> {
    Some(match step {
        Relaxed::AnyVersion(pack) => {
            let from = wants.iter().find(|want| want.pack == *pack)?.version.clone()?;
            let to = resolution.packs.get(pack)?.clone();
            Change::Update { pack: pack.clone(), from, to }
        }
        Relaxed::SwitchedOff(module) => {
            // Another pack may offer it now.
            debug_assert!(
                resolution.modules.get(module).is_none_or(|(_, it)| *it != Provider::Game)
            );
            Change::SwitchOff { module: module.clone() }
        }
        Relaxed::Unwanted(pack) => {
            // It came back because another one requires it.
            if resolution.packs.contains_key(pack) {
                return None;
            }
            Change::Remove { pack: pack.clone() }
        }
    })
}

/// The next set of indices of the same size; false after the last one.
fn next_combination(picked: &mut [usize], count: usize) -> bool {
    let size = picked.len();
    let Some(at) = (0..size).rev().find(|at| picked[*at] < count - size + at) else { return false };
    picked[at] += 1;
    for next in at + 1..size {
        picked[next] = picked[next - 1] + 1;
    }
    true
}
