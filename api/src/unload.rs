//! Entities that go with the module that made them.

use bevy::prelude::*;
use playground_derive::Persist;
use serde::{Deserialize, Serialize};

/// An entity with this component is despawned when `module` is switched off or removed, in the
/// manner of Bevy's `DespawnOnExit`. A swap to new code leaves it alone.
///
/// Made by [`despawn_on_unload!`](crate::despawn_on_unload).
#[derive(Component, Persist, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[persist(crate = crate::schema)]
pub struct DespawnOnUnload {
    /// The module's id.
    pub module: String,
}

impl DespawnOnUnload {
    /// Ties an entity to the module with this id.
    pub fn of(module: &str) -> Self {
        Self { module: module.to_owned() }
    }
}

/// A [`DespawnOnUnload`] for the module that this is written in.
#[macro_export]
macro_rules! despawn_on_unload {
    () => {
        $crate::unload::DespawnOnUnload::of(env!("CARGO_PKG_NAME"))
    };
}
