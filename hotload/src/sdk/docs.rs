//! Documentation for authors of modules: of the game's core modules as rustdoc renders it, and the
//! guide.

use std::path::Path;
use std::process::Command;

use crate::build::recipe::Recipe;
use crate::dist::{DistError, run};
use crate::toolchain::Toolchain;

/// The guide for authors of modules, with links to files of an SDK.
pub fn guide() -> String {
    const GUIDE: &str = include_str!("../../../api/GUIDE.md");
    let links = [
        ("../README.md#packs-and-releases", "README.md"),
        ("../README.md", "README.md"),
        ("../hotload/ERRORS.md", "ERRORS.md"),
    ];
    links.iter().fold(GUIDE.to_owned(), |guide, (from, to)| guide.replace(from, to))
}

/// The meaning of each error code.
pub const ERRORS: &str = include_str!("../../ERRORS.md");

/// Renders the documentation of a module into a folder, beside that of others. `libraries` are
/// rustdoc's arguments for what modules are compiled against.
///
/// # Errors
///
/// If rustdoc fails.
pub fn write(
    recipe: &Recipe,
    libraries: &[String],
    toolchain: &Toolchain,
    folder: &Path,
) -> Result<(), DistError> {
    let mut rustdoc = Command::new(toolchain.program("rustdoc"));
    rustdoc.current_dir(&recipe.folder).arg("-o").arg(folder).args(libraries);
    rustdoc.envs(recipe.environment.iter().map(|(name, value)| (name, value)));
    let mut arguments = recipe.arguments.iter().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--crate-name" | "--cfg" | "--check-cfg" => {
                rustdoc.arg(argument).args(arguments.next());
            }
            "-L" => {
                let folder = arguments.next().filter(|it| it.starts_with("dependency="));
                rustdoc.args(folder.map(|folder| format!("-L{folder}")));
            }
            edition if edition.starts_with("--edition") => _ = rustdoc.arg(edition),
            source if source.ends_with(".rs") => _ = rustdoc.arg(source),
            _ => {}
        }
    }
    // The source is not a part of an SDK; an option for that is not stable yet.
    rustdoc.env("RUSTC_BOOTSTRAP", "1").args(["-Zunstable-options", "--html-no-source"]);
    run(rustdoc.args(["--cap-lints", "allow"])).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guide_links_to_nothing_outside_of_an_sdk() {
        for text in [&guide(), ERRORS] {
            let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
            let here = ["README.md", "ERRORS.md", "GUIDE.md"];
            let outside = links.filter(|link| {
                !link.starts_with('#') && !link.starts_with("https://") && !here.contains(link)
            });
            assert_eq!(outside.collect::<Vec<_>>(), Vec::<&str>::new());
        }
    }
}
