//! A cargo project of somebody else's, outside of the workspace, that adds `HotLoadPlugin`.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use playground_tests::{outside_target, workspace};

const MAIN: &str = r#"
use bevy::prelude::*;
use bevy::render::RenderPlugin;
use bevy::render::settings::WgpuSettings;
use bevy::winit::WinitPlugin;
use playground_hotload::HotLoadPlugin;

fn main() -> AppExit {
    App::new()
        .add_plugins(
            DefaultPlugins
                .build()
                .disable::<WinitPlugin>()
                .set(WindowPlugin {
                    primary_window: None,
                    exit_condition: bevy::window::ExitCondition::DontExit,
                    ..default()
                })
                .set(RenderPlugin {
                    render_creation: WgpuSettings { backends: None, ..default() }.into(),
                    ..default()
                }),
        )
        .add_plugins(bevy::app::ScheduleRunnerPlugin::run_loop(std::time::Duration::from_millis(5)))
        .add_plugins(HotLoadPlugin {
            prompt: true,
            events: Some("events.jsonl".into()),
            ..default()
        })
        .run()
}
"#;

const MODULE: &str = r#"
#![forbid(unsafe_code)]

use playground_api::prelude::*;

export_module! { kind: Apps, requires: {}, persist: [Count], build: build }

#[derive(Resource, Default, Persist, Serialize, Deserialize)]
struct Count(u64);

fn build(module: &mut ModuleApp) {
    module
        .init_resource::<Count>()
        .add_systems(Update, count)
        .add_console_command("count", "counts", |_: In<Vec<String>>, count: Res<Count>| {
            format!("version {} at {}", version(), count.0)
        });
}

fn count(mut count: ResMut<Count>) {
    count.0 += 1;
}

fn version() -> u32 {
    1
}
"#;

/// The workspace's own manifest with other members, so that versions, features and profiles agree.
fn manifest() -> String {
    let root = fs::read_to_string(workspace().join("Cargo.toml")).expect("the manifest");
    let path = |name: &str| format!("path = \"{}\"", workspace().join(name).display());
    let lines = root.lines().filter(|line| !line.contains("path = \"modules/")).map(|line| {
        if line.starts_with("members = ") {
            "members = [\"modules/*/*\"]".to_owned()
        } else if line.starts_with("default-members = ") {
            "default-members = [\".\"]".to_owned()
        } else {
            line.replace("path = \"api\"", &path("api"))
                .replace("path = \"hotload\"", &path("hotload"))
        }
    });
    let workspace = lines.collect::<Vec<_>>().join("\n");
    format!(
        "[package]\nname = \"outside\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
         [dependencies]\nbevy.workspace = true\n\
         playground_hotload = {{ workspace = true, features = [\"hot\"] }}\n\n{workspace}\n\n\
         # It is built here for a few frames.\n\
         [profile.dev.package.playground_hotload]\nopt-level = 0\n"
    )
}

const MODULE_MANIFEST: &str = r#"
[package]
name = "apps_outside"
version = "0.1.0"
edition = "2024"

[dependencies]
bevy.workspace = true
playground_api.workspace = true
serde.workspace = true
"#;

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a file in a folder")).expect("folders");
    fs::write(path, text).expect("a file");
}

/// Waits until `done`; the child must not end before.
fn until(what: &str, child: &mut std::process::Child, done: impl Fn() -> bool) {
    let started = Instant::now();
    while !done() {
        let ended = child.try_wait().expect("a child");
        assert!(ended.is_none(), "{what}: the app ended with {ended:?}");
        assert!(started.elapsed() < Duration::from_secs(600), "in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_project_outside_of_the_workspace_swaps_its_modules() {
    let root = std::env::temp_dir().join(format!("playground-outside-{}", std::process::id()));
    let _ = fs::remove_dir_all(&root);
    let module = root.join("modules/apps/outside/src/lib.rs");
    write(&root.join("Cargo.toml"), &manifest());
    write(&root.join("src/main.rs"), MAIN);
    write(&root.join("modules/apps/outside/Cargo.toml"), MODULE_MANIFEST);
    write(&module, MODULE);
    for file in ["Cargo.lock", "rust-toolchain.toml"] {
        fs::copy(workspace().join(file), root.join(file)).expect("a copy");
    }
    // What is built of registry crates is linked in, as a second project of the same user would
    // share it through a common target folder.
    let target = outside_target();

    let log = root.join("build.log");
    let mut child = Command::new(env!("CARGO"))
        .current_dir(&root)
        .args(["run", "--offline"])
        .env("CARGO_TARGET_DIR", &target)
        .env_remove("CARGO_MANIFEST_DIR")
        .stdin(Stdio::piped())
        .stdout(fs::File::create(root.join("output.log")).expect("a file"))
        .stderr(fs::File::create(&log).expect("a file"))
        .spawn()
        .expect("cargo");
    let events = || fs::read_to_string(root.join("events.jsonl")).unwrap_or_default();
    let output = || fs::read_to_string(root.join("output.log")).unwrap_or_default();
    let story =
        || format!("{}\n{}\n{}", events(), output(), fs::read_to_string(&log).unwrap_or_default());
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        until("ready", &mut child, || events().contains("\"ready\""));
        let mut stdin = child.stdin.take().expect("a pipe");
        writeln!(stdin, "wait 20; count").expect("a line");
        until("the first version answers", &mut child, || output().contains("version 1 at "));
        fs::write(&module, MODULE.replace("    1\n", "    2\n")).expect("an edit");
        until("the swap", &mut child, || events().contains("\"generation\":2"));
        writeln!(stdin, "count").expect("a line");
        until("the second version answers", &mut child, || output().contains("version 2 at "));
        writeln!(stdin, "quit").expect("a line");
        assert!(child.wait().expect("an end").success());
    }));
    let _ = child.kill();
    let built = fs::read_to_string(&log).unwrap_or_default();
    assert!(result.is_ok(), "{}", story());
    assert!(!built.contains("Compiling bevy_ecs "), "Bevy was built again:\n{built}");
    let counts: Vec<u64> = output()
        .lines()
        .filter_map(|line| line.split(" at ").nth(1)?.trim().parse().ok())
        .collect();
    assert!(counts[0] >= 19 && counts[1] > counts[0], "the count went on: {counts:?}");
    fs::remove_dir_all(&root).expect("clean-up");
}
