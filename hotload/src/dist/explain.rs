//! The codes, texts and remedies of errors of a release.

use super::DistError;
use crate::explain::{Explain, Explanation};
use crate::os_remedies::remedy;

impl Explain for DistError {
    fn explain(&self) -> Explanation {
        match self {
            Self::File { action, path, source } => {
                Explanation::new("H1201", format!("cannot {action} {}: {source}", path.display()))
                    .remedy(remedy(source))
            }
            Self::Occupied { folder } => {
                Explanation::new("H1202", format!("{} has something else in it", folder.display()))
                    .remedy("Choose another folder, or remove what is there")
            }
            Self::Tool { command, output } => {
                Explanation::new("H1203", format!("`{command}` failed")).details(output)
            }
            Self::NoLicence { packages } => Explanation::new(
                "H1204",
                format!("nothing is known about the licence of {}", packages.join(", ")),
            )
            .remedy("Fill in `license` in its Cargo.toml, or put the text beside that"),
            Self::Packs(error) => error.explain(),
            Self::Sdk(error) => error.explain(),
        }
    }
}
