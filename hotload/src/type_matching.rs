//! Which persisted type takes the values of a former one: at a swap, in a plan and from a snapshot.

use playground_api::persist::{PersistRecord, Store};

use crate::snapshot_file::format::SavedStore;

/// A type that has values, as the running code or a snapshot tells it.
#[derive(Clone, Copy)]
pub struct Former<'a> {
    /// Crate, path and name.
    pub name: &'a str,
    /// What it was called before.
    pub was: &'a dyn Fn(&str) -> bool,
    /// Where its values are.
    pub store: &'a SavedStore,
}

/// The one of `new` that takes the values of `former`: of the same name, or that had it once, or
/// whose name it had once. A component may become a resource.
pub fn successor<'n, N>(
    former: Former<'_>,
    new: &'n [N],
    record: impl Fn(&N) -> &PersistRecord,
) -> Option<&'n N> {
    let called = |new: &&N| record(new).schema.name == former.name;
    // Renamed, or a renaming taken back.
    let was_called = |new: &&N| {
        let schema = record(new).schema;
        schema.aliases.contains(&former.name) || (former.was)(schema.name)
    };
    let same_store =
        || new.iter().filter(|new| SavedStore::from(record(new).store) == *former.store);
    let is_component = *former.store == SavedStore::Component;
    let as_resource =
        || new.iter().filter(|new| is_component && record(new).store == Store::Resource);
    same_store()
        .find(called)
        .or_else(|| same_store().find(was_called))
        .or_else(|| as_resource().find(called))
        .or_else(|| as_resource().find(was_called))
}

/// The one of `new` that takes the values of a type that runs.
pub fn successor_of<'n, N>(
    old: &PersistRecord,
    new: &'n [N],
    record: impl Fn(&N) -> &PersistRecord,
) -> Option<&'n N> {
    let was = |name: &str| old.schema.aliases.contains(&name);
    let former = Former { name: old.schema.name, was: &was, store: &old.store.into() };
    successor(former, new, record)
}
