//! The list of installed packs and known keys.

use std::collections::BTreeMap;

use semver::Version;
use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::manifest::{Publisher, is_id};
use crate::path;

/// The format of the list.
const FORMAT: u32 = 1;

/// Which packs are installed, and which keys are trusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    format: u32,
    /// The packs, by id.
    #[serde(default, rename = "pack")]
    pub packs: BTreeMap<String, Entry>,
    /// The publishers that the player has decided about, by public key.
    #[serde(default, rename = "key")]
    pub keys: BTreeMap<String, Key>,
}

impl Default for List {
    fn default() -> Self {
        Self { format: FORMAT, packs: BTreeMap::new(), keys: BTreeMap::new() }
    }
}

/// An installed pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The installed version.
    pub version: Version,
    /// The name of its folder below that of the pack.
    pub folder: String,
    /// False if the player switched it off, or it could not run.
    pub is_on: bool,
    /// The folder of the version that ran before, to go back to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier: Option<String>,
    /// Why a version could not run: the installed one if it is off, a newer one otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// A decision about a publisher.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// The name in the pack that was decided about.
    pub name: String,
    /// False for a revoked key.
    pub is_trusted: bool,
}

impl List {
    /// Reads a list. The error says what is wrong.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let message = |error: toml::de::Error| error.message().to_owned();
        let Format { format } = toml::from_str(text).map_err(message)?;
        if format != FORMAT {
            return Err(format!("it is of format {format}, and this game reads format {FORMAT}"));
        }
        let list: Self = toml::from_str(text).map_err(message)?;
        for (id, entry) in &list.packs {
            if !is_id(id) {
                return Err(format!("{id:?} is no id of a pack"));
            }
            for folder in std::iter::once(&entry.folder).chain(&entry.earlier) {
                if path::check(folder).is_err() || folder.contains('/') {
                    return Err(format!("{folder:?} is no name of a folder"));
                }
            }
        }
        Ok(list)
    }

    pub(super) fn render(&self) -> String {
        // Strings, numbers and tables can always be written.
        toml::to_string(self).unwrap_or_default()
    }

    /// An installed pack.
    ///
    /// # Errors
    ///
    /// If there is none of this id.
    pub fn entry(&mut self, id: &str) -> Result<&mut Entry, StoreError> {
        let known = self.packs.keys().cloned().collect();
        let entry = self.packs.get_mut(id);
        entry.ok_or_else(|| StoreError::NotInstalled { id: id.to_owned(), known })
    }

    /// Removes a pack; its files go with the next sweep.
    ///
    /// # Errors
    ///
    /// If there is none of this id.
    pub fn remove(&mut self, id: &str) -> Result<Entry, StoreError> {
        let known = self.packs.keys().cloned().collect();
        let removed = self.packs.remove(id);
        removed.ok_or_else(|| StoreError::NotInstalled { id: id.to_owned(), known })
    }

    /// True if packs of this publisher may be installed without a question.
    pub fn trusts(&self, publisher: &Publisher) -> bool {
        self.keys.get(&publisher.key).is_some_and(|key| key.is_trusted)
    }

    /// True if packs of this publisher are refused.
    pub fn has_revoked(&self, publisher: &Publisher) -> bool {
        self.keys.get(&publisher.key).is_some_and(|key| !key.is_trusted)
    }

    /// Notes that the player trusts a publisher from now on.
    pub fn trust(&mut self, publisher: &Publisher) {
        let key = Key { name: publisher.name.clone(), is_trusted: true };
        self.keys.insert(publisher.key.clone(), key);
    }

    /// Finds a publisher by public key or by the short id of the key.
    ///
    /// # Errors
    ///
    /// If the list has none.
    pub fn key(&mut self, key: &str) -> Result<&mut Key, StoreError> {
        let is_it = |known: &str| {
            let publisher = Publisher { name: String::new(), key: known.to_owned() };
            known == key || publisher.key_id().is_some_and(|id| id.eq_ignore_ascii_case(key))
        };
        let found = self.keys.iter_mut().find(|(known, _)| is_it(known));
        found.map(|(_, key)| key).ok_or_else(|| StoreError::NoKey { key: key.to_owned() })
    }
}
