//! The inputs of a module's build script, as it reports them to cargo: when they change, cargo runs it
//! again.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::recipe::Recipe;
use super::stamp::Stamp;
use crate::workspace::{self, ModuleCrate};

/// The files and variables that a build script was made from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScriptInputs {
    /// Absolute paths of files and folders.
    pub paths: BTreeSet<PathBuf>,
    /// Names of variables.
    pub variables: BTreeSet<String>,
}

impl ScriptInputs {
    /// `None` for a module without a build script.
    pub fn of(module: &ModuleCrate, recipe: &Recipe) -> Option<Self> {
        let (_, out_dir) = recipe.environment.iter().find(|(name, _)| name == "OUT_DIR")?;
        // cargo keeps there what the script printed.
        let printed = fs::read(Path::new(out_dir).with_file_name("output")).unwrap_or_default();
        let mut inputs = Self::parse(&String::from_utf8_lossy(&printed), &module.folder);
        let says_nothing = inputs == Self::default();
        let own = workspace::list(&module.folder).unwrap_or_default();
        // Where the script names nothing, cargo takes all files of the package. Those below `src`
        // are left out here: a save of one of them would always ask cargo. The script may also have
        // Rust files of its own.
        let of_script = own.into_iter().filter(|path| {
            !path.starts_with("src")
                && (says_nothing || path.extension().is_some_and(|it| it == "rs"))
        });
        inputs.paths.extend(of_script.map(|path| module.folder.join(path)));
        Some(inputs)
    }

    fn parse(printed: &str, folder: &Path) -> Self {
        let mut inputs = Self::default();
        for line in printed.lines() {
            let Some(line) = line.strip_prefix("cargo:") else { continue };
            let line = line.strip_prefix(':').unwrap_or(line);
            if let Some(path) = line.strip_prefix("rerun-if-changed=") {
                inputs.paths.insert(workspace::resolved(&folder.join(path)));
            } else if let Some(name) = line.strip_prefix("rerun-if-env-changed=") {
                inputs.variables.insert(name.to_owned());
            }
        }
        inputs
    }

    /// The files, also those in the folders.
    pub fn files(&self) -> BTreeSet<PathBuf> {
        let below = |path: &PathBuf| match workspace::list(path) {
            Ok(files) if path.is_dir() => files.into_iter().map(|file| path.join(file)).collect(),
            _ => vec![path.clone()],
        };
        self.paths.iter().flat_map(below).collect()
    }

    /// True if none of the files was written since `time`.
    pub fn are_older_than(&self, time: SystemTime) -> bool {
        let mut stamps = self.files().into_iter().filter_map(|file| Stamp::of(&file));
        stamps.all(|stamp| stamp.is_older_than(time))
    }

    /// Hashes their current content and the variables' current values.
    pub fn hash_into(&self, hasher: &mut blake3::Hasher) {
        for file in self.files() {
            hasher.update(file.to_string_lossy().as_bytes());
            hasher.update(&[0]);
            let hash = fs::read(&file).map(|bytes| *blake3::hash(&bytes).as_bytes());
            hasher.update(&hash.unwrap_or_default());
        }
        for name in &self.variables {
            let value = std::env::var_os(name);
            hasher.update(format!("{name}={value:?}").as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_script_names_is_found() {
        let printed = "cargo:rerun-if-changed=data.txt\nhello\n\
                       cargo::rerun-if-changed=../shared/more.txt\ncargo:rustc-env=A=1\n\
                       cargo:rerun-if-env-changed=LEVEL\n";
        let inputs = ScriptInputs::parse(printed, Path::new("/nowhere/module"));
        let paths = ["/nowhere/module/data.txt", "/nowhere/shared/more.txt"];
        assert_eq!(inputs.paths, paths.map(PathBuf::from).into());
        assert_eq!(inputs.variables, ["LEVEL".to_owned()].into());
        assert_eq!(ScriptInputs::parse("hello", Path::new("/")), ScriptInputs::default());
    }
}
