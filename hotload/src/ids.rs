//! Identifiers in the pipeline: modules, artifacts, epochs, builds of the API.

use std::borrow::Borrow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::inspect::Kind;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                // With width and alignment, for use in tables.
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        // Maps with this key can be looked up by a `&str`.
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.0 == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.0 == *other
            }
        }
    };
}

text_id! {
    /// A module: the name of its package, for example `systems_movement`.
    ModuleId
}

text_id! {
    /// The blake3 hash of an artifact's bytes, in 64 hexadecimal digits.
    ArtifactHash
}

text_id! {
    /// A blake3 hash over everything that goes into a module's build, in 64 hexadecimal digits.
    InputsHash
}

text_id! {
    /// A hash over everything that can shape a crate's types. It is part of their `TypeId`s.
    Epoch
}

text_id! {
    /// The build of `playground_api` that a module was compiled against: compiler, target, profile,
    /// features, Bevy and the API's own source.
    AbiFingerprint
}

/// The characters between the kind in a module's name and the rest.
const AFTER_KIND: [char; 2] = ['_', '-'];

impl ModuleId {
    /// The name by which rustc knows the module's crate.
    pub fn crate_name(&self) -> String {
        self.0.replace('-', "_")
    }

    /// The kind according to the name's prefix, such as `apps_`; `None` for other names. Before a
    /// module's first build only its id is known; afterwards its manifest has the kind.
    pub fn kind_by_name(&self) -> Option<Kind> {
        let (prefix, _) = self.0.split_once(AFTER_KIND)?;
        Kind::ALL.into_iter().find(|kind| kind.name() == prefix)
    }

    /// True if the name is that of an app; see [`Self::kind_by_name`].
    pub fn is_app(&self) -> bool {
        self.kind_by_name() == Some(Kind::Apps)
    }

    /// True for a core module, by its name.
    pub fn is_core(&self) -> bool {
        self.kind_by_name() == Some(Kind::Core)
    }

    /// The name without the prefix of its kind, such as `arena` for `apps_arena`.
    pub fn without_kind(&self) -> &str {
        let rest = self.kind_by_name().and_then(|_| self.0.split_once(AFTER_KIND));
        rest.map_or(&self.0, |(_, rest)| rest)
    }

    /// The app called `name`: with or without `apps_` in front.
    pub fn of_app(name: &str) -> Self {
        let id = Self::from(name);
        if id.is_app() { id } else { Self(format!("{}_{name}", Kind::Apps)) }
    }
}

impl From<blake3::Hash> for ArtifactHash {
    fn from(hash: blake3::Hash) -> Self {
        Self(hash.to_hex().to_string())
    }
}

impl From<blake3::Hash> for InputsHash {
    fn from(hash: blake3::Hash) -> Self {
        Self(hash.to_hex().to_string())
    }
}

impl ArtifactHash {
    /// The hash of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        blake3::hash(bytes).into()
    }

    /// The first eight digits, for display.
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }
}

/// One generation of one module. A process never has two of the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GenerationId {
    /// The module.
    pub module: ModuleId,
    /// Counts from 1 for each module.
    pub number: u32,
}

impl fmt::Display for GenerationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "generation {} of {}", self.number, self.module)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_of_a_name_gives_the_kind() {
        let kind = |id: &str| ModuleId::from(id).kind_by_name();
        assert_eq!(kind("core_physics"), Some(Kind::Core));
        assert_eq!(kind("systems_movement"), Some(Kind::Systems));
        assert_eq!(kind("plugins_trails"), Some(Kind::Plugins));
        assert_eq!(kind("apps_arena"), Some(Kind::Apps));
        assert_eq!(kind("apps-arena"), Some(Kind::Apps));
        for other in ["", "apps", "appsx_arena", "my_module", "my-apps_arena"] {
            assert_eq!(kind(other), None, "{other}");
        }
    }

    #[test]
    fn apps_are_known_with_and_without_their_prefix() {
        let full = ModuleId::from("apps_arena");
        assert_eq!(ModuleId::of_app("arena"), full);
        assert_eq!(ModuleId::of_app("apps_arena"), full);
        assert_eq!(ModuleId::of_app("core_x"), "apps_core_x");
        assert_eq!(full.without_kind(), "arena");
        let hyphen = ModuleId::from("apps-arena");
        assert_eq!(ModuleId::of_app("apps-arena"), hyphen);
        assert_eq!(hyphen.without_kind(), "arena");
        assert_eq!(ModuleId::from("my_module").without_kind(), "my_module");
    }

    #[test]
    fn ids_are_plain_strings_in_files() {
        let id = ModuleId::from("systems_movement");
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, "\"systems_movement\"");
        assert_eq!(serde_json::from_str::<ModuleId>(&json).unwrap(), id);
    }

    #[test]
    fn a_hash_is_shown_by_its_first_digits() {
        let hash = ArtifactHash::of(b"code");
        assert_eq!(hash.as_str().len(), 64);
        assert_eq!(hash.short(), &hash.as_str()[..8]);
        // A file that was edited by hand may contain anything.
        assert_eq!(ArtifactHash::from("ab").short(), "ab");
    }
}
