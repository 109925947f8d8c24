//! Entities that are despawned with their module.

use bevy::prelude::*;
use playground_derive::Persist;
use serde::{Deserialize, Serialize};

/// Despawns its entity when `module` is disabled or removed, like Bevy's `DespawnOnExit`. A swap to
/// new code does not despawn it.
///
/// Created by [`despawn_on_unload!`](crate::despawn_on_unload).
#[derive(Component, Persist, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[persist(crate = crate::schema)]
pub struct DespawnOnUnload {
    /// The module's id.
    pub module: String,
}

impl DespawnOnUnload {
    /// Binds an entity to the module with this id.
    pub fn of(module: &str) -> Self {
        Self { module: module.to_owned() }
    }
}

/// A [`DespawnOnUnload`] for the module that uses the macro.
#[macro_export]
macro_rules! despawn_on_unload {
    () => {
        $crate::unload::DespawnOnUnload::of(env!("CARGO_PKG_NAME"))
    };
}
