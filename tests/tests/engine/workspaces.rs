//! Workspaces as people have them: names, folders, build scripts and procedural macros.

use std::fs;

use playground_tests::{Copy, Scene};
use serde_json::Value;

use crate::{OBSERVE, WALK};

/// The manifest of a package with the dependencies of a test module and `more`.
fn manifest(name: &str, more: &str) -> String {
    format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n\
         bevy.workspace = true\nplayground_api.workspace = true\nserde.workspace = true\n{more}"
    )
}

/// A plugin with a hyphen in its name, in a folder of another name, over a core with a hyphen that no
/// app lists.
fn write_far(copy: &Copy) {
    let more = "core-depth = { path = \"../../core/depth_of_all\" }\n\
                core_marks = { path = \"../../core/marks\" }\n";
    copy.write("plugins/elsewhere/Cargo.toml", &manifest("plugins-far", more));
    copy.write(
        "plugins/elsewhere/src/lib.rs",
        r#"//! A feature.
use core_depth::Depth;
use playground_api::prelude::*;

export_module! {
    kind: Plugins,
    requires: { "core-depth": "^0.1" },
    persist: [],
    build: build,
}

fn build(module: &mut ModuleApp) {
    module.add_console_command("far", "how far", far);
}

fn far(In(_): In<Vec<String>>, depth: Res<Depth>) -> String {
    format!("version=1 depth={} mark={}", depth.0, marks::five!())
}
"#,
    );
    copy.write("core/depth_of_all/Cargo.toml", &manifest("core-depth", ""));
    copy.write(
        "core/depth_of_all/src/lib.rs",
        r#"//! Data of one plugin only.
use playground_api::prelude::*;

export_module! { kind: Core, requires: {}, persist: [Depth], build: build }

#[derive(Resource, Clone, Debug, Persist, Serialize, Deserialize)]
pub struct Depth(pub u32);

impl Default for Depth {
    fn default() -> Self {
        Self(7)
    }
}

fn build(module: &mut ModuleApp) {
    module.init_resource::<Depth>();
}
"#,
    );
    let of_macros = "[package]\nname = \"core_marks\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
                     [lib]\nname = \"marks\"\nproc-macro = true\n";
    copy.write("core/marks/Cargo.toml", of_macros);
    copy.write(
        "core/marks/src/lib.rs",
        "#[proc_macro]\npub fn five(_: proc_macro::TokenStream) -> proc_macro::TokenStream {\n    \
         \"5\".parse().unwrap()\n}\n",
    );
}

fn wait_until_ready(scene: &mut Scene) {
    scene.until("the app is ready", |scene| scene.event("ready", None).is_some());
    scene.mark();
}

#[test]
fn hyphens_other_folders_macros_and_cores_of_one_plugin_work() {
    let mut scene = Scene::unready(write_far);
    wait_until_ready(&mut scene);
    assert_eq!(scene.console("far"), "version=1 depth=7 mark=5", "{}", scene.story());

    scene.edit("plugins/elsewhere/src/lib.rs", "version=1", "version=2");
    scene.wait_for("swapped", "plugins-far");
    assert_eq!(scene.console("far"), "version=2 depth=7 mark=5");
    scene.edit(
        "core/depth_of_all/src/lib.rs",
        "pub struct Depth(pub u32);",
        "pub struct Depth(pub u64);",
    );
    scene.wait_for("swapped", "core-depth");
    assert_eq!(scene.console("far"), "version=2 depth=7 mark=5");

    // The core goes with the plugin that it is there for.
    scene.console("disable plugins-far");
    let modules = scene.console("modules");
    let of_core = modules.lines().find(|line| line.contains("core-depth"));
    assert!(of_core.is_some_and(|line| line.contains("disabled")), "{modules}");
    scene.console("enable plugins-far");
    assert_eq!(scene.console("far"), "version=2 depth=7 mark=5", "{}", scene.story());

    // What runs in the compiler cannot be swapped, and that is said.
    scene.edit("core/marks/src/lib.rs", "\"5\"", "\"6\"");
    scene.wait_for_line("H0313");
}

#[test]
fn a_build_script_joins_a_running_module() {
    let mut scene = Scene::demo();
    let script = "fn main() {\n    println!(\"cargo:rustc-env=SCRIPTED=3\");\n    \
                  let folder = std::env::var(\"OUT_DIR\").unwrap();\n    \
                  std::fs::write(format!(\"{folder}/more.rs\"), \"4\").unwrap();\n}\n";
    scene.copy().write("systems/observe/build.rs", script);
    let scripted = "*runs += env!(\"SCRIPTED\").len() as u64 + \
                    include!(concat!(env!(\"OUT_DIR\"), \"/more.rs\"))";
    scene.edit(OBSERVE, "*runs += 1", scripted);
    scene.wait_for("swapped", "systems_observe");
    let before = scene.tally();
    scene.frames(5);
    let after = scene.exact_tally();
    let grown = |name| after.get(name) - before.get(name);
    assert_eq!(grown("local"), grown("walked") * 5, "{before:?} {after:?}");
    // It builds again, with the same command.
    scene.edit(OBSERVE, "*runs += env", "*runs += 1 + env");
    scene.wait_for("swapped", "systems_observe");

    let recipes = scene.root().join("target/playground/recipes.json");
    let recipes: Value =
        serde_json::from_slice(&fs::read(recipes).expect("recipes")).expect("JSON");
    for (module, recipe) in recipes["by_module"].as_object().expect("modules") {
        assert_eq!(recipe["arguments"][2], module.as_str(), "the library's command");
        for variable in recipe["environment"].as_array().expect("variables") {
            let name = variable[0].as_str().expect("a name");
            let is_cargos = ["CARGO", "OUT_DIR", "LD_LIBRARY_PATH", "RUST", "SCRIPTED"];
            assert!(is_cargos.iter().any(|it| name.starts_with(it)), "{module}: {variable}");
        }
    }
}

#[test]
fn packages_that_are_no_modules_are_named_with_what_to_do() {
    let mut scene = Scene::demo();
    let path = "systems/observe/Cargo.toml";
    scene.edit(path, "[lints]", "[lib]\nname = \"observer\"\n\n[lints]");
    let line = scene.wait_for_line("H0109");
    assert!(line.contains("systems/observe/Cargo.toml") && line.contains("`observer`"), "{line}");
    scene.edit(path, "[lib]\nname = \"observer\"\n\n[lints]", "[lints]");
    scene.swap(OBSERVE, &[("*runs += 1", "*runs += 2")]);

    let program = "[package]\nname = \"tool\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    scene.copy().write("systems/tool/src/main.rs", "fn main() {}\n");
    scene.write("systems/tool/Cargo.toml", program);
    let line = scene.wait_for_line("H0108");
    assert!(line.contains("systems/tool/Cargo.toml") && line.contains("`tool`"), "{line}");
    scene.remove("systems/tool");
    scene.swap(WALK, &[("tally.version = 1", "tally.version = 2")]);
    scene.frames(2);
    scene.exact_tally();
}

#[test]
fn code_that_rust_does_not_check_is_refused_with_its_place() {
    let mut scene = Scene::demo();
    let block = "let _ = unsafe { std::mem::zeroed::<u8>() };\n    *runs += 1";
    // Also in a module whose manifest does not forbid it.
    scene.copy().edit("systems/observe/Cargo.toml", &[("[lints]\nworkspace = true", "")]);
    scene.copy().edit(OBSERVE, &[("#![forbid(unsafe_code)]", "")]);
    let reason = scene.refusal("build_failed", OBSERVE, &[("*runs += 1", block)]);
    let text = scene.read(OBSERVE);
    let line = text.lines().position(|line| line.contains("unsafe {")).expect("it is there") + 1;
    assert!(reason.contains("H0325") && reason.contains("systems_observe"), "{reason}");
    assert!(reason.contains(&format!("{OBSERVE}:{line}: `unsafe`")), "{reason}");
    scene.swap(OBSERVE, &[(block, "*runs += 2")]);

    // rustc lets this through: in the module that calls it, the macro is a foreign one.
    let definition = "#[macro_export]\nmacro_rules! early {\n    ($f:path) => {\n        \
                      const _: () = {\n            #[used]\n            \
                      #[unsafe(link_section = \".init_array\")]\n            \
                      static EARLY: extern \"C\" fn() = $f;\n        };\n    };\n}\n\n\
                      /// Something that moves.";
    let scene_file = crate::SCENE;
    let edit = [("/// Something that moves.", definition)];
    let reason = scene.refusal("build_failed", scene_file, &edit);
    assert!(reason.contains("H0325") && reason.contains("core_scene"), "{reason}");
    assert!(reason.contains("`unsafe`") && reason.contains("`link_section`"), "{reason}");
    scene.edit(scene_file, definition, "/// Something that moves.");
    scene.swap(WALK, &[("tally.version = 1", "tally.version = 2")]);
    scene.frames(2);
    scene.exact_tally();
}
