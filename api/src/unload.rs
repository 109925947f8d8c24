//! Entities that are despawned with their module, or with its code.

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

/// Despawns its entity before new code of `module` runs, and when the module is disabled or removed.
/// Entities that [`OnLoad`](crate::module::OnLoad) systems spawn with it are there once, as the newest
/// code spawns them: an edit of a layout, a text or a colour shows at once.
///
/// Created by [`despawn_on_reload!`](crate::despawn_on_reload).
#[derive(Component, Persist, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[persist(crate = crate::schema)]
pub struct DespawnOnReload {
    /// The module's id.
    pub module: String,
}

impl DespawnOnReload {
    /// Binds an entity to the code of the module with this id.
    pub fn of(module: &str) -> Self {
        Self { module: module.to_owned() }
    }
}

/// A [`DespawnOnReload`] for the module that uses the macro.
#[macro_export]
macro_rules! despawn_on_reload {
    () => {
        $crate::unload::DespawnOnReload::of(env!("CARGO_PKG_NAME"))
    };
}
