//! The manifest in an artifact: lines `key value`, as `export_module!` writes them.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use semver::{Version, VersionReq};
use thiserror::Error;

use crate::ids::{AbiFingerprint, Epoch, ModuleId};

/// What a module is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Data and contracts.
    Core,
    /// Behaviour over core data.
    Systems,
    /// An optional feature.
    Plugins,
    /// A whole game.
    Apps,
}

impl Kind {
    /// All kinds, in the order of their layers.
    pub const ALL: [Self; 4] = [Self::Core, Self::Systems, Self::Plugins, Self::Apps];

    /// The kind's name as the folders under `modules/` have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Systems => "systems",
            Self::Plugins => "plugins",
            Self::Apps => "apps",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What an artifact says of its module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// What the module is for.
    pub kind: Kind,
    /// The module's id: its package name.
    pub id: ModuleId,
    /// The package's version.
    pub version: Version,
    /// Fingerprint of the API it was built with.
    pub abi: AbiFingerprint,
    /// Epoch of its types; [`UNSET`] where plain cargo built it.
    pub epoch: Epoch,
    /// The core crates linked into it, with their epochs.
    pub cores: BTreeMap<ModuleId, Epoch>,
    /// The modules it requires.
    pub requires: BTreeMap<ModuleId, VersionReq>,
    /// The types whose values are kept, as the author wrote them.
    pub persisted: Vec<String>,
    /// Types that it persisted before, and whose values may go.
    pub dropped: Vec<String>,
}

/// Stands for a value that the build did not set.
pub const UNSET: &str = "-";

/// What is wrong with a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ManifestError {
    /// Not text.
    #[error("expected UTF-8, found the byte {byte:#04x} at {at}")]
    NotText {
        /// The first byte that is wrong.
        byte: u8,
        /// Its place.
        at: usize,
    },
    /// Not lines.
    #[error("expected lines of text that end with a line break, found {found:?} in line {line}")]
    NotLines {
        /// Counted from 1.
        line: usize,
        /// What is there.
        found: String,
    },
    /// A key that no manifest has.
    #[error("expected one of {KEYS:?}, found the key {found:?} in line {line}")]
    UnknownKey {
        /// Counted from 1.
        line: usize,
        /// The key.
        found: String,
    },
    /// A key or an entry of a list twice.
    #[error("expected `{what}` once, found it again in line {line}: {found:?}")]
    Duplicate {
        /// The key or entry.
        what: String,
        /// Counted from 1.
        line: usize,
        /// The value that came second.
        found: String,
    },
    /// A key that every manifest has is missing.
    #[error("expected a line `{key}`, found none")]
    Missing {
        /// The key.
        key: &'static str,
    },
    /// A value of the wrong form.
    #[error("{key}: expected {expected}, found {found:?}")]
    Invalid {
        /// The key.
        key: &'static str,
        /// What would be right.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// The manifest of another module.
    #[error("id: expected `{expected}`, found `{found}`")]
    OtherModule {
        /// The module that was asked for.
        expected: ModuleId,
        /// The module it is.
        found: ModuleId,
    },
    /// A module that requires itself.
    #[error("requires: expected other modules, found `{id}` itself")]
    RequiresItself {
        /// The module.
        id: ModuleId,
    },
}

const KEYS: [&str; 9] =
    ["kind", "id", "version", "abi", "epoch", "cores", "requires", "persist", "dropped"];
const MAX_NAME_BYTES: usize = 64;

/// True for what cargo takes as a package's name, in ASCII: never a path.
pub fn is_package_name(name: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.len() <= MAX_NAME_BYTES
        && name.starts_with(letter)
        && name.chars().all(|c| letter(c) || c.is_ascii_digit() || c == '-')
}

impl Manifest {
    /// Reads the manifest of the module `expected_id`. Nothing is made up for what is missing.
    ///
    /// # Errors
    ///
    /// For all that `export_module!` would not write.
    pub fn parse(bytes: &[u8], expected_id: &ModuleId) -> Result<Self, ManifestError> {
        let lines = Lines::read(bytes)?;

        let id = lines.one("id")?;
        if !is_package_name(id) {
            return Err(invalid("id", "a package name of up to 64 letters, digits, `_`, `-`", id));
        }
        if *expected_id != id {
            let (expected, found) = (expected_id.clone(), id.into());
            return Err(ManifestError::OtherModule { expected, found });
        }
        let kind = lines.one("kind")?;
        let kind = Kind::ALL
            .into_iter()
            .find(|known| format!("{known:?}") == kind)
            .ok_or_else(|| invalid("kind", "Core, Systems, Plugins or Apps", kind))?;
        let version = lines.one("version")?;
        let version = Version::from_str(version)
            .map_err(|_| invalid("version", "a semver version such as 0.1.0", version))?;
        let abi = lines.one("abi")?;
        if abi.is_empty() || !abi.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(invalid("abi", "a fingerprint without blanks", abi));
        }
        let epoch = lines.one("epoch")?;
        if !is_epoch(epoch) {
            return Err(invalid("epoch", "16 hex digits, or - where the build set none", epoch));
        }

        Ok(Self {
            kind,
            version,
            abi: abi.into(),
            epoch: epoch.into(),
            cores: cores(lines.one("cores")?)?,
            requires: requires(&lines, id)?,
            persisted: types(&lines, "persist")?,
            dropped: types(&lines, "dropped")?,
            id: id.into(),
        })
    }
}

/// The lines, by key and in their order.
struct Lines<'a>(BTreeMap<&'a str, Vec<(usize, &'a str)>>);

impl<'a> Lines<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, ManifestError> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let at = error.valid_up_to();
            ManifestError::NotText { byte: bytes.get(at).copied().unwrap_or_default(), at }
        })?;
        let not_lines =
            |line, found: &str| ManifestError::NotLines { line, found: found.to_owned() };
        let Some(text) = text.strip_suffix('\n') else {
            return Err(not_lines(text.lines().count(), text.lines().last().unwrap_or_default()));
        };
        let mut lines: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for (number, line) in (1..).zip(text.split('\n')) {
            if line.chars().any(char::is_control) {
                return Err(not_lines(number, line));
            }
            let (key, value) = line.split_once(' ').unwrap_or((line, ""));
            if !KEYS.contains(&key) {
                return Err(ManifestError::UnknownKey { line: number, found: key.to_owned() });
            }
            lines.entry(key).or_default().push((number, value));
        }
        Ok(Self(lines))
    }

    fn all(&self, key: &str) -> &[(usize, &'a str)] {
        self.0.get(key).map_or(&[], Vec::as_slice)
    }

    fn one(&self, key: &'static str) -> Result<&'a str, ManifestError> {
        match self.all(key) {
            [] => Err(ManifestError::Missing { key }),
            [(_, value)] => Ok(value),
            [_, (line, found), ..] => Err(duplicate(key, *line, found)),
        }
    }
}

/// `id=epoch,id=epoch`, or [`UNSET`].
fn cores(value: &str) -> Result<BTreeMap<ModuleId, Epoch>, ManifestError> {
    let mut cores = BTreeMap::new();
    if value == UNSET {
        return Ok(cores);
    }
    for core in value.split(',') {
        match core.split_once('=') {
            Some((id, epoch)) if is_package_name(id) && is_epoch(epoch) => {
                if cores.insert(id.into(), epoch.into()).is_some() {
                    return Err(invalid("cores", "each core once", value));
                }
            }
            _ => return Err(invalid("cores", "id=epoch,id=epoch or -", value)),
        }
    }
    Ok(cores)
}

fn requires(lines: &Lines, own: &str) -> Result<BTreeMap<ModuleId, VersionReq>, ManifestError> {
    let mut requires = BTreeMap::new();
    for &(line, value) in lines.all("requires") {
        let (id, requirement) = value.split_once(' ').unwrap_or((value, ""));
        if !is_package_name(id) {
            return Err(invalid("requires", "a package name and a semver requirement", value));
        }
        if id == own {
            return Err(ManifestError::RequiresItself { id: id.into() });
        }
        let requirement = VersionReq::parse(requirement)
            .map_err(|_| invalid("requires", "a semver requirement such as ^0.1", value))?;
        if requires.insert(id.into(), requirement).is_some() {
            return Err(duplicate(&format!("requires {id}"), line, value));
        }
    }
    Ok(requires)
}

/// The types of the lines with this key, each once.
fn types(lines: &Lines, key: &'static str) -> Result<Vec<String>, ManifestError> {
    let mut types: Vec<String> = Vec::new();
    for &(line, value) in lines.all(key) {
        if value.trim().is_empty() {
            return Err(invalid(key, "a type", value));
        }
        if types.iter().any(|known| known == value) {
            return Err(duplicate(&format!("{key} {value}"), line, value));
        }
        types.push(value.to_owned());
    }
    Ok(types)
}

fn is_epoch(epoch: &str) -> bool {
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    epoch == UNSET || (epoch.len() == 16 && epoch.bytes().all(hex))
}

fn invalid(key: &'static str, expected: &'static str, found: &str) -> ManifestError {
    ManifestError::Invalid { key, expected, found: found.to_owned() }
}

fn duplicate(what: &str, line: usize, found: &str) -> ManifestError {
    ManifestError::Duplicate { what: what.to_owned(), line, found: found.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "kind Systems\nid sys\nversion 0.1.0\nabi abc\nepoch 0123456789abcdef\n\
                        cores core_a=0123456789abcdef,core_b=-\nrequires core_a ^0.1\n\
                        requires core_b >=1, <3\npersist Health\npersist Grid < u8 >\n\
                        dropped core_a::Shield\n";

    #[test]
    fn a_good_one_is_read() {
        let manifest = Manifest::parse(GOOD.as_bytes(), &"sys".into()).unwrap();
        assert_eq!(manifest.kind, Kind::Systems);
        assert_eq!(manifest.version, Version::new(0, 1, 0));
        assert_eq!(manifest.cores["core_b"], UNSET);
        assert!(manifest.requires["core_b"].matches(&Version::new(2, 5, 0)));
        assert_eq!(manifest.persisted, ["Health", "Grid < u8 >"]);
        assert_eq!(manifest.dropped, ["core_a::Shield"]);
    }

    #[test]
    fn kinds_are_those_of_the_api() {
        use playground_api::export::Kind as Api;
        for (kind, api) in
            Kind::ALL.into_iter().zip([Api::Core, Api::Systems, Api::Plugins, Api::Apps])
        {
            assert_eq!(format!("{kind:?}"), format!("{api:?}"));
        }
    }

    #[test]
    fn each_deviation_is_refused() {
        let changed = |from: &str, to: &str| {
            assert!(GOOD.contains(from), "{from}");
            GOOD.replacen(from, to, 1)
        };
        let table = [
            (changed("kind Systems", "kind systems"), "kind: expected Core"),
            (changed("kind Systems\n", ""), "expected a line `kind`"),
            (changed("id sys", "id other"), "expected `sys`, found `other`"),
            (changed("id sys", "id ../sys"), "expected a package name"),
            (changed("id sys", "id a/b"), "expected a package name"),
            (changed("id sys", "id sys\nid sys"), "expected `id` once"),
            (changed("version 0.1.0", "version 0.1"), "expected a semver version"),
            (changed("version 0.1.0", "version"), "expected a semver version"),
            (changed("abi abc", "abi"), "abi: expected"),
            (changed("epoch 0123456789abcdef", "epoch 0123456789ABCDEF"), "16 hex digits"),
            (changed("core_b=-", "core_b"), "id=epoch"),
            (changed("core_b=-", "core_a=-"), "each core once"),
            (changed("core_b=-", "../x=-"), "id=epoch"),
            (changed("requires core_a", "requires sys"), "found `sys` itself"),
            (changed("requires core_a", "requires core_b"), "`requires core_b` once"),
            (changed("core_a ^0.1", "core_a ^x"), "semver requirement"),
            (changed("core_a ^0.1", "core_a"), "semver requirement"),
            (changed("core_a ^0.1", "../a ^0.1"), "a package name and"),
            (changed("persist Health", "persist"), "persist: expected a type"),
            (changed("persist Health", "persist Health\npersist Health"), "`persist Health` once"),
            (changed("dropped core_a::Shield", "dropped"), "dropped: expected a type"),
            (changed("persist Health", "wants Health"), "found the key \"wants\""),
            (changed("persist Health", ""), "found the key \"\""),
            (changed("Health", "Hea\0lth"), "in line 9"),
            (changed("Health", "Hea\rlth"), "in line 9"),
            (GOOD.trim_end().to_owned(), "end with a line break"),
            (String::new(), "end with a line break"),
        ];
        for (text, expected) in table {
            let error = Manifest::parse(text.as_bytes(), &"sys".into()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error:?} should contain {expected:?}");
        }
        let error = Manifest::parse(b"kind \xff\n", &"sys".into()).unwrap_err().to_string();
        assert_eq!(error, "expected UTF-8, found the byte 0xff at 5");
    }
}
