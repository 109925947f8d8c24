//! The files and variables that a compilation read, from rustc's dep-info file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::{Deserialize, Serialize};

/// The files and the environment variables that a compilation read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DepInfo {
    /// Absolute paths.
    pub files: BTreeSet<PathBuf>,
    /// Names of the variables behind `env!` and `option_env!`, set or not.
    pub variables: BTreeSet<String>,
}

impl DepInfo {
    /// Reads the dep-info file of a compilation whose working directory was `folder`.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn read(file: &Path, folder: &Path) -> io::Result<Self> {
        Ok(Self::parse(&fs::read_to_string(file)?, folder))
    }

    /// rustc writes one rule for each output, one empty rule for each file that it read, and the
    /// variables in comments.
    fn parse(text: &str, folder: &Path) -> Self {
        let mut found = Self::default();
        for line in text.lines() {
            if let Some(variable) = line.strip_prefix("# env-dep:") {
                let name = variable.split_once('=').map_or(variable, |(name, _)| name);
                found.variables.insert(unescape_variable(name));
            } else if let Some(file) = line.strip_suffix(':')
                && !line.starts_with('#')
            {
                found.files.insert(folder.join(file.replace("\\ ", " ")));
            }
        }
        found
    }
}

fn unescape_variable(name: &str) -> String {
    name.replace("\\n", "\n").replace("\\r", "\r").replace("\\\\", "\\")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_folder::TestFolder;

    #[test]
    fn files_and_variables_of_a_real_compilation_are_found() {
        let folder = TestFolder::new("deps");
        fs::create_dir_all(folder.join("a folder/target")).unwrap();
        let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
        write("a folder/target/lock.rs", "pub struct Lock(u32);");
        write("outside.in", "pub struct Outside;");
        write("text.txt", "text");
        write(
            "a folder/lib.rs",
            "#[path = \"target/lock.rs\"] pub mod lock;\n\
             include!(concat!(\"../\", \"outside.in\"));\n\
             pub const TEXT: &str = include_str!(\"../text.txt\");\n\
             pub const HOME: Option<&str> = option_env!(\"PLAYGROUND_NOBODY_SETS_THIS\");\n\
             pub const NAME: &str = env!(\"PLAYGROUND_NAME\");",
        );
        let mut rustc = std::process::Command::new("rustc");
        rustc.args(["--crate-name", "deps", "--crate-type", "lib", "--emit=dep-info,metadata"]);
        rustc.args(["--edition", "2024", "a folder/lib.rs"]).env("PLAYGROUND_NAME", "a=b\n");
        let output = rustc.current_dir(&folder).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let found = DepInfo::read(&folder.join("deps.d"), &folder).unwrap();
        let canonical = |path: &PathBuf| {
            let mut parts = PathBuf::new();
            for part in path.strip_prefix(&folder).unwrap().components() {
                if part.as_os_str() == ".." { _ = parts.pop() } else { parts.push(part) }
            }
            parts.display().to_string()
        };
        let files: BTreeSet<String> = found.files.iter().map(canonical).collect();
        let expected = ["a folder/lib.rs", "a folder/target/lock.rs", "outside.in", "text.txt"];
        assert_eq!(files, expected.map(str::to_owned).into());
        let variables = ["PLAYGROUND_NAME", "PLAYGROUND_NOBODY_SETS_THIS"];
        assert_eq!(found.variables, variables.map(str::to_owned).into());
    }
}
