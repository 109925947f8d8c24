//! Ids of entities that do not depend on runs, swaps and storage order.

use playground_api::prelude::*;

/// An entity's id, unique in a run. Sort by it where the order of entities matters.
#[persist]
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StableId(pub u64);

/// The source of [`StableId`]s.
#[persist]
#[derive(Resource, Clone, Debug, Default, PartialEq, Eq)]
pub struct StableIds {
    given: u64,
}

impl StableIds {
    /// Returns a new id.
    pub fn next_id(&mut self) -> StableId {
        self.given += 1;
        StableId(self.given)
    }
}
