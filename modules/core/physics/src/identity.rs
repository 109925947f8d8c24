//! Names of entities that stay the same across runs, swaps and storage orders.

use playground_api::prelude::*;

/// An entity's number, never given twice in a run. Orders entities where order matters.
#[derive(
    Component,
    Persist,
    Serialize,
    Deserialize,
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
)]
pub struct StableId(pub u64);

/// Gives out [`StableId`]s.
#[derive(Resource, Persist, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct StableIds {
    given: u64,
}

impl StableIds {
    /// The next number.
    pub fn next_id(&mut self) -> StableId {
        self.given += 1;
        StableId(self.given)
    }
}
