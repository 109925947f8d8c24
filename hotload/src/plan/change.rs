//! The changes that a swap would make to systems and persisted types.

use playground_api::persist::{PersistRecord, Store};
use playground_api::schema::{Definition, TypeChange};

use super::Outline;
use crate::type_matching::successor_of;

/// The changes that a swap of one module would make.
#[derive(Clone, Default)]
pub struct Change {
    /// Systems that are new.
    pub systems_added: Vec<String>,
    /// Systems that are removed.
    pub systems_removed: Vec<String>,
    /// Systems that get new code; their `Local`s are reset, `Keep` and cursors continue.
    pub systems_kept: Vec<String>,
    /// The persisted types of the old and new code.
    pub types: Vec<TypePlan>,
}

/// How a persisted type changes.
#[derive(Clone)]
pub struct TypePlan {
    /// The type, by its new name if it has one.
    pub name: &'static str,
    /// How its values are handled.
    pub fate: Fate,
    /// Access to its values, if there may be some.
    pub old: Option<PersistRecord>,
}

/// How the values of a persisted type are handled.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// Their storage stays as it is.
    Kept,
    /// They are converted by the names of their fields.
    Migrated(TypeChange),
    /// There are none yet.
    New,
    /// They are dropped.
    Dropped {
        /// The manifest declares that they may be dropped.
        declared: bool,
    },
}

impl Change {
    /// The changes from `old` to `new`.
    pub fn between(old: Option<&Outline>, new: &Outline) -> Self {
        let none = Outline::default();
        let old = old.unwrap_or(&none);
        let names = |set: Vec<&(String, String)>| -> Vec<String> {
            set.into_iter().map(|(schedule, name)| format!("{name} in {schedule}")).collect()
        };
        Self {
            systems_added: names(new.systems.difference(&old.systems).collect()),
            systems_removed: names(old.systems.difference(&new.systems).collect()),
            systems_kept: names(new.systems.intersection(&old.systems).collect()),
            types: types(&old.persisted, &new.persisted, &new.dropped),
        }
    }
}

/// Compares the types of `old` with those of `new`, and finds those that are new. `dropped` are
/// former types whose values may be dropped.
pub fn types(old: &[PersistRecord], new: &[PersistRecord], dropped: &[String]) -> Vec<TypePlan> {
    // Values of a state in other stores are kept or dropped with the state itself.
    let is_own =
        |record: &&PersistRecord| !matches!(record.store, Store::NextState | Store::Scoped(_));
    let mut types = Vec::new();
    let mut taken = Vec::new();
    for before in old.iter().filter(is_own) {
        let after = successor_of(before, new, |new| new);
        taken.extend(after.map(|after| (after.store, after.type_id)));
        let name = after.map_or(before.schema.name, |after| after.schema.name);
        let fate = match after {
            None => Fate::Dropped { declared: dropped.iter().any(|listed| listed == name) },
            Some(after) if after.type_id == before.type_id => Fate::Kept,
            Some(after) => {
                let (old, new) = (Definition::of(before.schema), Definition::of(after.schema));
                Fate::Migrated(TypeChange::between(&old, &new))
            }
        };
        types.push(TypePlan { name, fate, old: Some(*before) });
    }
    let fresh = new.iter().filter(is_own);
    let fresh = fresh.filter(|new| !taken.contains(&(new.store, new.type_id)));
    types.extend(fresh.map(|new| TypePlan { name: new.schema.name, fate: Fate::New, old: None }));
    types
}
