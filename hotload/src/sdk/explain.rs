//! The codes, texts and remedies of errors about SDKs and their projects.

use super::SdkError;
use crate::console::command::suggest;
use crate::explain::{Explain, Explanation};

impl Explain for SdkError {
    fn explain(&self) -> Explanation {
        match self {
            Self::Missing { manifest, folder } => Explanation::new(
                "H1301",
                format!("there is no SDK in {}, which {} names", folder.display(), manifest.display()),
            )
            .remedy(
                "Unpack the SDK of the game's release there, or correct `sdk` in \
                 [workspace.metadata.playground]",
            ),
            Self::Invalid { file, reason } => {
                Explanation::new("H1302", format!("{} cannot be used: {reason}", file.display()))
                    .remedy("Unpack the SDK again")
            }
            Self::OtherGame { folder, what, found, expected } => Explanation::new(
                "H1303",
                format!(
                    "the SDK in {} is that of another release: its {what} is {found}, and this \
                     game's is {expected}",
                    folder.display()
                ),
            )
            .remedy("Use the SDK that was released with this game, or the game of this SDK"),
            Self::OtherCompiler { folder, toolchain, expected, found } => Explanation::new(
                "H1304",
                format!(
                    "the SDK is for {expected}, and in {} there is {found}",
                    folder.display()
                ),
            )
            .remedy(format!(
                "`rustup toolchain install {toolchain}`, and leave the project's \
                 rust-toolchain.toml as it was made"
            )),
            Self::Dependency { manifest, name, known } => {
                let headline = format!(
                    "{} depends on `{name}`, which is not in the SDK: nothing can be compiled with \
                     it but what the game has",
                    manifest.display()
                );
                let remedy = match suggest(name, known.iter().map(String::as_str)) {
                    Some(other) => format!("There is `{other}`"),
                    None => format!("Remove it; there are {}", known.join(", ")),
                };
                Explanation::new("H1305", headline).remedy(remedy)
            }
            Self::Version { manifest, name, wanted, found } => Explanation::new(
                "H1306",
                format!("{} wants `{name}` {wanted}, and the SDK has {found}", manifest.display()),
            )
            .remedy(format!("Write `{name} = \"{found}\"`")),
            Self::BuildScript { manifest } => Explanation::new(
                "H1307",
                format!("{} has a build script, and only cargo runs those", manifest.display()),
            )
            .remedy("Write what it makes into the module's source, and remove it"),
            Self::NoProject { folder } => Explanation::new(
                "H1308",
                format!("{} is no project of an SDK", folder.display()),
            )
            .remedy(
                "`playground sdk new` makes one; in the game's own workspace, `cargo run` builds its \
                 modules",
            ),
            Self::NoGame { folder, asked } => Explanation::new(
                "H1309",
                format!(
                    "{} is a project of an SDK, and {asked} takes the workspace of a game",
                    folder.display()
                ),
            )
            .remedy(
                "Start the released game with `--project`, or pack the modules with `playground \
                 pack build`",
            ),
            Self::NoSdk { path, reason } => {
                Explanation::new("H1311", format!("{} is no SDK: {reason}", path.display())).remedy(
                    "Give the archive that was released with this game, or the folder that it was \
                     unpacked into",
                )
            }
            Self::CannotMake { folder, reason } => Explanation::new(
                "H1310",
                format!("cannot make a project in {}: {reason}", folder.display()),
            )
            .remedy("Choose a new folder, whose name is the pack's id, for example boss_wave"),
        }
    }
}
