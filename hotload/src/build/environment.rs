//! The environment of the replayed rustc: what cargo set for it, which the recipe holds, and the
//! game's own for the rest, as it would be under cargo. The rest is not written down: it may hold
//! secrets, or bytes that are not UTF-8.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use super::recipe::Recipe;

/// The descriptors of a job server are closed when the build runs.
const JOB_SERVER: [&str; 3] = ["CARGO_MAKEFLAGS", "MAKEFLAGS", "MFLAGS"];

/// Variables that the shell of capture.sh sets.
const OF_SHELL: [&str; 4] = ["OLDPWD", "PWD", "SHLVL", "_"];

/// True for a variable that cargo sets for each rustc anew. `cargo run` sets most of them for the
/// game as well, with the values of the game's package.
pub(super) fn is_set_by_cargo(name: &OsStr) -> bool {
    const NAMES: [&str; 8] = [
        "CARGO",
        "CARGO_BIN_NAME",
        "CARGO_CRATE_NAME",
        "CARGO_MAKEFLAGS",
        "CARGO_PRIMARY_PACKAGE",
        "CARGO_RUSTC_CURRENT_DIR",
        "CARGO_TARGET_TMPDIR",
        "OUT_DIR",
    ];
    let name = name.to_string_lossy();
    NAMES.contains(&&*name)
        || ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_EXE_"].iter().any(|it| name.starts_with(it))
}

/// True for a recorded variable that belongs into the recipe.
pub(super) fn is_kept(name: &str, value: &str) -> bool {
    let is_of_capture = name == "RUSTC_WRAPPER" || name.starts_with("PLAYGROUND_");
    // capture.sh records these also where they are not set.
    let is_unset = value.is_empty() && matches!(name, "LD_LIBRARY_PATH" | "RUSTUP_TOOLCHAIN");
    !is_of_capture && !is_unset && !JOB_SERVER.contains(&name) && !OF_SHELL.contains(&name)
}

/// All variables of the replayed rustc.
pub(super) fn of_rustc(recipe: &Recipe) -> impl Iterator<Item = (OsString, OsString)> {
    let of_game = std::env::vars_os().filter(|(name, _)| {
        let text = name.to_string_lossy();
        // A job sets those of this project itself.
        !is_set_by_cargo(name) && !text.starts_with("PLAYGROUND_") && !JOB_SERVER.contains(&&*text)
    });
    let of_cargo = recipe.environment.iter().map(|(name, value)| (name.into(), value.into()));
    of_game.chain(of_cargo)
}

/// The files in which cargo looks for its configuration, in the workspace, its parents and the user's
/// home. They need not exist.
pub(super) fn configuration(workspace: &Path) -> impl Iterator<Item = PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(Into::into);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let folders = workspace.ancestors().map(|folder| folder.join(".cargo")).chain(home);
    folders.flat_map(|folder| ["config.toml", "config"].map(|name| folder.join(name)))
}

/// The variables that configure cargo, as it reads them itself, sorted.
pub(super) fn of_cargo() -> BTreeMap<OsString, OsString> {
    const NAMES: [&str; 7] = [
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_INCREMENTAL",
        "CARGO_TARGET_DIR",
        "RUSTC",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTC_WRAPPER",
        "RUSTFLAGS",
    ];
    let configures = |name: &OsStr| {
        let name = name.to_string_lossy();
        let starts = ["CARGO_BUILD_", "CARGO_PROFILE_", "CARGO_TARGET_", "CARGO_UNSTABLE_"];
        NAMES.contains(&&*name)
            || (starts.iter().any(|start| name.starts_with(start))
                && !is_set_by_cargo(OsStr::new(&*name)))
    };
    std::env::vars_os().filter(|(name, _)| configures(name)).collect()
}

/// The names under `[env]` in the configuration of cargo that applies to the workspace. cargo has set
/// these already where it started the game, and the next game may be started without it.
pub(super) fn configured(workspace: &Path) -> BTreeSet<String> {
    let tables = configuration(workspace)
        .filter_map(|file| fs::read_to_string(file).ok()?.parse::<toml::Table>().ok());
    let names = tables.filter_map(|table| Some(table.get("env")?.as_table()?.clone()));
    names.flat_map(|table| table.into_iter().map(|(name, _)| name)).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command;

    use super::super::recipe;
    use super::*;
    use crate::test_folder::TestFolder;

    /// A folder with capture.sh.
    struct Folder(TestFolder);

    impl Folder {
        fn new(name: &str) -> Self {
            let folder = Self(TestFolder::new(&format!("environment-{name}")));
            let script = folder.0.join("capture.sh");
            fs::write(&script, include_str!("capture.sh")).unwrap();
            fs::set_permissions(script, fs::Permissions::from_mode(0o755)).unwrap();
            folder
        }

        /// Runs a "cargo" that has the user's variables, sets `set`, and calls a "rustc" through the
        /// script with `arguments`.
        fn record(&self, set: &str, arguments: &str) -> Option<Recipe> {
            let rustc = format!("{set}\nexport OUT_DIR=/out\n./capture.sh true {arguments}\ntrue");
            let status = Command::new("sh")
                .args(["-c", &rustc])
                .current_dir(&self.0)
                .env("ACCESS_TOKEN", "secret")
                .env("CARGO_REGISTRY_TOKEN", "secret")
                .env("NOT_TEXT", OsStr::from_bytes(b"\xff\n=secret"))
                .env("TWO_LINES", "secret\nOUT_DIR=secret")
                .env("CHANGED", "secret")
                .env("PLAYGROUND_CAPTURE", "core_a my-module")
                .env("PLAYGROUND_CAPTURE_CORES", "")
                .env("PLAYGROUND_CAPTURE_DIR", &*self.0)
                .env("RUSTUP_TOOLCHAIN", "1.0")
                .status()
                .unwrap();
            assert!(status.success());
            let package = set.split("CARGO_PKG_NAME=").nth(1)?.split_whitespace().next()?;
            let path = self.0.join(format!("{package}.captured"));
            let recorded = fs::read(&path).ok()?;
            assert!(!String::from_utf8_lossy(&recorded).contains("secret"));
            fs::remove_file(&path).unwrap();
            Some(recipe::read(&path, &recorded, &BTreeSet::new()).unwrap())
        }
    }

    #[test]
    fn only_what_cargo_set_is_recorded() {
        let folder = Folder::new("recorded");
        let set = "export CARGO_PKG_NAME=my-module CARGO_CRATE_NAME=my_module CHANGED=new \
                   FROM_BUILD_SCRIPT='a b' PLAYGROUND_X=1 CARGO_MAKEFLAGS=-j";
        let recipe = folder.record(set, "--crate-name my_module 'lib.rs'").unwrap();
        assert_eq!(recipe.folder, fs::canonicalize(&folder.0).unwrap());
        assert_eq!(recipe.arguments, ["true", "--crate-name", "my_module", "lib.rs"]);
        let mut found: Vec<String> =
            recipe.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
        found.retain(|variable| !variable.starts_with("LD_LIBRARY_PATH="));
        found.sort();
        let expected = [
            "CARGO_CRATE_NAME=my_module",
            "CARGO_PKG_NAME=my-module",
            "CHANGED=new",
            "FROM_BUILD_SCRIPT=a b",
            "OUT_DIR=/out",
            "RUSTUP_TOOLCHAIN=1.0",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn only_the_command_of_the_library_is_recorded() {
        let folder = Folder::new("library");
        let crate_of = |package: &str, name: &str| {
            let set = format!("export CARGO_PKG_NAME={package} CARGO_CRATE_NAME={name}");
            folder.record(&set, &format!("--crate-name {name} lib.rs")).is_some()
        };
        assert!(crate_of("my-module", "my_module"));
        assert!(crate_of("core_a", "core_a"));
        for (package, name) in [
            ("my-module", "build_script_build"),
            ("my-module", "build_script_main"),
            ("core_a", "build_script_build"),
            ("core_b", "core_b"),
            ("core", "core"),
        ] {
            assert!(!crate_of(package, name), "{package} {name}");
        }
        // cargo asks the wrapper for other things as well.
        let set = "export CARGO_PKG_NAME=my-module CARGO_CRATE_NAME=my_module";
        assert!(folder.record(set, "-vV").is_none());
    }

    #[test]
    fn cargo_is_left_no_file_of_a_core() {
        let folder = Folder::new("core");
        let set =
            "export CARGO_PKG_NAME=core_a CARGO_CRATE_NAME=core_a PLAYGROUND_CAPTURE_CORES=core_a";
        let file = |name: &str| folder.0.join(name);
        let names = ["libcore_a-1f.rlib", "libcore_a-1f.rmeta", "libcore_a-2e.rlib", "core_a-1f.d"];
        names.iter().for_each(|name| fs::write(file(name), "old").unwrap());
        // In place of rustc.
        let arguments = "--crate-name core_a lib.rs -C extra-filename=-1f --out-dir .";
        assert!(folder.record(set, arguments).is_some());
        assert_eq!(names.map(|name| file(name).exists()), [false, false, true, true]);
    }

    #[test]
    fn the_rest_is_the_games_own() {
        let environment = [("CARGO_PKG_NAME", "module"), ("PATH", "/of/cargo")];
        let environment = environment.map(|(name, value)| (name.into(), value.into())).into();
        let recipe = Recipe { folder: PathBuf::new(), arguments: Vec::new(), environment };
        let mut command = Command::new("rustc");
        command.env_clear().envs(of_rustc(&recipe));
        let value = |wanted: &str| {
            let mut set = command.get_envs().filter(|(name, _)| *name == wanted);
            set.next().and_then(|(_, value)| value)
        };
        assert_eq!(value("CARGO_PKG_NAME"), Some(OsStr::new("module")));
        assert_eq!(value("PATH"), Some(OsStr::new("/of/cargo")));
        assert_eq!(value("HOME").map(OsString::from), std::env::var_os("HOME"));
        // A test has the variables of this package.
        assert!(std::env::var_os("CARGO_PKG_VERSION").is_some());
        assert_eq!(value("CARGO_PKG_VERSION"), None);
    }

    #[test]
    fn names_in_cargos_configuration_are_found() {
        let folder = Folder::new("configured");
        let write = |path: &str, text: &str| {
            let path = folder.0.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write(".cargo/config.toml", "[env]\nPLAYGROUND_TEST_A = \"1\"\n");
        let below = "[env]\nPLAYGROUND_TEST_B = { value = \"\", relative = true }";
        write("game/.cargo/config.toml", below);
        let names = configured(&folder.0.join("game"));
        assert!(
            ["PLAYGROUND_TEST_A", "PLAYGROUND_TEST_B"].iter().all(|name| names.contains(*name))
        );
        assert!(!configured(&folder.0).contains("PLAYGROUND_TEST_B"));
    }
}
