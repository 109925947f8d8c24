//! Resources that modules insert, over those of Bevy, the host and each other.

use std::any::TypeId;

use bevy::ecs::change_detection::Tick;
use bevy::prelude::*;
use playground_api::module::{InitialValue, PutBack, ResourceRecord};

/// A resource of a running module, or of one that was switched off.
pub struct ActiveResource {
    pub type_id: TypeId,
    remove: fn(&mut World),
    /// When the module inserted its value: a later change is the game's. `None` if it never did.
    inserted: Option<Tick>,
    /// Puts back what the module's value took the place of.
    before: Option<PutBack>,
}

impl ActiveResource {
    /// Gives the resource its first value, or the one that newer code has for it. `old` is the
    /// resource as the code before left it.
    pub fn enter(
        record: ResourceRecord,
        old: Option<Self>,
        is_persisted: bool,
        world: &mut World,
    ) -> Self {
        let ResourceRecord { type_id, initial, remove, changed, .. } = record;
        let (mut inserted, mut before) = old.map_or((None, None), |old| (old.inserted, old.before));
        let current = changed(world);
        match initial {
            InitialValue::IfMissing(init) => {
                if current.is_none() {
                    init(world);
                    inserted = changed(world);
                }
            }
            InitialValue::Value(insert) => {
                let is_of_game = is_persisted || (inserted.is_some() && inserted != current);
                if current.is_none() || !is_of_game {
                    let replaced = insert(world);
                    // A value of the module's own is nothing to go back to.
                    if inserted.is_none() {
                        before = replaced;
                    }
                    inserted = changed(world);
                }
            }
        }
        Self { type_id, remove, inserted, before }
    }

    /// Removes the module's value, or puts back what was there before it.
    pub fn remove(self, world: &mut World) {
        match self.before {
            Some(put_back) => put_back(world),
            None => (self.remove)(world),
        }
    }

    /// Puts back what was there before the module's value, if anything was.
    pub fn put_back(&mut self, world: &mut World) {
        if let Some(put_back) = self.before.take() {
            put_back(world);
            self.inserted = None;
        }
    }
}
