//! The persisted resources and states of modules, encoded for a rollback.

use std::collections::BTreeSet;

use bevy::prelude::*;
use playground_api::persist::{Column, PersistRecord, Store};
use thiserror::Error;

use crate::ids::ModuleId;

/// A persisted value cannot be read or restored.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{type_name}`: {reason}")]
pub struct StateError {
    /// The type's name for display.
    pub type_name: String,
    /// Why.
    pub reason: String,
}

impl StateError {
    pub(crate) fn of(record: &PersistRecord, reason: impl ToString) -> Self {
        Self { type_name: record.label(), reason: reason.to_string() }
    }
}

/// The persisted resources and states of some modules, in bincode.
#[derive(Default)]
pub struct RollbackState {
    values: Vec<Saved>,
}

struct Saved {
    module: ModuleId,
    record: PersistRecord,
    values: Column,
}

impl RollbackState {
    /// Encodes the persisted resources and states of `records`, each with its module. Components
    /// are not included, so that the cost of a body edit does not depend on the number of entities.
    ///
    /// # Errors
    ///
    /// If a value's own serialization fails.
    pub fn take<'a>(
        world: &mut World,
        records: impl Iterator<Item = (&'a ModuleId, &'a PersistRecord)>,
    ) -> Result<Self, StateError> {
        let loose = |(_, record): &(&ModuleId, &PersistRecord)| {
            !matches!(record.store, Store::Component | Store::Scoped(_) | Store::Messages)
        };
        let values = records.filter(loose).map(|(module, record)| {
            let values = record.encode(world).map_err(|error| StateError::of(record, error))?;
            Ok(Saved { module: module.clone(), record: *record, values })
        });
        Ok(Self { values: values.collect::<Result<_, StateError>>()? })
    }

    /// Restores the values of these modules, all or none.
    ///
    /// # Errors
    ///
    /// If a value does not decode.
    pub fn restore(
        &self,
        world: &mut World,
        modules: &BTreeSet<ModuleId>,
    ) -> Result<(), StateError> {
        let mut inserts = Vec::with_capacity(self.values.len());
        for saved in self.values.iter().filter(|saved| modules.contains(&saved.module)) {
            let insert = saved.record.decode(&saved.values);
            inserts.push(insert.map_err(|error| StateError::of(&saved.record, error))?);
        }
        for insert in inserts {
            insert(world);
        }
        Ok(())
    }
}
