//! The house's rules, as far as a test can tell.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use playground_tests::workspace;

/// The workspace's own Rust files.
fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in ["api", "hotload", "pack", "game", "modules", "tests"] {
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
    for folder in ["api", "hotload", "pack", "game", "modules", "tests"] {
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
fn the_static_form_links_every_module() {
    let modules: BTreeSet<String> = manifests()
        .into_iter()
        .filter(|path| path.starts_with(workspace().join("modules")))
        .filter_map(|path| Some(path.parent()?.to_owned()))
        .map(|folder| {
            let text = fs::read_to_string(folder.join("Cargo.toml")).expect("a manifest");
            let name = text.lines().find_map(|line| line.strip_prefix("name = "));
            name.unwrap_or_default().trim_matches('"').to_owned()
        })
        .collect();
    let game = fs::read_to_string(workspace().join("game/Cargo.toml")).expect("the manifest");
    let (_, feature) = game.split_once("\nstatic = [").expect("the feature");
    let (feature, _) = feature.split_once(']').expect("its end");
    let linked = feature.split('"').filter_map(|entry| entry.strip_prefix("dep:"));
    let linked: BTreeSet<String> = linked.map(str::to_owned).collect();
    let missing: Vec<_> = modules.difference(&linked).collect();
    assert!(modules.len() > 5 && missing.is_empty(), "not in `static`: {missing:?}");
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
    let expected = ["playground_api", "playground_pack", "playground_state_hash"];
    assert_eq!(of_the_workspace, expected);
    let state_hash = dependencies(&workspace().join("api/state_hash/Cargo.toml"));
    let own: Vec<&String> =
        state_hash.iter().filter(|name| name.starts_with("playground")).collect();
    assert_eq!(own, ["playground_api"]);
    let pack = dependencies(&workspace().join("pack/Cargo.toml"));
    assert!(!pack.iter().any(|name| name.starts_with("playground") || name == "bevy"), "{pack:?}");
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
fn the_guide_names_every_command_and_event() {
    let guide = fs::read_to_string(workspace().join("api/GUIDE.md")).expect("api/GUIDE.md");
    for name in playground_hotload::console::command::names() {
        assert!(guide.contains(&format!("`{name}")), "{name} is not in the guide");
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
        "snapshot_saved",
        "snapshot_loaded",
        "warning",
        "broken",
    ] {
        assert!(guide.contains(&format!("`{event}`")), "{event} is not in the guide");
    }
}

/// The documents that a reader finds.
const DOCUMENTS: [&str; 5] =
    ["README.md", "CHANGELOG.md", "api/GUIDE.md", "hotload/ARCHITECTURE.md", "pack/FORMAT.md"];

/// A heading as GitHub links to it.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn the_readme_is_short_and_links_lead_somewhere() {
    let readme = fs::read_to_string(workspace().join("README.md")).expect("README.md");
    assert!(readme.lines().count() <= 200, "README.md has {} lines", readme.lines().count());
    let mut links = 0;
    for document in DOCUMENTS {
        let path = workspace().join(document);
        let text = fs::read_to_string(&path).expect("a document");
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.starts_with("https://")) {
            links += 1;
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let file = match file {
                "" => path.clone(),
                file => path.parent().expect("a folder").join(file),
            };
            assert!(file.is_file(), "{document} links to {target}: no such file");
            if !heading.is_empty() {
                let linked = fs::read_to_string(&file).expect("a linked document");
                let mut headings = linked.lines().filter(|line| line.starts_with('#'));
                assert!(
                    headings.any(|line| anchor(line) == heading),
                    "{document} links to {target}: no such heading"
                );
            }
        }
    }
    assert!(links > 20, "{links} links");
}

#[test]
fn the_readmes_commands_are_understood() {
    let readme = fs::read_to_string(workspace().join("README.md")).expect("README.md");
    let commands = readme.lines().filter(|line| line.starts_with("cargo run -- "));
    let mut tried = 0;
    for command in commands {
        tried += 1;
        // `--help` behind it: the command line is read, and nothing runs.
        let mut arguments = split(command.trim_start_matches("cargo run -- "));
        if arguments[0].starts_with('-') {
            arguments.insert(0, "run".to_owned());
        }
        let output = Command::new(env!("CARGO"))
            .current_dir(workspace())
            .args(["run", "--quiet", "--offline", "--"])
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

/// The names of the functions that a function's body calls, in the order in which they stand there.
fn calls(path: &str, function: &str) -> Vec<String> {
    let text = fs::read_to_string(workspace().join(path)).expect("a source file");
    let start = text.find(&format!("fn {function}(")).unwrap_or_else(|| {
        panic!("{path} has no function `{function}`: the README's diagram follows it")
    });
    let body: Vec<&str> = text[start..]
        .lines()
        .skip_while(|line| !line.ends_with('{'))
        .skip(1)
        .take_while(|line| *line != "    }")
        .collect();
    let called = body.iter().flat_map(|line| {
        let before = line.match_indices('(').map(|(at, _)| &line[..at]);
        before.filter_map(|before| {
            let name = before.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next()?;
            (!name.is_empty()).then(|| name.to_owned())
        })
    });
    called.collect()
}

/// The stages of the diagram that begins with `first`, in the order of its arrows.
fn stages(document: &str, first: &str) -> Vec<String> {
    let text = fs::read_to_string(workspace().join(document)).expect("a document");
    let line = text
        .lines()
        .find(|line| line.contains(&format!("{first} ─►")))
        .unwrap_or_else(|| panic!("{document} has no diagram with `{first} ─►`"));
    let from = line.find(first).unwrap_or_default();
    let parts = line[from..]
        .split("─►")
        .map(|part| part.split_whitespace().next().unwrap_or_default().to_owned());
    parts.collect()
}

/// The diagram of an edit's way is what the code does, in that order.
#[test]
fn the_diagram_is_the_order_of_the_calls() {
    for document in ["README.md", "hotload/ARCHITECTURE.md"] {
        let beside = stages(document, "watch");
        assert_eq!(beside[..2], ["watch", "build"], "{document}");
        assert_in_order(&beside[2..], &calls("hotload/src/pipeline.rs", "attempt_group"));
        let between = stages(document, "prepare");
        assert_in_order(&between, &calls("hotload/src/host/transaction.rs", "transact"));
    }
}

/// Each stage is a call of that name, or of one that begins with it, and they follow each other.
fn assert_in_order(stages: &[String], calls: &[String]) {
    assert!(stages.len() >= 3, "{stages:?}");
    let mut rest = calls.iter();
    for stage in stages {
        let is_stage = |call: &&String| {
            call.strip_prefix(stage.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
        };
        assert!(
            rest.any(|call| is_stage(&call)),
            "`{stage}` of {stages:?} is not next in {calls:?}"
        );
    }
}
