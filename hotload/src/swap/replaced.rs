//! The types that get another identity in a swap.

use std::collections::{BTreeMap, BTreeSet};

use playground_api::schema::names::epochs_in;

use super::orphans::mentions;
use crate::ids::Epoch;
use crate::inspect::Manifest;

/// The types that modules replace, by the names of their crates.
#[derive(Clone, Debug, Default)]
pub struct ReplacedTypes(BTreeMap<String, Replaced>);

#[derive(Clone, Debug)]
enum Replaced {
    /// All of the crate's types.
    All,
    /// Those with an identity of their own that have these epochs.
    Own(BTreeSet<Epoch>),
}

impl ReplacedTypes {
    /// Adds the types of `old` that `new` does not have.
    pub fn add(&mut self, old: &Manifest, new: &Manifest) {
        let replaced = match old.crate_epoch == new.crate_epoch {
            false => Replaced::All,
            true => {
                let left: BTreeSet<&Epoch> = new.types.values().collect();
                let gone = old.types.values().filter(|epoch| !left.contains(epoch));
                Replaced::Own(gone.cloned().collect())
            }
        };
        if !matches!(&replaced, Replaced::Own(gone) if gone.is_empty()) {
            self.0.insert(new.id.crate_name(), replaced);
        }
    }

    /// True if no type is replaced.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names of the crates whose types are replaced.
    pub fn crates(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// True if one of the types is in this name, which is that of [`std::any::type_name`].
    pub fn are_in(&self, type_name: &str) -> bool {
        self.0.iter().any(|(crate_name, replaced)| match replaced {
            Replaced::All => mentions(type_name, crate_name),
            Replaced::Own(gone) => epochs_in(type_name).any(|epoch| gone.contains(epoch)),
        })
    }
}
