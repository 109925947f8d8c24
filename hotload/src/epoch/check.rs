//! Checks that an artifact's epoch is that of its source, and that types of one epoch have one
//! layout.

use std::collections::BTreeMap;

use playground_api::schema::{Definition, TypeChange, same_layout};
use thiserror::Error;

use crate::explain::{Explain, Explanation};
use crate::ids::{Epoch, ModuleId};
use crate::inspect::{Inspected, Manifest};

/// Why an artifact's epoch cannot be trusted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}", self.explain())]
pub enum EpochError {
    /// The artifact was built from a different state of the source.
    OtherSource {
        /// The module.
        module: ModuleId,
        /// The artifact's epoch.
        found: Epoch,
        /// The epochs of the core crates in the artifact, by id.
        found_cores: BTreeMap<ModuleId, Epoch>,
        /// The source's epoch.
        expected: Epoch,
        /// The epochs of the core crates on disk, by id.
        expected_cores: BTreeMap<ModuleId, Epoch>,
    },
    /// The epoch is the same, but a type has a different layout in memory.
    OtherLayout {
        /// The module.
        module: ModuleId,
        /// The epoch.
        epoch: Epoch,
        /// The type and its changes.
        change: String,
    },
}

impl Explain for EpochError {
    fn explain(&self) -> Explanation {
        match self {
            Self::OtherSource { module, found, found_cores, expected, expected_cores } => {
                Explanation::new(
                    "H0311",
                    format!(
                        "the artifact of `{module}` was built as epoch {found} over {}, and its \
                         source is epoch {expected} over {}",
                        cores(found_cores),
                        cores(expected_cores)
                    ),
                )
                .remedy(format!("Save it again, or `reload {module}`"))
            }
            Self::OtherLayout { module, epoch, change } => Explanation::new(
                "H0312",
                format!("`{module}` was built as the same epoch {epoch}, and its types differ"),
            )
            .details(change)
            .remedy(
                "Start the game again, and report what was edited: an edit like this has to change \
                 the epoch",
            ),
        }
    }
}

fn cores(epochs: &BTreeMap<ModuleId, Epoch>) -> String {
    if epochs.is_empty() {
        return "no core crates".to_owned();
    }
    epochs.iter().map(|(core, epoch)| format!("{core} {epoch}")).collect::<Vec<_>>().join(", ")
}

/// Compares the artifact's epochs with those of its source: its own and those of its core crates.
///
/// # Errors
///
/// If they differ.
pub fn check_source(
    manifest: &Manifest,
    epoch: &Epoch,
    core_epochs: &BTreeMap<ModuleId, Epoch>,
) -> Result<(), EpochError> {
    if manifest.epoch == *epoch && manifest.cores == *core_epochs {
        return Ok(());
    }
    Err(EpochError::OtherSource {
        module: manifest.id.clone(),
        found: manifest.epoch.clone(),
        found_cores: manifest.cores.clone(),
        expected: epoch.clone(),
        expected_cores: core_epochs.clone(),
    })
}

/// Checks the layouts of types with the same identity: such types share their storage, so they need
/// the same layout. `running` and `schemas` belong to the running generation.
///
/// # Errors
///
/// If a type of the same identity has a different layout.
pub fn check_layouts(
    running: &Manifest,
    schemas: &[Definition],
    inspected: &Inspected,
) -> Result<(), EpochError> {
    let Manifest { id, epoch, crate_epoch, types, .. } = inspected.manifest();
    if running.crate_epoch != *crate_epoch {
        return Ok(());
    }
    let is_same = |schema: &&Definition| {
        let name = schema.name.rsplit("::").next().unwrap_or_default();
        running.types.get(name) == types.get(name)
    };
    let changed = inspected.schemas().iter().filter(is_same).find_map(|new| {
        let old = schemas.iter().find(|old| old.name == new.name)?;
        (!same_layout(old, new)).then(|| TypeChange::between(old, new))
    });
    changed.map_or(Ok(()), |change| {
        let (module, epoch) = (id.clone(), epoch.clone());
        Err(EpochError::OtherLayout { module, epoch, change: change.to_string() })
    })
}
