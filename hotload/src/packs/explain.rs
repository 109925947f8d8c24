//! The codes, texts and remedies of errors about packs.

use playground_pack::manifest::ManifestError;
use playground_pack::{PackError, SignError, StoreError};

use super::describe::contents;
use super::{PacksError, triple};
use crate::console::command::suggest;
use crate::explain::{Explain, Explanation};
use crate::ids::ModuleId;

impl Explain for PacksError {
    fn explain(&self) -> Explanation {
        match self {
            Self::Pack { file, error } => explain(error, Some(&file.display().to_string())),
            Self::Draft(error) => explain(error, None),
            Self::Source(error) => Explanation::new("H1110", error.to_string())
                .remedy("`pack new` writes a folder that can be packed"),
            Self::NoModule { folder, module, known } => {
                let name = module.as_str();
                let remedy = match suggest(name, known.iter().map(ModuleId::as_str)) {
                    Some(id) => format!("There is `{id}`: correct `modules` in its pack.toml"),
                    None => "Correct `modules` in its pack.toml; each is the name of a package \
                             under modules/"
                        .to_owned(),
                };
                let headline = format!(
                    "{} names the module `{name}`, and the workspace has none of that name",
                    folder.display()
                );
                Explanation::new("H1111", headline).remedy(remedy)
            }
            Self::NotBuilt { module, messages } => {
                Explanation::new("H1112", format!("module `{module}` does not compile"))
                    .details(messages.join("\n"))
            }
            Self::OtherModule { path, what, expected, found } => Explanation::new(
                "H1114",
                format!("`{path}` has the {what} {found}, and the pack's manifest says {expected}"),
            )
            .remedy("Its author has to build the pack again"),
            Self::OtherAbi { file, expected, found } => Explanation::new(
                "H1115",
                format!(
                    "the modules of {} were built for another version of the game: API {found}, \
                     and this game has {expected}",
                    file.display()
                ),
            )
            .remedy("Update the game or the pack, so that both are of the same release"),
            Self::CannotMake { folder, reason } => Explanation::new(
                "H1116",
                format!("cannot make a pack in {}: {reason}", folder.display()),
            )
            .remedy(
                "Choose a new folder, whose name is the pack's id, for example packs/boss_wave",
            ),
            Self::NoName { file } => Explanation::new(
                "H1117",
                format!("{} names no author, so its publisher has no name", file.display()),
            )
            .remedy("Give one with `--name`, or fill in `authors` in its pack.toml and build it"),
            Self::OtherPack { ids: [one, other] } => Explanation::new(
                "H1118",
                format!("`{one}` and `{other}` are two packs, not two versions of one"),
            )
            .remedy("Compare packs of the same id"),
            Self::NoTarget { file } => Explanation::new(
                "H1119",
                format!("{} has no modules for {}", file.display(), triple()),
            )
            .remedy("Ask its author for one that has"),
            Self::Store(error) => explain_store(error),
            Self::Clash(clash) => {
                Explanation::new("H1129", "the packs cannot all run").details(clash.to_string())
            }
            Self::Order(cycle) => Explanation::new("H1133", cycle.to_string()).remedy(
                "Take `before` or `after` out of the `pack.toml` of one of them, or leave that pack out",
            ),
            Self::Required { id, by } => {
                Explanation::new("H1130", format!("pack `{id}` is required by {}", by.join(", ")))
                    .remedy("Switch these off first, with `pack disable`")
            }
            Self::Folder { folder } => Explanation::new(
                "H1131",
                format!("{} is a folder, and players install packed files", folder.display()),
            )
            .remedy("`--developer` builds the pack in it; `pack build` makes a file of it"),
            Self::NoModules => Explanation::new(
                "H1132",
                "the game's own modules cannot be read, so it is not known which packs fit",
            )
            .remedy("Correct the error that the game reported about its modules first"),
            Self::Refused(refusal) => refusal.explain(),
        }
    }
}

fn explain_store(error: &StoreError) -> Explanation {
    let text = error.to_string();
    match error {
        StoreError::Pack(error) => explain(error, None),
        StoreError::List { .. } => Explanation::new("H1120", text).remedy(
            "Update the game if a newer one wrote it. Otherwise remove the file, and install the \
             packs again: their files are beside it",
        ),
        StoreError::NotInstalled { id, known } => {
            let near = suggest(id, known.iter().map(String::as_str));
            let remedy = match near {
                Some(near) => format!("There is `{near}`"),
                None => "`pack list` shows those that are; `pack install FILE` adds one".to_owned(),
            };
            Explanation::new("H1121", text).remedy(remedy)
        }
        StoreError::Unsigned { .. } => Explanation::new("H1122", text).remedy(
            "Get a signed one. If you made it yourself, `--developer` installs it; its author can \
             sign it with `pack sign`",
        ),
        StoreError::UnknownPublisher { manifest } => Explanation::new("H1123", text)
            .details(contents(manifest))
            .remedy("If you trust this publisher, install it again with `--trust`"),
        StoreError::Revoked { .. } => Explanation::new("H1124", text).remedy(
            "Ask its author for one with a new key. If you revoked it by mistake, `pack trust KEY`",
        ),
        StoreError::OtherPublisher { id, .. } => Explanation::new("H1125", text).remedy(format!(
            "Another pack may use this one's id. If you know why the key changed, `pack remove \
             {id}` first"
        )),
        StoreError::Downgrade { .. } => Explanation::new("H1126", text)
            .remedy("`--downgrade` installs it all the same; newer saves may not load with it"),
        StoreError::SameVersion { .. } => Explanation::new("H1127", text).remedy(
            "Its author has to raise the version. While you develop it, `--developer` takes it",
        ),
        StoreError::NoKey { .. } => {
            Explanation::new("H1128", text).remedy("`pack keys` lists the keys")
        }
    }
}

fn explain(error: &PackError, file: Option<&str>) -> Explanation {
    const CHANGED: &str = "It was changed after it was built: get it from its author again";
    let names_file = matches!(error, PackError::Signature(SignError::SecretKey { .. }));
    let text = match file.filter(|_| !names_file) {
        Some(file) => format!("{file}: {error}"),
        None => error.to_string(),
    };
    let author = match file {
        Some(_) => "Its author has to correct that and build the pack again",
        None => "Correct it in the pack's folder",
    };
    match error {
        PackError::File { .. } => Explanation::new("H1101", error.to_string())
            .remedy("Check the path and its permissions"),
        PackError::Compression { .. } => {
            Explanation::new("H1102", text).remedy("Download it again")
        }
        PackError::Archive(_) => Explanation::new("H1103", text).remedy(CHANGED),
        PackError::Manifest(ManifestError::Format { .. }) => Explanation::new("H1104", text)
            .remedy("Update the game, or ask its author for a pack of this format"),
        PackError::Manifest(_) => Explanation::new("H1105", text).remedy(author),
        PackError::Content { .. } => Explanation::new("H1106", text).remedy(CHANGED),
        PackError::TooLarge { .. } => Explanation::new("H1107", text).remedy(author),
        PackError::Signature(SignError::Wrong { .. }) => Explanation::new("H1108", text)
            .remedy("It was changed after it was signed: get it from its author again"),
        PackError::Signature(_) => Explanation::new("H1109", text)
            .remedy("`pack key FILE` makes a key, and minisign does too"),
    }
}
