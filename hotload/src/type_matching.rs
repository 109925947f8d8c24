//! Matches persisted types to their successors, for swaps, plans and snapshots.

use playground_api::persist::{PersistRecord, Store};

use crate::snapshot_file::format::SavedStore;

/// A type of the running code or of a snapshot, whose values need a successor.
#[derive(Clone, Copy)]
pub struct Former<'a> {
    /// Crate, path and name.
    pub name: &'a str,
    /// Whether the type had this name before.
    pub was: &'a dyn Fn(&str) -> bool,
    /// Where its values are stored.
    pub store: &'a SavedStore,
}

/// The type of `new` that takes over the values of `former`: one of the same name, else one whose
/// former names contain it, else one whose name it had before. A component may become a resource.
pub fn successor<'n, N>(
    former: Former<'_>,
    new: &'n [N],
    record: impl Fn(&N) -> &PersistRecord,
) -> Option<&'n N> {
    let called = |new: &&N| record(new).schema.name == former.name;
    // Renamed, or the renaming was undone.
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

/// The type of `new` that takes over the values of a running type.
pub fn successor_of<'n, N>(
    old: &PersistRecord,
    new: &'n [N],
    record: impl Fn(&N) -> &PersistRecord,
) -> Option<&'n N> {
    let was = |name: &str| old.schema.aliases.contains(&name);
    let former = Former { name: old.schema.name, was: &was, store: &old.store.into() };
    successor(former, new, record)
}
