//! Codes, headlines and remedies of errors about artifacts' files.

use super::ArtifactError;
use crate::explain::{Explain, Explanation};
use crate::inspect::{MAX_FILE_BYTES, MIN_FILE_BYTES};

impl Explain for ArtifactError {
    fn explain(&self) -> Explanation {
        match self {
            Self::Unreadable { file, source } => Explanation::new(
                "H0213",
                format!("{}: expected a file that can be read, found: {source}", file.display()),
            )
            .remedy("Build the module again, or give the path of its artifact"),
            Self::NotAFile { file, found } => Explanation::new(
                "H0214",
                format!("{}: expected a regular file, found a {found}", file.display()),
            )
            .remedy("Move it away and build the module again"),
            Self::Outside { file, within, found } => Explanation::new(
                "H0215",
                format!(
                    "{}: expected a file inside of {}, found {}",
                    file.display(),
                    within.display(),
                    found.display()
                ),
            )
            .remedy(
                "Copy the file into that folder, in place of a link or a path that leads out of it",
            ),
            Self::OthersWrite { file, entry, mode } => Explanation::new(
                "H0216",
                format!(
                    "{}: expected that others may not write to {}, found mode {mode:03o}",
                    file.display(),
                    entry.display()
                ),
            )
            .remedy("Make sure of what it holds, then `chmod o-w` it"),
            Self::Size { file, found } => Explanation::new(
                "H0217",
                format!(
                    "{}: expected {MIN_FILE_BYTES} to {MAX_FILE_BYTES} bytes, found {found}",
                    file.display()
                ),
            )
            .remedy("Build the module again"),
            Self::Changing { file, what, before, after } => Explanation::new(
                "H0218",
                format!(
                    "{}: expected a file that nobody writes to, found that its {what} went from \
                     {before} to {after} while it was read",
                    file.display()
                ),
            )
            .remedy("Try again when it is complete; write to another name and rename it"),
            Self::Hash { file, expected, found } => Explanation::new(
                "H0219",
                format!(
                    "{}: expected the blake3 hash {}, found {found}",
                    file.display(),
                    expected.as_str().escape_debug()
                ),
            )
            .remedy(
                "The file is not the one that was built: build the module again, or get the pack \
                 again",
            ),
            Self::NoHash { file, hash_file, found } => Explanation::new(
                "H0220",
                format!(
                    "{}: expected its blake3 hash in {}, as `b3sum` prints it, found {found}",
                    file.display(),
                    hash_file.display()
                ),
            )
            .remedy(format!(
                "Get that file from whoever built the artifact; if that was you: `b3sum {} > {}`",
                file.display(),
                hash_file.display()
            )),
        }
    }
}
