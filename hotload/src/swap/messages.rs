//! Waiting messages whose type is replaced.

use bevy::prelude::*;
use playground_api::module::{MessageRecord, Recorded};
use playground_api::persist::{PersistRecord, Store};

use super::replaced::ReplacedTypes;

/// The message types of a module's old generation.
pub struct Old<'a> {
    /// The types.
    pub messages: &'a [MessageRecord],
    /// Those of them that are persisted.
    pub persisted: &'a [PersistRecord],
}

impl Old<'_> {
    /// Types that are replaced, by name, with the number of messages before the oldest one that is
    /// carried over; all if none is.
    pub fn recount(&self, world: &World, new: &Recorded) -> Vec<(&'static str, usize)> {
        let before = |old: &MessageRecord| {
            if self.come_along(old, new) { (old.oldest)(world) } else { usize::MAX }
        };
        self.replaced(new).map(|old| (old.type_name, before(old))).collect()
    }

    /// The number of waiting messages that are not carried over, by type.
    pub fn lost(&self, world: &World, new: &Recorded) -> Vec<(String, usize)> {
        let lost = self.replaced(new).filter(|old| !self.come_along(old, new));
        let counted = lost.map(|old| (old.type_name.to_owned(), (old.waiting)(world)));
        counted.filter(|(_, count)| *count > 0).collect()
    }

    /// The number of waiting messages of these types that no module persists, by type.
    pub fn not_persisted(&self, world: &World, replaced: &ReplacedTypes) -> Vec<(String, usize)> {
        let types = self.messages.iter().filter(|old| replaced.are_in(old.path));
        let types = types.filter(|old| !persists(self.persisted, old.type_name));
        let counted = types.map(|old| (old.type_name.to_owned(), (old.waiting)(world)));
        counted.filter(|(_, count)| *count > 0).collect()
    }

    fn replaced<'n>(
        &self,
        new: &'n Recorded,
    ) -> impl Iterator<Item = &MessageRecord> + use<'_, 'n> {
        let other =
            |old: &&MessageRecord| new.messages.iter().all(|new| new.type_id != old.type_id);
        self.messages.iter().filter(other)
    }

    fn come_along(&self, old: &MessageRecord, new: &Recorded) -> bool {
        persists(self.persisted, old.type_name) && persists(&new.persisted, old.type_name)
    }
}

fn persists(persisted: &[PersistRecord], type_name: &str) -> bool {
    let mut stored = persisted.iter().filter(|record| record.store == Store::Messages);
    stored.any(|record| record.schema.is_called(type_name))
}
