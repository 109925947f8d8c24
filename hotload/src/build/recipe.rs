//! Records cargo's commands for the modules, and keeps them until something that affects them
//! changes: manifests, lock file, cargo's configuration, toolchain.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{fs, io};

use serde::{Deserialize, Serialize};

use super::capture::{CaptureError, write};
use super::environment;
use super::linked::LinkedFiles;
use super::rustc::{joined_codegen, own_option};
use super::scripts::ScriptInputs;
use crate::ids::ModuleId;
use crate::sdk::{Project, SdkError};
use crate::shared_libraries::{API_LIBRARY, SharedLibraries};
use crate::workspace::{Folders, Members};

/// cargo's command for a module's library.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Recipe {
    /// rustc's working directory.
    pub folder: PathBuf,
    /// The program and its arguments.
    pub arguments: Vec<String>,
    /// The variables that cargo set; the rest of rustc's environment is the game's own.
    pub environment: Vec<(String, String)>,
}

/// The recipes of all modules.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Recipes {
    /// The workspace that they were recorded in: they contain its paths.
    pub workspace: PathBuf,
    /// Hash of everything that the recipes depend on.
    pub key: String,
    pub by_module: BTreeMap<ModuleId, Recipe>,
    /// Hash of the API's library that modules are compiled against; with an SDK, the API's
    /// fingerprint. Two builds of the same source differ if they were made in different folders, and
    /// rustc rejects a crate that was compiled against the other one.
    #[serde(skip)]
    pub api: String,
    /// The libraries that modules are compiled against.
    pub linked: LinkedFiles,
}

impl Recipe {
    /// The value that an `env!` in the module gets.
    pub fn variable(&self, name: &str) -> Option<String> {
        let variables = environment::of_rustc(self).filter(|(other, _)| other == name);
        variables.last().map(|(_, value)| value.to_string_lossy().into_owned())
    }

    /// The libraries behind `--extern`: crate name and file.
    pub fn linked(&self) -> impl Iterator<Item = (&str, &Path)> {
        let options = self.arguments.windows(2).filter(|pair| pair[0] == "--extern");
        options.filter_map(|pair| pair[1].split_once('=')).map(|(name, file)| {
            // `noprelude:name` and the like.
            (name.rsplit(':').next().unwrap_or(name), Path::new(file))
        })
    }

    /// The folders in which rustc looks for what these libraries need.
    pub fn library_folders(&self) -> impl Iterator<Item = &Path> {
        let options = self.arguments.windows(2).filter(|pair| pair[0] == "-L");
        options.filter_map(|pair| pair[1].strip_prefix("dependency=")).map(Path::new)
    }

    /// The options that shape code, without those that name files or configure lints and messages.
    pub fn shaping_options(&self) -> Vec<String> {
        /// Options without effect on code. Each takes an argument, after a space or `=`.
        const OTHERS: [&str; 20] = [
            "--crate-name",
            "--crate-type",
            "--out-dir",
            "--extern",
            "--check-cfg",
            "--cap-lints",
            "--allow",
            "--warn",
            "--deny",
            "--forbid",
            "--emit",
            "--error-format",
            "--json",
            "--diagnostic-width",
            "-A",
            "-W",
            "-D",
            "-F",
            "-L",
            "-l",
        ];
        let mut shaping = Vec::new();
        // The first one is rustc itself, which is part of the ABI.
        let mut arguments = self.arguments.iter().skip(1).map(String::as_str);
        while let Some(argument) = arguments.next() {
            let name = argument.split_once('=').map_or(argument, |(name, _)| name);
            let codegen = match argument {
                "-C" | "--codegen" => arguments.next(),
                joined => joined_codegen(joined),
            };
            if let Some(option) = codegen {
                if !own_option(option) && !option.starts_with("link-arg") {
                    shaping.push(format!("-C {option}"));
                }
            } else if OTHERS.contains(&name) {
                if name == argument {
                    arguments.next();
                }
            } else if !argument.ends_with(".rs") {
                shaping.push(argument.to_owned());
            }
        }
        shaping
    }
}

impl Recipes {
    /// True if nothing that they depend on has changed.
    pub fn hold(&self, folders: &Folders, members: &Members) -> bool {
        self.key == key(folders, members, &self.by_module)
    }

    /// The recipes of modules that are built with an SDK.
    ///
    /// # Errors
    ///
    /// If the compiler is another one than the SDK's, or if a module needs more than the SDK has.
    pub fn of_project(
        folders: &Folders,
        members: &Members,
        project: &Project,
    ) -> Result<Self, SdkError> {
        let by_module = project.recipes(folders, &members.crates)?;
        let key = key(folders, members, &by_module);
        let workspace = folders.workspace.clone();
        let api = project.sdk.manifest.abi.to_string();
        let mut recipes = Self { workspace, key, by_module, api, linked: LinkedFiles::default() };
        recipes.read_linked();
        Ok(recipes)
    }

    /// The inputs of the modules' build scripts.
    pub fn script_inputs(&self, members: &Members) -> impl Iterator<Item = ScriptInputs> {
        script_inputs(members, &self.by_module)
    }

    /// Reads the libraries that changed since they were last read.
    pub(super) fn read_linked(&mut self) {
        // cargo's builds of modules are not linked to.
        let modules: BTreeSet<String> = self.by_module.keys().map(ModuleId::crate_name).collect();
        let files = self.by_module.values().flat_map(Recipe::linked);
        let files: BTreeSet<PathBuf> = files
            .filter(|(name, _)| !modules.contains(*name))
            .map(|(_, file)| file.to_owned())
            .collect();
        self.linked = self.linked.read(files.iter().map(PathBuf::as_path));
    }
}

/// Reads the recipes of an earlier run, if they still apply.
pub fn kept(folders: &Folders, members: &Members, libraries: &SharedLibraries) -> Option<Recipes> {
    let text = fs::read(folders.built.join("recipes.json")).ok()?;
    let mut recipes: Recipes = serde_json::from_slice(&text).ok()?;
    let complete = members.crates.keys().all(|id| recipes.by_module.contains_key(id));
    let holds =
        complete && recipes.workspace == folders.workspace && recipes.hold(folders, members);
    recipes.api = check_api(&recipes, libraries).ok().filter(|_| holds)?;
    recipes.read_linked();
    Some(recipes)
}

/// Compares the API that modules would be built against with the one in this process. Returns the
/// hash of its library, or an empty text where it is linked statically.
fn check_api(recipes: &Recipes, libraries: &SharedLibraries) -> Result<String, CaptureError> {
    let arguments = recipes.by_module.values().flat_map(|recipe| &recipe.arguments);
    let built = arguments.filter_map(|argument| argument.strip_prefix("playground_api="));
    let Some(built) = built.map(Path::new).find(|path| path.ends_with(API_LIBRARY)) else {
        return Ok(String::new());
    };
    let fits = |loaded: &&str| {
        libraries.can_do_without(built) || hash_of(built).as_deref() == Some(*loaded)
    };
    let loaded = libraries.api_hash().filter(fits);
    loaded.map(str::to_owned).ok_or(CaptureError::ApiChanged)
}

/// The hash of a file's content; `None` if it cannot be read.
pub fn hash_of(path: &Path) -> Option<String> {
    fs::read(path).map(|bytes| blake3::hash(&bytes).to_hex().to_string()).ok()
}

/// Keeps the recipes for later runs. `started` is when cargo was: what build scripts read has to be
/// older.
///
/// # Errors
///
/// If the API is not the one in this process, or the file cannot be written.
pub(super) fn keep(
    folders: &Folders,
    members: &Members,
    libraries: &SharedLibraries,
    by_module: BTreeMap<ModuleId, Recipe>,
    started: SystemTime,
) -> Result<Recipes, CaptureError> {
    let workspace = folders.workspace.clone();
    let mut key = key(folders, members, &by_module);
    if !script_inputs(members, &by_module).all(|inputs| inputs.are_older_than(started)) {
        // A script may have read what was there before: cargo is asked again.
        key.clear();
    }
    let mut recipes = Recipes { workspace, key, by_module, ..Recipes::default() };
    recipes.api = check_api(&recipes, libraries)?;
    recipes.read_linked();
    let path = folders.built.join("recipes.json");
    let text = serde_json::to_vec(&recipes)
        .map_err(|source| CaptureError::File { path: path.clone(), source: source.into() })?;
    write(&path, &text)?;
    Ok(recipes)
}

/// Parses a command that capture.sh has recorded. `configured` are variables that cargo may have set
/// for this process already, so that the script could not see it.
///
/// # Errors
///
/// If the bytes are not a recorded command.
pub(super) fn read(
    path: &Path,
    bytes: &[u8],
    configured: &BTreeSet<String>,
) -> Result<Recipe, CaptureError> {
    let invalid = || CaptureError::File {
        path: path.into(),
        source: io::Error::new(io::ErrorKind::InvalidData, "not a recorded command"),
    };
    let mut parts = bytes.split(|byte| *byte == 0).map(|part| str::from_utf8(part).ok());
    let mut text = || parts.next().flatten().ok_or_else(invalid);
    let folder = PathBuf::from(text()?);
    let count: usize = text()?.parse().map_err(|_| invalid())?;
    let arguments = (0..count).map(|_| Ok(with_code(text()?.to_owned())));
    let arguments: Vec<String> = arguments.collect::<Result<_, CaptureError>>()?;
    if arguments.len() < 2 {
        return Err(invalid());
    }
    // A value that is not UTF-8 cannot be kept; rustc gets the game's own, if there is one.
    let recorded = parts.flatten().filter_map(|part| part.split_once('='));
    let recorded = recorded.filter(|(name, value)| environment::is_kept(name, value));
    let mut environment: BTreeMap<String, String> =
        recorded.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    for name in configured {
        if !environment.contains_key(name)
            && let Ok(value) = std::env::var(name)
        {
            environment.insert(name.clone(), value);
        }
    }
    Ok(Recipe { folder, arguments, environment: environment.into_iter().collect() })
}

/// cargo compiles a library against the metadata of its dependencies; a dylib needs their code.
fn with_code(argument: String) -> String {
    let library = argument.strip_suffix(".rmeta").map(|path| format!("{path}.rlib"));
    let exists = |library: &String| {
        library.split_once('=').is_some_and(|(_, path)| Path::new(path).is_file())
    };
    library.filter(exists).unwrap_or(argument)
}

/// Hash of everything that affects cargo's commands.
fn key(folders: &Folders, members: &Members, by_module: &BTreeMap<ModuleId, Recipe>) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(playground_api::ABI.as_bytes());
    hasher.update(include_bytes!("capture.sh"));
    hasher.update(include_bytes!("capture.rs"));
    hasher.update(include_bytes!("environment.rs"));
    hasher.update(include_bytes!("recipe.rs"));
    hasher.update(include_bytes!("scripts.rs"));
    let workspace = &folders.workspace;
    let shared = ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", "rust-toolchain"];
    let own = members
        .crates
        .values()
        .flat_map(|module| ["Cargo.toml", "build.rs"].map(|name| module.folder.join(name)));
    for path in shared.map(|name| workspace.join(name)).into_iter().chain(own) {
        let name = path.strip_prefix(workspace).unwrap_or(&path);
        hasher.update(name.to_string_lossy().as_bytes());
        hasher.update(&[0]);
        hasher.update(&fs::read(&path).unwrap_or_default());
    }
    for path in environment::configuration(workspace) {
        hasher.update(&fs::read(&path).unwrap_or_default());
        hasher.update(&[0]);
    }
    for (name, value) in environment::of_cargo() {
        hasher.update(name.as_encoded_bytes());
        hasher.update(b"=");
        hasher.update(value.as_encoded_bytes());
    }
    if let Some(project) = &members.project {
        hasher.update(project.sdk.hash.as_bytes());
    }
    for (name, library) in &members.libraries {
        hasher.update(name.as_bytes());
        hasher.update(library.hash.as_bytes());
    }
    for inputs in script_inputs(members, by_module) {
        inputs.hash_into(&mut hasher);
    }
    hasher.finalize().to_hex().to_string()
}

fn script_inputs(
    members: &Members,
    by_module: &BTreeMap<ModuleId, Recipe>,
) -> impl Iterator<Item = ScriptInputs> {
    let modules = members.crates.iter();
    modules.filter_map(|(id, module)| ScriptInputs::of(module, by_module.get(id)?))
}
