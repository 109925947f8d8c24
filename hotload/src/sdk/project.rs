//! Makes a project: a workspace of modules that are built with an SDK.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use liblzma::read::XzDecoder;

use super::{MANIFEST, Manifest, Sdk, SdkError};
use crate::packs::{self, PacksError};

/// The folder of an SDK that was unpacked into a project.
const UNPACKED: &str = "sdk";

/// A new project.
#[derive(Debug)]
pub struct NewProject {
    /// Its folder.
    pub folder: PathBuf,
    /// The folder of its pack.
    pub pack: PathBuf,
    /// The source of its first module.
    pub module: Option<PathBuf>,
}

/// Makes a project with a module and a pack, both named as the folder. `sdk` is the folder of an SDK,
/// or an archive of one, which is unpacked into the project.
///
/// # Errors
///
/// If the folder exists, if its name is no id, if the SDK is not one for this game, or if a file
/// cannot be written.
pub fn new_project(folder: &Path, sdk: &Path) -> Result<NewProject, PacksError> {
    let refused = |reason: String| SdkError::CannotMake { folder: folder.to_owned(), reason };
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error: io::Error| refused(format!("{}: {error}", path.display()))
    };
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if !packs::is_pack_id(name) {
        let rule = "at most 52 lower-case letters, digits and `_`, beginning with a letter";
        return Err(refused(format!("`{name}` is no id, which has {rule}")).into());
    }
    if folder.exists() {
        return Err(refused("it exists".to_owned()).into());
    }
    fs::create_dir_all(folder).map_err(failed(folder))?;
    let made = fill(folder, name, sdk, &failed);
    if made.is_err() {
        // It was made above.
        let _ = fs::remove_dir_all(folder);
    }
    made
}

fn fill<F: FnOnce(io::Error) -> SdkError>(
    folder: &Path,
    name: &str,
    sdk: &Path,
    failed: &impl Fn(&Path) -> F,
) -> Result<NewProject, PacksError> {
    let no_sdk = |reason: String| SdkError::NoSdk { path: sdk.to_owned(), reason };
    let named = match sdk.is_dir() {
        true => sdk.canonicalize().map_err(|error| no_sdk(error.to_string()))?,
        false => {
            unpack(sdk, &folder.join(UNPACKED)).map_err(|error| no_sdk(error.to_string()))?;
            PathBuf::from(UNPACKED)
        }
    };
    let place = folder.join(&named);
    if !place.join(MANIFEST).is_file() {
        return Err(no_sdk(format!("it has no {MANIFEST}")).into());
    }
    let Sdk { manifest, .. } = Sdk::read(&place)?;
    for (file, text) in [
        ("Cargo.toml", cargo_toml(&manifest, &named)),
        ("rust-toolchain.toml", toolchain_file(&manifest.toolchain)),
        (".gitignore", format!("/target\n/{UNPACKED}\n*.pgpack\n")),
        ("README.md", readme(name)),
    ] {
        let path = folder.join(file);
        fs::write(&path, text).map_err(failed(&path))?;
    }
    let pack = folder.join("packs").join(name);
    let made = packs::new_in(&folder.join("modules"), &pack, "")?;
    Ok(NewProject { folder: folder.to_owned(), pack, module: made.module })
}

/// Unpacks the archive of an SDK. Its files lie in one folder there, whose name does not matter.
fn unpack(archive: &Path, folder: &Path) -> io::Result<()> {
    let decoder = XzDecoder::new_parallel(fs::File::open(archive)?);
    for entry in tar::Archive::new(decoder).entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let inner: PathBuf = path.components().skip(1).collect();
        let is_plain =
            inner.components().all(|part| matches!(part, std::path::Component::Normal(_)));
        let kind = entry.header().entry_type();
        if !is_plain || !(kind.is_file() || kind.is_dir()) {
            return Err(io::Error::other(format!("`{}` is no file of an SDK", path.display())));
        }
        let target = folder.join(inner);
        if kind.is_dir() {
            fs::create_dir_all(target)?;
        } else {
            if let Some(parent) = target.parent() {
                fs::create_dir_all(parent)?;
            }
            io::copy(&mut entry, &mut fs::File::create(target)?)?;
        }
    }
    Ok(())
}

fn cargo_toml(manifest: &Manifest, sdk: &Path) -> String {
    let mut text = format!(
        "[workspace]\nresolver = \"3\"\nmembers = [\"modules/*/*\"]\n\n\
         # Modules are built with this SDK, and not by cargo.\n\
         [workspace.metadata.playground]\nsdk = {:?}\n\n\
         # All that modules can depend on: the game's own libraries and core modules.\n\
         [workspace.dependencies]\n",
        sdk.to_string_lossy()
    );
    let crates = manifest.crates.iter().map(|(name, it)| (name.clone(), &it.version));
    let cores = manifest.cores.iter().map(|(id, version)| (id.to_string(), version));
    for (name, version) in crates.chain(cores) {
        text += &format!("{name} = \"{version}\"\n");
    }
    text
}

/// The file by which rustup knows the compiler.
pub(super) fn toolchain_file(channel: &str) -> String {
    format!("[toolchain]\nchannel = {channel:?}\nprofile = \"minimal\"\n")
}

fn readme(name: &str) -> String {
    format!(
        "# {name}\n\n\
         Modules for Playground, built with its SDK: Rust from rustup is needed, and neither the \
         game's sources nor Bevy's.\n\n\
         ```sh\n\
         GAME/playground --project .                     # plays, with these modules; saves go live\n\
         GAME/playground pack build packs/{name}    # builds and packs them\n\
         GAME/playground pack install FILE.pgpack --developer\n\
         ```\n\n\
         `modules/` has the modules, each with the kind in its path: `core`, `systems`, `plugins` or \
         `apps`. What they can depend on is in `Cargo.toml`. The SDK's `GUIDE.md` shows how modules \
         are written, `docs/` describes the types of the game's core modules, and `ERRORS.md` explains \
         what the game refuses.\n"
    )
}

/// The README of an SDK, for module authors.
pub(super) fn readme_of_sdk(manifest: &Manifest) -> String {
    let Manifest { game, target, rustc, .. } = manifest;
    let cores: Vec<&str> = manifest.cores.keys().map(|id| id.as_str()).collect();
    let docs = match cores.first() {
        Some(first) => format!("docs/{}/index.html", first.replace('-', "_")),
        None => "docs/".to_owned(),
    };
    format!(
        "# The SDK of Playground {game} for {target}\n\n\
         It takes {rustc}, which rustup installs by itself, and the released game.\n\n\
         ```sh\n\
         GAME/playground sdk new boss_wave --sdk THIS_FOLDER    # a project with a module and a pack\n\
         cd boss_wave\n\
         GAME/playground --project .                            # plays; saves of its modules go live\n\
         ```\n\n\
         `GUIDE.md` shows how modules are written, and `ERRORS.md` explains each error. `lib/` has the \
         metadata of all that modules are compiled against, `cores/` the game's core \
         modules ({cores}), whose types are described in `{docs}`. `licences.txt` has the licences \
         of all of it.\n",
        cores = cores.join(", "),
    )
}
