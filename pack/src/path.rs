//! The rules for the paths of a pack's files, so that a pack unpacks to the same files on every
//! system, and never outside of its folder.

use std::collections::BTreeMap;
use std::fmt;

use thiserror::Error;

/// The maximum length of a path, in bytes.
pub const MAX_PATH_BYTES: usize = 200;
/// The maximum length of a folder's or file's name, in bytes.
pub const MAX_NAME_BYTES: usize = 80;
/// The maximum number of names in a path.
pub const MAX_DEPTH: usize = 12;

/// Names that Windows reserves for devices, also with an ending.
const RESERVED: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];
/// Device names of Windows that are followed by a digit.
const NUMBERED: [&str; 2] = ["com", "lpt"];

/// Why a path is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PathError {
    /// It has no characters.
    #[error("it is empty")]
    Empty,
    /// It starts with `/`, a drive, or contains a backslash.
    #[error("it is not relative, with `/` between names")]
    NotRelative,
    /// Two slashes in a row, or one at the end.
    #[error("a name in it is empty")]
    EmptyName,
    /// `.` or `..`, or a hidden file.
    #[error("the name `{0}` starts with a dot")]
    Dot(String),
    /// A character other than an ASCII letter, a digit, or one of `-_+.@`.
    #[error("it contains {0:?}, and only ASCII letters, digits and -_+.@ are allowed")]
    Character(char),
    /// Windows drops a dot at the end of a name.
    #[error("the name `{0}` ends with a dot")]
    EndsWithDot(String),
    /// A device's name on Windows.
    #[error("the name `{0}` is that of a device on Windows")]
    Reserved(String),
    /// Longer than allowed.
    #[error("{what} has {found} {unit}, and at most {limit} are allowed")]
    TooLong {
        /// The path or a name in it.
        what: &'static str,
        /// Its length.
        found: usize,
        /// The unit that was counted.
        unit: &'static str,
        /// The limit.
        limit: usize,
    },
    /// Differs only in case from another path, or from a folder on the way to it.
    #[error("`{0}` has the same letters in another case, which some systems take for the same")]
    Case(String),
    /// A file of this name is also a folder on the way to another file.
    #[error("`{0}` would be both a file and a folder")]
    FileAndFolder(String),
    /// Listed twice.
    #[error("it is listed twice")]
    Twice,
}

/// Checks one path by itself.
///
/// # Errors
///
/// See [`PathError`].
pub fn check(path: &str) -> Result<(), PathError> {
    let too_long = |what, found, unit, limit| {
        if found > limit { Err(PathError::TooLong { what, found, unit, limit }) } else { Ok(()) }
    };
    if path.is_empty() {
        return Err(PathError::Empty);
    }
    if path.starts_with('/') || path.contains(['\\', ':']) {
        return Err(PathError::NotRelative);
    }
    too_long("it", path.len(), "bytes", MAX_PATH_BYTES)?;
    too_long("it", path.split('/').count(), "names", MAX_DEPTH)?;
    path.split('/').try_for_each(|name| {
        too_long("a name in it", name.len(), "bytes", MAX_NAME_BYTES)?;
        check_name(name)
    })
}

fn check_name(name: &str) -> Result<(), PathError> {
    if name.is_empty() {
        return Err(PathError::EmptyName);
    }
    // First, so that no other error shows characters that control a terminal.
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_+.@".contains(c);
    if let Some(other) = name.chars().find(|c| !is_allowed(*c)) {
        return Err(PathError::Character(other));
    }
    if name.starts_with('.') {
        return Err(PathError::Dot(name.to_owned()));
    }
    if name.ends_with('.') {
        return Err(PathError::EndsWithDot(name.to_owned()));
    }
    let stem = name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let is_numbered = |device: &str| {
        let number = stem.strip_prefix(device);
        number.is_some_and(|number| number.len() == 1 && number.as_bytes()[0].is_ascii_digit())
    };
    if RESERVED.contains(&stem.as_str()) || NUMBERED.into_iter().any(is_numbered) {
        return Err(PathError::Reserved(name.to_owned()));
    }
    Ok(())
}

/// The kind of a path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Entry {
    File,
    Folder,
}

/// The paths of a pack, which have to differ on every system.
#[derive(Default)]
pub struct Paths {
    /// Files, and the folders on the way to them, by their lower-case form.
    entries: BTreeMap<String, (String, Entry)>,
}

impl Paths {
    /// Adds a file.
    ///
    /// # Errors
    ///
    /// If the path is not allowed by itself, or collides with one that was added before.
    pub fn add(&mut self, path: &str) -> Result<(), PathError> {
        check(path)?;
        let folders = path.match_indices('/').map(|(at, _)| &path[..at]);
        for folder in folders {
            self.insert(folder, Entry::Folder)?;
        }
        self.insert(path, Entry::File)
    }

    fn insert(&mut self, path: &str, entry: Entry) -> Result<(), PathError> {
        let before = self.entries.insert(path.to_ascii_lowercase(), (path.to_owned(), entry));
        match before {
            None => Ok(()),
            Some((other, _)) if other != path => Err(PathError::Case(other)),
            Some((_, Entry::File)) if entry == Entry::File => Err(PathError::Twice),
            Some((_, before)) if before != entry => Err(PathError::FileAndFolder(path.to_owned())),
            Some(_) => Ok(()),
        }
    }
}

impl fmt::Debug for Paths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.entries.values().map(|(path, _)| path)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_paths_are_allowed() {
        for path in [
            "README.md",
            "icon.png",
            "assets/boss/wave-1@2x.png",
            "targets/x86_64-unknown-linux-gnu/libsystems_boss.so",
            "assets/a+b.ron",
            "assets/com10/console.txt",
            "assets/LPT/nul_and_void",
        ] {
            assert_eq!(check(path), Ok(()), "{path}");
        }
    }

    #[test]
    fn paths_that_some_system_reads_otherwise_are_refused() {
        let long = "a".repeat(81);
        let deep = ["a"; 13].join("/");
        let wide = ["abcdefghijklmnopqrstuvwxyz"; 8].join("/");
        let cases: [(&str, fn(&PathError) -> bool); 28] = [
            ("", |e| *e == PathError::Empty),
            ("/etc/passwd", |e| *e == PathError::NotRelative),
            ("C:/x", |e| *e == PathError::NotRelative),
            ("c:x", |e| *e == PathError::NotRelative),
            ("a\\b", |e| *e == PathError::NotRelative),
            ("\\\\server\\x", |e| *e == PathError::NotRelative),
            ("..", |e| matches!(e, PathError::Dot(_))),
            (".", |e| matches!(e, PathError::Dot(_))),
            ("../x", |e| matches!(e, PathError::Dot(_))),
            ("assets/../../x", |e| matches!(e, PathError::Dot(_))),
            ("assets/./x", |e| matches!(e, PathError::Dot(_))),
            (".cargo/config.toml", |e| matches!(e, PathError::Dot(_))),
            ("a//b", |e| *e == PathError::EmptyName),
            ("a/", |e| *e == PathError::EmptyName),
            ("a b", |e| *e == PathError::Character(' ')),
            ("a\0b", |e| *e == PathError::Character('\0')),
            (".\u{1b}[2J", |e| *e == PathError::Character('\u{1b}')),
            ("a\nb", |e| *e == PathError::Character('\n')),
            ("a\u{202e}b", |e| *e == PathError::Character('\u{202e}')),
            ("größe", |e| *e == PathError::Character('ö')),
            ("a?", |e| *e == PathError::Character('?')),
            ("name.", |e| matches!(e, PathError::EndsWithDot(_))),
            ("NUL", |e| matches!(e, PathError::Reserved(_))),
            ("assets/con.txt", |e| matches!(e, PathError::Reserved(_))),
            ("Com1.tar.gz", |e| matches!(e, PathError::Reserved(_))),
            (&long, |e| matches!(e, PathError::TooLong { what: "a name in it", .. })),
            (&deep, |e| matches!(e, PathError::TooLong { unit: "names", .. })),
            (&wide, |e| matches!(e, PathError::TooLong { unit: "bytes", limit: 200, .. })),
        ];
        for (path, is_expected) in cases {
            let error = check(path).expect_err(path);
            assert!(is_expected(&error), "{path:?}: {error:?}");
        }
    }

    #[test]
    fn paths_that_collide_on_some_system_are_refused() {
        let case = |other: &str| Err(PathError::Case(other.to_owned()));
        for (first, second, expected) in [
            ("a", "b", Ok(())),
            ("x/a", "x/b", Ok(())),
            ("a", "a", Err(PathError::Twice)),
            ("a", "A", case("a")),
            ("x/a", "X/b", case("x")),
            ("x/a", "x/A", case("x/a")),
            ("x", "x/a", Err(PathError::FileAndFolder("x".to_owned()))),
            ("x/a", "x", Err(PathError::FileAndFolder("x".to_owned()))),
            ("X/a", "x", case("X")),
        ] {
            let mut paths = Paths::default();
            paths.add(first).unwrap();
            assert_eq!(paths.add(second), expected, "{first} and {second}");
        }
    }
}
