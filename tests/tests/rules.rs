//! The house's rules, as far as a test can tell.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use playground_tests::workspace;

/// The workspace's own Rust files.
fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in ["api", "hotload", "game", "modules", "tests"] {
        collect(&workspace().join(folder), "rs", &mut found);
    }
    assert!(found.len() > 50, "the sources were not found: {found:?}");
    found
}

fn collect(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, extension, found);
        } else if path.extension().is_some_and(|e| e == extension) {
            found.push(path);
        }
    }
}

fn manifests() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in ["api", "hotload", "game", "modules", "tests"] {
        collect(&workspace().join(folder), "toml", &mut found);
    }
    found.retain(|path| path.ends_with("Cargo.toml"));
    found
}

/// A file without its comments and string literals, roughly: enough to look for keywords.
fn code(text: &str) -> String {
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    let mut code = String::new();
    for line in lines {
        for (i, part) in line.split('"').enumerate() {
            if i % 2 == 0 {
                code.push_str(part);
            }
        }
        code.push('\n');
    }
    code
}

#[test]
fn one_unsafe_block_and_no_foreign_interface() {
    let (block, foreign, unmangled) =
        (["unsafe", "{"].join(" "), ["extern", "\"C\""].join(" "), ["no", "mangle"].join("_"));
    let mut blocks = Vec::new();
    for path in sources() {
        let text = fs::read_to_string(&path).expect("a source file");
        // Tests of inspection and epochs hold such code as text.
        let is_data = path.ends_with("tests.rs") || path.starts_with(workspace().join("tests"));
        let keyword = code(&text).matches(&block).count();
        blocks.extend(std::iter::repeat_n(path.clone(), keyword));
        if !is_data {
            let code = code(&text);
            assert!(!text.contains(&foreign), "{}", path.display());
            assert!(!code.contains(&unmangled), "{}", path.display());
            for keyword in ["fn", "impl", "trait"] {
                let declared = format!("unsafe {keyword}");
                assert!(!code.contains(&declared), "{} declares {declared}", path.display());
            }
        }
    }
    assert_eq!(blocks, [workspace().join("hotload/src/load.rs")]);
    let load = fs::read_to_string(&blocks[0]).expect("load.rs");
    let before = load.split(&block).next().expect("text before the block");
    assert!(before.contains("// SAFETY: "), "the block says why it is sound");
}

#[test]
fn every_member_has_the_lints() {
    for path in manifests() {
        let text = fs::read_to_string(&path).expect("a manifest");
        if path.starts_with(workspace().join("hotload")) {
            assert!(text.contains("unsafe_code = \"deny\""), "{}", path.display());
        } else {
            assert!(text.contains("[lints]\nworkspace = true"), "{}", path.display());
        }
    }
    let root = fs::read_to_string(workspace().join("Cargo.toml")).expect("the root manifest");
    assert!(root.contains("unsafe_code = \"forbid\""));
}

/// The packages that a manifest depends on, by name.
fn dependencies(manifest: &Path) -> Vec<String> {
    let text = fs::read_to_string(manifest).expect("a manifest");
    let from = text.split("[dependencies]").nth(1).unwrap_or_default();
    let lines = from.lines().skip(1).take_while(|line| !line.starts_with('['));
    lines
        .filter_map(|line| line.split(['.', '=', ' ']).next())
        .filter(|name| !name.is_empty() && !name.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn modules_depend_on_cores_only() {
    let mut modules = 0;
    for path in manifests() {
        let Ok(inside) = path.strip_prefix(workspace().join("modules")) else { continue };
        modules += 1;
        for dependency in dependencies(&path) {
            let is_module =
                ["systems_", "plugins_", "apps_"].iter().any(|k| dependency.starts_with(k));
            assert!(!is_module, "{} depends on {dependency}", inside.display());
            assert_ne!(dependency, "playground_hotload", "{}", inside.display());
        }
    }
    assert!(modules >= 10, "{modules} modules");
}

#[test]
fn the_api_knows_no_host_and_the_host_no_game() {
    let api = dependencies(&workspace().join("api/Cargo.toml"));
    let own: Vec<&String> = api.iter().filter(|name| name.starts_with("playground")).collect();
    assert_eq!(own, ["playground_derive", "playground_schema"]);
    for part in ["derive", "schema"] {
        let below = dependencies(&workspace().join("api").join(part).join("Cargo.toml"));
        assert!(below.iter().all(|name| !name.starts_with("playground")), "{part}: {below:?}");
    }
    let hotload = dependencies(&workspace().join("hotload/Cargo.toml"));
    let of_the_workspace: Vec<&String> = hotload
        .iter()
        .filter(|name| name.starts_with("playground") || name.starts_with("core_"))
        .collect();
    assert_eq!(of_the_workspace, ["playground_api"]);
}

#[test]
fn only_one_file_opens_libraries() {
    for path in sources() {
        let text = fs::read_to_string(&path).expect("a source file");
        let opens = text.contains(&["libloading", "::os"].concat());
        let is_load = path.ends_with("hotload/src/load.rs");
        assert!(
            opens == is_load || path.starts_with(workspace().join("tests")),
            "{}",
            path.display()
        );
    }
}

type Features = BTreeMap<String, Vec<String>>;

/// The features of every package that cargo resolves for a selection.
fn features(selection: &[&str]) -> Features {
    let output = Command::new(env!("CARGO"))
        .current_dir(workspace())
        .args(["tree", "--offline", "--locked", "--prefix", "none", "--format", "{p}\t{f}"])
        .args(selection)
        .output()
        .expect("cargo");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut features = Features::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let line = line.replace(" (*)", "");
        let Some((package, set)) = line.split_once('\t') else { continue };
        let sets = features.entry(package.to_owned()).or_default();
        if !sets.contains(&set.to_owned()) {
            sets.push(set.to_owned());
        }
    }
    features
}

#[test]
fn all_commands_use_one_build_of_bevy() {
    let normal = "normal,build";
    let api = features(&["-e", normal, "-p", "playground_api", "--features", "playground_api/hot"]);
    assert!(api.keys().any(|package| package.starts_with("bevy_ecs ")));
    let mut selections = vec![
        vec!["-e", "normal,build,dev"],
        vec!["-e", normal, "-p", "playground"],
        vec!["-e", "normal,build,dev", "-p", "playground_hotload"],
        vec!["-e", "normal,build,dev", "--workspace", "--features", "playground_api/hot"],
    ];
    let modules: Vec<String> = manifests()
        .iter()
        .filter(|path| path.starts_with(workspace().join("modules")))
        .filter_map(|path| {
            let text = fs::read_to_string(path).ok()?;
            let name = text.lines().find_map(|line| line.strip_prefix("name = "))?;
            Some(name.trim_matches('"').to_owned())
        })
        .collect();
    for module in &modules {
        selections.push(vec!["-e", normal, "-p", module, "--features", "playground_api/hot"]);
    }
    for selection in selections {
        let resolved = features(&selection);
        for (package, sets) in &api {
            for set in sets {
                let others = resolved.get(package);
                assert!(
                    others.is_some_and(|others| others.contains(set)),
                    "{selection:?} builds {package} with {others:?} and the API with {set}"
                );
            }
        }
    }
}

#[test]
fn the_readme_names_every_command_and_event() {
    let readme = fs::read_to_string(workspace().join("README.md")).expect("README.md");
    for command in playground_hotload::console::command::BUILT_IN {
        assert!(
            readme.contains(&format!("`{}", command.name)),
            "{} is not in the README",
            command.name
        );
    }
    for event in [
        "ready",
        "changed",
        "build_started",
        "build_failed",
        "refused",
        "swapped",
        "committed",
        "rolled_back",
        "blocked",
        "quarantined",
        "enabled",
        "disabled",
        "app_changed",
    ] {
        assert!(readme.contains(&format!("`{event}`")), "{event} is not in the README");
    }
}

#[test]
fn the_readmes_commands_are_understood() {
    let readme = fs::read_to_string(workspace().join("README.md")).expect("README.md");
    let commands = readme.lines().filter(|line| line.starts_with("cargo run -- "));
    let mut tried = 0;
    for command in commands {
        tried += 1;
        // `--help` behind it: the command line is read, and nothing runs.
        let arguments = split(command.trim_start_matches("cargo run -- "));
        let output = Command::new(env!("CARGO"))
            .current_dir(workspace())
            .args(["run", "--quiet", "--offline", "--", "run"])
            .args(&arguments)
            .arg("--help")
            .output()
            .expect("cargo");
        assert!(output.status.success(), "{command}\n{}", String::from_utf8_lossy(&output.stderr));
        let help = String::from_utf8_lossy(&output.stdout).into_owned();
        for option in arguments.iter().filter(|argument| argument.starts_with("--")) {
            assert!(help.contains(option.as_str()), "{command}: {option} is not in\n{help}");
        }
    }
    assert!(tried >= 4, "{tried} commands");
}

/// Words as a shell splits them, with double quotes.
fn split(command: &str) -> Vec<String> {
    let parts = command.split('"').enumerate();
    parts
        .flat_map(|(i, part)| match i % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect::<Vec<_>>(),
            _ => vec![part.to_owned()],
        })
        .collect()
}
