//! Makes the folder of a new pack, and a module for it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use playground_pack::manifest::is_id;

use super::PacksError;
use crate::ids::ModuleId;
use crate::workspace;

/// The files of a new pack.
#[derive(Debug)]
pub struct New {
    /// The pack's folder.
    pub folder: PathBuf,
    /// The source of the new module, if one was made.
    pub module: Option<PathBuf>,
}

/// Makes a folder with a `pack.toml` and a `README.md`. The folder's name is the pack's id. Without
/// `modules` it also makes a module of kind `plugins` in the workspace that the folder lies in.
///
/// # Errors
///
/// If the folder or the module exists, the name is no id, or a file cannot be written.
pub fn new(folder: &Path, modules: &[String]) -> Result<New, PacksError> {
    let refused = |reason: String| PacksError::CannotMake { folder: folder.to_owned(), reason };
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if !is_pack_id(name) {
        return Err(refused(format!(
            "`{name}` is no id: it has to be at most 52 lower-case letters, digits and `_`, and to \
             begin with a letter"
        )));
    }
    if folder.exists() {
        return Err(refused("it exists".to_owned()));
    }
    if !modules.is_empty() {
        make_pack(folder, name, modules)?;
        return Ok(New { folder: folder.to_owned(), module: None });
    }
    let parent = folder.ancestors().skip(1).find(|parent| parent.is_dir());
    let (folders, _) = workspace::scan(parent.unwrap_or(Path::new(".")))?;
    let manifest = fs::read_to_string(folders.workspace.join("Cargo.toml")).unwrap_or_default();
    let lints =
        if manifest.contains("[workspace.lints") { "\n[lints]\nworkspace = true\n" } else { "" };
    new_in(&folders.modules, folder, lints)
}

/// True for a name that a pack, and a module for it, can have.
pub fn is_pack_id(name: &str) -> bool {
    // The module's name is longer.
    is_id(name) && is_id(&format!("plugins_{name}"))
}

/// Makes a pack, and a module of kind `plugins` for it below the folder `modules`. `lints` is a part
/// of the module's manifest.
///
/// # Errors
///
/// If there is such a module, or a file cannot be written.
pub(crate) fn new_in(modules: &Path, folder: &Path, lints: &str) -> Result<New, PacksError> {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let own = ModuleId::from(format!("plugins_{name}"));
    let module = make_module(modules, folder, &own, lints)?;
    make_pack(folder, name, &[own.to_string()])?;
    Ok(New { folder: folder.to_owned(), module: Some(module) })
}

fn make_pack(folder: &Path, name: &str, modules: &[String]) -> Result<(), PacksError> {
    let failed = |path: &Path, error: io::Error| PacksError::CannotMake {
        folder: folder.to_owned(),
        reason: format!("{}: {error}", path.display()),
    };
    fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    let title = title(name);
    for (file, text) in [
        ("pack.toml", pack_toml(name, &title, modules)),
        ("README.md", format!("# {title}\n\nWhat it adds to the game.\n")),
    ] {
        let path = folder.join(file);
        fs::write(&path, text).map_err(|error| failed(&path, error))?;
    }
    Ok(())
}

/// Makes a module that does nothing but answer a console command.
fn make_module(
    modules: &Path,
    folder: &Path,
    id: &ModuleId,
    lints: &str,
) -> Result<PathBuf, PacksError> {
    let refused = |reason: String| PacksError::CannotMake { folder: folder.to_owned(), reason };
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let own = modules.join("plugins").join(name);
    if own.exists() {
        return Err(refused(format!("there is a module in {}", own.display())));
    }
    let source = own.join("src/lib.rs");
    let made = fs::create_dir_all(own.join("src"))
        .and_then(|()| fs::write(own.join("Cargo.toml"), cargo_toml(id, lints)))
        .and_then(|()| fs::write(&source, lib_rs(name)));
    made.map_err(|error| refused(format!("{}: {error}", own.display())))?;
    Ok(source)
}

/// `boss_wave` as `Boss wave`.
fn title(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    letters
        .next()
        .map_or(String::new(), |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}

fn pack_toml(id: &str, title: &str, modules: &[String]) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let modules: Vec<String> = modules.iter().map(|module| format!("{module:?}")).collect();
    format!(
        "id = \"{id}\"\nversion = \"0.1.0\"\ntitle = \"{title}\"\nauthors = []\n\
         licence = \"MIT OR Apache-2.0\"\ndescription = \"\"\n\
         # The versions of the game and of playground_api that it runs with.\n\
         host = \"^{version}\"\napi = \"^{version}\"\n\
         # Packages of this workspace.\nmodules = [{}]\n\n\
         # What a module's `requires` has no place for:\n\
         # [relations.{module}]\n\
         # optional = {{ plugins_hud = \"^0.1\" }}\n\
         # conflicts = {{ plugins_trails = \"*\" }}\n\
         # after = [\"systems_combat\"]\n",
        modules.join(", "),
        module = modules.first().map_or("", |module| module.trim_matches('"')),
    )
}

fn cargo_toml(id: &ModuleId, lints: &str) -> String {
    format!(
        "[package]\nname = \"{id}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
         [dependencies]\nbevy.workspace = true\nplayground_api.workspace = true\n{lints}"
    )
}

fn lib_rs(name: &str) -> String {
    format!(
        "//! {title}.\n#![forbid(unsafe_code)]\n\nuse playground_api::prelude::*;\n\n\
         export_module! {{\n    kind: Plugins,\n    requires: {{}},\n    persist: [],\n    \
         build: build,\n}}\n\n\
         fn build(module: &mut ModuleApp) {{\n    \
         module.add_console_command(\"{name}\", \"is {name} there?\", hello);\n}}\n\n\
         fn hello(_: In<Vec<String>>) -> String {{\n    \"{title} is there\".to_owned()\n}}\n",
        title = title(name),
    )
}

#[cfg(test)]
mod tests {
    use playground_pack::Source;

    use super::*;
    use crate::test_folder::TestFolder;

    #[test]
    fn a_new_pack_of_known_modules_can_be_read() {
        let folder = TestFolder::new("packs-new");
        let modules = ["systems_boss".to_owned(), "core_boss".to_owned()];
        let made = new(&folder.join("packs/boss_wave"), &modules).unwrap();
        assert!(made.module.is_none());
        let source = Source::read(&made.folder).unwrap();
        assert_eq!(source.id, "boss_wave");
        assert_eq!(source.title, "Boss wave");
        assert_eq!(Vec::from_iter(source.modules), ["core_boss", "systems_boss"]);
        let again = new(&made.folder, &modules).unwrap_err();
        assert!(
            again.to_string().starts_with("H1116: ") && again.to_string().contains("it exists")
        );
    }

    #[test]
    fn a_folder_needs_the_name_of_an_id() {
        let folder = TestFolder::new("packs-names");
        for name in ["Boss", "boss-wave", "1boss", "größe", &"b".repeat(53)] {
            let error = new(&folder.join(name), &["core_x".to_owned()]).unwrap_err().to_string();
            assert!(error.contains("is no id"), "{error}");
            assert!(!folder.join(name).exists());
        }
    }
}
